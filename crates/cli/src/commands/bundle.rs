//! `plywood bundle`

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use plywood::bundle::{
    BundleCreateOptions, BundleCreateReport, BundleLoadOptions, BundleLoadReport, BundlePushOptions, BundlePushReport,
    BundleReport, BundleUnpackReport, create, inspect, load, push, unpack,
};
use plywood::engine::EngineKind;
use plywood_core::manifest::RegistryPrefix;
use plywood_core::platform::Platform;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::registry::RegistryArgs;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood bundle create --output site.tar                        where the network is
  plywood bundle push site.tar --registry registry.site/team     where it is not
  plywood bundle load site.tar base";

/// Carry images and store paths to a site without a network
///
/// A bundle is one file with images for all their platforms, the signatures and other things attached to them, and the store
/// paths of images with a shell, each blob once. It is an OCI archive too, which skopeo and podman read. Whoever uses a
/// bundle reads it whole and verifies it first: nothing is done with one that was cut off or changed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    command: BundleCommand,
}

#[derive(Debug, Subcommand)]
enum BundleCommand {
    /// Make a bundle
    ///
    /// Images of the workspace are built, for all their platforms; images of registries are fetched, with all that is attached
    /// to them. The same content gives the same bytes.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Verify a bundle and list what is in it
    #[command(after_help = "Examples:\n  plywood bundle inspect site.tar\n  plywood bundle inspect site.tar --json")]
    Inspect(FileArgs),
    /// Put everything of a bundle into a registry
    ///
    /// Uploads what the registry lacks, writes manifests by digest, then what is attached to them, and moves tags last.
    /// Digests stay what they are, so that signatures hold.
    #[command(after_help = PUSH_EXAMPLES)]
    Push(PushArgs),
    /// Put images of a bundle into podman's or docker's store
    #[command(after_help = LOAD_EXAMPLES)]
    Load(LoadArgs),
    /// Write the store paths of a bundle as a binary cache
    ///
    /// Nix takes them from there with `--substituters file://DIR`, or copies them with `nix copy --from file://DIR`. Every
    /// NAR is compared with the hash of what comes out of it.
    #[command(after_help = UNPACK_EXAMPLES)]
    Unpack(UnpackArgs),
}

const CREATE_EXAMPLES: &str = "\
Examples:
  plywood bundle create --output site.tar                    every image of the workspace
  plywood bundle create base devcontainer-python --output site.tar
  plywood bundle create ghcr.io/team/app:1.4 --output app.tar      from a registry, with its signatures
  plywood bundle create ghcr.io/team/devcontainer-python:latest --store devcontainer-python --output dev.tar";

const PUSH_EXAMPLES: &str = "\
Examples:
  plywood bundle push site.tar --registry registry.site/team
  plywood bundle push site.tar --registry registry.site:5000/mirror --keep-paths
  plywood bundle push site.tar --registry localhost:5000";

const LOAD_EXAMPLES: &str = "\
Examples:
  plywood bundle load site.tar                 every image for this machine's platform
  plywood bundle load site.tar base app:1.4
  plywood bundle load site.tar --engine docker";

const UNPACK_EXAMPLES: &str = "\
Examples:
  plywood bundle unpack site.tar --cache /srv/nix-cache
  nix develop --substituters file:///srv/nix-cache";

#[derive(Debug, Args)]
struct CreateArgs {
    /// Images by their names in the manifest, or in full as a registry has them [default: all of the manifest]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Write the bundle to FILE
    #[arg(short, long = "output", value_name = "FILE")]
    file: Utf8PathBuf,
    /// Leave out what is attached to images of registries, such as signatures
    #[arg(long = "no-referrers")]
    without_referrers: bool,
    /// Add the store paths that plywood.lock has for IMAGE (repeatable) [default: the images named that have a shell]
    #[arg(long, value_name = "IMAGE")]
    store: Vec<String>,
    /// Leave out the store paths of images with a shell
    #[arg(long = "no-store")]
    without_store: bool,
    /// Sign store paths with the Nix secret key FILE [default: that of PLYWOOD_NIX_SECRET_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    store_key: Option<Utf8PathBuf>,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
    /// Use N threads [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    registry: RegistryArgs,
}

#[derive(Debug, Args)]
struct FileArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
}

#[derive(Debug, Args)]
struct PushArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    /// Push below PREFIX, such as registry.site/team
    #[arg(long = "registry", value_name = "PREFIX")]
    prefix: RegistryPrefix,
    /// Keep the whole path of each repository below PREFIX, not only its last part
    #[arg(long)]
    keep_paths: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

#[derive(Debug, Args)]
struct LoadArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    /// Images by their full names, or the last part with the tag or without [default: all for the platform]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Use podman or docker [default: whichever is there]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineKind>,
    /// Load for P, such as linux/arm64 [default: this machine's]
    #[arg(long, value_name = "P")]
    platform: Option<Platform>,
}

#[derive(Debug, Args)]
struct UnpackArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    /// Write to the folder DIR, which may be a binary cache already
    #[arg(long, value_name = "DIR")]
    cache: Utf8PathBuf,
}

/// Runs it.
pub(crate) fn run(args: BundleArgs, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        BundleCommand::Create(args) => run_create(args, context)?,
        BundleCommand::Inspect(FileArgs { file }) => {
            context.print(&inspect(&file, &context.progress)?, inspected)?;
            context.next(&format!("bundle push {file} --registry REGISTRY"));
        }
        BundleCommand::Push(PushArgs { file, prefix, keep_paths, registry }) => {
            let options = BundlePushOptions { file, registry: prefix, keep_paths };
            let report = push(&options, &registry.client()?, &context.progress)?;
            context.print(&report, pushed)?;
            if let Some((repository, digest)) =
                report.repositories.iter().find_map(|one| Some((&one.repository, one.tags.values().next()?)))
            {
                context.next(&format!("verify {repository}@{digest}"));
            }
        }
        BundleCommand::Load(LoadArgs { file, images, engine, platform }) => {
            let options = BundleLoadOptions { file, images, engine, platform };
            let report = load(&options, &context.workspace, &context.progress)?;
            context.print(&report, loaded)?;
        }
        BundleCommand::Unpack(UnpackArgs { file, cache }) => {
            context.print(&unpack(&file, &cache, &context.progress)?, unpacked)?;
        }
    }
    Ok(Exit::Done)
}

fn run_create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let client = args.registry.client()?;
    let options = BundleCreateOptions {
        file: args.file,
        images: args.images,
        without_referrers: args.without_referrers,
        store: args.store,
        without_store: args.without_store,
        store_key: args.store_key,
        locked: args.locked,
        jobs: args.jobs,
    };
    context.print(&create(&options, &context.workspace, &client, &context.progress)?, created)?;
    context.next(&format!("bundle inspect {}", options.file));
    Ok(())
}

fn created(report: &BundleCreateReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (reference, digest) in &report.images {
        let _ = writeln!(text, "{reference}@{digest}");
    }
    let _ = writeln!(
        text,
        "{}: {}, {} attached, {}; {}\nsha256 {}",
        report.file,
        plural(report.images.len(), "image"),
        report.attached,
        plural(report.store_paths, "store path"),
        Size(report.size),
        report.sha256
    );
    text
}

fn inspected(report: &BundleReport) -> String {
    let mut table = Table::new(["name", "platforms", "size", "kind", "digest"]).right([2]);
    for image in &report.images {
        let platforms: Vec<&str> = image.platforms.iter().map(String::as_str).collect();
        table.row([
            image.reference.clone(),
            platforms.join(" "),
            Size(image.size).to_string(),
            image.artifact_type.clone().unwrap_or_else(|| "image".to_owned()),
            image.digest.to_string(),
        ]);
    }
    let mut text = table.to_string();
    if report.store_paths > 0 {
        let _ = writeln!(text, "\n{}, {}", plural(report.store_paths, "store path"), Size(report.store_size));
    }
    let _ = writeln!(text, "\n{} is whole: {}, {}", report.file, plural(report.blobs, "blob"), Size(report.size));
    text
}

fn pushed(report: &BundlePushReport) -> String {
    let mut text = String::new();
    for one in &report.repositories {
        let tags: Vec<&str> = one.tags.keys().map(String::as_str).filter(|tag| !tag.starts_with("sha256-")).collect();
        let tags = if tags.is_empty() { String::new() } else { format!(" as {}", tags.join(", ")) };
        let _ = writeln!(
            text,
            "pushed {}{tags}: {} uploaded ({}), {} mounted, {} there; {} written, {} attached",
            one.repository,
            plural(one.uploaded, "blob"),
            Size(one.uploaded_bytes),
            one.mounted,
            one.present,
            plural(one.manifests, "manifest"),
            one.attached
        );
    }
    text
}

fn loaded(report: &BundleLoadReport) -> String {
    let mut text = String::new();
    for image in &report.images {
        let _ = writeln!(text, "{} in {}", image.reference, report.engine);
    }
    if report.images.is_empty() {
        text.push_str("the bundle has no image for this platform\n");
    }
    text
}

fn unpacked(report: &BundleUnpackReport) -> String {
    let written = plural(report.written, "store path");
    format!("wrote {written}, {}, to {}; it had {}\n", Size(report.size), report.cache, report.present)
}
