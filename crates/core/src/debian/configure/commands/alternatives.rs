//! `update-alternatives`: the command line (update-alternatives(1)).

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::{Outcome, after, finish};
use crate::debian::configure::alternatives::{Alternatives, Choice, Installation, LinkGroup, Mode};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("update-alternatives", update_alternatives);
}

fn update_alternatives(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let quiet = ["--quiet", "--verbose", "--force", "--skip-auto"];
    let words: Vec<BString> =
        call.args.iter().filter(|word| !quiet.iter().any(|option| word == option)).cloned().collect();
    let Some((action, operands)) = words.split_first() else { return call.fail("no action given") };
    let now = call.machine.now;
    let mut alternatives = Alternatives::new(&mut call.machine.tree, now);
    let result = match (action.as_slice(), operands) {
        (b"--install", _) => match installation(&words) {
            Some(installation) => alternatives.install(installation),
            None => return call.fail("--install needs <link> <name> <path> <priority>"),
        },
        (b"--set", [name, path]) => alternatives.set(name.as_bstr(), path.as_bstr()),
        (b"--auto", [name]) => alternatives.auto(name.as_bstr()),
        (b"--remove", [name, path]) => alternatives.remove(name.as_bstr(), path.as_bstr()),
        (b"--remove-all", [name]) => alternatives.remove_all(name.as_bstr()),
        (b"--list" | b"--query" | b"--display", [name]) => {
            let (group, current) = (alternatives.get(name.as_bstr()), alternatives.current(name.as_bstr()));
            return match group {
                Ok(Some(group)) => show(call, action.as_bstr(), name.as_bstr(), &group, current),
                Ok(None) => call.fail(format!("no alternatives for {name}")),
                Err(error) => call.fail(error.to_string()),
            };
        }
        // Choices stay as they are where nobody can be asked.
        (b"--config", [_]) => return Ok(Status::SUCCESS),
        _ => return Err(call.unsupported(bstr::join(" ", &call.args))),
    };
    finish(call, result)
}

/// `--install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...`.
fn installation(words: &[BString]) -> Option<Installation> {
    let (mut main, mut slave_links, mut files) = (None, BTreeMap::new(), BTreeMap::new());
    let mut rest = words;
    while let Some((option, values)) = rest.split_first() {
        match (option.as_slice(), values) {
            (b"--install", [link, name, path, priority, ..]) => {
                main = Some((link.clone(), name.clone(), path.clone(), priority.to_str().ok()?.parse().ok()?));
                rest = after(rest, 5);
            }
            (b"--slave" | b"--follower", [link, name, path, ..]) => {
                slave_links.insert(name.clone(), link.clone());
                files.insert(name.clone(), path.clone());
                rest = after(rest, 4);
            }
            _ => return None,
        }
    }
    let (link, name, path, priority) = main?;
    Some(Installation { name, link, choice: Choice { path, priority, slaves: files }, slave_links })
}

fn show(
    call: &mut Invocation<'_, '_, System>,
    action: &BStr,
    name: &BStr,
    group: &LinkGroup,
    current: Option<BString>,
) -> Outcome {
    let mut choices: Vec<&Choice> = group.choices.iter().collect();
    choices.sort_by_key(|choice| &choice.path);
    let mut text = BString::default();
    if action == "--query" {
        let mode = if group.mode == Mode::Auto { "auto" } else { "manual" };
        text.extend(format!("Name: {name}\nLink: {}\n", group.link).bytes());
        if !group.slaves.is_empty() {
            text.extend_from_slice(b"Slaves:\n");
            group.slaves.iter().for_each(|(name, link)| text.extend(format!(" {name} {link}\n").bytes()));
        }
        text.extend(format!("Status: {mode}\n").bytes());
        if let Some(best) = group.best() {
            text.extend(format!("Best: {}\n", best.path).bytes());
        }
        let value = current.unwrap_or_else(|| "none".into());
        text.extend(format!("Value: {value}\n").bytes());
        for choice in choices {
            text.extend(format!("\nAlternative: {}\nPriority: {}\n", choice.path, choice.priority).bytes());
            if !choice.slaves.is_empty() {
                text.extend_from_slice(b"Slaves:\n");
                choice.slaves.iter().for_each(|(name, file)| text.extend(format!(" {name} {file}\n").bytes()));
            }
        }
    } else if action == "--list" {
        choices.iter().for_each(|choice| text.extend(format!("{}\n", choice.path).bytes()));
    } else {
        display(&mut text, name, group, current, &choices);
    }
    call.out(text)?;
    Ok(Status::SUCCESS)
}

fn display(text: &mut BString, name: &BStr, group: &LinkGroup, current: Option<BString>, choices: &[&Choice]) {
    let mode = if group.mode == Mode::Auto { "auto" } else { "manual" };
    text.extend(format!("{name} - {mode} mode\n").bytes());
    if let Some(best) = group.best() {
        text.extend(format!("  link best version is {}\n", best.path).bytes());
    }
    match current {
        Some(path) => text.extend(format!("  link currently points to {path}\n").bytes()),
        None => text.extend_from_slice(b"  link currently absent\n"),
    }
    text.extend(format!("  link {name} is {}\n", group.link).bytes());
    group.slaves.iter().for_each(|(name, link)| text.extend(format!("  slave {name} is {link}\n").bytes()));
    for choice in choices {
        text.extend(format!("{} - priority {}\n", choice.path, choice.priority).bytes());
        choice.slaves.iter().for_each(|(name, file)| text.extend(format!("  slave {name}: {file}\n").bytes()));
    }
}
