//! Installing what the tests need, on Debian and as root; never called without `--install`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tools::{self, Source, Tool};

/// Podman's settings, where the machine has none.
///
/// runc runs also where the cgroup set-up of virtual machines and CI stops crun. Podman asks for more files and
/// processes than such machines allow and then refuses to start; these limits are below what any of them has.
const CONTAINERS_CONF: &str = "\
[containers]
default_ulimits=[\"nofile=1024:4096\",\"nproc=4096:4096\"]
[engine]
runtime=\"runc\"
";

/// Installs what is missing.
///
/// # Errors
/// When this is no Debian or not root, naming what is missing; when a package manager fails.
pub fn install() -> Result<(), Box<dyn Error>> {
    let missing = tools::missing();
    let data: Vec<&str> =
        tools::DEBIAN_DATA.iter().filter(|(_, file)| !Path::new(file).exists()).map(|(package, _)| *package).collect();
    if !(missing.is_empty() && data.is_empty()) {
        demand_debian_root(&missing)?;
        install_debian(&missing, &data)?;
        install_npm()?;
    }
    install_python()?;
    if is_root() {
        configure_podman()?;
    }
    let left: Vec<&str> = tools::missing().iter().map(|tool| tool.program).collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("still missing after the installation: {}", left.join(", ")).into())
    }
}

fn demand_debian_root(missing: &[&Tool]) -> Result<(), Box<dyn Error>> {
    let debian = Path::new("/etc/debian_version").exists();
    if debian && is_root() {
        return Ok(());
    }
    let why = if debian { "only root can install packages" } else { "packages can be installed on Debian only" };
    tools::report();
    let programs: Vec<&str> = missing.iter().map(|tool| tool.program).collect();
    Err(format!("{why}; missing: {}", programs.join(", ")).into())
}

fn install_debian(missing: &[&Tool], data: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut packages: Vec<&str> = missing
        .iter()
        .filter_map(|tool| match tool.source {
            Source::Debian(package) => Some(package),
            Source::Npm(_) => None,
        })
        .chain(data.iter().copied())
        .collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    eprintln!("installing {}", packages.join(" "));
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(&packages))
}

/// apt-get that asks nothing and waits for its turn.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["--quiet", "--option=DPkg::Lock::Timeout=300"]);
    command
}

fn install_npm() -> Result<(), Box<dyn Error>> {
    for tool in tools::missing() {
        if let Source::Npm(package) = tool.source {
            eprintln!("installing {package} from npm");
            run(Command::new("npm").args(["install", "--global", "--no-fund", "--no-audit", package]))?;
        }
    }
    Ok(())
}

/// Makes the Python of the tests; what it has says a file in it, so that nothing is asked of PyPI twice.
fn install_python() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(tools::PYTHON);
    let (done, wanted) = (folder.join("plywood-installed"), tools::PYPI.join("\n"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("installing {} from PyPI into {}", tools::PYPI.join(" "), tools::PYTHON);
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet"]).args(tools::PYPI))?;
    Ok(fs::write(done, wanted)?)
}

fn configure_podman() -> Result<(), Box<dyn Error>> {
    let path = Path::new("/etc/containers/containers.conf");
    if !path.exists() {
        eprintln!("writing {}", path.display());
        fs::create_dir_all("/etc/containers")?;
        fs::write(path, CONTAINERS_CONF)?;
    }
    Ok(())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("cannot run {name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed: {status}").into()) }
}
