//! Swarms on the GPU against the CPU reference.

use surprisal_core::{
    measure::school::{self, Again, Ask, PairStatistics, corrected, library},
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

use crate::{Gpu, GpuSwarm};

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

/// What the measures of a school ask of the water that a setup swims in.
#[must_use]
pub fn ask(setup: &Setup, positions: &[[f64; 3]]) -> Ask {
    let flat = setup.space.is_flat();
    let boundary = setup.space.period().map_or(school::Boundary::Open, school::Boundary::Periodic);
    let dims = if flat { school::Dims::Two } else { school::Dims::Three };
    let cube = !flat && boundary == school::Boundary::Open;
    let again = if cube { Again::Cube(school::bounding_cube(positions).1) } else { Again::Nowhere };
    Ask { space: school::Space { dims, boundary }, resolution: 0.1, again, counts: true }
}

/// The statistics of all pairs of a state against the CPU's, in which a distance may differ by roundings, and a pair may change its
/// bin, or be within the resolution or not, only if it is within 4 × 10⁻⁶ of the edge: an f32 cosine is known to 10⁻⁷, and so an
/// angle θ to 10⁻⁷/sin θ, which is 1.2 × 10⁻⁶ at the edges that are nearest to 0 and π. The counts may not depend on how the work
/// is sliced.
///
/// # Errors
/// What differed.
pub async fn all_pairs(gpu: &Gpu, setup: &Setup, state: Option<&State>) -> Result<(), String> {
    let mut swarm = GpuSwarm::new(gpu, vec![setup.clone()]).map_err(|error| said(&error))?;
    if let Some(state) = state {
        swarm.restore(0, state).map_err(|error| said(&error))?;
    }
    let state = swarm.state(0).await.map_err(|error| said(&error))?;
    let ask = ask(setup, &state.positions);
    let got = swarm.count_pairs(0, ask, &Unhurried).await.map_err(|error| said(&error))?;
    let sliced = swarm.count_pairs_sliced(0, ask, 1 << 18, &Unhurried).await.map_err(|error| said(&error))?;
    if got != sliced {
        return Err("another slicing gives other statistics".to_owned());
    }
    let velocities = state.velocities();
    let expected = PairStatistics::of(&state.positions, &velocities, ask).map_err(|error| error.to_string())?;
    let size = state.positions.iter().flatten().fold(1.0_f64, |most, c| most.max(c.abs()));
    // Each coordinate's difference is rounded once, and so is the side.
    let apart = 4.0 * f64::from(f32::EPSILON) * size;
    let unlike = |a: f64, b: f64| a != b && (a - b).abs().is_nan() | ((a - b).abs() > apart);
    let differ = |a: &[f64; 5], b: &[f64; 5]| a.iter().zip(b).any(|(a, b)| unlike(*a, *b));
    let n = state.positions.len();
    if (got.near.len(), got.alike.len(), got.again.len()) != (n, n, expected.again.len()) {
        return Err(format!("{} and {} instead of {n} fish", got.near.len(), got.alike.len()));
    }
    for (i, (got, expected)) in got.near.iter().zip(&expected.near).enumerate() {
        let way = setup.space.between(state.positions[i], state.positions[got.first as usize]);
        let nearest = way.iter().map(|c| c * c).sum::<f64>().sqrt();
        let first = got.first == expected.first || !unlike(nearest, expected.distances[0]);
        if !first || differ(&got.distances, &expected.distances) {
            return Err(format!("fish {i}: {got:?} instead of {expected:?}"));
        }
    }
    for (i, (got, expected)) in got.again.iter().zip(&expected.again).enumerate() {
        if differ(got, expected) {
            return Err(format!("fish {i} in the cube: {got:?} instead of {expected:?}"));
        }
    }
    let loose = Loose::of(&state, ask);
    for (i, (got, expected)) in got.alike.iter().zip(&expected.alike).enumerate() {
        let near = got.fifth == expected.fifth || (got.fifth - expected.fifth).abs() < 1e-6 * expected.fifth + 1e-12;
        if !near || got.within.abs_diff(expected.within) > loose.within[i] {
            return Err(format!("heading {i}: {got:?} instead of {expected:?}"));
        }
    }
    let moved = |a: &[u64], b: &[u64]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).sum::<u64>();
    if let (Some(got), Some(expected)) = (&got.cosines, &expected.cosines)
        && moved(got, expected) > 2 * loose.cosines
    {
        return Err(format!("cosines {got:?} instead of {expected:?}, {} loose", loose.cosines));
    }
    let (Some(a), Some(b)) = (&got.angles, &expected.angles) else { return Err("no angles".to_owned()) };
    let groups = a.with.iter().zip(&b.with).map(|(a, b)| moved(a, b)).max().unwrap_or(0);
    let same = (a.all.len(), a.with.len(), got.cosines.is_some());
    if same != (b.all.len(), b.with.len(), expected.cosines.is_some())
        || moved(&a.all, &b.all).max(groups) > 2 * loose.angles
    {
        return Err(format!("angles {:?} instead of {:?}, {} loose", a.all, b.all, loose.angles));
    }
    same_measures(&state, ask, &got, &expected)
}

/// Pairs that rounding may put on either side of an edge.
struct Loose {
    /// Of the resolution, for each fish.
    within: Vec<u32>,
    cosines: u64,
    angles: u64,
}

impl Loose {
    fn of(state: &State, ask: Ask) -> Self {
        const NEAR: f64 = 4e-6;
        let n = state.headings.len();
        let mut loose = Self { within: vec![0; n], cosines: 0, angles: 0 };
        let flat = ask.space.dims == school::Dims::Two;
        let bins = f64::from(school::angle_bins(ask.space.dims, ask.resolution));
        let limit = 4.0 * (ask.resolution / 2.0).sin().powi(2);
        let at_edge = |share: f64, bins: f64| (share * bins - (share * bins).round()).abs() < NEAR * bins;
        for i in 0..n {
            for j in i + 1..n {
                let (u, v) = (state.headings[i], state.headings[j]);
                let dot: f64 = (0..3).map(|k| u[k] * v[k]).sum();
                let chord: f64 = (0..3).map(|k| (u[k] - v[k]).powi(2)).sum();
                let near = (chord - limit).abs() < 1e-5 * limit;
                loose.within[i] += u32::from(near);
                loose.within[j] += u32::from(near);
                loose.cosines += u64::from(at_edge(0.5 * dot + 0.5, 20.0));
                let share = if flat { dot.clamp(-1.0, 1.0).acos() / std::f64::consts::PI } else { 0.5 * dot + 0.5 };
                loose.angles += u64::from(at_edge(share, bins));
            }
        }
        loose
    }
}

/// Whether both statistics give the same measures, within 10⁻³.
///
/// A pair that changes its bin changes p by 2/n² and an entropy by less than 10⁻⁵ from some hundred fish on; of fewer none is
/// near an edge in the states asked here. A fish whose distance changes its bin changes an entropy by at most (1 + ln n)/n nats, of
/// 3 that are the scale: 6 × 10⁻⁴ at 5,000 fish. A distance is known to 10⁻⁶ of a bin's width, so of 5,000 fish one is that
/// near to an edge in a hundred states.
fn same_measures(state: &State, ask: Ask, got: &PairStatistics, expected: &PairStatistics) -> Result<(), String> {
    let velocities = state.velocities();
    let options = corrected::Options { resolution: ask.resolution };
    let all = |pairs: &PairStatistics| {
        let mut values: Vec<(&str, Option<f64>)> =
            corrected::measure_with(&state.positions, &velocities, ask.space, options, pairs)
                .map_err(|error| error.to_string())?
                .values()
                .into_iter()
                .map(|(name, quantity)| (name, quantity.ok().map(|estimate| estimate.value)))
                .collect();
        let (boxed, side) = match (ask.again, ask.space.boundary) {
            (Again::Cube(_), _) => school::bounding_cube(&state.positions),
            (_, school::Boundary::Periodic(side)) => (state.positions.clone(), side),
            _ => return Ok(values),
        };
        if ask.space.dims == school::Dims::Three {
            let library = library::measure_with(&boxed, &velocities, side, library::Centre::Plain, pairs)
                .map_err(|error| error.to_string())?;
            values.extend(library.values().into_iter().map(|(name, value)| (name, Some(value))));
        }
        Ok::<_, String>(values)
    };
    for ((name, got), (_, expected)) in all(got)?.into_iter().zip(all(expected)?) {
        let same = match (got, expected) {
            (Some(got), Some(expected)) => (got - expected).abs() <= 1e-3,
            (None, None) => true,
            _ => false,
        };
        if !same {
            return Err(format!("{name} is {got:?} instead of {expected:?}"));
        }
    }
    Ok(())
}
