//! The complexity-entropy plane: normalised permutation entropy H against Jensen-Shannon complexity C.
//!
//! With P the pattern law, U the uniform one, N = m! and S the Shannon entropy:
//! H = S(P) / log₂ N, C = Q₀ · J(P, U) · H, J = S((P+U)/2) − S(P)/2 − S(U)/2,
//! Q₀ = −2 / [((N+1)/N) log₂(N+1) − 2 log₂(2N) + log₂ N].
//! Rosso, Larrondo, Martin, Plastino & Fuentes, Phys. Rev. Lett. 99, 154102 (2007).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    measures::{Notes, bars, log2_patterns, windows},
    patterns,
    streaming::OrdinalStream,
};
use crate::{
    data::Column,
    figure::{Axis, Colour, Figure, Mark, Panel},
    measure::{About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, Value},
    quantity::Unit,
};

/// Points of each bounding curve in a picture.
const CURVE_POINTS: usize = 200;

fn term(p: f64) -> f64 {
    if p > 0.0 { -p * p.log2() } else { 0.0 }
}

/// The normalising constant Q₀ for `n` patterns.
fn q0(n: f64) -> f64 {
    -2.0 / ((n + 1.0) / n * (n + 1.0).log2() - 2.0 * (2.0 * n).log2() + n.log2())
}

/// H and C of a law given as (probability, how many patterns have it); the multiplicities add up to `n`.
fn of_law(law: &[(f64, f64)], n: f64) -> (f64, f64) {
    let uniform = n.recip();
    let entropy: f64 = law.iter().map(|&(p, times)| times * term(p)).sum();
    let mixed: f64 = law.iter().map(|&(p, times)| times * term(f64::midpoint(p, uniform))).sum();
    let h = entropy / n.log2();
    (h, q0(n) * (mixed - entropy / 2.0 - n.log2() / 2.0) * h)
}

/// Normalised permutation entropy and Jensen-Shannon complexity of pattern counts.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub fn entropy_and_complexity(counts: &[u64]) -> (f64, f64) {
    let total = counts.iter().sum::<u64>() as f64;
    if total == 0.0 {
        return (0.0, 0.0);
    }
    let law: Vec<(f64, f64)> = counts.iter().map(|&c| (c as f64 / total, 1.0)).collect();
    let (h, c) = of_law(&law, counts.len() as f64);
    (h.clamp(0.0, 1.0), c.max(0.0))
}

/// The lower bound of C: one pattern has probability 1 … 1/N in `points` equal steps, the others share the rest.
/// Returns (H, C) from H = 0 to H = 1.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most 8! patterns and a few thousand points")]
pub fn minimum_curve(order: u32, points: usize) -> (Vec<f64>, Vec<f64>) {
    let n = patterns(order) as f64;
    (0..points)
        .map(|i| {
            let t = i as f64 / (points.max(2) - 1) as f64;
            let p = 1.0 - t * (1.0 - n.recip());
            of_law(&[(p, 1.0), ((1.0 - p) / (n - 1.0), n - 1.0)], n)
        })
        .unzip()
}

/// The upper bound of C: `zeros` = 0 … N−2 patterns never occur, one has probability 0 … 1/(N−zeros) in `steps` equal
/// steps, the others share the rest. Returns (H, C) in ascending H.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most 8! patterns and a few thousand points")]
pub fn maximum_curve(order: u32, steps: usize) -> (Vec<f64>, Vec<f64>) {
    let patterns = patterns(order);
    let n = patterns as f64;
    let mut curve = Vec::with_capacity((patterns - 1) * steps);
    for zeros in (0..patterns - 1).rev() {
        let present = n - zeros as f64;
        for i in 0..steps {
            let p = i as f64 / steps as f64 / present;
            curve.push(of_law(&[(0.0, zeros as f64), (p, 1.0), ((1.0 - p) / (present - 1.0), present - 1.0)], n));
        }
    }
    curve.into_iter().unzip()
}

/// Parameters of the plane.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlaneParams {
    /// Embedding dimension m: the number of values in a window.
    #[schemars(range(min = 2, max = 7))]
    pub order: u32,
    /// Embedding delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Also follow H and C over the delays 1 … this many (0: no curve).
    #[schemars(range(min = 0, max = 1000))]
    pub delays: u32,
}

impl Default for PlaneParams {
    fn default() -> Self {
        Self { order: 5, delay: 1, delays: 0 }
    }
}

/// The position of a series in the complexity-entropy plane.
pub struct ComplexityPlane;

impl Measure for ComplexityPlane {
    type Params = PlaneParams;
    const PARTS: &'static [&'static str] = &["H", "C"];
    const ABOUT: About = About {
        id: "perm.complexity_plane",
        title: "Complexity-entropy plane",
        summary: "Normalised permutation entropy H and Jensen-Shannon complexity C: regular, chaotic and noisy series lie apart.",
        equation: "H = S(P)/log₂ m!,  C = Q₀ · [S((P+U)/2) − S(P)/2 − S(U)/2] · H",
        tex: &[
            r"H = \frac{S(P)}{\log_2 m!}",
            r"C = Q_0 \cdot \left[ S\left(\frac{P + U}{2}\right) - \frac{S(P)}{2} - \frac{S(U)}{2} \right] \cdot H",
        ],
        source: "Rosso, Larrondo, Martin, Plastino & Fuentes, Distinguishing noise from chaos, Phys. Rev. Lett. 99, 154102 (2007)",
        family: Family::Ordinal,
        accepts: Accepts::Series,
        cost: "O(N m) for each delay",
        gpu: true,
        unit: "1",
        uncertainty: "none",
        bias: "H low as permutation entropy, C high: short noise looks structured",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let windows = windows(&series, p.order, p.delay)?;
        let done = context.compute.ordinal_counts(&windows, context.pace).await?;
        let mut trail = Trail::default();
        for delay in 1..=p.delays {
            let Ok(at) = self::windows(&series, p.order, delay) else {
                break;
            };
            let counts = context.compute.ordinal_counts(&at, context.pace).await?.value;
            let (h, c) = entropy_and_complexity(&counts);
            trail.0.push(f64::from(delay));
            trail.1.push(h);
            trail.2.push(c);
            context.pace.tick(u64::from(delay), u64::from(p.delays)).await?;
        }
        let outcome = outcome_of(&p, input.name(), &done.value, series.values.len() as u64, &trail);
        let mut outcome = Notes::of(&windows).annotate(outcome).ran(done.ran);
        if p.delays > 0 {
            outcome = outcome.figure(over_delays(&p, &trail));
        }
        Ok(outcome)
    }

    fn accumulator(p: Self::Params, column: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        if p.delays > 0 {
            return Ok(None);
        }
        let (name, order, delay) = (column.name.clone(), p.order, p.delay);
        let outcome = move |counts: &[u64], n| outcome_of(&p, &name, counts, n, &Trail::default());
        Ok(Some(OrdinalStream::boxed(order, delay, outcome)))
    }
}

/// Delays with H and C at each.
type Trail = (Vec<f64>, Vec<f64>, Vec<f64>);

fn outcome_of(p: &PlaneParams, name: &str, counts: &[u64], n: u64, trail: &Trail) -> Outcome {
    let (h, c) = entropy_and_complexity(counts);
    Outcome::new(Value::Vector(vec![h, c]), Unit::One, "plug-in", n)
        .figure(plane(p, name, (h, c), &trail.1, &trail.2))
        .figure(bars(counts, p.order, p.delay))
}

/// The curves between which every point lies.
fn bounds(order: u32) -> Vec<Mark> {
    let (low_h, low_c) = minimum_curve(order, CURVE_POINTS);
    let steps = (4 * CURVE_POINTS / patterns(order)).max(1);
    let (high_h, high_c) = maximum_curve(order, steps);
    vec![
        Mark::Line { name: String::new(), x: low_h, y: low_c, colour: Colour::Muted },
        Mark::Line { name: String::new(), x: high_h, y: high_c, colour: Colour::Muted },
    ]
}

fn panel(marks: Vec<Mark>) -> Panel {
    Panel {
        x: Axis::new("normalised permutation entropy H").within(0.0, 1.0),
        y: Axis::new("statistical complexity C").within(0.0, 0.5),
        marks,
        weight: 1.0,
    }
}

/// Several series in one plane: names, each with its H and C.
#[must_use]
pub fn plane_of_several(order: u32, delay: u32, series: &[(&str, f64, f64)]) -> Figure {
    let mut marks = bounds(order);
    for (i, (name, h, c)) in series.iter().enumerate() {
        marks.push(Mark::Points { x: vec![*h], y: vec![*c], labels: vec![(*name).to_owned()], colour: Colour::nth(i) });
    }
    let told: Vec<String> = series.iter().map(|(name, h, c)| format!("{name} at H = {h:.3}, C = {c:.3}")).collect();
    Figure {
        id: "planes".to_owned(),
        title: format!("{} series in the complexity-entropy plane, order {order}, delay {delay}", series.len()),
        description: format!("{}.", told.join("; ")),
        panels: vec![panel(marks)],
    }
}

/// The plane with its bounds, the trail over the delays, and the point.
fn plane(p: &PlaneParams, name: &str, (h, c): (f64, f64), trail_h: &[f64], trail_c: &[f64]) -> Figure {
    let mut marks = bounds(p.order);
    if !trail_h.is_empty() {
        let labels = vec![String::new(); trail_h.len()];
        marks.push(Mark::Points { x: trail_h.to_vec(), y: trail_c.to_vec(), labels, colour: Colour::Second });
    }
    marks.push(Mark::Points { x: vec![h], y: vec![c], labels: vec![name.to_owned()], colour: Colour::First });
    Figure {
        id: "plane".to_owned(),
        title: format!("Complexity-entropy plane, order {}, delay {}", p.order, p.delay),
        description: format!(
            "{name} lies at H = {h:.3} and C = {c:.3}, between the smallest and the largest complexity that H allows."
        ),
        panels: vec![panel(marks)],
    }
}

fn over_delays(p: &PlaneParams, (delays, h, c): &Trail) -> Figure {
    let line =
        |name: &str, y: &[f64], colour| Mark::Line { name: name.to_owned(), x: delays.clone(), y: y.to_vec(), colour };
    Figure {
        id: "delays".to_owned(),
        title: format!("Entropy and complexity over the delay, order {}", p.order),
        description: format!("H and C for the delays 1 to {}.", delays.len()),
        panels: vec![Panel {
            x: Axis::new("delay τ (samples)"),
            y: Axis::new("H, C").within(0.0, 1.0),
            marks: vec![line("H", h, Colour::First), line("C", c, Colour::Second)],
            weight: 1.0,
        }],
    }
}

/// Parameters of the lower bounding curve.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MinimumCurveParams {
    /// Embedding dimension m.
    #[schemars(range(min = 2, max = 8))]
    pub order: u32,
    /// The number of points.
    #[schemars(range(min = 2, max = 100_000))]
    pub size: u32,
}

impl Default for MinimumCurveParams {
    fn default() -> Self {
        Self { order: 5, size: 25 }
    }
}

/// The smallest complexity for each entropy.
pub struct MinimumCurve;

impl Measure for MinimumCurve {
    type Params = MinimumCurveParams;
    const ABOUT: About = About {
        id: "perm.hc_min_curve",
        title: "Least complexity for each entropy",
        summary: "The lower bound of the complexity-entropy plane, as two curves: H and C.",
        equation: "C(H) for laws with one probability p in [1/N, 1] and the others equal, N = m!",
        tex: &[
            r"C(H) \text{ for laws with one probability } p \in \left[\frac{1}{N}, 1\right] \text{ and the others equal}",
            r"N = m!",
        ],
        source: "Martin, Plastino & Rosso, Generalized statistical complexity measures, Physica A 369, 439 (2006)",
        family: Family::Ordinal,
        accepts: Accepts::Nothing,
        cost: "O(size)",
        gpu: false,
        unit: "1",
        uncertainty: "exact",
        bias: "none",
    };

    async fn measure(p: Self::Params, _: &Input<'_>, _: &Context<'_>) -> Result<Outcome, MeasureError> {
        let (h, c) = minimum_curve(p.order, p.size as usize);
        Ok(Outcome::new(Value::Curves(vec![h, c]), Unit::One, "exact", u64::from(p.size)))
    }
}

/// Parameters of the largest complexity.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaximumComplexityParams {
    /// Embedding dimension m.
    #[schemars(range(min = 2, max = 7))]
    pub order: u32,
    /// Steps along each piece of the upper bounding curve.
    #[schemars(range(min = 1, max = 10_000))]
    pub nsteps: u32,
}

impl Default for MaximumComplexityParams {
    fn default() -> Self {
        Self { order: 5, nsteps: 1000 }
    }
}

/// The largest complexity that any law over the patterns has.
pub struct MaximumComplexity;

impl Measure for MaximumComplexity {
    type Params = MaximumComplexityParams;
    const ABOUT: About = About {
        id: "perm.hc_max_C",
        title: "Largest statistical complexity",
        summary: "The highest point of the upper bounding curve of the complexity-entropy plane.",
        equation: "max C over laws with some zeros, one probability in [0, 1/(N−zeros)] and the others equal, N = m!",
        tex: &[
            r"\max C \text{ over laws with } z \text{ zeros, one probability in } \left[0, \frac{1}{N - z}\right] \text{ and the others equal}",
            r"N = m!",
        ],
        source: "Martin, Plastino & Rosso, Generalized statistical complexity measures, Physica A 369, 439 (2006)",
        family: Family::Ordinal,
        accepts: Accepts::Nothing,
        cost: "O(m! nsteps)",
        gpu: false,
        unit: "1",
        uncertainty: "exact on a grid of nsteps",
        bias: "low by the spacing of the grid",
    };

    async fn measure(p: Self::Params, _: &Input<'_>, _: &Context<'_>) -> Result<Outcome, MeasureError> {
        let (_, c) = maximum_curve(p.order, p.nsteps as usize);
        let largest = c.into_iter().fold(0.0, f64::max);
        Ok(Outcome::new(Value::Scalar(largest), Unit::One, "exact on a grid", u64::from(p.nsteps)))
    }
}

/// Parameters of the periodic bounds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PeriodicBoundsParams {
    /// Embedding dimension m.
    #[schemars(range(min = 3, max = 8))]
    pub order: u32,
}

impl Default for PeriodicBoundsParams {
    fn default() -> Self {
        Self { order: 5 }
    }
}

/// The entropies between which well sampled periodic signals lie.
pub struct PeriodicBounds;

impl Measure for PeriodicBounds {
    type Params = PeriodicBoundsParams;
    const PARTS: &'static [&'static str] = &["H min", "H max"];
    const ABOUT: About = About {
        id: "perm.periodic_H_bounds",
        title: "Entropy of periodic signals",
        summary: "The smallest and largest normalised permutation entropy of a well sampled periodic signal.",
        equation: "[ln 2, ln(2(2(m−2)+1))] / ln m!",
        tex: &[r"\frac{1}{\ln m!} \left[ \ln 2, \ln(2(2(m-2)+1)) \right]"],
        source: "Hyman, Daniel & Schaffner, PECCARY, ApJ 987, 195 (2025)",
        family: Family::Ordinal,
        accepts: Accepts::Nothing,
        cost: "O(1)",
        gpu: false,
        unit: "1",
        uncertainty: "exact",
        bias: "none",
    };

    async fn measure(p: Self::Params, _: &Input<'_>, _: &Context<'_>) -> Result<Outcome, MeasureError> {
        let most = 2.0 * (2.0 * (f64::from(p.order) - 2.0) + 1.0);
        let all = log2_patterns(p.order);
        Ok(Outcome::new(Value::Vector(vec![1.0 / all, most.log2() / all]), Unit::One, "exact", 0))
    }
}
