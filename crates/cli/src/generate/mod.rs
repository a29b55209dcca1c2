//! Event lines of a believable population, for trying things out.

mod account;
mod population;
mod random;

pub use population::generate;
