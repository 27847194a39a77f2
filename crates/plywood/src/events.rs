//! What a use case reports while it works; the command line renders it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Identity of a task among those of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

/// What a task's progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things, such as packages or layers.
    Items,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A piece of work began, such as "Downloading packages".
    Started {
        /// Its identity in later events.
        task: TaskId,
        /// What it does, as a present participle without a period.
        label: String,
        /// How much there is to do, when known.
        total: Option<u64>,
        /// What `total` counts.
        unit: Unit,
    },
    /// More of a task is done.
    Advanced {
        /// Which task.
        task: TaskId,
        /// How much more, in the task's unit.
        by: u64,
    },
    /// A task ended, well or not.
    Finished {
        /// Which task.
        task: TaskId,
    },
    /// Worth knowing: one sentence without a period.
    Note(String),
    /// Worth acting on: one sentence without a period.
    Warning(String),
    /// Only of interest with `-v`.
    Detail(String),
}

/// Takes events from any thread.
pub trait Events: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn emit(&self, _: Event) {}
}

/// A running task: reports its start when made, its end when dropped.
pub struct Task<'e> {
    events: &'e dyn Events,
    id: TaskId,
}

impl<'e> Task<'e> {
    /// Starts a task.
    pub fn start(events: &'e dyn Events, label: impl Into<String>, total: Option<u64>, unit: Unit) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = TaskId(NEXT.fetch_add(1, Ordering::Relaxed));
        events.emit(Event::Started { task: id, label: label.into(), total, unit });
        Self { events, id }
    }

    /// Reports `by` more units done.
    pub fn advance(&self, by: u64) {
        self.events.emit(Event::Advanced { task: self.id, by });
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        self.events.emit(Event::Finished { task: self.id });
    }
}

/// Reports how far one part of a task is, such as a file; what comes a second time counts once.
pub(crate) struct Progress<'t, 'e> {
    task: &'t Task<'e>,
    reported: u64,
}

impl<'t, 'e> Progress<'t, 'e> {
    pub(crate) fn new(task: &'t Task<'e>) -> Self {
        Self { task, reported: 0 }
    }

    /// So much of the part is done, in the task's unit.
    pub(crate) fn reached(&mut self, position: u64) {
        if position > self.reported {
            self.task.advance(position - self.reported);
            self.reported = position;
        }
    }
}
