//! The textures of one size of picture.

use wgpu::{Extent3d, TextureDimension, TextureFormat, TextureUsages};

use crate::{Gpu, GpuError};

/// Depth, and trails before they are shown.
pub(super) const DEPTH: TextureFormat = TextureFormat::Depth32Float;
pub(super) const TRAILS: TextureFormat = TextureFormat::Rgba16Float;

/// A texture that is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.texture.destroy();
    }
}

impl Picture {
    pub(super) fn new(
        gpu: &Gpu,
        label: &'static str,
        [width, height]: [u32; 2],
        format: TextureFormat,
        sample_count: u32,
        usage: TextureUsages,
    ) -> Result<Self, GpuError> {
        let texture = gpu.device().create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size: Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count,
            dimension: TextureDimension::D2,
            format,
            usage,
            view_formats: &[],
        });
        gpu.check()?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self { texture, view })
    }
}

/// What a picture of one size is drawn with.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) size: [u32; 2],
    pub(super) depth: Picture,
    /// Where there are several samples a pixel.
    pub(super) samples: Option<Picture>,
    pub(super) trails: Option<[Picture; 2]>,
    /// Which of the two trails is the newer.
    pub(super) newer: usize,
}

impl Frame {
    pub(super) fn new(gpu: &Gpu, size: [u32; 2], format: TextureFormat, samples: u32) -> Result<Self, GpuError> {
        let target = TextureUsages::RENDER_ATTACHMENT;
        let several = samples > 1;
        Ok(Self {
            size,
            depth: Picture::new(gpu, "depth", size, DEPTH, samples, target)?,
            samples: if several { Some(Picture::new(gpu, "samples", size, format, samples, target)?) } else { None },
            trails: None,
            newer: 0,
        })
    }

    /// Makes room for trails; true where there was none.
    pub(super) fn with_trails(&mut self, gpu: &Gpu) -> Result<bool, GpuError> {
        if self.trails.is_some() {
            return Ok(false);
        }
        let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::TEXTURE_BINDING;
        let trail = || Picture::new(gpu, "trails", self.size, TRAILS, 1, usage);
        self.trails = Some([trail()?, trail()?]);
        Ok(true)
    }
}
