//! Speed of the CPU's swarm: `cargo run --release -p surprisal-core --example swarm_bench -- [largest N]`.
//!
//! Prints one line a case, the best of some runs: steps a second, and for all pairs the ordered pairs (N² a step) a
//! second. Seconds are those of the processor where the system tells them (Linux), so that a busy machine does not
//! count, else of the clock. The last cases keep the density, so that the cost of one particle should stay.

use std::time::Instant;

use surprisal_core::{
    pace::Unhurried,
    sim::{
        Boundary, Space,
        swarm::{CpuSwarm, Dewi, Goal, Rule, Setup, Start, Swarm, Zones},
    },
};

/// The best of so many runs of at least so many seconds each.
const RUNS: u32 = 3;
const SECONDS: f64 = 0.5;

fn setup(count: u32, side: f64, rule: Rule, start: Start, speed: f64) -> Setup {
    Setup {
        space: Space { dimensions: 3, boundary: Boundary::Periodic { side } },
        count,
        start,
        rule,
        time_step: 0.1,
        speed,
        speed_deviation: 0.0,
        leaders: 0,
        goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
        predator: None,
        obstacles: Vec::new(),
        seed: 42,
        replica: 0,
        reproducible: false,
    }
}

/// Seconds that this process has had.
fn now(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = told.and_then(|s| s.split_whitespace().next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |n| n * 1e-9)
}

/// Seconds of one step.
fn time(setup: Setup) -> Result<f64, Box<dyn std::error::Error>> {
    let mut swarm = CpuSwarm::new(vec![setup])?;
    let mut best = f64::INFINITY;
    let mut steps = 1_u32;
    let clock = Instant::now();
    for _ in 0..RUNS {
        loop {
            let start = now(clock);
            pollster::block_on(swarm.advance(steps, &Unhurried))?;
            let seconds = now(clock) - start;
            // Shorter ones are mostly the clock's own grain, a few milliseconds.
            if seconds >= SECONDS {
                best = best.min(seconds / f64::from(steps));
                break;
            }
            steps *= 2;
        }
    }
    Ok(best)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let largest: u32 = std::env::args().nth(1).map_or(Ok(1_000_000), |a| a.parse())?;
    let dewi = |orientation, attraction, repulsion, max_turn, noise, blind: f64| {
        Rule::Dewi(Dewi {
            repulsion,
            orientation,
            attraction,
            blind: blind.to_radians(),
            max_turn,
            noise,
            orientation_weight: 1.0,
        })
    };
    for (count, side, speed, rule) in [
        (150, 25.0, 1.0, dewi(3.0, 15.0, 2.0, 0.4, 0.2, 30.0)),
        (250, 35.0, 1.5, dewi(12.0, 20.0, 1.0, 0.2, 0.05, 20.0)),
        (1000, 25.0, 1.0, dewi(3.0, 15.0, 2.0, 0.4, 0.2, 30.0)),
    ] {
        let seconds = time(setup(count, side, rule, Start::Uniform, speed))?;
        let pairs = f64::from(count) * f64::from(count) / seconds / 1e6;
        println!("dewi   N {count:>8}: {:>9.1} steps/s, {pairs:>7.1} M pairs/s", 1.0 / seconds);
    }
    // About 200 within reach: density 0.75, r_a 4.
    for count in [10_000, 100_000, 1_000_000_u32].into_iter().filter(|n| *n <= largest) {
        let side = (f64::from(count) / 0.75).cbrt();
        let zones = Zones {
            repulsion: 0.5,
            orientation: 2.0,
            attraction: 4.0,
            field_of_view: 270_f64.to_radians(),
            turning_rate: 40_f64.to_radians(),
            noise: 0.05,
            orientation_weight: 1.0,
        };
        for reproducible in [false, true] {
            let mut setup = setup(count, side, Rule::Couzin2002(zones), Start::Uniform, 1.0);
            setup.reproducible = reproducible;
            let seconds = time(setup)?;
            let name = if reproducible { "reproducible" } else { "fast" };
            println!(
                "couzin N {count:>8} {name:>12}: {:>9.3} steps/s, {:>7.1} ns a particle and step",
                1.0 / seconds,
                seconds / f64::from(count) * 1e9
            );
        }
    }
    Ok(())
}
