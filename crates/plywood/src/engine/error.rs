//! What can go wrong with an engine.

use std::fmt;
use std::io;
use std::time::Duration;

use super::EngineKind;
use crate::build::Output;

/// What can go wrong with an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It is not installed.
    #[error("{}", missing(*wanted))]
    Missing {
        /// The one that was asked for; any would do when `None`.
        wanted: Option<EngineKind>,
    },
    /// Its program could not be run.
    #[error("cannot run {engine} to {operation}")]
    Start {
        /// Which engine.
        engine: EngineKind,
        /// What for.
        operation: String,
        /// Why.
        source: io::Error,
    },
    /// It refused.
    #[error("{engine} cannot {operation}")]
    Failed {
        /// Which engine.
        engine: EngineKind,
        /// What it was to do.
        operation: String,
        /// What it said.
        source: Complaint,
    },
    /// It took too long.
    #[error("{engine} took longer than {} s to {operation}", limit.as_secs())]
    TimedOut {
        /// Which engine.
        engine: EngineKind,
        /// What it was to do.
        operation: String,
        /// How long it was given.
        limit: Duration,
    },
    /// The output cannot be handed to it.
    #[error("cannot make a temporary place for the output")]
    Stage {
        /// Why.
        source: std::io::Error,
    },
    /// What it loaded is another image than the one that was built.
    #[error("{engine} loaded another image than {expected} for {reference}")]
    OtherImage {
        /// Which engine.
        engine: EngineKind,
        /// The image's name.
        reference: String,
        /// The id it should have.
        expected: String,
    },
    /// Docker reads archives of its own kind only.
    #[error("docker cannot load images from {output}")]
    NeedsDockerArchive {
        /// Where the images are.
        output: Output,
    },
    /// Names in an engine stand for one platform.
    #[error("{engine} takes an image for one platform at a time, not for {count}")]
    SeveralPlatforms {
        /// Which engine.
        engine: EngineKind,
        /// How many were asked for.
        count: usize,
    },
}

fn missing(wanted: Option<EngineKind>) -> String {
    match wanted {
        Some(kind) => format!("{kind} is not on PATH"),
        None => "neither podman nor docker is on PATH".to_owned(),
    }
}

impl EngineError {
    /// What to do about it, as one sentence without a period.
    pub fn hint(&self) -> Option<String> {
        match self {
            EngineError::Missing { wanted: Some(EngineKind::Docker) } => {
                Some("install Docker, or use podman: `apt-get install podman`".to_owned())
            }
            EngineError::Missing { .. } => {
                Some("images build without one; to run them: `apt-get install podman`".to_owned())
            }
            EngineError::Failed { engine, source, .. } => source.hint(*engine),
            EngineError::SeveralPlatforms { .. } => Some("name the one to load with `--platform`".to_owned()),
            EngineError::NeedsDockerArchive { .. } => Some("write them with `--output docker-archive:FILE`".to_owned()),
            EngineError::Stage { .. } => None,
            EngineError::Start { .. } | EngineError::TimedOut { .. } | EngineError::OtherImage { .. } => {
                Some("`plywood doctor` says whether the engine works".to_owned())
            }
        }
    }
}

/// The last words of a program that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint(String);

impl Complaint {
    /// More lines than this say nothing new.
    const MAX_LINES: usize = 8;

    /// What is worth repeating of a program's standard error.
    pub fn of(stderr: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stderr);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(Self::MAX_LINES)..];
        Self(if last.is_empty() { "it does not say why".to_owned() } else { last.join("\n") })
    }

    fn hint(&self, engine: EngineKind) -> Option<String> {
        let says = |words: &str| self.0.to_lowercase().contains(words);
        if says("exec format error") {
            return Some("this machine cannot run that platform: `apt-get install qemu-user-static`".to_owned());
        }
        if says("docker daemon") || says("docker.sock") {
            return Some("start Docker, or use podman, which needs no daemon".to_owned());
        }
        if says("subuid") || says("newuidmap") || says("insufficient uids") {
            return Some(
                "rootless podman needs subordinate ids; `plywood doctor` says how to give you some".to_owned(),
            );
        }
        if says("no space left") {
            return Some(format!("free some space, such as with `{engine} image prune`"));
        }
        None
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Complaint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_keep_the_end() {
        let check = |stderr: &str, expect: &str| assert_eq!(Complaint::of(stderr.as_bytes()).to_string(), expect);
        check("", "it does not say why");
        check("Error: no\n\n", "Error: no");
        let long: String = (0..20).map(|line| format!("{line}\n")).collect();
        check(&long, "12\n13\n14\n15\n16\n17\n18\n19");
    }

    #[test]
    fn known_complaints_have_a_hint() {
        for words in
            ["exec /bin/sh: exec format error", "Cannot connect to the Docker daemon", "no subuid ranges found"]
        {
            assert!(Complaint(words.to_owned()).hint(EngineKind::Podman).is_some(), "{words}");
        }
    }
}
