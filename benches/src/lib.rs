//! Criterion benches of the hot paths: `cargo bench --package benches`.
