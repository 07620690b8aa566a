//! A school as a picture (PPM): `cargo run --release -p surprisal-gpu --example school -- FILE [FISH [STEPS]]`.

use std::{error::Error, fs, time::Instant};

use pollster::block_on;
use surprisal_core::{pace::Unhurried, sim::swarm::Swarm};
use surprisal_gpu::{
    Gpu, GpuSwarm, Options, View,
    selftest::swarm::setup,
    view::{Camera, Look, Shown},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: school FILE [FISH [STEPS]]")?;
    let fish = arguments.next().map_or(Ok(500), |fish| fish.parse())?;
    let steps = arguments.next().map_or(Ok(200), |steps| steps.parse())?;
    let gpu = block_on(Gpu::new(&Options::from_env()))?;
    let setup = setup("couzin", 3, "tank", fish, true);
    let mut swarm = GpuSwarm::new(&gpu, vec![setup.clone()])?;
    let mut view = View::offscreen(&gpu)?;
    let (camera, look) = (Camera::of(&setup.space, 1.0), Look { trails: 0.8, ..Look::default() });
    block_on(swarm.advance(1, &Unhurried))?;
    block_on(swarm.order())?;
    let start = Instant::now();
    block_on(swarm.advance(steps, &Unhurried))?;
    let order = block_on(swarm.order())?;
    println!("{} steps a second on {}", f64::from(steps) / start.elapsed().as_secs_f64(), gpu.info().name);
    println!("{order:?}");
    let mut pixels = Vec::new();
    for _ in 0..6 {
        block_on(swarm.advance(1, &Unhurried))?;
        pixels = block_on(view.to_rgba(Shown::Swarm(&swarm, 0), &camera, &look, 960, 720))?;
    }
    let mut bytes = b"P6 960 720 255\n".to_vec();
    bytes.extend(pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]));
    fs::write(file, bytes)?;
    Ok(())
}
