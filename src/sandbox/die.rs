//! Deterministic randomness: numbers that depend only on the seed and on names, never on a clock or earlier requests.

use sha2::{Digest, Sha256};

/// The random numbers of one thing: an order, a workflow or a revision.
pub(super) struct Die {
    state: u64,
    name: String,
}

impl Die {
    /// The die for the thing with these names, under a seed.
    pub(super) fn of(seed: u64, names: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(seed.to_be_bytes());
        for name in names {
            hasher.update(name.as_bytes());
            // A NUL, which no ID has, separates names: ("a", "bc") and ("ab", "c") differ.
            hasher.update([0]);
        }
        let digest = hasher.finalize();
        let (state, rest) = digest.split_at(8);
        Self {
            state: state.iter().fold(0, |state, byte| (state << 8) | u64::from(*byte)),
            name: rest.iter().take(10).map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// A number from 0 to `sides` - 1; always the same for the same `about`.
    pub(super) fn roll(&self, about: &str, sides: u64) -> u64 {
        // FNV-1a over `about`, then the finaliser of SplitMix64.
        let hash =
            about.bytes().fold(self.state, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(sides).unwrap_or(0)
    }

    /// One of the choices.
    pub(super) fn pick<T: Copy, const COUNT: usize>(&self, about: &str, choices: [T; COUNT]) -> T {
        const { assert!(COUNT > 0) };
        let chosen = self.roll(about, COUNT as u64);
        choices[usize::try_from(chosen).unwrap_or(0)]
    }

    /// 20 hex digits, like those of the provider's IDs.
    pub(super) fn hex(&self) -> &str {
        &self.name
    }
}
