//! Pushing an image to Docker's registry on this machine, side by side with skopeo.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::measure::{median, run};
use super::{Table, base_image, expect_success, testkit};

/// Of the image, the one that plywood adds included.
const LAYERS: usize = 64;
/// In them, in bytes.
const BYTES: usize = 150_000_000;

/// How often plywood and skopeo take turns.
const REPETITIONS: usize = 7;
/// The most that a push may take, as a part of what skopeo takes.
const MAX_OVER_PEER: f64 = 0.7;
/// The longest that a push may take when the registry has it all, in seconds.
const MAX_UNCHANGED: f64 = 0.3;

pub(super) fn bench(plywood: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    for tool in ["skopeo", "docker-registry"] {
        if crate::tools::find(tool).is_none() {
            println!("{tool} is not installed: pushing is not measured");
            return Ok(());
        }
    }
    let scratch = tempfile::tempdir()?;
    let workspace = scratch.path().join("workspace");
    fs::create_dir(&workspace)?;
    fs::write(workspace.join("plywood.toml"), manifest())?;
    base_image::write(&workspace.join("base"), LAYERS - 1, BYTES)?;
    let plywood_with = |arguments: &[&str]| {
        let mut command = Command::new(plywood);
        command.arg("--cache-dir").arg(scratch.path().join("cache")).arg("-C").arg(&workspace).arg("-q");
        command.args(arguments).stdout(Stdio::null());
        command
    };
    expect_success(plywood_with(&["lock"]))?;
    expect_success(plywood_with(&["build"]))?;
    let skopeo = |registry: &Registry| {
        let mut command = Command::new("skopeo");
        command.args(["copy", "--quiet", "--dest-tls-verify=false"]);
        command.arg(format!("oci:{}", workspace.join(".plywood/oci").display()));
        command.arg(format!("docker://{}/bench:latest", registry.host));
        command
    };

    println!("{LAYERS} layers, {:.0} MB", BYTES as f64 / 1e6);
    let (mut ratios, mut unchanged) = (Vec::new(), Vec::new());
    for turn in 0..REPETITIONS {
        let (ours, theirs) = (Registry::start()?, Registry::start()?);
        let push = || run(plywood_with(&["push", "--registry", &ours.host]));
        // Whoever is second may find the machine otherwise: so each is every other time.
        let (first, peer) = match turn % 2 {
            0 => {
                let first = push()?;
                (first, run(skopeo(&theirs))?)
            }
            _ => {
                let peer = run(skopeo(&theirs))?;
                (push()?, peer)
            }
        };
        let again = push()?;
        println!("plywood {:.2} s, then {:.3} s; skopeo {:.2} s", first.seconds, again.seconds, peer.seconds);
        if turn == 0 {
            check(&ours)?;
        }
        ratios.push(first.seconds / peer.seconds);
        unchanged.push(again.seconds);
    }
    table.at_most("push, against skopeo copy", median(ratios), "x", MAX_OVER_PEER);
    table.at_most("push, nothing changed", median(unchanged), "s", MAX_UNCHANGED);
    Ok(())
}

/// That what was pushed can be read by others, and is as much as it should be.
fn check(registry: &Registry) -> Result<(), Box<dyn Error>> {
    let index = registry.read(":latest")?;
    let digest = index["manifests"][0]["digest"].as_str().ok_or("no image was pushed")?;
    let manifest = registry.read(&format!("@{digest}"))?;
    let sizes = manifest["layers"].as_array().into_iter().flatten().filter_map(|layer| layer["size"].as_u64());
    let (layers, bytes) = sizes.fold((0, 0), |(layers, bytes), size| (layers + 1, bytes + size));
    if layers < LAYERS || bytes < BYTES as u64 {
        return Err(format!("{layers} layers with {bytes} bytes arrived: too little").into());
    }
    Ok(())
}

/// One image of this machine's platform, on the one made up.
fn manifest() -> String {
    let platform = format!("linux/{}", base_image::architecture());
    format!(
        "[workspace]\nname = \"bench\"\nplatforms = [\"{platform}\"]\n\n\
         [images.bench]\nfrom = \"oci:base\"\nworkdir = \"/srv\"\n"
    )
}

/// A fresh registry, which ends when its input does.
struct Registry {
    child: Child,
    host: String,
}

impl Registry {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = testkit("registry").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut host = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut host)?;
        match host.trim() {
            "" => Err(format!("the registry does not start: {}", child.wait()?).into()),
            host => Ok(Self { host: host.to_owned(), child }),
        }
    }

    /// A manifest or index, by tag or digest.
    fn read(&self, name: &str) -> Result<Value, Box<dyn Error>> {
        let mut inspect = Command::new("skopeo");
        inspect.args(["inspect", "--raw", "--tls-verify=false"]).arg(format!("docker://{}/bench{name}", self.host));
        let output = inspect.stderr(Stdio::inherit()).output()?;
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout)?)
        } else {
            Err(format!("{inspect:?} failed: {}", output.status).into())
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
