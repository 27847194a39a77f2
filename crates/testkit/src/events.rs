//! What use cases tell of what they do.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plywood::events::{Event, Events};

/// Keeps every event.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<Vec<Event>>);

impl Events for Recorded {
    fn emit(&self, event: Event) {
        self.events().push(event);
    }
}

impl Recorded {
    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes reported as done, of how many announced.
    pub fn progress(&self) -> (u64, u64) {
        self.events().iter().fold((0, 0), |(done, total), event| match event {
            Event::Advanced { by, .. } => (done + by, total),
            Event::Started { total: Some(more), .. } => (done, total + more),
            _ => (done, total),
        })
    }

    /// Every sentence so far, of whichever importance.
    pub fn sentences(&self) -> Vec<String> {
        let sentence = |event: &Event| match event {
            Event::Note(text) | Event::Warning(text) | Event::Detail(text) => Some(text.clone()),
            _ => None,
        };
        self.events().iter().filter_map(sentence).collect()
    }

    /// Every warning so far.
    pub fn warnings(&self) -> Vec<String> {
        let warning = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        self.events().iter().filter_map(warning).collect()
    }

    /// Whether a sentence has these words.
    pub fn said(&self, words: &str) -> bool {
        self.sentences().iter().any(|text| text.contains(words))
    }
}
