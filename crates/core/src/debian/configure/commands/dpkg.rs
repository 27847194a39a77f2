//! `dpkg` as scripts use it: comparing versions, validating, asking what is installed (dpkg(1)).

use bstr::{BString, ByteSlice as _};
use debversion::Version;

use super::{Outcome, after, arguments, dpkg_query};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("dpkg", dpkg);
    commands.register("dpkg-realpath", realpath);
}

const REALPATH: OptionTable = &[
    ("-z", "zero", Takes::Nothing),
    ("--zero", "zero", Takes::Nothing),
    ("--root", "root", Takes::Value),
    ("--instdir", "root", Takes::Value),
];

/// `dpkg-realpath` (dpkg-realpath(1)): where a path leads, all links followed.
fn realpath(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, REALPATH)?;
    let [path] = given.operands.as_slice() else { return call.fail("missing pathname") };
    let resolved = call.resolve(path, true);
    let Some(real) = call.checked(path, resolved)? else { return Ok(Status::FAILURE) };
    let end = if given.has("zero") { "\0" } else { "\n" };
    call.out(format!("{real}{end}"))?;
    Ok(Status::SUCCESS)
}

fn dpkg(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let words = call.args.clone();
    let Some((action, operands)) = words.split_first() else { return call.fail("need an action option") };
    match action.as_slice() {
        b"--compare-versions" => match operands {
            [dashes, rest @ ..] if dashes == "--" => compare(call, rest),
            rest => compare(call, rest),
        },
        b"--print-architecture" => {
            let line = format!("{}\n", call.machine.platform.architecture());
            call.out(line)?;
            Ok(Status::SUCCESS)
        }
        b"--print-foreign-architectures" => Ok(Status::SUCCESS),
        b"-s" | b"--status" => dpkg_query::status(call, operands),
        b"-L" | b"--listfiles" => dpkg_query::list_files(call, operands),
        b"-S" | b"--search" => dpkg_query::search(call, operands),
        b"-l" | b"--list" => dpkg_query::list(call, operands),
        option if option.starts_with(b"--assert-") => Ok(Status::SUCCESS),
        option if option.starts_with(b"--validate-") => Ok(Status::SUCCESS),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

/// `--compare-versions A REL B`; status 2 for what is no version or relation.
fn compare(call: &mut Invocation<'_, '_, System>, operands: &[BString]) -> Outcome {
    let left = operands.first().cloned().unwrap_or_default();
    let relation = operands.get(1).cloned().unwrap_or_default();
    let right = after(operands, 2).first().cloned().unwrap_or_default();
    match versions_satisfy(&left, &relation, &right) {
        Some(holds) => Ok(Status::from_bool(holds)),
        None => {
            call.complain(format!("version '{left}' or '{right}' or relation '{relation}' is bad"))?;
            Ok(Status(2))
        }
    }
}

/// dpkg(1): an empty version is before every other, with `-nl` after every other.
fn versions_satisfy(left: &[u8], relation: &[u8], right: &[u8]) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let empty_is_later = relation.ends_with(b"-nl");
    let relation = relation.strip_suffix(b"-nl").unwrap_or(relation);
    let order = match (left.is_empty(), right.is_empty()) {
        (true, true) => Equal,
        (true, false) => {
            if empty_is_later {
                Greater
            } else {
                Less
            }
        }
        (false, true) => {
            if empty_is_later {
                Less
            } else {
                Greater
            }
        }
        (false, false) => parse(left)?.cmp(&parse(right)?),
    };
    Some(match relation {
        b"lt" | b"<<" => order == Less,
        b"le" | b"<=" | b"<" => order != Greater,
        b"eq" | b"=" => order == Equal,
        b"ne" => order != Equal,
        b"ge" | b">=" | b">" => order != Less,
        b"gt" | b">>" => order == Greater,
        _ => return None,
    })
}

fn parse(text: &[u8]) -> Option<Version> {
    text.trim().to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_dpkg_does() {
        let check = |line: &str, expect: Option<bool>| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            assert_eq!(versions_satisfy(words[0], words[1], words[2]), expect, "{line}");
        };
        check("1.0 lt 1.0-1", Some(true));
        check("1.0~rc1 lt 1.0", Some(true));
        check(" lt 1", Some(true));
        check(" lt-nl 1", Some(false));
        check("1 gt ", Some(true));
        check(" eq ", Some(true));
        check("1:0 gt 9", Some(true));
        check("1 < 1", Some(true));
        check("1 << 1", Some(false));
        check("1 foo 1", None);
    }
}
