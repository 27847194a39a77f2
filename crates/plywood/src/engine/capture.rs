//! Running a program to its end with a limit on its time and its output.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// More output than this is read and forgotten, in bytes of each stream.
const MAX_OUTPUT: u64 = 4 << 20;
/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(10);

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The first 4 MiB of its standard output.
    pub stdout: Vec<u8>,
    /// The first 4 MiB of its standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum CaptureError {
    /// It could not be started or waited for.
    Io(io::Error),
    /// It was killed after this long.
    TimedOut(Duration),
}

impl From<io::Error> for CaptureError {
    fn from(error: io::Error) -> Self {
        CaptureError::Io(error)
    }
}

/// Runs `command` to its end; kills it after `limit`.
pub(super) fn capture(command: &mut Command, limit: Duration) -> Result<Captured, CaptureError> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let readers = (child.stdout.take().map(read_aside), child.stderr.take().map(read_aside));
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if start.elapsed() >= limit => {
                child.kill()?;
                child.wait()?;
                return Err(CaptureError::TimedOut(limit));
            }
            None => thread::sleep(TICK),
        }
    };
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| reader.and_then(|it| it.join().ok()).unwrap_or_default();
    Ok(Captured { code: status.code(), stdout: text(readers.0), stderr: text(readers.1) })
}

/// Reads a pipe on a thread of its own, so that a program that fills the other one is not stuck.
fn read_aside(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has nothing more to say.
        let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        bytes
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn both_streams_and_the_code_are_kept() {
        let captured = capture(&mut shell("echo out; echo err >&2; exit 7"), Duration::from_secs(20)).expect("it runs");
        assert_eq!(captured, Captured { code: Some(7), stdout: b"out\n".to_vec(), stderr: b"err\n".to_vec() });
    }

    #[test]
    fn floods_are_cut() {
        let captured = capture(&mut shell("head -c 6000000 /dev/zero"), Duration::from_secs(20)).expect("it runs");
        assert_eq!((captured.code, captured.stdout.len() as u64), (Some(0), MAX_OUTPUT));
    }

    #[test]
    fn the_patient_are_not_kept_waiting() {
        let outcome = capture(&mut shell("exec sleep 60"), Duration::from_millis(50));
        assert!(matches!(outcome, Err(CaptureError::TimedOut(_))));
    }
}
