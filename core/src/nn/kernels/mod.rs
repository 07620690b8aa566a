//! The inner loops, compiled once for each instruction set and precision.
//!
//! Every body is generic: small loops over fixed widths that LLVM turns into vectors. [`Kernels`] chooses at run time, by
//! `multiversion`, among AVX-512, AVX2 with FMA, SSE4.2 and the plain target (on wasm: 128-bit SIMD, where the target has
//! it). Only the matrix product uses fused multiply-add, so that everything else is equal to the bit on all of them.
//! Sums over a row have sixteen partial sums.

mod attend;
mod gemm;
mod rows;
mod square;

use multiversion::{multiversion, target::target_cfg_f};

pub use gemm::Packing;
pub(super) use {attend::Strip, gemm::Matrix};

use super::optimiser::Nudge;

/// The inner loops in one precision. Implemented for f32 and f64 only.
#[doc(hidden)]
pub trait Kernels: Sized {
    /// c = a b, or c += a b, of shape [m, n, k]; c has the given stride.
    fn gemm(
        shape: [usize; 3],
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        c: (&mut [Self], usize),
        add: bool,
        packing: &mut Packing<Self>,
    );
    /// y = gain (x − mean)/deviation + bias a row; notes mean and 1/deviation.
    fn norm_forward(x: &[Self], gain: &[Self], bias: Option<&[Self]>, y: &mut [Self], stats: &mut [[Self; 2]]);
    /// The gradients of the above; that of x is written or added.
    fn norm_backward(
        x: &[Self],
        stats: &[[Self; 2]],
        gain: &[Self],
        dy: &[Self],
        dparams: (&mut [Self], Option<&mut [Self]>),
        dx: &mut [Self],
        add: bool,
    );
    /// y = x σ(2u), u = √(2/π) (x + 0.044715 x³).
    fn gelu_forward(x: &[Self], y: &mut [Self]);
    /// dy becomes dx.
    fn gelu_backward(x: &[Self], dy: &mut [Self]);
    /// −ln of the softmax at the target a row, and their sum; with a scale the logits become their gradients times it.
    fn cross_entropy(
        logits: &mut [Self],
        width: usize,
        targets: &[u32],
        losses: &mut [f32],
        scale: Option<Self>,
    ) -> f64;
    /// Scores become probabilities; the logarithms of their sums are noted.
    fn strip_forward(strip: &Strip, scores: &mut [Self], scale: Self, lse: &mut [Self]);
    /// By key and then by query: scores become probabilities again, and their slopes those of the scores.
    fn strip_backward(
        strip: &Strip,
        scores: &mut [Self],
        slopes: &mut [Self],
        scale: Self,
        lse_and_inner: [&[Self]; 2],
    );
    /// The transpose.
    fn turned(rows: [[Self; 4]; 4]) -> [[Self; 4]; 4];
    /// Σ x y.
    fn dot(x: &[Self], y: &[Self]) -> Self;
    /// Adds every row of x to sum.
    fn add_rows(x: &[Self], sum: &mut [Self]);
    /// Σ x² in f64.
    fn square(x: &[Self]) -> f64;
    /// One step of AdamW on a stretch of parameters that share their decay.
    fn nudge(nudge: &Nudge, decay: f64, x: &mut [Self], moments: (&mut [Self], &mut [Self]), gradient: &[Self]);
}

/// A function that is compiled once for each instruction set.
macro_rules! versions {
    ($body:path => $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $to:ty)?) => {
        fn $name($($arg: $ty),*) $(-> $to)? {
            #[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "x86_64+sse4.2"))]
            fn run($($arg: $ty),*) $(-> $to)? {
                $body($($arg),*)
            }
            run($($arg),*)
        }
    };
}

/// The loops for one precision; the numbers are how many fit two vector registers of 128, 256 and 512 bits.
macro_rules! precision {
    ($t:ident, $narrow:literal, $middle:literal, $wide:literal, $turned:path) => {
        impl Kernels for $t {
            fn gemm(
                shape: [usize; 3],
                a: Matrix<'_, $t>,
                b: Matrix<'_, $t>,
                c: (&mut [$t], usize),
                add: bool,
                packing: &mut Packing<$t>,
            ) {
                #[multiversion(targets(
                    "x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+fma",
                    "x86_64+avx2+fma",
                    "x86_64+sse4.2"
                ))]
                fn run(
                    shape: [usize; 3],
                    a: Matrix<'_, $t>,
                    b: Matrix<'_, $t>,
                    c: (&mut [$t], usize),
                    add: bool,
                    packing: &mut Packing<$t>,
                ) {
                    // Tiles that fill the vector registers and do not overflow them; half as wide for few columns.
                    if target_cfg_f!(target_feature = "avx512f") {
                        if shape[1] <= $middle {
                            gemm::gemm::<$t, 8, $middle, true>(shape, a, b, c, add, packing);
                        } else {
                            gemm::gemm::<$t, 8, $wide, true>(shape, a, b, c, add, packing);
                        }
                    } else if target_cfg_f!(target_feature = "fma") {
                        gemm::gemm::<$t, 6, $middle, true>(shape, a, b, c, add, packing);
                    } else {
                        gemm::gemm::<$t, 4, $narrow, false>(shape, a, b, c, add, packing);
                    }
                }
                run(shape, a, b, c, add, packing);
            }

            #[inline(always)]
            fn turned(rows: [[$t; 4]; 4]) -> [[$t; 4]; 4] {
                $turned(rows)
            }

            versions!(rows::norm_forward => norm_forward(
                x: &[$t], gain: &[$t], bias: Option<&[$t]>, y: &mut [$t], stats: &mut [[$t; 2]]
            ));
            versions!(rows::norm_backward => norm_backward(
                x: &[$t], stats: &[[$t; 2]], gain: &[$t], dy: &[$t], dparams: (&mut [$t], Option<&mut [$t]>),
                dx: &mut [$t], add: bool
            ));
            versions!(rows::gelu_forward => gelu_forward(x: &[$t], y: &mut [$t]));
            versions!(rows::gelu_backward => gelu_backward(x: &[$t], dy: &mut [$t]));
            versions!(rows::cross_entropy => cross_entropy(
                logits: &mut [$t], width: usize, targets: &[u32], losses: &mut [f32], scale: Option<$t>
            ) -> f64);
            versions!(attend::forward => strip_forward(strip: &Strip, scores: &mut [$t], scale: $t, lse: &mut [$t]));
            versions!(attend::backward => strip_backward(
                strip: &Strip, scores: &mut [$t], slopes: &mut [$t], scale: $t, lse_and_inner: [&[$t]; 2]
            ));
            versions!(rows::dot => dot(x: &[$t], y: &[$t]) -> $t);
            versions!(rows::add_rows => add_rows(x: &[$t], sum: &mut [$t]));
            versions!(rows::square => square(x: &[$t]) -> f64);
            versions!(rows::nudge => nudge(
                nudge: &Nudge, decay: f64, x: &mut [$t], moments: (&mut [$t], &mut [$t]), gradient: &[$t]
            ));
        }
    };
}

precision!(f32, 8, 16, 32, square::turned_single);
precision!(f64, 4, 8, 16, square::turned);
