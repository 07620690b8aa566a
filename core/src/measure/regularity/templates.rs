//! Templates as ranks, and the CPU kernel that counts their matches.

use std::ops::Range;

use multiversion::multiversion;

use super::Inequality;
use crate::{
    compute::Matches,
    measure::{MeasureError, Series, order::ascending, ordinal::dense_ranks},
    pace::Pace,
};

/// Rank of a coordinate that does not exist: it lies in no run.
const ABSENT_RANK: u32 = u32::MAX;
/// Lower end of the run of a coordinate that does not exist; with width 0 no rank lies in it.
const ABSENT_LOW: u32 = u32::MAX - 1;
/// Candidate pairs between two calls of [`Pace::tick`].
const TICK: u64 = 1 << 24;

/// The templates of a series, as ranks and runs of matching ranks.
///
/// All three arrays are coordinate-major: coordinate `k` (0..=m) of template `t` is at `k * count + t`.
/// Templates `a` and `b` match in coordinate `k` exactly when
/// `ranks[k·count + b].wrapping_sub(low[k·count + a]) <= width[k·count + a]`, and this is symmetric in a and b.
/// Where coordinate `m` of a template does not exist (approximate entropy has one or more such templates at the
/// end of each stretch), its rank is `u32::MAX` and its run holds no rank, so it matches nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// The number of templates.
    pub count: usize,
    /// The shorter template length m; each template has m + 1 coordinates.
    pub m: usize,
    /// Dense ranks of the samples: `(m + 1) * count`.
    pub ranks: Vec<u32>,
    /// The smallest matching rank: `(m + 1) * count`.
    pub low: Vec<u32>,
    /// The largest matching rank minus the smallest: `(m + 1) * count`.
    pub width: Vec<u32>,
}

/// Which starts have a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Starts {
    /// Those with m + 1 values: sample entropy.
    Longer,
    /// Those with m values: approximate entropy.
    Shorter,
}

impl Templates {
    /// The templates of `series` for tolerance `r` (absolute, in the units of the values).
    pub(super) fn new(
        series: &Series<'_>,
        m: usize,
        delay: usize,
        r: f64,
        inequality: Inequality,
        starts: Starts,
    ) -> Self {
        let samples = Runs::new(&series.values, r, inequality);
        let values = match starts {
            Starts::Longer => m + 1,
            Starts::Shorter => m,
        };
        let span = (values - 1).saturating_mul(delay);
        let positions: Vec<(usize, usize)> = series
            .stretches
            .iter()
            .flat_map(|s| (s.start..s.end.saturating_sub(span).max(s.start)).map(move |i| (i, s.end)))
            .collect();
        let count = positions.len();
        let gather = |from: &[u32], absent: u32| {
            let mut all = Vec::with_capacity((m + 1) * count);
            for k in 0..=m {
                let at = |&(start, end): &(usize, usize)| {
                    let i = start + k * delay;
                    if i < end { from[i] } else { absent }
                };
                all.extend(positions.iter().map(at));
            }
            all
        };
        Self {
            count,
            m,
            ranks: gather(&samples.ranks, ABSENT_RANK),
            low: gather(&samples.low, ABSENT_LOW),
            width: gather(&samples.width, 0),
        }
    }

    /// The templates with the given indices, for a part of the series.
    pub(super) fn subset(&self, range: std::ops::Range<usize>) -> Self {
        let cut = |all: &[u32]| (0..=self.m).flat_map(|k| &all[k * self.count..][range.clone()]).copied().collect();
        Self { count: range.len(), m: self.m, ranks: cut(&self.ranks), low: cut(&self.low), width: cut(&self.width) }
    }

    /// Coordinate `k` of `array`.
    fn coordinate<'a>(&self, array: &'a [u32], k: usize) -> &'a [u32] {
        &array[k * self.count..(k + 1) * self.count]
    }

    /// For each template the number of other templates that match it.
    ///
    /// Templates are put into strips by their first coordinate, one run of matching ranks wide, and sorted by their
    /// second within a strip. All matches of a template lie in its own strip, where every first coordinate matches, and
    /// in its two neighbours; in each of the three, those that match in the second coordinate are one contiguous run,
    /// whose ends only move up from template to template. Left to test are one or two coordinates of the templates in
    /// the three runs. Cost: sorting, plus those runs, together half as many again as the matches for smooth data.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn matches(&self, pace: &dyn Pace) -> Result<Matches, MeasureError> {
        let mut matches = Matches { shorter: vec![0; self.count], longer: vec![0; self.count] };
        if self.count < 2 {
            return Ok(matches);
        }
        let strips = Strips::new(self);
        let mut work = 0;
        let mut bounds = vec![Bounds::default(); self.m + 1];
        let mut inside = Vec::new();
        for s in 0..strips.begin.len() - 1 {
            let mut runs = strips.neighbours(s);
            for done in strips.begin[s]..strips.begin[s + 1] {
                let t = strips.order[done] as usize;
                for (k, bounds) in bounds.iter_mut().enumerate() {
                    bounds.low = self.coordinate(&self.low, k)[t];
                    bounds.width = self.coordinate(&self.width, k)[t];
                }
                let (mut shorter, mut longer) = (0, 0);
                for (strip, run) in &mut runs {
                    run.move_up(&strips.sorted[strips.second], bounds[strips.second]);
                    let (from, to) = (run.from, run.to);
                    work += (to - from) as u64;
                    let (s, l) = count_run(&strips.sorted, &bounds, *strip == s, from..to, &mut inside);
                    shorter += s;
                    longer += l;
                }
                // Each template is among its own candidates and matches itself (over m + 1 only if it has that value).
                matches.shorter[t] = shorter - 1;
                matches.longer[t] = longer - u32::from(self.coordinate(&self.ranks, self.m)[t] != ABSENT_RANK);
                if work >= TICK {
                    work = 0;
                    pace.tick(done as u64, self.count as u64).await?;
                }
            }
        }
        Ok(matches)
    }
}

/// The ranks `low ..= low + width`.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    low: u32,
    width: u32,
}

impl Bounds {
    const fn contain(self, rank: u32) -> bool {
        rank.wrapping_sub(self.low) <= self.width
    }
}

/// How many candidates of `run` match over m and over m + 1 coordinates, given that they match in the coordinate that
/// strips are sorted by and, in the template's own strip, in the first.
fn count_run(
    sorted: &[Vec<u32>],
    bounds: &[Bounds],
    own: bool,
    run: Range<usize>,
    inside: &mut Vec<u32>,
) -> (u32, u32) {
    let m = bounds.len() - 1;
    let at = |k: usize| (&sorted[k][run.clone()], bounds[k]);
    let all = u32::try_from(run.len()).unwrap_or(u32::MAX);
    match m {
        // Strips are sorted by the first coordinate itself.
        1 => (all, count_last(at(1))),
        2 if own => (all, count_last(at(2))),
        2 => count_two(at(0), at(2)),
        _ => {
            inside.clear();
            inside.resize(run.len(), 1);
            for k in (0..m).filter(|&k| k > 1 || (k == 0 && !own)) {
                narrow(inside, at(k));
            }
            count_inside(inside, at(m))
        }
    }
}

/// Ranks of one coordinate, and those that match.
type Coordinate<'a> = (&'a [u32], Bounds);

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_last((ranks, bounds): Coordinate<'_>) -> u32 {
    // Plain, unlike the loops over bytes: with an array of sums this was measured four times slower on AVX2.
    let mut count = 0;
    for x in ranks {
        count += u32::from(bounds.contain(*x));
    }
    count
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_two(a: Coordinate<'_>, b: Coordinate<'_>) -> (u32, u32) {
    let (mut shorter, mut longer) = (0, 0);
    for (x, y) in a.0.iter().zip(b.0) {
        let one = u32::from(a.1.contain(*x));
        shorter += one;
        longer += one & u32::from(b.1.contain(*y));
    }
    (shorter, longer)
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn narrow(inside: &mut [u32], (ranks, bounds): Coordinate<'_>) {
    for (i, x) in inside.iter_mut().zip(ranks) {
        *i &= u32::from(bounds.contain(*x));
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_inside(inside: &[u32], (ranks, bounds): Coordinate<'_>) -> (u32, u32) {
    let (mut shorter, mut longer) = (0, 0);
    for (i, x) in inside.iter().zip(ranks) {
        shorter += *i;
        longer += *i & u32::from(bounds.contain(*x));
    }
    (shorter, longer)
}

/// Templates by strips of their first coordinate, sorted by their second within a strip.
struct Strips {
    /// Template indices in strip order.
    order: Vec<u32>,
    /// Where each strip begins in `order`, with the end appended.
    begin: Vec<usize>,
    /// The ranks in strip order, coordinate by coordinate, so that the inner loops run over slices.
    sorted: Vec<Vec<u32>>,
    /// Which of the coordinates the strips are sorted by.
    second: usize,
}

/// A contiguous run of one strip.
struct Run {
    from: usize,
    to: usize,
    end: usize,
}

impl Run {
    /// Moves to the ranks within `bounds`, which lie no lower than those of the call before.
    fn move_up(&mut self, ranks: &[u32], bounds: Bounds) {
        while self.from < self.end && ranks[self.from] < bounds.low {
            self.from += 1;
        }
        self.to = self.to.max(self.from);
        while self.to < self.end && bounds.contain(ranks[self.to]) {
            self.to += 1;
        }
    }
}

impl Strips {
    fn new(t: &Templates) -> Self {
        let first = t.coordinate(&t.ranks, 0);
        let second = usize::from(t.m >= 2);
        let (strip_of, strips) = strips(t);
        let by = t.coordinate(&t.ranks, second);
        let keys = first.iter().zip(by).map(|(&f, &b)| u64::from(strip_of[f as usize]) << 32 | u64::from(b));
        let mut begin = vec![0; strips + 1];
        for &rank in first {
            begin[strip_of[rank as usize] as usize + 1] += 1;
        }
        for i in 1..begin.len() {
            begin[i] += begin[i - 1];
        }
        let order = ascending(keys);
        let sorted = (0..=t.m)
            .map(|k| {
                let ranks = t.coordinate(&t.ranks, k);
                order.iter().map(|&t| ranks[t as usize]).collect()
            })
            .collect();
        Self { order, begin, sorted, second }
    }

    /// Strip `s` and those beside it, each with an empty run at its start.
    fn neighbours(&self, s: usize) -> Vec<(usize, Run)> {
        (s.saturating_sub(1)..(s + 2).min(self.begin.len() - 1))
            .map(|s| (s, Run { from: self.begin[s], to: self.begin[s], end: self.begin[s + 1] }))
            .collect()
    }
}

/// For each rank of a first coordinate its strip, and the number of strips.
///
/// Each strip begins just above the run that matches the first sample of the one before. So the values of a strip lie
/// within the tolerance of its first one, hence of each other, and what matches one of them lies at most a strip away.
fn strips(t: &Templates) -> (Vec<u32>, usize) {
    let first = t.coordinate(&t.ranks, 0);
    let ranks = first.iter().max().map_or(0, |&r| r as usize + 1);
    let mut high = vec![None; ranks];
    for (&rank, (&low, &width)) in first.iter().zip(t.coordinate(&t.low, 0).iter().zip(t.coordinate(&t.width, 0))) {
        high[rank as usize] = Some(low + width);
    }
    let (mut strips, mut end) = (0_u32, None);
    let strip_of = (0..)
        .zip(high)
        .map(|(rank, high)| {
            if high.is_some() && end.is_none_or(|e| rank > e) {
                strips += 1;
                end = high;
            }
            strips.saturating_sub(1)
        })
        .collect();
    (strip_of, strips as usize)
}

/// For each sample its dense rank and the run of ranks within the tolerance.
struct Runs {
    ranks: Vec<u32>,
    low: Vec<u32>,
    width: Vec<u32>,
}

impl Runs {
    fn new(values: &[f64], r: f64, inequality: Inequality) -> Self {
        let ranks = dense_ranks(values);
        let distinct = ranks.iter().max().map_or(0, |&m| m as usize + 1);
        let mut sorted = vec![0.0; distinct];
        for (x, &rank) in values.iter().zip(&ranks) {
            sorted[rank as usize] = *x;
        }
        let near = |a: f64, b: f64| match inequality {
            Inequality::Within => (a - b).abs() <= r,
            Inequality::Below => (a - b).abs() < r,
        };
        // Both ends of the run move up with the rank.
        let (mut first, mut last) = (0, 0);
        let mut run = Vec::with_capacity(distinct);
        for (i, &x) in sorted.iter().enumerate() {
            while first < i && !near(x, sorted[first]) {
                first += 1;
            }
            last = last.max(i);
            while last + 1 < distinct && near(x, sorted[last + 1]) {
                last += 1;
            }
            let as_rank = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            run.push((as_rank(first), as_rank(last - first)));
        }
        let low = ranks.iter().map(|&k| run[k as usize].0).collect();
        let width = ranks.iter().map(|&k| run[k as usize].1).collect();
        Self { ranks, low, width }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    fn by_definition(x: &[f64], m: usize, delay: usize, r: f64, inequality: Inequality, starts: Starts) -> Matches {
        let need = if starts == Starts::Longer { m } else { m - 1 };
        let count = x.len().saturating_sub(need * delay);
        let near = |a: f64, b: f64| match inequality {
            Inequality::Within => (a - b).abs() <= r,
            Inequality::Below => (a - b).abs() < r,
        };
        let mut found = Matches { shorter: vec![0; count], longer: vec![0; count] };
        for i in 0..count {
            for j in (0..count).filter(|&j| j != i) {
                if (0..m).all(|k| near(x[i + k * delay], x[j + k * delay])) {
                    found.shorter[i] += 1;
                    let (a, b) = (i + m * delay, j + m * delay);
                    if a < x.len() && b < x.len() && near(x[a], x[b]) {
                        found.longer[i] += 1;
                    }
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn the_kernel_is_the_definition(
            lattice in any::<bool>(),
            raw in prop::collection::vec(0_u32..1000, 0..120),
            m in 1_usize..5, delay in 1_usize..4, r in 0.1_f64..3.0, below in any::<bool>(), shorter in any::<bool>(),
        ) {
            let x: Vec<f64> = raw.into_iter().map(|v| if lattice { f64::from(v % 7) } else { f64::from(v) * 0.007 }).collect();
            let r = if lattice { r.round().max(1.0) } else { r };
            let series = Series::whole(&x[..]);
            let inequality = if below { Inequality::Below } else { Inequality::Within };
            let starts = if shorter { Starts::Shorter } else { Starts::Longer };
            let templates = Templates::new(&series, m, delay, r, inequality, starts);
            let found = pollster::block_on(templates.matches(&Unhurried)).unwrap();
            prop_assert_eq!(found, by_definition(&x, m, delay, r, inequality, starts));
        }
    }

    #[test]
    fn all_equal_samples_all_match() {
        let x = vec![3.0; 40];
        let series = Series::whole(&x[..]);
        let templates = Templates::new(&series, 2, 1, 0.0, Inequality::Within, Starts::Longer);
        let found = pollster::block_on(templates.matches(&Unhurried)).unwrap();
        assert!(found.shorter.iter().chain(&found.longer).all(|&c| c == 37));
    }
}
