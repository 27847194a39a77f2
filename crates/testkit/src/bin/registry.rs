//! Docker's registry for `cargo xtask bench push`: says where it is, and runs until its input ends.

use std::io::{self, Write as _};

use plywood_testkit::DockerRegistry;

fn main() -> io::Result<()> {
    let registry = DockerRegistry::start();
    writeln!(io::stdout(), "{}", registry.host())?;
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}
