//! `ucf` and `ucfr`: configuration files that packages generate (ucf(1), ucfr(1)).

use bstr::{BString, ByteSlice as _};
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};

use super::{Outcome, arguments};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, TreeError, TreePath};

const OPTIONS: OptionTable = &[
    ("--three-way", "three-way", Takes::Nothing),
    ("--debconf-ok", "debconf-ok", Takes::Nothing),
    ("--debconf-template", "debconf-template", Takes::Value),
    ("--sum-file", "sum-file", Takes::Value),
    ("--src-dir", "src-dir", Takes::Value),
    ("--dest-dir", "dest-dir", Takes::Value),
    ("--state-dir", "state-dir", Takes::Value),
    ("--purge", "purge", Takes::Nothing),
    ("-p", "purge", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
    ("-f", "force", Takes::Nothing),
    ("--debug", "debug", Takes::Value),
    ("-d", "debug", Takes::Value),
    ("--verbose", "verbose", Takes::Nothing),
    ("-v", "verbose", Takes::Nothing),
    ("-P", "package", Takes::Value),
    ("--package", "package", Takes::Value),
];

const HASHES: TreePath = TreePath::literal("var/lib/ucf/hashfile");
const REGISTRY: TreePath = TreePath::literal("var/lib/ucf/registry");
/// ucf keeps this many older versions of its files.
const GENERATIONS: usize = 7;

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("ucf", ucf);
    commands.register("ucfr", ucfr);
    commands.register("ucfq", |call| Err(call.unsupported("asking")));
}

fn ucf(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    if given.has("purge") {
        let Some(file) = given.operands.first() else { return call.fail("need a file name") };
        let kept = lines(call, &HASHES, |line| !line.ends_with(&[b"  ", file.as_slice()].concat()))?;
        rotate_and_write(call, &HASHES, kept)?;
        return Ok(Status::SUCCESS);
    }
    let [source, target] = given.operands.as_slice() else { return call.fail("need exactly two arguments") };
    let text = match call.read_file(source) {
        Ok(text) => text,
        Err(_) => return call.fail(format!("The new file {source} does not exist!")),
    };
    let target = BString::from(call.resolve(target, true)?.to_string());
    let at = TreePath::parse(&target).map_err(TreeError::from)?;
    if let Ok(old) = call.read_file(&target) {
        // A file that differs is the administrator's, and nobody is there to be asked.
        if old != text {
            return Ok(Status::SUCCESS);
        }
    } else {
        let meta = call.stat(source, true).map(|(_, node)| node.meta.clone()).unwrap_or_else(|| Meta::root(0o644, 0));
        call.machine.tree.insert(at, Node::file(meta, text.clone()))?;
    }
    record(call, &target, &text, given.has("three-way"))
}

/// Remembers the file's hash, and with `--three-way` the file itself.
fn record(call: &mut Invocation<'_, '_, System>, target: &BString, text: &[u8], keep: bool) -> Outcome {
    let hash = HEXLOWER.encode(&Md5::digest(text));
    let mut hashes = lines(call, &HASHES, |line| !line.ends_with(&[b"  ", target.as_slice()].concat()))?;
    hashes.extend(format!("{hash}  {target}\n").bytes());
    rotate_and_write(call, &HASHES, hashes)?;
    let now = call.machine.now;
    let cache = TreePath::literal("var/lib/ucf/cache");
    call.machine.tree.create_dir_all(&cache, &Meta::root(0o755, now))?;
    if keep {
        let name = target.replace("/", ":");
        let at = cache.join(name).map_err(TreeError::from)?;
        call.machine.tree.insert(at, Node::file(Meta::root(0o644, now), text))?;
    }
    Ok(Status::SUCCESS)
}

fn ucfr(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let [package, file] = given.operands.as_slice() else { return call.fail("need exactly two arguments") };
    let of_file = [b"\t ", file.as_slice()].concat();
    let mut registry = lines(call, &REGISTRY, |line| !line.ends_with(&of_file))?;
    if !given.has("purge") {
        registry.extend(format!("{package} \t {file}\n").bytes());
    }
    rotate_and_write(call, &REGISTRY, registry)?;
    Ok(Status::SUCCESS)
}

/// The lines of a file that are to be kept.
fn lines(
    call: &mut Invocation<'_, '_, System>,
    path: &TreePath,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, ShellError> {
    if !call.machine.tree.contains(path) {
        return Ok(Vec::new());
    }
    let text = call.machine.tree.read(path, call.machine.contents)?;
    Ok(text.lines().filter(|line| keep(line)).flat_map(|line| line.iter().copied().chain([b'\n'])).collect())
}

/// The old file becomes `.0`, that one `.1`, and so on (savelog(8)'s manner).
fn rotate_and_write(call: &mut Invocation<'_, '_, System>, path: &TreePath, text: Vec<u8>) -> Result<(), ShellError> {
    let now = call.machine.now;
    let tree = &mut call.machine.tree;
    if let Some(parent) = path.parent() {
        tree.create_dir_all(&parent, &Meta::root(0o755, now))?;
    }
    let generation = |number: usize| TreePath::parse(format!("{path}.{number}")).map_err(TreeError::from);
    if tree.contains(path) {
        for number in (0..GENERATIONS).rev() {
            let (from, to) = (generation(number)?, generation(number + 1)?);
            if tree.contains(&from) {
                tree.rename(&from, &to)?;
            }
        }
        tree.rename(path, &generation(0)?)?;
    }
    tree.insert(path.clone(), Node::file(Meta::root(0o644, now), text))?;
    Ok(())
}
