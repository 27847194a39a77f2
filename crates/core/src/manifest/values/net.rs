//! Addresses.

use super::text_value;

text_value! {
    /// An `http` or `https` address without credentials, query or fragment.
    HttpUrl,
    kind: "an address",
    pattern: r"^https?://[A-Za-z0-9.\[\]:-]+(/[!-~]*)?$",
    examples: ["https://github.com/example/infra"],
    check: |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or("it starts with `https://` or `http://`")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("credentials do not belong in the manifest: name environment variables in `auth`");
        }
        host_and_port(authority)?;
        match path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#')) {
            true => Ok(()),
            false => Err("its path is printable ASCII without spaces, query or fragment"),
        }
    }
}

text_value! {
    /// Where images go: a registry and the first components of the repository name.
    RegistryPrefix,
    kind: "a registry prefix",
    pattern: r"^[A-Za-z0-9.\[\]:-]+(/[a-z0-9._-]+)*$",
    examples: ["ghcr.io/example/infra"],
    check: |text| {
        if text.contains("://") {
            return Err("it is the registry's host without a scheme, and a path");
        }
        let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
        host_and_port(host)?;
        if !(host.contains(['.', ':']) || host == "localhost") {
            return Err("its first component is a host with a dot or a port, or `localhost`");
        }
        path.map_or(Ok(()), |path| path.split('/').try_for_each(super::names::repository_component))
    }
}

fn host_and_port(authority: &str) -> Result<(), &'static str> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", rest.strip_prefix(':')),
        Some(_) => return Err("the part in brackets is no IPv6 address"),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err("its host has letters, digits and dashes, separated by dots");
    }
    match port {
        Some(port) if port.parse::<std::num::NonZeroU16>().is_err() => Err("its port is between 1 and 65535"),
        _ => Ok(()),
    }
}
