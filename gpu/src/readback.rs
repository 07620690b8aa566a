//! From GPU memory to ours, without blocking a browser.
//!
//! A few staging buffers are kept, by size class, and used in turn. A large read goes in chunks with two of them
//! in flight, so that copying out of one overlaps with filling the other.

use std::{cell::RefCell, collections::VecDeque, ops::Range};

use bytemuck::Pod;
use wgpu::{BufferUsages, MapMode};

use crate::{Gpu, GpuError, buffer::Scratch, oneshot};

/// How many staging buffers are kept for the next read.
const KEPT: usize = 3;
/// How many chunks of one read are under way at a time.
const IN_FLIGHT: usize = 2;
/// The largest staging buffer, and so the size of a chunk.
const CHUNK_BYTES: u64 = 16 << 20;
/// The smallest: one page, so that all small reads share a class.
const SMALLEST_BYTES: u64 = 4 << 10;

/// Staging buffers that are not in use. One that a cancelled read still holds is never among them.
#[derive(Debug, Default)]
pub(crate) struct Ring(RefCell<Vec<Scratch>>);

/// A chunk on its way: when the receiver says so, `bytes` of it are mapped.
struct Flight {
    staging: Scratch,
    bytes: u64,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Gpu {
    /// Copies `words` (of 4 bytes) out of `source`.
    pub(crate) async fn read<T: Pod>(&self, source: &wgpu::Buffer, words: Range<u64>) -> Result<Vec<T>, GpuError> {
        let end = words.end * 4;
        let mut next = words.start * 4;
        let capacity = usize::try_from(end - next).unwrap_or(0) / size_of::<T>();
        let mut values: Vec<T> = Vec::with_capacity(capacity);
        let mut flights = VecDeque::new();
        while next < end || !flights.is_empty() {
            while next < end && flights.len() < IN_FLIGHT {
                let bytes = CHUNK_BYTES.min(end - next);
                flights.push_back(self.take_off(source, next, bytes)?);
                next += bytes;
            }
            if let Some(flight) = flights.pop_front() {
                self.land(flight, &mut values).await?;
            }
        }
        Ok(values)
    }

    fn take_off(&self, source: &wgpu::Buffer, from: u64, bytes: u64) -> Result<Flight, GpuError> {
        let class = bytes.next_power_of_two().max(SMALLEST_BYTES);
        let kept = {
            let mut ring = self.ring().0.borrow_mut();
            let position = ring.iter().position(|staging| staging.size() == class);
            position.map(|position| ring.swap_remove(position))
        };
        let staging = match kept {
            Some(staging) => staging,
            None => self.buffer("staging", class, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?,
        };
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read") });
        encoder.copy_buffer_to_buffer(source, from, &staging, 0, bytes);
        self.queue().submit([encoder.finish()]);
        let (sender, mapped) = oneshot::channel();
        staging.map_async(MapMode::Read, ..bytes, move |result| sender.send(result));
        Ok(Flight { staging, bytes, mapped })
    }

    async fn land<T: Pod>(&self, flight: Flight, values: &mut Vec<T>) -> Result<(), GpuError> {
        self.wait();
        let mapped = flight.mapped.receive().await;
        self.check()?;
        if !matches!(mapped, Some(Ok(()))) {
            return Err(GpuError::Lost { reason: "a staging buffer could not be mapped".to_owned() });
        }
        let view = flight.staging.get_mapped_range(..flight.bytes);
        let view = view.map_err(|error| GpuError::Validation(error.to_string()))?;
        // Not a cast of the view, which a browser may hand out unaligned.
        let start = values.len();
        values.resize(start + view.len() / size_of::<T>(), T::zeroed());
        bytemuck::cast_slice_mut(&mut values[start..]).copy_from_slice(&view);
        drop(view);
        flight.staging.unmap();
        let mut ring = self.ring().0.borrow_mut();
        ring.push(flight.staging);
        if ring.len() > KEPT {
            ring.remove(0);
        }
        Ok(())
    }
}
