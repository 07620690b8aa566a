//! Multiscale entropy: an entropy of the series averaged over longer and longer blocks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Inequality, Templates,
    dispersion::{self, DispersionParams},
    fuzzy::{Membership, fuzzy_entropy, memberships, starts},
    measures::{Tolerance, invalid_tolerance, sample_entropy, standard_deviation, totals},
    templates::Starts,
};
use crate::{
    compute::Ran,
    figure::{Axis, Colour, Figure, Mark, Panel},
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value,
        discrete::plugin_bits, ordinal::OrdinalWindows,
    },
    quantity::Unit,
};

/// The entropy that is computed at every scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Sample entropy, r fixed.
    #[default]
    Sampen,
    /// Fuzzy entropy, r fixed.
    Fuzzen,
    /// Permutation entropy.
    Perm,
    /// Dispersion entropy, with the classes of the original series.
    Dispersion,
}

/// Parameters of multiscale entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiscaleParams {
    /// The last scale; the value lists scales 1, 2, … up to it.
    #[schemars(range(min = 1, max = 1000))]
    pub scales: u32,
    /// The entropy at every scale: sampen, fuzzen, perm or dispersion.
    pub base: Base,
    /// Template length m of sampen and fuzzen, word length of dispersion.
    #[schemars(range(min = 1, max = 8))]
    pub m: u32,
    /// Tolerance r of sampen and fuzzen: a number in the units of the values, or a multiple of the standard deviation of the original series such as 0.2 sd.
    pub r: Tolerance,
    /// Delay τ: blocks between neighbouring values of a template.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Exponent n of the membership of fuzzen.
    #[schemars(range(min = 1, max = 10))]
    pub n: u32,
    /// Embedding dimension of perm.
    #[schemars(range(min = 2, max = 8))]
    pub order: u32,
    /// Amplitude classes of dispersion.
    #[schemars(range(min = 2, max = 16))]
    pub c: u32,
}

impl Default for MultiscaleParams {
    fn default() -> Self {
        let r = Tolerance::Relative("0.2 sd".to_owned());
        Self { scales: 20, base: Base::Sampen, m: 2, r, delay: 1, n: 2, order: 3, c: 6 }
    }
}

/// The means of non-overlapping blocks of `scale` values; no block straddles a gap, and what is left over at the end of
/// a stretch is not used.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a scale")]
fn coarse_grained<'a>(series: &'a Series<'_>, scale: usize) -> Series<'a> {
    if scale == 1 {
        return Series { values: (&series.values[..]).into(), stretches: series.stretches.clone(), omitted: 0 };
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
    Series { values: values.into(), stretches, omitted: 0 }
}

/// What one scale gives.
enum AtScale {
    /// The definition has no term.
    TooShort,
    /// A number, or NaN where there is none.
    Number(f64),
}

/// What stays the same at all scales.
struct Fixed<'a> {
    p: &'a MultiscaleParams,
    r: f64,
    scale: dispersion::Scale,
    words: DispersionParams,
    constant: bool,
}

impl Fixed<'_> {
    async fn at(&self, coarse: &Series<'_>, ran: &mut Ran, context: &Context<'_>) -> Result<AtScale, MeasureError> {
        let p = self.p;
        let (m, delay) = (p.m as usize, p.delay as usize);
        match p.base {
            Base::Sampen | Base::Fuzzen if starts(coarse, m, delay).len() < 2 => Ok(AtScale::TooShort),
            Base::Sampen | Base::Fuzzen if self.constant => Ok(AtScale::Number(f64::NAN)),
            Base::Sampen => {
                let templates = Templates::new(coarse, m, delay, self.r, Inequality::Within, Starts::Longer);
                let done = context.compute.template_matches(&templates, context.pace).await?;
                *ran = done.ran;
                let (b, a) = totals(&done.value);
                Ok(AtScale::Number(sample_entropy(b, a).unwrap_or(f64::NAN)))
            }
            Base::Fuzzen => {
                let of = Membership { r: self.r, power: p.n };
                let starts = starts(coarse, m, delay);
                let found = memberships(&coarse.values, &starts, m, delay, of, context.pace).await?;
                Ok(AtScale::Number(fuzzy_entropy(found.totals()).unwrap_or(f64::NAN)))
            }
            Base::Perm => {
                let windows = OrdinalWindows { series: coarse, order: p.order, delay };
                if windows.is_empty() {
                    return Ok(AtScale::TooShort);
                }
                let done = context.compute.ordinal_counts(&windows, context.pace).await?;
                *ran = done.ran;
                Ok(AtScale::Number(plugin_bits(&done.value)))
            }
            Base::Dispersion => {
                let id = Multiscale::ABOUT.id;
                let words = dispersion::words(&self.words, id, coarse, self.scale, false, context.pace).await?;
                let none = words.counts().iter().all(|&c| c == 0);
                let entropy = || dispersion::entropy(&self.words, words.counts());
                Ok(if none { AtScale::TooShort } else { AtScale::Number(entropy()) })
            }
        }
    }

    /// The number of values below which a warning is due, in words and as a number.
    fn enough(&self) -> (String, f64) {
        match self.p.base {
            Base::Sampen | Base::Fuzzen => ("10**m".to_owned(), 10_f64.powf(f64::from(self.p.m))),
            Base::Perm => ("5 m!".to_owned(), 5.0 * (2..=self.p.order).map(f64::from).product::<f64>()),
            Base::Dispersion => ("c**m".to_owned(), f64::from(self.p.c).powf(f64::from(self.p.m))),
        }
    }
}

/// Multiscale entropy.
pub struct Multiscale;

impl Measure for Multiscale {
    type Params = MultiscaleParams;
    const ABOUT: About = About {
        id: "mse",
        title: "Multiscale entropy",
        summary: "Entropy at longer and longer time scales: it falls for white noise, and stays for long-range correlation.",
        equation: "MSE(s) = SampEn(m, r) of the means of blocks of s values, r fixed by the original series",
        tex: &[
            r"\mathrm{MSE}(s) = \mathrm{SampEn}(m, r) \text{ of } y^{(s)}, \quad y_j^{(s)} = \frac{1}{s} \sum_{i=(j-1)s+1}^{js} x_i",
            r"r \text{ fixed by the original series}",
        ],
        source: "Costa, Goldberger & Peng, Multiscale entropy analysis of complex physiologic time series, Phys. Rev. Lett. 89, 068102 (2002)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "the base's cost at N, N/2, N/3, …",
        gpu: true,
        unit: "nats, or bits for perm",
        uncertainty: "none",
        bias: "that of the base, growing with the scale, since N/scale values are left",
    };

    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let n = series.values.len() as u64;
        let (name, unit) = match p.base {
            Base::Sampen => ("sample entropy, Chebyshev, ≤ r", Unit::Nats),
            Base::Fuzzen => ("fuzzy entropy, Chebyshev, exp(−dⁿ/r)", Unit::Nats),
            Base::Perm => ("permutation entropy, plug-in", Unit::Bits),
            Base::Dispersion => ("dispersion entropy, plug-in, normal classes", Unit::Nats),
        };
        let sd = if n == 0 { 0.0 } else { standard_deviation(&series.values) };
        let invalid = || invalid_tolerance(Self::ABOUT.id, &p.r);
        let r = p.r.resolve(sd).ok_or_else(invalid)?;
        // Of a spread below the normal numbers 0.2 rounds to 0.
        let constant = series.values.windows(2).all(|w| w[0] == w[1]) || sd < f64::MIN_POSITIVE;
        if p.base == Base::Fuzzen && r <= 0.0 && !constant {
            return Err(invalid_tolerance("fuzzen", &p.r));
        }
        let fixed = Fixed {
            p: &p,
            r,
            scale: dispersion::Scale::of(&series.values),
            words: DispersionParams { m: p.m, c: p.c, delay: p.delay, normalize: false },
            constant,
        };
        let mut ran = Ran::cpu();
        let mut values = Vec::new();
        // Where a scale has fewer values than the base should have.
        let (words, enough) = fixed.enough();
        let mut short = None;
        for scale in 1..=p.scales {
            let coarse = coarse_grained(&series, scale as usize);
            match fixed.at(&coarse, &mut ran, context).await? {
                AtScale::Number(x) => values.push(x),
                AtScale::TooShort => break,
            }
            if (coarse.values.len() as f64) < enough {
                short = short.or(Some(scale));
            }
            context.pace.tick(u64::from(scale), u64::from(p.scales)).await?;
        }
        if values.is_empty() {
            let (values, what) = match p.base {
                Base::Sampen | Base::Fuzzen => (p.m, "a pair of templates"),
                Base::Perm => (p.order - 1, "a window"),
                Base::Dispersion => (p.m - 1, "a word"),
            };
            let pair = u64::from(matches!(p.base, Base::Sampen | Base::Fuzzen));
            let needed = u64::from(values) * u64::from(p.delay) + 1 + pair;
            return Err(MeasureError::TooShort { n, what: format!("{what} of {} values", values + 1), needed });
        }
        let reached = values.len() as u64;
        if values.iter().all(|x| x.is_nan()) {
            let reason = if constant { Undefined::ZeroVariance } else { Undefined::NoMatches };
            return Ok(Outcome::new(Value::Undefined(reason), unit, name, n).ran(ran));
        }
        let figure = picture(&values, unit, name, &input.label());
        let numbered = |wanted: fn(&f64) -> bool| -> Vec<String> {
            (1..).zip(&values).filter(|(_, x)| wanted(x)).map(|(s, _): (u32, _)| s.to_string()).collect()
        };
        let (undefined, infinite) = (numbered(|x| x.is_nan()), numbered(|x| x.is_infinite()));
        let mut outcome = Outcome::new(Value::Vector(values), unit, name, n).detail("scales", reached).ran(ran);
        if matches!(p.base, Base::Sampen | Base::Fuzzen) {
            outcome = outcome.detail("r", r).detail("sd", sd);
        }
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        if reached < u64::from(p.scales) {
            let text = format!("the scales above {reached} leave too few values for a single term, and are left out");
            outcome = outcome.warn("scales_left_out", text);
        }
        if let Some(scale) = short {
            outcome = outcome.warn("too_short", format!("fewer than {words} samples from scale {scale} on"));
        }
        if !undefined.is_empty() {
            let text = format!("no two templates of length m match at scale {}: undefined there", undefined.join(", "));
            outcome = outcome.warn("undefined", text);
        }
        if !infinite.is_empty() {
            let text = format!("no pair matches over m + 1 values at scale {}: infinite there", infinite.join(", "));
            outcome = outcome.warn("infinite", text);
        }
        Ok(outcome.figure(figure))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(values: &[f64], unit: Unit, name: &str, label: &str) -> Figure {
    let finite = values.iter().enumerate().filter(|(_, v)| v.is_finite());
    let (x, y): (Vec<f64>, Vec<f64>) = finite.map(|(i, v)| (i as f64 + 1.0, *v)).unzip();
    Figure {
        id: "multiscale".to_owned(),
        title: format!("Multiscale entropy of {label}"),
        description: format!(
            "{name}: {:.3} {unit} at scale 1, {:.3} {unit} at scale {}.",
            values.first().copied().unwrap_or_default(),
            y.last().copied().unwrap_or_default(),
            x.last().copied().unwrap_or_default()
        ),
        panels: vec![Panel {
            x: Axis::new("scale (values in a block)"),
            y: Axis::new(format!("entropy ({unit})")),
            marks: vec![Mark::Line { name: String::new(), x, y, colour: Colour::First }],
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_straddle_gaps() {
        let values = vec![1.0, 3.0, 5.0, 10.0, 20.0, 7.0];
        let series = Series { values: values.into(), stretches: vec![0..3, 3..5, 5..6], omitted: 2 };
        let coarse = coarse_grained(&series, 2);
        assert_eq!(&coarse.values[..], [2.0, 15.0]);
        assert_eq!(coarse.stretches, [0..1, 1..2]);
    }
}
