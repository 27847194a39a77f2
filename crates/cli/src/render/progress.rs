//! Progress on standard error: bars on a terminal, plain lines elsewhere, for whatever takes over a second.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use plywood::events::{Event, Events, TaskId, Unit};

use super::size::Size;

const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// A task that ends sooner than this is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the running tasks are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often plain lines say how far a task is.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Renders events as they come.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    quiet: bool,
    verbose: bool,
    /// Where bars are drawn; `None` when standard error is no terminal.
    bars: Option<MultiProgress>,
    state: Mutex<State>,
    stop: Condvar,
}

#[derive(Default)]
struct State {
    tasks: BTreeMap<TaskId, Running>,
    stopped: bool,
}

struct Running {
    label: String,
    total: Option<u64>,
    unit: Unit,
    done: u64,
    started: Instant,
    /// Its bar, once it is worth one.
    bar: Option<ProgressBar>,
    /// When a plain line last spoke of it, once it is worth one.
    said: Option<Instant>,
}

impl Progress {
    /// Renders to standard error: nothing but warnings when `quiet`, details too when `verbose`.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        let shared = Arc::new(Shared { quiet, verbose, bars, state: Mutex::default(), stop: Condvar::new() });
        let ticker = (!quiet).then(|| {
            let shared = shared.clone();
            std::thread::spawn(move || shared.tick_until_stopped())
        });
        Self { shared, ticker }
    }

    /// Removes the bars, so that what is printed next stands alone.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.shared.bars {
            // Bars that cannot be removed are no reason to fail.
            let _ = bars.clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.stop.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // The ticker only draws; a panic in it has been reported already.
            let _ = ticker.join();
        }
    }
}

impl Events for Progress {
    fn emit(&self, event: Event) {
        match event {
            Event::Warning(text) => self.shared.line(&format!("{WARNING}warning:{WARNING:#} {text}")),
            _ if self.shared.quiet => {}
            Event::Note(text) => self.shared.line(&text),
            Event::Detail(text) if self.shared.verbose => self.shared.line(&format!("{DIM}{text}{DIM:#}")),
            Event::Detail(_) => {}
            Event::Started { task, label, total, unit } => self.shared.start(task, label, total, unit),
            Event::Advanced { task, by } => self.shared.advance(task, by),
            Event::Finished { task } => self.shared.finish(task),
        }
    }
}

impl Shared {
    fn start(&self, task: TaskId, label: String, total: Option<u64>, unit: Unit) {
        let started = Instant::now();
        self.state().tasks.insert(task, Running { label, total, unit, done: 0, started, bar: None, said: None });
    }

    fn advance(&self, task: TaskId, by: u64) {
        if let Some(running) = self.state().tasks.get_mut(&task) {
            running.done = running.done.saturating_add(by);
        }
    }

    fn finish(&self, task: TaskId) {
        let Some(running) = self.state().tasks.remove(&task) else { return };
        if let (Some(bars), Some(bar)) = (&self.bars, &running.bar) {
            bar.finish_and_clear();
            bars.remove(bar);
        }
        if running.bar.is_some() || running.said.is_some() {
            let took = running.started.elapsed().as_secs_f64();
            self.line(&format!("{}: done in {took:.1} s", running.label));
        }
    }

    fn tick_until_stopped(&self) {
        let mut state = self.state();
        while !state.stopped {
            let mut lines = Vec::new();
            for running in state.tasks.values_mut() {
                match &self.bars {
                    Some(bars) => running.draw(bars),
                    None => lines.extend(running.plain_line()),
                }
            }
            for line in lines {
                self.line(&line);
            }
            state = self.stop.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes a line above the bars.
    fn line(&self, text: &str) {
        let write = || {
            // Progress that nobody can read is no reason to fail.
            let _ = writeln!(anstream::stderr(), "{text}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// The state; a panic while drawing does not make it wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Shows or moves the bar of a task that takes long enough.
    fn draw(&mut self, bars: &MultiProgress) {
        if self.bar.is_none() && self.started.elapsed() >= PATIENCE {
            let bar = match self.total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            bar.set_style(style(self.total.is_some(), self.unit));
            bar.set_message(self.label.clone());
            self.bar = Some(bars.add(bar.with_elapsed(self.started.elapsed())));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
            bar.tick();
        }
    }

    /// What to say of a task where there are no bars, when it is time to.
    fn plain_line(&mut self) -> Option<String> {
        let due = match self.said {
            None => self.started.elapsed() >= PATIENCE,
            Some(said) => said.elapsed() >= PLAIN_INTERVAL,
        };
        if !due {
            return None;
        }
        self.said = Some(Instant::now());
        Some(plain(&self.label, self.done, self.total, self.unit))
    }
}

/// "Downloading packages: 12.3 MB of 45.6 MB".
fn plain(label: &str, done: u64, total: Option<u64>, unit: Unit) -> String {
    let amount = |count: u64| match unit {
        Unit::Bytes => Size(count).to_string(),
        Unit::Items => count.to_string(),
    };
    match total {
        Some(total) => format!("{label}: {} of {}", amount(done), amount(total)),
        None if done > 0 => format!("{label}: {}", amount(done)),
        None => label.to_owned(),
    }
}

/// How a bar looks.
fn style(known: bool, unit: Unit) -> ProgressStyle {
    let template = match (known, unit) {
        (true, Unit::Bytes) => "{msg:28} {wide_bar:.cyan} {decimal_bytes:>10}/{decimal_total_bytes:10} {eta:>4}",
        (true, Unit::Items) => "{msg:28} {wide_bar:.cyan} {pos:>10}/{len:10} {eta:>4}",
        (false, Unit::Bytes) => "{msg:28} {spinner} {decimal_bytes}",
        (false, Unit::Items) => "{msg:28} {spinner} {elapsed}",
    };
    // The templates are constants: the default look is only ever seen by whoever breaks one.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_say_how_far_it_is() {
        let check = |done, total, unit, expect: &str| assert_eq!(plain("Downloading", done, total, unit), expect);
        check(0, None, Unit::Items, "Downloading");
        check(7, None, Unit::Items, "Downloading: 7");
        check(1_500_000, Some(3_000_000), Unit::Bytes, "Downloading: 1.50 MB of 3.00 MB");
    }

    #[test]
    fn templates_are_valid() {
        for (known, unit) in [(true, Unit::Bytes), (true, Unit::Items), (false, Unit::Bytes), (false, Unit::Items)] {
            let _ = style(known, unit);
        }
    }
}
