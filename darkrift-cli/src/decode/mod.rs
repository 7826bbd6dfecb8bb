//! `darkrift decode`: bytes, taken apart.

mod readings;
mod shape;

use std::process::ExitCode;

use darkrift_tokio::proto::Encoding;
use lexopt::ValueExt;

use crate::encoding::EncodingName;
use crate::failure::Failure;
use crate::hex;
use crate::output::Output;

pub(crate) const HELP: &str = "\
usage: darkrift decode [--stream | --datagram] [--encoding NAME] HEX...

Takes bytes apart: frames as they stand in a TCP stream, or a UDP datagram. They may be written as other tools show
them: 0001ff, 00 01 ff, 00:01:ff, 00-01-FF, 0x00 0x01 0xff.

  --stream         they are of a stream: each message stands behind its length, and a hello may stand before all
  --datagram       they are a datagram: one message, or a token or its acknowledgement
  --encoding NAME  how text is encoded: utf16le unless given (DarkRift's), utf8 (DarkRiftPy's), utf16be, utf32le, ascii

Without --stream and --datagram it takes them for whichever they fit. What a payload means is not in the bytes: the
readings of it are guesses. The exit code is 1 where the bytes are not whole or make no sense.
";

/// What the bytes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP.
    Stream,
    /// UDP.
    Datagram,
}

/// What the arguments say.
#[derive(Debug)]
pub(crate) struct Options {
    bytes: Vec<u8>,
    transport: Option<Transport>,
    encoding: Encoding,
}

/// Reads the arguments; `None` where they ask for help.
pub(crate) fn options(parser: &mut lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut text, mut transport, mut encoding) = (None::<String>, None, Encoding::default());
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Value(value) => {
                let all = text.get_or_insert_default();
                all.push(' ');
                all.push_str(&value.string()?);
            }
            lexopt::Arg::Long("stream") => transport = Some(Transport::Stream),
            lexopt::Arg::Long("datagram") => transport = Some(Transport::Datagram),
            lexopt::Arg::Long("encoding") => encoding = parser.value()?.parse::<EncodingName>()?.0,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let text = text.ok_or("the bytes are missing")?;
    let bytes = hex::parse(&text).map_err(|error| lexopt::Error::Custom(error.into()))?;
    Ok(Some(Options { bytes, transport, encoding }))
}

/// Takes the bytes apart.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let decoder = shape::Decoder { output: Output::new(), encoding: options.encoding };
    let transport = options.transport.unwrap_or_else(|| shape::likely_transport(&options.bytes));
    let is_whole = match transport {
        Transport::Stream => decoder.stream(&options.bytes)?,
        Transport::Datagram => decoder.datagram(&options.bytes)?,
    };
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
