//! Hashes what the account map asks for on all cores.

use commitment::Climb;

use crate::check::threads;

/// Under so many for each thread one alone is done sooner.
const FEW: usize = 256;

/// As [`Climb::run`].
pub(crate) fn climb(climbs: &mut [Climb]) {
    let part = climbs.len().div_ceil(threads()).max(FEW);
    let (own, others) = climbs.split_at_mut(part.min(climbs.len()));
    std::thread::scope(|scope| {
        for others in others.chunks_mut(part) {
            scope.spawn(|| Climb::run(others));
        }
        Climb::run(own);
    });
}
