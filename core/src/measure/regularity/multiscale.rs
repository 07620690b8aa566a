//! Multiscale entropy: the regularity of a series at coarser and coarser grain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Inequality, Tolerance,
    fuzzy::{FuzzyParams, fuzzy},
    measures::{sample_entropy, set_up, standard_deviation, totals},
    templates::Starts,
    words::{DispersionParams, dispersion},
};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    measure::{About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value},
    quantity::Unit,
};

/// What is computed at each scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Sample entropy, as Costa et al. have it.
    #[default]
    Sampen,
    /// Fuzzy entropy: defined on shorter series.
    Fuzzen,
    /// Dispersion entropy in six classes: linear in time.
    Dispersion,
}

/// Parameters of multiscale entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiscaleParams {
    /// The last scale: the series is averaged over blocks of 1, 2, …, this many samples.
    #[schemars(range(min = 1, max = 1000))]
    pub scales: u32,
    /// Template length m.
    #[schemars(range(min = 1, max = 8))]
    pub m: u32,
    /// Tolerance r, the same at all scales: a number, or a multiple of the standard deviation of the original series such as 0.2 sd.
    pub r: Tolerance,
    /// What is computed at each scale: sample (sampen), fuzzy (fuzzen) or dispersion entropy (dispersion).
    pub base: Base,
}

impl Default for MultiscaleParams {
    fn default() -> Self {
        Self { scales: 20, m: 2, r: Tolerance::Relative("0.2 sd".to_owned()), base: Base::Sampen }
    }
}

/// Multiscale entropy.
pub struct Multiscale;

impl Measure for Multiscale {
    type Params = MultiscaleParams;
    const ABOUT: About = About {
        id: "mse",
        title: "Multiscale entropy",
        summary: "Sample entropy of block means over growing blocks: noise falls with the scale, complex series do not.",
        equation: "y_s(j) = mean of x over the j-th block of s samples; MSE(s) = SampEn(y_s; m, r), r from the original series",
        source: "Costa, Goldberger & Peng, Multiscale entropy analysis of complex physiologic time series, Phys. Rev. Lett. 89, 068102 (2002)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "Σ over scales s of the base at N/s",
        gpu: true,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let n = series.values.len() as u64;
        let sd = standard_deviation(&series.values);
        let name = match p.base {
            Base::Sampen => "sample entropy, Chebyshev, ≤ r",
            Base::Fuzzen => "fuzzy entropy",
            Base::Dispersion => "dispersion entropy, six classes",
        };
        if n > 1 && series.values.windows(2).all(|w| w[0] == w[1]) {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Nats, name, n));
        }
        let mut values = Vec::new();
        let mut ran = None;
        for scale in 1..=p.scales {
            let coarse = means(&series, scale as usize);
            let (value, where_) = at_scale(&coarse, &p, sd, context).await.map_err(|e| longer(e, n, scale))?;
            let Some(value) = value else {
                return Ok(Outcome::new(Value::Undefined(Undefined::NoMatches), Unit::Nats, name, n)
                    .detail("scale_without_matches", scale));
            };
            values.push(value);
            ran = ran.or(where_);
        }
        let picture = picture(&values, &input.label());
        let mut outcome = Outcome::new(Value::Vector(values), Unit::Nats, name, n)
            .detail("sd", sd)
            .detail("r", p.r.resolve(sd).unwrap_or_default())
            .figure(picture);
        if let Some(ran) = ran {
            outcome = outcome.ran(ran);
        }
        if n / u64::from(p.scales) < 10_u64.saturating_pow(p.m) {
            outcome = outcome.warn("too_short", "fewer than 10**m samples at the last scale");
        }
        Ok(outcome)
    }
}

/// What is too short at a scale, in the words of the whole series.
fn longer(error: MeasureError, n: u64, scale: u32) -> MeasureError {
    match error {
        MeasureError::TooShort { what, needed, .. } => MeasureError::TooShort {
            n,
            what: format!("{what} at scale {scale}"),
            needed: needed.saturating_mul(u64::from(scale)),
        },
        other => other,
    }
}

type AtScale = (Option<f64>, Option<crate::compute::Ran>);

async fn at_scale(
    series: &Series<'_>,
    p: &MultiscaleParams,
    sd: f64,
    context: &Context<'_>,
) -> Result<AtScale, MeasureError> {
    // An invalid tolerance is told by whoever uses it.
    let r = p.r.resolve(sd).map_or_else(|| p.r.clone(), Tolerance::Absolute);
    match p.base {
        Base::Sampen => {
            let set = set_up(Multiscale::ABOUT.id, series, p.m, 1, &r, Inequality::Within, Starts::Longer)?;
            let done = context.compute.template_matches(&set.templates, context.pace).await?;
            let (b, a) = totals(&done.value);
            Ok((sample_entropy(b, a), Some(done.ran)))
        }
        Base::Fuzzen => {
            let set = set_up(Multiscale::ABOUT.id, series, p.m, 1, &r, Inequality::Within, Starts::Longer)?;
            let params = FuzzyParams { m: p.m, r, ..FuzzyParams::default() };
            Ok((fuzzy(series, &params, set.r, context.pace).await?, None))
        }
        Base::Dispersion => {
            let needed = u64::from(p.m);
            if series.stretches.iter().all(|s| (s.len() as u64) < needed) {
                let n = series.values.len() as u64;
                return Err(MeasureError::TooShort { n, what: format!("a word of {} classes", p.m), needed });
            }
            let params = DispersionParams { m: p.m, ..DispersionParams::default() };
            Ok((Some(dispersion(series, standard_deviation(&series.values), &params)), None))
        }
    }
}

/// Means of blocks of `scale` samples, within each stretch; what is left of the last block is dropped.
#[expect(clippy::cast_precision_loss, reason = "at most 1000")]
fn means<'a>(series: &Series<'a>, scale: usize) -> Series<'a> {
    if scale == 1 {
        return series.clone();
    }
    let (mut values, mut stretches) = (Vec::with_capacity(series.values.len() / scale), Vec::new());
    for stretch in &series.stretches {
        let start = values.len();
        let blocks = series.values[stretch.clone()].chunks_exact(scale);
        values.extend(blocks.map(|block| block.iter().sum::<f64>() / scale as f64));
        if values.len() > start {
            stretches.push(start..values.len());
        }
    }
    Series { values: values.into(), stretches, omitted: series.omitted }
}

#[expect(clippy::cast_precision_loss, reason = "at most 1000 scales")]
fn picture(values: &[f64], label: &str) -> Figure {
    Figure {
        id: "multiscale".to_owned(),
        title: format!("Multiscale entropy of {label}"),
        description: "White noise falls with the scale; a series with structure at all scales does not.".to_owned(),
        panels: vec![Panel {
            x: Axis::new("scale (samples a block)"),
            y: Axis::new("entropy (nats)"),
            marks: vec![Mark::Line {
                name: String::new(),
                x: (1..=values.len()).map(|s| s as f64).collect(),
                y: values.to_vec(),
                colour: Colour::First,
            }],
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        compute::Cpu,
        data::Column,
        measure::{Context, Value, run},
        pace::Unhurried,
        rng::Philox,
    };

    #[test]
    fn white_noise_falls_and_scale_one_is_the_base() {
        let mut rng = Philox::new(2, 0);
        let column = Column::real("x", (0..6000).map(|_| rng.normal()).collect());
        let context = Context::new(&Cpu, &Unhurried);
        for base in ["sampen", "fuzzen", "dispersion"] {
            let parameters = json!({ "scales": 6, "base": base });
            let outcome = pollster::block_on(run("mse", &parameters, &column, &context)).unwrap();
            let Value::Vector(values) = outcome.value else { panic!("{:?}", outcome.value) };
            let alone = pollster::block_on(run(base, &json!({}), &column, &context)).unwrap().value.scalar().unwrap();
            assert!((values[0] - alone).abs() < 1e-12, "{base}: {} {alone}", values[0]);
            // Dispersion entropy rescales, so that it stays at its maximum.
            assert!(base == "dispersion" || values.windows(2).all(|w| w[1] < w[0]), "{base}: {values:?}");
        }
        let short = Column::real("x", vec![1.0, 2.0, 1.5, 0.3, 2.2, 1.1, 0.7, 1.9]);
        let error = pollster::block_on(run("mse", &json!({ "scales": 5, "base": "dispersion" }), &short, &context))
            .unwrap_err()
            .to_string();
        assert!(error.contains("at scale 5") && error.contains("8 values"), "{error}");
    }
}
