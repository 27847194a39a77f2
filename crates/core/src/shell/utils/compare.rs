//! `cmp`, `diff -q`, and checksums.

use std::sync::Arc;

use bstr::{BString, ByteSlice};
use data_encoding::HEXLOWER;
use sha2::Digest as _;

use super::super::{Invocation, ShellError, Status};
use super::options::{flag, parse, value};
use super::text::each_input;

/// The contents of two files.
type Pair = (Arc<[u8]>, Arc<[u8]>);

fn both<S>(call: &mut Invocation<'_, '_, S>, operands: &[BString]) -> Result<Option<Pair>, ShellError> {
    let [first, second] = operands else {
        call.complain("missing operand")?;
        return Ok(None);
    };
    let (first, second) = (call.read_operand(first)?, call.read_operand(second)?);
    Ok(first.zip(second))
}

pub(super) fn cmp<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b's', "silent"), flag(0, "quiet"), value(b'n', "bytes")])?;
    let silent = options.has("silent") || options.has("quiet");
    // `cmp -s` of a missing file says nothing either.
    if silent
        && options.operands.iter().any(|file| file != "-" && file != "/dev/null" && call.stat(file, true).is_none())
    {
        return Ok(Status(2));
    }
    let Some((first, second)) = both(call, &options.operands)? else { return Ok(Status(2)) };
    let limit = options.number("bytes").map_or(usize::MAX, |limit| limit as usize);
    let cut = |text: &[u8]| text.get(..limit.min(text.len())).unwrap_or_default().to_vec();
    let (first, second) = (cut(&first), cut(&second));
    if first == second {
        return Ok(Status::SUCCESS);
    }
    if !silent {
        let at = first.iter().zip(&second).position(|(left, right)| left != right);
        let names: Vec<String> = options.operands.iter().map(|name| name.to_string()).collect();
        match at {
            Some(at) => {
                let line = first.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
                call.out(format!("{} differ: char {}, line {line}\n", names.join(" "), at + 1))?;
            }
            None => {
                let shorter = names.get(usize::from(first.len() > second.len())).cloned().unwrap_or_default();
                call.complain(format!("EOF on {shorter}"))?;
            }
        }
    }
    Ok(Status::FAILURE)
}

/// Only whether files differ: with `-q`, or where the output goes nowhere.
pub(super) fn diff<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[flag(b'q', "brief"), flag(b'u', "unified"), flag(b'N', "new-file"), flag(b's', "report-identical")],
    )?;
    if options.has("report-identical") {
        return Err(call.unsupported("-s"));
    }
    let Some((first, second)) = both(call, &options.operands)? else { return Ok(Status(2)) };
    if first == second {
        return Ok(Status::SUCCESS);
    }
    if !options.has("brief") {
        let discarded = call
            .shell
            .descriptors
            .get(&1)
            .is_none_or(|file| matches!(*file.borrow(), super::super::files::Description::Null));
        if !discarded {
            return Err(call.unsupported("printing differences"));
        }
    }
    let names: Vec<String> = options.operands.iter().map(|name| name.to_string()).collect();
    call.out(format!("Files {} differ\n", names.join(" and ")))?;
    Ok(Status::FAILURE)
}

/// The digest that a command of this name prints.
fn digest(name: &[u8], text: &[u8]) -> Option<String> {
    Some(match name {
        b"md5sum" => HEXLOWER.encode(&md5::Md5::digest(text)),
        b"sha224sum" => HEXLOWER.encode(&sha2::Sha224::digest(text)),
        b"sha256sum" => HEXLOWER.encode(&sha2::Sha256::digest(text)),
        b"sha384sum" => HEXLOWER.encode(&sha2::Sha384::digest(text)),
        b"sha512sum" => HEXLOWER.encode(&sha2::Sha512::digest(text)),
        _ => return None,
    })
}

pub(super) fn checksum<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b'b', "binary"),
            flag(b't', "text"),
            flag(b'c', "check"),
            flag(b's', "status"),
            flag(0, "status"),
            flag(0, "quiet"),
        ],
    )?;
    let name = call.name.clone();
    if !options.has("check") {
        return each_input(call, &options.operands, |call, operand, text| {
            let digest = digest(&name, text).ok_or_else(|| call.unsupported(""))?;
            let mark = if options.has("binary") { '*' } else { ' ' };
            call.out(format!("{digest} {mark}{operand}\n"))
        });
    }
    let mut good = true;
    let read = each_input(call, &options.operands, |call, _, list| {
        for line in list.lines().filter(|line| !line.is_empty()) {
            let Some(space) = line.find_byte(b' ') else { continue };
            let (wanted, file) = (line.get(..space).unwrap_or_default(), line.get(space + 2..).unwrap_or_default());
            let matches = match call.read_operand(file)? {
                Some(text) => digest(&name, &text).is_some_and(|digest| wanted.eq_ignore_ascii_case(digest.as_bytes())),
                None => false,
            };
            good &= matches;
            if !(options.has("status") || (matches && options.has("quiet"))) {
                call.out([file, if matches { b": OK\n".as_slice() } else { b": FAILED\n" }].concat())?;
            }
        }
        Ok(())
    })?;
    Ok(Status::from_bool(good && read.is_success()))
}
