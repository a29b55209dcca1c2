//! What people see: tables, colour, words in two languages. Nothing here decides anything.

pub mod ahead;
pub mod amount;
pub mod escape;
pub mod fold;
pub mod progress;
pub mod screen;
pub mod style;
pub mod svg;
pub mod table;
pub mod words;
