//! Diffusion spectral entropy: the spectrum of a random walk among observations, and what labels tell about it.
//!
//! K = D^−α G D^−α with Gaussian similarities G and their row sums D. For α = ½, as in the reference package, K has the
//! spectrum of the random walk D^−1 G; a second normalisation would be another matrix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spectrum::{Bandwidth, gaussian, median_distance, picture};
use crate::{
    data::ColumnType,
    linalg::{Symmetric, squared_distances},
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Undefined, Value, discrete::plugin_bits,
    },
    pace::Pace,
    quantity::Unit,
    rng::Philox,
};

/// The random stream of subsets.
const STREAM: u64 = 0x6473_6500;
/// Fewer observations say little.
const ENOUGH: usize = 50;
/// Classes below this size have an entropy near log₂ n whatever the data.
const SMALL_CLASS: u64 = 10;
/// More different labels than this among real numbers are put into bins.
const MOST_LABELS: u32 = 50;
/// As many as the reference package makes.
const BINS: u32 = 10;

/// Parameters of the entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiffusionParams {
    /// Width of the kernel: a number in the units of the values, or a multiple of the median distance such as 0.5 median.
    pub sigma: Bandwidth,
    /// Steps of the walk t: the eigenvalues are raised to this power.
    #[schemars(range(min = 0.01, max = 1000.0))]
    pub t: f64,
    /// How far the density of the observations is divided out; ½ is the walk itself.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub alpha: f64,
    /// Observations that are used at most; of more, so many are drawn at random.
    #[schemars(range(min = 10, max = 8192))]
    pub points: u32,
}

impl Default for DiffusionParams {
    fn default() -> Self {
        Self { sigma: Bandwidth::Absolute(10.0), t: 1.0, alpha: 0.5, points: 2000 }
    }
}

/// Parameters of the information.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InformationParams {
    /// Width of the kernel: a number in the units of the values, or a multiple of the median distance such as 0.5 median.
    pub sigma: Bandwidth,
    /// Steps of the walk t: the eigenvalues are raised to this power.
    #[schemars(range(min = 0.01, max = 1000.0))]
    pub t: f64,
    /// How far the density of the observations is divided out; ½ is the walk itself.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub alpha: f64,
    /// Observations that are used at most; of more, so many are drawn at random.
    #[schemars(range(min = 10, max = 8192))]
    pub points: u32,
    /// Random subsets of the size of each class.
    #[schemars(range(min = 1, max = 1000))]
    pub repetitions: u32,
    /// Seed of the subsets.
    pub seed: u32,
}

impl Default for InformationParams {
    fn default() -> Self {
        let DiffusionParams { sigma, t, alpha, points } = DiffusionParams::default();
        Self { sigma, t, alpha, points, repetitions: 5, seed: 0 }
    }
}

/// K in place of the Gaussian similarities.
fn diffusion(mut g: Symmetric, alpha: f64) -> Symmetric {
    let mut sums = vec![0.0; g.n];
    for (i, row) in g.rows().enumerate() {
        let (last, rest) = row.split_at(i);
        sums[i] += last.iter().sum::<f64>() + rest.iter().sum::<f64>();
        last.iter().enumerate().for_each(|(j, v)| sums[j] += v);
    }
    // Every point is similar to itself, so that no sum is below 1.
    sums.iter_mut().for_each(|s| *s = s.powf(-alpha));
    for (i, row) in g.rows_mut().enumerate() {
        row.iter_mut().zip(&sums).for_each(|(v, s)| *v *= s * sums[i]);
    }
    g
}

/// −Σ p log₂ p of |λ|^t / Σ |λ|^t.
fn powered_bits(eigenvalues: &[f64], t: f64) -> f64 {
    let powers: Vec<f64> = eigenvalues.iter().map(|l| l.abs().powf(t)).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|p| p / total).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum::<f64>().max(0.0)
}

/// The squared distances between some of the observations.
fn among(squares: &Symmetric, chosen: &[usize]) -> Symmetric {
    let mut part = Symmetric::zero(chosen.len());
    for (row, &i) in part.rows_mut().zip(chosen) {
        for (v, &j) in row.iter_mut().zip(chosen) {
            *v = squares.a[i.max(j) * squares.n + i.min(j)];
        }
    }
    part
}

/// The spectrum of the walk among observations with these squared distances.
async fn spectrum(squares: Symmetric, sigma: f64, alpha: f64, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
    diffusion(gaussian(squares, sigma), alpha).eigenvalues(pace).await
}

/// `size` of `n` numbers, each at most once, ascending.
fn subset(n: usize, size: usize, rng: &mut Philox) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for (i, left) in (0..size.min(n)).zip((1..=u32::try_from(n).unwrap_or(u32::MAX)).rev()) {
        all.swap(i, i + rng.below(left) as usize);
    }
    all.truncate(size);
    all.sort_unstable();
    all
}

/// Diffusion spectral entropy.
pub struct DiffusionEntropy;

impl Measure for DiffusionEntropy {
    type Params = DiffusionParams;
    const ABOUT: About = About {
        id: "dse",
        title: "Diffusion spectral entropy",
        summary: "Over how many slow modes a random walk among the observations is spread. A fixed width measures their scale as much as their shape.",
        equation: "−Σ pᵢ log₂ pᵢ, pᵢ = |λᵢ|^t / Σ |λ|^t of K = D^−α G D^−α, G_ij = exp(−|xᵢ − xⱼ|²/(2σ²)), D its row sums",
        tex: &[
            r"-\sum_i p_i \log_2 p_i, \quad p_i = \frac{\lvert \lambda_i \rvert^t}{\sum_j \lvert \lambda_j \rvert^t}",
            r"\lambda_i \text{ the eigenvalues of } K = D^{-\alpha} G D^{-\alpha}",
            r"G_{ij} = \exp\left(-\frac{\lVert x_i - x_j \rVert^2}{2\sigma^2}\right)",
            r"D \text{ the row sums of } G",
        ],
        source: "Liao et al., Assessing neural network representations during training using noise-resilient diffusion spectral entropy, arXiv 2312.04823 (2023), section 3; the spectrum as in their package dse-dsmi 1.1",
        family: Family::Matrix,
        accepts: Accepts::Table,
        cost: "O(n² d + n³)",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "depends on the width: for a fixed one it measures scale as well as shape",
    };

    #[expect(clippy::cast_precision_loss, reason = "a number of observations")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        const ESTIMATOR: &str = "random walk on Gaussian similarities";
        let table = input.table()?;
        if table.n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "a random walk".to_owned(), needed: 1 });
        }
        let most = p.points as usize;
        let thinned = (table.n > most).then(|| {
            let chosen = subset(table.n, most, &mut Philox::new(context.seed, STREAM));
            chosen.iter().flat_map(|&i| table.row(i)).copied().collect::<Vec<f64>>()
        });
        let squares = squared_distances(thinned.as_deref().unwrap_or(&table.values), table.d, context.pace).await?;
        let n = squares.n;
        let Some(sigma) = p.sigma.resolve(Self::ABOUT.id, &squares)? else {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, ESTIMATOR, n as u64));
        };
        // A fixed width means nothing without it.
        let median = median_distance(&squares);
        let eigenvalues = spectrum(squares, sigma, p.alpha, context.pace).await?;
        let bits = powered_bits(&eigenvalues, p.t);
        let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, ESTIMATOR, n as u64)
            .detail("sigma", sigma)
            .detail("median_distance", median)
            .detail("dimensions", table.d)
            .detail("bound", (n as f64).log2())
            .figure(picture(&eigenvalues, &format!("the walk in {}", input.label())));
        if thinned.is_some() {
            let text = format!("{n} of {} observations, drawn at random", table.n);
            outcome = outcome.detail("observations", table.n).warn("subset", text);
        }
        if table.omitted > 0 {
            outcome = outcome.detail("omitted", table.omitted);
        }
        if n < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} observations"));
        }
        Ok(outcome)
    }
}

/// Diffusion spectral mutual information with labels.
pub struct DiffusionInformation;

impl Measure for DiffusionInformation {
    type Params = InformationParams;
    const LABELLED: bool = true;
    const ABOUT: About = About {
        id: "dsmi",
        title: "Diffusion spectral mutual information",
        summary: "How much less spread the observations of one label are than as many drawn at random. Not bounded by the entropy of the labels, and sometimes negative.",
        equation: "Σ_c p(c) [⟨DSE(A), |A| = n_c⟩ − DSE(X | label c)], A random subsets of X",
        tex: &[
            r"\sum_c p(c) \left[ \left\langle \mathrm{DSE}(A) \right\rangle_{\lvert A \rvert = n_c} - \mathrm{DSE}(X \mid \text{label } c) \right]",
            r"A \text{ random subsets of } X",
        ],
        source: "Liao et al., arXiv 2312.04823 (2023), section 4; their package dse-dsmi 1.1",
        family: Family::Matrix,
        accepts: Accepts::Table,
        cost: "O(n² d + Σ_c (1 + repetitions) n_c³)",
        gpu: false,
        unit: "bits",
        uncertainty: "none; the random part is a mean over the repetitions",
        bias: "may be negative; not bounded by the entropy of the labels",
    };

    #[expect(clippy::cast_precision_loss, reason = "a number of observations")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        const ESTIMATOR: &str = "random walk, subsets of each class's size";
        let (table, labels) = input.labelled_table()?;
        if table.n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "a random walk".to_owned(), needed: 1 });
        }
        let real = input.subject.with_first().is_some_and(|c| c.ty == ColumnType::Real);
        let (codes, binned) = classes(&labels.codes, labels.alphabet, real);
        let mut rng = Philox::new(u64::from(p.seed), STREAM);
        let most = p.points as usize;
        let chosen: Vec<usize> = if table.n > most { subset(table.n, most, &mut rng) } else { (0..table.n).collect() };
        let values: Vec<f64> = chosen.iter().flat_map(|&i| table.row(i)).copied().collect();
        let codes: Vec<u32> = chosen.iter().map(|&i| codes[i]).collect();
        let squares = squared_distances(&values, table.d, context.pace).await?;
        let n = squares.n;
        let Some(sigma) = p.sigma.resolve(Self::ABOUT.id, &squares)? else {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, ESTIMATOR, n as u64));
        };
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); codes.iter().max().map_or(0, |&c| c as usize + 1)];
        codes.iter().enumerate().for_each(|(i, &c)| members[c as usize].push(i));
        members.retain(|class| !class.is_empty());
        let mut sum = 0.0;
        let steps = members.len() as u64 * u64::from(p.repetitions + 1);
        let mut done = 0;
        let pace = context.pace;
        for class in &members {
            let mut random = 0.0;
            for _ in 0..p.repetitions {
                let subset = subset(n, class.len(), &mut rng);
                random += powered_bits(&spectrum(among(&squares, &subset), sigma, p.alpha, pace).await?, p.t);
                done += 1;
                pace.tick(done, steps).await?;
            }
            let own = powered_bits(&spectrum(among(&squares, class), sigma, p.alpha, pace).await?, p.t);
            done += 1;
            sum += class.len() as f64 / n as f64 * (random / f64::from(p.repetitions) - own);
        }
        let sizes: Vec<u64> = members.iter().map(|class| class.len() as u64).collect();
        let mut outcome = Outcome::new(Value::Scalar(sum), Unit::Bits, ESTIMATOR, n as u64)
            .detail("sigma", sigma)
            .detail("median_distance", median_distance(&squares))
            .detail("class_sizes", sizes.clone())
            .detail("label_entropy", plugin_bits(&sizes));
        if binned {
            outcome = outcome.detail("label_bins", BINS);
        }
        if n < table.n {
            outcome = outcome.warn("subset", format!("{n} of {} observations, drawn at random", table.n));
        }
        if table.omitted > 0 {
            outcome = outcome.detail("omitted", table.omitted);
        }
        if sizes.iter().any(|s| *s < SMALL_CLASS) {
            let text =
                format!("a class has fewer than {SMALL_CLASS} observations: its entropy is near log2 of their number");
            outcome = outcome.warn("too_short", text);
        }
        Ok(outcome)
    }
}

/// The labels, or, of very many different real numbers, ten bins with as many of them each.
fn classes(codes: &[u32], alphabet: u32, real: bool) -> (Vec<u32>, bool) {
    if alphabet <= MOST_LABELS || !real {
        return (codes.to_vec(), false);
    }
    let bin = |&code: &u32| u64::from(code) * u64::from(BINS) / u64::from(alphabet);
    (codes.iter().map(|c| u32::try_from(bin(c)).unwrap_or(0)).collect(), true)
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        compute::Cpu,
        data::{Column, Matrix},
        measure::{Subject, find},
        pace::Unhurried,
    };

    fn run<'a>(id: &str, subject: impl Into<Subject<'a>>, params: &Json) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, subject, &context))
    }

    fn cloud(n: usize, d: usize, mut at: impl FnMut(usize, usize) -> f64) -> Matrix {
        let values = (0..n * d).map(|i| at(i / d, i % d)).collect();
        Matrix { name: "z".to_owned(), values: ArrayD::from_shape_vec(vec![n, d], values).unwrap() }
    }

    #[test]
    fn the_limits_of_the_width_are_one_mode_and_all_of_them() {
        let mut rng = Philox::new(1, 1);
        let z = cloud(64, 5, |_, _| rng.normal());
        let dse = |params: &Json| run("dse", &z, params).unwrap().value.scalar().unwrap();
        assert!(dse(&json!({ "sigma": 1e6 })) < 1e-6);
        assert!((dse(&json!({ "sigma": 1e-3 })) - 6.0).abs() < 1e-9);
        // Powers of eigenvalues below 1 leave the first mode alone.
        assert!(dse(&json!({ "sigma": 2.0, "t": 100 })) < dse(&json!({ "sigma": 2.0 })));
    }

    #[test]
    fn four_places_far_apart_are_two_bits() {
        let z = cloud(80, 3, |i, j| if i % 4 == j { 1e4 } else { 0.0 });
        for t in [0.5, 1.0, 4.0] {
            let value = run("dse", &z, &json!({ "sigma": 1.0, "t": t })).unwrap().value.scalar().unwrap();
            // 76 eigenvalues of rounding, to the power t
            assert!((value - 2.0).abs() < if t < 1.0 { 1e-4 } else { 1e-10 }, "{value}");
        }
    }

    #[test]
    fn more_dimensions_are_more_bits() {
        let mut rng = Philox::new(21, 1);
        // 300 points of a d-dimensional normal law at sigma = 4; values of an independent implementation of the paper's toy
        for (d, bits) in [(1, 0.35), (2, 0.70), (4, 1.38), (8, 2.58), (16, 4.88), (32, 7.16)] {
            let z = cloud(300, d, |_, _| rng.normal());
            let value = run("dse", &z, &json!({ "sigma": 4.0 })).unwrap().value.scalar().unwrap();
            assert!((value - bits).abs() < 0.15, "d {d}: {value} of {bits}");
        }
    }

    #[test]
    fn labels_of_clusters_tell_and_random_labels_do_not() {
        let mut rng = Philox::new(8, 8);
        let z = cloud(120, 4, |i, j| rng.normal() + if i % 3 == j { 20.0 } else { 0.0 });
        let truth = Column::integer("y", (0..120).map(|i| i % 3).collect());
        let noise = Column::integer("y", (0..120).map(|_| i64::from(rng.below(3))).collect());
        let dsmi = |labels: &Column| {
            let with = [labels];
            let subject = Subject::from(&z).with(&with);
            run("dsmi", subject, &json!({ "sigma": 3.0 })).unwrap().value.scalar().unwrap()
        };
        assert!(dsmi(&truth) > 0.8, "{}", dsmi(&truth));
        assert!(dsmi(&noise).abs() < 0.25, "{}", dsmi(&noise));
        let error = run("dsmi", &z, &json!({})).unwrap_err().to_string();
        assert!(error.contains("one column of labels"), "{error}");
        let short = Column::integer("y", vec![0; 7]);
        let error = run("dsmi", Subject::from(&z).with(&[&short]), &json!({})).unwrap_err().to_string();
        assert!(error.contains("'z' has 120") && error.contains("'y' has 7"), "{error}");
    }

    #[test]
    fn subsets_are_without_repetition_and_thinning_is_said() {
        let mut rng = Philox::new(5, 5);
        for (n, size) in [(1, 1), (5, 5), (100, 7), (3, 9)] {
            let mut drawn = subset(n, size, &mut rng);
            drawn.dedup();
            assert_eq!(drawn.len(), size.min(n));
            assert!(drawn.iter().all(|&i| i < n));
        }
        let z = cloud(50, 2, |_, _| rng.normal());
        let outcome = run("dse", &z, &json!({ "points": 20 })).unwrap();
        assert_eq!(outcome.n, 20);
        assert!(outcome.warnings.iter().any(|w| w.text.contains("20 of 50")));
        let same = cloud(20, 2, |_, _| 1.0);
        assert!(run("dse", &same, &json!({})).unwrap().value.scalar().unwrap() < 1e-9);
        let value = run("dse", &same, &json!({ "sigma": "median" })).unwrap().value;
        assert_eq!(value, Value::Undefined(Undefined::ZeroVariance));
    }
}
