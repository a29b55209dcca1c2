//! Chance for the generator: the same on every platform, integers only.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014):
/// 64 bits of state, each step one addition and one [`mix`].
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to `bound` − 1, each as likely to within `bound` in 2^64. A bound of 0 gives 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether something that happens `times` in a thousand happens.
    pub fn in_thousand(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The output function of [`SplitMix64`]: scatters, and gives no two numbers the same image.
pub fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Ranks from 0 whose weight falls as 1 / (rank + 1)^0.9: a few busy accounts and a long tail.
pub struct Zipf {
    /// The weights of each rank and of those before it, summed.
    up_to: Vec<u64>,
    /// For each equal share of the whole weight, the rank in which it begins: a search in all
    /// ranks would miss the cache at every step.
    begins: Vec<u32>,
    /// A share is 2 to the power of this.
    share_bits: u32,
}

impl Zipf {
    /// The most ranks: as far as the arithmetic below holds.
    pub const MOST: u64 = 1 << 27;

    /// Of `ranks` ranks, at most [`Zipf::MOST`].
    pub fn new(ranks: u64) -> Zipf {
        assert!(ranks <= Zipf::MOST, "at most {} ranks", Zipf::MOST);
        let (mut root, mut sum) = (1u128 << 10, 0);
        let up_to = (1..=ranks).map(|n| {
            // `root` is the tenth root of n with ten binary places, rounded down; it grows slowly,
            // so it is found by counting. 1 / n^0.9 = n^0.1 / n.
            while (root + 1).pow(10) <= u128::from(n) << 100 {
                root += 1;
            }
            sum += ((root as u64) << 30) / n;
            sum
        });
        let up_to: Vec<u64> = up_to.collect();
        let whole = up_to.last().copied().unwrap_or(0);
        let share_bits = (whole / ranks.max(1)).checked_ilog2().unwrap_or(0);
        let mut rank = 0;
        let begins = (0..=whole >> share_bits).map(|share| {
            while up_to.get(rank).is_some_and(|up_to| *up_to <= share << share_bits) {
                rank += 1;
            }
            rank as u32
        });
        let begins = begins.collect();
        Zipf { up_to, begins, share_bits }
    }

    /// A rank.
    pub fn sample(&self, random: &mut SplitMix64) -> u32 {
        self.rank_at(random.below(self.up_to.last().copied().unwrap_or(0)))
    }

    fn rank_at(&self, at: u64) -> u32 {
        let share = (at >> self.share_bits) as usize;
        let from = self.begins[share] as usize;
        let to = self.begins.get(share + 1).map_or(self.up_to.len(), |next| *next as usize + 1);
        let to = to.min(self.up_to.len());
        (from + self.up_to[from..to].partition_point(|up_to| *up_to <= at)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_as_published() {
        let mut random = SplitMix64::new(1_234_567);
        let got: Vec<u64> = (0..3).map(|_| random.next()).collect();
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(got, expected);
    }

    #[test]
    fn every_weight_has_its_rank() {
        let zipf = Zipf::new(1000);
        for (rank, up_to) in zipf.up_to.iter().enumerate() {
            assert_eq!(zipf.rank_at(up_to - 1) as usize, rank);
            if rank + 1 < zipf.up_to.len() {
                assert_eq!(zipf.rank_at(*up_to) as usize, rank + 1);
            }
        }
        assert_eq!(zipf.rank_at(0), 0);
    }

    #[test]
    fn weights_fall_by_the_power() {
        let zipf = Zipf::new(1 << 20);
        let weight = |n: usize| zipf.up_to[n - 1] - if n == 1 { 0 } else { zipf.up_to[n - 2] };
        // 2^40 / n^0.9, worked out apart: the table's ten binary places are right to 0.1 %.
        for (n, exact) in [
            (1, 1_099_511_627_776),
            (2, 589_213_692_200),
            (10, 138_420_312_877),
            (1000, 2_193_814_115),
            (1_000_000, 4_377_234),
        ] {
            let off = weight(n).abs_diff(exact) * 1000 / exact;
            assert_eq!(off, 0, "rank {n}: {} for {exact}", weight(n));
        }
        let mut random = SplitMix64::new(1);
        let samples = 100_000;
        let first = (0..samples).filter(|_| zipf.sample(&mut random) == 0).count() as u64;
        let share = weight(1) * samples / zipf.up_to.last().unwrap();
        assert!(first.abs_diff(share) < share / 20, "{first} of {share}");
    }
}
