//! Hashes what the account map is made of on all cores.

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

/// What `work` makes of some things, a part of them a thread, in their order.
pub(crate) fn in_parts<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let part = things.len().div_ceil(threads()).max(FEW);
    let (own, others) = things.split_at(part.min(things.len()));
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> =
            others.chunks(part).map(|some| scope.spawn(move || work(some))).collect();
        let mut made = work(own);
        for other in others {
            made.extend(other.join().expect("hashing does not panic"));
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_their_order() {
        for count in [0, 1, FEW, FEW + 1, 3 * FEW + 1, 9 * FEW] {
            let things: Vec<usize> = (0..count).collect();
            let odd = |some: &[usize]| some.iter().copied().filter(|n| n % 2 == 1).collect();
            assert!(in_parts(&things, odd).into_iter().eq((1..count).step_by(2)), "{count}");
        }
    }
}
