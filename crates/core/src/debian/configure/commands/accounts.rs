//! `adduser`, `addgroup`, `deluser`, `delgroup` (adduser(8), deluser(8)).

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments};
use crate::debian::configure::accounts::{Accounts, AddSystemUser, NewUser};
use crate::debian::configure::args::{OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

const OPTIONS: OptionTable = &[
    ("--system", "system", Takes::Nothing),
    ("-r", "system", Takes::Nothing),
    ("--group", "group", Takes::Nothing),
    ("--home", "home", Takes::Value),
    ("--no-create-home", "no-create-home", Takes::Nothing),
    ("--disabled-login", "disabled-login", Takes::Nothing),
    ("--disabled-password", "disabled-password", Takes::Nothing),
    ("--gecos", "gecos", Takes::Value),
    ("--comment", "gecos", Takes::Value),
    ("--shell", "shell", Takes::Value),
    ("--uid", "uid", Takes::Value),
    ("--gid", "gid", Takes::Value),
    ("--ingroup", "ingroup", Takes::Value),
    ("--quiet", "quiet", Takes::Nothing),
    ("-q", "quiet", Takes::Nothing),
    ("--debug", "quiet", Takes::Nothing),
    ("--verbose", "quiet", Takes::Nothing),
    ("--force-badname", "badname", Takes::Nothing),
    ("--allow-badname", "badname", Takes::Nothing),
    ("--allow-bad-names", "badname", Takes::Nothing),
    ("--allow-all-names", "badname", Takes::Nothing),
    ("--firstuid", "firstuid", Takes::Value),
    ("--lastuid", "lastuid", Takes::Value),
    ("--add-extra-groups", "quiet", Takes::Nothing),
    ("--remove-home", "remove-home", Takes::Nothing),
    ("--only-if-empty", "only-if-empty", Takes::Nothing),
    ("--encrypt-home", "encrypt-home", Takes::Nothing),
];

/// adduser chooses uid and gid as one pair up to this version.
const LAST_WITH_PAIRED_IDS: &str = "3.136~";

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("adduser", adduser);
    commands.register("addgroup", addgroup);
    commands.register("deluser", deluser);
    commands.register("delgroup", delgroup);
}

fn adduser(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    match given.operands.as_slice() {
        [user, group] => add_to_group(call, user, group),
        [name] if given.has("system") => {
            let paired_ids = call.machine.state.has_version_before("adduser", LAST_WITH_PAIRED_IDS);
            let wanted = AddSystemUser {
                name: name.clone(),
                uid: given.number("uid"),
                gid: given.number("gid"),
                ingroup: given.value("ingroup").map(BString::from),
                own_group: given.has("group"),
                home: given.value("home").map(BString::from),
                no_create_home: given.has("no-create-home"),
                shell: given.value("shell").map(BString::from),
                gecos: given.value("gecos").map(BString::from),
                paired_ids,
            };
            let now = call.machine.now;
            let result = Accounts::new(&mut call.machine.tree, now).add_system_user(&wanted);
            super::finish(call, result)
        }
        [name] if given.has("group") => make_group(call, name, given.number("gid"), false),
        [name] if given.has("disabled-login") || given.has("disabled-password") => {
            let name = name.clone();
            ordinary_user(call, &given, name)
        }
        // A password would have to be asked for.
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

/// A person's account without a password.
fn ordinary_user(
    call: &mut Invocation<'_, '_, System>,
    given: &crate::debian::configure::args::Arguments,
    name: BString,
) -> Outcome {
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    if accounts.users().get(&name).is_some() {
        return call.fail("the user already exists");
    }
    let result = (|| {
        let uid = match given.number("uid") {
            Some(uid) => uid,
            None => accounts.free_uid(name.as_bstr(), false, true)?,
        };
        let gid = match given.value("ingroup").and_then(|group| accounts.gid_of(group)).or(given.number("gid")) {
            Some(gid) => gid,
            None => {
                accounts.add_group_like_adduser(name.as_bstr(), Some(uid), false)?;
                uid
            }
        };
        let home = given.value("home").map_or_else(|| [b"/home/", name.as_slice()].concat().into(), BString::from);
        let user = NewUser {
            uid,
            gid,
            gecos: given.value("gecos").map(BString::from).unwrap_or_default(),
            home,
            shell: given.value("shell").map_or_else(|| "/bin/bash".into(), BString::from),
            system: false,
            password: if given.has("disabled-login") { "!".into() } else { "*".into() },
            expires: BString::default(),
            name,
        };
        accounts.add_user(&user)?;
        if !given.has("no-create-home") {
            accounts.create_home(&user, 0o700, true)?;
        }
        Ok::<_, crate::debian::configure::accounts::AddUserError>(())
    })();
    super::finish(call, result)
}

fn add_to_group(call: &mut Invocation<'_, '_, System>, user: &BString, group: &BString) -> Outcome {
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    if accounts.users().get(user).is_none() {
        return call.fail(format!("The user `{user}' does not exist."));
    }
    match accounts.add_member(user, group)? {
        true => Ok(Status::SUCCESS),
        false => call.fail(format!("The group `{group}' does not exist.")),
    }
}

fn addgroup(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    match given.operands.as_slice() {
        [user, group] => add_to_group(call, user, group),
        [name] => make_group(call, name, given.number("gid"), given.has("system")),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

fn make_group(call: &mut Invocation<'_, '_, System>, name: &BString, gid: Option<u32>, system: bool) -> Outcome {
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    if !system && accounts.groups().get(name).is_some() {
        return call.fail(format!("The group `{name}' already exists."));
    }
    let result = accounts.add_group_like_adduser(name.as_bstr(), gid, system);
    super::finish(call, result)
}

fn deluser(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    match given.operands.as_slice() {
        [user, group] => Ok(Status::from_bool(accounts.remove_member(user, group)?)),
        [name] => {
            // adduser's own group goes with its user; a missing system user is no error (deluser(8), `--system`).
            let existed = accounts.delete_user(name)?;
            let own_group = accounts.groups().get(name).is_some_and(|group| group.members.is_empty());
            if existed && own_group {
                accounts.delete_group(name)?;
            }
            Ok(Status::from_bool(existed || given.has("system")))
        }
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}

fn delgroup(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, OPTIONS)?;
    let now = call.machine.now;
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    match given.operands.as_slice() {
        [name] => Ok(Status::from_bool(accounts.delete_group(name)? || given.has("system"))),
        _ => Err(call.unsupported(bstr::join(" ", &call.args))),
    }
}
