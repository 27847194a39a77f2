//! Running Nix, here or in a container.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use plywood_core::manifest::Manifest;
use plywood_core::nix::StorePath;

use super::container::Container;
use super::error::NixComplaint;
use super::snapshot::{self, Snapshot};
use super::version::NixVersion;
use super::{EvalError, NixChoice};
use crate::Error;
use crate::events::{Event, Events};
use crate::nix::LocalStore;
use crate::workspace::Workspace;

/// The longest answer that is read, in bytes: nixpkgs with every package of a large set is far below.
const MAX_ANSWER: u64 = 64 << 20;
/// How many lines of what Nix says are kept for its error.
const KEPT_LINES: usize = 400;

/// A Nix that can be run.
pub(super) struct Nix<'e> {
    place: Place,
    options: Vec<String>,
    flake: String,
    pub(super) events: &'e dyn Events,
}

impl std::fmt::Debug for Nix<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nix").field("place", &self.place).field("options", &self.options).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Place {
    Host { store: Option<LocalStore> },
    Container(Container),
}

impl<'e> Nix<'e> {
    /// The Nix that is asked for; with [`NixChoice::Auto`] this machine's if it is new enough.
    pub(super) fn find(
        choice: NixChoice,
        manifest: &Manifest,
        workspace: &Workspace,
        snapshot: &Snapshot,
        events: &'e dyn Events,
    ) -> Result<Self, Error> {
        let here = (choice != NixChoice::Container).then(host_version);
        let place = match (here, choice) {
            (Some(Ok(_)), _) => Place::Host { store: LocalStore::from_environment() },
            (Some(Err(error)), NixChoice::Host) => return Err(error.into()),
            (Some(Err(error)), _) => match Container::prepare(manifest, workspace, snapshot, events) {
                // What this machine lacks says more than that there is no engine either.
                Err(Error::Engine(_)) => return Err(error.into()),
                container => Place::Container(container?),
            },
            (None, _) => Place::Container(Container::prepare(manifest, workspace, snapshot, events)?),
        };
        let folder = match &place {
            Place::Host { .. } => snapshot.folder(),
            Place::Container(_) => Utf8Path::new(Container::WORKSPACE),
        };
        let flake = snapshot::reference(folder, snapshot.flake_path());
        let mut options = vec!["--option".to_owned(), "accept-flake-config".to_owned(), "false".to_owned()];
        if matches!(place, Place::Container(_)) || builds_as_oneself() {
            options.extend(["--option", "build-users-group", "", "--option", "sandbox", "false"].map(str::to_owned));
        }
        options.extend(substituters(manifest, workspace));
        Ok(Self { place, options, flake, events })
    }

    /// The flake, as Nix sees it.
    pub(super) fn flake(&self) -> String {
        self.flake.clone()
    }

    /// Runs `nix` or `nix-store`, which `arguments` begin with, and gives what it prints.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, EvalError> {
        self.run_as(&arguments.iter().take(3).copied().collect::<Vec<_>>().join(" "), arguments)
    }

    /// The same, with what errors call it.
    pub(super) fn run_as(&self, operation: &str, arguments: &[&str]) -> Result<Vec<u8>, EvalError> {
        let (program, arguments) = arguments.split_first().unwrap_or((&"nix", &[]));
        let mut words: Vec<OsString> = vec![(*program).into()];
        if *program == "nix" {
            words.extend(["--extra-experimental-features", "nix-command flakes"].map(OsString::from));
            words.extend(["--option", "use-registries", "false"].map(OsString::from));
        }
        // The command goes before options in some versions and after them in all.
        words.extend(self.options.iter().map(OsString::from));
        words.extend(arguments.iter().map(OsString::from));
        let mut command = match &self.place {
            Place::Host { .. } => {
                let mut command = Command::new(program);
                command.args(words.iter().skip(1)).env_remove("NIX_PATH");
                for variable in snapshot::GIT_PLACES {
                    command.env_remove(variable);
                }
                command
            }
            Place::Container(container) => container.command(&words),
        };
        run(&mut command, operation, self.events)
    }

    /// The file at a path in the store of this Nix; `None` when it is not there.
    pub(super) fn read(&self, path: &StorePath, limit: u64) -> Result<Option<Vec<u8>>, EvalError> {
        let failed = |source| EvalError::Read { path: path.clone(), source };
        let mut bytes = Vec::new();
        match File::open(self.real_path(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(file) => file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?,
        };
        if bytes.len() as u64 > limit {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {limit} bytes"))));
        }
        Ok(Some(bytes))
    }

    fn real_path(&self, path: &StorePath) -> Utf8PathBuf {
        match &self.place {
            Place::Host { store: Some(store) } => store.real_path(path),
            Place::Host { store: None } => path.absolute().into(),
            Place::Container(container) => container.store().real_path(path),
        }
    }
}

/// The version of this machine's Nix.
fn host_version() -> Result<NixVersion, EvalError> {
    let printed = match Command::new("nix").arg("--version").stdin(Stdio::null()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(EvalError::NoNix),
        Err(source) => return Err(EvalError::Start { program: "nix".to_owned(), source }),
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
    };
    let found = NixVersion::of_program(&printed).ok_or(EvalError::NoNix)?;
    match found < NixVersion::OLDEST {
        true => Err(EvalError::TooOld { found, needed: NixVersion::OLDEST, needed_by_nixpkgs: false }),
        false => Ok(found),
    }
}

/// Whether Nix builds as root itself here: a container that has Nix and no group of build users.
fn builds_as_oneself() -> bool {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    crate::os::effective_uid() == 0 && !groups.lines().any(|line| line.starts_with("nixbld:"))
}

/// Nix asks those that plywood asks, where manifest or environment say which.
fn substituters(manifest: &Manifest, workspace: &Workspace) -> Vec<String> {
    let Some((urls, keys)) = crate::nix::config::named(manifest, workspace) else { return Vec::new() };
    if urls.is_empty() {
        return ["--option", "substitute", "false"].map(str::to_owned).to_vec();
    }
    let option = |name: &str, values: Vec<String>| ["--option".to_owned(), name.to_owned(), values.join(" ")];
    [option("substituters", urls), option("trusted-public-keys", keys)].concat()
}

/// Runs a program to its end; what it says meanwhile is told as it comes.
fn run(command: &mut Command, operation: &str, events: &dyn Events) -> Result<Vec<u8>, EvalError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source| EvalError::Start { program: program.clone(), source };
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (answer, said) = thread::scope(|scope| {
        let listening = scope.spawn(|| stderr.map(|pipe| listen(pipe, events)).unwrap_or_default());
        let mut answer = Vec::new();
        let read = stdout.map_or(Ok(0), |pipe| pipe.take(MAX_ANSWER + 1).read_to_end(&mut answer));
        if answer.len() as u64 > MAX_ANSWER {
            // Nobody reads on: the program ends by the closed pipe.
            answer.clear();
        }
        (read.map(|_| answer), listening.join().unwrap_or_default())
    });
    let status = child.wait().map_err(failed)?;
    if let Some(input) = unknown_input(&said) {
        return Err(EvalError::NoInput { input });
    }
    match status.success() {
        true => answer.map_err(failed),
        false => {
            let operation = operation.to_owned();
            Err(EvalError::Failed { operation, status, source: NixComplaint::of(&said) })
        }
    }
}

/// The input that Nix was to override and that the flake does not have (Nix, `src/libexpr/flake/flake.cc`, `lockFlake`).
fn unknown_input(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("' does not match any input"))?;
    let flag = line.split_once("'--override-input ")?.1;
    Some(flag.split(' ').next().unwrap_or_default().to_owned())
}

/// Tells what Nix says line by line, and keeps the end of it.
fn listen(pipe: impl io::Read, events: &dyn Events) -> String {
    let mut kept: VecDeque<String> = VecDeque::new();
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.by_ref().take(64 << 10).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        events.emit(Event::Detail(format!("nix: {text}")));
        kept.push_back(text);
        if kept.len() > KEPT_LINES {
            kept.pop_front();
        }
        line.clear();
    }
    kept.into_iter().collect::<Vec<_>>().join("\n")
}
