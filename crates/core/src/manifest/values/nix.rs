//! Names, attributes and addresses of Nix.

use super::{WorkspacePath, text_value};

text_value! {
    /// The name of a set of packages: an attribute of the flake that needs no quotes.
    SetName,
    kind: "the name of a set",
    pattern: r"^[a-z][a-z0-9_-]{0,127}$",
    examples: ["python"],
    check: |text| attribute_name(text)
}

text_value! {
    /// The name of a shell: an attribute of the flake that needs no quotes.
    ShellName,
    kind: "the name of a shell",
    pattern: r"^[a-z][a-z0-9_-]{0,127}$",
    examples: ["python"],
    check: |text| attribute_name(text)
}

text_value! {
    /// A package of the flake's nixpkgs by its attribute, `python312` or `openssl.dev`, or of another input: `input#attribute`.
    PackageAttribute,
    kind: "the attribute of a package",
    pattern: r"^([A-Za-z][A-Za-z0-9_-]*#)?[A-Za-z0-9_][A-Za-z0-9_'+-]*(\.[A-Za-z0-9_][A-Za-z0-9_'+-]*)*$",
    examples: ["python312", "openssl.dev", "other-input#tool"],
    check: |text| {
        let (input, attribute) = text.split_once('#').map_or((None, text), |(input, attribute)| (Some(input), attribute));
        let within = |rest: &[u8], more: &[u8]| rest.iter().all(|byte| byte.is_ascii_alphanumeric() || more.contains(byte));
        let is_input = |input: &str| match input.as_bytes() {
            [first, rest @ ..] => first.is_ascii_alphabetic() && within(rest, b"_-"),
            [] => false,
        };
        let is_name = |name: &str| match name.as_bytes() {
            [first, rest @ ..] => (first.is_ascii_alphanumeric() || *first == b'_') && within(rest, b"_'+-"),
            [] => false,
        };
        match attribute {
            _ if text.len() > 512 => Err("it is longer than 512 characters"),
            _ if !input.is_none_or(is_input) => Err("the part before `#` names an input of the flake: letters, digits, `_` and `-`"),
            _ if attribute.contains('^') => Err("an output is named with a dot, as in \"openssl.dev\""),
            _ if attribute.split('.').all(is_name) => Ok(()),
            _ => Err("it has names of letters, digits, `_`, `-`, `+` and `'`, separated by dots; what that cannot say is for `expression`"),
        }
    }
}

impl PackageAttribute {
    /// The input of the flake that has it; `None` for nixpkgs with the flake's overlays.
    pub fn input(&self) -> Option<&str> {
        self.as_str().split_once('#').map(|(input, _)| input)
    }

    /// The attribute in that input.
    pub fn attribute(&self) -> &str {
        self.as_str().split_once('#').map_or(self.as_str(), |(_, attribute)| attribute)
    }
}

text_value! {
    /// Where store paths are had or go to: a binary cache over HTTP, or in a folder.
    SubstituterUrl,
    kind: "the address of a binary cache",
    pattern: r"^(https?://[A-Za-z0-9.\[\]:-]+(/[!-~]*)?|file:///[!-~]*)$",
    examples: ["https://cache.example.org", "file:///srv/cache"],
    check: |text| match text.strip_prefix("file://") {
        Some(folder) if folder.len() > 1 && folder.starts_with('/') && folder.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#')) => Ok(()),
        Some(_) => Err("a folder is named absolutely, as in \"file:///srv/cache\", without spaces, query or fragment"),
        None if text.starts_with("http://") || text.starts_with("https://") => text.parse::<super::HttpUrl>().map(drop).map_err(|error| match error.rule {
            // Nix reads credentials from elsewhere than an archive's `auth`.
            rule if rule.starts_with("credentials") => "credentials do not belong in the manifest: they are read from a netrc file",
            rule => rule,
        }),
        None => Err("it starts with `https://`, `http://` or `file:///`"),
    }
}

text_value! {
    /// A key that signs store paths, as `nix.conf` has it: a name, a colon, and an Ed25519 public key in base 64.
    SubstituterKey,
    kind: "a public key of Nix",
    pattern: r"^[!-9;-~]+:[A-Za-z0-9+/]{43}=$",
    examples: ["cache.example.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
    check: |text| {
        let rule = "it reads `name:` and the key's 32 bytes in base 64, as `nix key convert-secret-to-public` prints it";
        let (name, key) = text.split_once(':').ok_or(rule)?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let is_key = data_encoding::BASE64.decode(key.as_bytes()).is_ok_and(|key| key.len() == 32);
        if is_name && is_key { Ok(()) } else { Err(rule) }
    }
}

text_value! {
    /// The folder of the flake, relative to `plywood.toml`; `.` is the manifest's own.
    FlakePath,
    kind: "the folder of a flake",
    pattern: r"^(\.|(?!/)(?!.*//)(?!(.*/)?\.{1,2}(/|$))[^\\\u0000]*[^/\\\u0000])$",
    examples: ["."],
    check: |text| match text {
        "." => Ok(()),
        _ => text.parse::<WorkspacePath>().map(drop).map_err(|error| error.rule),
    }
}

text_value! {
    /// A Nix expression for packages: a function from nixpkgs to a list of them.
    NixExpression,
    kind: "an expression for packages",
    pattern: r"[^\s]",
    examples: ["pkgs: [ (pkgs.python312.withPackages (p: [ p.requests ])) ]"],
    check: |text| match text {
        _ if text.trim().is_empty() => Err("it is a function from nixpkgs to a list: `pkgs: [ … ]`"),
        _ if text.len() > 64 << 10 => Err("it is longer than 64 KiB: put it into a file of the flake"),
        _ => Ok(()),
    }
}

/// Lower case, as images are named, and nothing that Nix would want in quotes.
fn attribute_name(text: &str) -> Result<(), &'static str> {
    match text.as_bytes() {
        [b'a'..=b'z', rest @ ..]
            if rest.len() < 128 && rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')) =>
        {
            Ok(())
        }
        _ => {
            Err("it starts with a lower-case letter and goes on with those, digits, `-` and `_`, up to 128 characters")
        }
    }
}
