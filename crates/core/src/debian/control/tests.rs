use proptest::prelude::*;

use super::*;

fn check(text: &str, expect: &[(&str, &str)]) {
    let stanza = Stanza::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let got: Vec<(&str, &str)> = stanza.fields().iter().map(|field| (field.name, field.value)).collect();
    assert_eq!(got, expect, "{text:?}");
}

#[test]
fn fields_are_read_as_policy_says() {
    check("", &[]);
    check("\n\nA: 1\n\n", &[("A", "1")]);
    check("A: 1\nB:2", &[("A", "1"), ("B", "2")]);
    check("A : 1 \r\nB:\n", &[("A", "1"), ("B", "")]);
    check("A: x: y\n", &[("A", "x: y")]);
    check("A:\n one\n\ttwo\nB: 1\n", &[("A", "one\n\ttwo"), ("B", "1")]);
    check("A: a,\n  b,\n  c\n", &[("A", "a,\n  b,\n  c")]);
    check("# comment\nA: 1\n# more\nB: 2\n", &[("A", "1"), ("B", "2")]);
    check("Description: short\n long\n .\n more\n", &[("Description", "short\n long\n .\n more")]);
}

#[test]
fn names_are_found_without_regard_to_case() {
    let stanza = Stanza::parse("SHA256: x\n").unwrap();
    assert_eq!(stanza.get("sha256"), Some("x"));
    assert_eq!(stanza.require("SHA512"), Err(ControlError::Missing("SHA512")));
}

#[test]
fn what_is_no_stanza_is_refused() {
    for (text, error) in [
        (" x\n", ControlError::Continuation { line: 1 }),
        ("A: 1\nx\n", ControlError::NoField { line: 2 }),
        (": 1\n", ControlError::NoField { line: 1 }),
        ("A b: 1\n", ControlError::NoField { line: 1 }),
        ("A: 1\na: 2\n", ControlError::Duplicate { field: "a".to_owned() }),
        ("A: 1\n\nB: 2\n", ControlError::NoField { line: 2 }),
    ] {
        assert_eq!(Stanza::parse(text), Err(error), "{text:?}");
    }
    let many: String = (0..300).map(|n| format!("F{n}: 1\n")).collect();
    assert_eq!(Stanza::parse(&many), Err(ControlError::TooManyFields));
}

#[test]
fn a_text_is_cut_at_blank_lines() {
    let names: Vec<String> =
        stanzas("\nA: 1\n\n \nB: 2\nC: 3\n\n").map(|stanza| stanza.unwrap().fields()[0].name.to_owned()).collect();
    assert_eq!(names, ["A", "B"]);
}

#[test]
fn the_reader_sees_what_the_text_holds() {
    let text = "\nA: 1\n x\n\n\nB: 2\n\nC: \u{e9}\n";
    let mut reader = StanzaReader::new(text.as_bytes());
    let mut values = Vec::new();
    while let Some(stanza) = reader.next_stanza().unwrap() {
        values.push(stanza.fields()[0].value.to_owned());
    }
    assert_eq!(values, ["1\n x", "2", "\u{e9}"]);
    let error = StanzaReader::new(&b"A: 1\n\nnothing\n"[..]);
    let mut error = error;
    error.next_stanza().unwrap();
    assert!(matches!(error.next_stanza(), Err(StanzaReaderError::Malformed { offset: 6, .. })));
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced() {
    let mut reader = StanzaReader::new(&b"A: \xff\n"[..]);
    assert_eq!(reader.next_stanza().unwrap().unwrap().get("A"), Some("\u{fffd}"));
}

#[test]
fn an_endless_line_is_refused() {
    let endless = io_repeat();
    let mut reader = StanzaReader::new(endless);
    assert!(matches!(reader.next_stanza(), Err(StanzaReaderError::Malformed { source: ControlError::TooLong, .. })));
}

fn io_repeat() -> impl std::io::BufRead {
    std::io::BufReader::new(std::io::repeat(b'A'))
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Stanza::parse(&text);
        let from_text: Vec<bool> = stanzas(&text).map(|stanza| stanza.is_ok()).collect();
        prop_assert!(from_text.len() <= text.len());
        let mut reader = StanzaReader::new(&bytes[..]);
        while let Ok(Some(_)) = reader.next_stanza() {}
    }
}
