//! `plywood doctor`: what this machine has and lacks, each with a fix.

mod archive;
mod machine;

use serde::Serialize;

use crate::Error;
use crate::events::{Events, Task, Unit};
use crate::workspace::Workspace;

/// What this machine has and lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// One entry for each thing looked at.
    pub findings: Vec<Diagnosis>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// How it is.
    pub state: State,
    /// What was found, one sentence without a period.
    pub message: String,
    /// What to do about it, one sentence without a period.
    pub fix: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Good,
    /// Not there; some commands will not work, building will.
    Lacking,
    /// Building will not work.
    Broken,
}

impl DoctorReport {
    /// Whether building works here, as far as one can tell.
    pub fn can_build(&self) -> bool {
        self.findings.iter().all(|finding| finding.state != State::Broken)
    }
}

impl Diagnosis {
    fn good(id: &'static str, message: impl Into<String>) -> Self {
        Self { id, state: State::Good, message: message.into(), fix: None }
    }

    fn lacking(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, state: State::Lacking, message: message.into(), fix: Some(fix.into()) }
    }

    fn broken(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, state: State::Broken, message: message.into(), fix: Some(fix.into()) }
    }
}

/// Looks at everything; that something is missing is in the report.
///
/// # Errors
/// When there is a manifest and it cannot be read.
pub fn doctor(workspace: &Workspace, events: &dyn Events) -> Result<DoctorReport, Error> {
    let manifest = match workspace.manifest() {
        Err(Error::NoManifest { .. }) => None,
        other => Some(other?),
    };
    let task = Task::start(events, "Looking around", None, Unit::Items);
    let mut findings = vec![machine::cache(workspace)];
    findings.extend(archive::mirrors(manifest.as_ref(), workspace)?);
    findings.extend([machine::engine(), machine::namespaces(), machine::subordinate_ids(), machine::other_platform()]);
    drop(task);
    Ok(DoctorReport { findings })
}
