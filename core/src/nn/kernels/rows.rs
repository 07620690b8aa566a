//! Loops over rows and over flat buffers.

use super::{
    super::optimiser::Nudge,
    attend::{largest, total},
};
use crate::nn::{Float, float::count};

const LANES: usize = 16;
/// Added to a variance, as in PyTorch's `LayerNorm`.
const EPSILON: f64 = 1e-5;

#[inline(always)]
pub(super) fn dot<T: Float>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let ((xs, x), (ys, y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in xs.iter().zip(ys) {
        for l in 0..LANES {
            sums[l] += x[l] * y[l];
        }
    }
    for ((x, y), sum) in x.iter().zip(y).zip(&mut sums) {
        *sum += *x * *y;
    }
    total(sums)
}

/// Σ f(x).
#[inline(always)]
pub(super) fn sum_of<T: Float>(x: &[T], f: impl Fn(T) -> T) -> T {
    let mut sums = [T::ZERO; LANES];
    let (xs, rest) = x.as_chunks::<LANES>();
    for x in xs {
        for l in 0..LANES {
            sums[l] += f(x[l]);
        }
    }
    for (x, sum) in rest.iter().zip(&mut sums) {
        *sum += f(*x);
    }
    total(sums)
}

/// Σ f(x, y, z).
#[inline(always)]
fn sum_of_three<T: Float>(x: &[T], y: &[T], z: &[T], f: impl Fn(T, T, T) -> T) -> T {
    let mut sums = [T::ZERO; LANES];
    let ((xs, x), (ys, y), (zs, z)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>(), z.as_chunks::<LANES>());
    for ((x, y), z) in xs.iter().zip(ys).zip(zs) {
        for l in 0..LANES {
            sums[l] += f(x[l], y[l], z[l]);
        }
    }
    for (((x, y), z), sum) in x.iter().zip(y).zip(z).zip(&mut sums) {
        *sum += f(*x, *y, *z);
    }
    total(sums)
}

#[inline(always)]
pub(super) fn add_rows<T: Float>(x: &[T], sum: &mut [T]) {
    for row in x.chunks_exact(sum.len()) {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
    }
}

#[inline(always)]
pub(super) fn square<T: Float>(x: &[T]) -> f64 {
    // Stretches in the precision at hand, their sums in f64: no running sum of many small squares.
    x.chunks(1024).map(|part| sum_of(part, |x| x * x).wide()).sum()
}

#[inline(always)]
pub(super) fn norm_forward<T: Float>(x: &[T], gain: &[T], bias: Option<&[T]>, y: &mut [T], stats: &mut [[T; 2]]) {
    let width = gain.len();
    let share = T::of(1.0 / count(width));
    for ((x, y), stats) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(stats) {
        let mean = sum_of(x, |x| x) * share;
        let variance = sum_of(x, |x| (x - mean) * (x - mean)) * share;
        let inverse = T::ONE / (variance + T::of(EPSILON)).sqrt();
        *stats = [mean, inverse];
        for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
            *y = (*x - mean) * inverse * *gain;
        }
        if let Some(bias) = bias {
            y.iter_mut().zip(bias).for_each(|(y, bias)| *y += *bias);
        }
    }
}

#[inline(always)]
pub(super) fn norm_backward<T: Float>(
    x: &[T],
    stats: &[[T; 2]],
    gain: &[T],
    dy: &[T],
    (dgain, dbias): (&mut [T], Option<&mut [T]>),
    dx: &mut [T],
    add: bool,
) {
    let width = gain.len();
    let share = T::of(1.0 / count(width));
    let rows = x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
    for (((x, dy), dx), [mean, inverse]) in rows.zip(stats) {
        let (mean, inverse) = (*mean, *inverse);
        // Sums of g and of g x̂, where g = dy · gain and x̂ = (x − mean)/deviation. One loop each: LLVM would make pairs of
        // the two, not vectors of one.
        let plain = dot(dy, gain) * share;
        let along = sum_of_three(dy, gain, x, |dy, gain, x| dy * gain * ((x - mean) * inverse)) * share;
        for ((((dx, x), dy), gain), dgain) in dx.iter_mut().zip(x).zip(dy).zip(gain).zip(dgain.iter_mut()) {
            let hat = (*x - mean) * inverse;
            *dgain += *dy * hat;
            let slope = (*dy * *gain - plain - hat * along) * inverse;
            *dx = if add { *dx + slope } else { slope };
        }
    }
    if let Some(dbias) = dbias {
        add_rows(dy, dbias);
    }
}

/// 2 √(2/π) and 0.044715: GELU's tanh form written with the logistic function, since (1 + tanh u)/2 = σ(2u).
const SLOPE: f64 = 1.595_769_121_605_730_8;
const CUBIC: f64 = 0.044_715;

#[inline(always)]
pub(super) fn gelu_forward<T: Float>(x: &[T], y: &mut [T]) {
    let (slope, cubic) = (T::of(SLOPE), T::of(CUBIC));
    for (y, x) in y.iter_mut().zip(x) {
        let x = *x;
        let u = slope * (x + cubic * x * x * x);
        *y = x / (T::ONE + (-u).exp());
    }
}

#[inline(always)]
pub(super) fn gelu_backward<T: Float>(x: &[T], dy: &mut [T]) {
    let (slope, cubic, thrice) = (T::of(SLOPE), T::of(CUBIC), T::of(3.0 * CUBIC));
    for (dy, x) in dy.iter_mut().zip(x) {
        let x = *x;
        let u = slope * (x + cubic * x * x * x);
        let share = T::ONE / (T::ONE + (-u).exp());
        *dy *= share + x * share * (T::ONE - share) * (slope * (T::ONE + thrice * x * x));
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "losses are told in f32")]
pub(super) fn cross_entropy<T: Float>(
    logits: &mut [T],
    width: usize,
    targets: &[u32],
    losses: &mut [f32],
    scale: Option<T>,
) -> f64 {
    let mut sum = 0.0;
    for ((row, target), loss) in logits.chunks_exact_mut(width).zip(targets).zip(losses) {
        let most = largest(row);
        let target = *target as usize;
        let score = row[target] - most;
        let total = if let Some(scale) = scale {
            row.iter_mut().for_each(|x| *x = (*x - most).exp());
            let total = sum_of(row, |x| x);
            let share = scale / total;
            row.iter_mut().for_each(|x| *x *= share);
            row[target] -= scale;
            total
        } else {
            sum_of(row, |x| (x - most).exp())
        };
        let nats = (total.ln() - score).wide();
        *loss = nats as f32;
        sum += nats;
    }
    sum
}

#[inline(always)]
pub(super) fn nudge<T: Float>(nudge: &Nudge, decay: f64, x: &mut [T], (m, v): (&mut [T], &mut [T]), gradient: &[T]) {
    let [clip, keep] = [nudge.clip, 1.0 - nudge.rate * decay].map(T::of);
    let [forget_first, forget_second] = [1.0 - nudge.beta1, 1.0 - nudge.beta2].map(T::of);
    let (step, spread) = (T::of(nudge.rate / nudge.bias1), T::of(1.0 / nudge.bias2.sqrt()));
    let epsilon = T::of(nudge.epsilon);
    for (((x, m), v), g) in x.iter_mut().zip(m).zip(v).zip(gradient) {
        let g = *g * clip;
        *m += forget_first * (g - *m);
        *v += forget_second * (g * g - *v);
        *x = *x * keep - step * *m / (v.sqrt() * spread + epsilon);
    }
}
