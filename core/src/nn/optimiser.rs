//! AdamW, its schedule, and clipping.

use serde::{Deserialize, Serialize};

use super::{Float, Layout, NnError, error::wrong};

/// AdamW with warm-up and cosine. Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019; its
/// arithmetic is that of PyTorch's `AdamW`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Optimiser {
    /// The learning rate at its peak.
    pub rate: f64,
    /// Steps of linear warm-up, of which the first has rate/warm-up.
    pub warm_up: u64,
    /// Steps to the end of the cosine; the rate stays at its last value behind it.
    pub steps: u64,
    /// The last rate as a share of the peak; 1 for a constant rate.
    pub final_share: f64,
    /// Decay of the mean gradient.
    pub beta1: f64,
    /// Decay of the mean squared gradient.
    pub beta2: f64,
    /// Added to the root of the mean squared gradient.
    pub epsilon: f64,
    /// Weight decay of matrices.
    pub decay: f64,
    /// The largest norm of the whole gradient; larger ones are scaled down to it.
    pub clip: Option<f64>,
}

impl Default for Optimiser {
    fn default() -> Self {
        Self {
            rate: 2e-3,
            warm_up: 3,
            steps: 150,
            final_share: 0.05,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            decay: 1e-3,
            clip: None,
        }
    }
}

impl Optimiser {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`NnError::Parameter`].
    pub fn check(&self) -> Result<(), NnError> {
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err(wrong("rate", self.rate, "a learning rate above 0"));
        }
        if self.steps == 0 || self.warm_up > self.steps {
            return Err(wrong(
                "warm_up",
                self.warm_up,
                format!("at most the {} steps, at least 1 of them", self.steps),
            ));
        }
        for (name, value) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&value) {
                return Err(wrong(name, value, "at least 0 and below 1"));
            }
        }
        if !(0.0..=1.0).contains(&self.final_share) {
            return Err(wrong("final_share", self.final_share, "0 to 1"));
        }
        for (name, value) in [("epsilon", self.epsilon), ("decay", self.decay)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(wrong(name, value, "a number of at least 0"));
            }
        }
        match self.clip {
            Some(clip) if !(clip.is_finite() && clip > 0.0) => Err(wrong("clip", clip, "a norm above 0, or none")),
            _ => Ok(()),
        }
    }

    /// The learning rate of step number `step`, from 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
    pub fn rate_at(&self, step: u64) -> f64 {
        if step < self.warm_up {
            return self.rate * (step + 1) as f64 / self.warm_up as f64;
        }
        let length = (self.steps - self.warm_up.min(self.steps)).max(1) as f64;
        let along = ((step - self.warm_up) as f64 / length).min(1.0);
        let last = self.rate * self.final_share;
        last + (self.rate - last) * 0.5 * (1.0 + (std::f64::consts::PI * along).cos())
    }
}

/// The numbers of one step, in f64: what a GPU is given as uniforms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nudge {
    /// The learning rate.
    pub rate: f64,
    /// The factor on the gradient that clips it; 1 for none.
    pub clip: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// 1 − β₁^t.
    pub bias1: f64,
    /// 1 − β₂^t.
    pub bias2: f64,
    /// Added to the root.
    pub epsilon: f64,
}

/// The moments of AdamW.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments<T> {
    /// Means of the gradient.
    pub first: Vec<T>,
    /// Means of its square.
    pub second: Vec<T>,
    /// Steps behind.
    pub step: u64,
}

impl<T: Float> Moments<T> {
    /// Those of a network of `len` parameters before any step.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { first: vec![T::ZERO; len], second: vec![T::ZERO; len], step: 0 }
    }

    /// One step along `gradient`; tells the norm of the gradient before clipping.
    ///
    /// # Errors
    /// [`NnError::Diverged`] where that norm is no number; nothing is changed then.
    pub fn step(
        &mut self,
        optimiser: &Optimiser,
        layout: &Layout,
        params: &mut [T],
        gradient: &[T],
    ) -> Result<f64, NnError> {
        let norm = T::square(gradient).sqrt();
        let rate = optimiser.rate_at(self.step);
        if !norm.is_finite() {
            return Err(NnError::Diverged { step: self.step, what: "norm of the gradient", value: norm, rate });
        }
        let t = i32::try_from(self.step + 1).unwrap_or(i32::MAX);
        let nudge = Nudge {
            rate,
            clip: optimiser.clip.map_or(1.0, |most| if norm > most { most / norm } else { 1.0 }),
            beta1: optimiser.beta1,
            beta2: optimiser.beta2,
            bias1: 1.0 - optimiser.beta1.powi(t),
            bias2: 1.0 - optimiser.beta2.powi(t),
            epsilon: optimiser.epsilon,
        };
        for tensor in layout.tensors() {
            let view = tensor.view;
            let decay = if tensor.decay { optimiser.decay } else { 0.0 };
            let moments = (view.of_mut(&mut self.first), view.of_mut(&mut self.second));
            T::nudge(&nudge, decay, view.of_mut(params), moments, view.of(gradient));
        }
        self.step += 1;
        Ok(norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Init;

    #[test]
    fn the_rate_warms_up_falls_and_stays() {
        let optimiser = Optimiser { rate: 1.0, warm_up: 4, steps: 104, final_share: 0.1, ..Optimiser::default() };
        assert!((optimiser.rate_at(0) - 0.25).abs() < 1e-15 && (optimiser.rate_at(3) - 1.0).abs() < 1e-15);
        assert!((optimiser.rate_at(54) - 0.55).abs() < 1e-12);
        assert!((optimiser.rate_at(104) - 0.1).abs() < 1e-15 && (optimiser.rate_at(9999) - 0.1).abs() < 1e-15);
    }

    /// Against the update written out in scalars, as PyTorch's documentation has it.
    #[test]
    fn steps_are_those_of_the_definition() {
        let mut layout = Layout::default();
        layout.add("matrix", &[1, 2], Init::Zeros);
        layout.add("gain", &[1], Init::Zeros);
        let optimiser = Optimiser { clip: Some(1.0), decay: 0.1, warm_up: 0, final_share: 1.0, ..Optimiser::default() };
        let mut params = vec![1.0, -2.0, 3.0];
        let mut expected = params.clone();
        let (mut m, mut v) = ([0.0; 3], [0.0; 3]);
        let mut moments = Moments::new(3);
        for t in 1..=5 {
            let gradient = [0.3 * f64::from(t), -2.0, 1e-3];
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let told = moments.step(&optimiser, &layout, &mut params, &gradient).unwrap();
            assert!((told - norm).abs() < 1e-12);
            for i in 0..3 {
                let g = gradient[i] / norm.max(1.0);
                let decay = if i < 2 { 0.1 } else { 0.0 };
                expected[i] -= optimiser.rate * decay * expected[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                let (mh, vh) = (m[i] / (1.0 - 0.9_f64.powi(t)), v[i] / (1.0 - 0.95_f64.powi(t)));
                expected[i] -= optimiser.rate * mh / (vh.sqrt() + 1e-8);
            }
            assert!(params.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{params:?} {expected:?}");
        }
        let before = params.clone();
        assert!(matches!(
            moments.step(&optimiser, &layout, &mut params, &[f64::NAN, 0.0, 0.0]),
            Err(NnError::Diverged { step: 5, .. })
        ));
        assert_eq!(params, before);
    }
}
