//! Where evaluation is at fault: which set or shell, which package, and where in the manifest.

use plywood_core::manifest::model::{Set, Shell};
use plywood_core::manifest::{Manifest, PackageAttribute, SetName, ShellName, Spanned};
use plywood_core::platform::Platform;

use super::nearest::nearest;
use super::values::{Root, RootValue};
use super::version::NixVersion;
use super::{EvalError, Evaluator};

/// A set or a shell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'m> {
    /// A set.
    Set(&'m SetName, &'m Set),
    /// A shell.
    Shell(&'m ShellName, &'m Shell),
}

impl std::fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Subject::Set(name, _) => write!(f, "set `{name}`"),
            Subject::Shell(name, _) => write!(f, "shell `{name}`"),
        }
    }
}

impl<'m> Subject<'m> {
    fn packages(self) -> &'m [Spanned<PackageAttribute>] {
        match self {
            Subject::Set(_, set) => &set.packages,
            Subject::Shell(_, shell) => &shell.packages,
        }
    }

    /// Its attribute among those of the flake's `lib.plywood`.
    fn attribute(self) -> String {
        match self {
            Subject::Set(name, _) => format!("sets.{name}"),
            Subject::Shell(name, _) => format!("shells.{name}"),
        }
    }

    /// Where the manifest names something of it: the line of a package, that of the expression otherwise.
    fn place(self, attribute: &str, text: &str) -> String {
        let listed = self.packages().iter().find(|package| package.as_str() == attribute).map(|package| &package.span);
        let expression = match self {
            Subject::Set(_, set) => set.expression.as_ref().map(|expression| &expression.span),
            Subject::Shell(_, shell) => shell.expression.as_ref().map(|expression| &expression.span),
        };
        let before = listed.or(expression).and_then(|span| text.as_bytes().get(..span.start));
        match before {
            Some(before) => {
                format!("plywood.toml, line {}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
            }
            None => "plywood.toml".to_owned(),
        }
    }
}

impl Evaluator<'_> {
    /// The packages of a set or shell, once none of them is at fault. `text` is the manifest's.
    ///
    /// # Errors
    /// The first fault, with its place in the manifest.
    pub(crate) fn roots(
        &self,
        subject: Subject<'_>,
        values: &[RootValue],
        platform: Platform,
        text: &str,
    ) -> Result<Vec<Root>, EvalError> {
        let place = |attribute: &str| subject.place(attribute, text);
        let check = |(index, value): (usize, &RootValue)| match value {
            RootValue::Package(root) => Ok(root.clone()),
            RootValue::Missing { attribute, missing, known, input } => Err(EvalError::Missing {
                place: place(attribute),
                subject: subject.to_string(),
                suggestion: nearest(missing, known.iter().map(String::as_str))
                    .map(|name| instead(attribute, missing, name)),
                attribute: attribute.clone(),
                missing: missing.clone(),
                input: *input,
            }),
            RootValue::Other { attribute, kind } => Err(EvalError::NoPackage {
                place: place(attribute),
                subject: subject.to_string(),
                attribute: attribute.clone(),
                kind: kind.clone(),
            }),
            RootValue::Refused { attribute, .. } => Err(self.refusal(subject, index, platform, attribute, text)),
        };
        // A package with several outputs is several roots; what is at fault is one, so its place among them is found again.
        values.iter().enumerate().map(check).collect()
    }

    /// Lets Nix say once more, of one package alone, why it is refused.
    fn refusal(
        &self,
        subject: Subject<'_>,
        index: usize,
        platform: Platform,
        attribute: &str,
        text: &str,
    ) -> EvalError {
        // A nixpkgs that is for a newer Nix refuses everything.
        if let Some(too_old) = too_old(self, platform) {
            return too_old;
        }
        // Among packages of an expression, which have no name, the first one that is refused will do.
        let function = match attribute {
            "expression" => "all: map (one: one.package.drvPath) all".to_owned(),
            _ => format!(
                "all: map (one: one.package.drvPath) (builtins.filter (one: one.attribute == {attribute:?}) all)"
            ),
        };
        let asked = self.attribute(platform, &format!("packages.{}", subject.attribute()), &["--apply", &function]);
        let source = match asked {
            Err(error) => error,
            // It is refused in company only, which the whole says better.
            Ok(_) => match self.attribute(platform, &format!("values.{}", subject.attribute()), &[]) {
                Err(error) => error,
                Ok(_) => {
                    return EvalError::NoPackage {
                        place: subject.place(attribute, text),
                        subject: subject.to_string(),
                        attribute: attribute.to_owned(),
                        kind: format!("fault of evaluation at its place {}", index + 1),
                    };
                }
            },
        };
        EvalError::Refused {
            place: subject.place(attribute, text),
            subject: subject.to_string(),
            attribute: attribute.to_owned(),
            platform,
            source: Box::new(source),
        }
    }
}

/// `attribute` with the right name in the place of the missing one.
fn instead(attribute: &str, missing: &str, name: &str) -> String {
    let (input, path) = attribute.split_once('#').map_or((None, attribute), |(input, path)| (Some(input), path));
    if input == Some(missing) {
        return format!("{name}#{path}");
    }
    let path: Vec<&str> = path.split('.').map(|part| if part == missing { name } else { part }).collect();
    input.map(|input| format!("{input}#")).unwrap_or_default() + &path.join(".")
}

/// Why the whole cannot be evaluated: which set or shell it is, or that Nix is too old for this nixpkgs.
pub(super) fn explain(
    evaluator: &Evaluator<'_>,
    platform: Platform,
    manifest: &Manifest,
    error: EvalError,
) -> EvalError {
    if let Some(too_old) = too_old(evaluator, platform) {
        return too_old;
    }
    let sets = manifest.sets().map(|(name, set)| Subject::Set(name, set));
    let shells = manifest.shells().map(|(name, shell)| Subject::Shell(name, shell));
    for subject in sets.chain(shells) {
        if let Err(source) = evaluator.attribute(platform, &format!("values.{}", subject.attribute()), &[]) {
            return EvalError::Subject { subject: subject.to_string(), platform, source: Box::new(source) };
        }
    }
    error
}

fn too_old(evaluator: &Evaluator<'_>, platform: Platform) -> Option<EvalError> {
    let needed = evaluator.attribute(platform, "values.neededNix", &[]).ok()?;
    let needed: NixVersion = serde_json::from_slice::<Option<String>>(&needed).ok()??.parse().ok()?;
    let found = NixVersion::of_program(&String::from_utf8_lossy(&evaluator.nix.run(&["nix", "--version"]).ok()?))?;
    (found < needed).then_some(EvalError::TooOld { found, needed, needed_by_nixpkgs: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_is_what_to_write() {
        assert_eq!(instead("pyhton312", "pyhton312", "python312"), "python312");
        assert_eq!(instead("python312Packages.reqests", "reqests", "requests"), "python312Packages.requests");
        assert_eq!(instead("toos#a", "toos", "tools"), "tools#a");
        assert_eq!(instead("tools#a.b", "b", "c"), "tools#a.c");
    }

    #[test]
    fn faults_have_lines() {
        let text = "[workspace]\nname = \"w\"\n[sets.a]\npackages = [\n  \"b\",\n]\nexpression = \"pkgs: [ ]\"\n";
        let manifest = Manifest::parse(text).expect("valid");
        let (name, set) = manifest.sets().next().expect("a set");
        let subject = Subject::Set(name, set);
        assert_eq!(subject.place("b", text), "plywood.toml, line 5");
        assert_eq!(subject.place("expression", text), "plywood.toml, line 7");
    }
}
