//! In-process archive and builders of test data.
