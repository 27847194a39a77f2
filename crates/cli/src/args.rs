//! The command line's grammar: the global options and the list of commands.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// Builds and looks after a team's container images, ply by ply.
///
/// One file, plywood.toml, says which images there are; plywood makes them from the Debian archive without a Docker
/// daemon, without root, and without running a single maintainer script.
#[derive(Debug, Parser)]
#[command(name = "plywood", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  plywood build                     make every image of ./plywood.toml
  plywood -C infra build base       make one image of the workspace in ./infra
  plywood test base                 boot it and run its tests
  plywood run base                  look around in it

Exit status: 0 done, 1 failed, 2 the command line or plywood.toml is wrong, 3 a check did not pass, 130 interrupted.";

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work in DIR, the folder with plywood.toml
    #[arg(short = 'C', long = "directory", value_name = "DIR", default_value = ".", global = true)]
    pub(crate) directory: Utf8PathBuf,
    /// Print results, warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what happens
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: Color,
    /// Keep downloads and segments in DIR [default: plywood in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "PLYWOOD_CACHE", hide_env_values = true, global = true)]
    pub(crate) cache_dir: Option<Utf8PathBuf>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes standard output and standard error behave so.
    pub(crate) fn apply(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// One variant per command; each has a file of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decide every input by hash and write plywood.lock
    Lock(commands::lock::LockArgs),
    /// Make images
    Build(commands::build::BuildArgs),
    /// Build images and put them into a registry
    Push(commands::push::PushArgs),
    /// Move tags to images that are in the registry
    Promote(commands::promote::PromoteArgs),
    /// Delete old images from a registry
    Prune(commands::prune::PruneArgs),
    /// Boot images and run the manifest's tests
    Test(commands::test::TestArgs),
    /// Run a command in a container of an image
    Run(commands::run::RunArgs),
    /// Check an image's files without running it
    Inspect(commands::inspect::InspectArgs),
    /// Sign an image in a registry
    Sign(commands::sign::SignArgs),
    /// Attach a signed statement to an image in a registry
    Attest(commands::attest::AttestArgs),
    /// Check an image's signature and where it came from
    Verify(commands::verify::VerifyArgs),
    /// List what is attached to an image in a registry
    Referrers(commands::referrers::ReferrersArgs),
    /// Say of running images who signed them and where they came from
    Audit(commands::audit::AuditArgs),
    /// Say who asks for something that an image has, and over what
    Why(commands::why::WhyArgs),
    /// Carry images and store paths to a site without a network
    Bundle(commands::bundle::BundleArgs),
    /// Make keys that sign images
    Key(commands::key::KeyArgs),
    /// Say what this machine has and lacks
    Doctor(commands::doctor::DoctorArgs),
    /// Show or prune the cache
    Cache(commands::cache::CacheArgs),
    /// Print the JSON schema of plywood.toml
    Schema(commands::schema::SchemaArgs),
    /// Print a script that completes plywood's commands in a shell
    Completions(commands::completions::CompletionsArgs),
    /// Print or write the manual pages
    Man(commands::man::ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The words of an example, without what the shell does with it and without its explanation.
    fn words(line: &str) -> Vec<String> {
        let line =
            line.split("  ").next().unwrap_or_default().replace("sha256:…", &format!("sha256:{}", "0".repeat(64)));
        let mut words = Vec::new();
        for (place, part) in line.split('\'').enumerate() {
            match place % 2 {
                0 => {
                    let own = part.split([';', '|', '>', '&']).next().unwrap_or_default();
                    words.extend(own.split_whitespace().map(str::to_owned));
                    if own.len() < part.len() {
                        break;
                    }
                }
                _ => words.push(part.to_owned()),
            }
        }
        words
    }

    fn check(command: &clap::Command) -> usize {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let mut lines = 0;
        for line in help.lines().filter(|line| line.starts_with("  plywood ")) {
            let parsed = Cli::try_parse_from(words(line.trim_start()));
            assert!(parsed.is_ok(), "{line}: {}", parsed.map(drop).unwrap_err());
            lines += 1;
        }
        lines + command.get_subcommands().map(check).sum::<usize>()
    }

    #[test]
    fn examples_are_command_lines() {
        assert!(check(&Cli::command()) > 60);
    }
}
