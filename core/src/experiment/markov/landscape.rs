//! First-order chains and one tied layer: the loss as a landscape with a bad local minimum, and descents in it.
//!
//! The three-parameter transformer of Makkuva et al. on a two-state chain, Pr(0 → 1) = p, Pr(1 → 0) = q, predicts the next
//! symbol from the current one, x, with the logit
//!
//! ```text
//! f(x) = s (1 + 2w|w|) x + b − s/2,   s = e² with tied weights, s = e u without,
//! L(s, w, b) = π₁ [q ln(1 + e^f(1)) + (1 − q) ln(1 + e^−f(1))] + π₀ [p ln(1 + e^−f(0)) + (1 − p) ln(1 + e^f(0))]
//! ```
//!
//! in nats a symbol; e is the embedding and (tied) the head, w the feed-forward layer, b the head's bias, which is kept at
//! its optimum as in the energy plots of their code (`Markov-Fixed`). At s = 0 the loss is H₁. There
//! ∂L/∂s = p q (p + q − 1)(1 + 2w|w|)/(p + q)², so that with s = e² ≥ 0 the line e = 0 is a minimum for w > −1/√2 if
//! p + q > 1, while the global minimum, L = H, is where s (1 + 2w|w|) = ln((1 − p)(1 − q)/(p q)) < 0. With s = e u, of
//! either sign, it is a saddle. Gradient flow keeps E = e² − w² − sgn(w) ln|w|.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PAPER, source::nats};
use crate::{
    compute::{Compute, Ran},
    experiment::{About, Claim, Column, Comparison, Doing, Experiment, ExperimentError, Record, Scalar, Table},
    figure::{Axis, Colour, ColourMap, Figure, Mark, Panel, number},
    pace::Pace,
    rng::Philox,
    sim::markov::Switching,
};

/// Parameters of the landscape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Probability of 0 → 1.
    #[schemars(range(min = 0.05, max = 0.95))]
    p: f64,
    /// Probability of 1 → 0.
    #[schemars(range(min = 0.05, max = 0.95))]
    q: f64,
    /// Whether the head's weight is the token embedding.
    tied: bool,
    /// Descents.
    #[schemars(range(min = 1, max = 500))]
    starts: u32,
    /// Standard deviation of the parameters at the beginning.
    #[schemars(range(min = 0.001, max = 2))]
    spread: f64,
    /// Learning rate of plain gradient descent.
    #[schemars(range(min = 0.001, max = 1))]
    rate: f64,
    /// Steps of a descent.
    #[schemars(range(min = 10, max = 100_000))]
    steps: u32,
    /// Seed of the beginnings.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { p: 0.5, q: 0.8, tied: true, starts: 40, spread: 0.05, rate: 0.2, steps: 4000, seed: 1 }
    }
}

/// The map reaches so far in w and e, or in w and s without tying.
const REACH: f64 = 3.0;
/// Cells of the map in each direction.
const CELLS: usize = 81;
/// Paths that are drawn, and their points.
const PATHS: usize = 24;
const POINTS: u32 = 60;
/// A loss this near to H₁ or to H, as a share of the gap between them, is at it.
const NEAR: f64 = 0.01;
/// Beginnings with a weight w this near to 0 have an energy that no step size follows.
const LEAST_WEIGHT: f64 = 1e-3;

/// The loss of the model on the chain.
#[derive(Clone, Copy, Debug)]
struct Landscape {
    p: f64,
    q: f64,
    tied: bool,
}

/// A point of a descent: e, u (which is e where the weights are tied) and w.
#[derive(Clone, Copy, Debug)]
struct Place {
    e: f64,
    u: f64,
    w: f64,
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// 1 + 2w|w|.
fn gain(w: f64) -> f64 {
    (2.0 * w).mul_add(w.abs(), 1.0)
}

impl Landscape {
    /// The stationary law: of 0, of 1.
    fn law(self) -> [f64; 2] {
        [self.q / (self.p + self.q), self.p / (self.p + self.q)]
    }

    /// The best bias.
    fn bias(self, s: f64, w: f64) -> f64 {
        let (p, q) = (self.p, self.q);
        let a = gain(w) * s;
        // The root of π₁(σ(f(1)) − 1 + q) + π₀(σ(f(0)) − p) = 0, written so that nothing cancels.
        let root = ((p - q).powi(2) + 4.0 * p * q * a.exp()).sqrt();
        let log = if p >= q { ((p - q + root) / (2.0 * q)).ln() - a } else { (2.0 * p / (root + q - p)).ln() };
        0.5 * s + log
    }

    /// f(0) and f(1) at the best bias.
    fn logits(self, s: f64, w: f64) -> [f64; 2] {
        let zero = self.bias(s, w) - 0.5 * s;
        [zero, gain(w).mul_add(s, zero)]
    }

    /// L at the best bias.
    fn loss(self, s: f64, w: f64) -> f64 {
        let ([zero, one], [l0, l1]) = (self.logits(s, w), self.law());
        let (p, q) = (self.p, self.q);
        l1 * (q * softplus(one) + (1.0 - q) * softplus(-one)) + l0 * (p * softplus(-zero) + (1.0 - p) * softplus(zero))
    }

    /// ∂L/∂s and ∂L/∂w at the best bias, where the one of the bias is 0.
    fn slope(self, s: f64, w: f64) -> [f64; 2] {
        let ([_, one], [_, l1]) = (self.logits(s, w), self.law());
        let g = l1 * (sigmoid(one) - 1.0 + self.q);
        // With π₁ g₁ = −π₀ g₀ the half of s cancels.
        [g * gain(w), g * 4.0 * w.abs() * s]
    }

    fn s(self, place: Place) -> f64 {
        if self.tied { place.e * place.e } else { place.e * place.u }
    }

    /// One step of gradient descent.
    fn step(self, place: Place, rate: f64) -> Place {
        let Place { e, u, w } = place;
        let [ds, dw] = self.slope(self.s(place), w);
        if self.tied {
            let e = (2.0 * rate * ds).mul_add(-e, e);
            return Place { e, u: e, w: w - rate * dw };
        }
        Place { e: e - rate * ds * u, u: u - rate * ds * e, w: w - rate * dw }
    }

    /// What gradient flow keeps: e² − w² − sgn(w) ln|w| where the weights are tied; without, (e² + u²)/2 in the place of e².
    fn energy(self, place: Place) -> f64 {
        let Place { e, u, w } = place;
        let square = if self.tied { e * e } else { 0.5 * (e * e + u * u) };
        square - w * w - w.signum() * w.abs().ln()
    }

    /// The vertical place on the map.
    fn height(self, place: Place) -> f64 {
        if self.tied { place.e } else { self.s(place) }
    }
}

/// Descents under way: one a step of the run.
pub(crate) struct Descents {
    params: Params,
    landscape: Landscape,
    unigram: f64,
    rate: f64,
    done: u32,
}

impl Descents {
    /// Where descent `number` begins: e, w (and u) normal about 0.
    fn start(&self, number: u32) -> Place {
        let mut rng = Philox::new(self.params.seed, u64::from(number));
        let mut draw = || self.params.spread * rng.normal();
        let (e, w) = (draw(), draw());
        let u = if self.params.tied { e } else { draw() };
        Place { e, u, w }
    }

    fn map(&self, record: &mut Record) {
        let columns = vec![
            Column::numbers("w", "feed-forward weight w", "1"),
            Column::numbers("height", if self.params.tied { "embedding e" } else { "s = e u" }, "1"),
            Column::numbers("loss", "loss at the best bias", "nats/symbol"),
        ];
        let mut table = Table::new("The landscape", columns);
        for row in 0..CELLS {
            for column in 0..CELLS {
                let (w, height) = (cell(column), cell(row));
                let s = if self.params.tied { height * height } else { height };
                table.push(&[w, height, self.landscape.loss(s, w)]);
            }
        }
        record.put("map", table);
        record.set(nats("unigram_entropy", "entropy of one symbol, H₁", self.unigram, 1));
        record.set(nats("entropy_rate", "entropy rate, H", self.rate, 1));
        let Landscape { p, q, .. } = self.landscape;
        let slope = p * q * (p + q - 1.0) / (p + q).powi(2);
        record.set(Scalar::new("slope", "∂L/∂s at s = w = 0: above 0 where that is a minimum", Some(slope), 1));
    }

    fn descend(&self, number: u32, record: &mut Record) {
        let landscape = self.landscape;
        let mut place = self.start(number);
        let (first, energy) = (place, landscape.energy(place));
        let every = self.params.steps.div_ceil(POINTS).max(1);
        let mut path = vec![place];
        for step in 1..=self.params.steps {
            place = landscape.step(place, self.params.rate);
            if step.is_multiple_of(every) {
                path.push(place);
            }
        }
        if (number as usize) < PATHS {
            let table = record.table_mut("paths", || {
                let columns = vec![
                    Column::numbers("descent", "descent", "1"),
                    Column::numbers("w", "w", "1"),
                    Column::numbers("height", "e, or s = e u", "1"),
                ];
                Table::new("Descents", columns)
            });
            path.iter().for_each(|place| table.push(&[f64::from(number), place.w, landscape.height(*place)]));
        }
        let followed = first.w.abs() >= LEAST_WEIGHT;
        let drift = if followed { (landscape.energy(place) - energy).abs() } else { f64::NAN };
        let table = record.table_mut("descents", || {
            let number = |name: &str, title: &str, unit: &str| Column::numbers(name, title, unit);
            let columns = vec![
                number("descent", "descent", "1"),
                number("start_w", "w at the beginning", "1"),
                number("start_height", "e, or s = e u, at the beginning", "1"),
                number("w", "w at the end", "1"),
                number("height", "e, or s = e u, at the end", "1"),
                number("loss", "loss at the end", "nats/symbol"),
                number("drift", "change of what gradient flow keeps", "1"),
            ];
            Table::new("Where descents end", columns)
        });
        table.push(&[
            f64::from(number),
            first.w,
            landscape.height(first),
            place.w,
            landscape.height(place),
            landscape.loss(landscape.s(place), place.w),
            drift,
        ]);
    }

    fn summarise(&self, record: &mut Record) {
        let Some(table) = record.table("descents") else { return };
        let losses = table.numbers("loss").to_vec();
        let drifts: Vec<f64> = table.numbers("drift").iter().copied().filter(|x| x.is_finite()).collect();
        let n = losses.len() as u64;
        let gap = self.unigram - self.rate;
        let share = |level: f64| {
            let near = losses.iter().filter(|l| (*l - level).abs() < NEAR * gap).count();
            (gap > 1e-6 && n > 0).then(|| count(near) / count(losses.len()))
        };
        let (stuck, reached) = (share(self.unigram), share(self.rate));
        record.set(Scalar::new("stuck", "share of descents that end at H₁", stuck, n));
        record.set(Scalar::new("reached", "share of descents that end at H", reached, n));
        let worst = drifts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let title = "largest change of what gradient flow keeps";
        record.set(Scalar::new("drift", title, Some(worst), drifts.len() as u64));
    }
}

/// The middle of a cell of the map.
fn cell(index: usize) -> f64 {
    REACH * (2.0 * (count(index) + 0.5) / count(CELLS) - 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count(n: usize) -> f64 {
    n as f64
}

const SOURCE: &str = "Makkuva et al. 2024, Attention with Markov, arXiv:2402.04161, and the energy plots of its code";

impl Experiment for Descents {
    type Params = Params;

    const ABOUT: About = About {
        id: "markov-landscape",
        title: "A bad minimum that tying makes",
        claim: "On a first-order chain that tends to switch, p + q > 1, one layer with tied weights descends from small \
                beginnings into a minimum that knows single symbols only; without tying, or for p + q < 1, it does not.",
        how: "A transformer of one layer on a two-state chain is reduced to an embedding e, a feed-forward weight w and a bias, \
              which is kept at its best. The loss is exact, a map over the two others; gradient descent begins near 0 many \
              times. With tied weights e enters as e², which cannot turn negative, as a chain that switches would need.",
        equation: "f(x) = s (1 + 2w|w|) x + b − s/2, s = e² or e u;  ∂L/∂s at 0 = p q (p + q − 1)(1 + 2w|w|)/(p + q)²",
        tex: &[
            r"f(x) = s (1 + 2w\lvert w \rvert) x + b - \frac{s}{2}, \quad s = e^2 \text{ or } e u",
            r"\left. \frac{\partial L}{\partial s} \right\rvert_{s=0} = \frac{p q (p + q - 1)(1 + 2w\lvert w \rvert)}{(p + q)^2}",
        ],
        source: SOURCE,
        paper: PAPER,
    };

    const CLAIMS: &'static [Claim] = &[
        Claim {
            id: "tied-switching",
            statement: "With tied weights and p + q > 1 every descent from small beginnings ends at the loss of single symbols.",
            scalar: "stuck",
            comparison: Comparison::Above { value: 0.999 },
            settings: &[],
            seeds: 3,
            afterwards: None,
            source: SOURCE,
        },
        Claim {
            id: "tied-staying",
            statement: "With p + q < 1 every one reaches the entropy rate.",
            scalar: "reached",
            comparison: Comparison::Above { value: 0.999 },
            settings: &[("p", "0.2"), ("q", "0.3")],
            seeds: 3,
            afterwards: None,
            source: SOURCE,
        },
        Claim {
            id: "untied-switching",
            statement: "Without tying every one reaches it at p + q > 1 too.",
            scalar: "reached",
            comparison: Comparison::Above { value: 0.999 },
            settings: &[("tied", "false")],
            seeds: 3,
            afterwards: None,
            source: SOURCE,
        },
        Claim {
            id: "energy",
            statement: "Descents keep e² − w² − sgn(w) ln|w| but for the size of their steps.",
            scalar: "drift",
            comparison: Comparison::Below { value: 0.05 },
            // The error of plain steps is proportional to their size: at the default rate it is 0.061.
            settings: &[("p", "0.2"), ("q", "0.3"), ("rate", "0.02"), ("steps", "40000")],
            seeds: 3,
            afterwards: Some("the size of the steps, a tenth of the default, with which it had failed"),
            source: "gradient flow, exact",
        },
    ];

    fn start(params: Params, _compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let chain = Switching { order: 1, p: params.p, q: params.q };
            chain.check()?;
            let landscape = Landscape { p: params.p, q: params.q, tied: params.tied };
            let (unigram, rate) = (chain.unigram_entropy(), chain.entropy_rate());
            Ok(Self { params, landscape, unigram, rate, done: 0 })
        })
    }

    fn total(&self) -> u64 {
        u64::from(self.params.starts)
    }

    fn done(&self) -> u64 {
        u64::from(self.done)
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(Ran::cpu());
            if self.done == 0 {
                self.map(record);
            }
            for _ in 0..steps.min(self.params.starts - self.done) {
                self.descend(self.done, record);
                self.done += 1;
                pace.tick(u64::from(self.done), self.total()).await?;
            }
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let Some(map) = record.table("map") else { return Vec::new() };
        let edges: Vec<f64> = (0..=CELLS).map(|i| REACH * (2.0 * count(i) / count(CELLS) - 1.0)).collect();
        let limits = [record.value("entropy_rate"), record.value("unigram_entropy")];
        // What is above H₁ is of no interest: one colour.
        let range = match limits {
            [Some(low), Some(high)] => Some((low, high + 0.5 * (high - low).max(1e-3))),
            _ => None,
        };
        let mut marks = vec![Mark::Cells {
            x: edges.clone(),
            y: edges,
            values: map.numbers("loss").to_vec(),
            title: "loss at the best bias (nats/symbol)".to_owned(),
            range,
            map: ColourMap::default(),
        }];
        if let Some(paths) = record.table("paths") {
            let rows: Vec<(f64, f64, f64)> = paths
                .numbers("descent")
                .iter()
                .zip(paths.numbers("w"))
                .zip(paths.numbers("height"))
                .map(|((d, w), h)| (*d, *w, *h))
                .collect();
            for path in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
                let mut points: Vec<(f64, f64)> = path.iter().map(|(_, w, h)| (*w, *h)).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (x, y) = points.into_iter().unzip();
                marks.push(Mark::Line { name: String::new(), x, y, colour: Colour::Muted });
            }
        }
        if let Some(ends) = record.table("descents") {
            let labels = vec![String::new(); ends.len()];
            let (x, y) = (ends.numbers("w").to_vec(), ends.numbers("height").to_vec());
            marks.push(Mark::Points { x, y, labels, colour: Colour::Second });
        }
        let vertical = map.columns.get(1).map_or("embedding e", |c| c.title.as_str());
        vec![Figure {
            id: "landscape".to_owned(),
            title: "The loss of one layer on a first-order chain".to_owned(),
            description:
                "The loss over the feed-forward weight and the embedding, with the bias at its best; lines are \
                          descents, squares where they end."
                    .to_owned(),
            panels: vec![Panel {
                x: Axis::new("feed-forward weight w").within(-REACH, REACH),
                y: Axis::new(vertical).within(-REACH, REACH),
                marks,
                weight: 1.0,
            }],
        }]
    }

    fn seen(record: &Record) -> String {
        let of = |name: &str| record.value(name);
        match (of("stuck"), of("reached"), of("unigram_entropy"), of("entropy_rate")) {
            (Some(stuck), Some(reached), Some(unigram), Some(rate)) => format!(
                "Of {} descents {} % end at the loss of single symbols, {} nats, and {} % at the entropy rate, {}.",
                record.table("descents").map_or(0, Table::len),
                number((100.0 * stuck).round()),
                number(unigram),
                number((100.0 * reached).round()),
                number(rate)
            ),
            _ => "No descent has been made yet.".to_owned(),
        }
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        // More beginnings go on; everything else is another landscape.
        let more = Params { starts: self.params.starts, ..params.clone() } == self.params && params.starts >= self.done;
        if more {
            self.params = params;
        }
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes by central differences, and the bias at its optimum, where the loss is the least.
    #[test]
    fn slopes_and_bias_are_those_of_the_loss() {
        for (p, q) in [(0.5, 0.8), (0.2, 0.3), (0.9, 0.9), (0.7, 0.1)] {
            let landscape = Landscape { p, q, tied: true };
            for (s, w) in [(0.3, 0.5), (1.2, -0.9), (2.0, 0.1), (-0.8, 0.4)] {
                let h = 1e-5;
                let ds = (landscape.loss(s + h, w) - landscape.loss(s - h, w)) / (2.0 * h);
                let dw = (landscape.loss(s, w + h) - landscape.loss(s, w - h)) / (2.0 * h);
                let [a, b] = landscape.slope(s, w);
                // Central differences of order h², rounding 1e-16/h.
                assert!((a - ds).abs() < 1e-8 && (b - dw).abs() < 1e-8, "{p} {q} {s} {w}: {a} {ds} {b} {dw}");
                let [zero, one] = landscape.logits(s, w);
                let [l0, l1] = landscape.law();
                let root = l1 * (sigmoid(one) - 1.0 + q) + l0 * (sigmoid(zero) - p);
                assert!(root.abs() < 1e-12, "{root}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_landscape_are_the_entropies() {
        for (p, q) in [(0.5, 0.8), (0.2, 0.3), (0.9, 0.9)] {
            let chain = Switching { order: 1, p, q };
            let landscape = Landscape { p, q, tied: false };
            assert!((landscape.loss(0.0, 0.4) - chain.unigram_entropy()).abs() < 1e-12);
            let w = 0.6;
            let s = ((1.0 - p) * (1.0 - q) / (p * q)).ln() / gain(w);
            assert!((landscape.loss(s, w) - chain.entropy_rate()).abs() < 1e-12, "{p} {q}");
        }
    }
}
