//! How sure an entropy is: resampling of counts, of blocks of a series, and of groups of templates.
//!
//! All intervals are 95 % and centred: the resampled values are shifted so that their mean is the estimate, because
//! a plug-in entropy of a resample is biased low by about (K−1)/(2N ln 2) bits more than the estimate itself.

use super::{Context, MeasureError};
use crate::{quantity::Uncertainty, rng::Philox};

/// The random stream of resampling.
const STREAM: u64 = 0x626f_6f74;
/// Above this many random draws a moving-block bootstrap resamples whole contiguous groups instead.
const MOST_DRAWS: u64 = 200_000_000;
/// The number of contiguous groups then.
const GROUPS: usize = 256;
/// How many parts a partition has: enough for a variance, and large enough for an estimate.
const PARTS: std::ops::Range<usize> = 5..11;
/// How often the observations are divided.
const PARTITIONS: usize = 6;
/// Draws between two calls of [`crate::pace::Pace::tick`].
const TICK: u64 = 1 << 20;

/// The interval of `statistic(counts)` when each of `counts.sum()` independent observations is drawn again.
///
/// # Errors
/// [`MeasureError::Cancelled`].
pub async fn multinomial(
    counts: &[u64],
    statistic: &dyn Fn(&[u64]) -> f64,
    context: &Context<'_>,
) -> Result<Option<Uncertainty>, MeasureError> {
    let n: u64 = counts.iter().sum();
    if context.resamples == 0 || n < 2 {
        return Ok(None);
    }
    let mut rng = Philox::new(context.seed, STREAM);
    let mut draws = Vec::with_capacity(context.resamples as usize);
    let mut resample = vec![0; counts.len()];
    let mut work = 0;
    for r in 0..context.resamples {
        let (mut left, mut mass) = (n, n);
        for (slot, &count) in resample.iter_mut().zip(counts) {
            *slot = if count >= mass { left } else { binomial(left, count, mass, &mut rng) };
            left -= *slot;
            mass -= count;
        }
        draws.push(statistic(&resample));
        work += counts.len() as u64;
        if work >= TICK {
            work = 0;
            context.pace.tick(u64::from(r), u64::from(context.resamples)).await?;
        }
    }
    let method = format!("bootstrap, {} resamples", context.resamples);
    Ok(Some(centred(draws, statistic(counts), method)))
}

/// A draw from the binomial law of `n` trials with success probability `part / whole`. Exact by inversion where the
/// mean or its mirror is below 50; a rounded normal beyond, whose error is far below that of 200 resamples.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are below 2^53 and the result is clamped to 0..=n"
)]
fn binomial(n: u64, part: u64, whole: u64, rng: &mut Philox) -> u64 {
    if n == 0 || part == 0 {
        return 0;
    }
    let p = part as f64 / whole as f64;
    let (q, mirrored) = if p > 0.5 { (1.0 - p, true) } else { (p, false) };
    let mean = n as f64 * q;
    let successes = if mean < 50.0 {
        // Inversion: walk the cumulative law from 0.
        let mut probability = (n as f64 * (-q).ln_1p()).exp();
        let mut u = rng.uniform();
        let mut k = 0;
        while u > probability && k < n {
            u -= probability;
            k += 1;
            probability *= (n - k + 1) as f64 / k as f64 * (q / (1.0 - q));
        }
        k
    } else {
        let deviate = mean + (mean * (1.0 - q)).sqrt() * rng.normal();
        deviate.round().clamp(0.0, n as f64) as u64
    };
    if mirrored { n - successes } else { successes }
}

/// The interval of `statistic(counts of keys)` by the moving-block bootstrap: blocks of ⌈n^(1/3)⌉ consecutive keys are
/// drawn with replacement, so that short-range dependence survives. Künsch, Ann. Stat. 17, 1217 (1989).
///
/// # Errors
/// [`MeasureError::Cancelled`].
pub async fn moving_block<K: Copy + Into<u32>>(
    keys: &[K],
    bins: usize,
    statistic: &dyn Fn(&[u64]) -> f64,
    context: &Context<'_>,
) -> Result<Option<Uncertainty>, MeasureError> {
    let n = keys.len();
    if context.resamples == 0 || n < 8 {
        return Ok(None);
    }
    let draws = u64::from(context.resamples).saturating_mul(n as u64 + bins as u64);
    let mut whole = vec![0; bins];
    count(keys, &mut whole);
    let estimate = statistic(&whole);
    if draws > MOST_DRAWS {
        return grouped(keys, bins, statistic, estimate, context).await.map(Some);
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cube root of a length"
    )]
    let block = ((n as f64).cbrt().ceil() as usize).clamp(1, n);
    let mut rng = Philox::new(context.seed, STREAM);
    let mut values = Vec::with_capacity(context.resamples as usize);
    let mut counts = vec![0; bins];
    let mut work = 0;
    for r in 0..context.resamples {
        counts.fill(0);
        let mut left = n;
        while left > 0 {
            let take = block.min(left);
            let start = rng.below(u32::try_from(n - block + 1).unwrap_or(u32::MAX)) as usize;
            count(&keys[start..start + take], &mut counts);
            left -= take;
        }
        values.push(statistic(&counts));
        work += (n + bins) as u64;
        if work >= TICK {
            work = 0;
            context.pace.tick(u64::from(r), u64::from(context.resamples)).await?;
        }
    }
    let method = format!("moving-block bootstrap, {} resamples of blocks of {block}", context.resamples);
    Ok(Some(centred(values, estimate, method)))
}

/// The same for long series, at a cost that does not depend on their length: [`GROUPS`] contiguous groups are
/// counted once and drawn with replacement.
async fn grouped<K: Copy + Into<u32>>(
    keys: &[K],
    bins: usize,
    statistic: &dyn Fn(&[u64]) -> f64,
    estimate: f64,
    context: &Context<'_>,
) -> Result<Uncertainty, MeasureError> {
    let mut groups = Vec::with_capacity(GROUPS);
    for group in keys.chunks(keys.len().div_ceil(GROUPS)) {
        let mut counts = vec![0; bins];
        count(group, &mut counts);
        groups.push(counts);
        context.pace.tick(groups.len() as u64, GROUPS as u64).await?;
    }
    let mut rng = Philox::new(context.seed, STREAM);
    let mut values = Vec::with_capacity(context.resamples as usize);
    for r in 0..context.resamples {
        let mut counts = vec![0; bins];
        for _ in 0..groups.len() {
            let pick = rng.below(u32::try_from(groups.len()).unwrap_or(u32::MAX)) as usize;
            counts.iter_mut().zip(&groups[pick]).for_each(|(a, b)| *a += b);
        }
        values.push(statistic(&counts));
        context.pace.tick(u64::from(r), u64::from(context.resamples)).await?;
    }
    let method = format!("block bootstrap, {} resamples of {} contiguous blocks", context.resamples, groups.len());
    Ok(centred(values, estimate, method))
}

fn count<K: Copy + Into<u32>>(keys: &[K], counts: &mut [u64]) {
    for key in keys {
        let key: u32 = (*key).into();
        counts[key as usize] += 1;
    }
}

/// The 2.5 % and 97.5 % quantiles of `draws`, shifted so that their mean is `estimate`.
fn centred(mut draws: Vec<f64>, estimate: f64, method: String) -> Uncertainty {
    #[expect(clippy::cast_precision_loss, reason = "hundreds of resamples")]
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    draws.sort_unstable_by(f64::total_cmp);
    Uncertainty {
        low: estimate + quantile(&draws, 0.025) - mean,
        high: estimate + quantile(&draws, 0.975) - mean,
        method,
    }
}

/// The quantile of sorted values, linear between neighbours.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let (index, part) = place(q, last);
    sorted[index] + (sorted[(index + 1).min(last)] - sorted[index]) * part
}

/// The same of values in any order, by selection: O(n). Their order changes.
#[must_use]
pub fn quantile_of(values: &mut [f64], q: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let (index, part) = place(q, last);
    let (_, &mut below, rest) = values.select_nth_unstable_by(index, f64::total_cmp);
    let above = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below + (above - below) * part
}

/// Where a quantile lies among `last` + 1 sorted values: after which of them, and how far towards the next.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index within a slice"
)]
fn place(q: f64, last: usize) -> (usize, f64) {
    let position = q.clamp(0.0, 1.0) * last as f64;
    let index = position.floor() as usize;
    (index, position - index as f64)
}

/// The interval of an estimate from its values with one of g groups of observations left out: ± 1.96 times the
/// delete-a-group jackknife standard error sqrt((g−1)/g Σ (θ_i − θ̄)²). Efron & Stein, Ann. Stat. 9, 586 (1981).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "tens of groups")]
pub fn jackknife(estimate: f64, left_out: &[f64]) -> Option<Uncertainty> {
    let finite: Vec<f64> = left_out.iter().copied().filter(|x| x.is_finite()).collect();
    if finite.len() < 4 || finite.len() < left_out.len() || !estimate.is_finite() {
        return None;
    }
    let g = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / g;
    let error = ((g - 1.0) / g * finite.iter().map(|x| (x - mean).powi(2)).sum::<f64>()).sqrt();
    Some(Uncertainty {
        low: estimate - 1.96 * error,
        high: estimate + 1.96 * error,
        method: format!("block jackknife, {} blocks", finite.len()),
    })
}

/// The interval of an estimate whose variance falls as 1/n, from its values on parts of the `n` observations: ± 1.96 times the
/// standard deviation over the parts divided by the root of their number. The parts are random, or contiguous where the
/// observations are a series; none has fewer than `smallest` observations. A bootstrap would duplicate points, and duplicates
/// are each other's nearest neighbours. Holmes & Nemenman, Phys. Rev. E 100, 022404 (2019), section III.
///
/// # Errors
/// [`MeasureError::Cancelled`], and what `statistic` returns.
#[expect(clippy::cast_precision_loss, reason = "tens of parts")]
pub(super) async fn partitions(
    n: usize,
    smallest: usize,
    in_time: bool,
    estimate: f64,
    context: &Context<'_>,
    mut statistic: impl AsyncFnMut(&[usize]) -> Result<f64, MeasureError>,
) -> Result<Option<Uncertainty>, MeasureError> {
    let most = PARTS.end.min(n / smallest.max(1) + 1);
    if context.resamples == 0 || !estimate.is_finite() || most <= PARTS.start {
        return Ok(None);
    }
    let mut rng = Philox::new(context.seed, STREAM);
    let mut rows: Vec<usize> = (0..n).collect();
    let mut variances = Vec::with_capacity(PARTITIONS);
    for round in 0..PARTITIONS {
        // Differing numbers of parts cut a series in different places.
        let parts = most - 1 - round % (most - PARTS.start);
        if !in_time {
            for (last, bound) in (1..n).zip(2_u32..) {
                rows.swap(last, rng.below(bound) as usize);
            }
        }
        let mut values = Vec::with_capacity(parts);
        for part in 0..parts {
            values.push(statistic(&rows[n * part / parts..n * (part + 1) / parts]).await?);
            context.pace.tick((round * parts + part) as u64, (PARTITIONS * parts) as u64).await?;
        }
        let count = parts as f64;
        let mean = values.iter().sum::<f64>() / count;
        variances.push(values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0) / count);
    }
    let error = (variances.iter().sum::<f64>() / PARTITIONS as f64).sqrt();
    Ok(error.is_finite().then(|| Uncertainty {
        low: estimate - 1.96 * error,
        high: estimate + 1.96 * error,
        method: format!("spread over {} parts, {PARTITIONS} partitions", if in_time { "contiguous" } else { "random" }),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compute::Cpu, measure::discrete::plugin_bits, pace::Unhurried};

    #[test]
    fn binomial_has_the_mean_and_variance_of_the_law_on_both_branches() {
        let mut rng = Philox::new(3, 9);
        for (n, part, whole) in [(40_u64, 3_u64, 10_u64), (1000, 9, 10), (5000, 1, 4), (7, 1, 2)] {
            let p = part as f64 / whole as f64;
            let draws: Vec<f64> = (0..20_000).map(|_| binomial(n, part, whole, &mut rng) as f64).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let (mu, var) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!((mean - mu).abs() < 5.0 * (var / 20_000.0).sqrt(), "mean {mean} of {mu}");
            // the standard error of a variance is about var sqrt(2/N)
            assert!(
                (variance / var - 1.0).abs() < 5.0 * (2.0_f64 / 20_000.0).sqrt() + 0.01,
                "variance {variance} of {var}"
            );
        }
    }

    #[test]
    fn the_bootstrap_covers_a_fair_die_about_95_times_in_100() {
        let truth = 6.0_f64.log2();
        let mut covered = 0;
        for trial in 0..200 {
            let mut rng = Philox::new(trial, 77);
            let mut counts = [0_u64; 6];
            (0..600).for_each(|_| counts[rng.below(6) as usize] += 1);
            let context = Context::new(&Cpu, &Unhurried).with_resamples(200, trial);
            // Miller-Madow removes the bias of the estimate; the interval is centred on it.
            let statistic = |c: &[u64]| plugin_bits(c) + 5.0 / (2.0 * 600.0 * std::f64::consts::LN_2);
            let u = pollster::block_on(multinomial(&counts, &statistic, &context)).unwrap().unwrap();
            covered += u32::from(u.low <= truth && truth <= u.high);
        }
        // Near the maximum of H the law is one-sided, so coverage is not exactly 95 %; 5 sd of 200 trials are 15.
        assert!((175..=200).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.25), 1.5);
        assert!(quantile(&[], 0.5).is_nan());
        let mut sorted: Vec<f64> = Vec::new();
        for k in 0..40_u32 {
            for q in [0.0, 0.25, 0.5, 0.75, 0.9, 1.0] {
                // The same numbers in an order that is neither sorted nor reversed.
                let mut mixed: Vec<f64> =
                    sorted.iter().rev().step_by(2).chain(sorted.iter().rev().skip(1).step_by(2)).copied().collect();
                assert_eq!(quantile_of(&mut mixed, q).to_bits(), quantile(&sorted, q).to_bits(), "{k} values, {q}");
            }
            sorted.push(f64::from(k / 2) * 1.1);
        }
    }
}
