//! `docs/commands.md` is what `--help` says.

use std::fmt::Write as _;
use std::path::Path;

use assert_cmd::Command;

/// Every command with help of its own, in the order of `plywood --help`.
const COMMANDS: &[&[&str]] = &[
    &["lock"],
    &["build"],
    &["push"],
    &["promote"],
    &["prune"],
    &["test"],
    &["run"],
    &["inspect"],
    &["sign"],
    &["attest"],
    &["verify"],
    &["referrers"],
    &["audit"],
    &["why"],
    &["bundle"],
    &["bundle", "create"],
    &["bundle", "inspect"],
    &["bundle", "push"],
    &["bundle", "load"],
    &["bundle", "unpack"],
    &["key"],
    &["key", "generate"],
    &["doctor"],
    &["cache"],
    &["cache", "show"],
    &["cache", "prune"],
    &["cache", "push"],
    &["schema"],
    &["completions"],
    &["man"],
];

fn help(command: &[&str]) -> String {
    let mut plywood = Command::cargo_bin("plywood").expect("the program is built");
    let output = plywood.args(command).arg("--help").env_remove("PLYWOOD_CACHE").output().expect("it runs");
    assert!(output.status.success(), "{command:?} has help");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The help of a command without the options that all commands have.
fn own_help(command: &[&str]) -> String {
    let help = help(command);
    let (before, after) = help.split_once("Global options:\n").expect("global options");
    let examples = after.split_once("Examples:\n").map(|(_, examples)| format!("Examples:\n{examples}"));
    let own = before
        .replace("  -V, --version\n          Print version\n", "")
        .replace("  -h, --help\n          Print help\n", "");
    let own = own.replace("  -h, --help\n          Print help (see a summary with '-h')\n", "");
    format!("{}\n\n{}", own.trim_end(), examples.unwrap_or_default())
        .trim_end()
        .trim_end_matches("Options:")
        .trim_end()
        .to_owned()
}

fn document() -> String {
    let mut text = String::from("# Commands\n\nGenerated from the program; see CONTRIBUTING.md.\n");
    let _ = write!(text, "\n## plywood\n\n```text\n{}\n```\n", help(&[]).trim_end());
    for command in COMMANDS {
        let _ = write!(text, "\n## plywood {}\n\n```text\n{}\n```\n", command.join(" "), own_help(command));
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_documentation_of_commands_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let current = document();
    if std::env::var_os("PLYWOOD_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).expect("docs/commands.md is written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/commands.md is there");
    assert_eq!(written, current, "PLYWOOD_UPDATE_DOCS=1 cargo test -p plywood-cli --test docs");
}

#[test]
fn every_command_has_examples() {
    for command in COMMANDS {
        assert!(help(command).contains("Examples:\n"), "{command:?}");
    }
}

#[test]
fn every_command_is_in_the_documentation() {
    let help = help(&[]);
    let (_, commands) = help.split_once("Commands:\n").expect("a list of commands");
    let listed = commands.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let known: Vec<&str> = COMMANDS.iter().map(|command| command[0]).chain(["help"]).collect();
    for command in listed {
        assert!(known.contains(&command), "{command} is missing");
    }
}
