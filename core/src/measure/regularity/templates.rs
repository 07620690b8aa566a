//! Templates as ranks, and the CPU kernel that counts their matches.

use multiversion::multiversion;

use super::Inequality;
use crate::{
    compute::Matches,
    measure::{MeasureError, Series, ordinal::dense_ranks},
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
    /// Templates are put into strips of equal-rank-run width by their first coordinate and sorted by their second within
    /// a strip; the candidates of a template are then one contiguous run in each of three neighbouring strips, half as
    /// many again as its matches for smooth data. Cost: sorting, plus those candidates.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn matches(&self, pace: &dyn Pace) -> Result<Matches, MeasureError> {
        if self.count < 2 {
            return Ok(Matches { shorter: vec![0; self.count], longer: vec![0; self.count] });
        }
        let strips = Strips::new(self);
        let mut matches = Matches { shorter: vec![0; self.count], longer: vec![0; self.count] };
        // Candidates are stored in strip order, coordinate by coordinate, so that the inner loop runs over slices.
        let sorted: Vec<Vec<u32>> = (0..=self.m)
            .map(|k| {
                let ranks = self.coordinate(&self.ranks, k);
                strips.order.iter().map(|&t| ranks[t as usize]).collect()
            })
            .collect();
        let mut work = 0;
        let mut bounds = Bounds { low: vec![0; self.m + 1], width: vec![0; self.m + 1] };
        for (done, &t) in strips.order.iter().enumerate() {
            let t = t as usize;
            for k in 0..=self.m {
                bounds.low[k] = self.coordinate(&self.low, k)[t];
                bounds.width[k] = self.coordinate(&self.width, k)[t];
            }
            let (mut shorter, mut longer) = (0, 0);
            for run in strips.candidates(self, t, &sorted) {
                work += run.len() as u64;
                let (s, l) = count_run(&sorted, &bounds, self.m, run);
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
        Ok(matches)
    }
}

struct Bounds {
    low: Vec<u32>,
    width: Vec<u32>,
}

/// How many candidates of `run` match over m and over m + 1 coordinates.
fn count_run(sorted: &[Vec<u32>], bounds: &Bounds, m: usize, run: std::ops::Range<usize>) -> (u32, u32) {
    let at = |k: usize| (&sorted[k][run.clone()], bounds.low[k], bounds.width[k]);
    match m {
        1 => count_2(at(0), at(1)),
        2 => count_3(at(0), at(1), at(2)),
        _ => {
            let mut inside = vec![true; run.len()];
            for k in 0..m {
                let (ranks, low, width) = at(k);
                narrow(&mut inside, ranks, low, width);
            }
            let (ranks, low, width) = at(m);
            count_last(&inside, ranks, low, width)
        }
    }
}

type Coordinate<'a> = (&'a [u32], u32, u32);

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_2(a: Coordinate<'_>, b: Coordinate<'_>) -> (u32, u32) {
    let (mut shorter, mut longer) = (0, 0);
    for (x, y) in a.0.iter().zip(b.0) {
        let one = u32::from(x.wrapping_sub(a.1) <= a.2);
        shorter += one;
        longer += one & u32::from(y.wrapping_sub(b.1) <= b.2);
    }
    (shorter, longer)
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_3(a: Coordinate<'_>, b: Coordinate<'_>, c: Coordinate<'_>) -> (u32, u32) {
    let (mut shorter, mut longer) = (0, 0);
    for ((x, y), z) in a.0.iter().zip(b.0).zip(c.0) {
        let two = u32::from(x.wrapping_sub(a.1) <= a.2) & u32::from(y.wrapping_sub(b.1) <= b.2);
        shorter += two;
        longer += two & u32::from(z.wrapping_sub(c.1) <= c.2);
    }
    (shorter, longer)
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn narrow(inside: &mut [bool], ranks: &[u32], low: u32, width: u32) {
    for (i, x) in inside.iter_mut().zip(ranks) {
        *i &= x.wrapping_sub(low) <= width;
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_last(inside: &[bool], ranks: &[u32], low: u32, width: u32) -> (u32, u32) {
    let (mut shorter, mut longer) = (0, 0);
    for (i, x) in inside.iter().zip(ranks) {
        shorter += u32::from(*i);
        longer += u32::from(*i & (x.wrapping_sub(low) <= width));
    }
    (shorter, longer)
}

/// Templates by strips of their first coordinate, sorted by their second within a strip.
struct Strips {
    /// Template indices in strip order.
    order: Vec<u32>,
    /// Where each strip begins in `order`, with the end appended.
    begin: Vec<usize>,
    /// The first rank of each strip, with the end appended.
    first_rank: Vec<u32>,
    /// Which of the coordinates the strips are sorted by.
    second: usize,
}

impl Strips {
    fn new(t: &Templates) -> Self {
        let first = t.coordinate(&t.ranks, 0);
        let second = usize::from(t.m >= 2);
        let first_rank = strip_ranks(t);
        let strip_of = |rank: u32| first_rank.partition_point(|&f| f <= rank) - 1;
        let strip: Vec<u32> = first.iter().map(|&r| u32::try_from(strip_of(r)).unwrap_or(u32::MAX)).collect();
        let by = t.coordinate(&t.ranks, second);
        let mut order: Vec<u32> = (0..u32::try_from(t.count).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by_key(|&i| (u64::from(strip[i as usize]) << 32) | u64::from(by[i as usize]));
        let mut begin = vec![0; first_rank.len()];
        for s in &strip {
            begin[*s as usize + 1] += 1;
        }
        for i in 1..begin.len() {
            begin[i] += begin[i - 1];
        }
        Self { order, begin, first_rank, second }
    }

    /// The runs of `order` that hold every match of template `t`.
    fn candidates<'a>(
        &'a self,
        templates: &'a Templates,
        t: usize,
        sorted: &'a [Vec<u32>],
    ) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let low = templates.coordinate(&templates.low, 0)[t];
        let high = low + templates.coordinate(&templates.width, 0)[t];
        let from = self.first_rank.partition_point(|&f| f <= low).saturating_sub(1);
        let to = self.first_rank.partition_point(|&f| f <= high) - 1;
        let second_low = templates.coordinate(&templates.low, self.second)[t];
        let second_high = second_low.saturating_add(templates.coordinate(&templates.width, self.second)[t]);
        (from..=to.min(self.begin.len() - 2)).map(move |s| {
            let ranks = &sorted[self.second][self.begin[s]..self.begin[s + 1]];
            let start = ranks.partition_point(|&r| r < second_low);
            let end = start + ranks[start..].partition_point(|&r| r <= second_high);
            self.begin[s] + start..self.begin[s] + end
        })
    }
}

/// Strips one run of matching ranks wide: each begins just above the run that matches the first sample of the one
/// before, so the matches of a template lie in at most three neighbouring strips.
fn strip_ranks(t: &Templates) -> Vec<u32> {
    let mut by_rank: Vec<(u32, u32)> = t
        .coordinate(&t.ranks, 0)
        .iter()
        .zip(t.coordinate(&t.low, 0).iter().zip(t.coordinate(&t.width, 0)))
        .map(|(&rank, (&low, &width))| (rank, low + width))
        .collect();
    by_rank.sort_unstable();
    let mut first_rank = Vec::new();
    let mut end = None;
    for (rank, high) in by_rank {
        if end.is_none_or(|e| rank > e) {
            first_rank.push(rank);
            end = Some(high);
        }
    }
    first_rank.push(u32::MAX);
    first_rank
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
