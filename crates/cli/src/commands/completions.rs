//! `plywood completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood completions bash > ~/.local/share/bash-completion/completions/plywood
  plywood completions zsh > ~/.zfunc/_plywood
  plywood completions fish > ~/.config/fish/completions/plywood.fish";

/// Print a script that completes plywood's commands in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs it.
pub(crate) fn run(args: &CompletionsArgs, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plywood", &mut script);
    context.print_text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
