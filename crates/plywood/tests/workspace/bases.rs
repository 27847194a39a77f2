//! Images outside of the workspace as a base, each made by plywood itself and kept in a layout.

use plywood::build::{BuildOptions, BuildReport, LayerOrigin, Output, build};
use plywood::lock::{LockOptions, LockOutcome, Upgrade};
use plywood_core::tree::TreePath;
use plywood_testkit::{Deb, TestArchive, TestKey};

use crate::fixture::{Fixture, chain, package, plain, text};

const OS_RELEASE: &str = "ID=debian\nVERSION_CODENAME=trixie\n";

/// A package that says what it is called with.
fn talkative(version: &str) -> Deb {
    let log = |name: &str| format!("#!/bin/sh\necho \"{name} of {version}: $*\" >> /etc/talk.log\n");
    ["preinst", "postinst", "prerm", "postrm"]
        .iter()
        .fold(package("lib", version), |builder, name| builder.script(name, &log(name)))
        .control_file("conffiles", "/etc/lib.conf\n")
        .file("./etc/lib.conf", 0o644, format!("of {version}\n"))
        .file(&format!("./usr/share/lib/only-{version}"), 0o644, "x")
        .build()
}

/// A package that wants to know of menus.
fn menus() -> Deb {
    package("menus", "1")
        .control_file("triggers", "interest-noawait /usr/share/menu\n")
        .script("postinst", "#!/bin/sh\necho \"$*\" >> /etc/menus\n")
        .build()
}

fn menu(name: &str, fields: &[(&str, &str)]) -> Deb {
    let builder = package(name, "1").file(&format!("./usr/share/menu/{name}"), 0o644, name);
    fields.iter().fold(builder, |builder, (field, value)| builder.field(field, value)).build()
}

/// A fixture whose workspace has a base in `images/base`, of these packages and this system.
fn with_base(image: &str, os_release: &str, packages: impl IntoIterator<Item = Deb>) -> Fixture {
    let system = package("system", "1").file("./etc/os-release", 0o644, os_release).file("./usr/bin/bash", 0o755, "");
    let system = system.build();
    let fixture = Fixture::new(image, packages.into_iter().chain([system]));
    make_base(&fixture);
    fixture
}

fn make_base(fixture: &Fixture) {
    let output = Output::OciLayout(fixture.path().join("images/base"));
    let options = BuildOptions { output: Some(output), ..BuildOptions::default() };
    build(&options, &fixture.workspace("cache"), &fixture.events).unwrap_or_else(|error| panic!("{}", chain(&error)));
    std::fs::remove_file(fixture.path().join("plywood.lock")).expect("removed");
}

fn built(fixture: &Fixture) -> BuildReport {
    fixture.build("cache").unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// What is installed, as `name version`.
fn installed(fixture: &Fixture) -> Vec<String> {
    let status = text(&fixture.tree(), "var/lib/dpkg/status").expect("dpkg's status");
    let field = |stanza: &str, name: &str| {
        stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
    };
    let stanzas = status.split("\n\n").filter(|stanza| !stanza.trim().is_empty());
    stanzas
        .inspect(|stanza| assert!(stanza.contains("Status: install ok installed"), "{stanza}"))
        .map(|stanza| format!("{} {}", field(stanza, "Package: "), field(stanza, "Version: ")))
        .collect()
}

const BASE: &str = "[images.base]\npackages = [\"system\", \"tool\", \"menus\"]\nuser = { name = \"ubuntu\" }\n";

fn base_packages() -> Vec<Deb> {
    vec![talkative("1"), plain("tool", "1", &[("Depends", "lib")]), menus(), menu("extra", &[("Depends", "tool")])]
}

#[test]
fn packages_are_put_on_what_is_there() {
    let mut fixture = with_base(BASE, OS_RELEASE, base_packages());
    // What is newer in the archive does not move what the base has.
    fixture.archive.add("trixie", talkative("2"));
    fixture.archive.add("trixie", menu("new", &[("Depends", "lib (>= 2)")]));
    fixture.republish();
    fixture.manifest(
        "[images.app]\nfrom = \"oci:images/base\"\npackages = [\"extra\", \"tool\"]\nuser = { name = \"vscode\" }\n",
    );
    let report = built(&fixture);
    let layers = &report.images[0].platforms[0].layers;
    let inherited = layers.iter().filter(|layer| layer.origin == LayerOrigin::Inherited).count();
    assert!(inherited > 0 && layers.len() == inherited + 2, "{layers:?}");
    assert_eq!(installed(&fixture), ["apt 3", "base-files 13", "extra 1", "lib 1", "menus 1", "system 1", "tool 1"]);
    let tree = fixture.tree();
    assert_eq!(text(&tree, "etc/menus").as_deref(), Some("configure \ntriggered /usr/share/menu\n"));
    assert_eq!(text(&tree, "etc/talk.log").as_deref(), Some("preinst of 1: install\npostinst of 1: configure \n"));
    let marks = text(&tree, "var/lib/apt/extended_states").unwrap_or_default();
    assert!(marks.contains("Package: lib\n") && !marks.contains("Package: tool\n"), "{marks}");
    // One user for one id.
    let passwd = text(&tree, "etc/passwd").expect("accounts");
    assert!(passwd.contains("vscode:") && !passwd.contains("ubuntu:"), "{passwd}");
    assert!(!text(&tree, "etc/group").expect("groups").contains("ubuntu:"));

    // A dependency moves it, with the scripts that an upgrade runs.
    fixture.manifest("[images.app]\nfrom = \"oci:images/base\"\npackages = [\"new\"]\n");
    built(&fixture);
    let tree = fixture.tree();
    assert_eq!(
        text(&tree, "etc/talk.log").as_deref(),
        Some(
            "preinst of 1: install\npostinst of 1: configure \nprerm of 1: upgrade 2\npreinst of 2: upgrade 1 2\n\
             postrm of 1: upgrade 2\npostinst of 2: configure 1\n"
        )
    );
    assert_eq!(text(&tree, "etc/lib.conf").as_deref(), Some("of 2\n"));
    assert!(tree.contains(&TreePath::literal("usr/share/lib/only-2")));
    assert!(!tree.contains(&TreePath::literal("usr/share/lib/only-1")), "whited out");
    assert!(installed(&fixture).contains(&"lib 2".to_owned()));
    assert_eq!(text(&tree, "etc/menus").as_deref(), Some("configure \ntriggered /usr/share/menu\n"));
}

#[test]
fn the_lock_pins_a_base_until_it_is_upgraded() {
    let fixture = with_base(BASE, OS_RELEASE, base_packages());
    let app = "[images.app]\nfrom = \"oci:images/base\"\ncmd = [\"x\"]\n[images.child]\nfrom = \"app\"\npackages = [\"extra\"]\n";
    fixture.manifest(app);
    let lock = |options: &LockOptions| fixture.lock(options).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let first = lock(&LockOptions::default());
    assert_eq!((first.outcome, first.bases.len()), (LockOutcome::Created, 1));
    assert_eq!(first.images.iter().map(|image| image.packages).collect::<Vec<_>>(), [0, 1]);
    let before = (fixture.read("plywood.lock"), built(&fixture).images);
    // Whoever moves the tag, or here the layout, does not move the lock.
    let lock_text = fixture.read("plywood.lock");
    fixture.manifest("[images.base]\npackages = [\"system\", \"tool\", \"menus\"]\nenv = { NEW = \"1\" }\n");
    std::fs::remove_file(fixture.path().join("plywood.lock")).expect("removed");
    make_base(&fixture);
    fixture.manifest(app);
    fixture.write("plywood.lock", &lock_text);
    assert_eq!(lock(&LockOptions::default()).outcome, LockOutcome::Unchanged);
    let after = (fixture.read("plywood.lock"), built(&fixture).images);
    assert_eq!(after.0, before.0);
    assert_eq!(after.1[0].digest, before.1[0].digest);
    let upgrade = Upgrade::Packages(vec!["oci:images/base".to_owned()]);
    let moved = lock(&LockOptions { upgrade, ..LockOptions::default() });
    assert_eq!(moved.outcome, LockOutcome::Updated);
    assert!(moved.bases[0].from.is_some() && moved.bases[0].from != moved.bases[0].to, "{:?}", moved.bases);
    assert!(fixture.read("plywood.lock").contains("NEW=1"));
}

#[test]
fn what_cannot_be_is_explained() {
    let mut fixture = with_base(BASE, OS_RELEASE, base_packages());
    fixture.archive.add("trixie", plain("rival", "1", &[("Conflicts", "tool")]));
    fixture.republish();
    let fails = |manifest: &str| {
        fixture.manifest(manifest);
        let error = fixture.build("cache").expect_err(manifest);
        format!("{}; {}", chain(&error), error.hint().unwrap_or_default())
    };
    let error = fails("[images.app]\nfrom = \"oci:images/base\"\npackages = [\"rival\"]\n");
    assert!(error.contains("rival conflicts with tool, and tool is there already"), "{error}");
    let error = fails("[images.app]\nfrom = \"oci:images/none\"\n");
    assert!(error.contains("cannot build on `oci:images/none`"), "{error}");
    let error = fails("[images.app]\nfrom = \"oci:images/base\"\nplatforms = [\"linux/arm64\", \"linux/amd64\"]\n");
    assert!(error.contains("`oci:images/base` is not made for"), "{error}");

    // A base without dpkg takes everything but packages.
    let bare = with_base(
        "[images.bare]\ndebian = false\nfiles = { \"/etc/os-release\" = { text = \"ID=bare\\nPRETTY_NAME=Bare\\n\" } }\n",
        "",
        [],
    );
    bare.manifest("[images.app]\nfrom = \"oci:images/base\"\npackages = [\"tool\"]\n");
    let error = bare.build("cache").expect_err("no dpkg");
    assert!(chain(&error).contains("cannot put packages on `oci:images/base`: Bare has no dpkg"), "{}", chain(&error));
    assert!(error.hint().is_some_and(|hint| hint.contains("leave `packages` out")));
    bare.manifest("[images.app]\nfrom = \"oci:images/base\"\nfiles = { \"/hello\" = { text = \"hi\" } }\n");
    built(&bare);
    assert_eq!(text(&bare.tree(), "hello").as_deref(), Some("hi"));
    assert!(!bare.tree().contains(&TreePath::literal("var/lib/dpkg")));
}

#[test]
fn another_distribution_has_its_own_archive_and_keys() {
    let mut ubuntu = TestArchive::new(TestKey::new("ubuntu"), &["noble"]);
    ubuntu.valid_for = None;
    ubuntu.add("noble", plain("hello", "1ubuntu1", &[("Depends", "tool")]));
    let server = ubuntu.serve();
    let keyring = package("ubuntu-keyring", "1")
        .file("./usr/share/keyrings/ubuntu-archive-keyring.gpg", 0o644, ubuntu.key.public())
        .build();
    let base = "[images.base]\npackages = [\"system\", \"tool\", \"ubuntu-keyring\"]\n";
    let packages = [plain("tool", "1", &[]), plain("hello", "1", &[]), keyring];
    let fixture = with_base(base, "ID=ubuntu\nVERSION_CODENAME=noble\n", packages);
    let app = |key: &str| {
        format!(
            "[images.app]\nfrom = \"oci:images/base\"\npackages = [\"hello\"]\n[images.app.debian]\nupdates = false\n\
             security = false\nmirrors = [\"{}\"]\n{key}",
            server.url().to_string().trim_end_matches('/')
        )
    };
    // The base's own keys, then those that the manifest names, then those of somebody else.
    fixture.manifest(&app(""));
    built(&fixture);
    assert!(installed(&fixture).contains(&"hello 1ubuntu1".to_owned()));
    let lock = fixture.read("plywood.lock");
    assert!(lock.contains("distribution = \"ubuntu noble\"") && lock.contains("\"ubuntu noble "), "{lock}");
    std::fs::create_dir(fixture.path().join("keys")).expect("a folder");
    for (name, key) in [("right", &ubuntu.key), ("wrong", &fixture.archive.key)] {
        std::fs::write(fixture.path().join(format!("keys/{name}.gpg")), key.public()).expect("written");
    }
    let lock_with = |key: &str| {
        std::fs::remove_file(fixture.path().join("plywood.lock")).expect("removed");
        fixture.manifest(&app(&format!("key = \"keys/{key}.gpg\"\n")));
        fixture.lock(&LockOptions::default())
    };
    lock_with("right").unwrap_or_else(|error| panic!("{}", chain(&error)));
    let error = lock_with("wrong").expect_err("not signed by it");
    assert!(chain(&error).contains("noble"), "{}", chain(&error));
}
