//! A transformer that is being trained.

use super::{Checkpoint, Float, Gpt, Moments, NnError, Optimiser, Space};

/// How one step went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Mean loss in nats a token, before the step.
    pub loss: f64,
    /// Norm of the gradient, before clipping.
    pub norm: f64,
    /// The learning rate.
    pub rate: f64,
}

/// A transformer, its parameters, and the state of its optimiser.
#[derive(Clone, Debug)]
pub struct Trainer<T> {
    gpt: Gpt,
    optimiser: Optimiser,
    params: Vec<T>,
    moments: Moments<T>,
    gradient: Vec<T>,
    space: Space<T>,
}

impl<T: Float> Trainer<T> {
    /// At its beginning, with the parameters of `seed`.
    ///
    /// # Errors
    /// As [`Optimiser::check`].
    pub fn new(gpt: Gpt, optimiser: Optimiser, seed: u64) -> Result<Self, NnError> {
        optimiser.check()?;
        let params = gpt.layout().initial(seed, 0);
        let len = params.len();
        let (moments, gradient) = (Moments::new(len), vec![T::ZERO; len]);
        Ok(Self { gpt, optimiser, params, moments, gradient, space: Space::default() })
    }

    /// The transformer.
    #[must_use]
    pub const fn gpt(&self) -> &Gpt {
        &self.gpt
    }

    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &[T] {
        &self.params
    }

    /// Its parameters, to be set.
    pub fn params_mut(&mut self) -> &mut [T] {
        &mut self.params
    }

    /// The gradient of the last step.
    #[must_use]
    pub fn last_gradient(&self) -> &[T] {
        &self.gradient
    }

    /// Steps behind.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.moments.step
    }

    /// The optimiser in force.
    #[must_use]
    pub const fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// Changes the optimiser from the next step on; its moments stay.
    ///
    /// # Errors
    /// As [`Optimiser::check`].
    pub fn set_optimiser(&mut self, optimiser: Optimiser) -> Result<(), NnError> {
        optimiser.check()?;
        self.optimiser = optimiser;
        Ok(())
    }

    /// One step on sequences as long as the context.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens that do not fit; [`NnError::Diverged`], and then nothing is changed.
    pub fn step(&mut self, inputs: &[u32], targets: &[u32]) -> Result<Progress, NnError> {
        let length = self.gpt.config().context;
        let Self { gpt, params, gradient, space, .. } = self;
        let loss = gpt.gradient(params, inputs, targets, length, gradient, space)?;
        let rate = self.optimiser.rate_at(self.moments.step);
        if !loss.is_finite() {
            return Err(NnError::Diverged { step: self.moments.step, what: "loss", value: loss, rate });
        }
        let norm = self.moments.step(&self.optimiser, self.gpt.layout(), &mut self.params, &self.gradient)?;
        Ok(Progress { loss, norm, rate })
    }

    /// −ln Pr in nats of every token of `tokens` behind the first, each from the tokens before it in its window; windows
    /// as long as the context lie side by side, and the last may be shorter.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens that do not fit, fewer than two among them.
    pub fn surprisal(&mut self, tokens: &[u32]) -> Result<Vec<f32>, NnError> {
        let Self { gpt, params, space, .. } = self;
        if tokens.len() < 2 {
            return Err(NnError::Data(format!("{} tokens: there is nothing to predict", tokens.len())));
        }
        let context = gpt.config().context;
        let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
        let whole = inputs.len() / context * context;
        let mut losses = Vec::with_capacity(inputs.len());
        if whole > 0 {
            losses = gpt.surprisal(params, &inputs[..whole], &targets[..whole], context, space)?;
        }
        if whole < inputs.len() {
            let (inputs, targets) = (&inputs[whole..], &targets[whole..]);
            losses.extend(gpt.surprisal(params, inputs, targets, inputs.len(), space)?);
        }
        Ok(losses)
    }

    /// Buffers and transformer, for looking inside.
    pub fn inside(&mut self) -> (&Gpt, &[T], &mut Space<T>) {
        (&self.gpt, &self.params, &mut self.space)
    }

    /// Everything that is needed to go on later.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let narrow = |x: &[T]| x.iter().map(|x| narrow(x.wide())).collect();
        Checkpoint {
            config: *self.gpt.config(),
            optimiser: self.optimiser,
            step: self.moments.step,
            params: narrow(&self.params),
            moments: Some([narrow(&self.moments.first), narrow(&self.moments.second)]),
        }
    }

    /// Goes on from `checkpoint`; without moments in it they begin again.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where it is of another network.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), NnError> {
        checkpoint.fits(self.gpt.config())?;
        let wide = |x: &[f32]| x.iter().map(|x| T::of(f64::from(*x))).collect::<Vec<T>>();
        self.params = wide(&checkpoint.params);
        self.moments = match &checkpoint.moments {
            Some([first, second]) => Moments { first: wide(first), second: wide(second), step: checkpoint.step },
            None => Moments::new(self.params.len()),
        };
        self.optimiser = checkpoint.optimiser;
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checkpoints are f32")]
const fn narrow(x: f64) -> f32 {
    x as f32
}
