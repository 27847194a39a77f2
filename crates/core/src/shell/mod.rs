//! A POSIX shell over a tree in memory: evaluates maintainer scripts without running anything.
