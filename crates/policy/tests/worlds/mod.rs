//! Random numbers for worlds, the same ones for the same seed.

/// A linear congruential generator with the numbers of Numerical Recipes; its low bits are poor, so they are not used.
pub(crate) struct Random(pub(crate) u32);

impl Random {
    /// A number from zero to `limit`, which is not included.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }

    /// One of several.
    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u32) as usize].clone()
    }
}
