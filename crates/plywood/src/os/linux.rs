//! Linux.

use std::fs;
use std::process::{Command, Stdio};

use plywood_core::platform::Platform;

/// Subordinate ids of the user (subuid(5)), which user namespaces with more than one user need.
pub(crate) struct SubordinateIds {
    /// How many uids, and how many gids.
    pub(crate) counts: (u64, u64),
    /// Whether the programs that hand them out are there.
    pub(crate) helpers: bool,
}

/// The uid this program acts as.
pub(crate) fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this user may make user namespaces; why not otherwise.
pub(crate) fn user_namespaces() -> Result<(), String> {
    let setting = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let refuses =
        |path: &str, value: &str| (setting(path).as_deref() == Some(value)).then(|| format!("{path} is {value}"));
    let known = refuses("/proc/sys/user/max_user_namespaces", "0")
        .or_else(|| refuses("/proc/sys/kernel/unprivileged_userns_clone", "0"))
        .or_else(|| refuses("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"));
    let mut attempt = Command::new("unshare");
    attempt.args(["--user", "--map-root-user", "true"]);
    match attempt.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(known.unwrap_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(format!("unshare cannot be run: {error}")),
    }
}

/// The subordinate ids of the user who runs this.
pub(crate) fn subordinate_ids() -> SubordinateIds {
    let uid = effective_uid().to_string();
    let name = user_name(&uid);
    let count = |path: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let of_user = text.lines().filter_map(|line| {
            let (owner, range) = line.split_once(':')?;
            (owner == uid || Some(owner) == name.as_deref()).then_some(range)
        });
        of_user.filter_map(|range| range.split_once(':')?.1.trim().parse::<u64>().ok()).sum()
    };
    let helpers = ["newuidmap", "newgidmap"].iter().all(|program| on_path(program));
    SubordinateIds { counts: (count("/etc/subuid"), count("/etc/subgid")), helpers }
}

/// The name of a uid in passwd(5); users of directory services have none there.
fn user_name(uid: &str) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&uid)).and_then(|fields| fields.first().map(|name| (*name).to_owned()))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether the kernel runs programs of this platform: its own, or others through a registered interpreter.
pub(crate) fn runs(platform: Platform) -> bool {
    let interpreter = match platform {
        Platform::LinuxAmd64 => "qemu-x86_64",
        Platform::LinuxArm64 => "qemu-aarch64",
    };
    let entry = format!("/proc/sys/fs/binfmt_misc/{interpreter}");
    platform == super::platform() || fs::read_to_string(entry).is_ok_and(|text| text.starts_with("enabled"))
}
