//! Times, as they are typed and as they are shown.

use std::fmt;
use std::time::Duration;

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A text that is no time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    /// It is no number with a unit.
    #[error("not a time with its unit, such as 250ms, 1.5s or 2m")]
    Malformed,
    /// It is longer than anything here may take.
    #[error("more than a day")]
    TooLong,
}

/// Reads a time such as `250ms`, `1.5s` or `2m`.
///
/// # Errors
/// When it is none, or more than a day.
pub(crate) fn parse(text: &str) -> Result<Duration, TimeError> {
    let (number, unit) = [("ms", 0.001), ("s", 1.0), ("m", 60.0)]
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .ok_or(TimeError::Malformed)?;
    let number: f64 = number.parse().map_err(|_| TimeError::Malformed)?;
    let is_time = number.is_finite() && number >= 0.0;
    if !is_time {
        return Err(TimeError::Malformed);
    }
    match Duration::try_from_secs_f64(number * unit) {
        Ok(time) if time <= LONGEST => Ok(time),
        _ => Err(TimeError::TooLong),
    }
}

/// A time in milliseconds, the same unit everywhere so that lines can be compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Milliseconds(pub(crate) Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "5", "s", "ms", "-1s", "nans", "infs", "1h", "1 s"] {
            assert_eq!(parse(text), Err(TimeError::Malformed), "{text}");
        }
        assert_eq!(parse("1e300s"), Err(TimeError::TooLong));
        assert_eq!(parse("86401s"), Err(TimeError::TooLong));
    }

    #[test]
    fn a_time_is_shown_in_milliseconds() {
        assert_eq!(Milliseconds(Duration::from_micros(1_234_567)).to_string(), "1234.567 ms");
    }
}
