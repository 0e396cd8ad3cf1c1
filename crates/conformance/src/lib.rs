//! Conformance tests over the whole program.
