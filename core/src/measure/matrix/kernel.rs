//! Rényi entropies of Gaussian similarities between observations, and the information that two such matrices share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spectrum::{Bandwidth, entropy, kernel, order, picture};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Undefined, Value, discrete::Order,
    },
    quantity::Unit,
};

/// Fewer observations say little.
const ENOUGH: usize = 50;

/// Parameters of both measures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KernelParams {
    /// Order α: 1 is von Neumann's entropy, 2 needs no eigenvalues.
    pub alpha: Order,
    /// Width of the kernel: a number in the units of the values, or a multiple of the median distance such as 0.5 median.
    pub sigma: Bandwidth,
}

impl Default for KernelParams {
    fn default() -> Self {
        Self { alpha: Order::Finite(2.0), sigma: Bandwidth::Relative("median".to_owned()) }
    }
}

/// Rényi entropy of a Gaussian kernel matrix.
pub struct GaussianEntropy;

impl Measure for GaussianEntropy {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "matrix.renyi_gaussian",
        title: "Matrix-based Rényi entropy",
        summary: "How many groups of similar observations there are, in bits, without estimating a density: 0 if all are alike, log₂ n if all are strangers.",
        equation: "S_α = log₂(Σ λᵢ^α)/(1 − α) of K/n, K_ij = exp(−|xᵢ − xⱼ|²/(2σ²))",
        tex: &[
            r"S_\alpha = \frac{1}{1-\alpha} \log_2 \sum_i \lambda_i^\alpha",
            r"\lambda_i \text{ the eigenvalues of } K/n",
            r"K_{ij} = \exp\left(-\frac{\lVert x_i - x_j \rVert^2}{2\sigma^2}\right)",
        ],
        source: "Sánchez Giraldo, Rao & Príncipe, Measures of entropy from data using infinitely divisible kernels, IEEE Trans. Inf. Theory 61, 535 (2015), definition 5",
        family: Family::Matrix,
        accepts: Accepts::Table,
        cost: "O(n² d + n³), O(n² d) for α = 2",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "depends on the width and at most log₂ n: no limit as n grows",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let alpha = order(Self::ABOUT.id, &p.alpha)?;
        let table = input.table()?;
        if table.n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "a kernel matrix".to_owned(), needed: 1 });
        }
        let n = table.n as u64;
        let Some((matrix, sigma)) = kernel(Self::ABOUT.id, &table.values, table.d, &p.sigma, context.pace).await?
        else {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, "Gaussian kernel", n));
        };
        let (bits, eigenvalues) = entropy(matrix, alpha, context.pace).await?;
        let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, "Gaussian kernel", n)
            .detail("sigma", sigma)
            .detail("dimensions", table.d)
            .detail("effective_rank", bits.exp2());
        if let Some(eigenvalues) = &eigenvalues {
            outcome = outcome.figure(picture(eigenvalues, &format!("the similarities in {}", input.label())));
        }
        if table.omitted > 0 {
            outcome = outcome.detail("omitted", table.omitted);
        }
        if table.n < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} observations"));
        }
        Ok(outcome)
    }
}

/// Mutual information of two Gaussian kernel matrices.
pub struct MatrixInformation;

impl Measure for MatrixInformation {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "matrix.mi",
        title: "Matrix-based mutual information",
        summary: "How much the similarities between observations in one group of columns tell about those in another.",
        equation: "I_α = S_α(A) + S_α(B) − S_α(A∘B / tr A∘B), A and B the kernel matrices of both groups",
        tex: &[
            r"I_\alpha = S_\alpha(A) + S_\alpha(B) - S_\alpha\left(\frac{A \circ B}{\operatorname{tr}(A \circ B)}\right)",
            r"A, B \text{ the kernel matrices of both groups}",
        ],
        source: "Sánchez Giraldo, Rao & Príncipe, IEEE Trans. Inf. Theory 61, 535 (2015), definitions 7 and 8; Yu et al., IEEE Trans. Pattern Anal. 42, 2960 (2020)",
        family: Family::Matrix,
        accepts: Accepts::Pair,
        cost: "O(n² d + n³), O(n² d) for α = 2",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "high, as the joint entropy is near its ceiling log₂ n for narrow kernels",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let id = Self::ABOUT.id;
        let alpha = order(id, &p.alpha)?;
        let pair = input.pair()?;
        if pair.n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "a kernel matrix".to_owned(), needed: 1 });
        }
        let (x, y) = (pair.part(0..pair.dx), pair.part(pair.dx..pair.dx + pair.dy));
        let first = kernel(id, &x, pair.dx, &p.sigma, context.pace).await?;
        let second = kernel(id, &y, pair.dy, &p.sigma, context.pace).await?;
        let n = pair.n as u64;
        let (Some((a, sigma_a)), Some((b, sigma_b))) = (first, second) else {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, "Gaussian kernels", n));
        };
        let mut joint = a.clone();
        joint.times(&b);
        let (s_a, _) = entropy(a, alpha, context.pace).await?;
        let (s_b, _) = entropy(b, alpha, context.pace).await?;
        let (s_ab, _) = entropy(joint, alpha, context.pace).await?;
        let mut outcome = Outcome::new(Value::Scalar(s_a + s_b - s_ab), Unit::Bits, "Gaussian kernels", n)
            .detail("sigma", vec![sigma_a, sigma_b])
            .detail("entropies", vec![s_a, s_b])
            .detail("joint_entropy", s_ab);
        if pair.omitted > 0 {
            outcome = outcome.detail("omitted", pair.omitted);
        }
        if pair.n < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} observations"));
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::find, pace::Unhurried, rng::Philox};

    fn run(id: &str, columns: &[&Column], params: &Json) -> Outcome {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, columns, &context)).unwrap()
    }

    #[test]
    fn groups_far_apart_count_as_symbols() {
        // Four places, each taken by 16 observations, so far apart that the kernel sees equality: 2 bits; with a second
        // column of two places that cuts each in half, 1 bit, 3 together.
        let place = |i: i64| (i / 16) as f64 * 1e3;
        let x = Column::real("x", (0..64).map(place).collect());
        let y = Column::real("y", (0..64).map(|i| (i % 2) as f64 * 1e3).collect());
        for alpha in [0.5, 1.0, 1.01, 2.0, 5.0] {
            let params = json!({ "alpha": alpha, "sigma": 1.0 });
            let value = |id: &str, columns: &[&Column]| run(id, columns, &params).value.scalar().unwrap();
            assert!((value("matrix.renyi_gaussian", &[&x]) - 2.0).abs() < 1e-11, "{alpha}");
            assert!((value("matrix.renyi_gaussian", &[&x, &y]) - 3.0).abs() < 1e-11);
            assert!(value("matrix.mi", &[&x, &y]).abs() < 1e-11);
            assert!((value("matrix.mi", &[&x, &x]) - 2.0).abs() < 1e-11);
        }
    }

    #[test]
    fn the_median_distance_is_that_of_sorted_pairs_and_moves_with_the_scale() {
        let x = Column::real("x", vec![0.0, 1.0, 3.0, 7.0]);
        // distances 1, 2, 3, 4, 6, 7: median 3.5
        assert_eq!(run("matrix.renyi_gaussian", &[&x], &json!({})).details["sigma"], 3.5);
        assert_eq!(run("matrix.renyi_gaussian", &[&x], &json!({ "sigma": "2 median" })).details["sigma"], 7.0);
        let mut rng = Philox::new(9, 1);
        let noise: Vec<f64> = (0..80).map(|_| rng.normal()).collect();
        let scaled = Column::real("s", noise.iter().map(|v| 4.0 * v).collect());
        let noise = Column::real("n", noise);
        let value = |c: &Column| run("matrix.renyi_gaussian", &[c], &json!({ "alpha": 1 })).value.scalar().unwrap();
        assert!((value(&noise) - value(&scaled)).abs() < 1e-12);
        let constant = Column::real("c", vec![1.0; 60]);
        assert_eq!(
            run("matrix.renyi_gaussian", &[&constant], &json!({})).value,
            Value::Undefined(Undefined::ZeroVariance)
        );
        let context = Context::new(&Cpu, &Unhurried);
        let params = json!({ "sigma": "wide" });
        let error = pollster::block_on(find("matrix.mi").unwrap().run(&params, [&noise, &scaled].as_slice(), &context));
        assert!(error.unwrap_err().to_string().contains("0.5 median"));
    }
}
