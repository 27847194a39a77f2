//! Installing a set of packages as dpkg does on an empty system: the order of scripts, unpacking and triggers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bstr::BString;

use super::error::{ConfigureError, ScriptError};
use super::finish;
use super::system::{CurrentPackage, System};
use super::triggers::activations;
use super::{commands, prepare};
use crate::debian::deb::UnpackedDeb;
use crate::debian::dpkg::{Installer, TriggerInterest};
use crate::platform::Platform;
use crate::shell::Machine;
use crate::tree::{ReadContent, Tree, TreePath};

/// Triggers that activate each other come to an end, or dpkg would not either.
const MAX_TRIGGER_ROUNDS: usize = 1000;

/// The one package that a bootstrap asks for by itself.
const APT: &str = "apt";

/// What installing depends on besides the packages.
#[derive(Clone, Copy)]
pub struct ConfigureOptions<'o> {
    /// The image's platform.
    pub platform: Platform,
    /// The instant of the lock, in seconds since 1970: the time of everything that scripts write.
    pub now: i64,
    /// Packages whose scripts the manifest allows to run.
    pub allowed: &'o BTreeSet<String>,
    /// Packages whose scripts the manifest leaves out.
    pub skipped: &'o BTreeSet<String>,
    /// Runs the scripts of the allowed; without it they are evaluated like all others.
    pub runner: Option<&'o dyn RunScript>,
    /// Files that are there before the packages that are not essential, as an administrator would have put them there:
    /// certificates, for example.
    pub added: &'o BTreeMap<TreePath, Arc<[u8]>>,
    /// Reads contents that are in segments.
    pub contents: &'o dyn ReadContent,
}

/// A maintainer script that is to be run for real.
#[derive(Debug, Clone, Copy)]
pub struct ScriptRun<'r> {
    /// The package's name.
    pub package: &'r str,
    /// `preinst` or `postinst`.
    pub script: &'static str,
    /// The script's text.
    pub text: &'r [u8],
    /// Its arguments, such as `configure` and an empty version.
    pub args: &'r [&'r str],
    /// Its environment.
    pub environment: &'r BTreeMap<String, String>,
}

/// Runs a maintainer script in a real file system. Implemented outside this crate, with a chroot.
pub trait RunScript {
    /// The tree after the script.
    ///
    /// # Errors
    /// When the script fails or cannot be started.
    fn run(&self, tree: Tree, run: ScriptRun<'_>) -> Result<Tree, Box<dyn std::error::Error + Send + Sync>>;
}

/// An installed set of packages.
#[derive(Debug)]
pub struct Configured {
    /// The tree, the packages' owners and states, diversions and overrides; dpkg's database is not yet written.
    pub installer: Installer,
    /// What was left out or skipped on purpose, for the explanation of the build.
    pub notes: BTreeSet<String>,
}

/// Installs packages in this order on an empty system and configures them.
///
/// # Errors
/// [`ConfigureError`]; scripts that cannot be evaluated are gathered, so that all are named at once.
pub fn configure(packages: &[&UnpackedDeb], options: ConfigureOptions<'_>) -> Result<Configured, ConfigureError> {
    let system = System::new(Installer::new(options.platform));
    let commands = commands::all();
    let tree = Tree::new();
    let machine = Machine::new(tree, options.contents, options.platform, system, options.now, commands);
    let mut run = Run { machine, options, refused: Vec::new() };
    let tree = std::mem::take(&mut run.machine.state.installer.tree);
    run.machine.tree = tree;
    prepare::prepare(&mut run.machine.tree, options.now)?;
    let (first, rest) = packages.split_at(essential_prefix(packages));
    run.install_essential(first)?;
    prepare::add(&mut run.machine.tree, options.added, options.now)?;
    for package in rest {
        run.script(package, "preinst", &["preinst", "install"]);
        run.unpack(package)?;
    }
    run.configure_all(rest, packages)?;
    finish::finish(&mut run.machine)?;
    run.finished()
}

/// Packages being installed.
pub(super) struct Run<'o> {
    pub(super) machine: Machine<'o, System>,
    options: ConfigureOptions<'o>,
    refused: Vec<ScriptError>,
}

/// The names of the packages that a bootstrap starts from: the essential ones with what they need, and apt.
///
/// dpkg alone installs the former, so apt has no mark that they came automatically; of apt's own packages everything
/// but apt has one.
pub fn bootstrapped(packages: &[&UnpackedDeb]) -> BTreeSet<String> {
    let (first, _) = packages.split_at(essential_prefix(packages));
    first.iter().map(|package| package.package().to_owned()).chain([APT.to_owned()]).collect()
}

/// How many packages come before, and with, the last essential one.
fn essential_prefix(packages: &[&UnpackedDeb]) -> usize {
    let is_essential = |package: &&UnpackedDeb| package.control.get_str("Essential") == Some("yes");
    packages.iter().rposition(is_essential).map_or(0, |last| last + 1)
}

impl<'o> Run<'o> {
    /// The essential packages need each other's files for their first script, so all are extracted before any runs.
    fn install_essential(&mut self, packages: &[&UnpackedDeb]) -> Result<(), ConfigureError> {
        for package in packages {
            self.unpack(package)?;
        }
        for package in packages {
            // A bootstrap has the essential tools in place before it runs the first preinst.
            self.machine.assume_programs = true;
            self.script(package, "preinst", &["preinst", "install"]);
            self.machine.assume_programs = false;
        }
        self.configure_all(packages, packages)
    }

    /// Configures packages in order, then whoever was triggered; `known` are all that are unpacked.
    fn configure_all(&mut self, packages: &[&UnpackedDeb], known: &[&UnpackedDeb]) -> Result<(), ConfigureError> {
        for package in packages {
            self.configure(package)?;
        }
        self.process_triggers(known)
    }

    fn unpack(&mut self, package: &UnpackedDeb) -> Result<(), ConfigureError> {
        self.machine.with_installer(|installer| installer.unpack_package(package))?;
        self.take_note(package);
        Ok(())
    }

    /// On a system that is there already.
    pub(super) fn over(machine: Machine<'o, System>, options: ConfigureOptions<'o>) -> Self {
        Self { machine, options, refused: Vec::new() }
    }

    /// Unpacks a package on a system that may have another version of it, with the scripts that dpkg runs before and
    /// after (Debian Policy 6.6).
    pub(super) fn unpack_over(
        &mut self,
        package: &UnpackedDeb,
        old: Option<&UnpackedDeb>,
    ) -> Result<(), ConfigureError> {
        let Some(old) = old else {
            self.script(package, "preinst", &["preinst", "install"]);
            return self.unpack(package);
        };
        let (before, after) = (old.version().to_owned(), package.version().to_owned());
        self.script(old, "prerm", &["prerm", "upgrade", &after]);
        self.script(package, "preinst", &["preinst", "upgrade", &before, &after]);
        let contents = self.options.contents;
        self.machine.with_installer(|installer| installer.replace_package(package, contents))?;
        self.take_note(package);
        self.script(old, "postrm", &["postrm", "upgrade", &after]);
        Ok(())
    }

    /// Configures a package on a system that may have had another version of it.
    pub(super) fn configure_over(&mut self, package: &UnpackedDeb, old: Option<&UnpackedDeb>) {
        let name = package.qualified_name();
        self.machine.state.triggers.clear(&name);
        let before = old.map(UnpackedDeb::version).unwrap_or_default().to_owned();
        self.script(package, "postinst", &["postinst", "configure", &before]);
        self.machine.state.installer.mark_installed(&name);
    }

    /// Evaluates a text as if it were a script of a package that is there.
    pub(super) fn evaluate_text(&mut self, package: &str, text: &[u8]) {
        let environment = [("DEBIAN_FRONTEND", "noninteractive"), ("HOME", "/root"), ("LC_ALL", "C.UTF-8")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        if let Err(error) = self.evaluate(package, "postinst", text, &["postinst"], &environment) {
            self.refuse(error);
        }
    }

    /// Keeps in mind what an unpacked package brings: shared objects, interests, and whom it triggers.
    fn take_note(&mut self, package: &UnpackedDeb) {
        let state = &mut self.machine.state;
        for (path, info) in &package.elf {
            state.elf.insert(path.clone(), info.clone());
        }
        let control_file = package.control_file("triggers").unwrap_or_default();
        let interests: Vec<TriggerInterest> =
            TriggerInterest::parse_file(&package.qualified_name(), control_file).collect();
        state.triggers.add_interests(interests);
        activations(control_file).for_each(|name| state.triggers.activate(&name));
        if state.triggers.has_file_interests() {
            for (path, _) in package.data_entries() {
                state.triggers.activate_path(&package.dpkg_path(path));
            }
        }
    }

    fn configure(&mut self, package: &UnpackedDeb) -> Result<(), ConfigureError> {
        let name = package.qualified_name();
        // What is pending for a package that is not configured yet is done by configuring it.
        self.machine.state.triggers.clear(&name);
        self.script(package, "postinst", &["postinst", "configure", ""]);
        self.machine.state.installer.mark_installed(&name);
        Ok(())
    }

    pub(super) fn process_triggers(&mut self, packages: &[&UnpackedDeb]) -> Result<(), ConfigureError> {
        for _ in 0..MAX_TRIGGER_ROUNDS {
            let Some((name, triggers)) = self.machine.state.triggers.next_pending() else { break };
            let Some(package) = packages.iter().find(|package| package.qualified_name() == name) else { continue };
            let joined = BString::from(bstr::join(" ", &triggers)).to_string();
            self.script(package, "postinst", &["postinst", "triggered", &joined]);
        }
        Ok(())
    }

    /// Evaluates or runs a script, if the package has it; what goes wrong is remembered.
    fn script(&mut self, package: &UnpackedDeb, script: &'static str, args: &[&str]) {
        let Some(text) = package.control_file(script) else { return };
        let name = package.package();
        if self.options.skipped.contains(name) {
            self.machine.state.note(format!("{name}: its {script} was left out, as the manifest says"));
            return;
        }
        let environment = environment(package, script);
        if self.options.allowed.contains(name)
            && let Some(runner) = self.options.runner
        {
            self.machine.state.note(format!("{name}: its {script} was run, as the manifest allows"));
            let tree = std::mem::take(&mut self.machine.tree);
            let args = args.get(1..).unwrap_or_default();
            let run = ScriptRun { package: name, script, text, args, environment: &environment };
            match runner.run(tree, run) {
                Ok(tree) => self.machine.tree = tree,
                Err(source) => self.refused.push(ScriptError::Run { package: name.to_owned(), script, source }),
            }
            return;
        }
        self.machine.state.current = current(package, script);
        if let Err(error) = self.evaluate(name, script, text, args, &environment) {
            self.refuse(error);
        }
    }

    fn evaluate(
        &mut self,
        package: &str,
        script: &'static str,
        text: &[u8],
        args: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Result<(), ScriptError> {
        let package = package.to_owned();
        let interpreter = Machine::<System>::interpreter(text);
        let is_shell =
            |path: &bstr::BStr| matches!(path.rsplit(|byte| *byte == b'/').next(), Some(b"sh" | b"dash" | b"bash"));
        if let Some(interpreter) = interpreter.filter(|path| !is_shell(path)) {
            return Err(ScriptError::Interpreter { package, script, interpreter: interpreter.to_owned() });
        }
        match self.machine.run_script(text, args, environment) {
            Ok(outcome) if outcome.status.is_success() => Ok(()),
            Ok(outcome) => {
                Err(ScriptError::Failed { package, script, status: outcome.status.0, stderr: outcome.stderr })
            }
            Err(source) => Err(ScriptError::Unknown { package, script, source }),
        }
    }

    /// Once for each package and script: a trigger may run the same script again.
    fn refuse(&mut self, error: ScriptError) {
        let same = |other: &ScriptError| other.package() == error.package() && other.to_string() == error.to_string();
        if !self.refused.iter().any(same) {
            self.refused.push(error);
        }
    }

    /// The system, unless a script was refused.
    pub(super) fn finished(mut self) -> Result<Configured, ConfigureError> {
        if !self.refused.is_empty() {
            return Err(ConfigureError::Scripts(self.refused));
        }
        std::mem::swap(&mut self.machine.tree, &mut self.machine.state.installer.tree);
        let (installer, notes) = (self.machine.state.installer, self.machine.state.notes);
        Ok(Configured { installer, notes })
    }
}

/// What debconf gets to see of a package: in `preinst` its templates alone.
fn current(package: &UnpackedDeb, script: &str) -> CurrentPackage {
    let is_postinst = script == "postinst";
    CurrentPackage {
        owner: if is_postinst { package.qualified_name() } else { package.package().to_owned() },
        templates: package.control_file("templates").unwrap_or_default().to_vec(),
        config: package.control_file("config").filter(|_| is_postinst).map(<[u8]>::to_vec),
    }
}

/// What dpkg and a noninteractive bootstrap put into a script's environment (dpkg(1), "Internal environment").
fn environment(package: &UnpackedDeb, script: &str) -> BTreeMap<String, String> {
    let architecture = package.architecture();
    [
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
        ("DPKG_ADMINDIR", "/var/lib/dpkg"),
        ("DPKG_MAINTSCRIPT_ARCH", architecture),
        ("DPKG_MAINTSCRIPT_NAME", script),
        ("DPKG_MAINTSCRIPT_PACKAGE", package.package()),
        ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "1"),
        ("DPKG_ROOT", ""),
        ("DPKG_RUNNING_VERSION", "1.22.0"),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
