//! Numbers with what they count, in the words of errors.

use core::fmt;

/// So many of what is called so: `1 byte`, `2 bytes`.
pub(crate) struct Count(pub(crate) usize, pub(crate) &'static str);

impl Count {
    pub(crate) const fn bytes(count: usize) -> Self {
        Self(count, "byte")
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}
