//! Tests of the language: `check(script, expected output)`.

use std::collections::BTreeMap;

use super::*;
use crate::platform::Platform;
use crate::tree::{Meta, NoPackedContent, Node, Tree, TreePath};

/// A machine whose tree has an empty executable for every standard command.
fn machine() -> Machine<'static, ()> {
    let commands = Commands::standard();
    let mut tree = Tree::new();
    let meta = Meta::root(0o755, 0);
    for directory in ["usr/bin", "tmp", "etc", "root"] {
        tree.create_dir_all(&TreePath::literal(directory), &meta).expect("free");
    }
    for name in commands.names().filter(|name| !name.contains(&b'/')) {
        let path = TreePath::literal("usr/bin").join(name).expect("a name");
        tree.insert(path, Node::file(meta.clone(), *b"\x7fELF")).expect("free");
    }
    Machine::new(tree, &NoPackedContent, Platform::LinuxAmd64, (), 1_700_000_000, commands)
}

fn run(script: &str) -> Result<ScriptOutcome, ShellError> {
    machine().run_script(script.as_bytes(), &["test", "one", "two words"], &BTreeMap::new())
}

/// The script succeeds with just this output.
fn check(script: &str, expect: &str) {
    let outcome = run(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    assert_eq!(
        (outcome.stdout.to_string().as_str(), outcome.stderr.to_string().as_str(), outcome.status),
        (expect, "", Status::SUCCESS),
        "{script}"
    );
}

/// The script ends with this status and output.
fn check_status(script: &str, status: u8, expect: &str) {
    let outcome = run(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    assert_eq!((outcome.status.0, outcome.stdout.to_string().as_str()), (status, expect), "{script}");
}

#[test]
fn expansions() {
    check("echo \"$1|$2|$#|$0\"", "one|two words|2|test\n");
    check(
        "for x in \"$@\"; do echo \"<$x>\"; done; for x in $*; do echo \"[$x]\"; done",
        "<one>\n<two words>\n[one]\n[two]\n[words]\n",
    );
    check("a=x.tar.gz; echo ${a%.*} ${a%%.*} ${a#*.} ${a##*.} ${#a}", "x.tar x tar.gz gz 8\n");
    check("echo ${a:-b c} ${a-\"b  c\"} ${a:=d} $a ${a:+e}", "b c b  c d d e\n");
    check("echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((0x10)) $((5/2)) $((5%3)) $((1<2 ? 7 : 8))", "7 9 16 2 2 7\n");
    check("x=$(echo a; echo b); echo \"$x\"", "a\nb\n");
    check("cd /usr; echo b*; echo /e* 'b*' nothing*", "bin\n/etc b* nothing*\n");
    check("echo ~ ~root/x a~", "/root /root/x a~\n");
}

#[test]
fn control_flow() {
    check("case foo in f*|g) echo yes;; *) echo no;; esac", "yes\n");
    check("i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n");
    check("f() { local a=1; echo $a $1; return 3; }; a=2; f x || echo $?; echo $a", "1 x\n3\n2\n");
    check("echo a | while read x; do echo \"got $x\"; done", "got a\n");
    check("(exit 3) || echo $?; ! true || echo no", "3\nno\n");
    check("cat <<E\nx $((1+1))\nE\ncat <<'E'\n$x\nE", "x 2\n$x\n");
    check_status("set -e; false || true; if false; then :; fi; echo a; false; echo b", 1, "a\n");
    check_status("trap 'echo bye $?' EXIT; exit 4", 4, "bye 4\n");
}

#[test]
fn refusals() {
    let error = run("/usr/bin/unknown-helper").map(|outcome| outcome.status);
    assert!(matches!(error, Ok(Status(127))));
    assert!(matches!(run("if then"), Err(ShellError::Syntax { line: 1, .. })));
    assert!(matches!(run("while :; do :; done"), Err(ShellError::Limit { .. })));
    assert!(matches!(run("f() { f; }; f"), Err(ShellError::Limit { .. })));
    let nested = "(".repeat(5000);
    assert!(matches!(run(&nested), Err(ShellError::Limit { .. })));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that meet each other in ways that no script has.
    fn fragment() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            "$",
            "${",
            "}",
            "$(",
            ")",
            "((",
            "))",
            "`",
            "'",
            "\"",
            "\\",
            "<<E\n",
            "E\n",
            "|",
            "||",
            "&",
            "&&",
            ";",
            ";;",
            "\n",
            " ",
            "if ",
            "then ",
            "fi",
            "for x in ",
            "do ",
            "done",
            "case x in ",
            "esac",
            "while ",
            "x=",
            "x",
            "$x",
            "${x:-",
            "${x#",
            "*",
            "?",
            "[",
            "]",
            "~",
            "!",
            "{ ",
            "} ",
            "f() ",
            "echo ",
            "set -e",
            "exit ",
            "return ",
            "eval ",
            ". ",
            "exec ",
            ">",
            ">&",
            "<",
            "2>",
            "1",
            "sed ",
            "s/a/b/",
            "grep ",
            "find ",
            "-name ",
            "printf ",
            "%s",
            "read ",
            "test ",
            "[ ",
            "-f ",
            "trap ",
            "#",
            "\u{e9}",
            "expr ",
            "sort ",
            "cut -d: -f1 ",
            "tr a b ",
            "cp ",
            "mv ",
            "rm -rf ",
            "ln -s ",
            "/",
            "/etc",
            "..",
            "-",
            "--",
            "[[ ",
            " ]]",
            "=~ ",
            "xargs ",
        ])
        .prop_map(str::to_owned)
    }

    fn survives(script: &[u8]) {
        let mut machine = machine();
        machine.limits = Limits { steps: 2_000, bytes: 1 << 20, depth: 50 };
        // Any outcome will do; there must be one.
        let _ = machine.run_script(script, &["test", "configure"], &BTreeMap::new());
        let bash = [b"#!/bin/bash\n".as_slice(), script].concat();
        let _ = machine.run_script(&bash, &["test"], &BTreeMap::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_come_to_an_end(script in prop::collection::vec(any::<u8>(), 0..200)) {
            survives(&script);
        }

        #[test]
        fn any_pieces_of_shell_come_to_an_end(pieces in prop::collection::vec(fragment(), 0..40)) {
            survives(pieces.concat().as_bytes());
        }
    }
}
