//! `plywood cache`

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, Subcommand};
use plywood::cache::{CacheReport, PruneOptions, prune, show};
use plywood::nix::push::{PushOptions, PushReport, push};
use plywood_core::manifest::ByteSize;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood cache show
  plywood cache prune --unused-for 30       what was not used for 30 days
  plywood cache prune --keep '5 GB'         what was unused the longest, until 5 GB are left
  plywood cache prune --all";

/// Show or prune the cache, or push store paths to the team's
///
/// The cache holds what builds can make again: unpacked packages, layers, downloads. All workspaces share it. What others
/// cannot get, the store paths that only this machine's Nix has built, is pushed to a binary cache.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Show what is in the cache
    #[command(after_help = "Examples:\n  plywood cache show\n  plywood cache show --json")]
    Show,
    /// Remove what has not been used for long
    #[command(after_help = EXAMPLES)]
    Prune(PruneArgs),
    /// Copy store paths that no binary cache has to the team's, signed
    ///
    /// Takes them, with all they need, from the local store. PLYWOOD_NIX_SECRET_KEY_FILE names the file with the key that
    /// signs; who is to believe it has the public key, which is printed, in trusted-public-keys.
    #[command(after_help = PUSH_EXAMPLES)]
    Push(PushArgs),
}

const PUSH_EXAMPLES: &str = "\
Examples:
  plywood cache push                                what is locked, to the cache that plywood.toml names
  plywood cache push --to file:///srv/cache python
  plywood cache push --to 'https://cache.example.org?compression=xz' --all ./result";

#[derive(Debug, Args)]
struct PushArgs {
    /// Images, sets, shells and store paths [default: everything that is locked]
    #[arg(value_name = "IMAGE|SET|SHELL|PATH")]
    what: Vec<String>,
    /// Push to URL: https, http or file [default: `nix.cache` of plywood.toml]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Copy what other binary caches have, too
    #[arg(long)]
    all: bool,
    /// Use N threads [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct PruneArgs {
    /// Remove what was last used more than DAYS days ago
    #[arg(long, value_name = "DAYS")]
    unused_for: Option<u32>,
    /// Remove what was unused the longest until SIZE is left, such as '5 GB'
    #[arg(long, value_name = "SIZE")]
    keep: Option<ByteSize>,
    /// Remove everything
    #[arg(long, conflicts_with_all = ["unused_for", "keep"])]
    all: bool,
}

/// Runs it.
pub(crate) fn run(args: CacheArgs, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        CacheCommand::Show => {
            context.print(&show(&context.workspace)?, text)?;
            context.next("cache prune --unused-for 30");
        }
        CacheCommand::Prune(args) => {
            const DAY: u64 = 24 * 60 * 60;
            let max_age = args.unused_for.map(|days| Duration::from_secs(u64::from(days) * DAY));
            let max_bytes = if args.all { Some(0) } else { args.keep.map(|size| size.0) };
            let report = prune(PruneOptions { max_age, max_bytes }, &context.workspace)?;
            context.print(&report, |report| {
                let count = plural(usize::try_from(report.files).unwrap_or(usize::MAX), "file");
                format!("removed {count}, {} from {}\n", Size(report.bytes), report.path)
            })?;
            context.next("cache show");
        }
        CacheCommand::Push(PushArgs { what, to, all, jobs }) => {
            let what = what.iter().map(|word| store_path(word)).collect();
            let options = PushOptions { to, what, all, key_file: None, jobs };
            context.print(&push(&options, &context.workspace, &context.progress)?, pushed)?;
            context.next("lock");
        }
    }
    Ok(Exit::Done)
}

/// What a link into the store leads to, such as `./result`; any other word as it is.
fn store_path(word: &str) -> String {
    let target = std::fs::canonicalize(word).ok().and_then(|path| path.into_os_string().into_string().ok());
    target.filter(|path| path.starts_with("/nix/store/")).unwrap_or_else(|| word.to_owned())
}

/// What was pushed, as people read it.
fn pushed(report: &PushReport) -> String {
    let mut text = String::new();
    if !report.copied.is_empty() {
        let mut table = Table::new(["path", "size", "compressed"]).right([1, 2]);
        for path in &report.copied {
            table.row([path.path.to_string(), Size(path.nar_size).to_string(), Size(path.file_size).to_string()]);
        }
        let _ = writeln!(text, "{table}");
    }
    let copied = plural(report.copied.len(), "store path");
    let _ = write!(text, "copied {copied} to {}; it had {}", report.cache, report.present);
    let _ = writeln!(text, ", and other caches have {}", report.elsewhere);
    let _ = writeln!(text, "signed by {}", report.public_key);
    text
}

/// The report as people read it.
fn text(report: &CacheReport) -> String {
    let mut table = Table::new(["kind", "files", "size", "what"]).right([1, 2]);
    for kind in &report.kinds {
        table.row([
            kind.name.to_owned(),
            kind.files.to_string(),
            Size(kind.bytes).to_string(),
            kind.purpose.to_owned(),
        ]);
    }
    format!("{table}\nin {}\n", report.path)
}
