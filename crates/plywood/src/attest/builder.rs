//! Who builds: the CI that this program runs in, as it tells of itself.

use plywood_core::attest::{Builder, InternalParameters, Materials, Provenance};

/// Names the builder where no CI does, or where another name is wanted.
pub const BUILDER_VARIABLE: &str = "PLYWOOD_BUILDER_ID";

/// Any machine that is no CI.
const LOCAL: &str = "https://plywood.dev/builder/local";

/// Who builds, and the page of the run when there is one.
///
/// A builder is only as believable as whoever holds the key that signs: the variables of a CI are not proof of anything.
fn builder() -> (Builder, Option<String>) {
    from(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// What tells apart programs that may make other bytes.
fn program() -> InternalParameters {
    InternalParameters { plywood: env!("CARGO_PKG_VERSION").to_owned(), program: env!("PLYWOOD_SOURCES").to_owned() }
}

/// The provenance of an image that this run of this program made from these.
pub fn provenance(materials: Materials<'_>) -> Provenance {
    let (builder, run) = builder();
    Provenance::new(materials, program(), builder, run)
}

fn from(variable: &dyn Fn(&str) -> Option<String>) -> (Builder, Option<String>) {
    let (id, run) = github(variable).or_else(|| gitlab(variable)).unwrap_or_else(|| (LOCAL.to_owned(), None));
    (Builder { id: variable(BUILDER_VARIABLE).unwrap_or(id) }, run)
}

/// GitHub Actions ("Default environment variables"): the workflow file at its ref, and the attempt.
fn github(variable: &dyn Fn(&str) -> Option<String>) -> Option<(String, Option<String>)> {
    let server = variable("GITHUB_SERVER_URL")?;
    let id = format!("{server}/{}", variable("GITHUB_WORKFLOW_REF")?);
    let run = || {
        let (repository, run) = (variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
        let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
        Some(format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}"))
    };
    Some((id, run()))
}

/// GitLab CI/CD ("Predefined CI/CD variables"): the runner, and the job, as in GitLab's own provenance.
fn gitlab(variable: &dyn Fn(&str) -> Option<String>) -> Option<(String, Option<String>)> {
    let id = format!("{}/-/runners/{}", variable("CI_PROJECT_URL")?, variable("CI_RUNNER_ID")?);
    Some((id, variable("CI_JOB_URL")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_systems_are_known_by_their_variables() {
        let check = |variables: &[(&str, &str)], id: &str, run: Option<&str>| {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let (builder, found) = from(&variable);
            assert_eq!((builder.id.as_str(), found.as_deref()), (id, run));
        };
        check(&[], LOCAL, None);
        check(&[(BUILDER_VARIABLE, "https://example.com/b")], "https://example.com/b", None);
        check(
            &[
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_WORKFLOW_REF", "o/r/.github/workflows/w.yml@refs/heads/main"),
                ("GITHUB_REPOSITORY", "o/r"),
                ("GITHUB_RUN_ID", "7"),
            ],
            "https://github.com/o/r/.github/workflows/w.yml@refs/heads/main",
            Some("https://github.com/o/r/actions/runs/7/attempts/1"),
        );
        check(
            &[
                ("CI_PROJECT_URL", "https://gitlab.com/o/r"),
                ("CI_RUNNER_ID", "12"),
                ("CI_JOB_URL", "https://gitlab.com/o/r/-/jobs/1"),
            ],
            "https://gitlab.com/o/r/-/runners/12",
            Some("https://gitlab.com/o/r/-/jobs/1"),
        );
    }
}
