//! Nothing that is written into a manifest makes the parser panic, and every fault lies in the text.

use proptest::prelude::*;

use crate::manifest::Manifest;

const EVERYTHING: &str = include_str!("everything.toml");

fn spans_lie_in(text: &str) -> bool {
    match Manifest::parse(text) {
        Ok(_) => true,
        Err(errors) => {
            errors.iter().len() > 0
                && errors.iter().all(|error| {
                    let related = error.related.as_ref().map(|(span, _)| span);
                    [Some(&error.span), related].into_iter().flatten().all(|span| text.get(span.clone()).is_some())
                })
        }
    }
}

#[test]
fn any_depth() {
    for (open, close) in [("[", "]"), ("{ a = ", " }"), ("[{ a = ", " }]")] {
        for depth in [10, 100, 10_000] {
            assert!(
                spans_lie_in(&format!("x = {}1{}", open.repeat(depth), close.repeat(depth))),
                "{depth} times {open}"
            );
        }
    }
    for depth in [10, 100, 10_000, 200_000] {
        let key = vec!["a"; depth].join(".");
        for text in [format!("{key} = 1"), format!("[{key}]"), format!("[[{key}]]"), format!("x = {{ {key} = 1 }}")] {
            assert!(spans_lie_in(&text), "a key of {depth} parts");
        }
    }
}

proptest! {
    #[test]
    fn any_text(text in "\\PC{0,80}") {
        prop_assert!(spans_lie_in(&text));
    }

    #[test]
    fn any_lines(lines in prop::collection::vec(prop::sample::select(EVERYTHING.lines().collect::<Vec<_>>()), 0..40)) {
        prop_assert!(spans_lie_in(&lines.join("\n")));
    }

    /// One value replaced by another kind of value.
    #[test]
    fn any_value_anywhere(line in 0usize..160, value in prop::sample::select(vec![
        "1", "-1", "\"\"", "\"x\"", "[]", "{}", "true", "1.5", "nan", "[[]]", "[{}]", "{ a = 1 }", "2026-11-23", "99999999999999999999",
        "\"\\u0000\"", "{ a = 1, }", "\"\\e\"", "é",
    ])) {
        let changed = EVERYTHING.lines().enumerate().map(|(number, text)| match text.split_once(" = ") {
            Some((key, _)) if number == line => format!("{key} = {value}"),
            _ => text.to_owned(),
        });
        prop_assert!(spans_lie_in(&changed.collect::<Vec<_>>().join("\n")));
    }
}
