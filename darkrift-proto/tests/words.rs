//! What errors, reasons and numbers say to whoever reads the log.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use darkrift_proto::data::{DecodeErrorKind, EncodeErrorKind};
use darkrift_proto::wire::Token;
use darkrift_proto::{
    ClientId, CloseKind, CloseReason, ConnectPhase, DecodeError, EncodeError, Encoding, Initiator, Instant,
    SendError, StrikeReason, TransportError,
};

/// Whether all have words, no two the same.
fn each_has_words_of_its_own<T: Display>(values: impl IntoIterator<Item = T>) {
    let texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    let different: BTreeSet<&str> =
        texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    assert_eq!(different.len(), texts.len(), "{texts:?}");
}

/// Whether the text names each of these.
#[track_caller]
fn names(value: &impl Display, parts: &[&str]) {
    let text = value.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
}

#[test]
fn an_id_is_shown_as_its_number() {
    assert_eq!(ClientId::new(700).to_string(), "700");
    assert_eq!(u16::from(ClientId::new(700)), 700);
}

#[test]
fn a_moment_is_shown_as_the_time_since_the_chosen_point() {
    let moment = Instant::from_nanos(1_500_000);
    assert_eq!(moment.as_nanos(), 1_500_000);
    assert_eq!(format!("{moment:?}"), "1.5ms");
}

#[test]
fn a_token_is_shown_as_16_hexadecimal_digits() {
    assert_eq!(format!("{:?}", Token::new([0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff])), "Token(00010203fcfdfeff)");
}

#[test]
fn phases_and_strikes_are_told_apart() {
    use ConnectPhase::{Acknowledgement, Configure, Hello, Resolve, Tcp, Token};
    each_has_words_of_its_own([Resolve, Tcp, Hello, Acknowledgement, Token, Configure]);
    // UDP has two ways to fail that TCP does not show.
    names(&Acknowledgement, &["blocked", "another port"]);
    use StrikeReason::{ConnectionRequest, InvalidCommand, InvalidMessageLength, UnidentifiedPing};
    each_has_words_of_its_own([InvalidMessageLength, InvalidCommand, UnidentifiedPing, ConnectionRequest]);
}

#[test]
fn a_close_names_what_it_was_about() {
    let reason = |kind| CloseReason::new(Initiator::Local, kind);
    let (phase, limit) = (ConnectPhase::Token, Duration::from_secs(5));
    names(&reason(CloseKind::ConnectTimeout { phase, limit }), &[&phase.to_string(), "5s"]);
    names(&reason(CloseKind::IdleTimeout(Duration::from_secs(30))), &["30s"]);
    let last = StrikeReason::InvalidCommand;
    names(&reason(CloseKind::Strikes { last, total: 12 }), &["12", &last.to_string()]);
    names(&reason(CloseKind::FrameTooLong { length: 70_000, limit: 65_534 }), &["70000", "65534"]);
    names(&reason(CloseKind::NegativeFrame(-9)), &["-9"]);
    names(&reason(CloseKind::TooManyBeforeConfigure(4096)), &["4096 messages"]);
    names(&reason(CloseKind::TooManyBytesBeforeConfigure(777)), &["777 bytes"]);
    names(&reason(CloseKind::Behind { queued: 4711 }), &["4711"]);
    let error = TransportError::Reset;
    names(&reason(CloseKind::Transport(error)), &[&error.to_string()]);
}

#[test]
fn a_decode_error_names_the_numbers_and_the_place() {
    struct FromClient;
    for (error, parts) in [
        (DecodeError::new(DecodeErrorKind::NegativeLength(-7)), &["-7"][..]),
        (DecodeError::wrong_count(31, 52), &["31", "52"]),
        (DecodeError::new(DecodeErrorKind::InvalidText(Encoding::Utf16Be)), &["UTF-16BE"]),
        (DecodeError::new(DecodeErrorKind::InvalidChar), &["char"]),
        (DecodeError::invalid_discriminant(77), &["77"]),
        (DecodeError::left_over(40, 63), &["63"]),
        (DecodeError::limit_exceeded(32, 99), &["32", "99"]),
        (DecodeError::new(DecodeErrorKind::NestedTooDeep { limit: 44 }), &["44 deep"]),
        (DecodeError::new(DecodeErrorKind::NestedTooLarge { limit: 44 }), &["44 bytes"]),
        (DecodeError::new(DecodeErrorKind::TooManyEmpty { limit: 66 }), &["66"]),
        (DecodeError::new(DecodeErrorKind::PositionPastEnd { length: 55 }), &["55"]),
        (DecodeError::custom("no such colour"), &["no such colour"]),
        (DecodeError::custom(format!("no colour {}", 8)), &["no colour 8"]),
    ] {
        let error = error.at(1234).in_field("Player", "name");
        names(&error, parts);
        names(&error, &["Player.name: ", " at byte 1234"]);
    }
    names(&DecodeError::wrong_tag(31, 52), &["31", "52"]);
    names(&DecodeError::unknown_tag(77), &["77"]);
    names(&DecodeError::unknown_tag_of::<FromClient>(77), &["FromClient", "77"]);
}

#[test]
fn one_is_one_byte_and_not_bytes() {
    let missing = |needed| DecodeError::new(DecodeErrorKind::UnexpectedEnd { needed, left: 0 }).at(3);
    assert_eq!(missing(1).to_string(), "1 byte needed at byte 3, 0 left");
    assert_eq!(missing(2).to_string(), "2 bytes needed at byte 3, 0 left");
    assert_eq!(DecodeError::left_over(3, 1).to_string(), "1 byte left over at byte 3");
    assert_eq!(DecodeError::wrong_count(2, 1).to_string(), "1 value for an array of 2");
    let wrong_size = |found| EncodeError::new(EncodeErrorKind::WrongSize { reserved: 2, found });
    assert_eq!(wrong_size(1).to_string(), "1 byte for the 2 reserved");
    let kind = CloseKind::Strikes { last: StrikeReason::InvalidCommand, total: 1 };
    names(&CloseReason::new(Initiator::Local, kind), &["1 strike,"]);
    let kind = CloseKind::Behind { queued: 1 };
    names(&CloseReason::new(Initiator::Local, kind), &["1 byte queued"]);
    assert_eq!(SendError::Full { queued: 1 }.to_string(), "the reliable queue is full: 1 byte queued");
}

#[test]
fn an_encode_error_names_the_numbers_and_the_field() {
    for (error, parts) in [
        (EncodeError::new(EncodeErrorKind::InvalidChar('😀')), &["😀"][..]),
        (EncodeError::too_long(3_000_000_000), &["3000000000"]),
        (EncodeError::limit_exceeded(32, 99), &["32", "99"]),
        (EncodeError::new(EncodeErrorKind::WrongSize { reserved: 31, found: 52 }), &["31", "52"]),
        (EncodeError::new(EncodeErrorKind::PositionPastEnd { position: 52, length: 31 }), &["31", "52"]),
        (EncodeError::custom("no such colour"), &["no such colour"]),
        (EncodeError::custom(format!("no colour {}", 8)), &["no colour 8"]),
    ] {
        let error = error.in_field("Player", "name").in_field("Game", "players");
        names(&error, parts);
        names(&error, &["Game.players: Player.name: "]);
        assert!(error.path().eq([("Game", "players"), ("Player", "name")]));
    }
}

#[test]
fn each_encoding_has_a_name_of_its_own() {
    use Encoding::{Ascii, Utf8, Utf16Be, Utf16Le, Utf32Le};
    each_has_words_of_its_own([Utf16Le, Utf8, Utf16Be, Utf32Le, Ascii]);
}

#[test]
fn an_error_is_what_its_maker_says() {
    assert_eq!(*DecodeError::custom("odd").kind(), DecodeErrorKind::Custom("odd".into()));
    assert_eq!(*DecodeError::invalid_discriminant(9).kind(), DecodeErrorKind::InvalidDiscriminant(9));
    assert_eq!(
        *DecodeError::unknown_tag(9).kind(),
        DecodeErrorKind::UnknownTag { found: 9, type_name: None }
    );
    assert_eq!(*EncodeError::custom("odd").kind(), EncodeErrorKind::Custom("odd".into()));
    assert_eq!(*EncodeError::too_long(9).kind(), EncodeErrorKind::TooLong(9));
    let kind = EncodeErrorKind::LimitExceeded { limit: 1, found: 2 };
    assert_eq!(*EncodeError::limit_exceeded(1, 2).kind(), kind);
}
