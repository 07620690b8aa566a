//! The exclusive prefix sum of u32 counts.
//!
//! - **In**: n counts, which are set to 0 on the way. **Out**: n + 1 starts, the last the total, modulo 2³².
//! - **Method**: reduce, then scan: two dispatches over tiles of [`TILE`]; each tile's workgroup adds up the sums of those
//!   before it, which is less than a third dispatch up to some 10⁷ counts, and right beyond.
//! - **Workgroup**: 256 threads, 1 KiB. **Determinism**: bitwise across adapters.

use crate::{
    Gpu, GpuError,
    buffer::Scratch,
    kernels::{Kernel, Pipeline, write_blocks},
    shader::THREADS,
};
use std::rc::Rc;

use super::folded;

static SCAN: Kernel =
    Kernel { name: "scan", source: include_str!("scan.wgsl"), writes: &[true, true, true], parameters: 16 };
const SUMS: &str = "scan_sums";
const TILES: &str = "scan_tiles";
const EACH: (&str, u32) = ("EACH", 8);

/// Counts of one workgroup.
pub const TILE: u32 = THREADS * EACH.1;

pub(super) fn for_each_pipeline<E>(
    with: &mut impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    [SUMS, TILES].into_iter().try_for_each(|entry| with(&SCAN, entry, &[EACH]))
}

/// A scan that is bound to its buffers.
#[derive(Debug)]
pub(super) struct Scan {
    sums: Rc<Pipeline>,
    tiles: Rc<Pipeline>,
    bindings: wgpu::BindGroup,
    groups: [u32; 2],
    _memory: [Scratch; 2],
}

impl Scan {
    pub(super) fn new(gpu: &Gpu, counts: &wgpu::Buffer, starts: &wgpu::Buffer, count: u32) -> Result<Self, GpuError> {
        let tiles = u64::from(count).div_ceil(TILE.into());
        let partial = gpu.zeros("scan sums", tiles)?;
        let uniforms = gpu.uniforms("scan", 1)?;
        write_blocks(gpu.queue(), &uniforms, &[[count, 0, 0, 0]]);
        let (first, second) = (gpu.pipeline(&SCAN, SUMS, &[EACH])?, gpu.pipeline(&SCAN, TILES, &[EACH])?);
        let bindings = first.bind(gpu.device(), &[counts, starts, &partial], &uniforms);
        Ok(Self { sums: first, tiles: second, bindings, groups: folded(tiles), _memory: [partial, uniforms] })
    }

    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        for pipeline in [&self.sums, &self.tiles] {
            pass.set_pipeline(&pipeline.compute);
            pass.set_bind_group(0, &self.bindings, &[0]);
            pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
        }
    }
}

impl Gpu {
    /// The exclusive prefix sum of `counts`, modulo 2³², and behind it the total.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] where they do not fit into one buffer, and what a device may meet.
    pub async fn prefix_sums(&self, counts: &[u32]) -> Result<Vec<u32>, GpuError> {
        let Ok(count @ 1..) = u32::try_from(counts.len()) else {
            return Ok(vec![0]);
        };
        let input = self.upload("counts", counts)?;
        let starts = self.zeros("starts", u64::from(count) + 1)?;
        let scan = Scan::new(self, &input, &starts, count)?;
        self.submit(SCAN.name, |pass| scan.encode(pass))?;
        self.read(&starts, 0..u64::from(count) + 1).await
    }
}
