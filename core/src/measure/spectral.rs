//! Spectral entropy: how evenly the power of a series is spread over frequencies.
//!
//! The normalised power spectrum is taken as a law, p_k = P_k / Σ P, and H = −Σ p_k log₂ p_k over all one-sided
//! bins, the (zero) constant bin counted in the normaliser log₂(bins). Inouye et al., Electroencephalogr. Clin.
//! Neurophysiol. 79 (1991). Spectra follow scipy.signal: `periodogram` (boxcar, mean removed) and `welch` (periodic
//! Hann window, half overlap, mean of each segment removed).

use realfft::RealFftPlanner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Undefined, Value};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    pace::Pace,
    quantity::Unit,
};

/// Below this many samples a spectrum says little.
const ENOUGH: u64 = 64;
/// A spectrum whose power is below this share of the squared largest value is rounding noise of a constant.
const ROUNDING: f64 = 1e-28;
/// More points than this are thinned for the picture.
const MOST_POINTS: usize = 1024;

/// How the power spectrum is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Psd {
    /// The mean over half-overlapping Hann windows: smooth, the practical choice.
    #[default]
    Welch,
    /// The squared transform of the whole series.
    Periodogram,
}

/// Parameters of spectral entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpectralParams {
    /// Spectrum: the mean over windows (welch), or of the whole series at once (periodogram).
    pub psd: Psd,
    /// Samples in a window of welch; shorter series use one window.
    #[schemars(range(min = 8, max = 1_048_576))]
    pub nperseg: u32,
    /// Divide by log₂ of the number of frequencies, so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for SpectralParams {
    fn default() -> Self {
        Self { psd: Psd::Welch, nperseg: 256, normalize: false }
    }
}

/// Spectral entropy.
pub struct Spectral;

impl Measure for Spectral {
    type Params = SpectralParams;
    const ABOUT: About = About {
        id: "spectral",
        title: "Spectral entropy",
        summary: "How evenly the power is spread over frequencies: 0 for a pure tone, 1 (normalised) for white noise.",
        equation: "H = −Σ p_k log₂ p_k, p_k = P_k / Σ P over the one-sided power spectrum P",
        tex: &[
            r"H = -\sum_k p_k \log_2 p_k, \quad p_k = \frac{P_k}{\sum_j P_j}",
            r"P \text{ the one-sided power spectrum}",
        ],
        source: "Inouye et al., Quantification of EEG irregularity by use of the entropy of the power spectrum, Electroencephalogr. Clin. Neurophysiol. 79, 204 (1991)",
        family: Family::Spectral,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "none",
        bias: "of a periodogram low by about 0.61 bits for white noise, since its values scatter as exponential ones; less for Welch's mean, which smears lines",
    };

    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        if series.omitted > 0 {
            return Err(MeasureError::Gaps { count: series.omitted });
        }
        let x = &series.values;
        if x.len() < 2 {
            return Err(MeasureError::TooShort { n: x.len() as u64, what: "a spectrum".to_owned(), needed: 2 });
        }
        if p.psd == Psd::Welch && p.nperseg < 2 {
            return Err(ParameterError::Invalid {
                of: Self::ABOUT.id.to_owned(),
                key: "nperseg".to_owned(),
                given: p.nperseg.to_string(),
                expected: "expected at least 2".to_owned(),
            }
            .into());
        }
        let segment = match p.psd {
            Psd::Periodogram => x.len(),
            Psd::Welch => (p.nperseg as usize).min(x.len()),
        };
        let power = spectrum(x, segment, p.psd, context.pace).await?;
        let total: f64 = power.iter().sum();
        let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let (unit, name) = (
            if p.normalize { Unit::One } else { Unit::Bits },
            match p.psd {
                Psd::Periodogram => "periodogram, boxcar",
                Psd::Welch => "Welch, Hann window",
            },
        );
        let n = x.len() as u64;
        let constant = x.windows(2).all(|w| w[0] == w[1]);
        if constant || total <= ROUNDING * largest * largest * segment as f64 {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroPower), unit, name, n));
        }
        let bits: f64 = power.iter().filter(|v| **v > 0.0).map(|v| v / total).map(|q| -q * q.log2()).sum();
        let scale = if p.normalize { (power.len() as f64).log2().recip() } else { 1.0 };
        let mut outcome = Outcome::new(Value::Scalar((bits * scale).max(0.0)), unit, name, n)
            .detail("frequencies", power.len())
            .detail("segment", segment)
            .figure(picture(&power, segment, &input.label()));
        if n < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} samples"));
        }
        if p.psd == Psd::Welch && x.len() < p.nperseg as usize {
            outcome = outcome.warn("one_segment", format!("the series is shorter than one window of {}", p.nperseg));
        }
        Ok(outcome)
    }
}

/// The one-sided power spectrum in segments of `segment` samples, up to a constant factor.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
async fn spectrum(x: &[f64], segment: usize, psd: Psd, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(segment);
    let window: Vec<f64> = match psd {
        Psd::Periodogram => vec![1.0; segment],
        Psd::Welch => {
            let angle = std::f64::consts::TAU / segment as f64;
            (0..segment).map(|i| 0.5 - 0.5 * (angle * i as f64).cos()).collect()
        }
    };
    let mut buffer = transform.make_input_vec();
    let mut output = transform.make_output_vec();
    let mut scratch = transform.make_scratch_vec();
    let mut power = vec![0.0; output.len()];
    let hop = segment - if psd == Psd::Welch { segment / 2 } else { 0 };
    let starts = (0..x.len() - segment + 1).step_by(hop.max(1));
    let total = starts.len() as u64;
    for (done, start) in starts.enumerate() {
        let part = &x[start..start + segment];
        let mean = part.iter().sum::<f64>() / segment as f64;
        for ((b, v), w) in buffer.iter_mut().zip(part).zip(&window) {
            *b = (v - mean) * w;
        }
        transform.process_with_scratch(&mut buffer, &mut output, &mut scratch).map_err(|e| MeasureError::Backend {
            backend: "the Fourier transform".to_owned(),
            message: e.to_string(),
        })?;
        for (sum, z) in power.iter_mut().zip(&output) {
            *sum += z.norm_sqr();
        }
        if done % 1024 == 1023 {
            pace.tick(done as u64, total).await?;
        }
    }
    // One-sided: every frequency but the constant and, for even lengths, the last stands for two.
    let doubled = 1..if segment.is_multiple_of(2) { power.len() - 1 } else { power.len() };
    power[doubled].iter_mut().for_each(|v| *v *= 2.0);
    Ok(power)
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(power: &[f64], segment: usize, label: &str) -> Figure {
    let total: f64 = power.iter().sum();
    let step = power.len().div_ceil(MOST_POINTS);
    let x = (1..power.len()).step_by(step).map(|k| k as f64 / segment as f64).collect();
    // The largest of the bins that share a point, so that no line is lost.
    let y: Vec<f64> = power[1..].chunks(step).map(|c| c.iter().copied().fold(0.0, f64::max) / total).collect();
    let peak = power.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(k, _)| k);
    Figure {
        id: "spectrum".to_owned(),
        title: format!("Power spectrum of {label}"),
        description: format!(
            "The strongest of {} frequencies is {:.4} cycles per sample.",
            power.len(),
            peak as f64 / segment as f64
        ),
        panels: vec![Panel {
            x: Axis::new("frequency (cycles per sample)"),
            y: Axis { logarithmic: y.iter().any(|v| *v > 0.0), ..Axis::new("share of power") },
            marks: vec![Mark::Line { name: String::new(), x, y, colour: Colour::First }],
            weight: 1.0,
        }],
    }
}
