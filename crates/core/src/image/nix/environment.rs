//! How a container's processes find what the image's sets and shell bring: the image's environment, and what its
//! metadata tells editors (dev container specification, "Image Metadata").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::manifest::{EnvName, LabelKey, ResolvedImage};

/// The label that editors read.
const METADATA: &str = "devcontainer.metadata";

/// The one variable of a shell that an image has otherwise: its programs are in the profile.
pub(super) const PATH: &str = "PATH";

/// The folder of the profile's programs.
const PROFILE_BIN: &str = "/nix/profile/bin";

/// What activates an image's sets and shell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Activation<'a> {
    /// The variables that the shell exports, when there is a shell.
    pub shell: Option<&'a BTreeMap<String, String>>,
    /// Variables that the image's own files call for, such as `SSL_CERT_FILE`.
    pub system: Option<&'a BTreeMap<String, String>>,
    /// Whether the image's user has a Nix store to own.
    pub has_store: bool,
}

/// Why an image cannot be activated.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The manifest's label is not what editors read.
    #[error("the label `devcontainer.metadata` of the image `{image}` is no JSON object or list of objects")]
    Label {
        /// The image.
        image: String,
        /// What is wrong with it, when it is no JSON at all.
        #[source]
        source: Option<serde_json::Error>,
    },
}

/// The image with the environment and the metadata of its sets and shell. What the manifest says of a variable holds.
///
/// # Errors
/// When the manifest's metadata label cannot be added to.
pub fn activate(image: &ResolvedImage, activation: Activation<'_>) -> Result<ResolvedImage, MetadataError> {
    let mut active = image.clone();
    let added = added_variables(activation);
    for (name, value) in &added {
        active.env.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for (_, value) in active.env.iter_mut().filter(|(name, _)| name.as_str() == "PATH") {
        if !value.split(':').any(|folder| folder == PROFILE_BIN) {
            *value = format!("{PROFILE_BIN}:{value}");
        }
    }
    let entry = metadata(&active, &added, activation);
    if !entry.is_empty()
        && let Ok(key) = METADATA.parse::<LabelKey>()
    {
        let label = extended(image, active.labels.get(&key).map(String::as_str), entry)?;
        active.labels.insert(key, label);
    }
    Ok(active)
}

fn added_variables(activation: Activation<'_>) -> BTreeMap<EnvName, String> {
    let shell = activation.shell.into_iter().flatten().filter(|(name, _)| *name != PATH);
    let system = activation.system.into_iter().flatten();
    // A name that is none to the manifest, such as that of an exported function, is none to a container either.
    system.chain(shell).filter_map(|(name, value)| Some((name.parse().ok()?, value.clone()))).collect()
}

/// What editors are told: the environment for each of their processes, and the owner of the store.
fn metadata(
    image: &ResolvedImage,
    added: &BTreeMap<EnvName, String>,
    activation: Activation<'_>,
) -> Map<String, Value> {
    let mut entry = Map::new();
    if activation.shell.is_some() {
        let mut variables: Map<String, Value> =
            added.keys().filter_map(|name| Some((name.to_string(), json!(image.env.get(name)?)))).collect();
        // A login shell, which editors ask for the environment, starts from a PATH of its own.
        variables.insert("PATH".to_owned(), json!("${containerEnv:PATH}"));
        entry.insert("remoteEnv".to_owned(), Value::Object(variables));
    }
    let user = image.users.values().find(|user| Some(&user.name) == image.user.as_ref());
    if activation.has_store && user.is_some_and(|user| user.sudo) {
        entry.insert("onCreateCommand".to_owned(), json!(OWN_STORE));
    }
    entry
}

/// Gives the store's folders, not the store paths, to a user whose uid an editor has changed.
const OWN_STORE: &str = "test -O /nix/var/nix/db/db.sqlite || { sudo chown -R \"$(id -u):$(id -g)\" /nix/var && sudo chown \
                         \"$(id -u):$(id -g)\" /nix /nix/store; }";

/// The label with one more entry, before those of the manifest, which later ones override.
fn extended(image: &ResolvedImage, label: Option<&str>, entry: Map<String, Value>) -> Result<String, MetadataError> {
    let wrong = |source| MetadataError::Label { image: image.name.to_string(), source };
    let entries = match label.map(serde_json::from_str).transpose().map_err(|error| wrong(Some(error)))? {
        None => Vec::new(),
        Some(Value::Array(entries)) if entries.iter().all(Value::is_object) => entries,
        Some(object @ Value::Object(_)) => vec![object],
        Some(_) => return Err(wrong(None)),
    };
    let all: Vec<Value> = [Value::Object(entry)].into_iter().chain(entries).collect();
    Ok(Value::Array(all).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn image(keys: &str) -> ResolvedImage {
        let text = format!("[workspace]\nname = \"w\"\n[debian]\nsuite = \"trixie\"\n[images.dev]\n{keys}");
        Manifest::parse(&text).expect("a manifest").resolve("dev").expect("the image").clone()
    }

    fn variables(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn env(image: &ResolvedImage, name: &str) -> Option<String> {
        image.env.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value.clone())
    }

    fn label(image: &ResolvedImage) -> Value {
        let label = image.labels.iter().find(|(key, _)| key.to_string() == METADATA).map(|(_, label)| label.as_str());
        serde_json::from_str(label.unwrap_or("null")).expect("JSON")
    }

    #[test]
    fn the_shell_is_in_the_environment_and_the_manifest_has_the_last_word() {
        let image = image("env = { LANG = \"C.UTF-8\" }");
        let shell = variables(&[("LANG", "de"), ("RUST_LOG", "info"), ("PATH", "/x")]);
        let active = activate(&image, Activation { shell: Some(&shell), ..Default::default() }).expect("activated");
        assert_eq!(env(&active, "RUST_LOG").as_deref(), Some("info"));
        assert_eq!(env(&active, "LANG").as_deref(), Some("C.UTF-8"));
        let path = env(&active, "PATH").expect("a PATH");
        assert!(path.starts_with("/nix/profile/bin:/usr/local/sbin") && !path.contains("/x"), "{path}");
        let expect = json!([{"remoteEnv": {"LANG": "C.UTF-8", "RUST_LOG": "info", "PATH": "${containerEnv:PATH}"}}]);
        assert_eq!(label(&active), expect);
    }

    #[test]
    fn the_manifests_metadata_stays_and_comes_after() {
        let check = |keys: &str, expect: Value| {
            let shell = variables(&[("A", "b")]);
            let active = activate(&image(keys), Activation { shell: Some(&shell), ..Default::default() });
            let ours = json!({"remoteEnv": {"A": "b", "PATH": "${containerEnv:PATH}"}});
            let mut all = vec![ours];
            all.extend(expect.as_array().cloned().unwrap_or_default());
            assert_eq!(label(&active.expect("activated")), Value::Array(all), "{keys}");
        };
        check("", json!([]));
        check("labels = { \"devcontainer.metadata\" = '{\"init\": true}' }", json!([{"init": true}]));
        check(
            "labels = { \"devcontainer.metadata\" = '[{\"init\": true}, {\"remoteUser\": \"x\"}]' }",
            json!([{"init": true}, {"remoteUser": "x"}]),
        );
        for wrong in ["[1]", "\"text\"", "{"] {
            let image = image(&format!("labels = {{ \"devcontainer.metadata\" = '{wrong}' }}"));
            let shell = variables(&[]);
            assert!(activate(&image, Activation { shell: Some(&shell), ..Default::default() }).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_store_is_owned_anew_where_the_user_may() {
        let store = Activation { has_store: true, ..Default::default() };
        let with_sudo = activate(&image("user = { name = \"u\", sudo = true }"), store).expect("activated");
        assert!(label(&with_sudo)[0]["onCreateCommand"].as_str().is_some_and(|command| command.contains("chown")));
        let without = activate(&image("user = { name = \"u\" }"), store).expect("activated");
        assert_eq!(label(&without), Value::Null);
    }
}
