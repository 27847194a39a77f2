//! What an image has of Nix, put into its tree around what the manifest says.

use std::collections::BTreeMap;

use plywood_core::debian::dpkg::Installer;
use plywood_core::image::Sources;
use plywood_core::image::nix::{
    Activation, NixState, PROFILE, Profile, StoreFiles, StoreFilesError, SystemFiles, activate, find, merge_profile,
    place_hooks, place_state, place_system_files, shell_files,
};
use plywood_core::manifest::ResolvedImage;
use plywood_core::nix::{Derivation, StorePath};
use plywood_core::tree::{Content, Meta, Node, NodeKind, TreeError, TreePath};

use super::BuildError;
use super::image::Context;
use super::nix_plan::NixPlan;
use super::plan::ImagePlan;
use super::store_files::SegmentFiles;
use crate::nix::database::{SCHEMA_VERSION, write_database};

/// What the image's environment gains, by what was put into its tree.
#[derive(Debug, Default)]
pub(super) struct Placed {
    variables: BTreeMap<String, String>,
}

/// Puts the profile, Nix's state and the system's files into the tree: all that the manifest's own files may replace.
///
/// # Errors
/// When packages collide, a file that is wanted is nowhere, or the segments cannot be read.
pub(super) fn place(
    context: &Context<'_>,
    plan: &ImagePlan<'_>,
    nix: &NixPlan,
    installer: &mut Installer,
    sources: &Sources,
) -> Result<Placed, BuildError> {
    let items = nix.items();
    let fetch = |path: &StorePath| match nix.paths.get(path) {
        Some(planned) => context.paths.fetch(&[planned.wanted(path)], plan.codec).map_err(Into::into),
        None => Ok(()),
    };
    let files = SegmentFiles::new(context.store, plan.codec, &items).fetching(&fetch);
    let failed = |source: TreeError| BuildError::NixPlace { image: plan.image.name.to_string(), source };
    let profile = merge_profile(&files, &nix.roots).map_err(|source| BuildError::Profile {
        image: plan.image.name.to_string(),
        platform: plan.platform,
        source,
    })?;
    installer.tree.create_dir_all(&TreePath::literal("nix/store"), &Meta::root(0o755, 1)).map_err(failed)?;
    for (path, node) in profile.nodes() {
        let path = PROFILE.join(path.as_bytes()).map_err(|error| failed(error.into()))?;
        installer.tree.insert(path, node).map_err(failed)?;
    }
    if plan.image.nix.database {
        place_state(&mut installer.tree, &state(plan.image, nix, &files)?).map_err(failed)?;
    }
    let certificates: Vec<u8> = sources.certificates.values().flat_map(|pem| pem.iter().copied()).collect();
    let wanted = wanted(plan.image, nix, &profile, &files)?;
    let variables =
        place_system_files(&mut installer.tree, wanted, (&profile, &files), &nix.runtime, &certificates, plan.platform)
            .map_err(|source| BuildError::SystemFile {
                image: plan.image.name.to_string(),
                platform: plan.platform,
                source,
            })?;
    Ok(Placed { variables })
}

/// Puts what shells read when they start over the manifest's own files, and gives the image as it is activated.
///
/// # Errors
/// When something is in the way, or the manifest's metadata label cannot be added to.
pub(super) fn activated(
    plan: &ImagePlan<'_>,
    nix: &NixPlan,
    placed: &Placed,
    installer: &mut Installer,
) -> Result<ResolvedImage, BuildError> {
    let image = || plan.image.name.to_string();
    let shell = nix.shell.as_ref();
    // Debian's login shells start from a PATH of their own; a bare image has none that would.
    if shell.is_some() || plan.image.has_system() {
        let mut variables = placed.variables.clone();
        variables.extend(shell.iter().flat_map(|shell| shell.env.clone()));
        for (path, node) in shell_files(&variables, shell.map(|shell| shell.hook.as_str())) {
            let failed = |source| BuildError::NixPlace { image: image(), source };
            installer.tree.insert(path, node).map_err(failed)?;
        }
        place_hooks(installer).map_err(|source| BuildError::Hook { image: image(), source })?;
    }
    let activation = Activation {
        shell: shell.map(|shell| &shell.env),
        system: Some(&placed.variables),
        has_store: plan.image.nix.database,
    };
    Ok(activate(plan.image, activation)?)
}

fn wanted(
    image: &ResolvedImage,
    nix: &NixPlan,
    profile: &Profile,
    files: &dyn StoreFiles,
) -> Result<SystemFiles, BuildError> {
    let asked = &image.nix;
    let has = |path| -> Result<bool, BuildError> {
        let found = profile.find(files, &TreePath::literal(path));
        Ok(found.map_err(|source| BuildError::StoreFiles { image: image.name.to_string(), source })?.is_some())
    };
    let available = |asked: bool, path| if nix.as_available { has(path) } else { Ok(asked) };
    Ok(SystemFiles {
        sh: asked.sh,
        env: available(asked.env, "bin/env")?,
        certificates: available(asked.certificates, "etc/ssl/certs/ca-bundle.crt")?,
        time_zones: available(asked.time_zones, "share/zoneinfo")?,
        loader: asked.loader,
    })
}

fn state(image: &ResolvedImage, nix: &NixPlan, files: &SegmentFiles<'_>) -> Result<NixState, BuildError> {
    let failed = |source| BuildError::StoreFiles { image: image.name.to_string(), source };
    let mut rows = nix.valid_paths();
    for (path, row) in nix.paths.keys().zip(&mut rows).filter(|(path, _)| path.is_derivation()) {
        row.outputs = outputs(path, files).map_err(failed)?;
    }
    let database =
        write_database(&rows).map_err(|source| BuildError::NixDatabase { image: image.name.to_string(), source })?;
    let user = image.users.values().find(|user| Some(&user.name) == image.user.as_ref());
    Ok(NixState {
        database: database.into(),
        schema: SCHEMA_VERSION,
        roots: nix.graph().unreferenced().into_iter().cloned().collect(),
        owner: user.map_or((0, 0), |user| (user.uid, user.gid)),
    })
}

/// The outputs of a derivation, which Nix looks up in its database (Nix, `LocalStore::addValidPath`).
fn outputs(path: &StorePath, files: &SegmentFiles<'_>) -> Result<Vec<(String, String)>, StoreFilesError> {
    let failed = |source| StoreFilesError::List { path: path.clone(), source };
    let Some(found) = find(files, path, &TreePath::ROOT)? else { return Ok(Vec::new()) };
    let bytes = match &found.node.kind {
        NodeKind::File { content: Content::Packed(packed), .. } => files.contents().read(packed)?,
        NodeKind::File { content: Content::Inline(bytes), .. } => bytes.clone(),
        _ => return Ok(Vec::new()),
    };
    let derivation = Derivation::parse(&bytes).map_err(|error| failed(error.into()))?;
    let outputs = derivation.outputs.iter();
    Ok(outputs.filter_map(|(name, output)| Some((name.clone(), output.path()?.absolute()))).collect())
}

/// The directories above store paths as every segment of one has them.
pub(super) fn directories() -> Vec<(TreePath, Node)> {
    let directory = |path| (TreePath::literal(path), Node::directory(Meta::root(0o755, 1)));
    vec![directory("nix"), directory("nix/store")]
}
