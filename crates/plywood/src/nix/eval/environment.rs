//! The exported environment of a shell, as its derivation writes it.

use std::collections::BTreeMap;

use plywood_core::manifest::model::Shell;
use plywood_core::manifest::{EnvName, ShellName};

use super::EvalError;

/// What belongs to the process that exported a shell's environment, not to whoever gets it: Nix leaves the same out of
/// `nix develop` (Nix, `src/nix/develop.cc`), and the rest a container sets itself.
const NOT_EXPORTED: [&str; 21] = [
    "HOME",
    "HOSTNAME",
    "LOGNAME",
    "NIX_BUILD_TOP",
    "NIX_ENFORCE_PURITY",
    "NIX_LOG_FD",
    "NIX_REMOTE",
    "OLDPWD",
    "PPID",
    "PWD",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "TEMP",
    "TEMPDIR",
    "TERM",
    "TMP",
    "TMPDIR",
    "UID",
    "USER",
    "_",
];

/// Reads the variables that are for others than the process that exported them. What the manifest sets is always.
///
/// # Errors
/// When it is no JSON object of texts: a variable that is no UTF-8 makes it so.
pub(crate) fn parse(name: &ShellName, shell: &Shell, json: &[u8]) -> Result<BTreeMap<String, String>, EvalError> {
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(json).map_err(|source| EvalError::Environment { shell: name.to_string(), source })?;
    // An image's configuration ends a variable at its first NUL, which bash cannot export anyway.
    let usable = |(name, value): &(String, String)| name.parse::<EnvName>().is_ok() && !value.contains('\0');
    let declared = |name: &str| shell.env.keys().any(|declared| declared.as_str() == name);
    // What builds get in place of certificates (nixpkgs, stdenv's setup.sh).
    let own = |name: &str, value: &str| NOT_EXPORTED.contains(&name) || value.contains("/no-cert-file.crt");
    Ok(variables.into_iter().filter(usable).filter(|(name, value)| declared(name) || !own(name, value)).collect())
}

#[cfg(test)]
mod tests {
    use plywood_core::manifest::Manifest;

    use super::*;

    fn parse(json: &[u8]) -> Result<BTreeMap<String, String>, EvalError> {
        let text = "[workspace]\nname = \"w\"\n[shells.a]\nenv = { TMPDIR = \"/var/tmp\", USER = \"u\" }";
        let manifest = Manifest::parse(text).expect("a manifest");
        let (name, shell) = manifest.shells().next().expect("the shell");
        super::parse(name, shell, json)
    }

    #[test]
    fn variables_are_texts() {
        let variables = parse(br#"{"A":"it's \"x\"\n","BASH_FUNC_x%%":"()"}"#).expect("variables");
        assert_eq!(variables, BTreeMap::from([("A".to_owned(), "it's \"x\"\n".to_owned())]));
        assert!(parse(b"{\"A\":\"\xff\"}").is_err());
        assert!(parse(b"{\"A\":1}").is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn what_is_the_builders_is_left_out_unless_the_manifest_sets_it() {
        let json =
            br#"{"A":"","HOME":"/homeless-shelter","TEMP":"/build","TMPDIR":"/var/tmp","X":"/no-cert-file.crt"}"#;
        let variables = parse(json).expect("variables");
        assert_eq!(variables.keys().map(String::as_str).collect::<Vec<_>>(), ["A", "TMPDIR"]);
    }
}
