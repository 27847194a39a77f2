//! Running a command and measuring it.

use std::error::Error;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a run took.
pub(super) struct Measured {
    /// Wall-clock seconds.
    pub(super) seconds: f64,
    /// The most memory the process held resident, in MiB; 0 where `/proc` does not tell.
    pub(super) peak_mib: f64,
}

/// Runs a command to its end; an error when it fails.
pub(super) fn run(mut command: Command) -> Result<Measured, Box<dyn Error>> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let watcher = thread::spawn(move || {
        let mut peak = 0.0_f64;
        while let Some(now) = high_water_mark(&status_file) {
            peak = peak.max(now);
            thread::sleep(Duration::from_millis(5));
        }
        peak
    });
    let status = child.wait()?;
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{command:?} failed: {status}").into());
    }
    Ok(Measured { seconds, peak_mib: watcher.join().unwrap_or_default() })
}

/// `VmHWM` of proc(5), in MiB; `None` once the process is gone.
fn high_water_mark(status_file: &str) -> Option<f64> {
    let status = fs::read_to_string(status_file).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// The middle one; one below the middle of an even number.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The highest one; 0 of none.
pub(super) fn highest(values: Vec<f64>) -> f64 {
    values.into_iter().fold(0.0, f64::max)
}
