//! One step of a school in `dewi` mode, alone and with the library's measures, as `xtask/src/school_bench.py` times
//! dewi-kadita itself: its default parameters, one JSON line a case, seconds of one step, the best of some runs.

use std::time::Instant;

use surprisal_core::{
    measure::school::library::{self, Centre},
    pace::Unhurried,
    sim::{
        Boundary, Space,
        swarm::{CpuSwarm, Dewi, Goal, Rule, Setup, Start, Swarm},
    },
};

const SIDE: f64 = 25.0;
/// The best of so many runs of at least so many seconds.
const RUNS: u32 = 5;
const SECONDS: f64 = 0.3;

fn setup(count: u32) -> Setup {
    Setup {
        space: Space { dimensions: 3, boundary: Boundary::Periodic { side: SIDE } },
        count,
        start: Start::Uniform,
        rule: Rule::Dewi(Dewi {
            repulsion: 1.0,
            orientation: 5.0,
            attraction: 10.0,
            blind: 30.0_f64.to_radians(),
            max_turn: 0.3,
            noise: 0.1,
            orientation_weight: 1.0,
        }),
        time_step: 0.1,
        speed: 1.0,
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for count in [150, 250, 1000] {
        for measured in [false, true] {
            let mut swarm = CpuSwarm::new(vec![setup(count)])?;
            let mut best = f64::INFINITY;
            for _ in 0..RUNS {
                let (began, mut steps) = (Instant::now(), 0_u32);
                while began.elapsed().as_secs_f64() < SECONDS {
                    pollster::block_on(swarm.advance(1, &Unhurried))?;
                    if measured {
                        let state = pollster::block_on(swarm.state(0))?;
                        let values = library::measure(&state.positions, &state.velocities(), SIDE, Centre::Plain)?;
                        std::hint::black_box(values);
                    }
                    steps += 1;
                }
                best = best.min(began.elapsed().as_secs_f64() / f64::from(steps));
            }
            let measure = if measured { "school with entropies" } else { "school" };
            println!("{{\"measure\":\"{measure}\",\"n\":{count},\"seconds\":{best}}}");
        }
    }
    Ok(())
}
