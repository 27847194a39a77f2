//! `update-rc.d` without insserv, and the commands that would start services (update-rc.d(8), invoke-rc.d(8)).

use bstr::{BString, ByteSlice as _};

use super::Outcome;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, ShellError, Status};
use crate::tree::{Meta, Node, TreeError, TreePath};

/// The run levels that have a directory `/etc/rcX.d`.
const RUN_LEVELS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "S"];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("update-rc.d", update_rc);
    // Nothing is started while an image is made, as policy-rc.d says in any chroot.
    for name in ["invoke-rc.d", "service", "start-stop-daemon", "rc-update", "initctl"] {
        commands.register(name, |_| Ok(Status::SUCCESS));
    }
}

fn update_rc(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let words: Vec<BString> = call.args.iter().filter(|word| *word != "-f").cloned().collect();
    let [name, action, ..] = words.as_slice() else { return call.fail("not enough arguments") };
    match action.as_slice() {
        b"defaults" | b"start" | b"stop" => make_links(call, name, b'S'),
        b"defaults-disabled" => make_links(call, name, b'K'),
        b"remove" => {
            for link in links(call, name) {
                call.machine.tree.remove_all(&link);
            }
            Ok(Status::SUCCESS)
        }
        b"enable" | b"disable" => toggle(call, name, action == "enable"),
        _ => Err(call.unsupported(action)),
    }
}

/// The links there are for a script, whatever their number.
fn links(call: &Invocation<'_, '_, System>, name: &BString) -> Vec<TreePath> {
    let is_of = |path: &TreePath| {
        path.file_name().is_some_and(|file| match file.as_bytes() {
            [b'S' | b'K', first, second, rest @ ..] => {
                first.is_ascii_digit() && second.is_ascii_digit() && rest == name.as_slice()
            }
            _ => false,
        })
    };
    let directories = RUN_LEVELS.iter().filter_map(|level| TreePath::parse(format!("etc/rc{level}.d")).ok());
    let tree = &call.machine.tree;
    directories
        .flat_map(|directory| tree.children(&directory).map(|(path, _)| path.clone()).collect::<Vec<_>>())
        .filter(is_of)
        .collect()
}

fn make_links(call: &mut Invocation<'_, '_, System>, name: &BString, start: u8) -> Outcome {
    if !links(call, name).is_empty() {
        return Ok(Status::SUCCESS);
    }
    let script = [b"/etc/init.d/", name.as_slice()].concat();
    let Ok(text) = call.read_file(&script) else {
        return call.fail(format!("unable to read /etc/init.d/{name}"));
    };
    let (starts, stops) = (lsb_levels(&text, "Default-Start"), lsb_levels(&text, "Default-Stop"));
    let both = starts.iter().map(|level| (level, start)).chain(stops.iter().map(|level| (level, b'K')));
    for (level, letter) in both {
        make_link(call, name, level, letter)?;
    }
    Ok(Status::SUCCESS)
}

fn make_link(call: &mut Invocation<'_, '_, System>, name: &BString, level: &str, letter: u8) -> Result<(), ShellError> {
    let now = call.machine.now;
    let path = format!("etc/rc{level}.d/{}01{name}", char::from(letter));
    let path = TreePath::parse(path).map_err(TreeError::from)?;
    if let Some(parent) = path.parent() {
        call.machine.tree.create_dir_all(&parent, &Meta::root(0o755, now))?;
    }
    if !call.machine.tree.contains(&path) {
        call.machine.tree.insert(path, Node::symlink(format!("../init.d/{name}"), now))?;
    }
    Ok(())
}

/// Turns start links into stop links or back.
fn toggle(call: &mut Invocation<'_, '_, System>, name: &BString, enable: bool) -> Outcome {
    let (from, to) = if enable { (b'K', b'S') } else { (b'S', b'K') };
    for link in links(call, name) {
        let in_start_level = link
            .components()
            .nth(1)
            .is_some_and(|directory| directory.get(2).is_some_and(|level| matches!(level, b'2'..=b'5' | b'S')));
        if let Some(file) = link.file_name().filter(|file| in_start_level && file.first() == Some(&from))
            && let Some(parent) = link.parent()
        {
            let renamed = parent.join([&[to], file.get(1..).unwrap_or_default()].concat()).map_err(TreeError::from)?;
            call.machine.tree.rename(&link, &renamed)?;
        }
    }
    Ok(Status::SUCCESS)
}

/// The run levels of a keyword in the script's LSB header.
fn lsb_levels(script: &[u8], keyword: &str) -> Vec<String> {
    let header = script.lines().skip_while(|line| !line.starts_with(b"### BEGIN INIT INFO"));
    let header = header.take_while(|line| !line.starts_with(b"### END INIT INFO"));
    let mut levels = Vec::new();
    for line in header {
        let value = line.strip_prefix(b"# ").and_then(|line| line.strip_prefix(keyword.as_bytes()));
        if let Some(value) = value.and_then(|value| value.strip_prefix(b":")) {
            levels = value.fields().filter_map(|level| level.to_str().ok()).map(str::to_owned).collect();
        }
    }
    levels
}
