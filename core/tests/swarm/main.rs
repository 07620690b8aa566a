//! The swarm's CPU reference: its rules by hand, its search against all pairs, its edges, its checkpoints, its physics.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod physics;
mod rules;
mod runs;
mod states;
mod steering;

use surprisal_core::{
    pace::Unhurried,
    sim::{
        Boundary, Space,
        swarm::{Boids, CpuSwarm, Dewi, Goal, Order, Rule, Setup, Start, State, Swarm, Vicsek, Zones},
    },
};

const OPEN: Space = Space { dimensions: 3, boundary: Boundary::Open };
const PLANE: Space = Space { dimensions: 2, boundary: Boundary::Open };

/// Radii 1, 3, 6; sees all round; turns as far as it likes; no noise.
const ZONES: Zones = Zones {
    repulsion: 1.0,
    orientation: 3.0,
    attraction: 6.0,
    field_of_view: std::f64::consts::TAU,
    turning_rate: 40.0,
    noise: 0.0,
    orientation_weight: 1.0,
};

/// The same for dewi-kadita's rule.
const DEWI: Dewi = Dewi {
    repulsion: 1.0,
    orientation: 3.0,
    attraction: 6.0,
    blind: 0.0,
    max_turn: 4.0,
    noise: 0.0,
    orientation_weight: 1.0,
};

const VICSEK: Vicsek = Vicsek { radius: 1.0, noise: 0.0 };

const BOIDS: Boids = Boids {
    perception: 4.0,
    separation_radius: 1.0,
    separation: 1.5,
    alignment: 1.0,
    cohesion: 1.0,
    field_of_view: 4.7,
    max_force: 1.0,
    min_speed: 0.5,
    max_speed: 2.0,
    noise: 0.0,
};

/// Time step 0.1, speed 2.
fn setup(rule: Rule, space: Space, count: u32) -> Setup {
    Setup {
        space,
        count,
        start: Start::Ball { radius: 5.0 },
        rule,
        time_step: 0.1,
        speed: 2.0,
        speed_deviation: 0.0,
        leaders: 0,
        goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
        predator: None,
        obstacles: Vec::new(),
        seed: 42,
        replica: 0,
        reproducible: true,
    }
}

fn swarm(setup: Setup) -> CpuSwarm {
    CpuSwarm::new(vec![setup]).unwrap()
}

fn advance(swarm: &mut CpuSwarm, steps: u32) {
    pollster::block_on(swarm.advance(steps, &Unhurried)).unwrap();
}

fn state(swarm: &mut CpuSwarm) -> State {
    pollster::block_on(swarm.state(0)).unwrap()
}

fn order(swarm: &mut CpuSwarm) -> Order {
    pollster::block_on(swarm.order()).unwrap()[0]
}

/// The state after one step from these positions and headings.
fn step(setup: &Setup, particles: &[([f64; 3], [f64; 3])]) -> State {
    let mut setup = setup.clone();
    setup.count = u32::try_from(particles.len()).unwrap();
    let mut swarm = swarm(setup.clone());
    let from = State {
        positions: particles.iter().map(|p| p.0).collect(),
        headings: particles.iter().map(|p| p.1).collect(),
        speeds: vec![setup.speed; particles.len()],
        ..State::default()
    };
    swarm.restore(0, &from).unwrap();
    advance(&mut swarm, 1);
    state(&mut swarm)
}

/// Rounding of a few operations on numbers of order 1.
#[track_caller]
fn near(found: [f64; 3], expected: [f64; 3]) {
    let far = found.iter().zip(&expected).any(|(f, e)| (f - e).abs() > 1e-12);
    assert!(!far, "{found:?}, expected {expected:?}");
}

fn unit(a: [f64; 3]) -> [f64; 3] {
    let norm = a.iter().map(|c| c * c).sum::<f64>().sqrt();
    a.map(|c| c / norm)
}
