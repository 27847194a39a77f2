//! What tells of the system or its users: `id`, `whoami`, `getent`, `uname`, `hostname`, `nproc`, `env`, `seq`.

use bstr::{BString, ByteSlice};

use super::super::{Invocation, ShellError, Status};
use super::accounts::{self, GROUP, PASSWD};
use super::options::{flag, parse, parse_leading, value};
use crate::platform::Platform;

pub(super) fn id<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[flag(b'u', "user"), flag(b'g', "group"), flag(b'G', "groups"), flag(b'n', "name"), flag(b'r', "real")],
    )?;
    let name = options.operands.first().cloned().unwrap_or_else(|| "root".into());
    let Some((uid, gid)) = accounts::user(call.machine, &name).filter(|(_, gid)| gid.is_some() || name == "root")
    else {
        return call.fail(format!("'{name}': no such user"));
    };
    let gid = gid.unwrap_or(0);
    let user_name = accounts::name(call.machine, PASSWD, uid);
    let groups = groups_of(call, &user_name, gid);
    let group_name = |gid: u32| accounts::name(call.machine, GROUP, gid).to_string();
    let show = |gid: &u32| if options.has("name") { group_name(*gid) } else { gid.to_string() };
    let text = if options.has("user") {
        if options.has("name") { user_name.to_string() } else { uid.to_string() }
    } else if options.has("groups") {
        groups.iter().map(show).collect::<Vec<_>>().join(" ")
    } else if options.has("group") {
        show(&gid)
    } else {
        let list: Vec<String> = groups.iter().map(|gid| format!("{gid}({})", group_name(*gid))).collect();
        format!("uid={uid}({user_name}) gid={gid}({}) groups={}", group_name(gid), list.join(","))
    };
    call.out(text + "\n")?;
    Ok(Status::SUCCESS)
}

/// A user's groups, the primary one first.
fn groups_of<S>(call: &Invocation<'_, '_, S>, user: &BString, primary: u32) -> Vec<u32> {
    let database = accounts::database(call.machine, GROUP);
    let member = |line: &[u8]| -> Option<u32> {
        let mut fields = line.split_str(":");
        let gid = fields.nth(2)?.to_str().ok()?.parse().ok()?;
        let is_member = fields.next()?.split_str(",").any(|member| member == user.as_slice());
        (is_member && gid != primary).then_some(gid)
    };
    [primary].into_iter().chain(database.lines().filter_map(member)).collect()
}

pub(super) fn whoami<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    call.out("root\n")?;
    Ok(Status::SUCCESS)
}

pub(super) fn groups<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let name = call.args.first().cloned().unwrap_or_else(|| "root".into());
    let Some((_, gid)) = accounts::user(call.machine, &name) else {
        return call.fail(format!("'{name}': no such user"));
    };
    let names: Vec<String> = groups_of(call, &name, gid.unwrap_or(0))
        .iter()
        .map(|gid| accounts::name(call.machine, GROUP, *gid).to_string())
        .collect();
    let prefix = if call.args.is_empty() { String::new() } else { format!("{name} : ") };
    call.out(format!("{prefix}{}\n", names.join(" ")))?;
    Ok(Status::SUCCESS)
}

pub(super) fn getent<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[value(b's', "service")])?;
    let Some((database, keys)) = options.operands.split_first() else { return call.fail("wrong number of arguments") };
    let path = match database.as_slice() {
        b"passwd" => PASSWD,
        b"group" => GROUP,
        b"shadow" => "/etc/shadow",
        b"gshadow" => "/etc/gshadow",
        b"services" | b"protocols" | b"hosts" | b"networks" | b"ahosts" => {
            return Err(call.unsupported(database));
        }
        _ => return call.fail(format!("Unknown database: {database}")),
    };
    let text = accounts::database(call.machine, path);
    if keys.is_empty() {
        call.out(text)?;
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for key in keys {
        let is_number = !key.is_empty() && key.iter().all(u8::is_ascii_digit);
        match accounts::entry(&text, if is_number { 2 } else { 0 }, key) {
            Some(fields) => call.out([bstr::join(":", fields).as_slice(), b"\n"].concat())?,
            None => status = Status(2),
        }
    }
    Ok(status)
}

pub(super) fn uname<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(
        call,
        &[
            flag(b's', "kernel-name"),
            flag(b'n', "nodename"),
            flag(b'r', "kernel-release"),
            flag(b'v', "kernel-version"),
            flag(b'm', "machine"),
            flag(b'p', "processor"),
            flag(b'i', "hardware-platform"),
            flag(b'o', "operating-system"),
            flag(b'a', "all"),
        ],
    )?;
    let machine = match call.machine.platform {
        Platform::LinuxAmd64 => "x86_64",
        Platform::LinuxArm64 => "aarch64",
    };
    // A kernel that no script has reason to take special care of, the same on every machine.
    let facts = [
        ("kernel-name", "Linux"),
        ("nodename", "localhost"),
        ("kernel-release", "6.12.0"),
        ("kernel-version", "#1 SMP"),
        ("machine", machine),
        ("processor", machine),
        ("hardware-platform", machine),
        ("operating-system", "GNU/Linux"),
    ];
    let hidden_in_all = ["processor", "hardware-platform"];
    let none = options.given().next().is_none();
    let shown = facts.iter().filter(|(name, _)| {
        options.has(name) || (options.has("all") && !hidden_in_all.contains(name)) || (none && *name == "kernel-name")
    });
    let words: Vec<&str> = shown.map(|(_, text)| *text).collect();
    call.out(words.join(" ") + "\n")?;
    Ok(Status::SUCCESS)
}

pub(super) fn arch<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    call.args = vec!["-m".into()];
    uname(call)
}

pub(super) fn hostname<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse(call, &[flag(b'f', "fqdn"), flag(b's', "short"), flag(0, "fqdn"), flag(b'd', "domain")])?;
    if !options.operands.is_empty() {
        return call.fail("you must be root to change the host name");
    }
    call.out(if options.has("domain") { "\n" } else { "localhost\n" })?;
    Ok(Status::SUCCESS)
}

pub(super) fn nproc<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    call.out("1\n")?;
    Ok(Status::SUCCESS)
}

/// A command that fails because there is no terminal.
pub(super) fn no_terminal<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    if call.name == "tty" {
        call.out("not a tty\n")?;
    }
    Ok(Status::FAILURE)
}

/// Commands whose only effect is outside the tree.
pub(super) fn nothing<S>(_: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    Ok(Status::SUCCESS)
}

pub(super) fn env<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_leading(call, &[flag(b'i', "ignore-environment"), value(b'u', "unset")])?;
    let saved = call.shell.variables.clone();
    if options.has("ignore-environment") || call.args.first().is_some_and(|arg| arg == "-") {
        call.shell.variables.retain(|_, variable| !variable.exported);
    }
    for name in options.values("unset") {
        call.shell.unset(name);
    }
    let mut words = options.operands.clone().into_iter().peekable();
    words.next_if(|word| word == "-");
    while let Some(word) = words.next_if(|word| word.contains(&b'=')) {
        if let Some(at) = word.find_byte(b'=') {
            call.shell.export(word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default());
        }
    }
    let command: Vec<BString> = words.collect();
    let ended = if command.is_empty() {
        let lines: Vec<Vec<u8>> =
            call.shell.environment().map(|(name, value)| [name.as_slice(), b"=", value, b"\n"].concat()).collect();
        call.out(lines.concat()).map(|()| Status::SUCCESS)
    } else {
        call.run(command)
    };
    call.shell.variables = saved;
    ended
}

/// A command that runs another: `nice`, `nohup`, `ionice`, `setsid`, `timeout`.
pub(super) fn wrapper<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let options = parse_leading(
        call,
        &[value(b'n', "adjustment"), value(b'c', "class"), value(b'k', "kill-after"), value(b's', "signal")],
    )?;
    let mut command = options.operands.clone();
    if call.name == "timeout" && !command.is_empty() {
        command.remove(0);
    }
    call.run(command)
}

pub(super) fn seq<S>(call: &mut Invocation<'_, '_, S>) -> Result<Status, ShellError> {
    let mut separator = BString::from("\n");
    let mut numbers = Vec::new();
    let mut padded = false;
    let mut args = call.args.clone().into_iter();
    while let Some(arg) = args.next() {
        match arg.as_slice() {
            b"-s" => separator = args.next().unwrap_or_default(),
            b"-w" => padded = true,
            [b'-', b's', rest @ ..] => separator = rest.into(),
            text => numbers.push(
                text.to_str().ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(|| call.unsupported(&arg))?,
            ),
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => return call.fail("missing operand"),
    };
    let width = if padded { first.to_string().len().max(last.to_string().len()) } else { 0 };
    let mut items = Vec::new();
    let mut value = first;
    while (step > 0 && value <= last) || (step < 0 && value >= last) {
        items.push(format!("{value:0width$}"));
        if items.len() > 1_000_000 {
            return Err(ShellError::Limit { limit: "1000000 numbers".to_owned(), line: call.line });
        }
        value = match value.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    if !items.is_empty() {
        call.out([bstr::join(&separator, items).as_slice(), b"\n"].concat())?;
    }
    Ok(Status::SUCCESS)
}
