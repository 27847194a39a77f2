//! `plywood man`

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory as _};

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood man | man -l -
  plywood man ~/.local/share/man/man1";

/// Print or write the manual pages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write a page for each command to DIR instead of printing the main one
    #[arg(value_name = "DIR")]
    directory: Option<Utf8PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: ManArgs, context: &Context) -> Result<Exit, Failure> {
    let Some(path) = args.directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::Stdout)?;
        context.print_text(&String::from_utf8_lossy(&page))?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(&path)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &path))
        .map_err(|source| Failure::Write { path: path.clone(), source })?;
    context.print_text(&format!("wrote the manual pages to {path}\n"))?;
    Ok(Exit::Done)
}
