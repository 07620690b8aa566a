//! Transformers trained on the GPU: [`surprisal_core::nn`] in f32 WGSL.
//!
//! With N rows (tokens) of a step, width D, hidden width F, vocabulary V, heads of width h, every kernel takes all runs of a
//! group (equal config and batch) in one dispatch, a workgroup never more than one run:
//!
//! | dispatch | what it makes |
//! |---|---|
//! | `embed` | windows by Philox, ids and targets; x₀ = token + place, \[N, D\] |
//! | `linear` NORM | \[q k v\] = norm₁(x) W + b, turned by their places where those are rotary, \[N, 3D\] |
//! | `attend` | softmax(q kᵀ/√h) v over the keys in sight, \[N, D\]; of the scores the logarithm of a row's sum is kept |
//! | `linear` ADD | y = x + attended W + b |
//! | `linear` NORM GELU | u = norm₂(y) W + b, and GELU(u), \[N, F\] |
//! | `linear` ADD | the next x = y + GELU(u) W + b |
//! | `linear` NORM | logits = norm(x) W + b, \[N, V\] |
//! | `cross_entropy` | −ln softmax at the target, nats; logits become their gradients of the mean loss |
//! | `linear` NORM_BACK | dx behind the last block; slices of the norm's gradient |
//! | `linear` GELU_BACK | du = (dx Wᵀ) GELU′(u) |
//! | `linear` NORM_BACK | dy = dx + ∂norm₂(du Wᵀ) |
//! | `linear` | dattended = dy Wᵀ |
//! | `attend_queries` | dq = dS k, dS = P ∘ (dO vᵀ − Σ dO O)/√h |
//! | `attend_keys` | dk = dSᵀ q, dv = Pᵀ dO |
//! | `linear` NORM_BACK | dx before the block = dy + ∂norm₁(\[dq dk dv\] Wᵀ) |
//! | `gradients` | all dW = Xᵀ dY of all blocks, embeddings and biases, in slices of rows |
//! | `gather` | the gradient: slices in order; sums of squares |
//! | `judge` | mean loss, norm, clip factor; whether the step is good |
//! | `adamw` | moments and parameters |
//!
//! That is 8 dispatches and 11 a layer, so 19 for one layer; a batch whose activations would pass 32 MiB a run goes in
//! chunks, each of 7 and 11 a layer, and one more.
//!
//! - **Two forms** of the kernels make the same step in the same dispatches ([`Form`]). In the one a workgroup shares what it reads
//!   and meets at barriers. In software a barrier costs several times what stands between two of them, and some compilers take
//!   minutes for long shaders: in the other form (`plain/`) every invocation makes a tile of a product in registers and meets
//!   nobody. Its norms are made by whoever makes their input: `embed`, and `linear` ADD, whose invocations have whole rows.
//!   [`crate::Gpu::calibration`] measures which is faster, and [`Training::ran`] says so.
//! - **Memory**, 32-bit words: a run has its parameters twice (as they lie, and with every matrix transposed, so that all
//!   products read weights side by side), moments and gradient; activations of a chunk; and slices of the gradient.
//! - **Determinism**: bitwise per adapter, whatever runs beside it: no atomics, every sum in an order that follows from
//!   config, batch and form. Across adapters and forms and against the CPU: within rounding, as contraction is the compiler's.
//! - **Divergence** is found on the GPU: `adamw` leaves a run whose loss or norm is no number as it is, from then on. A loss
//!   is told as NaN or infinite as far as the adapter keeps those, which WGSL does not promise.
//! - **Submissions** hold as many chunks as take some 15 to 50 ms. A call that is cancelled ends with its step.
//! - **Sources**: attention after Dao et al., arXiv 2205.14135; fused loss and deterministic gradients after Karpathy's
//!   llm.c; the rest is the CPU reference.

mod group;
mod plan;

use surprisal_core::{
    compute::{Backend, Ran},
    nn::{Advanced, Learning, NnError, Optimiser, Progress, RunSetup, Snapshot, Training},
    pace::Pace,
};
use web_time::Instant;

use crate::{Gpu, GpuError, budget::Budgets};
use group::{Group, Note, check_tokens};
use plan::{Kept, Plan, RING};

pub use plan::Form;
pub(crate) use plan::for_each_pipeline;

/// What [`Budgets`] are asked for.
const CHUNKS: &str = "chunks";
/// Floating-point operations of the first submission, by a cautious estimate.
const START_FLOPS: f64 = 2e8;

/// Transformers that are trained on a GPU.
#[derive(Debug)]
pub struct GpuTraining {
    gpu: Gpu,
    form: Form,
    runs: Vec<RunSetup>,
    /// Steps behind each run.
    steps: Vec<u64>,
    stopped: Vec<Option<NnError>>,
    /// The last steps of the last call.
    history: Vec<Vec<Progress>>,
    /// Of each run: its group, and its number there.
    homes: Vec<[usize; 2]>,
    groups: Vec<Group>,
    budgets: Budgets,
}

impl GpuTraining {
    /// The runs at their beginning, in the form of kernels that [`Gpu::calibration`] finds faster.
    ///
    /// # Errors
    /// As [`Self::in_form`].
    pub async fn new(gpu: &Gpu, runs: Vec<RunSetup>) -> Result<Self, NnError> {
        let found = gpu.calibration().await.map_err(|error| error.into_nn_error(&gpu.info().name))?;
        Self::in_form(gpu, runs, found.form())
    }

    /// The runs at their beginning, with kernels of this form. The forms differ in the order of sums, hence in rounding.
    ///
    /// # Errors
    /// As [`RunSetup::check`]; [`NnError::Data`] where a token is not below the vocabulary; [`NnError::Backend`], for a
    /// network of which one buffer would be too large for this adapter too.
    pub fn in_form(gpu: &Gpu, runs: Vec<RunSetup>, form: Form) -> Result<Self, NnError> {
        let told = |error: GpuError| error.into_nn_error(&gpu.info().name);
        let mut homes = Vec::with_capacity(runs.len());
        let mut kinds: Vec<Vec<usize>> = Vec::new();
        for (i, run) in runs.iter().enumerate() {
            run.check()?;
            check_tokens(&run.tokens, run.config.vocabulary)?;
            let alike = |other: &&mut Vec<usize>| {
                let other = &runs[other[0]];
                (other.config, other.batch) == (run.config, run.batch)
            };
            match kinds.iter_mut().find(alike) {
                Some(kind) => kind.push(i),
                None => kinds.push(vec![i]),
            }
            homes.push([0, 0]);
        }
        let kept = Kept::of(&gpu.info().name);
        let mut groups = Vec::new();
        for kind in kinds {
            let plan = |i: usize| Plan::new(runs[i].config, runs[i].batch, form, kept);
            let most = Group::most(gpu, &plan(kind[0])?).map_err(told)?;
            for members in kind.chunks(most) {
                for (slot, member) in members.iter().enumerate() {
                    homes[*member] = [groups.len(), slot];
                }
                groups.push(Group::new(gpu, plan(kind[0])?, &runs, members.to_vec()).map_err(told)?);
            }
        }
        gpu.check().map_err(told)?;
        let count = runs.len();
        Ok(Self {
            gpu: gpu.clone(),
            form,
            runs,
            steps: vec![0; count],
            stopped: vec![None; count],
            history: vec![Vec::new(); count],
            homes,
            groups,
            budgets: Budgets::default(),
        })
    }

    /// The form of the kernels.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Dispatches of one step of all runs.
    #[must_use]
    pub fn dispatches_per_step(&self) -> usize {
        self.groups.iter().map(Group::dispatches).sum()
    }

    /// The last steps of the last call of [`Training::advance`], at most 64 of them, in order.
    ///
    /// # Errors
    /// [`NnError::Data`] for a run that there is not.
    pub fn history(&self, run: usize) -> Result<&[Progress], NnError> {
        self.home(run)?;
        Ok(&self.history[run])
    }

    /// The gradient of the last step, before clipping, in the order of the layout; 0 before the first.
    ///
    /// # Errors
    /// [`NnError::Data`] for a run that there is not; [`NnError::Backend`].
    pub async fn last_gradient(&mut self, run: usize) -> Result<Vec<f32>, NnError> {
        let [group, slot] = self.home(run)?;
        let group = &self.groups[group];
        let all = group.moments(&self.gpu, slot).await.map_err(|error| self.told(error))?;
        Ok(all[2 * group.plan.parameters()..].to_vec())
    }

    fn told(&self, error: GpuError) -> NnError {
        error.into_nn_error(&self.gpu.info().name)
    }

    fn home(&self, run: usize) -> Result<[usize; 2], NnError> {
        let n = self.runs.len();
        self.homes.get(run).copied().ok_or_else(|| NnError::Data(format!("run {run}; there are {n}, from 0")))
    }

    async fn train(&mut self, steps: u32, pace: &dyn Pace) -> Result<(), GpuError> {
        let total = u64::from(steps);
        pace.tick(0, total).await?;
        self.history.iter_mut().for_each(Vec::clear);
        let stopped: Vec<bool> = self.stopped.iter().map(Option::is_some).collect();
        let awake = |i: &usize| self.groups[*i].members.iter().any(|run| !stopped[*run]);
        let awake: Vec<usize> = (0..self.groups.len()).filter(awake).collect();
        // A step as a list of chunks, and whether each is the last of its group.
        let chunks = |i: usize| {
            let last = self.groups[i].plan.chunks;
            (1..=last).map(move |chunk| (i, chunk == last))
        };
        let step: Vec<(usize, bool)> = awake.iter().copied().flat_map(chunks).collect();
        if step.is_empty() || steps == 0 {
            return Ok(());
        }
        for i in &awake {
            self.groups[*i].begin(&self.gpu, &stopped);
        }
        let each = step.len() as u64;
        let flops: f64 = self.runs.iter().map(|run| run.config.flops(run.batch as usize * run.config.context)).sum();
        let all = total * each;
        let (mut done, mut announced, mut cancelled) = (0, 0, None);
        while done < all {
            let budget = self.budgets.get(CHUNKS, start(each, flops)).min(each * u64::from(RING - 1));
            // The rest of the step where the call is cancelled, so that all runs have made it.
            let here = if cancelled.is_some() { each - done % each } else { budget.min(all - done) };
            let end = done + here;
            while announced < end.div_ceil(each) {
                let later = u32::try_from(announced).unwrap_or(u32::MAX);
                for i in &awake {
                    self.groups[*i].announce(&self.gpu, later, &self.runs, &self.steps, &stopped);
                }
                announced += 1;
            }
            let begun = Instant::now();
            let unit = |unit: u64| step[usize::try_from(unit % each).unwrap_or(0)];
            if self.gpu.timer().is_some() {
                let mut units = (done..end).map(unit);
                units.try_for_each(|(group, last)| self.groups[group].submit_timed(&self.gpu, last))?;
            } else {
                self.gpu.submit("nn", |pass| {
                    (done..end).map(unit).for_each(|(group, last)| self.groups[group].encode(pass, last));
                })?;
            }
            done = end;
            if cancelled.is_some() {
                break;
            }
            if done < all {
                self.gpu.finish().await?;
                self.budgets.learn(CHUNKS, here, begun.elapsed(), 1);
                if let Err(error) = pace.tick(done / each, total).await {
                    cancelled = Some(error);
                    if done.is_multiple_of(each) {
                        break;
                    }
                }
            }
        }
        let made = u32::try_from(done / each).unwrap_or(u32::MAX);
        for i in awake {
            let told = self.groups[i].end(&self.gpu, made).await?;
            for (slot, (note, kept)) in told.into_iter().enumerate() {
                let run = self.groups[i].members[slot];
                self.settle(run, &note, &kept);
            }
        }
        match cancelled {
            Some(error) => Err(error.into()),
            None => Ok(pace.tick(total, total).await?),
        }
    }

    /// Takes over what the GPU has noted of a run.
    fn settle(&mut self, run: usize, note: &Note, kept: &[[f32; 2]]) {
        let optimiser = self.runs[run].optimiser;
        let first = self.steps[run];
        self.steps[run] = first + u64::from(note.done);
        let behind = self.steps[run] - kept.len() as u64;
        self.history[run] = (behind..)
            .zip(kept)
            .map(|(step, &[loss, norm])| Progress {
                loss: loss.into(),
                norm: norm.into(),
                rate: optimiser.rate_at(step),
            })
            .collect();
        if note.stopped != 0 && self.stopped[run].is_none() {
            self.stopped[run] = Some(NnError::Diverged {
                step: self.steps[run],
                what: if note.stopped == 1 { "loss" } else { "norm of the gradient" },
                value: note.value.into(),
                rate: optimiser.rate_at(self.steps[run]),
            });
        }
    }

    async fn losses(&mut self, run: usize, tokens: &[u32], pace: &dyn Pace) -> Result<Vec<f32>, GpuError> {
        let [group, slot] = self.homes[run];
        let group = &self.groups[group];
        let last = tokens.len() as u64 - 1;
        let context = group.plan.config().context as u64;
        let text = group.text(&self.gpu, tokens)?;
        let mut first = 0;
        while first < text.sequences {
            first += group.evaluate(&self.gpu, slot, &text, first)?;
            self.gpu.finish().await?;
            pace.tick((u64::from(first) * context).min(last), last).await?;
        }
        self.gpu.read(&text.losses, 0..last).await
    }
}

/// Chunks of the first submission, for steps of so many.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small range")]
fn start(each: u64, flops: f64) -> u64 {
    let steps = (START_FLOPS / flops.max(1.0)).clamp(0.0, 16.0);
    ((steps * f64::from(u32::try_from(each).unwrap_or(u32::MAX))) as u64).max(1)
}

impl Training for GpuTraining {
    fn runs(&self) -> &[RunSetup] {
        &self.runs
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Learning<'a, Vec<Advanced>> {
        Box::pin(async move {
            self.train(steps, pace).await.map_err(|error| self.told(error))?;
            let each = self.steps.iter().zip(&self.history).zip(&self.stopped);
            let told = each.map(|((step, history), stopped)| Advanced {
                step: *step,
                last: history.last().copied(),
                stopped: stopped.clone(),
            });
            Ok(told.collect())
        })
    }

    fn surprisal<'a>(&'a mut self, run: usize, tokens: &'a [u32], pace: &'a dyn Pace) -> Learning<'a, Vec<f32>> {
        Box::pin(async move {
            self.home(run)?;
            if tokens.len() < 2 {
                return Err(NnError::Data(format!("{} tokens: there is nothing to predict", tokens.len())));
            }
            check_tokens(tokens, self.runs[run].config.vocabulary)?;
            self.losses(run, tokens, pace).await.map_err(|error| self.told(error))
        })
    }

    fn snapshot(&mut self, run: usize) -> Learning<'_, Snapshot> {
        Box::pin(async move {
            let [group, slot] = self.home(run)?;
            let group = &self.groups[group];
            let told = |error| self.told(error);
            let params = group.params(&self.gpu, slot).await.map_err(told)?;
            let mut first = group.moments(&self.gpu, slot).await.map_err(told)?;
            first.truncate(2 * params.len());
            let second = first.split_off(params.len());
            let RunSetup { config, optimiser, .. } = self.runs[run];
            Ok(Snapshot { config, optimiser, step: self.steps[run], params, moments: Some([first, second]) })
        })
    }

    fn restore(&mut self, run: usize, snapshot: &Snapshot) -> Result<(), NnError> {
        let [group, slot] = self.home(run)?;
        snapshot.fits(&self.runs[run].config)?;
        self.groups[group].put(&self.gpu, slot, &snapshot.params, snapshot.moments.as_ref());
        self.gpu.check().map_err(|error| self.told(error))?;
        self.steps[run] = if snapshot.moments.is_some() { snapshot.step } else { 0 };
        self.stopped[run] = None;
        self.runs[run].optimiser = snapshot.optimiser;
        Ok(())
    }

    fn change(&mut self, run: usize, optimiser: Optimiser) -> Result<(), NnError> {
        self.home(run)?;
        optimiser.check()?;
        self.runs[run].optimiser = optimiser;
        // A run that diverged may try again with another rate.
        self.stopped[run] = None;
        Ok(())
    }

    fn ran(&self) -> Ran {
        let name = &self.gpu.info().name;
        let adapter = match self.form {
            Form::Workgroup => name.clone(),
            Form::Plain => format!("{name}, kernels without barriers"),
        };
        Ran { backend: Backend::Gpu, adapter: Some(adapter) }
    }
}
