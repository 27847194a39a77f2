use proptest::prelude::*;

use super::*;

const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn text() -> String {
    format!(
        "Origin: Debian\nLabel: Debian\nSuite: stable-updates\nCodename: trixie-updates\n\
         Date: Sat, 15 Nov 2025 09:08:07 UTC\nValid-Until: Sat, 22 Nov 2025 09:08:07 UTC\nAcquire-By-Hash: yes\n\
         Architectures: all amd64 arm64\nComponents: main contrib\nMD5Sum:\n 00 1 main/x\nSHA256:\n \
         {HASH}        0 main/binary-amd64/Packages\n {HASH} 0 Contents\n"
    )
}

#[test]
fn the_fields_are_read() {
    let release = Release::parse(&text()).unwrap();
    assert_eq!(release.origin.as_deref(), Some("Debian"));
    assert_eq!(release.name(), "trixie-updates");
    assert_eq!(release.date, UnixTime(1_763_197_687));
    assert_eq!(release.architectures, ["all", "amd64", "arm64"]);
    assert_eq!(release.components, ["main", "contrib"]);
    assert_eq!(release.files().count(), 2);
    let file = release.file("main/binary-amd64/Packages").unwrap();
    assert_eq!((file.size, file.sha256), (0, FileHash::of(b"")));
    let by_hash = format!("main/binary-amd64/by-hash/SHA256/{HASH}");
    assert_eq!(release.by_hash_path("main/binary-amd64/Packages"), Some(by_hash));
    assert_eq!(release.by_hash_path("Contents"), Some(format!("by-hash/SHA256/{HASH}")));
    assert_eq!(release.by_hash_path("nothing"), None);
}

#[test]
fn age_is_judged_at_the_instant_given() {
    let release = Release::parse(&text()).unwrap();
    let date = release.date.0;
    for (at, valid) in [
        (date, true),
        (date + 7 * 86_400, true),
        (date + 7 * 86_400 + 1, false),
        (date - 86_400, true),
        (date - 86_401, false),
    ] {
        assert_eq!(release.check_validity(UnixTime(at)).is_ok(), valid, "{}", UnixTime(at));
    }
}

#[test]
fn pins_follow_apt_preferences() {
    for (extra, priority) in
        [("", 500), ("NotAutomatic: yes\n", 1), ("NotAutomatic: yes\nButAutomaticUpgrades: yes\n", 100)]
    {
        assert_eq!(Release::parse(&format!("{extra}{}", text())).unwrap().default_priority(), priority);
    }
}

#[test]
fn what_is_no_release_is_refused() {
    for (from, to) in [
        ("Date: Sat, 15 Nov", "Date: Sat, 31 Feb"),
        ("Date: Sat", "Day: Sat"),
        ("09:08:07 UTC\nAcquire", "09:08:07 +0100\nAcquire"),
        ("SHA256:", "SHA512:"),
        (" 0 Contents", " 0 ../Contents"),
        (" 0 Contents", " 0 /Contents"),
        (" 0 Contents", " 0"),
        (" 0 Contents", " -1 Contents"),
        (" 0 Contents", " 1 main/binary-amd64/Packages"),
    ] {
        assert!(Release::parse(&text().replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (text, expect) in [
        ("Thu, 01 Jan 1970 00:00:00 UTC", "1970-01-01T00:00:00Z"),
        ("Thu, 29 Feb 2024 23:59:59 +0000", "2024-02-29T23:59:59Z"),
        ("1 Mar 2100 01:02:03 GMT", "2100-03-01T01:02:03Z"),
        ("Fri, 31 Dec 9999 00:00:00 Z", "9999-12-31T00:00:00Z"),
    ] {
        assert_eq!(UnixTime::parse_rfc_2822(text).unwrap().to_string(), expect);
    }
    assert_eq!(UnixTime(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
    assert_eq!(UnixTime(-1).to_string(), "1969-12-31T23:59:59Z");
}

proptest! {
    #[test]
    fn parsing_never_panics(noise in ".{0,60}", at in 0usize..400) {
        let mut text: String = text();
        let at = at.min(text.len());
        if text.is_char_boundary(at) {
            text.insert_str(at, &noise);
        }
        let _ = Release::parse(&text);
        let _ = Release::parse(&noise);
        let _ = UnixTime::parse_rfc_2822(&noise);
    }

    #[test]
    fn every_instant_can_be_written(seconds in any::<i64>()) {
        let _ = UnixTime(seconds).to_string();
    }
}
