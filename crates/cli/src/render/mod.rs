//! How things read on a terminal: progress, errors, tables, sizes.

pub(crate) mod error;
mod faults;
pub(crate) mod progress;
pub(crate) mod size;
pub(crate) mod table;

/// "1 package", "2 packages".
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
