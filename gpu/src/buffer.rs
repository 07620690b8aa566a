//! GPU memory that is given back at once.

use bytemuck::Pod;
use wgpu::BufferUsages;

use crate::{Gpu, GpuError};

/// A buffer that is destroyed when it is dropped. In a browser a handle lives until the garbage collector finds
/// it, and its memory with it: hundreds of megabytes after a few reports. Work that was submitted before still
/// finishes.
#[derive(Debug)]
pub(crate) struct Scratch(wgpu::Buffer);

impl Drop for Scratch {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

impl std::ops::Deref for Scratch {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.0
    }
}

impl Gpu {
    /// A buffer of at least one element: a binding of no bytes is an error in WebGPU.
    pub(crate) fn buffer(&self, what: &'static str, bytes: u64, usage: BufferUsages) -> Result<Scratch, GpuError> {
        let limit = if usage.contains(BufferUsages::STORAGE) { self.binding_limit() } else { self.buffer_limit() };
        if bytes > limit {
            return Err(GpuError::TooLarge { what, bytes, limit });
        }
        // 16 bytes hold one element of any type that a shader here binds.
        let size = bytes.next_multiple_of(16).max(16);
        let buffer = self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size,
            usage,
            mapped_at_creation: false,
        });
        self.check()?;
        Ok(Scratch(buffer))
    }

    /// Zeros for a kernel to add to.
    pub(crate) fn zeros(&self, what: &'static str, words: u64) -> Result<Scratch, GpuError> {
        self.buffer(what, words * 4, BufferUsages::STORAGE | BufferUsages::COPY_SRC)
    }

    /// Data for a kernel to read.
    pub(crate) fn upload<T: Pod>(&self, what: &'static str, data: &[T]) -> Result<Scratch, GpuError> {
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let buffer = self.buffer(what, bytes.len() as u64, BufferUsages::STORAGE | BufferUsages::COPY_DST)?;
        // A write must be a multiple of four bytes long; what is left over goes padded.
        let whole = bytes.len() / 4 * 4;
        if whole > 0 {
            self.queue().write_buffer(&buffer, 0, &bytes[..whole]);
        }
        if whole < bytes.len() {
            let mut last = [0; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.queue().write_buffer(&buffer, whole as u64, &last);
        }
        self.check()?;
        Ok(buffer)
    }

    /// Parameter blocks for dispatches, each `stride` bytes after the one before.
    pub(crate) fn uniforms(&self, what: &'static str, blocks: usize) -> Result<Scratch, GpuError> {
        self.buffer(what, blocks as u64 * u64::from(UNIFORM_STRIDE), BufferUsages::UNIFORM | BufferUsages::COPY_DST)
    }
}

/// The distance of two parameter blocks: the offset alignment that every adapter accepts.
pub(crate) const UNIFORM_STRIDE: u32 = 256;
