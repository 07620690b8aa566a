//! Seconds of one step of a school of 1000 in which everybody looks at everybody (N² ordered pairs a step), on the
//! adapter at hand, as `core/examples/swarm_bench.rs` prints them for the CPU.

use std::{error::Error, time::Instant};

use pollster::block_on;
use surprisal_core::{
    pace::Unhurried,
    sim::{
        Boundary, Space,
        swarm::{Dewi, Rule, Setup, Swarm},
    },
};
use surprisal_gpu::{Gpu, GpuSwarm, Options, selftest::swarm::setup};

const FISH: u32 = 1000;
const RUNS: u32 = 3;
/// Of one run, at least.
const SECONDS: f64 = 1.0;

fn main() -> Result<(), Box<dyn Error>> {
    let gpu = block_on(Gpu::new(&Options::from_env()))?;
    let rule = Rule::Dewi(Dewi {
        repulsion: 1.0,
        orientation: 5.0,
        attraction: 10.0,
        blind: 30.0_f64.to_radians(),
        max_turn: 0.3,
        noise: 0.1,
        orientation_weight: 1.0,
    });
    let space = Space { dimensions: 3, boundary: Boundary::Periodic { side: 25.0 } };
    let school = Setup { space, rule, time_step: 0.1, speed: 1.0, ..setup("dewi", 3, "periodic", FISH, false) };
    let mut swarm = GpuSwarm::new(&gpu, vec![school])?;
    let mut best = f64::INFINITY;
    let mut steps = 8;
    for _ in 0..RUNS {
        loop {
            let start = Instant::now();
            block_on(swarm.advance(steps, &Unhurried))?;
            // Only a read-back knows that the work is done.
            block_on(swarm.order())?;
            let seconds = start.elapsed().as_secs_f64();
            if seconds >= SECONDS {
                best = best.min(seconds / f64::from(steps));
                break;
            }
            steps *= 2;
        }
    }
    println!("{{\"measure\":\"{}\",\"n\":{FISH},\"seconds\":{best}}}", gpu.info().name.replace('"', "'"));
    Ok(())
}
