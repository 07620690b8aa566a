//! Runs of one config and batch: their memory, and what is submitted for them.

use std::rc::Rc;

use bytemuck::{Pod, Zeroable};
use surprisal_core::nn::{NnError, Optimiser, RunSetup};
use wgpu::BufferUsages;

use super::plan::{Dispatch, NOTE_WORDS, Op, Plan, RING, single, word};
use crate::{
    Gpu, GpuError,
    buffer::{Scratch, UNIFORM_STRIDE},
    kernels::{Pipeline, write_blocks},
    swarm::folded,
};

/// Mirrors `Step` in `nn.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Step {
    step: [u32; 2],
    key: [u32; 2],
    run: u32,
    places: u32,
    text: u32,
    on: u32,
    size: f32,
    spread: f32,
    keep: f32,
    forget_first: f32,
    forget_second: f32,
    epsilon: f32,
    clip: f32,
    unused: u32,
}

/// What the GPU notes of a run. Mirrors the constants of `nn.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Note {
    pub(super) counter: u32,
    pub(super) chunk: u32,
    pub(super) sum: u32,
    /// 0, or 1 for the loss and 2 for the norm.
    pub(super) stopped: u32,
    pub(super) value: f32,
    /// Good steps of this call, and the last of them.
    pub(super) done: u32,
    pub(super) loss: f32,
    pub(super) norm: f32,
    pub(super) go: u32,
    pub(super) clip: f32,
    unused: [u32; 6],
}

/// A dispatch that is ready to be encoded.
#[derive(Debug)]
struct Bound {
    pipeline: Rc<Pipeline>,
    bindings: Rc<wgpu::BindGroup>,
    at: u32,
    groups: [u32; 2],
    label: &'static str,
}

impl Bound {
    fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline.compute);
        pass.set_bind_group(0, &*self.bindings, &[self.at]);
        pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
    }
}

/// Runs that are trained by the same dispatches.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) plan: Plan,
    /// Their numbers among all runs.
    pub(super) members: Vec<usize>,
    /// Steps that were submitted since the beginning, whatever became of them.
    counter: u32,
    memory: Memory,
    chunk: Vec<Bound>,
    update: Bound,
}

#[derive(Debug)]
struct Memory {
    weights: Scratch,
    moments: Scratch,
    arena: Scratch,
    notes: Scratch,
    tokens: Scratch,
    steps: Scratch,
    tables: Scratch,
    uniforms: Scratch,
    /// Where each run's text begins.
    texts: Vec<u32>,
}

impl Memory {
    fn new(gpu: &Gpu, plan: &Plan, setups: &[&RunSetup]) -> Result<Self, GpuError> {
        let runs = setups.len() as u64;
        let parameters = plan.parameters() as u64;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        // Runs that share a text share its copy.
        let mut all: Vec<u32> = Vec::new();
        let mut known: Vec<(&RunSetup, u32)> = Vec::new();
        let mut texts = Vec::with_capacity(setups.len());
        for setup in setups {
            let same = known.iter().find(|(other, _)| std::sync::Arc::ptr_eq(&other.tokens, &setup.tokens));
            let at = same.map_or(word(all.len()), |(_, at)| *at);
            if same.is_none() {
                all.extend_from_slice(&setup.tokens);
                known.push((setup, at));
            }
            texts.push(at);
        }
        let [_, _, notes] = plan.notes(word(setups.len()));
        Ok(Self {
            weights: gpu.buffer("parameters", runs * parameters * 8, usage)?,
            moments: gpu.buffer("moments", runs * parameters * 12, usage)?,
            arena: gpu.buffer("activations", runs * plan.arena_words() * 4, usage)?,
            notes: gpu.buffer("notes of training", notes * 4, usage)?,
            tokens: gpu.upload("tokens", &all)?,
            steps: gpu.buffer("steps", u64::from(RING) * runs * size_of::<Step>() as u64, usage)?,
            tables: gpu.upload("tables of a network", &plan.tables)?,
            uniforms: gpu.uniforms("dispatches of a network", plan.dispatches())?,
            texts,
        })
    }

    fn bind(
        &self,
        gpu: &Gpu,
        dispatches: &[Dispatch],
        tokens: &wgpu::Buffer,
        moments: &wgpu::Buffer,
        uniforms: &wgpu::Buffer,
    ) -> Result<Vec<Bound>, GpuError> {
        let storage: [&wgpu::Buffer; 7] =
            [&self.weights, moments, &self.arena, &self.notes, tokens, &self.steps, &self.tables];
        let ops: Vec<Op> = dispatches.iter().map(|dispatch| dispatch.op).collect();
        write_blocks(gpu.queue(), uniforms, &ops);
        let mut bound: Vec<Bound> = Vec::with_capacity(dispatches.len());
        for (i, dispatch) in dispatches.iter().enumerate() {
            let pipeline = gpu.pipeline(dispatch.kernel, dispatch.entry, &dispatch.constants)?;
            let known = bound.iter().find(|other| Rc::ptr_eq(&other.pipeline, &pipeline));
            let bindings = known.map_or_else(
                || Rc::new(pipeline.bind(gpu.device(), &storage, uniforms)),
                |known| Rc::clone(&known.bindings),
            );
            bound.push(Bound {
                pipeline,
                bindings,
                at: word(i) * UNIFORM_STRIDE,
                groups: folded(dispatch.groups),
                label: dispatch.label,
            });
        }
        Ok(bound)
    }
}

impl Group {
    /// How many runs of this plan one group can have.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] where not even one can be.
    pub(super) fn most(gpu: &Gpu, plan: &Plan) -> Result<usize, GpuError> {
        let limit = gpu.binding_limit();
        let parameters = plan.parameters() as u64;
        let needs = [
            ("the activations of a network", plan.arena_words() * 4),
            ("the gradient and moments of a network", parameters * 12),
        ];
        let mut most = u64::MAX;
        for (what, bytes) in needs {
            if bytes > limit {
                return Err(GpuError::TooLarge { what, bytes, limit });
            }
            most = most.min(limit / bytes);
        }
        // Notes and steps are small beside these, but for tiny networks.
        Ok(usize::try_from(most.min(1 << 12)).unwrap_or(1))
    }

    pub(super) fn new(gpu: &Gpu, plan: Plan, runs: &[RunSetup], members: Vec<usize>) -> Result<Self, GpuError> {
        let setups: Vec<&RunSetup> = members.iter().map(|i| &runs[*i]).collect();
        let memory = Memory::new(gpu, &plan, &setups)?;
        let count = word(members.len());
        let mut dispatches = plan.forward(plan.sequences, [0, count, count], None);
        let (back, update) = plan.backward(count);
        dispatches.extend(back);
        dispatches.push(update);
        let mut chunk = memory.bind(gpu, &dispatches, &memory.tokens, &memory.moments, &memory.uniforms)?;
        let Some(update) = chunk.pop() else {
            return Err(GpuError::Validation("a step without dispatches".to_owned()));
        };
        let group = Self { plan, members, counter: 0, memory, chunk, update };
        for (slot, setup) in setups.iter().enumerate() {
            let params: Vec<f32> = group.plan.gpt.layout().initial(setup.seed, setup.run);
            group.put(gpu, slot, &params, None);
        }
        Ok(group)
    }

    /// Dispatches of a chunk; that of the update is one more.
    pub(super) fn dispatches(&self) -> usize {
        self.chunk.len() * self.plan.chunks as usize + 1
    }

    /// Writes parameters and moments; without moments they begin again.
    pub(super) fn put(&self, gpu: &Gpu, slot: usize, params: &[f32], moments: Option<&[Vec<f32>; 2]>) {
        let (slot, parameters) = (slot as u64, self.plan.parameters() as u64);
        let write = |buffer: &wgpu::Buffer, word: u64, numbers: &[f32]| {
            gpu.queue().write_buffer(buffer, word * 4, bytemuck::cast_slice(numbers));
        };
        write(&self.memory.weights, slot * 2 * parameters, &self.plan.twice(params));
        let zeros = vec![0.0; params.len()];
        for (i, at) in [0, 1].into_iter().zip([0, parameters]) {
            let numbers = moments.map_or(&zeros, |moments| &moments[i]);
            write(&self.memory.moments, slot * 3 * parameters + at, numbers);
        }
    }

    /// Says before a call what is known of every run.
    pub(super) fn begin(&self, gpu: &Gpu, stopped: &[bool]) {
        let note = |i: &usize| Note { counter: self.counter, stopped: u32::from(stopped[*i]), ..Note::default() };
        let notes: Vec<Note> = self.members.iter().map(note).collect();
        gpu.queue().write_buffer(&self.memory.notes, 0, bytemuck::cast_slice(&notes));
    }

    /// Says what step number `later` of this call is, counted from the steps that each run has behind it.
    pub(super) fn announce(&self, gpu: &Gpu, later: u32, runs: &[RunSetup], steps: &[u64], stopped: &[bool]) {
        let context = self.plan.config().context;
        let entries: Vec<Step> = self
            .members
            .iter()
            .zip(&self.memory.texts)
            .map(|(&i, &text)| {
                let setup = &runs[i];
                let step = steps[i].wrapping_add(u64::from(later));
                let [low, high] = halves(step);
                let [key_low, key_high] = halves(setup.seed);
                let places = word(setup.tokens.len() - context);
                Step {
                    step: [low, high],
                    key: [key_low ^ WINDOW_KEY, key_high],
                    run: setup.run,
                    places,
                    text,
                    on: u32::from(!stopped[i]),
                    ..rates(&setup.optimiser, step)
                }
            })
            .collect();
        let slot = u64::from(self.counter.wrapping_add(later) % RING);
        let bytes: &[u8] = bytemuck::cast_slice(&entries);
        gpu.queue().write_buffer(&self.memory.steps, slot * bytes.len() as u64, bytes);
    }

    /// The dispatches of one chunk of a step, behind the last of them that of the update.
    fn dispatched(&self, last: bool) -> impl Iterator<Item = &Bound> {
        self.chunk.iter().chain(last.then_some(&self.update))
    }

    /// Encodes one chunk of a step.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>, last: bool) {
        self.dispatched(last).for_each(|bound| bound.encode(pass));
    }

    /// Submits one chunk of a step, each dispatch as a pass of its own, so that each is timed.
    pub(super) fn submit_timed(&self, gpu: &Gpu, last: bool) -> Result<(), GpuError> {
        self.dispatched(last).try_for_each(|bound| gpu.submit(bound.label, |pass| bound.encode(pass)))
    }

    /// What has become of a call of `steps` steps: the note of each run, and the losses and norms of the last steps.
    pub(super) async fn end(&mut self, gpu: &Gpu, steps: u32) -> Result<Vec<(Note, Vec<[f32; 2]>)>, GpuError> {
        let runs = self.members.len();
        let [_, ids, _] = self.plan.notes(word(runs));
        let words: Vec<u32> = gpu.read(&self.memory.notes, 0..ids).await?;
        let before = self.counter;
        self.counter = self.counter.wrapping_add(steps);
        let (notes, ring) = words.split_at(runs * NOTE_WORDS as usize);
        let told = (0..runs).map(|slot| {
            let mut note = Note::default();
            bytemuck::bytes_of_mut(&mut note)
                .copy_from_slice(bytemuck::cast_slice(&notes[slot * NOTE_WORDS as usize..][..NOTE_WORDS as usize]));
            let kept = (note.done.saturating_sub(RING)..note.done).map(|s| {
                let at = (before.wrapping_add(s) % RING) as usize * runs + slot;
                [f32::from_bits(ring[2 * at]), f32::from_bits(ring[2 * at + 1])]
            });
            let kept = kept.collect();
            (note, kept)
        });
        Ok(told.collect())
    }

    /// The parameters of a run.
    pub(super) async fn params(&self, gpu: &Gpu, slot: usize) -> Result<Vec<f32>, GpuError> {
        let parameters = self.plan.parameters() as u64;
        let at = slot as u64 * 2 * parameters;
        gpu.read(&self.memory.weights, at..at + parameters).await
    }

    /// The moments and the last gradient of a run, one behind the other.
    pub(super) async fn moments(&self, gpu: &Gpu, slot: usize) -> Result<Vec<f32>, GpuError> {
        let parameters = self.plan.parameters() as u64;
        let at = slot as u64 * 3 * parameters;
        gpu.read(&self.memory.moments, at..at + 3 * parameters).await
    }

    /// A text for [`Self::evaluate`], padded to whole chunks, and room for its losses.
    pub(super) fn text(&self, gpu: &Gpu, tokens: &[u32]) -> Result<Text, GpuError> {
        let context = self.plan.config().context;
        let sequences = tokens.len().saturating_sub(1).div_ceil(context);
        let mut padded = tokens.to_vec();
        padded.resize(sequences * context + 1, 0);
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let per_chunk = 3 + 5 * self.plan.config().layers;
        Ok(Text {
            sequences: word(sequences),
            tokens: gpu.upload("text", &padded)?,
            losses: gpu.buffer("losses of a text", (sequences * context) as u64 * 4, usage)?,
            uniforms: gpu.uniforms("dispatches of an evaluation", per_chunk * EVALUATED_CHUNKS as usize)?,
        })
    }

    /// Submits some chunks of an evaluation; tells how many sequences they have.
    pub(super) fn evaluate(&self, gpu: &Gpu, slot: usize, text: &Text, first: u32) -> Result<u32, GpuError> {
        let mut dispatches = Vec::new();
        let mut at = first;
        for _ in 0..EVALUATED_CHUNKS {
            let here = (text.sequences - at).min(self.plan.sequences);
            if here == 0 {
                break;
            }
            dispatches.extend(self.plan.forward(here, [word(slot), 1, word(self.members.len())], Some(at)));
            at += here;
        }
        let bound = self.memory.bind(gpu, &dispatches, &text.tokens, &text.losses, &text.uniforms)?;
        gpu.submit("nn-evaluation", |pass| bound.iter().for_each(|bound| bound.encode(pass)))?;
        Ok(at - first)
    }
}

/// Chunks of a submission of an evaluation, at most.
const EVALUATED_CHUNKS: u32 = 4;

/// A text that is evaluated.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) sequences: u32,
    tokens: Scratch,
    pub(super) losses: Scratch,
    uniforms: Scratch,
}

/// As in [`surprisal_core::nn::window`].
const WINDOW_KEY: u32 = 0x5749_4e44;

/// The numbers of AdamW at a step, made in f64 as `surprisal_core::nn::Moments::step` makes them.
fn rates(optimiser: &Optimiser, step: u64) -> Step {
    let t = i32::try_from(step.saturating_add(1)).unwrap_or(i32::MAX);
    let rate = optimiser.rate_at(step);
    let [bias1, bias2] = [optimiser.beta1, optimiser.beta2].map(|beta| 1.0 - beta.powi(t));
    Step {
        size: single(rate / bias1),
        spread: single(1.0 / bias2.sqrt()),
        keep: single(1.0 - rate * optimiser.decay),
        forget_first: single(1.0 - optimiser.beta1),
        forget_second: single(1.0 - optimiser.beta2),
        epsilon: single(optimiser.epsilon),
        clip: single(optimiser.clip.unwrap_or(0.0)),
        ..Step::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the words of 64 bits")]
const fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// Whether every token is below the vocabulary: on the GPU nothing else checks.
pub(super) fn check_tokens(tokens: &[u32], vocabulary: usize) -> Result<(), NnError> {
    match tokens.iter().max() {
        Some(&most) if most as usize >= vocabulary => {
            Err(NnError::Data(format!("token {most}; the vocabulary has {vocabulary} tokens, 0 to {}", vocabulary - 1)))
        }
        _ => Ok(()),
    }
}
