//! What the machine itself has.

use plywood_core::platform::Platform;

use super::Diagnosis;
use crate::engine::{Engine, EngineError};
use crate::os;
use crate::workspace::Workspace;

/// Downloads, segments and layers of one development image take about this much, in bytes.
const ROOM_FOR_A_BUILD: u64 = 2_000_000_000;

/// What user namespaces with all users of an image need (subuid(5) hands out this many by default).
const ENOUGH_IDS: u64 = 65536;

pub(super) fn cache(workspace: &Workspace) -> Diagnosis {
    const ID: &str = "cache";
    let path = workspace.cache();
    match os::free_space(path) {
        Ok(free) if free < ROOM_FOR_A_BUILD => {
            let message = format!("{path} has {} MB left", free / 1_000_000);
            Diagnosis::broken(
                ID,
                message,
                "run `plywood cache prune --unused-for 30`, or name another folder with `--cache-dir`",
            )
        }
        Ok(free) => Diagnosis::good(ID, format!("{path} has {} GB left", free / 1_000_000_000)),
        Err(error) => Diagnosis::broken(
            ID,
            format!("{path} cannot be looked at: {error}"),
            "name another folder with `--cache-dir`",
        ),
    }
}

pub(super) fn engine() -> Diagnosis {
    const ID: &str = "engine";
    let answer = Engine::find(None).and_then(|engine| {
        let version = engine.version()?;
        Ok(format!("{} {version} works", engine.kind()))
    });
    match answer {
        Ok(message) => Diagnosis::good(ID, message),
        Err(error) => {
            let fix = error.hint().unwrap_or_else(|| "`podman info` says more".to_owned());
            Diagnosis::lacking(ID, with_cause(&error), fix)
        }
    }
}

/// The error and its cause in one line.
fn with_cause(error: &EngineError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {}", cause.to_string().replace('\n', "; ")),
        None => error.to_string(),
    }
}

pub(super) fn namespaces() -> Diagnosis {
    const ID: &str = "user-namespaces";
    match os::user_namespaces() {
        Ok(()) => Diagnosis::good(ID, "this user may make user namespaces"),
        Err(why) => Diagnosis::lacking(
            ID,
            format!("this user may not make user namespaces: {why}"),
            "only packages with `scripts` and rootless podman need them; as root: `sysctl -w kernel.unprivileged_userns_clone=1 \
             user.max_user_namespaces=15000 kernel.apparmor_restrict_unprivileged_userns=0`, as far as your kernel has them",
        ),
    }
}

pub(super) fn subordinate_ids() -> Diagnosis {
    const ID: &str = "subordinate-ids";
    if os::effective_uid() == 0 {
        return Diagnosis::good(ID, "root needs none");
    }
    let ids = os::subordinate_ids();
    let (uids, gids) = ids.counts;
    if !ids.helpers {
        return Diagnosis::lacking(ID, "newuidmap or newgidmap is not on PATH", "`apt-get install uidmap`");
    }
    if uids.min(gids) < ENOUGH_IDS {
        return Diagnosis::lacking(
            ID,
            format!("this user has {uids} subordinate uids and {gids} gids, fewer than {ENOUGH_IDS}"),
            "`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`",
        );
    }
    Diagnosis::good(ID, format!("this user has {uids} subordinate uids and {gids} gids"))
}

pub(super) fn other_platform() -> Diagnosis {
    const ID: &str = "other-platforms";
    match Platform::ALL.into_iter().find(|platform| !os::runs(*platform)) {
        None => Diagnosis::good(ID, "images of every platform can be run"),
        Some(platform) => Diagnosis::lacking(
            ID,
            format!("images for {platform} can be built here, not run"),
            "`apt-get install qemu-user-static binfmt-support`",
        ),
    }
}
