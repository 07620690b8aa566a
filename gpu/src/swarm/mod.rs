//! Swarms on the GPU: the rules of [`surprisal_core::sim::swarm`] in f32.
//!
//! - **State**: 32 bytes a fish (position, speed, heading, and the mean alignment u_i·u_j with those within reach), in
//!   storage, from which it is also drawn; the predators beside it.
//! - **Small schools** ([`SEATS`] fish at most): the whole batch is one dispatch, one workgroup a school, which stays in
//!   workgroup memory for many steps. 1 dispatch a submission; 64 bytes a fish and submission.
//! - **Large schools**: a uniform grid each step. Fast: count, scan (2), scatter, walk: 5 dispatches; reproducible: 6, as a
//!   second pass puts each cell's list into ascending order. Open water adds 2 for the box about the school (fast: every
//!   8th step), a hunting predator 2. About 250 bytes a fish and step beside the walk, which reads 16 bytes of everybody in
//!   the 9 or 27 cells around and 16 more of those within reach. 10,000 fish with 200 neighbours are 2·10⁶ noticed and
//!   some 10⁷ looked at a step: 6·10⁸ a second at 60 steps, and 360 to 480 dispatches, which an integrated GPU does.
//! - **No grid** where fewer than four cells fit along an axis: all pairs by tiles in workgroup memory, 2 dispatches. Where
//!   one replica of a batch has no grid, the batch has none.
//! - **Determinism**: reproducible mode and small schools: bitwise per adapter, whatever the batch (but for the
//!   grid). Fast mode: statistical,
//!   as the order of the sums depends on chance. Across adapters statistical: the random integers are equal, and
//!   transcendental functions are written out, but contraction is the compiler's.
//! - **Large numbers**: f32 holds 24 bits: in open water a school that is 10⁴ from the origin moves in steps of 10⁻³.
//! - **Sources**: grid after Green, "Particle simulation using CUDA", 2010; scan as reduce-then-scan after Merrill &
//!   Garland 2016; tiles after Nyland, Harris & Prins, GPU Gems 3, 2007; rules: see the CPU reference.

mod large;
pub mod near;
mod order;
pub mod scan;
mod setup;
mod small;

use std::rc::Rc;

use bytemuck::{Pod, Zeroable};
use surprisal_core::{
    compute::{Backend, Ran},
    measure::school::{Ask, PairStatistics},
    pace::Pace,
    sim::swarm::{Moving, Order, Rule, Setup, State, Swarm, SwarmError, begin},
};
use web_time::Instant;
use wgpu::BufferUsages;

use crate::{
    Gpu, GpuError,
    budget::Budgets,
    buffer::Scratch,
    kernels::{Kernel, Pipeline, write_blocks},
    oneshot,
    shader::{MAX_GROUPS, THREADS},
};
use setup::{Block, Grid, rule_number, single, vector};

pub use small::SEATS;

pub(crate) static FIT: Kernel =
    Kernel { name: "swarm-fit", source: include_str!("fit.wgsl"), writes: &[false, false, true, true], parameters: 16 };
const FIT_ALL: &str = "fit_all";

/// 32-bit words of a fish in the state.
const WORDS: u64 = 8;
/// 32-bit words of a predator.
const PREDATOR_WORDS: u64 = 8;
/// Pairs in a submission at first, by a cautious estimate.
const START_PAIRS: u64 = 1 << 23;

/// Mirrors `Fish` in `swarm_types.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Fish {
    pub(crate) position: [f32; 3],
    pub(crate) speed: f32,
    pub(crate) heading: [f32; 3],
    pub(crate) alike: f32,
}

/// Mirrors `Batch` in `batch.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Batch {
    step: u32,
    count: u32,
    replicas: u32,
    cells: u32,
    parts: u32,
    tiles: u32,
    unused: [u32; 2],
}

/// A batch of swarms on the GPU.
#[derive(Debug)]
pub struct GpuSwarm {
    gpu: Gpu,
    setups: Vec<Setup>,
    count: u32,
    /// Steps of the batch; a replica's are these plus its `later`, modulo 2^64.
    steps: u64,
    later: Vec<u64>,
    memory: Memory,
    path: Path,
    order: order::OrderSums,
    budgets: Budgets,
    /// What was submitted last and is not waited for yet.
    under_way: Option<oneshot::Receiver<()>>,
}

/// What every path reads and writes.
#[derive(Debug)]
pub(crate) struct Memory {
    setups: Scratch,
    pub(crate) obstacles: Scratch,
    pub(crate) school: Scratch,
    pub(crate) predators: Scratch,
}

#[derive(Debug)]
enum Path {
    Small(small::Small),
    Large(Box<large::Large>),
}

impl GpuSwarm {
    /// The replicas at their beginning.
    ///
    /// # Errors
    /// As [`Setup::check`]; [`SwarmError::Batch`] where counts differ or there is no replica;
    /// [`SwarmError::TooLarge`] where one buffer would be too large; [`SwarmError::Backend`].
    pub fn new(gpu: &Gpu, setups: Vec<Setup>) -> Result<Self, SwarmError> {
        let count = Setup::check_batch(&setups)?;
        let told = |error: GpuError| error.into_swarm_error(&gpu.info().name);
        let memory = Memory::new(gpu, &setups).map_err(told)?;
        let path = if count <= SEATS {
            Path::Small(small::Small::new(gpu).map_err(told)?)
        } else {
            Path::Large(Box::new(large::Large::new(gpu, &setups).map_err(told)?))
        };
        let order = order::OrderSums::new(gpu, count, setups.len()).map_err(told)?;
        let later = vec![0; setups.len()];
        let states: Vec<State> = setups.iter().map(begin).collect();
        let swarm = Self {
            gpu: gpu.clone(),
            setups,
            count,
            steps: 0,
            later,
            memory,
            path,
            order,
            budgets: Budgets::default(),
            under_way: None,
        };
        for (replica, state) in states.iter().enumerate() {
            swarm.put(replica, state);
        }
        swarm.gpu.check().map_err(told)?;
        Ok(swarm)
    }

    /// The GPU it lives on.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Particles of one replica.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    fn replicas(&self) -> u32 {
        word(self.setups.len() as u64)
    }

    fn told(&self, error: GpuError) -> SwarmError {
        error.into_swarm_error(&self.gpu.info().name)
    }

    fn index(&self, replica: usize) -> Result<usize, SwarmError> {
        if replica < self.setups.len() {
            return Ok(replica);
        }
        Err(SwarmError::State(format!("there is no replica {replica}; the batch has {}", self.setups.len())))
    }

    /// Writes a state that fits into the GPU's memory.
    fn put(&self, replica: usize, state: &State) {
        let side = self.setups[replica].space.period().map(single);
        // What rounds to the side itself is 0.
        let inside = |x: f32| if side.is_some_and(|side| x >= side) { 0.0 } else { x };
        let each = state.positions.iter().zip(&state.headings).zip(&state.speeds);
        let school: Vec<Fish> = each
            .map(|((x, u), s)| Fish {
                position: vector(*x).map(inside),
                speed: single(*s),
                heading: vector(*u),
                alike: 0.0,
            })
            .collect();
        let at = replica as u64 * u64::from(self.count) * WORDS * 4;
        self.gpu.queue().write_buffer(&self.memory.school, at, bytemuck::cast_slice(&school));
        if let Some(predator) = &state.predator {
            self.put_predator(replica, predator);
        }
    }

    /// Writes the first or both of a predator's position and heading.
    fn put_predator(&self, replica: usize, vectors: &[[f64; 3]]) {
        let words: Vec<[f32; 4]> = vectors.iter().map(|v| [single(v[0]), single(v[1]), single(v[2]), 0.0]).collect();
        let at = replica as u64 * PREDATOR_WORDS * 4;
        self.gpu.queue().write_buffer(&self.memory.predators, at, bytemuck::cast_slice(&words));
    }

    /// Waits until at most nothing of ours is under way: whoever draws between steps is never more than one submission ahead
    /// of the GPU.
    async fn caught_up(&mut self) -> Result<(), GpuError> {
        if let Some(done) = self.under_way.take() {
            self.gpu.wait();
            if done.receive().await.is_none() {
                self.gpu.check()?;
                return Err(GpuError::Lost { reason: "it dropped the work that was under way".to_owned() });
            }
        }
        self.gpu.check()
    }

    async fn swim(&mut self, steps: u32, pace: &dyn Pace) -> Result<(), GpuError> {
        let (total, mut done) = (u64::from(steps), 0);
        pace.tick(0, total).await?;
        while done < total {
            let replicas = self.setups.len() as u64;
            let (pairs, most) = match &self.path {
                Path::Small(_) => (replicas * u64::from(self.count).pow(2), small::MOST_STEPS),
                Path::Large(_) => (replicas * u64::from(self.count) * 512, large::MOST_STEPS),
            };
            let budget = self.budgets.get(STEPS, (START_PAIRS / pairs.max(1)).clamp(1, 256)).min(most);
            let here = budget.min(total - done);
            self.caught_up().await?;
            let start = Instant::now();
            self.submit(word(here))?;
            self.steps = self.steps.wrapping_add(here);
            done += here;
            if done < total {
                self.gpu.finish().await?;
                self.budgets.learn(STEPS, here, start.elapsed(), 1);
            } else {
                let (sender, receiver) = oneshot::channel();
                self.gpu.queue().on_submitted_work_done(move || sender.send(()));
                self.under_way = Some(receiver);
            }
            pace.tick(done, total).await?;
        }
        Ok(())
    }

    fn submit(&mut self, steps: u32) -> Result<(), GpuError> {
        let mut rules: Vec<u32> = self.setups.iter().map(|setup| rule_number(&setup.rule)).collect();
        rules.sort_unstable();
        rules.dedup();
        let step = low(self.steps);
        match &mut self.path {
            Path::Small(small) => {
                small.submit(&self.gpu, &self.memory, &rules, step, steps, self.count, word(self.setups.len() as u64))
            }
            Path::Large(large) => large.submit(&self.gpu, &self.memory, &self.setups, &rules, step, steps),
        }
    }

    async fn read_state(&mut self, replica: usize) -> Result<State, GpuError> {
        let words = u64::from(self.count) * WORDS;
        let from = replica as u64 * words;
        let school: Vec<Fish> = self.gpu.read(&self.memory.school, from..from + words).await?;
        let double = |v: [f32; 3]| v.map(f64::from);
        let mut state = State {
            step: self.steps.wrapping_add(self.later[replica]),
            positions: school.iter().map(|fish| double(fish.position)).collect(),
            headings: school.iter().map(|fish| double(fish.heading)).collect(),
            speeds: school.iter().map(|fish| f64::from(fish.speed)).collect(),
            predator: None,
        };
        if self.setups[replica].predator.is_some() {
            let from = replica as u64 * PREDATOR_WORDS;
            let [x, y, z, _, u, v, w, _]: [f32; 8] = self
                .gpu
                .read(&self.memory.predators, from..from + PREDATOR_WORDS)
                .await?
                .try_into()
                .unwrap_or_default();
            state.predator = Some([double([x, y, z]), double([u, v, w])]);
        }
        Ok(state)
    }

    /// Rewrites what the shaders know of the setups.
    fn rewrite(&mut self) -> Result<(), GpuError> {
        let spheres = self.setups.iter().map(|setup| setup.obstacles.len() as u64).sum::<u64>();
        if spheres * 16 > self.memory.obstacles.size() {
            self.memory.obstacles = Memory::obstacles(&self.gpu, spheres)?;
            // Bindings hold the old buffer.
            match &mut self.path {
                Path::Small(small) => small.unbind(),
                Path::Large(large) => large.unbind(),
            }
        }
        self.memory.write(&self.gpu, &self.setups, &self.later);
        if let Path::Large(large) = &mut self.path {
            large.plan(&self.gpu, &self.setups);
        }
        self.gpu.check()
    }

    fn fit(&mut self, replica: usize, old: &Setup) -> Result<(), GpuError> {
        let new = &self.setups[replica];
        let law = |setup: &Setup| (setup.speed, setup.speed_deviation);
        let boids = matches!((old.rule, new.rule), (Rule::Boids(_), Rule::Boids(_)));
        let fresh = !boids && (law(old) != law(new) || matches!(old.rule, Rule::Boids(_)));
        if old.space == new.space && !fresh {
            return Ok(());
        }
        let drawn = if fresh { begin(new).speeds.into_iter().map(single).collect() } else { vec![0.0_f32] };
        let speeds = self.gpu.upload("speeds", &drawn)?;
        let pipeline = self.gpu.pipeline(&FIT, FIT_ALL, &setup::BOUNDARIES)?;
        let uniforms = self.gpu.uniforms("swarm fit", 1)?;
        write_blocks(self.gpu.queue(), &uniforms, &[[word(replica as u64), self.count, u32::from(fresh), 0]]);
        let Memory { setups, school, predators, .. } = &self.memory;
        let bindings = pipeline.bind(self.gpu.device(), &[setups, &speeds, school, predators], &uniforms);
        let [x, y] = folded(u64::from(self.count).div_ceil(THREADS.into()));
        self.gpu.submit(FIT.name, |pass| {
            pass.set_pipeline(&pipeline.compute);
            pass.set_bind_group(0, &bindings, &[0]);
            pass.dispatch_workgroups(x, y, 1);
        })
    }
}

/// What [`Budgets`] are asked for.
const STEPS: &str = "steps";

impl Memory {
    fn new(gpu: &Gpu, setups: &[Setup]) -> Result<Self, GpuError> {
        let replicas = setups.len() as u64;
        let fish = replicas * u64::from(setups.first().map_or(0, |setup| setup.count));
        // They are drawn from, too.
        let usage = BufferUsages::STORAGE | BufferUsages::VERTEX | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let memory = Self {
            setups: gpu.buffer("swarm setups", replicas * size_of::<Block>() as u64, usage)?,
            obstacles: Self::obstacles(gpu, setups.iter().map(|setup| setup.obstacles.len() as u64).sum())?,
            school: gpu.buffer("school", fish * WORDS * 4, usage)?,
            predators: gpu.buffer("predators", replicas * PREDATOR_WORDS * 4, usage)?,
        };
        memory.write(gpu, setups, &vec![0; setups.len()]);
        Ok(memory)
    }

    fn obstacles(gpu: &Gpu, spheres: u64) -> Result<Scratch, GpuError> {
        gpu.buffer("obstacles", spheres * 16, BufferUsages::STORAGE | BufferUsages::VERTEX | BufferUsages::COPY_DST)
    }

    fn write(&self, gpu: &Gpu, setups: &[Setup], later: &[u64]) {
        let mut spheres: Vec<[f32; 4]> = Vec::new();
        let mut blocks = Vec::with_capacity(setups.len());
        for (setup, later) in setups.iter().zip(later) {
            let first_obstacle = word(spheres.len() as u64);
            spheres.extend(setup::spheres(setup));
            blocks.push(Block::new(setup, first_obstacle, low(*later)));
        }
        gpu.queue().write_buffer(&self.setups, 0, bytemuck::cast_slice(&blocks));
        if !spheres.is_empty() {
            gpu.queue().write_buffer(&self.obstacles, 0, bytemuck::cast_slice(&spheres));
        }
    }
}

impl Swarm for GpuSwarm {
    fn setups(&self) -> &[Setup] {
        &self.setups
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Moving<'a, ()> {
        Box::pin(async move { self.swim(steps, pace).await.map_err(|error| self.told(error)) })
    }

    fn state(&mut self, replica: usize) -> Moving<'_, State> {
        Box::pin(async move {
            let replica = self.index(replica)?;
            self.read_state(replica).await.map_err(|error| self.told(error))
        })
    }

    fn order(&mut self) -> Moving<'_, Vec<Order>> {
        Box::pin(async move { self.read_orders().await.map_err(|error| self.told(error)) })
    }

    fn pairs<'a>(&'a mut self, replica: usize, ask: Ask, pace: &'a dyn Pace) -> Moving<'a, Option<PairStatistics>> {
        Box::pin(async move {
            if !self.counts_pairs(ask) {
                return Ok(None);
            }
            self.count_pairs(replica, ask, pace).await.map(Some)
        })
    }

    fn restore(&mut self, replica: usize, state: &State) -> Result<(), SwarmError> {
        let i = self.index(replica)?;
        let state = state.fitted(&self.setups[i])?;
        self.later[i] = state.step.wrapping_sub(self.steps);
        self.put(i, &state);
        self.rewrite().map_err(|error| self.told(error))
    }

    fn change(&mut self, replica: usize, setup: Setup) -> Result<(), SwarmError> {
        let i = self.index(replica)?;
        setup.check()?;
        if setup.count != self.count {
            return Err(SwarmError::State(format!("{} particles instead of {}", setup.count, self.count)));
        }
        let old = std::mem::replace(&mut self.setups[i], setup);
        let new = &self.setups[i];
        if let Some(predator) = new.predator {
            let at = setup::flat(new, predator.position);
            match old.predator {
                None => self.put_predator(i, &[at, [1.0, 0.0, 0.0]]),
                Some(was) if was.position != predator.position => self.put_predator(i, &[at]),
                Some(_) => {}
            }
        }
        self.rewrite().and_then(|()| self.fit(i, &old)).map_err(|error| self.told(error))
    }

    fn ran(&self) -> Ran {
        Ran { backend: Backend::Gpu, adapter: Some(self.gpu.info().name.clone()) }
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Numbers here are below the limits of buffers, and those below 2^32.
fn word(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A step modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "steps count modulo 2^32")]
const fn low(n: u64) -> u32 {
    n as u32
}

/// So many workgroups in two dimensions, and a few too many.
pub(crate) fn folded(groups: u64) -> [u32; 2] {
    let rows = groups.div_ceil(MAX_GROUPS.into()).max(1);
    [word(groups.div_ceil(rows)), word(rows)]
}

/// Workgroups of one replica in a sum: a function of the count alone.
fn parts(count: u32) -> u32 {
    count.div_ceil(8 * THREADS).clamp(1, 64)
}

/// Calls `with` for every pipeline of swarms.
pub(crate) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    for rule in 0..setup::RULES {
        for shape in small::SHAPES {
            with(&small::SCHOOL, small::SWIM, &small::constants(rule, shape))?;
        }
        for entry in [large::WALK_CELLS, large::WALK_TILES] {
            with(&large::WALK, entry, &setup::rule_constants(rule))?;
        }
    }
    large::for_each_pipeline(&mut with)?;
    scan::for_each_pipeline(&mut with)?;
    order::for_each_pipeline(&mut with)?;
    near::for_each_pipeline(&mut with)?;
    with(&FIT, FIT_ALL, &setup::BOUNDARIES)
}

/// A pipeline and what it is bound to.
#[derive(Clone, Debug)]
struct Bound {
    pipeline: Rc<Pipeline>,
    bindings: wgpu::BindGroup,
}

impl Bound {
    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, offset: u32, groups: [u32; 2]) {
        pass.set_pipeline(&self.pipeline.compute);
        pass.set_bind_group(0, &self.bindings, &[offset]);
        pass.dispatch_workgroups(groups[0], groups[1], 1);
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_GROUPS, folded};

    #[test]
    fn a_fold_holds_all_groups_and_few_more() {
        for groups in [0, 1, 65_535, 65_536, 131_070, 131_071, 1 << 24, 4_000_000_007] {
            let [x, y] = folded(groups);
            assert!(x <= MAX_GROUPS && y <= MAX_GROUPS, "{groups}: {x} {y}");
            let all = u64::from(x) * u64::from(y);
            assert!(all >= groups && all <= groups + u64::from(y), "{groups}: {x} {y}");
        }
    }
}
