//! A script in a container of podman or Docker, where this machine makes no namespaces for us.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use plywood_core::debian::configure::ScriptRun;
use plywood_core::tree::{Tree, TreeError, TreePath};

use super::ScriptRunnerError;
use super::namespace::environment;
use crate::engine::{Complaint, Engine, OverFiles, PROGRAM};
use crate::os;

/// What the container does: what dpkg's tools expect is there, as in [`super::namespace`], then comes the script.
const INSIDE: &str = "mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers || exit 125\n\
                      test -e /var/lib/dpkg/status || : > /var/lib/dpkg/status\n\
                      exec /plywood-program \"$@\"";
/// A script that takes longer waits for something that never comes.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// What engines put into every container.
const OF_ENGINES: [TreePath; 11] = [
    TreePath::literal(".dockerenv"),
    TreePath::literal("plywood-program"),
    TreePath::literal("dev"),
    TreePath::literal("etc/hostname"),
    TreePath::literal("etc/hosts"),
    TreePath::literal("etc/mtab"),
    TreePath::literal("etc/resolv.conf"),
    TreePath::literal("proc"),
    TreePath::literal("run"),
    TreePath::literal("sys"),
    TreePath::literal("tmp"),
];

/// Runs the script over the files in `before`; gives them as it left them.
pub(super) fn run(engine: &Engine, before: File, script: &ScriptRun<'_>) -> Result<File, ScriptRunnerError> {
    let folder = tempfile::tempdir().map_err(ScriptRunnerError::Temporary)?;
    let (text, after) = (folder.path().join(PROGRAM.trim_start_matches('/')), folder.path().join("after.tar"));
    let mut file = File::create(&text).map_err(ScriptRunnerError::Temporary)?;
    file.write_all(script.text).map_err(ScriptRunnerError::Temporary)?;
    os::make_executable_by_all(&file).map_err(ScriptRunnerError::Temporary)?;
    // Nothing may have a program open for writing that is to be run.
    drop(file);
    let env = environment(script);
    let over = OverFiles { program: &text, command: INSIDE, args: script.args, env: &env, limit: LIMIT };
    let ended = engine.run_over(before, &over, &after).map_err(ScriptRunnerError::Engine)?;
    match ended.code {
        Some(0) => File::open(&after).map_err(ScriptRunnerError::Temporary),
        status => Err(ScriptRunnerError::Script {
            script: script.script,
            package: script.package.to_owned(),
            status: status.unwrap_or(-1),
            source: Complaint::of(&ended.stderr),
        }),
    }
}

/// Puts back what the engine and not the script made or changed.
pub(super) fn without_engines_files(before: &Tree, mut after: Tree) -> Result<Tree, TreeError> {
    for path in &OF_ENGINES {
        match before.get(path) {
            Some(node) if after.get(path) != Some(node) => _ = after.insert(path.clone(), node.clone())?,
            Some(_) => {}
            None => _ = after.remove_all(path),
        }
    }
    Ok(after)
}
