//! Marks from data.

use super::{Axis, Colour, Mark, scale::count};

/// The lowest and highest value of each stretch of a series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// The index in the middle of each stretch; of the outermost ones the first and the last index.
    pub x: Vec<f64>,
    /// NaN where a stretch has no number.
    pub low: Vec<f64>,
    /// NaN where a stretch has no number.
    pub high: Vec<f64>,
}

/// The extremes of `values` in at most `buckets` stretches of equal length; exact (each value its own
/// stretch) when there are no more values than buckets.
#[must_use]
pub fn envelope(values: &[f64], buckets: usize) -> Envelope {
    let buckets = buckets.clamp(1, values.len().max(1));
    let mut out = Envelope::default();
    let mut start = 0;
    for bucket in 1..=buckets {
        // In 128 bits the product has room for any length.
        let end = usize::try_from(bucket as u128 * values.len() as u128 / buckets as u128).unwrap_or(values.len());
        // With the next value, to which a line would lead: neighbouring stretches touch, so the band has no holes.
        let reach = if buckets < values.len() { (end + 1).min(values.len()) } else { end };
        let Some(stretch) = values.get(start..reach).filter(|_| start < end) else { continue };
        let finite = stretch.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::NAN, f64::NAN), |(low, high), value| (low.min(value), high.max(value)));
        out.x.push(f64::midpoint(count(start), count(end - 1)));
        out.low.push(low);
        out.high.push(high);
        start = end;
    }
    if buckets > 1
        && let [first, .., last] = out.x.as_mut_slice()
    {
        *first = 0.0;
        *last = count(values.len() - 1);
    }
    out
}

/// A series as a line, or as the band of its extremes when it has more than two values for each of
/// `buckets` (about the pixels across). `x` turns an index into a place.
#[must_use]
pub fn series(values: &[f64], x: impl Fn(f64) -> f64, buckets: usize, name: &str, colour: Colour) -> Mark {
    if values.len() <= buckets.saturating_mul(2) {
        let x = (0..values.len()).map(|index| x(count(index))).collect();
        return Mark::Line { name: name.to_owned(), x, y: values.to_vec(), colour };
    }
    let Envelope { x: middle, low, high } = envelope(values, buckets);
    Mark::Band { x: middle.into_iter().map(x).collect(), low, high, colour, opacity: 1.0 }
}

/// A line with at most `buckets` (about the pixels across) stretches of equal width between the ends of `x`:
/// the first and the last value of all, and of each stretch the lowest and the highest, at their places.
/// All values when there are not more than two for each. `x` is ascending, with any steps; where `y` is
/// not a number the line stays broken.
#[must_use]
pub fn line(x: &[f64], y: &[f64], buckets: usize, name: &str, colour: Colour) -> Mark {
    let length = x.len().min(y.len());
    let (x, y) = (&x[..length], &y[..length]);
    let mark = |x, y| Mark::Line { name: name.to_owned(), x, y, colour };
    let buckets = buckets.max(1);
    let mut finite = x.iter().copied().filter(|x| x.is_finite());
    let (first, last) = (finite.next(), finite.next_back());
    let (Some(first), Some(last)) = (first, last) else { return mark(x.to_vec(), y.to_vec()) };
    if length <= buckets.saturating_mul(2) {
        return mark(x.to_vec(), y.to_vec());
    }
    // Halves keep the differences of extreme values finite.
    let bucket = |x: f64| {
        let share = (x / 2.0 - first / 2.0) / (last / 2.0 - first / 2.0);
        (share * count(buckets)).floor().min(count(buckets) - 1.0)
    };
    let mut kept: Vec<usize> = Vec::new();
    let same = |a: &usize, b: &usize| bucket(x[*a]) == bucket(x[*b]) || bucket(x[*b]).is_nan();
    for group in (0..length).collect::<Vec<_>>().chunk_by(same) {
        let numbers = || group.iter().copied().filter(|at| y[*at].is_finite());
        let lowest = numbers().min_by(|a, b| y[*a].total_cmp(&y[*b]));
        let highest = numbers().max_by(|a, b| y[*a].total_cmp(&y[*b]));
        let broken = group.iter().copied().find(|at| !y[*at].is_finite());
        let mut places: Vec<usize> = [lowest, highest, broken].into_iter().flatten().collect();
        places.extend(group.iter().copied().filter(|at| *at == 0 || *at == length - 1));
        places.sort_unstable();
        places.dedup();
        kept.extend(places);
    }
    mark(kept.iter().map(|at| x[*at]).collect(), kept.iter().map(|at| y[*at]).collect())
}

/// Counts of `values` over bars with round edges, at most `most` of them; the number of bars follows
/// Freedman and Diaconis. `None` without a finite value.
#[must_use]
pub fn histogram(values: &[f64], most: usize) -> Option<Mark> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (*sorted.first()?, *sorted.last()?);
    let most = count(most.clamp(1, 10_000));
    let quantile = |numerator: usize| sorted[(sorted.len() - 1) * numerator / 4];
    let wanted = 2.0 * (quantile(3) - quantile(1)) / count(sorted.len()).cbrt();
    let least = (high / most - low / most).max(low.abs().max(high.abs()) * 1e-12);
    let step = round_up(if wanted.is_finite() { wanted.max(least) } else { least });
    let (mut step, mut first) = (step, (low / step).floor());
    // Rounding the ends outwards may need a bar more than allowed.
    while (high / step).floor() - first + 1.0 > most && most > 1.0 && step.is_normal() {
        step = round_up(step * 1.01);
        first = (low / step).floor();
    }
    if low == high || most <= 1.0 || !step.is_normal() {
        let half = if low == high { (low.abs() * 0.05).max(0.5) } else { 0.0 };
        let edges = vec![low - half, high + half];
        return Some(Mark::Bars { edges, heights: vec![count(sorted.len())], colour: Colour::First });
    }
    let mut edges = vec![first * step];
    let mut heights = Vec::new();
    let mut rest = sorted.as_slice();
    let mut bar = first + 1.0;
    while !rest.is_empty() && count(heights.len()) < most + 2.0 {
        let edge = bar * step;
        // The rounding of the last edge must not lose the largest value.
        let inside = rest.partition_point(|value| *value < edge || (edge >= high && *value <= high && *value <= edge));
        heights.push(count(inside));
        edges.push(edge);
        rest = &rest[inside..];
        bar += 1.0;
    }
    Some(Mark::Bars { edges, heights, colour: Colour::First })
}

/// The next of 1, 2, 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let base = 10f64.powf(value.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * base)
        .find(|step| *step >= value * (1.0 - 1e-9))
        .unwrap_or(value)
}

/// A bar for each name, and the axis it stands on.
#[must_use]
pub fn categories(title: &str, names: Vec<String>, heights: Vec<f64>, colour: Colour) -> (Axis, Mark) {
    let edges = (0..=heights.len()).map(|edge| count(edge) - 0.5).collect();
    (Axis { names, ..Axis::new(title) }, Mark::Bars { edges, heights, colour })
}
