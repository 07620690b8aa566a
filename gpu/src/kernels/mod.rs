//! The kernels, one idea a file, each with its shader beside it.
//!
//! All results are integers, and integer sums do not depend on the order of their terms: every kernel here is
//! *bitwise equal across adapters*, and equal to the CPU reference.

use bytemuck::{Pod, Zeroable};

use crate::{
    buffer::UNIFORM_STRIDE,
    shader::{THREADS, compose},
};

pub(crate) mod count;
pub(crate) mod histogram;
pub(crate) mod ngram;
pub(crate) mod ordinal;
pub(crate) mod pairs;
pub(crate) mod reduce;

/// A shader and what it binds, in the order of its bindings; the last is always a uniform block of parameters
/// with a dynamic offset.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    /// Storage buffers: whether the shader writes to them.
    pub(crate) writes: &'static [bool],
    /// The size of the parameter block.
    pub(crate) parameters: u64,
}

/// A compiled entry point.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    parameters: u64,
}

impl Pipeline {
    pub(crate) fn new(device: &wgpu::Device, kernel: &Kernel, entry: &str, constants: &[(&str, u32)]) -> Self {
        let label = Some(kernel.name);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(compose(kernel.source, constants).into()),
        });
        let storage = kernel.writes.iter().map(|&writes| wgpu::BufferBindingType::Storage { read_only: !writes });
        let entries: Vec<_> = (0..)
            .zip(storage.chain([wgpu::BufferBindingType::Uniform]))
            .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: ty == wgpu::BufferBindingType::Uniform,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(entry),
            // The shaders clear what they use; a browser clears in any case.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        });
        Self { compute, layout, parameters: kernel.parameters }
    }

    /// Binds the storage buffers in order, and one block at a time of `uniforms`.
    pub(crate) fn bind(
        &self,
        device: &wgpu::Device,
        storage: &[&wgpu::Buffer],
        uniforms: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let block = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: uniforms,
            offset: 0,
            size: wgpu::BufferSize::new(self.parameters),
        });
        let resources = storage.iter().map(|buffer| buffer.as_entire_binding()).chain([block]);
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &self.layout, entries: &entries })
    }
}

/// Calls `with` for every pipeline that any call may ask for.
pub(crate) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    for kernel in [&histogram::KERNEL, &ngram::KERNEL] {
        for entry in [count::PRIVATE, count::GLOBAL] {
            with(kernel, entry, &[count::PRIVATE_WORDS])?;
        }
    }
    for order in ordinal::ORDERS {
        with(&ordinal::KERNEL, count::entry(ordinal::factorial(order)), &ordinal::constants(order))?;
    }
    for m in pairs::LENGTHS {
        with(&pairs::KERNEL, pairs::ENTRY, &[("M", m)])?;
    }
    for fold in reduce::Fold::ALL {
        for entry in [reduce::VALUES, reduce::PARTIALS] {
            with(&reduce::KERNEL, entry, &fold.constants())?;
        }
    }
    Ok(())
}

/// Calls `with` for every pipeline there is, also those that [`crate::Gpu::prepare`] leaves until they are used.
fn for_each_pipeline_at_all<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    for_each_pipeline(&mut with)?;
    crate::calibration::for_each_pipeline(&mut with)?;
    crate::swarm::for_each_pipeline(&mut with)?;
    crate::nn::for_each_pipeline(with)
}

/// Every composed shader with a name for it: what the compilers of the tests are given.
#[must_use]
pub fn shaders() -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let Ok(()) = for_each_pipeline_at_all(|kernel, _, constants| {
        let variant = constants.iter().map(|(name, value)| format!("-{}{value}", name.to_lowercase()));
        let name = format!("{}{}", kernel.name, variant.collect::<String>());
        if !texts.iter().any(|(known, _)| *known == name) {
            texts.push((name, compose(kernel.source, constants)));
        }
        Ok::<(), std::convert::Infallible>(())
    });
    texts.push(("view".to_owned(), crate::view::shader()));
    texts
}

/// Writes parameter blocks where the shaders look for them, one every [`UNIFORM_STRIDE`] bytes.
pub(crate) fn write_blocks<T: Pod + Zeroable>(queue: &wgpu::Queue, uniforms: &wgpu::Buffer, blocks: &[T]) {
    let stride = UNIFORM_STRIDE as usize;
    let mut bytes = vec![0; blocks.len() * stride];
    for (slot, block) in bytes.chunks_exact_mut(stride).zip(blocks) {
        slot[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(block));
    }
    queue.write_buffer(uniforms, 0, &bytes);
}

/// The number of workgroups for `items`, each thread taking `each`, from 1 to `most`.
pub(crate) fn groups(items: u64, each: u32, most: u32) -> u32 {
    let groups = items.div_ceil(u64::from(THREADS) * u64::from(each));
    u32::try_from(groups).unwrap_or(most).clamp(1, most)
}
