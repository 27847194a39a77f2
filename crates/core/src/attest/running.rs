//! Lists of images that run somewhere: one a line, a JSON list, or what `kubectl get pods -o json` prints.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::oci::Reference;

/// The longest list that is read, in bytes: thousands of pods with all that Kubernetes says of them.
pub const MAX_RUNNING: usize = 256 << 20;

/// Why a list is not read.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// It is longer than [`MAX_RUNNING`].
    #[error("the list has more than {MAX_RUNNING} bytes")]
    TooLong,
    /// It is JSON of none of the shapes.
    #[error("the list is neither one of image names nor what `kubectl get pods -o json` prints")]
    Json(#[source] serde_json::Error),
    /// Nothing is in it, as when whatever should have written it failed. That nothing runs is said by `[]`.
    #[error("the list is empty")]
    Empty,
}

/// Images with a digest, with where they run; and names that have none, so that nothing can be said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// By reference, which has a digest: the pods, as `namespace/name`.
    pub images: BTreeMap<Reference, BTreeSet<String>>,
    /// The rest, as written, with the pods.
    pub unknown: BTreeMap<String, BTreeSet<String>>,
}

impl Running {
    /// Reads a list.
    ///
    /// # Errors
    /// When it is too long, empty, or JSON of another shape.
    pub fn parse(text: &str) -> Result<Self, RunningError> {
        if text.len() > MAX_RUNNING {
            return Err(RunningError::TooLong);
        }
        let mut running = Self::default();
        if text.trim_start().starts_with(['{', '[']) {
            let document: Document = serde_json::from_str(text).map_err(RunningError::Json)?;
            running.take_document(document);
        } else {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            lines.filter(|line| !line.is_empty()).for_each(|line| running.add(line, None));
            if running == Self::default() {
                return Err(RunningError::Empty);
            }
        }
        Ok(running)
    }

    fn take_document(&mut self, document: Document) {
        match document {
            Document::Pods { items } => items.iter().for_each(|pod| self.take_pod(pod)),
            Document::Names(names) => names.iter().for_each(|name| self.add(name.text(), None)),
            Document::Pod(pod) => self.take_pod(&pod),
        }
    }

    fn take_pod(&mut self, pod: &Pod) {
        let Metadata { namespace, name } = &pod.metadata;
        let place = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
        let Status { container_statuses, init_container_statuses, ephemeral_container_statuses } = &pod.status;
        let all = [container_statuses, init_container_statuses, ephemeral_container_statuses];
        for container in all.into_iter().flatten() {
            // What was never pulled has no id; a bare digest there is an image id, which no registry knows.
            let id = if container.image_id.contains('@') { &container.image_id } else { &container.image };
            self.add(id, Some(&place));
        }
    }

    fn add(&mut self, name: &str, place: Option<&str>) {
        // Kubernetes with Docker underneath writes so.
        let name = name.strip_prefix("docker-pullable://").unwrap_or(name);
        let places = match name.parse::<Reference>() {
            Ok(reference) if reference.digest().is_some() => self.images.entry(reference).or_default(),
            _ => self.unknown.entry(name.to_owned()).or_default(),
        };
        places.extend(place.map(str::to_owned));
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Pods { items: Vec<Pod> },
    Names(Vec<Name>),
    Pod(Box<Pod>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Image { image: String },
    Reference { reference: String },
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Name::Text(text) | Name::Image { image: text } | Name::Reference { reference: text } => text,
        }
    }
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
    #[serde(rename = "spec")]
    _spec: IgnoredAny,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    container_statuses: Vec<Container>,
    init_container_statuses: Vec<Container>,
    ephemeral_container_statuses: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Container {
    image: String,
    #[serde(rename = "imageID")]
    image_id: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    fn check(text: &str, images: &[(String, &[&str])], unknown: &[&str]) {
        let running = Running::parse(text).expect("a list");
        let found: Vec<(String, Vec<&str>)> = running
            .images
            .iter()
            .map(|(reference, places)| (reference.to_string(), places.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(found, images.iter().map(|(name, places)| (name.clone(), places.to_vec())).collect::<Vec<_>>());
        assert_eq!(running.unknown.keys().collect::<Vec<_>>(), unknown);
    }

    #[test]
    fn lists_come_in_three_shapes() {
        let (a, b) = (format!("ghcr.io/team/a@{}", digest('1')), format!("ghcr.io/team/b@{}", digest('2')));
        check(
            &format!("# running\n{b}\n\n{a}  # twice\n{a}\nghcr.io/team/a:latest\n"),
            &[(a.clone(), &[]), (b.clone(), &[])],
            &["ghcr.io/team/a:latest"],
        );
        check(&format!(r#"["{a}", {{"image": "{b}"}}]"#), &[(a.clone(), &[]), (b.clone(), &[])], &[]);
        let pod = |name: &str, statuses: &str| {
            format!(
                r#"{{"kind": "Pod", "metadata": {{"namespace": "n", "name": "{name}"}}, "spec": {{}}, "status": {{{statuses}}}}}"#
            )
        };
        let first = pod("x", &format!(r#""containerStatuses": [{{"image": "ghcr.io/team/a:1", "imageID": "{a}"}}]"#));
        let second = pod(
            "y",
            &format!(
                r#""containerStatuses": [{{"image": "c:1", "imageID": "docker-pullable://{a}"}}, {{"image": "local:1", "imageID": "{}"}}],
                   "initContainerStatuses": [{{"image": "d:1", "imageID": "{b}"}}]"#,
                digest('3')
            ),
        );
        let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{first}, {second}]}}"#);
        check(&list, &[(a.clone(), &["n/x", "n/y"]), (b, &["n/y"])], &["local:1"]);
        check(&first, &[(a, &["n/x"])], &[]);
        check("[]", &[], &[]);
    }

    #[test]
    fn a_list_that_was_never_written_is_refused() {
        for text in ["", "\n \n", "# running\n"] {
            assert!(matches!(Running::parse(text), Err(RunningError::Empty)), "{text:?}");
        }
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["{}", "[1]", "{", r#"{"items": [{}]}"#] {
            assert!(matches!(Running::parse(text), Err(RunningError::Json(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}|[\\[{\":,a-z0-9@/]{0,40}") {
            let _ = Running::parse(&text);
        }
    }
}
