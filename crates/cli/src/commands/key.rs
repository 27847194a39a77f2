//! `plywood key`

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use plywood::attest::{GeneratedKey, generate_key};
use plywood_core::attest::KeyAlgorithm;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  plywood key generate --out ci.key
  plywood key generate --out ci.key --algorithm ed25519";

/// Make keys that sign images
///
/// The private key is for whoever publishes: keep it in the secrets of the CI. The public key belongs into the
/// workspace, named by `keys` in [publish] of plywood.toml.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a pair of keys
    ///
    /// Writes the private key to FILE, which only its owner may read (PKCS #8 in PEM, not encrypted), and the public key
    /// beside it with the extension `pub`. A file that is there is never overwritten.
    #[command(after_help = EXAMPLES)]
    Generate(GenerateArgs),
}

#[derive(Debug, Args)]
struct GenerateArgs {
    /// Write the private key to FILE, such as ci.key
    #[arg(long, value_name = "FILE")]
    out: Utf8PathBuf,
    /// ecdsa-p256, which every tool reads, or ed25519
    #[arg(long, value_name = "ALGORITHM", default_value_t = KeyAlgorithm::EcdsaP256)]
    algorithm: KeyAlgorithm,
}

/// Runs it.
pub(crate) fn run(args: KeyArgs, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        KeyCommand::Generate(args) => {
            let made = generate_key(&args.out, args.algorithm).map_err(plywood::Error::from)?;
            context.print(&made, text)?;
        }
    }
    Ok(Exit::Done)
}

/// The report as people read it.
fn text(key: &GeneratedKey) -> String {
    let GeneratedKey { private, public, algorithm, id } = key;
    format!("wrote {private}, the private key ({algorithm}): keep it secret\nwrote {public}, the public key\n  {id}\n")
}
