//! Elementary functions in a form that compilers vectorise.

/// exp(−t) for t ≥ 0, to 2 units in the last place; 0 from t = 708 on, where the value is below 10⁻³⁰⁷.
///
/// exp(−t) = 2^k exp(f), k the integer nearest to −t/ln 2, |f| ≤ ½ ln 2; the series of exp(f) to f¹³. No branch and no call: a loop
/// over it becomes vector code.
#[inline(always)]
pub(super) fn exp_negative(t: f64) -> f64 {
    // Adding it rounds to an integer, which stands in its lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const TERMS: [f64; 14] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0,
    ];
    let inside = t < 708.0;
    let x = if inside { -t } else { 0.0 };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let f = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = TERMS[13];
    let mut n = 13;
    while n > 0 {
        n -= 1;
        sum = sum * f + TERMS[n];
    }
    // k stands in the lowest bits of `shifted`; the exponent's bias makes it that of 2^k.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if inside { sum * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential() {
        for k in 0..200_000 {
            let t = f64::from(k) * 0.003_541;
            let (got, expected) = (exp_negative(t), (-t).exp());
            let off = if t < 708.0 { (got / expected - 1.0).abs() } else { got };
            assert!(off < 5e-16, "{t}: {got} {expected}");
        }
        assert!((exp_negative(0.0) - 1.0).abs() < f64::EPSILON);
        assert!(exp_negative(f64::INFINITY).abs() < f64::MIN_POSITIVE);
    }
}
