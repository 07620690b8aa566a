//! Sorting by integer keys.

/// Below this many keys a comparison sort is as fast.
const FEW: usize = 512;
/// Above this many keys the two buffers of the radix sort are too large for a page.
const MANY: usize = 1 << 22;
/// Bits of a key that one pass looks at.
const BITS: u32 = 11;
const BINS: usize = 1 << BITS;
/// The bits of the lowest digit.
const DIGIT: u64 = (1 << BITS) - 1;
const PASSES: usize = u64::BITS.div_ceil(BITS) as usize;

/// The indices of `keys` in ascending order of key; equal keys keep theirs. O(N).
///
/// A radix sort, without branches that depend on the keys: wasm engines may have nothing else for a comparison sort.
/// Passes over digits that all keys share are left out.
///
/// # Panics
/// Never for fewer than 2^32 keys, which no page and no GPU holds.
pub(super) fn ascending(keys: impl ExactSizeIterator<Item = u64> + Clone) -> Vec<u32> {
    let n = keys.len();
    let index = 0..u32::try_from(n).unwrap_or(u32::MAX);
    if !(FEW..=MANY).contains(&n) {
        let mut all: Vec<(u64, u32)> = keys.zip(index).collect();
        all.sort_unstable();
        return all.into_iter().map(|(_, i)| i).collect();
    }
    let mut counts = vec![[0_u32; BINS]; PASSES];
    for key in keys.clone() {
        for (pass, counts) in (0..).zip(&mut counts) {
            counts[digit(key, pass)] += 1;
        }
    }
    let mut from: Vec<(u64, u32)> = keys.zip(index).collect();
    let mut to = vec![(0, 0); n];
    for (pass, counts) in (0..).zip(&mut counts) {
        if counts[digit(from[0].0, pass)] as usize == n {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            (*count, next) = (next, next + *count);
        }
        for entry in &from {
            let place = &mut counts[digit(entry.0, pass)];
            to[*place as usize] = *entry;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    from.into_iter().map(|(_, i)| i).collect()
}

const fn digit(key: u64, pass: u32) -> usize {
    ((key >> (pass * BITS)) & DIGIT) as usize
}

/// A number that orders like the finite `x`; 0.0 and -0.0 have the same.
pub(super) const fn key_of(x: f64) -> u64 {
    // + 0.0 turns -0.0 into 0.0
    let bits = (x + 0.0).to_bits();
    bits ^ if bits >> 63 == 1 { u64::MAX } else { 1 << 63 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn indices_come_in_ascending_and_stable_order(
            few in prop::collection::vec(any::<u64>(), 0..40), copies in 1_usize..40, shift in 0_u32..64,
        ) {
            let keys: Vec<u64> = few.iter().map(|k| k >> shift).cycle().take(few.len() * copies).collect();
            let mut expected: Vec<u32> = (0..u32::try_from(keys.len()).unwrap()).collect();
            expected.sort_by_key(|&i| keys[i as usize]);
            prop_assert_eq!(ascending(keys.iter().copied()), expected);
        }

        #[test]
        fn keys_order_like_their_numbers(a in prop::num::f64::NORMAL | prop::num::f64::ZERO, b in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
            prop_assert_eq!(a.partial_cmp(&b), Some(key_of(a).cmp(&key_of(b))));
        }
    }

    #[test]
    fn zeros_of_both_signs_have_one_key() {
        assert_eq!(key_of(0.0), key_of(-0.0));
        assert!(key_of(-1e-300) < key_of(0.0) && key_of(0.0) < key_of(1e-300));
    }
}
