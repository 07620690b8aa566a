//! A replica's setup as the shaders read it, and the grid of a bounded world.

use bytemuck::{Pod, Zeroable};
use surprisal_core::sim::{
    Boundary,
    swarm::{Rule, Setup},
};

/// The boundaries' numbers in the shaders.
pub(super) const OPEN: (&str, u32) = ("OPEN", 0);
const PERIODIC: (&str, u32) = ("PERIODIC", 1);
const WALLS: (&str, u32) = ("WALLS", 2);
const TANK: (&str, u32) = ("TANK", 3);
/// What `swarm_types` and `settled` refer to.
pub(super) const BOUNDARIES: [(&str, u32); 4] = [OPEN, PERIODIC, WALLS, TANK];

/// The rules' numbers in the shaders.
pub(super) const RULES: u32 = 4;
const COUZIN: (&str, u32) = ("COUZIN", 0);
const DEWI: (&str, u32) = ("DEWI", 1);
const VICSEK: (&str, u32) = ("VICSEK", 2);
const BOIDS: (&str, u32) = ("BOIDS", 3);

/// A cell's edge is the reach times this / 1000: roundings of a cell's coordinate, up to 2^-23 times [`MOST_CELLS`] each,
/// must not hide a neighbour.
pub(super) const MARGIN: (&str, u32) = ("MARGIN", 1001);
/// Cells along an axis, at most.
pub(super) const MOST_CELLS: (&str, u32) = ("MOST_CELLS", 1024);
/// A periodic world with fewer cells along an axis would meet itself, a bounded one gains nothing from a grid.
const FEWEST_CELLS: f64 = 4.0;

/// What a shader with the rule text is composed with.
pub(super) fn rule_constants(rule: u32) -> [(&'static str, u32); 9] {
    [("RULE", rule), COUZIN, DEWI, VICSEK, BOIDS, OPEN, PERIODIC, WALLS, TANK]
}

pub(super) const fn rule_number(rule: &Rule) -> u32 {
    match rule {
        Rule::Couzin2002(_) => COUZIN.1,
        Rule::Dewi(_) => DEWI.1,
        Rule::Vicsek(_) => VICSEK.1,
        Rule::Boids(_) => BOIDS.1,
    }
}

/// Below every cosine: everything is seen.
const ALL_ROUND: f64 = -2.0;

/// Mirrors `Setup` in `swarm_types.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub(super) struct Block {
    rule: u32,
    flat: u32,
    boundary: u32,
    leaders: u32,
    seed: [u32; 2],
    replica: u32,
    later: u32,
    goal: [f32; 3],
    goal_weight: f32,
    wall: [f32; 3],
    tank_radius: f32,
    side: f32,
    per_side: f32,
    time_step: f32,
    noise: f32,
    first_obstacle: u32,
    obstacles: u32,
    repulsion: f32,
    orientation: f32,
    reach: f32,
    cos_view: f32,
    orientation_weight: f32,
    turn: f32,
    cos_turn: f32,
    sin_turn: f32,
    separation: f32,
    alignment: f32,
    cohesion: f32,
    max_force: f32,
    min_speed: f32,
    max_speed: f32,
    predator: u32,
    fright: f32,
    hunt_length: f32,
    cos_hunt: f32,
    sin_hunt: f32,
    unused: [u32; 3],
}

#[expect(clippy::cast_possible_truncation, reason = "the GPU computes in f32")]
pub(super) const fn single(x: f64) -> f32 {
    x as f32
}

pub(super) fn vector(x: [f64; 3]) -> [f32; 3] {
    x.map(single)
}

/// (cos, sin) of a step's largest turn; a turn of pi reaches everything.
fn turn(angle: f64) -> [f32; 2] {
    let (sin, cos) = angle.min(std::f64::consts::PI).sin_cos();
    [single(cos), single(sin).max(0.0)]
}

/// A point or vector as a flat world has it.
pub(super) fn flat(setup: &Setup, x: [f64; 3]) -> [f64; 3] {
    if setup.space.is_flat() { [x[0], x[1], 0.0] } else { x }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a seed")]
const fn halves(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

impl Block {
    /// The block of a replica whose obstacles begin with number `first_obstacle`, and whose steps are `later` than the
    /// batch's.
    pub(super) fn new(setup: &Setup, first_obstacle: u32, later: u32) -> Self {
        let view = |opening: f64| if opening >= std::f64::consts::TAU { ALL_ROUND } else { (opening / 2.0).cos() };
        let mut block = Self {
            rule: rule_number(&setup.rule),
            flat: setup.space.is_flat().into(),
            leaders: setup.leaders,
            seed: halves(setup.seed),
            replica: setup.replica,
            goal: vector(flat(setup, setup.goal.direction)),
            goal_weight: single(setup.goal.weight),
            time_step: single(setup.time_step),
            later,
            first_obstacle,
            obstacles: u32::try_from(setup.obstacles.len()).unwrap_or(u32::MAX),
            reach: single(setup.rule.reach()),
            cos_view: single(ALL_ROUND),
            ..Self::default()
        };
        let wall = |x: f64, y: f64, z: f64| vector(flat(setup, [x, y, z]));
        (block.boundary, block.wall) = match setup.space.boundary {
            Boundary::Open => (OPEN.1, [0.0; 3]),
            Boundary::Periodic { side } => {
                (block.side, block.per_side) = (single(side), single(1.0 / side));
                (PERIODIC.1, [0.0; 3])
            }
            Boundary::Walls { side } => (WALLS.1, wall(side, side, side)),
            Boundary::Tank { radius, depth } => {
                block.tank_radius = single(radius);
                (TANK.1, wall(0.0, 0.0, depth))
            }
        };
        match setup.rule {
            Rule::Couzin2002(z) => {
                (block.repulsion, block.orientation) = (single(z.repulsion), single(z.orientation));
                block.cos_view = single(view(z.field_of_view));
                block.noise = single(z.noise);
                block.orientation_weight = single(z.orientation_weight);
                [block.cos_turn, block.sin_turn] = turn(z.turning_rate * setup.time_step);
            }
            Rule::Dewi(z) => {
                (block.repulsion, block.orientation) = (single(z.repulsion), single(z.orientation));
                block.cos_view = single(if z.blind <= 0.0 { ALL_ROUND } else { -z.blind.cos() });
                block.noise = single(z.noise);
                block.orientation_weight = single(z.orientation_weight.clamp(0.0, 1.0));
                block.turn = single(z.max_turn);
            }
            Rule::Vicsek(v) => block.noise = single(v.noise),
            Rule::Boids(b) => {
                block.repulsion = single(b.separation_radius);
                block.cos_view = single(view(b.field_of_view));
                (block.separation, block.alignment) = (single(b.separation), single(b.alignment));
                (block.cohesion, block.max_force) = (single(b.cohesion), single(b.max_force));
                (block.min_speed, block.max_speed) = (single(b.min_speed), single(b.max_speed));
                block.noise = single(b.noise);
            }
        }
        if let Some(predator) = &setup.predator {
            block.predator = 1;
            block.fright = single(predator.radius);
            if let Some(hunt) = &predator.hunts {
                block.predator = 2;
                block.hunt_length = single(hunt.speed * setup.time_step);
                [block.cos_hunt, block.sin_hunt] = turn(hunt.turning_rate * setup.time_step);
            }
        }
        block
    }
}

/// Whether the setup has a predator that moves.
pub(super) fn hunts(setup: &Setup) -> bool {
    setup.predator.is_some_and(|predator| predator.hunts.is_some())
}

/// The obstacles of a setup as (centre, radius).
pub(super) fn spheres(setup: &Setup) -> impl Iterator<Item = [f32; 4]> + '_ {
    setup.obstacles.iter().map(|obstacle| {
        let [x, y, z] = vector(flat(setup, obstacle.centre));
        [x, y, z, single(obstacle.radius)]
    })
}

/// A replica's grid. Mirrors `Grid` in `batch.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub(super) struct Grid {
    origin: [f32; 3],
    per_edge: f32,
    cells: [u32; 3],
    first: u32,
}

impl Grid {
    /// The grid whose cells are numbered from `first` on.
    pub(super) const fn from(self, first: u32) -> Self {
        Self { first, ..self }
    }

    /// The grid of a setup with at most `most` cells (≥ 64), or none where all pairs are as good or the only right way. In
    /// open water it is a placeholder: the GPU makes the grid.
    pub(super) fn new(setup: &Setup, most: u32) -> Option<Self> {
        let height = |h: f64| if setup.space.is_flat() { 0.0 } else { h };
        let (origin, extent) = match setup.space.boundary {
            Boundary::Open => return Some(Self { cells: [1; 3], ..Self::default() }),
            Boundary::Periodic { side } | Boundary::Walls { side } => ([0.0; 3], [side, side, height(side)]),
            Boundary::Tank { radius, depth } => ([-radius, -radius, 0.0], [2.0 * radius, 2.0 * radius, height(depth)]),
        };
        let longest = extent[0].max(extent[2]);
        let margin = f64::from(MARGIN.1) / 1000.0;
        let mut edge = (setup.rule.reach() * margin).max(longest / f64::from(MOST_CELLS.1));
        let periodic = setup.space.period().is_some();
        let along = |extent: f64, edge: f64| {
            let cells = extent / edge;
            if periodic { cells.floor() } else { cells.ceil() }.max(1.0)
        };
        let product = |edge: f64| extent.iter().map(|&extent| along(extent, edge)).product::<f64>();
        while product(edge) > f64::from(most) {
            edge *= 1.05;
        }
        let cells = extent.map(|extent| along(extent, edge));
        if cells[0].max(cells[2]) < FEWEST_CELLS {
            return None;
        }
        // Whole cells fill a periodic side.
        let per_edge = if periodic { cells[0] / longest } else { 1.0 / edge };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from 1 to 1024")]
        let cells = cells.map(|cells| cells as u32);
        Some(Self { origin: vector(origin), per_edge: single(per_edge), cells, first: 0 })
    }
}

#[cfg(test)]
mod tests {
    use surprisal_core::sim::{
        Boundary, Space,
        swarm::{Goal, Start, Vicsek},
    };

    use super::*;

    fn setup(dimensions: u32, boundary: Boundary, radius: f64) -> Setup {
        Setup {
            space: Space { dimensions, boundary },
            count: 1000,
            start: Start::Uniform,
            rule: Rule::Vicsek(Vicsek { radius, noise: 0.1 }),
            time_step: 1.0,
            speed: 0.03,
            speed_deviation: 0.0,
            leaders: 0,
            goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
            predator: None,
            obstacles: Vec::new(),
            seed: 1,
            replica: 0,
            reproducible: true,
        }
    }

    #[test]
    fn blocks_have_the_sizes_of_the_shaders() {
        assert_eq!((size_of::<Block>(), size_of::<Grid>()), (176, 32));
    }

    #[test]
    fn cells_are_at_least_the_reach_and_no_more_than_allowed() {
        for boundary in [
            Boundary::Periodic { side: 10.0 },
            Boundary::Walls { side: 10.0 },
            Boundary::Tank { radius: 5.0, depth: 3.0 },
        ] {
            for dimensions in [2, 3] {
                for radius in [0.0, 0.1, 1.0, 2.4, 2.6, 9.0] {
                    let setup = setup(dimensions, boundary, radius);
                    let Some(grid) = Grid::new(&setup, 2000) else {
                        assert!(radius > 2.4);
                        continue;
                    };
                    assert!(grid.cells.iter().product::<u32>() <= 2000, "{grid:?}");
                    assert!(f64::from(grid.per_edge) * radius < 1.0, "{grid:?}");
                    assert!(grid.cells[0] >= 4 && (dimensions == 3 || grid.cells[2] == 1), "{grid:?}");
                }
            }
        }
    }
}
