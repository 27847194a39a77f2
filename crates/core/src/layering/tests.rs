//! Tests of planner and checker together.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::item::ItemKey;

mod within;

/// Name, installed size in KiB, source and first image of the 160 packages that apt chose for the two images of
/// `infra/plywood.toml` from Debian bookworm.
const BOOKWORM: &str = include_str!("testdata/bookworm.tsv");

fn key(name: impl AsRef<str>) -> ItemKey {
    ItemKey(format!("deb:{}", name.as_ref()))
}

fn image(name: &str, parent: Option<&str>, items: &[&str]) -> ImageInput {
    ImageInput {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        within: BTreeSet::new(),
        items: items.iter().map(key).collect(),
        budget: LayerBudget::default(),
    }
}

fn info(size: u64, group: &str) -> ItemInfo {
    ItemInfo { size, group: group.to_owned(), kind: "package", volatility: Volatility::Stable }
}

fn bookworm() -> LayerInput {
    let mut input = LayerInput {
        images: vec![image("base", None, &[]), image("devcontainer-base", Some("base"), &[])],
        ..Default::default()
    };
    for line in BOOKWORM.lines() {
        let [name, kib, source, first] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let size = kib.parse::<u64>().expect("a number") * 1024;
        let info = info(size, source);
        input.items.insert(key(name), info);
        input.images[usize::from(first == "dev")].items.insert(key(name));
    }
    input
}

/// Plans and checks.
fn planned(input: &LayerInput) -> Layout {
    let layout = plan(input).expect("planned");
    assert_eq!(check(input, &layout), Ok(()));
    layout
}

fn with_previous(input: &LayerInput, previous: Layout) -> LayerInput {
    LayerInput { previous: Some(previous), ..input.clone() }
}

/// What the update of one source pulls on average, in bytes, in units of the least possible: its own packages.
fn mean_update(input: &LayerInput, layout: &Layout, image: &str) -> f64 {
    let size = |items: &[ItemKey]| items.iter().map(|item| input.items[item].size).sum::<u64>();
    let (mut pulled, mut least) = (0, 0);
    for layer in layout.layers_of(image) {
        let sources: BTreeSet<&str> = layer.items.iter().map(|item| input.items[item].group.as_str()).collect();
        pulled += size(&layer.items) * sources.len() as u64;
        least += size(&layer.items);
    }
    pulled as f64 / least as f64
}

#[test]
fn a_debian_image_fits_its_budget_with_balance() {
    let input = bookworm();
    let layout = planned(&input);
    let report = report(&input, &layout);
    let dev = report.images["devcontainer-base"];
    assert!(dev.layers <= 55, "within the budget and with room for more: {}", dev.layers);
    assert_eq!(report.images["base"].shared_bytes, report.images["base"].bytes, "all of base is in its child");
    assert_eq!(report.bytes_by_content, dev.bytes, "nothing twice");
    assert_eq!(report.bytes_by_chain, dev.bytes, "the child's chain starts with the base's");
    let mean = mean_update(&input, &layout, "devcontainer-base");
    // The best of all partitions into as many layers has 1.21; one layer for all but the biggest would have 3.4.
    assert!(mean < 1.25, "an update pulls {mean} times what changes");
}

#[test]
fn a_changed_package_changes_one_layer() {
    let input = bookworm();
    let layout = planned(&input);
    let mut changed = with_previous(&input, layout.clone());
    if let Some(info) = changed.items.get_mut(&key("git")) {
        info.size += 1_000_000;
        info.volatility = Volatility::Frequent;
    }
    assert_eq!(planned(&changed), layout, "the layers hold the same items, so only git's has another content");
}

#[test]
fn a_new_package_moves_no_other() {
    let input = bookworm();
    let layout = planned(&input);
    let mut more = with_previous(&input, layout.clone());
    more.items.insert(key("tree"), info(100_000, "tree"));
    more.images[0].items.insert(key("tree"));
    let next = planned(&more);
    let new: Vec<_> = next.layers.iter().filter(|layer| !layout.layers.contains(layer)).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].items, [key("tree")]);
    assert!(report(&more, &next).moved.is_empty());
}

#[test]
fn a_removed_package_changes_its_layer_only() {
    let input = bookworm();
    let layout = planned(&input);
    let mut less = with_previous(&input, layout.clone());
    less.images[0].items.remove(&key("curl"));
    let next = planned(&less);
    let gone = layout.layers.iter().filter(|layer| !next.layers.contains(layer)).count();
    assert_eq!(gone, 1);
}

#[test]
fn a_new_image_reuses_layers_that_are_subsets_and_duplicates_the_rest() {
    let mut input = LayerInput::default();
    for (name, size) in [("a", 10_000_000), ("b", 1000), ("c", 1000), ("d", 9_000_000)] {
        input.items.insert(key(name), info(size, name));
    }
    input.images = vec![image("one", None, &["a", "b", "c"])];
    let layout = planned(&input);
    assert_eq!(layout.layers.iter().map(|layer| layer.items.len()).collect::<Vec<_>>(), [1, 2]);
    input.images.push(image("two", None, &["a", "b", "d"]));
    let next = planned(&with_previous(&input, layout.clone()));
    let one = |layout: &Layout| layout.layers_of("one").map(|layer| layer.items.clone()).collect::<Vec<_>>();
    assert_eq!(one(&next), one(&layout));
    let duplicates = report(&input, &next).duplicates;
    assert_eq!(duplicates, [Duplicate { item: key("b"), layers: 2, extra_bytes: 1000 }]);
    assert!(report(&input, &planned(&input)).duplicates.is_empty(), "planned afresh, b has a layer of its own");
}

#[test]
fn images_that_disagree_on_the_order_share_the_content() {
    let mut input = LayerInput::default();
    for name in ["python", "node"] {
        input.items.insert(key(name), info(50_000_000, name));
    }
    input.images = vec![
        image("node", None, &["node"]),
        image("node-python", Some("node"), &["python"]),
        image("python", None, &["python"]),
        image("python-node", Some("python"), &["node"]),
    ];
    let layout = planned(&input);
    assert_eq!(report(&input, &layout).bytes_by_content, 100_000_000);
}

#[test]
fn wrong_input_is_refused() {
    let check = |images: Vec<ImageInput>, expect: PlanError| {
        assert_eq!(plan(&LayerInput { images, ..Default::default() }), Err(expect));
    };
    let within = ImageInput { within: ["b".to_owned()].into(), ..image("a", None, &[]) };
    check(vec![within], PlanError::UnknownWithin { image: "a".into(), within: "b".into() });
    check(vec![image("a", Some("b"), &[])], PlanError::UnknownParent { image: "a".into(), parent: "b".into() });
    check(vec![image("a", Some("b"), &[]), image("b", Some("a"), &[])], PlanError::ParentCycle { image: "a".into() });
    check(vec![image("a", None, &["x"])], PlanError::UnknownItem { image: "a".into(), item: key("x") });
    check(vec![image("a", None, &[]), image("a", None, &[])], PlanError::SameName { image: "a".into() });
}

#[test]
fn the_checker_finds_every_fault() {
    let mut images = vec![image("a", None, &["x", "y"]), image("b", Some("a"), &["z"])];
    images[0].budget = LayerBudget { max_layers: 2, reserved: 1 };
    images[0].within.insert("b".to_owned());
    let input = LayerInput { images, ..Default::default() };
    let layer = |images: &[&str], items: &[&str]| LayoutLayer {
        images: images.iter().map(|name| (*name).to_owned()).collect(),
        items: items.iter().map(key).collect(),
    };
    let layout = Layout {
        layers: vec![
            layer(&["b", "c"], &["z"]),
            layer(&["a", "b"], &["x"]),
            layer(&["a"], &["x", "z"]),
            layer(&["a"], &[]),
        ],
    };
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let expect: BTreeSet<LayoutFault> = [
        LayoutFault::UnknownImage { image: "c".into() },
        LayoutFault::Empty { at: 3 },
        LayoutFault::Missing { image: a.clone(), item: key("y") },
        LayoutFault::Missing { image: b.clone(), item: key("y") },
        LayoutFault::Twice { image: a.clone(), item: key("x") },
        LayoutFault::Foreign { image: a.clone(), item: key("z") },
        LayoutFault::OverBudget { image: a.clone(), layers: 3, limit: 1 },
        LayoutFault::NotWithin { image: a.clone(), within: b.clone(), item: key("x") },
        LayoutFault::NotOnParent { image: b, parent: a },
    ]
    .into();
    assert_eq!(check(&input, &layout).map_err(|faults| faults.into_iter().collect()), Err(expect));
}

/// A workspace of up to seven images over up to thirty items.
fn workspace() -> impl Strategy<Value = LayerInput> {
    let volatility = prop_oneof![Just(Volatility::Base), Just(Volatility::Stable), Just(Volatility::Frequent)];
    let item = (0u64..40_000_000, 0usize..12, volatility);
    (1usize..30).prop_flat_map(move |count| {
        let items = prop::collection::vec(item.clone(), count);
        let image =
            (prop::collection::btree_set(0..count, 0..=count), any::<prop::sample::Index>(), any::<bool>(), 3usize..12);
        (items, prop::collection::vec(image, 1..8)).prop_map(|(items, images)| {
            let infos = items.into_iter().enumerate().map(|(at, (size, group, volatility))| {
                (key(at.to_string()), ItemInfo { volatility, ..info(size, &group.to_string()) })
            });
            let mut input = LayerInput { items: infos.collect::<BTreeMap<_, _>>(), ..Default::default() };
            for (at, (items, parent, child, max_layers)) in images.into_iter().enumerate() {
                // An image comes from an earlier one, so there are no circles.
                let parent = (child && at > 0).then(|| format!("image{}", parent.index(at)));
                let name = format!("image{at}");
                let items = items.into_iter().map(|item| key(item.to_string())).collect();
                let (within, budget) = (BTreeSet::new(), LayerBudget { max_layers, reserved: 1 });
                input.images.push(ImageInput { name, parent, within, items, budget });
            }
            input
        })
    })
}

fn contents<'l>(layout: &'l Layout, image: &'l str) -> BTreeSet<&'l [ItemKey]> {
    layout.layers_of(image).map(|layer| layer.items.as_slice()).collect()
}

/// With room for every layer, so that budgets force nothing.
fn roomy(mut input: LayerInput) -> LayerInput {
    input.images.iter_mut().for_each(|image| image.budget.max_layers = 1000);
    input
}

proptest! {
    #[test]
    fn every_plan_is_valid_and_does_not_depend_on_the_order_of_images(input in workspace()) {
        let layout = match plan(&input) {
            // Children on one small budget may need more layers than it has.
            Err(PlanError::Budget { needed, limit, .. }) if needed > limit => return Ok(()),
            other => other.map_err(|error| TestCaseError::fail(error.to_string()))?,
        };
        prop_assert_eq!(check(&input, &layout), Ok(()));
        let mut reversed = input.clone();
        reversed.images.reverse();
        prop_assert_eq!(plan(&reversed), Ok(layout.clone()));
        prop_assert_eq!(plan(&with_previous(&input, layout.clone())), Ok(layout));
    }

    #[test]
    fn a_fresh_plan_shares_whatever_is_a_subset(input in workspace().prop_map(roomy)) {
        let layout = planned(&input);
        prop_assert!(report(&input, &layout).duplicates.is_empty());
        let items = |image: &ImageInput| -> BTreeSet<ItemKey> {
            layout.layers_of(&image.name).flat_map(|layer| layer.items.clone()).collect()
        };
        for a in &input.images {
            for b in &input.images {
                if items(a).is_subset(&items(b)) {
                    prop_assert!(contents(&layout, &a.name).is_subset(&contents(&layout, &b.name)));
                }
            }
        }
    }

    #[test]
    fn any_change_keeps_what_can_be_kept(before in workspace().prop_map(roomy), after in workspace().prop_map(roomy)) {
        let layout = planned(&before);
        let mut after = after;
        after.items.extend(before.items.clone());
        let input = with_previous(&after, layout.clone());
        planned(&input);
        // Another image moves no layer of those that were there.
        let mut more = before.clone();
        if let Some(new) = after.images.first() {
            let items: BTreeSet<ItemKey> = new.items.iter().filter(|item| before.items.contains_key(*item)).cloned().collect();
            more.images.push(ImageInput { name: "new".into(), parent: None, items, within: BTreeSet::new(), budget: new.budget });
            let next = planned(&with_previous(&more, layout.clone()));
            for image in &before.images {
                prop_assert_eq!(contents(&next, &image.name), contents(&layout, &image.name));
            }
        }
    }
}
