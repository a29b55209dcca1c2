//! Sorting by one piece of code, whatever is sorted: the standard library's is some 3 kB of WebAssembly a type. It
//! takes about twice the time, so what is long or sorted often is not for it.

use std::cmp::Ordering;

/// Sorts a list by a key, which is asked for at each comparison; what has equal keys stays in its order.
pub fn sort_by_key<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut order: Vec<usize> = (0..list.len()).collect();
    sort_places(&mut order, &|a, b| key(&list[a]).cmp(&key(&list[b])));
    let mut places: Vec<Option<T>> = list.drain(..).map(Some).collect();
    list.extend(order.into_iter().map(|at| places[at].take().expect("each place once")));
}

/// Sorts places by what stands there; those where the same stands, by their numbers.
pub fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_unstable_by(|a, b| compare(*a, *b).then_with(|| a.cmp(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let seed = 7;
        let mut random = fastrand::Rng::with_seed(seed);
        for len in [0, 1, 2, 3, 20, 21, 1000] {
            let numbered = |n| (random.u8(..20), format!("{n}"));
            let mut ours: Vec<(u8, String)> = (0..len).map(numbered).collect();
            let mut expected = ours.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by_key(&mut ours, |(key, _)| *key);
            assert_eq!(ours, expected, "seed {seed}, {len}");
        }
    }
}
