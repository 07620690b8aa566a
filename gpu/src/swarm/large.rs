//! Schools in storage: a grid a step, or all pairs by tiles. See [`super`].

use surprisal_core::sim::{Boundary, swarm::Setup};

use super::{
    Batch, Bound, Grid, Memory, folded, parts,
    scan::Scan,
    setup::{BOUNDARIES, MARGIN, MOST_CELLS, OPEN, RULES, hunts, rule_constants},
    word,
};
use crate::{
    Gpu, GpuError,
    buffer::{Scratch, UNIFORM_STRIDE},
    kernels::{Kernel, write_blocks},
    shader::THREADS,
};
use wgpu::BufferUsages;

const PARAMETERS: u64 = size_of::<Batch>() as u64;

static GRID: Kernel = Kernel {
    name: "swarm-grid",
    source: include_str!("grid.wgsl"),
    writes: &[false, false, true, true, true, true],
    parameters: PARAMETERS,
};
static SORT: Kernel = Kernel {
    name: "swarm-sort",
    source: include_str!("sort.wgsl"),
    writes: &[false, false, false, true, true],
    parameters: PARAMETERS,
};
pub(super) static WALK: Kernel = Kernel {
    name: "swarm-walk",
    source: include_str!("walk.wgsl"),
    writes: &[false, false, false, false, false, false, true],
    parameters: PARAMETERS,
};
static HUNT: Kernel = Kernel {
    name: "swarm-hunt",
    source: include_str!("hunt.wgsl"),
    writes: &[false, false, false, true, true],
    parameters: PARAMETERS,
};

const GRID_CONSTANTS: [(&str, u32); 3] = [OPEN, MARGIN, MOST_CELLS];
const BOUND_PARTS: &str = "bound_parts";
const BOUND_GRID: &str = "bound_grid";
const COUNT_CELLS: &str = "count_cells";
const COPY_ALL: &str = "copy_all";
const SCATTER: &str = "scatter";
const SCATTER_IDS: &str = "scatter_ids";
const GATHER: &str = "gather";
pub(super) const WALK_CELLS: &str = "walk";
pub(super) const WALK_TILES: &str = "tiles";
const HUNT_PARTS: &str = "hunt_parts";
const HUNT_MOVE: &str = "hunt_move";

/// Steps in a submission, at most: each has its parameter block.
pub(super) const MOST_STEPS: u64 = 64;
/// In fast mode the box about a school in open water is renewed at every so many steps.
const BOX_STEPS: u32 = 8;
/// Cells of a replica, per fish.
const CELLS_EACH: u32 = 2;

pub(super) fn for_each_pipeline<E>(
    with: &mut impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    [BOUND_PARTS, BOUND_GRID, COUNT_CELLS].into_iter().try_for_each(|entry| with(&GRID, entry, &GRID_CONSTANTS))?;
    [COPY_ALL, SCATTER, SCATTER_IDS, GATHER].into_iter().try_for_each(|entry| with(&SORT, entry, &BOUNDARIES))?;
    [HUNT_PARTS, HUNT_MOVE].into_iter().try_for_each(|entry| with(&HUNT, entry, &rule_constants(0)))
}

/// The memory of the neighbour search: 60 bytes a fish.
#[derive(Debug)]
pub(super) struct Large {
    count: u32,
    replicas: u32,
    cells: u32,
    grids: Scratch,
    parts: Scratch,
    hunt: Scratch,
    counts: Scratch,
    slots: Scratch,
    starts: Scratch,
    ids: Scratch,
    sorted: Scratch,
    uniforms: Scratch,
    scan: Scan,
    /// Whether every replica has a grid.
    gridded: bool,
    /// Whether no box has been made yet that the fast mode could keep.
    stale: bool,
    bound: Option<AllBound>,
}

#[derive(Debug)]
struct AllBound {
    bound_parts: Bound,
    bound_grid: Bound,
    count_cells: Bound,
    copy_all: Bound,
    scatter: Bound,
    scatter_ids: Bound,
    gather: Bound,
    hunt_parts: Bound,
    hunt_move: Bound,
    /// By rule: over cells, over tiles.
    walk: [[Option<Bound>; 2]; RULES as usize],
}

impl Large {
    pub(super) fn new(gpu: &Gpu, setups: &[Setup]) -> Result<Self, GpuError> {
        let replicas = setups.len() as u64;
        let count = setups.first().map_or(0, |setup| setup.count);
        let fish = replicas * u64::from(count);
        let cells = count.saturating_mul(CELLS_EACH).max(64);
        let all_cells = replicas * u64::from(cells);
        let limit = u64::from(u32::MAX) / 4;
        if all_cells > limit {
            return Err(GpuError::TooLarge { what: "cells", bytes: all_cells * 4, limit: limit * 4 });
        }
        let counts = gpu.zeros("cell counts", all_cells)?;
        let starts = gpu.zeros("cell starts", all_cells + 1)?;
        let scan = Scan::new(gpu, &counts, &starts, word(all_cells))?;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let mut large = Self {
            count,
            replicas: word(replicas),
            cells,
            grids: gpu.buffer("grids", replicas * size_of::<Grid>() as u64, usage)?,
            parts: gpu.zeros("swarm parts", replicas * u64::from(parts(count)) * 8)?,
            hunt: gpu.zeros("hunters' parts", replicas * u64::from(parts(count)) * 8)?,
            counts,
            slots: gpu.zeros("cell slots", 2 * fish)?,
            starts,
            ids: gpu.zeros("cell ids", fish)?,
            sorted: gpu.zeros("sorted school", fish * super::WORDS)?,
            uniforms: gpu.uniforms("swarm steps", usize::try_from(MOST_STEPS).unwrap_or(1))?,
            scan,
            gridded: false,
            stale: true,
            bound: None,
        };
        large.plan(gpu, setups);
        Ok(large)
    }

    pub(super) fn unbind(&mut self) {
        self.bound = None;
    }

    /// The grids of the setups as they are now.
    pub(super) fn plan(&mut self, gpu: &Gpu, setups: &[Setup]) {
        let grids: Option<Vec<Grid>> = (0..)
            .zip(setups)
            .map(|(replica, setup)| Some(Grid::new(setup, self.cells)?.from(replica * self.cells)))
            .collect();
        self.gridded = grids.is_some();
        self.stale = true;
        if let Some(grids) = grids {
            gpu.queue().write_buffer(&self.grids, 0, bytemuck::cast_slice(&grids));
        }
    }

    fn bind(&self, gpu: &Gpu, memory: &Memory) -> Result<AllBound, GpuError> {
        let bound = |kernel, entry, constants: &[(&str, u32)], storage: &[&wgpu::Buffer]| {
            let pipeline = gpu.pipeline(kernel, entry, constants)?;
            let bindings = pipeline.bind(gpu.device(), storage, &self.uniforms);
            Ok::<_, GpuError>(Bound { pipeline, bindings })
        };
        let Memory { setups, obstacles, school, predators } = memory;
        let grid = |entry| {
            let storage: [&wgpu::Buffer; 6] = [setups, school, &self.grids, &self.parts, &self.counts, &self.slots];
            bound(&GRID, entry, &GRID_CONSTANTS, &storage)
        };
        let sort = |entry| {
            let storage: [&wgpu::Buffer; 5] = [school, &self.slots, &self.starts, &self.ids, &self.sorted];
            bound(&SORT, entry, &BOUNDARIES, &storage)
        };
        let hunt = |entry| {
            let storage: [&wgpu::Buffer; 5] = [setups, obstacles, school, &self.hunt, predators];
            bound(&HUNT, entry, &rule_constants(0), &storage)
        };
        Ok(AllBound {
            bound_parts: grid(BOUND_PARTS)?,
            bound_grid: grid(BOUND_GRID)?,
            count_cells: grid(COUNT_CELLS)?,
            copy_all: sort(COPY_ALL)?,
            scatter: sort(SCATTER)?,
            scatter_ids: sort(SCATTER_IDS)?,
            gather: sort(GATHER)?,
            hunt_parts: hunt(HUNT_PARTS)?,
            hunt_move: hunt(HUNT_MOVE)?,
            walk: Default::default(),
        })
    }

    fn bind_walk(&self, gpu: &Gpu, memory: &Memory, rule: u32) -> Result<Bound, GpuError> {
        let entry = if self.gridded { WALK_CELLS } else { WALK_TILES };
        let pipeline = gpu.pipeline(&WALK, entry, &rule_constants(rule))?;
        let Memory { setups, obstacles, school, predators } = memory;
        let storage: [&wgpu::Buffer; 7] =
            [setups, obstacles, predators, &self.sorted, &self.starts, &self.grids, school];
        let bindings = pipeline.bind(gpu.device(), &storage, &self.uniforms);
        Ok(Bound { pipeline, bindings })
    }

    pub(super) fn submit(
        &mut self,
        gpu: &Gpu,
        memory: &Memory,
        setups: &[Setup],
        rules: &[u32],
        step: u32,
        steps: u32,
    ) -> Result<(), GpuError> {
        let mut bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(gpu, memory)?,
        };
        for &rule in rules {
            let walk = &mut bound.walk[rule as usize][usize::from(!self.gridded)];
            if walk.is_none() {
                *walk = Some(self.bind_walk(gpu, memory, rule)?);
            }
        }
        let (count, replicas) = (u64::from(self.count), u64::from(self.replicas));
        let parts = parts(self.count);
        let tiles = self.count.div_ceil(THREADS);
        let block = |s| Batch {
            step: step.wrapping_add(s),
            count: self.count,
            replicas: self.replicas,
            cells: self.cells,
            parts,
            tiles,
            unused: [0; 2],
        };
        write_blocks(gpu.queue(), &self.uniforms, &(0..steps).map(block).collect::<Vec<_>>());

        let reproducible = setups.iter().any(|setup| setup.reproducible);
        let open = setups.iter().any(|setup| matches!(setup.space.boundary, Boundary::Open));
        let hunting = setups.iter().any(hunts);
        let each = folded((count * replicas).div_ceil(THREADS.into()));
        let summing = folded(replicas * u64::from(parts));
        let one = folded(replicas.div_ceil(THREADS.into()));
        let walking = if self.gridded { each } else { folded(replicas * u64::from(tiles)) };
        gpu.submit(WALK.name, |pass| {
            for s in 0..steps {
                let at = s * UNIFORM_STRIDE;
                if hunting {
                    bound.hunt_parts.dispatch(pass, at, summing);
                }
                if self.gridded {
                    // The box must be a function of the state alone where a run is to repeat from any step.
                    if open && (reproducible || self.stale || step.wrapping_add(s).is_multiple_of(BOX_STEPS)) {
                        bound.bound_parts.dispatch(pass, at, summing);
                        bound.bound_grid.dispatch(pass, at, one);
                        self.stale = false;
                    }
                    bound.count_cells.dispatch(pass, at, each);
                    self.scan.encode(pass);
                    if reproducible {
                        bound.scatter_ids.dispatch(pass, at, each);
                        bound.gather.dispatch(pass, at, each);
                    } else {
                        bound.scatter.dispatch(pass, at, each);
                    }
                } else {
                    bound.copy_all.dispatch(pass, at, each);
                }
                for &rule in rules {
                    if let Some(walk) = &bound.walk[rule as usize][usize::from(!self.gridded)] {
                        walk.dispatch(pass, at, walking);
                    }
                }
                if hunting {
                    bound.hunt_move.dispatch(pass, at, one);
                }
            }
        })?;
        self.bound = Some(bound);
        Ok(())
    }
}
