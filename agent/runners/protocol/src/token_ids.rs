//! The fixed token ids that engines are fed.

/// The token at a position of the context: the same for every engine, in any language.
///
/// It is output `position` + 1 of the `SplitMix64` generator that starts at `seed`, modulo the size of the vocabulary
/// (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
pub fn token_id(seed: u64, position: usize, vocabulary_size: usize) -> u32 {
    let steps = position as u64 + 1;
    let mut mixed = seed.wrapping_add(steps.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) % vocabulary_size as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::token_id;

    /// The first outputs of the generator's reference implementation (Vigna, splitmix64.c) for seed 1234567.
    #[test]
    fn agrees_with_the_reference() {
        let reference = [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (position, output) in reference.into_iter().enumerate() {
            assert_eq!(u64::from(token_id(1_234_567, position, 1 << 31)), output % (1 << 31));
        }
    }
}
