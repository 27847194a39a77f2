//! Podman driven for real, over an image of a static shell made here, in a store of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;
use plywood::build::{BuiltImage, BuiltPlatform, Output};
use plywood::engine::{ContainerOptions, Engine, EngineError, EngineKind};
use plywood_core::digest::Digest;
use plywood_core::platform::Platform;
use plywood_testkit::require::{find_tool, require, require_root};

const NAME: &str = "registry.invalid/team/tiny:latest";
const LIMIT: Duration = Duration::from_secs(120);

/// Podman with a store below `folder`: the machine's own store is none of our business.
fn podman(folder: &Path) -> Engine {
    use std::os::unix::fs::PermissionsExt as _;
    let script = folder.join("podman");
    let real = find_tool("podman").expect("podman");
    let store = folder.join("store");
    let run = folder.join("run");
    let text = format!(
        "#!/bin/sh\nexec {} --root {} --runroot {} --storage-driver vfs \"$@\"\n",
        real.display(),
        store.display(),
        run.display()
    );
    std::fs::write(&script, text).expect("the script is written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("the script is executable");
    Engine::at(EngineKind::Podman, script)
}

/// A layout with one image, whose only layer has this machine's shell and its libraries.
fn layout(folder: &Path) -> (Output, BuiltImage) {
    let root = folder.join("root");
    for program in ["sh", "cat", "id", "sleep"] {
        let program = find_tool(program).expect("a program");
        let listed = Command::new("ldd").arg(&program).output().expect("ldd runs").stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
        for file in libraries.map(Path::new).chain([program.as_path()]) {
            let target = root.join(file.strip_prefix("/").expect("an absolute path"));
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("the folder is made");
            std::fs::copy(file, target).expect("the file is copied");
        }
    }
    std::fs::create_dir_all(root.join("tmp")).expect("the folder is made");
    let output = Utf8Path::from_path(folder).expect("UTF-8").join("layout");
    let made = podman(folder);
    let run = |arguments: &[&str], input: &str| {
        let shell = format!("{input} \"$0\" \"$@\"");
        let output =
            Command::new("sh").args(["-c", &shell]).arg(made.program()).args(arguments).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let id = run(&["import", "--quiet", "-", NAME], &format!("tar -C {} -c . |", root.display()));
    run(&["push", "--quiet", NAME, &format!("oci:{output}:{NAME}")], "");
    // A store without it, so that loading has something to do.
    run(&["rmi", NAME], "");
    let image_id: Digest = id.parse().expect("an image id");
    let platform = BuiltPlatform {
        notes: Default::default(),
        platform: if cfg!(target_arch = "aarch64") { Platform::LinuxArm64 } else { Platform::LinuxAmd64 },
        digest: image_id,
        image_id,
        packages: 0,
        store_paths: 0,
        develop_size: 0,
        compressed_size: 0,
        uncompressed_size: 0,
        layers: Vec::new(),
    };
    let image =
        BuiltImage { name: "tiny".to_owned(), reference: NAME.to_owned(), digest: image_id, platforms: vec![platform] };
    (Output::OciLayout(output), image)
}

#[test]
fn an_image_is_loaded_run_and_left_alone() {
    if !(require(&["podman", "ldd", "tar"]) && require_root()) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (output, image) = layout(folder.path());
    let engine = podman(folder.path());
    let platform = &image.platforms[0];
    engine.load(&output, &image, platform).expect("it is loaded");
    engine.load(&output, &image, platform).expect("once more changes nothing");
    assert!(engine.has_image(platform.image_id).expect("podman answers"));
    assert!(!engine.has_image(Digest::of(b"no image")).expect("podman answers"));

    let options = |command: &[&str]| ContainerOptions {
        image: NAME.to_owned(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        bare: true,
        ..ContainerOptions::default()
    };
    let captured = engine.run(&options(&["sh", "-c", "echo out; echo err >&2; exit 7"]), LIMIT).expect("it runs");
    assert_eq!(captured.code, Some(7), "{captured:?}");
    assert_eq!((captured.stdout.as_slice(), captured.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));

    let as_user = ContainerOptions { user: Some("1234".to_owned()), ..options(&["id", "-u"]) };
    assert_eq!(engine.run(&as_user, LIMIT).expect("it runs").stdout, b"1234\n");

    let late = engine.run(&options(&["sleep", "600"]), Duration::from_secs(5));
    assert!(matches!(late, Err(EngineError::TimedOut { .. })), "{late:?}");
    let unknown = engine.run(&ContainerOptions { image: "no-such-image".to_owned(), ..options(&["sh"]) }, LIMIT);
    assert!(matches!(unknown, Err(EngineError::Failed { .. })), "{unknown:?}");

    let left = Command::new(engine.program()).args(["ps", "--all", "--quiet"]).output().expect("podman answers");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}
