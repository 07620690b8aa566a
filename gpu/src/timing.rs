//! How long compute passes took on the GPU itself, where it can tell.
//!
//! Browsers round timestamps (to 100 µs, say): sums over many passes are estimates.

use std::cell::RefCell;

use wgpu::BufferUsages;

use crate::{Gpu, GpuError};

/// How many passes are remembered between two calls of [`Gpu::take_timings`]; those after it are not timed.
const PASSES: u32 = 1024;

/// The time of one compute pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The kernel.
    pub label: &'static str,
    /// Milliseconds.
    pub milliseconds: f64,
}

#[derive(Debug)]
pub(crate) struct Timer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    nanoseconds_per_tick: f64,
    labels: RefCell<Vec<&'static str>>,
}

impl Timer {
    pub(crate) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timings"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * PASSES,
        });
        let resolved = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("timings"),
            size: u64::from(2 * PASSES) * 8,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let nanoseconds_per_tick = f64::from(queue.get_timestamp_period());
        Self { queries, resolved, nanoseconds_per_tick, labels: RefCell::default() }
    }

    /// Where the next pass writes its beginning and its end.
    pub(crate) fn next(&self, label: &'static str) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let mut labels = self.labels.borrow_mut();
        let pass = u32::try_from(labels.len()).ok().filter(|pass| *pass < PASSES)?;
        labels.push(label);
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * pass),
            end_of_pass_write_index: Some(2 * pass + 1),
        })
    }
}

impl Gpu {
    /// The passes since the last call, in the order of their submission; none where nothing is timed.
    ///
    /// # Errors
    /// [`GpuError::Lost`] and what else a read may meet.
    pub async fn take_timings(&self) -> Result<Vec<Timing>, GpuError> {
        let Some(timer) = self.timer() else {
            return Ok(Vec::new());
        };
        let labels = timer.labels.take();
        let queries = 2 * labels.len();
        let Ok(count @ 1..) = u32::try_from(queries) else {
            return Ok(Vec::new());
        };
        let mut encoder =
            self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("timings") });
        encoder.resolve_query_set(&timer.queries, 0..count, &timer.resolved, 0);
        self.queue().submit([encoder.finish()]);
        let ticks: Vec<u64> = self.read(&timer.resolved, 0..u64::from(count) * 2).await?;
        let pairs = labels.into_iter().zip(ticks.chunks_exact(2));
        #[expect(clippy::cast_precision_loss, reason = "a pass lasts far less than 2^53 ticks")]
        let milliseconds = |pair: &[u64]| pair[1].saturating_sub(pair[0]) as f64 * timer.nanoseconds_per_tick * 1e-6;
        Ok(pairs.map(|(label, pair)| Timing { label, milliseconds: milliseconds(pair) }).collect())
    }
}
