//! The two precisions: f32 for speed, f64 as the reference.

use std::{
    fmt::Debug,
    ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign},
};

use super::kernels::Kernels;

/// A floating-point number that networks are made of: f32 or f64, nothing else.
pub trait Float:
    Kernels
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Below every score: where a search for a maximum begins.
    const LOWEST: Self;

    /// The nearest number to `x`.
    fn of(x: f64) -> Self;

    /// The number as f64, without loss.
    fn wide(self) -> f64;

    /// e^x. In f32 a polynomial with a relative error below 2e-7 that vectorises, never above e^88; NaN stays NaN.
    fn exp(self) -> Self;

    /// ln x.
    fn ln(self) -> Self;

    /// √x.
    fn sqrt(self) -> Self;

    /// self · a + b, rounded once.
    fn fused(self, a: Self, b: Self) -> Self;

    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

/// What the standard library has under the same names for both.
macro_rules! standard {
    () => {
        #[inline(always)]
        fn ln(self) -> Self {
            self.ln()
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            self.sqrt()
        }

        #[inline(always)]
        fn fused(self, a: Self, b: Self) -> Self {
            self.mul_add(a, b)
        }

        #[inline(always)]
        fn is_finite(self) -> bool {
            self.is_finite()
        }
    };
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = Self::MIN;

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked for")]
    fn of(x: f64) -> Self {
        x as Self
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    /// Range reduction by n ln 2 in two parts, then the polynomial of Cephes' `expf` (Moshier 1989).
    #[inline(always)]
    fn exp(self) -> Self {
        const MAGIC: f32 = 12_582_912.0; // 1.5 · 2^23: adding it rounds to a whole number in the low bits
        // Written so that NaN passes both.
        let x = if self > 88.0 { 88.0 } else { self };
        let x = if x < -87.0 { -87.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
        let mut p = 1.987_569_2e-4;
        for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
            p = p * r + c;
        }
        let y = p * r * r + r + 1.0;
        let power = shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23;
        y * Self::from_bits(power)
    }

    standard!();
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = Self::MIN;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    standard!();
}

/// A count as f64.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(super) const fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_of_f32_is_within_its_bound() {
        let mut worst = 0.0_f64;
        for i in -86_000..=86_000 {
            let x = f64::from(i) * 1e-3;
            let x32 = f32::of(x);
            let exact = f64::exp(x32.wide());
            worst = worst.max((Float::exp(x32).wide() / exact - 1.0).abs());
        }
        assert!(worst < 2e-7, "{worst}");
        assert!(Float::exp(f32::NAN).is_nan());
        assert!(Float::exp(-1e9_f32) < 1e-37 && Float::exp(f32::INFINITY).is_finite());
    }
}
