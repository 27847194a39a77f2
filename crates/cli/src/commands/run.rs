//! `plywood run`

use std::io::IsTerminal as _;

use clap::Args;
use plywood::engine::{EngineKind, Mount};
use plywood::run::{RunOptions, run as run_image};
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood run base                        the image's own command, such as a shell
  plywood run base nix --version
  plywood run devcontainer-base --mount   with the current folder as /workspace
  plywood run base --mount=src:/src --user root bash";

/// Run a command in a container of an image
///
/// The image is built first where needed and put into podman or else docker. The container has a terminal where this
/// command has one, and is gone when the command ends, whose exit status becomes this one's.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// The image by name
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The command and its arguments [default: the image's]
    #[arg(value_name = "CMD", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// Run as USER, a name or an id [default: the image's]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Show DIR in the container, at /workspace unless :PLACE follows [default when bare: the current folder]
    #[arg(long = "mount", value_name = "DIR[:PLACE]", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    mounts: Vec<Mount>,
    /// Set a variable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_variable)]
    env: Vec<(String, String)>,
    /// Run the image for P, such as linux/arm64 [default: this machine's]
    #[arg(long, value_name = "P")]
    platform: Option<Platform>,
    /// Use podman or docker [default: whichever is there]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineKind>,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
}

/// Runs it.
pub(crate) fn run(args: RunArgs, context: &Context) -> Result<Exit, Failure> {
    let options = RunOptions {
        image: args.image,
        command: args.command,
        user: args.user,
        mounts: args.mounts,
        env: args.env.into_iter().collect(),
        platform: args.platform,
        engine: args.engine,
        locked: args.locked,
        tty: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
    };
    let code = run_image(&options, &context.workspace, &context.progress)?;
    Ok(u8::try_from(code).map_or(Exit::Failed, Exit::Command))
}

/// `NAME=VALUE`
fn parse_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a variable is `NAME=VALUE`".to_owned()),
    }
}
