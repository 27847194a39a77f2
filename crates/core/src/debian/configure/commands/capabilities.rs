//! `setcap` and `getcap`: file capabilities as the kernel keeps them in `security.capability` (capabilities(7)).

use bstr::{BString, ByteSlice as _};

use super::Outcome;
use crate::debian::configure::system::System;
use crate::shell::{Commands, Invocation, Status};

const XATTR: &str = "security.capability";
/// `VFS_CAP_REVISION_2`.
const REVISION_2: u32 = 0x0200_0000;
/// `VFS_CAP_FLAGS_EFFECTIVE`.
const EFFECTIVE: u32 = 1;

/// Names by number (`linux/capability.h`).
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

pub(super) fn register(commands: &mut Commands<System>) {
    commands.register("setcap", setcap);
    commands.register("getcap", getcap);
}

fn setcap(call: &mut Invocation<'_, '_, System>) -> Outcome {
    let words: Vec<BString> = call.args.iter().filter(|word| *word != "-q").cloned().collect();
    let [text, file] = words.as_slice() else { return Err(call.unsupported(bstr::join(" ", &call.args))) };
    let Some((path, _)) = call.stat(file, true) else { return call.fail(format!("{file}: No such file or directory")) };
    if text == "-r" {
        call.machine.tree.set_meta(&path, |meta| _ = meta.xattrs.remove(XATTR.as_bytes().as_bstr()))?;
        return Ok(Status::SUCCESS);
    }
    let Some(value) = encode(text) else { return Err(call.unsupported(text)) };
    call.machine.tree.set_meta(&path, |meta| _ = meta.xattrs.insert(XATTR.into(), value.clone().into()))?;
    Ok(Status::SUCCESS)
}

fn getcap(call: &mut Invocation<'_, '_, System>) -> Outcome {
    for file in call.args.clone().iter().filter(|word| !word.starts_with(b"-")) {
        let has =
            call.stat(file, true).is_some_and(|(_, node)| node.meta.xattrs.contains_key(XATTR.as_bytes().as_bstr()));
        if has {
            call.out(format!("{file} =\n"))?;
        }
    }
    Ok(Status::SUCCESS)
}

/// `cap_net_raw,cap_net_admin+ep` and its like (cap_from_text(3)) as a revision 2 attribute.
fn encode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut permitted, mut inheritable, mut effective) = (0u64, 0u64, false);
    for clause in text.fields() {
        let at = clause.iter().position(|byte| matches!(byte, b'+' | b'='))?;
        let (names, flags) = clause.split_at(at);
        let mut bits = 0;
        for name in names.split_str(",").filter(|name| !name.is_empty()) {
            let name = name.to_ascii_lowercase();
            let short = name.strip_prefix(b"cap_")?;
            bits |= 1u64 << NAMES.iter().position(|known| known.as_bytes() == short)?;
        }
        for flag in flags.iter().skip(1) {
            match flag {
                b'p' => permitted |= bits,
                b'i' => inheritable |= bits,
                b'e' => effective = true,
                _ => return None,
            }
        }
    }
    let flags = REVISION_2 | if effective { EFFECTIVE } else { 0 };
    let halves = [permitted as u32, inheritable as u32, (permitted >> 32) as u32, (inheritable >> 32) as u32];
    Some([flags].into_iter().chain(halves).flat_map(u32::to_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_is_the_kernels() {
        let hex = |text: &str| encode(text.as_bytes()).map(|bytes| data_encoding::HEXLOWER.encode(&bytes));
        assert_eq!(hex("cap_net_raw+ep").as_deref(), Some("0100000200200000000000000000000000000000"));
        assert_eq!(hex("cap_net_raw=p").as_deref(), Some("0000000200200000000000000000000000000000"));
        assert_eq!(hex("cap_bpf,cap_chown+eip").as_deref(), Some("0100000201000000010000008000000080000000"));
        assert_eq!(hex("cap_unknown+p"), None);
        assert_eq!(hex("nonsense"), None);
    }
}
