//! Why an image's packages could not be configured.

use bstr::BString;

use crate::debian::dpkg::MergeError;
use crate::shell::ShellError;
use crate::tree::TreeError;

/// One maintainer script that could not be evaluated, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The evaluator cannot do what the script asks for.
    #[error("{package}: cannot evaluate its {script}")]
    Unknown {
        /// The package's name.
        package: String,
        /// `preinst`, `postinst` or `config`.
        script: &'static str,
        /// What cannot be done, with its line.
        #[source]
        source: ShellError,
    },
    /// The script is written in a language that is not evaluated.
    #[error("{package}: its {script} is a program for {interpreter}")]
    Interpreter {
        /// The package's name.
        package: String,
        /// `preinst`, `postinst` or `config`.
        script: &'static str,
        /// The interpreter as the first line names it.
        interpreter: BString,
    },
    /// The script was evaluated and failed.
    #[error("{package}: its {script} failed with status {status}: {}", last_line(.stderr))]
    Failed {
        /// The package's name.
        package: String,
        /// `preinst`, `postinst` or `config`.
        script: &'static str,
        /// Its exit status.
        status: u8,
        /// What it said.
        stderr: BString,
    },
    /// An allowed script was run and failed.
    #[error("{package}: running its {script} failed")]
    Run {
        /// The package's name.
        package: String,
        /// `preinst`, `postinst` or `config`.
        script: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ScriptError {
    /// The package whose script it is.
    pub fn package(&self) -> &str {
        match self {
            ScriptError::Unknown { package, .. }
            | ScriptError::Interpreter { package, .. }
            | ScriptError::Failed { package, .. }
            | ScriptError::Run { package, .. } => package,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let package = self.package();
        match self {
            ScriptError::Run { .. } => None,
            _ => Some(format!("let them run with `scripts = {{ {} = \"run\" }}` in the image", toml_key(package))),
        }
    }
}

/// Why an image's packages could not be configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// Scripts could not be evaluated: all of them, so that one look tells what to allow.
    #[error("{} maintainer {} cannot be replayed: {}", .0.len(), if .0.len() == 1 { "script" } else { "scripts" }, list(.0))]
    Scripts(Vec<ScriptError>),
    /// A package could not be unpacked over the others.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The tree could not be read or changed.
    #[error("cannot change the image's file system")]
    Tree(#[from] TreeError),
}

impl ConfigureError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigureError::Scripts(errors) => {
                let refused = errors.iter().filter(|error| error.hint().is_some());
                let entries: std::collections::BTreeSet<String> =
                    refused.map(|error| format!("{} = \"run\"", toml_key(error.package()))).collect();
                let entries: Vec<String> = entries.into_iter().collect();
                (!entries.is_empty()).then(|| {
                    format!(
                        "let them run with `scripts = {{ {} }}` in the image, or leave them out with \"skip\"",
                        entries.join(", ")
                    )
                })
            }
            ConfigureError::Merge(_) | ConfigureError::Tree(_) => None,
        }
    }
}

/// A package's name as a key of TOML: names with `.` or `+` are quoted.
fn toml_key(name: &str) -> String {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { format!("\"{name}\"") }
}

fn list(errors: &[ScriptError]) -> String {
    errors.iter().map(describe).collect::<Vec<_>>().join("; ")
}

fn describe(error: &ScriptError) -> String {
    match error {
        ScriptError::Unknown { source, .. } => format!("{error}: {source}"),
        ScriptError::Run { source, .. } => format!("{error}: {}", causes(&**source)),
        _ => error.to_string(),
    }
}

/// An error with everything below it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn last_line(text: &BString) -> String {
    text.to_string().lines().last().unwrap_or("no message").to_owned()
}
