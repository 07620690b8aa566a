//! Swarms on the GPU against the CPU reference.

use surprisal_core::{
    pace::Unhurried,
    rng::Philox,
    sim::{
        Boundary, Space,
        swarm::{
            Boids, CpuSwarm, Dewi, Goal, Hunt, Obstacle, Predator, Rule, Setup, Start, State, Swarm, SwarmError,
            Vicsek, Zones,
        },
    },
};

use crate::{Gpu, GpuSwarm, swarm::PairStatistics};

/// The rules by name, in the dimensions that they have.
pub const RULES: [(&str, u32); 7] =
    [("couzin", 2), ("couzin", 3), ("dewi", 2), ("dewi", 3), ("vicsek", 2), ("boids", 2), ("boids", 3)];
/// The boundaries by name.
pub const BOUNDARIES: [&str; 4] = ["open", "periodic", "walls", "tank"];

/// How far a fish sees in all test setups.
const REACH: f64 = 3.0;

/// A rule with zones of which all matter.
///
/// # Panics
/// For a name that is not among [`RULES`].
#[must_use]
pub fn rule(name: &str) -> Rule {
    let (repulsion, orientation, attraction) = (0.5, 1.5, REACH);
    match name {
        "couzin" => Rule::Couzin2002(Zones {
            repulsion,
            orientation,
            attraction,
            field_of_view: 4.712,
            turning_rate: 3.0,
            noise: 0.1,
            orientation_weight: 1.0,
        }),
        "dewi" => Rule::Dewi(Dewi {
            repulsion,
            orientation,
            attraction,
            blind: 0.5,
            max_turn: 0.3,
            noise: 0.1,
            orientation_weight: 0.5,
        }),
        "vicsek" => Rule::Vicsek(Vicsek { radius: REACH, noise: 0.5 }),
        "boids" => Rule::Boids(Boids {
            perception: REACH,
            separation_radius: 1.0,
            separation: 1.5,
            alignment: 1.0,
            cohesion: 1.0,
            field_of_view: 4.712,
            max_force: 2.0,
            min_speed: 1.0,
            max_speed: 4.0,
            noise: 0.2,
        }),
        other => panic!("no rule is called {other}"),
    }
}

/// A school with some 20 neighbours a fish, wherever it swims. A busy one has leaders, a hunter and obstacles.
#[must_use]
pub fn setup(rule_name: &str, dimensions: u32, boundary: &str, count: u32, busy: bool) -> Setup {
    let n = f64::from(count);
    let side = if dimensions == 2 { (n / 1.5).sqrt() } else { (n / 0.3).cbrt() }.max(2.5 * REACH);
    let (boundary, start) = match boundary {
        "periodic" => (Boundary::Periodic { side }, Start::Uniform),
        "walls" => (Boundary::Walls { side }, Start::Uniform),
        "tank" => (Boundary::Tank { radius: 0.6 * side, depth: side }, Start::Uniform),
        _ => (Boundary::Open, Start::Ball { radius: 0.6 * side }),
    };
    let hunts = Some(Hunt { speed: 5.0, turning_rate: 2.0 });
    let predator = Predator { radius: 2.0, hunts, position: [side / 3.0, side / 4.0, 0.0] };
    let sphere = |x: f64, y: f64| Obstacle { centre: [x, y, x], radius: 1.0 };
    Setup {
        space: Space { dimensions, boundary },
        count,
        start,
        rule: rule(rule_name),
        time_step: 0.1,
        speed: 3.0,
        speed_deviation: 0.3,
        leaders: if busy { count.div_ceil(9) } else { 0 },
        goal: Goal { direction: [0.6, 0.8, 0.0], weight: 0.5 },
        predator: busy.then_some(predator),
        obstacles: if busy { vec![sphere(1.0, side / 3.0), sphere(side / 2.0, 1.0)] } else { Vec::new() },
        seed: 0x5eed_0000_0000_0042,
        replica: 3,
        reproducible: true,
    }
}

fn said(error: &SwarmError) -> String {
    error.to_string()
}

/// The largest component of what separates two states of one fish; positions over the shortest way.
fn apart(space: &Space, a: &State, b: &State, i: usize) -> f64 {
    let way = space.between(a.positions[i], b.positions[i]);
    let turn = [0, 1, 2].map(|k| a.headings[i][k] - b.headings[i][k]);
    let speed = a.speeds[i] - b.speeds[i];
    way.into_iter().chain(turn).chain([speed]).fold(0.0, |most, d| most.max(d.abs()))
}

async fn stepped(setup: &Setup, state: &State) -> Result<State, SwarmError> {
    let mut cpu = CpuSwarm::new(vec![setup.clone()])?;
    cpu.restore(0, state)?;
    cpu.advance(1, &Unhurried).await?;
    cpu.state(0).await
}

/// A state as roundings of f32 might have left it.
fn jittered(state: &State, size: f64, random: &mut Philox, flat: bool) -> State {
    let mut state = state.clone();
    let mut shift = |x: &mut [f64; 3], by: f64| {
        for c in x.iter_mut().take(if flat { 2 } else { 3 }) {
            *c += by * (2.0 * random.uniform() - 1.0);
        }
    };
    let ulp = f64::from(f32::EPSILON);
    for x in &mut state.positions {
        shift(x, 2.0 * ulp * size);
    }
    for u in &mut state.headings {
        shift(u, 2.0 * ulp);
    }
    state
}

/// One step of both back ends from one state.
///
/// Every fish must agree within the rounding of f32. How far roundings carry is the reference's own answer: it takes the
/// step from states whose positions differ by 2 ulp of the largest and headings by 2 ulp, of 8 seeds, which is more than
/// what the GPU's sums of some 20 unit vectors lose. Eight times the largest difference that this makes to a fish is allowed
/// to it, and 8 ulp of the largest position. So a sum that nearly cancels, or a neighbour within a rounding of a zone's
/// border, is allowed its large effect, and no other fish is. Of those there may be one in fifty at most.
///
/// # Errors
/// What differed.
pub async fn one_step(gpu: &Gpu, setup: &Setup) -> Result<(), String> {
    let mut swarm = GpuSwarm::new(gpu, vec![setup.clone()]).map_err(|error| said(&error))?;
    let start = swarm.state(0).await.map_err(|error| said(&error))?;
    swarm.advance(1, &Unhurried).await.map_err(|error| said(&error))?;
    let got = swarm.state(0).await.map_err(|error| said(&error))?;
    near_reference(setup, &start, &got).await
}

/// Whether `got` is what the reference makes of `start` in one step. See [`one_step`].
///
/// # Errors
/// What differed.
pub async fn near_reference(setup: &Setup, start: &State, got: &State) -> Result<(), String> {
    let expected = stepped(setup, start).await.map_err(|error| said(&error))?;
    let n = start.positions.len();
    let size = start.positions.iter().flatten().fold(1.0_f64, |most, c| most.max(c.abs()));
    let base = 8.0 * f64::from(f32::EPSILON) * size;
    let mut allowed = vec![base; n];
    let mut random = Philox::new(99, 0);
    for _ in 0..8 {
        let other = jittered(start, size, &mut random, setup.space.is_flat());
        let other = stepped(setup, &other).await.map_err(|error| said(&error))?;
        for (i, allowed) in allowed.iter_mut().enumerate() {
            *allowed = allowed.max(base + 8.0 * apart(&setup.space, &expected, &other, i));
        }
    }
    if got.step != expected.step {
        return Err(format!("step {} instead of {}", got.step, expected.step));
    }
    let mut loose = 0;
    for (i, allowed) in allowed.iter().enumerate() {
        let found = apart(&setup.space, &expected, got, i);
        if found.is_nan() || found > *allowed {
            return Err(format!(
                "fish {i} is off by {found:e}, allowed {allowed:e}: {:?} {:?} instead of {:?} {:?}",
                got.positions[i], got.headings[i], expected.positions[i], expected.headings[i]
            ));
        }
        loose += usize::from(*allowed > 1000.0 * base);
    }
    if loose > 1 + n / 50 {
        return Err(format!("{loose} of {n} fish are at the edge of a decision"));
    }
    match (got.predator, expected.predator) {
        (None, None) => Ok(()),
        (Some(got), Some(expected)) => {
            let way = setup.space.between(got[0], expected[0]);
            let turn = [0, 1, 2].map(|k| got[1][k] - expected[1][k]);
            let off = way.into_iter().chain(turn).fold(0.0_f64, |most, d| most.max(d.abs()));
            // A sum of n offsets of up to `size`, whose direction may be that of a small remainder.
            if off < 1e-3 { Ok(()) } else { Err(format!("the hunter is off by {off:e}")) }
        }
        (got, expected) => Err(format!("predator {got:?} instead of {expected:?}")),
    }
}

/// Prefix sums against a loop.
///
/// # Errors
/// What differed.
pub async fn prefix_sums(gpu: &Gpu, n: usize) -> Result<(), String> {
    let mut random = Philox::new(5, 0);
    let counts: Vec<u32> = (0..n).map(|_| random.below(7)).collect();
    let mut expected = vec![0];
    let mut total = 0;
    for count in &counts {
        total += count;
        expected.push(total);
    }
    let got = gpu.prefix_sums(&counts).await.map_err(|error| error.to_string())?;
    super::equal(&got, &expected)
}

/// The statistics of all pairs against loops in f64, in which a pair may change its bin only if it is within 2⁻²⁰ of the
/// border, and a distance may differ by roundings.
///
/// # Errors
/// What differed.
pub async fn all_pairs(gpu: &Gpu, setup: &Setup, fine: u32) -> Result<(), String> {
    let mut swarm = GpuSwarm::new(gpu, vec![setup.clone()]).map_err(|error| said(&error))?;
    let state = swarm.state(0).await.map_err(|error| said(&error))?;
    let got = swarm.pair_statistics(0, fine, &Unhurried).await.map_err(|error| said(&error))?;
    let PairStatistics { nearest, dot_counts, fine_counts } = got;
    let n = state.positions.len();
    for (counts, found) in [(20_u32, &dot_counts), (fine, &fine_counts)] {
        let mut expected = vec![0_u64; counts as usize];
        let mut loose = 0;
        for i in 0..n {
            for j in i + 1..n {
                let dot: f64 = (0..3).map(|k| state.headings[i][k] * state.headings[j][k]).sum();
                let x = (0.5 * dot + 0.5).clamp(0.0, 1.0) * f64::from(counts);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
                let bin = (x as usize).min(counts as usize - 1);
                expected[bin] += 1;
                loose += u64::from((x - x.round()).abs() < f64::from(counts) / 1_048_576.0);
            }
        }
        let moved: u64 = expected.iter().zip(found).map(|(a, b)| a.abs_diff(*b)).sum();
        if expected.len() != found.len() || moved > 2 * loose {
            return Err(format!("{moved} moved of {n} fish, {loose} loose: {found:?} instead of {expected:?}"));
        }
    }
    let size = state.positions.iter().flatten().fold(1.0_f64, |most, c| most.max(c.abs()));
    for i in 0..n {
        let others = (0..n).filter(|j| *j != i);
        let mut distances: Vec<f64> = others
            .map(|j| {
                let d = setup.space.between(state.positions[i], state.positions[j]);
                d.iter().map(|c| c * c).sum::<f64>().sqrt()
            })
            .collect();
        distances.sort_unstable_by(f64::total_cmp);
        distances.resize(nearest[i].len().max(distances.len()), f64::INFINITY);
        for (got, expected) in nearest[i].iter().zip(&distances) {
            let got = f64::from(*got);
            // Each coordinate's difference is rounded once, and so is the side.
            if got != *expected && (got - expected).abs() > 4.0 * f64::from(f32::EPSILON) * size {
                return Err(format!("fish {i}: {:?} instead of {:?}", nearest[i], &distances[..nearest[i].len()]));
            }
        }
    }
    Ok(())
}
