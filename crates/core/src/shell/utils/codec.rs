//! Utilities that decode: `base64 -d`, and `zcat` with its other name `gzip -dc`.

use std::io::Read as _;

use bstr::BString;
use data_encoding::BASE64;
use flate2::read::MultiGzDecoder;

use super::super::{Invocation, ShellError, Status};
use super::options::{flag, parse};
use super::text::all_input;

/// More than any script decompresses, in bytes.
const MAX_DECOMPRESSED: u64 = 256 << 20;

/// Just decoding: no script of Debian encodes.
pub(super) fn base64<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'd', "decode"), flag(b'i', "ignore-garbage")])?;
    if !options.has("decode") {
        return Err(call.unsupported("encoding"));
    }
    let (mut text, status) = all_input(call, &options.operands)?;
    let ignores = options.has("ignore-garbage");
    let is_of_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.retain(|byte| *byte != b'\n' && (!ignores || is_of_alphabet(*byte)));
    match BASE64.decode(&text) {
        Ok(bytes) => call.out(bytes).map(|()| status),
        Err(_) => call.fail("invalid input"),
    }
}

pub(super) fn zcat<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'f', "force")])?;
    decompress(call, &options.operands)
}

/// Only to standard output, as in `gzip -dc`.
pub(super) fn gzip<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'd', "decompress"), flag(b'c', "stdout"), flag(b'q', "quiet")])?;
    if !options.has("decompress") || !(options.has("stdout") || options.operands.is_empty()) {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    decompress(call, &options.operands)
}

fn decompress<S>(call: &mut Invocation<'_, '_, S>, operands: &[BString]) -> Result<Status, ShellError> {
    let (packed, status) = all_input(call, operands)?;
    let mut bytes = Vec::new();
    match MultiGzDecoder::new(&packed[..]).take(MAX_DECOMPRESSED + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > MAX_DECOMPRESSED => Err(call.unsupported("a file this large")),
        Ok(_) => call.out(bytes).map(|()| status),
        Err(error) => call.fail(error.to_string()),
    }
}
