//! What goes to production: the closure and what programs expect of a system, nothing else.

use plywood_testkit::require;

use crate::lab::{lab, run};

#[test]
fn python_runs_as_an_ordinary_user() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("runtime-python");
    let script = "\
import os, pwd, ssl, sys, tempfile, zoneinfo
print(sys.version_info >= (3, 12), os.getuid(), pwd.getpwuid(1000).pw_name, os.path.expanduser('~'))
print(ssl.create_default_context().cert_store_stats()['x509_ca'] > 100, zoneinfo.ZoneInfo('Europe/Berlin').key)
open(os.path.expanduser('~/x'), 'w'); tempfile.TemporaryFile()
print(sorted(name for name in os.listdir('/usr/bin')), os.path.exists('/bin/sh'), os.path.exists('/etc/shadow'))
print([name for name in ('passwd', 'group', 'nsswitch.conf', 'ssl/certs/ca-certificates.crt') if os.path.islink('/etc/' + name)])
";
    let said = run(&image, &[], &["python3", "-c", script]);
    let expect = "True 1000 app /home/app\nTrue Europe/Berlin\n['env'] False False\n[]\n";
    assert_eq!(said, expect);
    assert!(run(&image, &["--read-only"], &["/usr/bin/env", "python3", "--version"]).starts_with("Python 3."));
}

#[test]
fn node_runs_as_an_ordinary_user() {
    let (true, Some(lab)) = (require(&["podman"]), lab()) else { return };
    let image = lab.load("runtime-node");
    let script = "const os = require('os'), fs = require('fs');
        console.log(process.versions.node.split('.')[0] >= 22, os.userInfo().username, os.homedir());
        console.log(fs.readFileSync(process.env.SSL_CERT_FILE, 'utf8').split('BEGIN CERTIFICATE').length > 100);";
    assert_eq!(run(&image, &[], &["node", "-e", script]), "true app /home/app\ntrue\n");
}
