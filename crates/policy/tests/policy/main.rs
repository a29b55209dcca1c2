//! Tests of the policy language.

mod bad_files;
mod calendar;
mod compiled;
mod good_files;
mod hashing;
mod population;
mod preset;
mod random;
mod sizes;
