//! What a test needs from the machine: without it the test is skipped by name, never silently.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Set (to anything) where every test must run: a missing need then fails the test instead of skipping it.
pub const REQUIRE_ALL: &str = "PLYWOOD_TEST_REQUIRE_ALL";

/// Whether every one of `tools` is on `PATH`; says what is missing otherwise.
///
/// ```
/// # use plywood_testkit::require::require;
/// if !require(&["dpkg-deb"]) {
///     return;
/// }
/// ```
///
/// # Panics
/// When a tool is missing and [`REQUIRE_ALL`] is set.
pub fn require(tools: &[&str]) -> bool {
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| find_tool(tool).is_none()).collect();
    missing.is_empty() || skip(&format!("needs {}", missing.join(", ")))
}

/// Whether the test runs as root; says that it must otherwise.
///
/// # Panics
/// When it does not and [`REQUIRE_ALL`] is set.
pub fn require_root() -> bool {
    effective_uid() == Some(0) || skip("needs root")
}

/// Whether the test runs as an ordinary user, as tests of permissions must; says so otherwise.
///
/// Root is nothing that could be installed or made up for, so [`REQUIRE_ALL`] does not fail such a test.
pub fn require_unprivileged() -> bool {
    let unprivileged = effective_uid().is_some_and(|uid| uid != 0);
    if !unprivileged {
        say_skipped("runs only as an ordinary user");
    }
    unprivileged
}

/// The Debian mirror that this machine's apt uses, such as `http://mirror/debian` without a trailing slash.
///
/// # Panics
/// When there is none and [`REQUIRE_ALL`] is set.
pub fn require_mirror() -> Option<String> {
    let mirror = machine_mirror();
    if mirror.is_none() {
        skip("needs a Debian mirror in apt's sources");
    }
    mirror
}

/// Reports that the running test is skipped and why; always `false`, so that it ends a condition.
///
/// # Panics
/// When [`REQUIRE_ALL`] is set.
pub fn skip(reason: &str) -> bool {
    let test = test_name();
    assert!(std::env::var_os(REQUIRE_ALL).is_none(), "{test} {reason}, and {REQUIRE_ALL} is set");
    say_skipped(reason);
    false
}

#[expect(clippy::print_stderr, reason = "the only way a test can tell a person that it did not run")]
fn say_skipped(reason: &str) {
    eprintln!("skipped: {}: {reason}", test_name());
}

/// libtest names each test's thread after the test.
fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// The absolute path of a tool on `PATH`; administrators' folders count too, as users' paths often lack them.
pub fn find_tool(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(tool))
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

fn effective_uid() -> Option<u32> {
    stdout_of("id", &["-u"])?.trim().parse().ok()
}

/// Asks apt itself, so that every format of its sources is understood.
fn machine_mirror() -> Option<String> {
    let targets = stdout_of(
        "apt-get",
        &["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
    )?;
    targets.lines().find_map(|line| {
        let (url, release_and_component) = line.split_once(' ')?;
        let (release, component) = release_and_component.split_once(' ')?;
        let debian = ["bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable"].contains(&release);
        (debian && component == "main").then(|| url.trim_end_matches('/').to_owned())
    })
}

fn stdout_of(tool: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(find_tool(tool)?).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_on_the_path() {
        assert!(require(&["sh"]));
        assert_eq!(find_tool("no-such-tool-as-this"), None);
    }
}
