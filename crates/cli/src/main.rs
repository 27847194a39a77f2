//! The `plywood` command: parses the command line, calls one use case, renders what it reports.

mod args;
mod commands;
mod context;
mod exit;
mod failure;
mod interrupt;
mod registry;
mod render;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.global.color.apply();
    run(cli).into()
}

/// The program: everything from a parsed command line to the exit code.
fn run(cli: Cli) -> Exit {
    interrupt::install();
    let json = cli.global.json;
    let outcome = Context::new(cli.global).and_then(|context| commands::run(cli.command, &context));
    outcome.unwrap_or_else(|failure| {
        render::error::render(&failure, json);
        failure.exit()
    })
}
