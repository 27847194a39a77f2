//! One file per command: its options and examples, the one use case it calls, and how its result reads.

pub(crate) mod attest;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod bundle;
pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod promote;
pub(crate) mod prune;
pub(crate) mod push;
pub(crate) mod referrers;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod sign;
pub(crate) mod test;
pub(crate) mod verify;
pub(crate) mod why;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Lock(args) => lock::run(args, context),
        Command::Build(args) => build::run(args, context),
        Command::Push(args) => push::run(args, context),
        Command::Promote(args) => promote::run(args, context),
        Command::Prune(args) => prune::run(args, context),
        Command::Test(args) => test::run(args, context),
        Command::Run(args) => run::run(args, context),
        Command::Inspect(args) => inspect::run(args, context),
        Command::Sign(args) => sign::run(args, context),
        Command::Attest(args) => attest::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Referrers(args) => referrers::run(args, context),
        Command::Audit(args) => audit::run(args, context),
        Command::Bundle(args) => bundle::run(args, context),
        Command::Key(args) => key::run(args, context),
        Command::Why(args) => why::run(args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Cache(args) => cache::run(args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(args, context),
    }
}
