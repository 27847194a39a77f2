//! What a bundle's index names.

use std::collections::BTreeMap;

use crate::oci::{Descriptor, ImageIndex, ManifestName, Reference, RepositoryName, annotations};

/// A manifest of a bundle under one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEntry {
    /// The repository that it comes from.
    pub repository: RepositoryName,
    /// Its tag there; its digest when it has none.
    pub name: ManifestName,
    /// Names it by digest, size and type, and says nothing else.
    pub descriptor: Descriptor,
}

impl BundleEntry {
    /// An entry. Of the descriptor only digest, size and type are kept.
    pub fn new(repository: RepositoryName, name: ManifestName, descriptor: &Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = descriptor.clone();
        Self { repository, name, descriptor: Descriptor::new(media_type, digest, size) }
    }

    /// Its full name.
    pub fn reference(&self) -> Reference {
        self.repository.reference(&self.name)
    }

    /// Whether it stands for an image: it has a tag, and not one that cosign or the referrers of a digest have.
    pub fn is_tagged_image(&self) -> bool {
        matches!(&self.name, ManifestName::Tag(tag) if !tag.as_str().starts_with("sha256-"))
    }

    /// The index over entries, sorted by name.
    pub fn index(entries: &[Self]) -> ImageIndex {
        let named = |entry: &Self| {
            let name = entry.reference().to_string();
            let descriptor = entry.descriptor.clone().annotated(annotations::REF_NAME, name.clone());
            match entry.name {
                ManifestName::Tag(_) => descriptor.annotated(annotations::CONTAINERD_NAME, name),
                ManifestName::Digest(_) => descriptor,
            }
        };
        let mut manifests: Vec<Descriptor> = entries.iter().map(named).collect();
        manifests.sort_by_key(|manifest| manifest.annotations.get(annotations::REF_NAME).cloned());
        ImageIndex::new(manifests, BTreeMap::new())
    }

    /// The entries of an index; `None` when it is none that [`Self::index`] makes, or names two manifests alike.
    pub fn of_index(index: &ImageIndex) -> Option<Vec<Self>> {
        let entry = |descriptor: &Descriptor| {
            let reference: Reference = descriptor.annotations.get(annotations::REF_NAME)?.parse().ok()?;
            let name = match (reference.tag(), reference.digest()) {
                (Some(tag), None) => ManifestName::Tag(tag.clone()),
                (None, Some(digest)) if digest == descriptor.digest => ManifestName::Digest(digest),
                _ => return None,
            };
            Some(Self::new(reference.name().clone(), name, descriptor))
        };
        let entries: Vec<Self> = index.manifests.iter().map(entry).collect::<Option<_>>()?;
        let mut names: Vec<String> = entries.iter().map(|entry| entry.reference().to_string()).collect();
        names.sort();
        let distinct = names.windows(2).all(|pair| pair.first() != pair.last());
        (distinct && Self::index(&entries) == *index).then_some(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::MediaType;

    fn entry(name: &str) -> BundleEntry {
        let descriptor = Descriptor::of(MediaType::IMAGE_MANIFEST, b"{}");
        let reference: Reference = name.replace("DIGEST", &descriptor.digest.to_string()).parse().unwrap();
        BundleEntry::new(reference.name().clone(), reference.target(), &descriptor)
    }

    #[test]
    fn an_index_leads_back_to_its_entries() {
        let entries = ["ghcr.io/a/b:1", "ghcr.io/a/b:2", "ghcr.io/a/b@DIGEST", "ghcr.io/a/c:1"].map(entry);
        let reversed: Vec<_> = entries.iter().cloned().rev().collect();
        let index = BundleEntry::index(&reversed);
        assert_eq!(BundleEntry::of_index(&index).unwrap(), entries);
        assert_eq!(entries.iter().filter(|entry| entry.is_tagged_image()).count(), 3);
        let twice = BundleEntry::index(&[entries[0].clone(), entries[0].clone()]);
        assert_eq!(BundleEntry::of_index(&twice), None);
        let mut other = index.clone();
        other.manifests.swap(0, 1);
        assert_eq!(BundleEntry::of_index(&other), None);
        let mut unnamed = index;
        unnamed.manifests[0].annotations.clear();
        assert_eq!(BundleEntry::of_index(&unnamed), None);
    }
}
