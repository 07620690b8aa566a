//! The exponential function of numbers that are not positive, in a form that compilers vectorise.

/// Below this e^x is taken as 0: the next lower power of two that the reduction needs is not normal.
pub(super) const LOWEST: f64 = -708.0;
/// 1.5 · 2^52: adding it leaves a rounded integer in the low bits of a number of moderate size.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, so that integer multiples of the first are exact (Cody & Waite).
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/k! for k = 11, 10, … 0. Beyond |r| ≤ ln 2 / 2 the next term is at most 6e-15.
const COEFFICIENTS: [f64; 12] = [
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// e^x for x ≤ 0 with a relative error below 1e-14; 0 below [`LOWEST`].
///
/// Without branches, tables or calls, so that a loop over it is packed on every target: x = k ln 2 + r with integer k,
/// a polynomial for e^r, and 2^k written into the exponent.
#[inline(always)]
pub(super) fn exp_nonpositive(x: f64) -> f64 {
    let clamped = if x > LOWEST { x } else { LOWEST };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (clamped - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = COEFFICIENTS[0];
    for c in &COEFFICIENTS[1..] {
        sum = sum * r + c;
    }
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    if x >= LOWEST { sum * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_down_to_where_it_vanishes() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 3.54e-3;
            let (got, expected) = (exp_nonpositive(x), x.exp());
            assert!((got / expected - 1.0).abs() < 1e-14, "{x}: {got} {expected}");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert_eq!(exp_nonpositive(-0.0), 1.0);
        assert_eq!(exp_nonpositive(-708.1), 0.0);
        assert_eq!(exp_nonpositive(f64::NEG_INFINITY), 0.0);
    }
}
