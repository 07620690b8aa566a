//! Speed of the CPU's swarm: `cargo run --release -p surprisal-core --example swarm_bench -- [largest N]`.
//!
//! Prints one JSON line a case, the seconds of a step, the best of some runs: a school in which everybody looks at
//! everybody (N² ordered pairs a step), and schools of equal density. Seconds are those of the processor where the system tells them (Linux), so that a busy machine does not
//! count, else of the clock. At equal density the cost of one
//! particle should stay.

use std::time::Instant;

use surprisal_core::{
    pace::Unhurried,
    sim::{
        Boundary, Space,
        swarm::{CpuSwarm, Dewi, Goal, Rule, Setup, Start, Swarm, Zones},
    },
};

#[path = "shared/clock.rs"]
mod clock;

use clock::now;

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

/// A line that `cargo xtask bench --schools` reads.
fn tell(measure: &str, count: u32, seconds: f64) {
    println!("{{\"measure\":\"{measure}\",\"n\":{count},\"seconds\":{seconds}}}");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let largest: u32 = std::env::args().nth(1).map_or(Ok(1_000_000), |a| a.parse())?;
    let all = Rule::Dewi(Dewi {
        repulsion: 1.0,
        orientation: 5.0,
        attraction: 10.0,
        blind: 30.0_f64.to_radians(),
        max_turn: 0.3,
        noise: 0.1,
        orientation_weight: 1.0,
    });
    tell("all pairs", 1000, time(setup(1000, 25.0, all, Start::Uniform, 1.0))?);
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
            tell(if reproducible { "reproducible" } else { "fast" }, count, time(setup)?);
        }
    }
    Ok(())
}
