//! Tests of the resolver as a whole.
