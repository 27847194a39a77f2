//! Images within others: production as a subset of development.

use super::*;

fn within(image: ImageInput, others: &[&str]) -> ImageInput {
    ImageInput { within: others.iter().map(|name| (*name).to_owned()).collect(), ..image }
}

/// 400 store paths of sizes as closures have them: few big ones, many small ones. The runtimes have 60 each, 30 of them
/// in common; the images for development are on one base.
fn closures() -> LayerInput {
    let mut input = LayerInput::default();
    let names: Vec<String> = (0..400).map(|at| format!("path{at}")).collect();
    for (at, name) in names.iter().enumerate() {
        let size = if at % 20 == 0 { 9_000_000 } else { 2_000 + 1_777 * (at as u64 % 150) };
        input.items.insert(key(name), ItemInfo { kind: "store path", ..info(size, name) });
    }
    let named = |range: std::ops::Range<usize>| names[range].iter().map(String::as_str).collect::<Vec<_>>();
    input.images = vec![
        image("base", None, &[]),
        within(image("runtime-python", None, &named(0..60)), &["devcontainer-python", "everything"]),
        within(image("runtime-node", None, &named(30..90)), &["devcontainer-node", "everything"]),
        within(image("devcontainer-python", Some("base"), &named(0..250)), &["everything"]),
        within(image("devcontainer-node", Some("base"), &named(30..300)), &["everything"]),
        image("everything", Some("base"), &named(0..400)),
    ];
    input
}

/// Whether every layer of one image is a layer of another.
fn has_all(layout: &Layout, one: &str, other: &str) -> bool {
    contents(layout, one).is_subset(&contents(layout, other))
}

#[test]
fn production_is_a_subset_of_development() {
    let input = closures();
    let layout = planned(&input);
    for name in ["python", "node"] {
        assert!(has_all(&layout, &format!("runtime-{name}"), &format!("devcontainer-{name}")), "{name}");
        assert!(has_all(&layout, &format!("devcontainer-{name}"), "everything"), "{name}");
    }
    assert!(report(&input, &layout).duplicates.is_empty());
}

#[test]
fn a_change_of_one_of_400_changes_one_layer_of_each_image_that_has_it() {
    let input = closures();
    let layout = planned(&input);
    for at in [0, 31, 80, 200, 399] {
        let item = key(format!("path{at}"));
        let mut changed = with_previous(&input, layout.clone());
        let info = changed.items.get_mut(&item).expect("there");
        (info.size, info.volatility) = (info.size * 3, Volatility::Frequent);
        assert_eq!(planned(&changed), layout, "no item goes elsewhere");
        let layers = layout.layers.iter().filter(|layer| layer.items.contains(&item));
        let contents: BTreeSet<_> = layers.map(|layer| &layer.items).collect();
        assert_eq!(contents.len(), 1, "{item} is in one layer, whichever images have it");
    }
}

#[test]
fn what_production_loses_is_split_off_in_development() {
    let mut input = LayerInput::default();
    for name in ["a", "b", "c"] {
        input.items.insert(key(name), info(1000, name));
    }
    input.images = vec![within(image("run", None, &["a", "b", "c"]), &["dev"]), image("dev", None, &["a", "b", "c"])];
    let layout = planned(&input);
    assert_eq!(layout.layers.len(), 1);
    input.images[0].items.remove(&key("b"));
    let next = planned(&with_previous(&input, layout));
    let of = |image| next.layers_of(image).map(|layer| layer.items.clone()).collect::<Vec<_>>();
    assert_eq!(of("run"), [vec![key("a"), key("c")]]);
    assert_eq!(of("dev"), [vec![key("a"), key("c")], vec![key("b")]]);
}

#[test]
fn production_that_comes_later_splits_what_it_must() {
    let mut input = LayerInput::default();
    for name in ["a", "b", "c"] {
        input.items.insert(key(name), info(1000, name));
    }
    input.images = vec![image("dev", None, &["a", "b", "c"]), image("other", None, &["a", "b"])];
    let layout = planned(&input);
    input.images.push(within(image("run", None, &["a"]), &["dev"]));
    let next = planned(&with_previous(&input, layout.clone()));
    assert!(has_all(&next, "run", "dev"));
    assert_eq!(contents(&next, "other"), contents(&layout, "other"), "who has nothing to do with it stays as it was");
}

#[test]
fn items_of_different_kinds_meet_only_where_the_budget_says_so() {
    let mut input = LayerInput::default();
    for (name, kind) in [("a", "package"), ("b", "store path"), ("c", "store path")] {
        input.items.insert(key(name), ItemInfo { kind, ..info(1000, name) });
    }
    input.images = vec![image("one", None, &["a", "b", "c"])];
    assert_eq!(planned(&input).layers.len(), 2);
    input.images[0].budget = LayerBudget { max_layers: 2, reserved: 1 };
    assert_eq!(planned(&input).layers.len(), 1);
}

/// A workspace in which some images are within others, some of which have all that these have.
fn with_ties() -> impl Strategy<Value = LayerInput> {
    let pick = || any::<prop::sample::Index>();
    let ties = prop::collection::vec((pick(), pick(), any::<bool>()), 0..5);
    (workspace(), ties).prop_map(|(mut input, ties)| {
        for (one, other, whole) in ties {
            let (one, other) = (one.index(input.images.len()), other.index(input.images.len()));
            let name = input.images[other].name.clone();
            input.images[one].within.insert(name);
            if whole {
                let items = input.images[one].items.clone();
                input.images[other].items.extend(items);
            }
        }
        input
    })
}

/// The same items may be of other sizes, and all of them are known.
fn after(before: &LayerInput, mut after: LayerInput, layout: Layout) -> LayerInput {
    for (item, info) in &before.items {
        after.items.entry(item.clone()).or_insert_with(|| info.clone());
    }
    after.previous = Some(layout);
    after
}

proptest! {
    #[test]
    fn any_history_of_workspaces_has_valid_plans(steps in prop::collection::vec(with_ties(), 1..5)) {
        let mut last: Option<(LayerInput, Layout)> = None;
        for step in steps {
            let input = match last.take() {
                None => step,
                Some((before, layout)) => after(&before, step, layout),
            };
            // Small budgets may be too small; without them there always is a plan.
            let layout = match plan(&input) {
                Err(PlanError::Budget { needed, limit, .. }) if needed > limit => planned(&roomy(input.clone())),
                other => other.map_err(|error| TestCaseError::fail(error.to_string()))?,
            };
            prop_assert_eq!(check(&roomy(input.clone()), &layout), Ok(()));
            let mut reversed = with_previous(&roomy(input.clone()), layout.clone());
            reversed.images.reverse();
            prop_assert_eq!(plan(&reversed), Ok(layout.clone()), "what is planned stays, in whatever order it is asked for");
            last = Some((input, layout));
        }
    }

    #[test]
    fn another_image_moves_no_layer_of_others(
        before in with_ties().prop_map(roomy),
        items in prop::collection::btree_set(0usize..30, 0..30),
        max_layers in 3usize..12,
        grown in any::<Option<prop::sample::Index>>(),
    ) {
        let layout = planned(&before);
        let mut more = with_previous(&before, layout.clone());
        let mut new = image("new", None, &[]);
        new.items = items.into_iter().map(|item| key(item.to_string())).filter(|item| before.items.contains_key(item)).collect();
        new.budget.max_layers = max_layers;
        if let Some(grown) = grown {
            // The new image is one for development with all that an older one has.
            let at = grown.index(more.images.len());
            let own = layout.layers_of(&more.images[at].name).flat_map(|layer| layer.items.clone());
            new.items.extend(own);
            new.budget.max_layers = 1000;
            more.images[at].within.insert("new".into());
        }
        more.images.push(new);
        let next = match plan(&more) {
            Err(PlanError::Budget { needed, limit, .. }) if needed > limit => return Ok(()),
            other => other.map_err(|error| TestCaseError::fail(error.to_string()))?,
        };
        prop_assert_eq!(check(&more, &next), Ok(()));
        for image in &before.images {
            prop_assert_eq!(contents(&next, &image.name), contents(&layout, &image.name));
        }
    }
}
