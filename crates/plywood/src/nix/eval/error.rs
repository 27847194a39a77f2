//! Why Nix cannot say what sets and shells are.

use std::io;
use std::process::ExitStatus;

use camino::Utf8PathBuf;
use plywood_core::nix::{DerivationError, StorePath};
use plywood_core::platform::Platform;

use super::version::NixVersion;
use crate::engine::EngineError;

/// Why Nix cannot say what sets and shells are.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The workspace has no flake.
    #[error("no flake.nix in {folder}")]
    NoFlake {
        /// Where it should be.
        folder: Utf8PathBuf,
    },
    /// There is no Nix here.
    #[error("cannot find Nix on this machine")]
    NoNix,
    /// A container was asked for or is all there is, and no image of the workspace has Nix.
    #[error("no image of the workspace has Nix, to run it in a container")]
    NoImage,
    /// The Nix that is here is too old.
    #[error("Nix {found} is too old: {}", match needed_by_nixpkgs { true => format!("this nixpkgs needs {needed}"), false => format!("plywood needs {needed}") })]
    TooOld {
        /// Its version.
        found: NixVersion,
        /// The oldest that would do.
        needed: NixVersion,
        /// Whether it is nixpkgs that needs it, not plywood.
        needed_by_nixpkgs: bool,
    },
    /// A container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The flake's files cannot be copied for Nix.
    #[error("cannot copy {path} for Nix")]
    Copy {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot run {program}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// `flake.lock` lacks an input that cannot be had.
    #[error("cannot lock the inputs of the flake")]
    Inputs(#[source] Box<EvalError>),
    /// An input is to be overridden that the flake does not have, which Nix says and lets pass.
    #[error("the flake has no input `{input}` for another to stand in for")]
    NoInput {
        /// The input as asked for.
        input: String,
    },
    /// Nix cannot build what a set or shell names.
    #[error("cannot get what the sets and shells name")]
    Realise(#[source] Box<EvalError>),
    /// Nix failed.
    #[error("{operation} failed ({status})")]
    Failed {
        /// The command, shortened.
        operation: String,
        /// How it ended.
        status: ExitStatus,
        /// What it says.
        source: NixComplaint,
    },
    /// A set or shell cannot be evaluated.
    #[error("cannot evaluate the {subject} for {platform}")]
    Subject {
        /// Such as "set `python`".
        subject: String,
        /// For which platform.
        platform: Platform,
        /// What Nix says.
        source: Box<EvalError>,
    },
    /// What a set or shell names is not there.
    #[error("{place}: the {subject} names `{attribute}`, but {} has no {} `{missing}`", lacking(.attribute, *.input), if *.input { "input" } else { "attribute" })]
    Missing {
        /// Where in the manifest.
        place: String,
        /// Such as "set `python`".
        subject: String,
        /// As the manifest says.
        attribute: String,
        /// The part that is not there.
        missing: String,
        /// What it was most likely meant to be, as it would stand in the manifest.
        suggestion: Option<String>,
        /// Whether the input is missing, not an attribute in it.
        input: bool,
    },
    /// What a set or shell names is no package.
    #[error("{place}: `{attribute}` of the {subject} is no package but a {kind}")]
    NoPackage {
        /// Where in the manifest.
        place: String,
        /// Such as "set `python`".
        subject: String,
        /// As the manifest says.
        attribute: String,
        /// What it is to Nix.
        kind: String,
    },
    /// Evaluation refuses a package: it is unfree, broken, insecure, or not for the platform.
    #[error("{place}: `{attribute}` of the {subject} cannot be evaluated for {platform}")]
    Refused {
        /// Where in the manifest.
        place: String,
        /// Such as "set `python`".
        subject: String,
        /// As the manifest says.
        attribute: String,
        /// For which platform.
        platform: Platform,
        /// What Nix says.
        source: Box<EvalError>,
    },
    /// What the flake says is not what plywood asks for.
    #[error("the flake's `lib.plywood` is not what this plywood reads")]
    Values(#[source] serde_json::Error),
    /// A derivation cannot be read.
    #[error("cannot read the derivation {path}")]
    Derivation {
        /// Which.
        path: StorePath,
        /// Why.
        source: DerivationError,
    },
    /// A derivation or output that Nix has just made is not in its store.
    #[error("{path} is not in Nix's store")]
    Gone {
        /// Which.
        path: StorePath,
    },
    /// No substituter of Nix has a path that is for another platform, and so is not built here.
    #[error("no substituter has {path}")]
    NotSubstitutable {
        /// Which.
        path: StorePath,
        /// What Nix says.
        source: Box<EvalError>,
    },
    /// An output whose path nobody knows before it is built.
    #[error("the output `{output}` of {path} has no path before it is built: not supported")]
    Floating {
        /// The derivation.
        path: StorePath,
        /// The output.
        output: String,
    },
    /// Evaluation gives no derivations for a shell.
    #[error("the shell `{shell}` cannot be evaluated")]
    Shell {
        /// The shell.
        shell: String,
    },
    /// A store path cannot be read.
    #[error("cannot read {path} in Nix's store")]
    Read {
        /// Which.
        path: StorePath,
        /// Why.
        source: io::Error,
    },
    /// A shell's exported environment cannot be read.
    #[error("cannot read the exported environment of the shell `{shell}`")]
    Environment {
        /// The shell.
        shell: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// What has no such attribute or input.
fn lacking(attribute: &str, input: bool) -> String {
    match attribute.split_once('#') {
        _ if input => "the flake".to_owned(),
        Some((input, _)) => format!("the input `{input}`"),
        None => "nixpkgs".to_owned(),
    }
}

/// What Nix says when it fails: from its `error:` on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NixComplaint(String);

impl NixComplaint {
    /// As many lines are kept.
    const LINES: usize = 24;

    /// The last error in what Nix printed, without the advice to ask for more.
    pub(super) fn of(stderr: &str) -> Self {
        // Later versions indent the error itself below how they came to it.
        let lines: Vec<&str> = stderr.lines().collect();
        let last = lines.iter().rposition(|line| line.trim_start().starts_with("error:"));
        let text = last.and_then(|last| lines.get(last..)).unwrap_or(&lines).join("\n");
        let text = text.trim_start();
        let text = text.strip_prefix("error:").unwrap_or(text);
        let kept = text.lines().filter(|line| !line.contains("--show-trace")).map(str::trim_end);
        let kept: Vec<&str> = kept.take(Self::LINES).collect();
        let text = kept.join("\n").trim().to_owned();
        Self(if text.is_empty() { "it does not say why".to_owned() } else { text })
    }

    /// Whether it says this somewhere.
    pub(super) fn says(&self, words: &str) -> bool {
        self.0.contains(words)
    }
}

impl EvalError {
    /// Whether Nix says this.
    fn says(&self, words: &str) -> bool {
        matches!(self, Self::Failed { source, .. } if source.says(words))
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFlake { .. } => Some("write a flake there, or name its folder: [nix] with flake = \"…\"".to_owned()),
            Self::Start { program, .. } if program == "git" => {
                Some("install git, or have flake.nix beside plywood.toml".to_owned())
            }
            Self::NoNix => Some("install Nix 2.8 or later, or podman or Docker for `--nix container`".to_owned()),
            Self::NoImage => Some("add the package \"nix-bin\" to an image, or install Nix".to_owned()),
            Self::TooOld { .. } => Some("update Nix, or try `plywood lock --nix container`".to_owned()),
            Self::Engine(error) => error.hint(),
            Self::Missing { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::Missing { input: true, .. } => Some("add the input to flake.nix".to_owned()),
            Self::NoPackage { .. } => Some("name a package in it, with a dot".to_owned()),
            Self::Refused { .. } => Some("allow it by name in the `config` of flake.nix, or take another package".to_owned()),
            Self::Subject { source, .. } => source.hint(),
            Self::NotSubstitutable { .. } => Some("lock on a machine of that platform, or `plywood cache push` there".to_owned()),
            Self::NoInput { .. } => Some("`inputs` of flake.nix says which there are".to_owned()),
            Self::Realise(_) => Some("`plywood lock --verbose` shows what its builder says".to_owned()),
            Self::Values(_) => Some("use the nix/plywood.nix that comes with this plywood in flake.nix".to_owned()),
            Self::Failed { source, .. } if source.says("attribute 'lib") || source.says("does not provide attribute") => {
                Some("flake.nix must give what nix/plywood.nix gives: `outputs = inputs: import ./nix/plywood.nix { … }`".to_owned())
            }
            Self::Inputs(source) if source.says("syntax error") => None,
            Self::Inputs(source) if source.says("/nix/var") => {
                Some("this user cannot use the machine's store: try `plywood lock --nix container`".to_owned())
            }
            Self::Inputs(_) => {
                Some("images without anything of Nix are locked by `plywood lock --only images.NAME`".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_what_counts() {
        let check = |stderr: &str, expect: &str| assert_eq!(NixComplaint::of(stderr).to_string(), expect, "{stderr}");
        check(
            "warning: x\nerror: first\n       at /x\nerror: second\n\n       more\n(use '--show-trace' to show)\n",
            "second\n\n       more",
        );
        check("error: only", "only");
        check("error:\n       … while evaluating\n\n       error: inner\n       at /x\n", "inner\n       at /x");
        check("killed", "killed");
        check("", "it does not say why");
    }
}
