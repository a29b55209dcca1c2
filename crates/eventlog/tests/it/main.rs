//! What the log promises, held against real and faulty storage.

mod checker;
mod copy;
mod crash;
mod erased_rot;
mod erasing;
mod erasing_beside;
mod faulty;
mod flip;
mod folder;
mod indexing;
mod loss;
mod power;
mod publishing;
mod recovery;
mod rot;
mod salvage;
mod sealed;
mod sealing;
mod sealing_erased;
mod shrinking;
mod support;
mod write_and_read;
