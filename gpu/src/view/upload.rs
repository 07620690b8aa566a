//! A state of the CPU, drawn by the same pipelines.

use surprisal_core::sim::{Space, swarm::State};
use wgpu::BufferUsages;

use crate::{Gpu, GpuError, buffer::Scratch, swarm::Fish};

/// Fish that are written from outside, such as a CPU swarm or a recording.
#[derive(Debug)]
pub struct Upload {
    gpu: Gpu,
    space: Space,
    pub(super) fish: Scratch,
    pub(super) count: u32,
    pub(super) centre: [f32; 3],
    pub(super) fastest: f32,
}

impl Upload {
    /// An empty one.
    ///
    /// # Errors
    /// What a device may meet.
    pub fn new(gpu: &Gpu, space: Space) -> Result<Self, GpuError> {
        let fish = Self::memory(gpu, 1)?;
        Ok(Self { gpu: gpu.clone(), space, fish, count: 0, centre: [0.0; 3], fastest: 0.0 })
    }

    fn memory(gpu: &Gpu, count: usize) -> Result<Scratch, GpuError> {
        gpu.buffer("fish", (count * size_of::<Fish>()) as u64, BufferUsages::VERTEX | BufferUsages::COPY_DST)
    }

    /// Where it is.
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    /// Replaces everything: three numbers a fish in `positions` and `headings`; `speeds` and `alike` (what colours
    /// "alignment", -1 to 1) one a fish, or empty. What is longer than the shortest is ignored.
    ///
    /// # Errors
    /// What a device may meet.
    pub fn write(
        &mut self,
        positions: &[f32],
        headings: &[f32],
        speeds: &[f32],
        alike: &[f32],
    ) -> Result<(), GpuError> {
        let each = positions.as_chunks::<3>().0.iter().zip(headings.as_chunks::<3>().0);
        let one = |values: &[f32], i: usize| values.get(i).copied().unwrap_or(0.0);
        let fish: Vec<Fish> = each
            .enumerate()
            .map(|(i, (x, u))| Fish { position: *x, speed: one(speeds, i), heading: *u, alike: one(alike, i) })
            .collect();
        self.put(&fish)
    }

    /// Replaces everything by a state of a swarm.
    ///
    /// # Errors
    /// What a device may meet.
    pub fn write_state(&mut self, state: &State) -> Result<(), GpuError> {
        #[expect(clippy::cast_possible_truncation, reason = "a picture needs no f64")]
        let single = |x: f64| x as f32;
        let each = state.positions.iter().zip(&state.headings).zip(&state.speeds);
        let fish: Vec<Fish> = each
            .map(|((x, u), s)| Fish { position: x.map(single), speed: single(*s), heading: u.map(single), alike: 0.0 })
            .collect();
        self.put(&fish)
    }

    fn put(&mut self, fish: &[Fish]) -> Result<(), GpuError> {
        let bytes: &[u8] = bytemuck::cast_slice(fish);
        if bytes.len() as u64 > self.fish.size() {
            self.fish = Self::memory(&self.gpu, fish.len())?;
        }
        if !bytes.is_empty() {
            self.gpu.queue().write_buffer(&self.fish, 0, bytes);
        }
        self.count = u32::try_from(fish.len()).unwrap_or(u32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "a mean for a camera")]
        let n = fish.len().max(1) as f32;
        self.centre = [0, 1, 2].map(|k| fish.iter().map(|fish| fish.position[k]).sum::<f32>() / n);
        self.fastest = fish.iter().fold(0.0, |most, fish| most.max(fish.speed));
        self.gpu.check()
    }
}
