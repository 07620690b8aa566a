//! Where the data lie among their surrogates: in numbers, in a sentence, in a picture.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{
    figure::{Figure, Mark, number},
    measure::uncertainty::quantile,
};

/// Where the data lie among their surrogates. Lists have one entry for each value of the measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surrogates {
    /// What they keep of the data.
    pub kind: Kind,
    /// How many were made.
    pub count: u32,
    /// The seed that they come from.
    pub seed: u64,
    /// The mean of the null, over the surrogates that have a finite value.
    pub mean: Vec<Option<f64>>,
    /// The lower end of its middle 95 %.
    pub low: Vec<Option<f64>>,
    /// The upper end.
    pub high: Vec<Option<f64>>,
    /// (r + 1)/(n + 1), r surrogates at least as far from the median of all as the data: two-sided.
    pub p_value: Vec<Option<f64>>,
    /// The same with r surrogates at or below the data: small where the data are lower than the null.
    pub p_low: Vec<Option<f64>>,
    /// The same with r surrogates at or above the data.
    pub p_high: Vec<Option<f64>>,
    /// How many surrogates the measure is undefined for; they are not counted in n.
    pub undefined: Vec<u32>,
    /// Of iaaft, the largest relative difference in amplitude of a surrogate's spectrum and the data's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum_error: Option<f64>,
}

impl Surrogates {
    /// The same in another unit.
    pub(in crate::measure) fn scale(&mut self, factor: f64) {
        let all = self.mean.iter_mut().chain(&mut self.low).chain(&mut self.high);
        all.flatten().for_each(|x| *x *= factor);
    }

    /// The smallest of the two-sided p-values.
    #[must_use]
    pub fn smallest_p(&self) -> Option<f64> {
        self.p_value.iter().flatten().copied().reduce(f64::min)
    }

    /// `0.21 … 0.34 for 99 iaaft surrogates (mean 0.28), p = 0.01`; of several values, how many leave the band.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (kind, count) = (self.kind, self.count);
        let shown = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
        if let ([mean], [low], [high], [p]) = (&self.mean[..], &self.low[..], &self.high[..], &self.p_value[..]) {
            let (mean, low, high, p) = (shown(*mean), shown(*low), shown(*high), shown(*p));
            return format!("{low} … {high} for {count} {kind} surrogates (mean {mean}), p = {p}");
        }
        let known: Vec<f64> = self.p_value.iter().flatten().copied().collect();
        let few = known.iter().filter(|p| **p <= 0.05).count();
        let (all, smallest) = (known.len(), shown(self.smallest_p()));
        format!("{few} of {all} values with p ≤ 0.05 among {count} {kind} surrogates, the smallest p = {smallest}")
    }

    /// Adds one value of the measure with its null.
    #[expect(clippy::cast_precision_loss, reason = "at most 100 000 surrogates")]
    pub(super) fn add(&mut self, value: f64, null: Vec<f64>) {
        let mut finite: Vec<f64> = null.iter().copied().filter(|x| x.is_finite()).collect();
        finite.sort_unstable_by(f64::total_cmp);
        let some = |x: f64| (!finite.is_empty()).then_some(x);
        self.mean.push(some(finite.iter().sum::<f64>() / finite.len() as f64));
        self.low.push(some(quantile(&finite, 0.025)));
        self.high.push(some(quantile(&finite, 0.975)));
        let known = !null.is_empty() && !value.is_nan();
        let share = |extreme: usize| known.then(|| (extreme as f64 + 1.0) / (null.len() as f64 + 1.0));
        self.p_low.push(share(null.iter().filter(|x| **x <= value).count()));
        self.p_high.push(share(null.iter().filter(|x| **x >= value).count()));
        // Symmetric in the data and the surrogates, as the exactness of the rank needs: the median of all of them.
        let mut all: Vec<f64> = null.iter().copied().chain([value]).collect();
        all.sort_unstable_by(f64::total_cmp);
        let median = all[all.len() / 2];
        let far = |x: f64| if x == median { 0.0 } else { (x - median).abs() };
        self.p_value.push(share(null.iter().filter(|x| far(**x) >= far(value)).count()));
    }

    /// Puts the band of the null behind every curve of `figure` that ends with the values of the measure, `own`.
    pub(super) fn draw_into(&self, figure: &mut Figure, own: &[f64]) {
        let ends = self.low.iter().zip(&self.high);
        let ends = ends.map(|(low, high)| (low.unwrap_or(f64::NAN), high.unwrap_or(f64::NAN)));
        let places: Vec<(f64, (f64, f64))> = own.iter().copied().zip(ends).collect();
        // A curve may leave out what is not finite, and may begin with values that the measure does not report.
        let finite: Vec<_> = places.iter().copied().filter(|(value, _)| value.is_finite()).collect();
        let mut drawn = false;
        for panel in &mut figure.panels {
            let mut at = 0;
            while at < panel.marks.len() {
                let Mark::Line { x, y, colour, .. } = &panel.marks[at] else {
                    at += 1;
                    continue;
                };
                let ends_with = |values: &&Vec<(f64, (f64, f64))>| {
                    values.len() > 1
                        && y.len() >= values.len()
                        && y[y.len() - values.len()..].iter().zip(*values).all(|(a, (b, _))| a.to_bits() == b.to_bits())
                };
                let Some(values) = [&places, &finite].into_iter().find(ends_with) else {
                    at += 1;
                    continue;
                };
                let (low, high) = values.iter().map(|(_, ends)| *ends).unzip();
                let x = x[x.len().saturating_sub(values.len())..].to_vec();
                let band = Mark::Band { x, low, high, colour: *colour, opacity: 0.18 };
                panel.marks.insert(at, band);
                drawn = true;
                at += 2;
            }
        }
        if drawn {
            let (count, title) = (self.count, self.kind.title());
            figure.description.push_str(&format!(" The band has the middle 95 % of {count} {title} surrogates."));
        }
    }
}
