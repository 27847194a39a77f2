//! The shadow suite: `useradd`, `usermod`, `groupadd`, `gpasswd`, `passwd`, `chage`, `pwconv` and their kin.

use bstr::{BString, ByteSlice as _};

use super::{Outcome, arguments, finish};
use crate::debian::configure::accounts::{Accounts, AddUserError, NewUser};
use crate::debian::configure::args::{Arguments, OptionTable, Takes};
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("useradd", useradd);
    commands.register("usermod", usermod);
    commands.register("userdel", userdel);
    commands.register("groupadd", groupadd);
    commands.register("groupmod", groupmod);
    commands.register("groupdel", groupdel);
    commands.register("gpasswd", gpasswd);
    commands.register("passwd", passwd);
    commands.register("chage", chage);
    commands.register("chfn", chfn);
    commands.register("chsh", chsh);
    commands.register("pwconv", |call| accounts(call, |accounts, _| Ok(accounts.pwconv().map(|()| true)?)));
    commands.register("grpconv", |call| accounts(call, |accounts, _| Ok(accounts.grpconv().map(|()| true)?)));
    // What they would check was written by us a moment ago.
    commands.register("pwck", |_| Ok(Status::SUCCESS));
    commands.register("grpck", |_| Ok(Status::SUCCESS));
}

/// Runs a change of the accounts; `false` is the program's failure.
fn accounts(
    call: &mut Invocation<'_, '_, System>,
    change: impl FnOnce(&mut Accounts<'_>, &[BString]) -> Result<bool, AddUserError>,
) -> Outcome {
    let (now, operands) = (call.machine.now, call.args.clone());
    let machine = &mut *call.machine;
    let mut accounts = Accounts::new(&mut machine.tree, now);
    match change(&mut accounts, &operands) {
        Ok(done) => Ok(Status::from_bool(done)),
        Err(error) => finish(call, Err::<(), _>(error)),
    }
}

const USERADD: OptionTable = &[
    ("--system", "system", Takes::Nothing),
    ("-r", "system", Takes::Nothing),
    ("--create-home", "create-home", Takes::Nothing),
    ("-m", "create-home", Takes::Nothing),
    ("--no-create-home", "no-create-home", Takes::Nothing),
    ("-M", "no-create-home", Takes::Nothing),
    ("--home-dir", "home", Takes::Value),
    ("--home", "home", Takes::Value),
    ("-d", "home", Takes::Value),
    ("--gid", "gid", Takes::Value),
    ("-g", "gid", Takes::Value),
    ("--groups", "groups", Takes::Value),
    ("-G", "groups", Takes::Value),
    ("--uid", "uid", Takes::Value),
    ("-u", "uid", Takes::Value),
    ("--shell", "shell", Takes::Value),
    ("-s", "shell", Takes::Value),
    ("--comment", "comment", Takes::Value),
    ("-c", "comment", Takes::Value),
    ("--user-group", "user-group", Takes::Nothing),
    ("-U", "user-group", Takes::Nothing),
    ("--no-user-group", "no-user-group", Takes::Nothing),
    ("-N", "no-user-group", Takes::Nothing),
    ("--password", "password", Takes::Value),
    ("-p", "password", Takes::Value),
    ("--key", "key", Takes::Value),
    ("-K", "key", Takes::Value),
    ("--badname", "badname", Takes::Nothing),
    ("--badnames", "badname", Takes::Nothing),
    ("--no-log-init", "no-log-init", Takes::Nothing),
    ("-l", "no-log-init", Takes::Nothing),
    ("--non-unique", "non-unique", Takes::Nothing),
    ("-o", "non-unique", Takes::Nothing),
];

fn useradd(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, USERADD)?;
    let [name] = given.operands.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    let name = name.clone();
    accounts(call, |accounts, _| add_user(accounts, &given, name))
}

fn add_user(accounts: &mut Accounts<'_>, given: &Arguments, name: BString) -> Result<bool, AddUserError> {
    if accounts.users().get(&name).is_some() {
        return Ok(false);
    }
    let system = given.has("system");
    let uid = match given.number("uid") {
        Some(uid) => uid,
        None => accounts.free_uid(name.as_bstr(), system, true)?,
    };
    let gid = match given.value("gid") {
        Some(group) => accounts.gid_of(group).ok_or_else(|| AddUserError::NoSuchGroup(group.into()))?,
        None if given.has("no-user-group") => 100,
        None => {
            accounts.add_group_like_adduser(name.as_bstr(), Some(uid), system)?;
            uid
        }
    };
    let home = given.value("home").map_or_else(|| [b"/home/", name.as_slice()].concat().into(), BString::from);
    let user = NewUser {
        uid,
        gid,
        gecos: given.value("comment").map(BString::from).unwrap_or_default(),
        home,
        // Debian's useradd(8) gives /bin/sh where /etc/default/useradd says nothing else.
        shell: given.value("shell").map_or_else(|| "/bin/sh".into(), BString::from),
        system,
        password: given.value("password").map_or_else(|| "!".into(), BString::from),
        expires: BString::default(),
        name,
    };
    accounts.add_user(&user)?;
    if given.has("create-home") {
        accounts.create_home(&user, 0o700, true)?;
    }
    for group in given.value("groups").into_iter().flat_map(|groups| groups.split_str(",")) {
        accounts.add_member(&user.name, group)?;
    }
    Ok(true)
}

const USERMOD: OptionTable = &[
    ("--append", "append", Takes::Nothing),
    ("-a", "append", Takes::Nothing),
    ("--groups", "groups", Takes::Value),
    ("-G", "groups", Takes::Value),
    ("--comment", "comment", Takes::Value),
    ("-c", "comment", Takes::Value),
    ("--home", "home", Takes::Value),
    ("-d", "home", Takes::Value),
    ("--shell", "shell", Takes::Value),
    ("-s", "shell", Takes::Value),
    ("--gid", "gid", Takes::Value),
    ("-g", "gid", Takes::Value),
    ("--uid", "uid", Takes::Value),
    ("-u", "uid", Takes::Value),
    ("--lock", "lock", Takes::Nothing),
    ("-L", "lock", Takes::Nothing),
    ("--unlock", "unlock", Takes::Nothing),
    ("-U", "unlock", Takes::Nothing),
    ("--password", "password", Takes::Value),
    ("-p", "password", Takes::Value),
    ("--expiredate", "expires", Takes::Value),
    ("-e", "expires", Takes::Value),
];

fn usermod(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, USERMOD)?;
    let [name] = given.operands.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    accounts(call, |accounts, _| {
        let gid = given.value("gid").and_then(|group| accounts.gid_of(group));
        let found = accounts.change_user(name, |user| {
            let set = |field: &mut BString, option: &str| {
                if let Some(value) = given.value(option) {
                    *field = value.into();
                }
            };
            set(&mut user.gecos, "comment");
            set(&mut user.home, "home");
            set(&mut user.shell, "shell");
            user.uid = given.number("uid").unwrap_or(user.uid);
            user.gid = gid.unwrap_or(user.gid);
        })?;
        if ["lock", "unlock", "password", "expires"].iter().any(|option| given.has(option)) {
            accounts.change_password(name, |entry| change_password(entry, &given))?;
        }
        for group in given.value("groups").into_iter().flat_map(|groups| groups.split_str(",")) {
            accounts.add_member(name, group)?;
        }
        Ok(found)
    })
}

fn change_password(entry: &mut crate::debian::configure::accounts::Shadow, given: &Arguments) {
    if let Some(password) = given.value("password") {
        entry.password = password.into();
    }
    if given.has("lock") && !entry.password.starts_with(b"!") {
        entry.password.insert(0, b'!');
    }
    if given.has("unlock") && entry.password.len() > 1 && entry.password.starts_with(b"!") {
        entry.password.remove(0);
    }
    if let Some(expires) = given.value("expires")
        && let Some(field) = entry.ageing.get_mut(5)
    {
        *field = if expires == "-1" { BString::default() } else { expires.into() };
    }
}

const NAME_ONLY: OptionTable = &[
    ("-r", "remove", Takes::Nothing),
    ("--remove", "remove", Takes::Nothing),
    ("-f", "force", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
];

fn userdel(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, NAME_ONLY)?;
    accounts(call, |accounts, _| match given.operands.as_slice() {
        [name] => Ok(accounts.delete_user(name)?),
        _ => Ok(false),
    })
}

fn groupdel(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, NAME_ONLY)?;
    accounts(call, |accounts, _| match given.operands.as_slice() {
        [name] => Ok(accounts.delete_group(name)?),
        _ => Ok(false),
    })
}

const GROUPADD: OptionTable = &[
    ("--gid", "gid", Takes::Value),
    ("-g", "gid", Takes::Value),
    ("--system", "system", Takes::Nothing),
    ("-r", "system", Takes::Nothing),
    ("--force", "force", Takes::Nothing),
    ("-f", "force", Takes::Nothing),
    ("-K", "key", Takes::Value),
];

fn groupadd(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, GROUPADD)?;
    accounts(call, |accounts, _| match given.operands.as_slice() {
        // With -f a group that exists is success (groupadd(8)).
        [name] if accounts.groups().get(name).is_some() => Ok(given.has("force")),
        [name] => {
            accounts.add_group_like_adduser(name.as_bstr(), given.number("gid"), given.has("system"))?;
            Ok(true)
        }
        _ => Ok(false),
    })
}

const GROUPMOD: OptionTable = &[("-n", "name", Takes::Value), ("--new-name", "name", Takes::Value)];

fn groupmod(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, GROUPMOD)?;
    accounts(call, |accounts, _| match (given.operands.as_slice(), given.value("name")) {
        ([old], Some(new)) => Ok(accounts.rename_group(old, new)?),
        _ => Ok(false),
    })
}

const GPASSWD: OptionTable = &[
    ("-a", "add", Takes::Value),
    ("--add", "add", Takes::Value),
    ("-d", "delete", Takes::Value),
    ("--delete", "delete", Takes::Value),
];

fn gpasswd(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, GPASSWD)?;
    let [group] = given.operands.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    accounts(call, |accounts, _| match (given.value("add"), given.value("delete")) {
        (Some(user), None) => Ok(accounts.add_member(user, group)?),
        (None, Some(user)) => Ok(accounts.remove_member(user, group)?),
        _ => Ok(false),
    })
}

const PASSWD: OptionTable = &[
    ("-l", "lock", Takes::Nothing),
    ("--lock", "lock", Takes::Nothing),
    ("-u", "unlock", Takes::Nothing),
    ("--unlock", "unlock", Takes::Nothing),
    ("-d", "delete", Takes::Nothing),
    ("--delete", "delete", Takes::Nothing),
    ("-q", "quiet", Takes::Nothing),
    ("--quiet", "quiet", Takes::Nothing),
];

fn passwd(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, PASSWD)?;
    let [name] = given.operands.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    if !["lock", "unlock", "delete"].iter().any(|option| given.has(option)) {
        return Err(call.unsupported("asking for a password"));
    }
    accounts(call, |accounts, _| {
        Ok(accounts.change_password(name, |entry| {
            if given.has("delete") {
                entry.password.clear();
            }
            change_password(entry, &given);
        })?)
    })
}

const CHAGE: OptionTable = &[
    ("-M", "maximum", Takes::Value),
    ("-m", "minimum", Takes::Value),
    ("-W", "warn", Takes::Value),
    ("-I", "inactive", Takes::Value),
    ("-E", "expires", Takes::Value),
    ("-d", "last", Takes::Value),
];

fn chage(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, CHAGE)?;
    let [name] = given.operands.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    accounts(call, |accounts, _| {
        Ok(accounts.change_password(name, |entry| {
            let options = ["last", "minimum", "maximum", "warn", "inactive", "expires"];
            for (field, option) in entry.ageing.iter_mut().zip(options) {
                if let Some(value) = given.value(option) {
                    *field = if value == "-1" { BString::default() } else { value.into() };
                }
            }
        })?)
    })
}

const CHFN: OptionTable = &[("-f", "name", Takes::Value), ("--full-name", "name", Takes::Value)];

fn chfn(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, CHFN)?;
    accounts(call, |accounts, _| match (given.operands.as_slice(), given.value("name")) {
        ([user], Some(name)) => Ok(accounts.change_user(user, |user| user.gecos = name.into())?),
        _ => Ok(false),
    })
}

const CHSH: OptionTable = &[("-s", "shell", Takes::Value), ("--shell", "shell", Takes::Value)];

fn chsh(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let given = arguments(call, CHSH)?;
    accounts(call, |accounts, _| match (given.operands.as_slice(), given.value("shell")) {
        ([user], Some(shell)) => Ok(accounts.change_user(user, |user| user.shell = shell.into())?),
        _ => Ok(false),
    })
}
