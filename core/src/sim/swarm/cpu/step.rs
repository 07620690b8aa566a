//! One step of one replica: who sees whom, and where everybody goes.

use std::ops::Range;

use super::{
    super::{Rule, Setup, State, SwarmError},
    edge::{settle, surface},
    grid::Grid,
    hunt::hunt,
    lanes::{Block, Columns, LANES, Ranks, Sums},
    pairs::Law,
    turn::{Me, turn},
    vector::scale,
};
use crate::pace::Pace;

/// How neighbours are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// By a grid where that promises fewer pairs.
    #[default]
    Auto,
    /// Everybody looks at everybody.
    AllPairs,
    /// By a uniform grid, even where it does not help.
    Grid,
}

/// Pairs between two ticks: 2 to 10 ms.
const PAIRS_PER_TICK: u64 = 1 << 21;

/// What a particle's own part of a step costs, in pairs.
const OWN: u64 = 100;

/// How far the work is, and when to say so.
pub(super) struct Meter<'a> {
    pub(super) pace: &'a dyn Pace,
    pub(super) pairs: u64,
    pub(super) done: u64,
    pub(super) total: u64,
}

impl Meter<'_> {
    /// Whether it is time for a tick after this much more work.
    const fn due(&mut self, looking: usize, at: usize) -> bool {
        self.pairs += looking as u64 * (at as u64 + OWN);
        self.pairs >= PAIRS_PER_TICK
    }

    async fn tick(&mut self) -> Result<(), SwarmError> {
        self.pairs = 0;
        Ok(self.pace.tick(self.done, self.total).await?)
    }
}

/// What a step needs beside the state, kept between steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Workspace {
    columns: Columns,
    grid: Grid,
    near: Columns,
    ranks: Ranks,
    velocities: Vec<[f64; 3]>,
}

/// Writes into `next` what follows on `now`.
pub(super) async fn step(
    setup: &Setup,
    search: Search,
    now: &State,
    next: &mut State,
    work: &mut Workspace,
    meter: &mut Meter<'_>,
) -> Result<(), SwarmError> {
    let law = Law::new(&setup.rule, &setup.space);
    next.step = now.step + 1;
    next.positions.resize(now.positions.len(), [0.0; 3]);
    next.headings.resize(now.positions.len(), [0.0; 3]);
    next.speeds.resize(now.positions.len(), 0.0);
    next.predator = setup.predator.as_ref().and_then(|p| hunt(setup, p, now));
    let mut share = || work.grid.plan(&setup.space, setup.rule.reach(), &now.positions);
    let grid = match search {
        Search::AllPairs => false,
        Search::Grid => share() <= 1.0,
        Search::Auto => now.positions.len() >= FEW && share() < HELPS,
    };
    if grid {
        by_grid(setup, &law, now, next, work, meter).await
    } else {
        by_pairs(setup, &law, now, next, work, meter).await
    }
}

/// Below this many particles a grid costs more than it saves.
const FEW: usize = 192;

/// The share of all pairs from which on a grid saves more than it costs.
const HELPS: f64 = 0.6;

const fn says_velocity(setup: &Setup) -> bool {
    matches!(setup.rule, Rule::Boids(_))
}

/// What neighbours add up: headings, or (boids) velocities.
fn messages<'a>(setup: &Setup, now: &'a State, velocities: &'a mut Vec<[f64; 3]>) -> &'a [[f64; 3]] {
    if !says_velocity(setup) {
        return &now.headings;
    }
    velocities.clear();
    velocities.extend(now.headings.iter().zip(&now.speeds).map(|(u, s)| scale(*s, *u)));
    velocities
}

/// Everybody against everybody, in ascending order. Not tiled: a block's sums stay in registers, and 48 bytes a
/// neighbour for eight particles are far below what any cache level delivers.
async fn by_pairs(
    setup: &Setup,
    law: &Law,
    now: &State,
    next: &mut State,
    work: &mut Workspace,
    meter: &mut Meter<'_>,
) -> Result<(), SwarmError> {
    let n = now.positions.len();
    work.columns.all_of(&now.positions, messages(setup, now, &mut work.velocities));
    for first in (0..n).step_by(LANES) {
        let len = LANES.min(n - first);
        let block = Block::new(|l| [now.positions[first + l], now.headings[first + l]], len);
        let mut sums = Sums::default();
        law.gather(&block, work.columns.all(), &mut sums);
        for l in 0..len {
            go(setup, now, next, first + l, &block, &sums, l);
        }
        if meter.due(LANES, n) {
            meter.tick().await?;
        }
    }
    Ok(())
}

/// Everybody against the cells around. In reproducible mode a neighbourhood is summed in ascending order of particle,
/// so that all pairs give the same bits; else in the order of the cells. Either way it is read from a copy in which the
/// particles of a cell lie side by side, so that a large school is not fetched from all over memory.
async fn by_grid(
    setup: &Setup,
    law: &Law,
    now: &State,
    next: &mut State,
    work: &mut Workspace,
    meter: &mut Meter<'_>,
) -> Result<(), SwarmError> {
    let Workspace { columns, grid, near, ranks, velocities } = work;
    let messages = messages(setup, now, velocities);
    grid.fill(&now.positions);
    columns.some_of(grid.order(), &now.positions, messages);
    ranks.reach(now.positions.len());
    for group in 0..grid.groups() {
        let home = grid.home(group);
        if home.is_empty() {
            continue;
        }
        let runs = grid.runs(group);
        let at = runs.iter().map(Range::len).sum();
        if setup.reproducible {
            let ranks = ranks.of(runs.iter().map(|run| &grid.order()[run.clone()]));
            near.placed(columns, runs.iter(), ranks);
        }
        for first in home.clone().step_by(LANES) {
            let ids = &grid.order()[first..home.end.min(first + LANES)];
            let particle = |l: usize| {
                let [x, w] = columns.at(first + l);
                [x, if says_velocity(setup) { now.headings[ids[l] as usize] } else { w }]
            };
            let block = Block::new(particle, ids.len());
            let mut sums = Sums::default();
            if setup.reproducible {
                law.gather(&block, near.all(), &mut sums);
            } else {
                for run in runs.iter() {
                    law.gather(&block, columns.run(run.start, run.end), &mut sums);
                }
            }
            for (l, &i) in ids.iter().enumerate() {
                go(setup, now, next, i as usize, &block, &sums, l);
            }
            if meter.due(LANES, at) {
                meter.tick().await?;
            }
        }
    }
    Ok(())
}

/// Particle `i`, in a lane of its block, turns and moves.
fn go(setup: &Setup, now: &State, next: &mut State, i: usize, block: &Block, sums: &Sums, lane: usize) {
    let [position, heading] = block.of(lane);
    #[expect(clippy::cast_possible_truncation, reason = "a count is u32")]
    let me = Me {
        index: i as u32,
        step: now.step,
        position,
        heading,
        speed: now.speeds[i],
        predator: now.predator.map(|p| p[0]),
    };
    let (u, speed) = turn(setup, &me, &sums.of(lane));
    let moved = [0, 1, 2].map(|k| me.position[k] + u[k] * speed * setup.time_step);
    let moved = surface(&setup.space, &setup.obstacles, moved, u);
    let (x, u) = settle(&setup.space, moved, u);
    next.positions[i] = x;
    next.headings[i] = u;
    next.speeds[i] = speed;
}
