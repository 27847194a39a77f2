//! `plywood build`

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use clap::Args;
use plywood::build::{BuildOptions, BuildReport, BuiltPlatform, LayerOrigin, Output, StorePathImage, build};
use plywood::engine::EngineKind;
use plywood::publish::matrix;
use plywood_core::manifest::ImageName;
use plywood_core::platform::Platform;

use crate::commands::lock;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{plural, size::Size, table::Table};

const EXAMPLES: &str = "\
Examples:
  plywood build                                  every image, for this machine's platform
  plywood build base --platform linux/amd64 --platform linux/arm64
  plywood build base --output oci-archive:base.tar
  plywood build base --load podman               and put it into podman's store
  plywood build --locked                         in CI: the lock must be there and fit
  plywood build --matrix                         images × platforms for GitHub's strategy.matrix
  plywood build base --explain                   what is in each layer, why, and who shares it
  plywood build --store-path ./result --name app  an image of what a flake has built
  plywood build --store-path ./result --name app --from base";

/// Make images
///
/// Reads plywood.lock, which is made or repaired first where needed, and writes the images to an OCI image layout in
/// .plywood/oci beside the manifest, or wherever --output says. The same lock gives the same bytes on every machine.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BuildArgs {
    /// The images by name [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Fail when the lock is missing or stale instead of repairing it
    #[arg(long)]
    locked: bool,
    /// Build for P, such as linux/arm64 (repeatable) [default: this machine's]
    #[arg(long = "platform", value_name = "P")]
    platforms: Vec<Platform>,
    /// Build for all platforms of each image
    #[arg(long, conflicts_with_all = ["platforms", "load"])]
    all_platforms: bool,
    /// Write to oci:DIR, oci-archive:FILE or docker-archive:FILE
    #[arg(long, value_name = "WHERE")]
    output: Option<Output>,
    /// Put them into ENGINE's store too: podman or docker
    #[arg(long, value_name = "ENGINE")]
    load: Option<EngineKind>,
    /// Show what is in each layer, why, and which images share it
    #[arg(long)]
    explain: bool,
    /// Print images × platforms as a CI matrix, and build nothing
    #[arg(long, conflicts_with_all = ["output", "load", "explain", "store_paths"])]
    matrix: bool,
    /// Use N threads [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Make one image of store path P and all it needs instead (repeatable); needs no lock
    #[arg(long = "store-path", value_name = "P", requires = "name", conflicts_with_all = ["images", "all_platforms"])]
    store_paths: Vec<String>,
    /// What to call the image of --store-path
    #[arg(long, value_name = "NAME", requires = "store_paths")]
    name: Option<ImageName>,
    /// The image of the workspace to put --store-path on [default: none, and no manifest is needed]
    #[arg(long, value_name = "IMAGE", requires = "store_paths")]
    from: Option<String>,
}

/// Runs it.
pub(crate) fn run(args: BuildArgs, context: &Context) -> Result<Exit, Failure> {
    if args.matrix {
        let matrix = matrix(&args.images, &args.platforms, &context.workspace)?;
        // A matrix is JSON, whoever asks.
        let text = serde_json::to_string(&matrix).map_err(|error| Failure::Stdout(error.into()))?;
        context.print(&matrix, |_| format!("{text}\n"))?;
        return Ok(Exit::Done);
    }
    let (paths, from) = (args.store_paths, args.from);
    let options = BuildOptions {
        store_paths: args.name.map(|name| StorePathImage { name, paths, from }),
        images: args.images,
        platforms: args.platforms,
        every_platform: args.all_platforms,
        locked: args.locked,
        output: args.output,
        load: args.load,
        jobs: args.jobs,
    };
    let report = build(&options, &context.workspace, &context.progress)?;
    context.print(&report, |report| text(report, args.explain))?;
    if let Some(image) = report.images.last().filter(|_| options.store_paths.is_none()) {
        context.next(&format!("test {}", image.name));
    }
    Ok(Exit::Done)
}

/// The report as people read it.
fn text(report: &BuildReport, explain: bool) -> String {
    let mut text = String::new();
    if let Some(lock) = &report.lock {
        let _ = writeln!(text, "{}", lock::summary(lock));
        for reason in &lock.reasons {
            let _ = writeln!(text, "  {reason}");
        }
    }
    let columns = ["image", "platform", "packages", "store paths", "layers", "new", "download", "on disk", "digest"];
    let mut table = Table::new(columns).right([2, 3, 4, 5, 6, 7]);
    for (image, built) in report.images.iter().flat_map(|image| image.platforms.iter().map(move |built| (image, built)))
    {
        table.row([
            image.name.clone(),
            built.platform.to_string(),
            built.packages.to_string(),
            built.store_paths.to_string(),
            built.layers.len().to_string(),
            built.layers.iter().filter(|layer| layer.origin == LayerOrigin::Made).count().to_string(),
            Size(built.compressed_size).to_string(),
            Size(built.uncompressed_size).to_string(),
            short(&built.digest.to_hex()),
        ]);
    }
    let _ = write!(text, "{table}");
    if explain {
        for (image, built) in
            report.images.iter().flat_map(|image| image.platforms.iter().map(move |built| (image, built)))
        {
            let _ = write!(text, "\n{} for {}\n{}", image.name, built.platform, layers(&image.name, built));
        }
    }
    let loaded = report.loaded.map(|engine| format!(" and in {engine}")).unwrap_or_default();
    let _ = writeln!(text, "\nin {}{loaded}", report.output);
    text
}

/// Every layer of one image: what is in it, why, and who shares it.
fn layers(image: &str, built: &BuiltPlatform) -> String {
    let mut text = String::new();
    for (number, layer) in built.layers.iter().enumerate() {
        let size = Size(layer.compressed_size);
        let shared: Vec<&str> = layer.images.iter().map(String::as_str).filter(|name| *name != image).collect();
        let shared = if shared.is_empty() {
            "this image alone".to_owned()
        } else {
            format!("shared with {}", shared.join(", "))
        };
        let digest = short(&layer.digest.to_hex());
        let _ = writeln!(text, "{:>4}  {digest}  {:>9}  {}; {shared}", number + 1, size.to_string(), layer.reason);
        for (kind, prefix) in [("package", "deb:"), ("store path", "nix")] {
            let items = layer.items.iter().filter_map(|item| item.0.strip_prefix(prefix));
            let items: Vec<&str> = items.map(|item| item.trim_start_matches(':')).collect();
            if !items.is_empty() {
                let _ = writeln!(text, "      {}: {}", plural(items.len(), kind), items.join(" "));
            }
        }
    }
    if built.develop_size > 0 {
        let size = Size(built.develop_size);
        let _ = writeln!(text, "\n{size} of store paths are there for `nix develop` without a network alone");
    }
    if !built.notes.is_empty() {
        text.push_str("\nleft out on purpose, or run as the manifest allows:\n");
        built.notes.iter().for_each(|note| _ = writeln!(text, "  {note}"));
    }
    text
}

/// As much of a digest as tells images apart in a table; `--json` has it whole.
fn short(hex: &str) -> String {
    hex.chars().take(12).collect()
}
