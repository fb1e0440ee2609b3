//! Choices drawn from a seed: the same seed chooses the same, on every machine and in every release.
//!
//! # Why
//! A line that repeats a failure must not depend on a library's version; the generator is
//! `SplitMix64` (Steele, Lea and Flood, 2014), ten lines long.

/// Draws choices.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `limit`; 0 when nothing is.
    pub fn below(&mut self, limit: usize) -> usize {
        let drawn = self.word() % (limit.max(1) as u64);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.word() % (most - least + 1)
    }

    /// One time in so many.
    pub fn is_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len());
        all.get(at).expect("there is something to choose from")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_what_it_draws_is_known() {
        let mut dice = Dice::new(1_234_567);
        let drawn = [dice.word(), dice.word(), dice.word()];
        assert_eq!(drawn[0], 6_457_827_717_110_365_317);
        assert_eq!(drawn[1], 3_203_168_211_198_807_973);
        let mut again = Dice::new(1_234_567);
        assert_eq!(drawn, [again.word(), again.word(), again.word()]);
    }

    #[test]
    fn numbers_are_within_what_is_asked_for() {
        let mut dice = Dice::new(7);
        assert!((0..1000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert!((0..1000).all(|_| dice.below(4) < 4));
    }
}
