//! Criterion benches of the hot paths: `cargo bench --package benches`. Beside them lie the peers of
//! `stillthere bench`: `peers/`, whose programs travel in the binary, and `examples/stores.rs`.
