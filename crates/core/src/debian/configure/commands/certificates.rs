//! `openssl rehash` (openssl-rehash(1)) and the filling of Java's trust store; other uses of `openssl` in scripts make keys, which no image shall share.

use super::{Outcome, finish};
use bstr::{BString, ByteSlice as _};

use crate::debian::configure::certificates::{certificates, java_trust_store, rehash};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};
use crate::tree::{Meta, Node, TreePath};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("openssl", openssl);
    commands.register("java", java);
    commands.register("c_rehash", |call| rehash_directories(call, 0));
}

fn openssl(call: &mut Invocation<'_, '_, System>) -> Outcome {
    match call.args.first().map(|action| action.as_slice()) {
        Some(b"rehash") => rehash_directories(call, 1),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

fn rehash_directories(call: &mut Invocation<'_, '_, System>, skip: usize) -> Outcome {
    let directories: Vec<_> = call.args.iter().skip(skip).filter(|word| !word.starts_with(b"-")).cloned().collect();
    for directory in directories {
        let path = call.resolve(&directory, true)?;
        let machine = &mut *call.machine;
        let (contents, now) = (machine.contents, machine.now);
        let result = rehash(&mut machine.tree, &path, contents, now);
        let status = finish(call, result)?;
        if !status.is_success() {
            return Ok(status);
        }
    }
    Ok(Status::SUCCESS)
}

/// Where ca-certificates-java keeps Java's trust store.
const CACERTS: TreePath = TreePath::literal("etc/ssl/certs/java/cacerts");

/// `java -jar ca-certificates-java.jar`, which reads `+FILE` a line; `java -version` tells that Java works.
fn java(call: &mut Invocation<'_, '_, System>) -> Outcome {
    if call.args.first().is_some_and(|option| option == "-version") {
        return Ok(Status::SUCCESS);
    }
    if !call.args.iter().any(|word| word.ends_with(b"/ca-certificates-java.jar")) {
        return Err(call.unsupported(bstr::join(" ", &call.args)));
    }
    let mut trusted: Vec<(BString, Vec<u8>)> = Vec::new();
    let lines = call.read_stdin()?;
    for file in lines.lines().filter_map(|line| line.strip_prefix(b"+")) {
        let Some(text) = call.read_operand(file)? else { continue };
        let name = file.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_ascii_lowercase();
        let alias = BString::from([b"debian:", name.as_slice()].concat());
        trusted.extend(certificates(&text).into_iter().next().map(|certificate| (alias, certificate)));
    }
    trusted.sort();
    let now = call.machine.now;
    if let Some(folder) = CACERTS.parent() {
        call.machine.tree.create_dir_all(&folder, &Meta::root(0o755, now))?;
    }
    let store = java_trust_store(&trusted, now);
    call.machine.tree.insert(CACERTS, Node::file(Meta::root(0o644, now), store))?;
    Ok(Status::SUCCESS)
}
