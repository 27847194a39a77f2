//! What one script may use up before it is stopped.

use super::ShellError;

/// Bounds on the evaluation of one script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands run and loop rounds.
    pub steps: u64,
    /// Bytes written to descriptors and built by expansions, together.
    pub bytes: u64,
    /// Functions, sourced files, substitutions and compound commands inside each other.
    pub depth: u32,
}

impl Default for Limits {
    /// Far beyond what maintainer scripts need, yet used up within seconds.
    fn default() -> Self {
        Self { steps: 2_000_000, bytes: 1 << 30, depth: 1000 }
    }
}

/// What has been used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    steps: u64,
    bytes: u64,
    pub(super) depth: u32,
}

impl Usage {
    pub(super) fn step(&mut self, limits: &Limits, line: u32) -> Result<(), ShellError> {
        self.steps += 1;
        if self.steps > limits.steps {
            return Err(ShellError::Limit { limit: format!("{} steps", limits.steps), line });
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, limits: &Limits, bytes: usize, line: u32) -> Result<(), ShellError> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > limits.bytes {
            return Err(ShellError::Limit { limit: format!("{} bytes of output", limits.bytes), line });
        }
        Ok(())
    }

    /// One level deeper; the caller takes it back with `depth -= 1`.
    pub(super) fn deeper(&mut self, limits: &Limits, line: u32) -> Result<(), ShellError> {
        if self.depth >= limits.depth {
            return Err(ShellError::Limit { limit: format!("{} nested calls", limits.depth), line });
        }
        self.depth += 1;
        Ok(())
    }
}
