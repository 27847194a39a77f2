//! The namespaces a script runs in, made by unshare(1), with newuidmap(1) for users other than root.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};

use plywood_core::debian::configure::ScriptRun;

use super::ScriptRunnerError;
use crate::engine::Complaint;
use crate::os;

/// Runs inside the namespaces, as their root, with an empty folder as its first argument and the script's file as its
/// second; what follows are the script's arguments. The image's files come on standard input, and go to descriptor 3.
///
/// The statuses 200 and 201 are its own: what to prepare failed, what to read back failed.
const INSIDE: &str = r#"
set -e
trap 'exit 200' EXIT
root=$1 script=$2
shift 2
mount -t tmpfs -o mode=0755 plywood "$root"
mkdir "$root/image"
cd "$root/image"
tar --extract --numeric-owner --preserve-permissions --file=- --warning=no-timestamp
mkdir -p dev proc sys run tmp var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers
test -e var/lib/dpkg/status || : > var/lib/dpkg/status
mount -t tmpfs -o mode=0755 plywood dev
for device in null zero full random urandom tty; do
    : > dev/$device
    mount --bind /dev/$device dev/$device
done
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount -t tmpfs -o mode=0755 plywood run
mount -t tmpfs -o mode=1777 plywood tmp
cp "$script" tmp/plywood-script
chmod 0755 tmp/plywood-script
status=0
chroot . /tmp/plywood-script "$@" 1>&2 3>&- </dev/null || status=$?
trap 'exit 201' EXIT
umount -R dev proc run tmp
tar --create --numeric-owner --format=gnu --one-file-system --sparse-version=0.0 --file=- . >&3
trap - EXIT
exit $status
"#;

/// What [`INSIDE`] ends with when the namespaces could not be prepared.
const NOT_PREPARED: i32 = 200;
/// What [`INSIDE`] ends with when the files could not be read back.
const NOT_READ_BACK: i32 = 201;

/// Runs the script over the files in `before`; gives them as it left them.
pub(super) fn run(before: File, script: &ScriptRun<'_>) -> Result<File, ScriptRunnerError> {
    let folder = tempfile::tempdir().map_err(ScriptRunnerError::Temporary)?;
    let root = folder.path().join("root");
    std::fs::create_dir(&root).map_err(ScriptRunnerError::Temporary)?;
    let mut text = tempfile::NamedTempFile::new_in(folder.path()).map_err(ScriptRunnerError::Temporary)?;
    text.write_all(script.text).and_then(|()| text.flush()).map_err(ScriptRunnerError::Temporary)?;
    let mut after = tempfile::tempfile().map_err(ScriptRunnerError::Temporary)?;

    let mut command = unshare();
    // The shell gives descriptor 3 to the files and keeps standard output for what the script says.
    command.args(["sh", "-c", "exec 3>&1 1>&2; exec sh -c \"$0\" sh \"$@\"", INSIDE]).arg(&root).arg(text.path());
    command.args(script.args).env_clear().envs(environment(script));
    let output = after.try_clone().map_err(ScriptRunnerError::Temporary)?;
    command.stdin(Stdio::from(before)).stdout(Stdio::from(output)).stderr(Stdio::piped());
    let ended = command.output().map_err(ScriptRunnerError::Start)?;
    let said = Complaint::of(&ended.stderr);
    match ended.status.code() {
        Some(0) => {}
        Some(NOT_PREPARED | NOT_READ_BACK) | None => return Err(ScriptRunnerError::Namespace(said)),
        // unshare(1) itself ends with 1 and its own name when it is refused.
        Some(1) if ended.stderr.starts_with(b"unshare:") => return Err(ScriptRunnerError::Namespace(said)),
        Some(status) => {
            let (package, script) = (script.package.to_owned(), script.script);
            return Err(ScriptRunnerError::Script { script, package, status, source: said });
        }
    }
    after.seek(SeekFrom::Start(0)).map_err(ScriptRunnerError::Temporary)?;
    Ok(after)
}

/// Where the programs of an image are, and those of this machine that prepare the namespaces.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of a script: what it is given, and what holds for each.
pub(super) fn environment(script: &ScriptRun<'_>) -> Vec<(String, String)> {
    let fixed = [
        ("PATH", PATH),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("LC_ALL", "C.UTF-8"),
        ("HOME", "/root"),
        ("DPKG_MAINTSCRIPT_PACKAGE", script.package),
        ("DPKG_MAINTSCRIPT_NAME", script.script),
    ];
    let given = script.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    given.chain(fixed.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// New namespaces for everything a script could reach; for users other than root a user namespace too, in which all of
/// the image's users have an id.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]);
    if os::effective_uid() != 0 {
        command.args(["--user", "--map-root-user", "--map-auto"]);
    }
    command
}
