//! Schools as pictures, drawn straight from the buffers in which they swim: no read-back.
//!
//! - **Bodies**: 10 triangles each (2 in a flat world) from the vertex index; position, heading, speed and alignment are
//!   instance attributes of the simulation's own buffer, so no storage is read in the vertex stage.
//! - **Camera**: orbits; in open water the school's centre goes from the sums on the GPU into its uniforms.
//! - **Trails**: two half-float textures in turn; each frame the newer is the older, nearer to the background, and the
//!   fish. They begin anew when the camera moves.
//! - **Depth** reversed and endless; four samples a pixel where the format can.
//! - **Cost**: one pass, or two with trails, and three dispatches for the sums where the camera follows a school.

mod camera;
mod frame;
mod upload;

use bytemuck::{Pod, Zeroable};
use surprisal_core::{
    figure::round_down,
    sim::{
        Boundary, Space,
        swarm::{Rule, Setup, Swarm},
    },
};
use wgpu::{BufferUsages, TextureFormat, TextureUsages};

use crate::{
    Gpu, GpuError, GpuSwarm,
    buffer::{Scratch, UNIFORM_STRIDE},
    kernels::write_blocks,
    swarm::Fish,
};
use frame::{DEPTH, Frame, Picture, TRAILS};

pub use camera::{Camera, Target};
pub use upload::Upload;

/// What a fish's colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Where it heads: the azimuth as hue, upwards lighter.
    #[default]
    Heading,
    /// How fast it is.
    Speed,
    /// How high it is.
    Depth,
    /// How alike its neighbours head: the mean of u_i·u_j.
    Alignment,
}

impl Colour {
    const ALL: [(&'static str, Self); 4] = [
        ("COLOUR_HEADING", Self::Heading),
        ("COLOUR_SPEED", Self::Speed),
        ("COLOUR_DEPTH", Self::Depth),
        ("COLOUR_ALIGNMENT", Self::Alignment),
    ];
}

/// How a school looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// What colour says.
    pub colour: Colour,
    /// The values at the two ends of the colours of speed and depth; without, what the setup suggests.
    pub range: Option<[f32; 2]>,
    /// Length of a body.
    pub body: f32,
    /// The share of a trail that is left after a frame, 0 (no trails) to below 1.
    pub trails: f32,
    /// Whether the box or the tank is outlined, and open water has a floor.
    pub outline: bool,
    /// sRGB, 0 to 1.
    pub background: [f32; 3],
    /// Outlines, obstacles and predators; sRGB.
    pub line: [f32; 3],
    /// Seconds, for the beat of the tails.
    pub time: f32,
}

impl Default for Look {
    /// On dark water.
    fn default() -> Self {
        Self {
            colour: Colour::Heading,
            range: None,
            body: 1.0,
            trails: 0.0,
            outline: true,
            background: [0.05, 0.07, 0.11],
            line: [0.85, 0.88, 0.92],
            time: 0.0,
        }
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A replica of a swarm on the same [`Gpu`].
    Swarm(&'a GpuSwarm, usize),
    /// What was uploaded.
    Upload(&'a Upload),
}

/// Lines of a tank's rim.
const RIM: (&str, u32) = ("RIM", 96);
/// Lines of the floor in each direction.
const FLOOR: (&str, u32) = ("FLOOR", 41);
const WORLD_BOX: (&str, u32) = ("WORLD_BOX", 1);
const WORLD_TANK: u32 = 2;
/// Of the distance of the eye, so much is between two lines of the floor, before it is rounded.
const FLOOR_STEP: f32 = 0.1;
/// Vertices of a body, of a flat one, of a sphere.
const BODY: u32 = 30;
const DART: u32 = 6;
const SPHERE: u32 = 12 * 8 * 6;
/// A predator is so much longer than a fish.
const PREDATOR: f32 = 3.0;

/// Mirrors `Scene` in `scene.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Scene {
    target: [f32; 4],
    right: [f32; 4],
    up: [f32; 4],
    back: [f32; 4],
    lens: [f32; 4],
    range: [f32; 4],
    world: [f32; 4],
    background: [f32; 4],
    line: [f32; 4],
    colour: u32,
    flat: u32,
    encode: u32,
    edge: u32,
    plain: u32,
    larger: f32,
    first: u32,
    step: f32,
}

/// The text of the shader: what the compilers of the tests are given.
pub(crate) fn shader() -> String {
    let colours = Colour::ALL.map(|(name, colour)| (name, colour as u32));
    let constants: Vec<_> = colours.into_iter().chain([RIM, FLOOR, WORLD_BOX]).collect();
    crate::shader::compose(include_str!("scene.wgsl"), &constants)
}

/// Draws schools onto a surface, or into memory.
#[derive(Debug)]
pub struct View {
    gpu: Gpu,
    surface: Option<(wgpu::Surface<'static>, wgpu::SurfaceConfiguration)>,
    format: TextureFormat,
    samples: u32,
    uniforms: Scratch,
    scene: wgpu::BindGroup,
    texture_layout: wgpu::BindGroupLayout,
    pipelines: Pipelines,
    frame: Option<Frame>,
    /// The camera that the trails were drawn with.
    seen_by: Option<Camera>,
}

#[derive(Debug)]
struct Pipelines {
    fish: wgpu::RenderPipeline,
    sphere: wgpu::RenderPipeline,
    outline: wgpu::RenderPipeline,
    floor: wgpu::RenderPipeline,
    shown: wgpu::RenderPipeline,
    trail: wgpu::RenderPipeline,
    faded: wgpu::RenderPipeline,
}

/// The places of `Fish`, as instance attributes.
const FISH: wgpu::VertexBufferLayout<'static> = wgpu::VertexBufferLayout {
    array_stride: size_of::<Fish>() as u64,
    step_mode: wgpu::VertexStepMode::Instance,
    attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32, 2 => Float32x3, 3 => Float32],
};
const BALL: wgpu::VertexBufferLayout<'static> = wgpu::VertexBufferLayout {
    array_stride: 16,
    step_mode: wgpu::VertexStepMode::Instance,
    attributes: &wgpu::vertex_attr_array![0 => Float32x4],
};

impl View {
    /// A view onto a surface (see `Gpu::surface` in a browser) of so many pixels.
    ///
    /// # Errors
    /// [`GpuError::Validation`] where the adapter cannot draw onto it, and what a device may meet.
    pub fn onto(gpu: &Gpu, surface: wgpu::Surface<'static>, width: u32, height: u32) -> Result<Self, GpuError> {
        let Some(mut config) = surface.get_default_config(gpu.adapter(), width.max(1), height.max(1)) else {
            return Err(GpuError::Validation("this adapter cannot draw onto this surface".to_owned()));
        };
        // Never a wait for the display inside of a frame that the browser itself paces.
        config.present_mode = wgpu::PresentMode::AutoVsync;
        surface.configure(gpu.device(), &config);
        let mut view = Self::new(gpu, config.format)?;
        view.surface = Some((surface, config));
        Ok(view)
    }

    /// A view into memory, for [`Self::to_rgba`].
    ///
    /// # Errors
    /// What a device may meet.
    pub fn offscreen(gpu: &Gpu) -> Result<Self, GpuError> {
        Self::new(gpu, TextureFormat::Rgba8Unorm)
    }

    fn new(gpu: &Gpu, format: TextureFormat) -> Result<Self, GpuError> {
        let device = gpu.device();
        let can = gpu.adapter().get_texture_format_features(format).flags.sample_count_supported(4);
        let samples = if can { 4 } else { 1 };
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("view"),
            source: wgpu::ShaderSource::Wgsl(shader().into()),
        });
        let layout = |label, visibility, ty| {
            let entry = wgpu::BindGroupLayoutEntry { binding: 0, visibility, ty, count: None };
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &[entry] })
        };
        let scene_layout = layout(
            "scene",
            wgpu::ShaderStages::VERTEX_FRAGMENT,
            wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: true,
                min_binding_size: None,
            },
        );
        let texture_layout = layout(
            "trails",
            wgpu::ShaderStages::FRAGMENT,
            wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
        );
        let pipeline_layout = |groups: &[Option<&wgpu::BindGroupLayout>]| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("view"),
                bind_group_layouts: groups,
                immediate_size: 0,
            })
        };
        let plain = pipeline_layout(&[Some(&scene_layout)]);
        let textured = pipeline_layout(&[Some(&scene_layout), Some(&texture_layout)]);
        let main = |layout, entries, buffers: &[Option<wgpu::VertexBufferLayout<'_>>], lines, write| {
            Self::pipeline(device, &module, layout, entries, buffers, lines, Some(write), format, samples)
        };
        let pipelines = Pipelines {
            fish: main(&plain, ["fish", "painted"], &[Some(FISH)], false, true),
            sphere: main(&plain, ["sphere", "painted"], &[Some(BALL)], false, true),
            outline: main(&plain, ["outline", "painted"], &[], true, true),
            floor: main(&plain, ["floor_lines", "painted"], &[], true, true),
            shown: main(&textured, ["whole", "shown"], &[], false, false),
            trail: Self::pipeline(device, &module, &plain, ["fish", "trailed"], &[Some(FISH)], false, None, TRAILS, 1),
            faded: Self::pipeline(device, &module, &textured, ["whole", "faded"], &[], false, None, TRAILS, 1),
        };
        // Block 0 is that of the fish, block 1 that of a predator.
        let uniforms = gpu.uniforms("scene", 2)?;
        let scene = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("scene"),
            layout: &scene_layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &uniforms,
                    offset: 0,
                    size: wgpu::BufferSize::new(size_of::<Scene>() as u64),
                }),
            }],
        });
        gpu.check()?;
        Ok(Self {
            gpu: gpu.clone(),
            surface: None,
            format,
            samples,
            uniforms,
            scene,
            texture_layout,
            pipelines,
            frame: None,
            seen_by: None,
        })
    }

    /// `depth`: whether depth is written, where there is depth.
    #[expect(clippy::too_many_arguments, reason = "what a pipeline is")]
    fn pipeline(
        device: &wgpu::Device,
        module: &wgpu::ShaderModule,
        layout: &wgpu::PipelineLayout,
        [vertex, fragment]: [&str; 2],
        buffers: &[Option<wgpu::VertexBufferLayout<'_>>],
        lines: bool,
        depth: Option<bool>,
        format: TextureFormat,
        samples: u32,
    ) -> wgpu::RenderPipeline {
        let topology = if lines { wgpu::PrimitiveTopology::LineList } else { wgpu::PrimitiveTopology::TriangleList };
        // A flat school lies in one plane: the later is on top.
        let compare = |write| if write { wgpu::CompareFunction::GreaterEqual } else { wgpu::CompareFunction::Always };
        device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(vertex),
            layout: Some(layout),
            vertex: wgpu::VertexState {
                module,
                entry_point: Some(vertex),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers,
            },
            primitive: wgpu::PrimitiveState { topology, ..wgpu::PrimitiveState::default() },
            depth_stencil: depth.map(|write| wgpu::DepthStencilState {
                format: DEPTH,
                depth_write_enabled: Some(write),
                depth_compare: Some(compare(write)),
                stencil: wgpu::StencilState::default(),
                bias: wgpu::DepthBiasState::default(),
            }),
            multisample: wgpu::MultisampleState { count: samples, ..wgpu::MultisampleState::default() },
            fragment: Some(wgpu::FragmentState {
                module,
                entry_point: Some(fragment),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        })
    }

    /// The surface has another size now.
    pub fn resize(&mut self, width: u32, height: u32) {
        if let Some((surface, config)) = &mut self.surface {
            (config.width, config.height) = (width.max(1), height.max(1));
            surface.configure(self.gpu.device(), config);
        }
    }

    /// Draws onto the surface. A surface that is not ready is left out for this frame.
    ///
    /// # Errors
    /// [`GpuError::Validation`] for a view without a surface, and what a device may meet.
    pub fn draw(&mut self, shown: Shown<'_>, camera: &Camera, look: &Look) -> Result<(), GpuError> {
        self.gpu.check()?;
        let Some((surface, config)) = &self.surface else {
            return Err(GpuError::Validation("a view into memory has no surface".to_owned()));
        };
        let size = [config.width, config.height];
        let texture = match surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture) => texture,
            wgpu::CurrentSurfaceTexture::Outdated | wgpu::CurrentSurfaceTexture::Lost => {
                surface.configure(self.gpu.device(), config);
                return self.gpu.check();
            }
            _ => return self.gpu.check(),
        };
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let drawn = self.render(shown, camera, look, &view, size);
        self.gpu.queue().present(texture);
        drawn
    }

    /// Draws into memory: rows of sRGB bytes (red, green, blue, 255), from the top. Successive calls are the frames of one
    /// animation: trails go on.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] for a picture that no texture can be, and what a device may meet.
    pub async fn to_rgba(
        &mut self,
        shown: Shown<'_>,
        camera: &Camera,
        look: &Look,
        width: u32,
        height: u32,
    ) -> Result<Vec<u8>, GpuError> {
        let limit = self.gpu.device().limits().max_texture_dimension_2d;
        let longest = width.max(height);
        if longest > limit || width.min(height) == 0 {
            return Err(GpuError::TooLarge { what: "a picture", bytes: longest.into(), limit: limit.into() });
        }
        let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
        let picture = Picture::new(&self.gpu, "picture", [width, height], self.format, 1, usage)?;
        self.render(shown, camera, look, &picture.view, [width, height])?;
        // Rows are copied at multiples of 256 bytes.
        let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let bytes = u64::from(row) * u64::from(height);
        let memory = self.gpu.buffer("picture", bytes, BufferUsages::COPY_DST | BufferUsages::COPY_SRC)?;
        let mut encoder =
            self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("picture") });
        encoder.copy_texture_to_buffer(
            picture.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &memory,
                layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
            },
            picture.texture.size(),
        );
        self.gpu.queue().submit([encoder.finish()]);
        let padded: Vec<u8> = self.gpu.read(&memory, 0..bytes / 4).await?;
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
        for row in padded.chunks_exact(row as usize) {
            pixels.extend_from_slice(&row[..4 * width as usize]);
        }
        if matches!(self.format, TextureFormat::Bgra8Unorm | TextureFormat::Bgra8UnormSrgb) {
            for [blue, _, red, _] in pixels.as_chunks_mut::<4>().0 {
                std::mem::swap(blue, red);
            }
        }
        Ok(pixels)
    }

    fn render(
        &mut self,
        shown: Shown<'_>,
        camera: &Camera,
        look: &Look,
        target: &wgpu::TextureView,
        size: [u32; 2],
    ) -> Result<(), GpuError> {
        let mut frame = match self.frame.take() {
            Some(frame) if frame.size == size => frame,
            _ => Frame::new(&self.gpu, size, self.format, self.samples)?,
        };
        let trails = look.trails > 0.0;
        let fresh = if trails { frame.with_trails(&self.gpu)? } else { false };
        let restart = fresh || self.seen_by != Some(*camera);
        self.seen_by = trails.then_some(*camera);
        if !trails {
            frame.trails = None;
        }

        let plan = Plan::new(shown, camera);
        let scene = plan.scene(shown, camera, look, size, !self.format.is_srgb());
        let predator = Scene { plain: 1, larger: PREDATOR, first: 0, ..scene };
        write_blocks(self.gpu.queue(), &self.uniforms, &[scene, predator]);
        if let (Shown::Swarm(swarm, _), true) = (shown, plan.follows) {
            swarm.encode_orders()?;
        }
        let mut encoder =
            self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("view") });
        if let (Shown::Swarm(swarm, replica), true) = (shown, plan.follows) {
            for block in 0..2 {
                let at = block * u64::from(UNIFORM_STRIDE);
                encoder.copy_buffer_to_buffer(swarm.orders(), replica as u64 * 48 + 16, &self.uniforms, at, 16);
            }
        }
        let [r, g, b] = linear(look.background).map(f64::from);
        let clear = |encode: bool| {
            let [r, g, b] = if encode { look.background.map(f64::from) } else { [r, g, b] };
            wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 })
        };
        let colour = |view, resolve_target, load| {
            Some(wgpu::RenderPassColorAttachment {
                view,
                depth_slice: None,
                resolve_target,
                ops: wgpu::Operations { load, store: wgpu::StoreOp::Store },
            })
        };
        let mut trail_bindings = None;
        if let Some([first, second]) = &frame.trails {
            let (older, newer) = if frame.newer == 0 { (first, second) } else { (second, first) };
            let bind = |picture: &Picture| {
                self.gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("trails"),
                    layout: &self.texture_layout,
                    entries: &[wgpu::BindGroupEntry {
                        binding: 0,
                        resource: wgpu::BindingResource::TextureView(&picture.view),
                    }],
                })
            };
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("trails"),
                color_attachments: &[colour(&newer.view, None, clear(false))],
                ..wgpu::RenderPassDescriptor::default()
            });
            pass.set_bind_group(0, &self.scene, &[0]);
            if !restart {
                pass.set_pipeline(&self.pipelines.faded);
                pass.set_bind_group(1, &bind(older), &[]);
                pass.draw(0..3, 0..1);
            }
            pass.set_pipeline(&self.pipelines.trail);
            plan.draw_fish(&mut pass, shown);
            drop(pass);
            trail_bindings = Some(bind(newer));
            frame.newer = 1 - frame.newer;
        }
        let (view, resolve) = match &frame.samples {
            Some(samples) => (&samples.view, Some(target)),
            None => (target, None),
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("view"),
            color_attachments: &[colour(view, resolve, clear(!self.format.is_srgb()))],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &frame.depth.view,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(0.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: None,
            }),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_bind_group(0, &self.scene, &[0]);
        if let Some(bindings) = &trail_bindings {
            pass.set_pipeline(&self.pipelines.shown);
            pass.set_bind_group(1, bindings, &[]);
            pass.draw(0..3, 0..1);
        }
        if look.outline && plan.outline > 0 {
            pass.set_pipeline(&self.pipelines.outline);
            pass.draw(0..plan.outline, 0..1);
        }
        if look.outline && plan.space.boundary == Boundary::Open {
            pass.set_pipeline(&self.pipelines.floor);
            pass.draw(0..8 * FLOOR.1, 0..1);
        }
        if let Shown::Swarm(swarm, _) = shown
            && !plan.spheres.is_empty()
        {
            pass.set_pipeline(&self.pipelines.sphere);
            pass.set_vertex_buffer(0, swarm.memory().obstacles.slice(..));
            pass.draw(0..SPHERE, plan.spheres.clone());
        }
        pass.set_pipeline(&self.pipelines.fish);
        plan.draw_fish(&mut pass, shown);
        if let (Shown::Swarm(swarm, _), Some(replica)) = (shown, plan.predator) {
            pass.set_bind_group(0, &self.scene, &[UNIFORM_STRIDE]);
            pass.set_vertex_buffer(0, swarm.memory().predators.slice(..));
            pass.draw(0..plan.body, replica..replica + 1);
        }
        drop(pass);
        self.gpu.queue().submit([encoder.finish()]);
        self.frame = Some(frame);
        self.gpu.check()
    }
}

/// sRGB to linear light.
fn linear(colour: [f32; 3]) -> [f32; 3] {
    colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) })
}

/// What a scene has.
struct Plan {
    space: Space,
    follows: bool,
    instances: std::ops::Range<u32>,
    spheres: std::ops::Range<u32>,
    predator: Option<u32>,
    body: u32,
    outline: u32,
}

impl Plan {
    fn new(shown: Shown<'_>, camera: &Camera) -> Self {
        let (space, instances, spheres, predator) = match shown {
            Shown::Swarm(swarm, replica) => {
                let setups = swarm.setups();
                let index = replica.min(setups.len() - 1);
                let balls = |setup: &Setup| u32::try_from(setup.obstacles.len()).unwrap_or(0);
                let before: u32 = setups[..index].iter().map(balls).sum();
                let number = u32::try_from(index).unwrap_or(0);
                let first = number * swarm.count();
                let setup = &setups[index];
                (
                    setup.space,
                    first..first + swarm.count(),
                    before..before + balls(setup),
                    setup.predator.map(|_| number),
                )
            }
            Shown::Upload(upload) => (*upload.space(), 0..upload.count, 0..0, None),
        };
        let open = matches!(space.boundary, Boundary::Open);
        let follows = match camera.target {
            Target::Auto => open,
            Target::School => true,
            Target::Point(_) => false,
        };
        let flat = space.is_flat();
        let outline = match space.boundary {
            Boundary::Open => 0,
            Boundary::Periodic { .. } | Boundary::Walls { .. } => {
                if flat {
                    8
                } else {
                    24
                }
            }
            Boundary::Tank { .. } => {
                if flat {
                    2 * RIM.1
                } else {
                    4 * RIM.1 + 16
                }
            }
        };
        Self { space, follows, instances, spheres, predator, body: if flat { DART } else { BODY }, outline }
    }

    fn draw_fish(&self, pass: &mut wgpu::RenderPass<'_>, shown: Shown<'_>) {
        let buffer = match shown {
            Shown::Swarm(swarm, _) => &swarm.memory().school,
            Shown::Upload(upload) => &upload.fish,
        };
        pass.set_vertex_buffer(0, buffer.slice(..));
        pass.draw(0..self.body, self.instances.clone());
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a picture needs no f64")]
    fn scene(&self, shown: Shown<'_>, camera: &Camera, look: &Look, size: [u32; 2], encode: bool) -> Scene {
        let flat = self.space.is_flat();
        let height = |z: f64| if flat { 0.0 } else { z as f32 };
        let (edge, world) = match self.space.boundary {
            Boundary::Open => (0, [0.0; 4]),
            Boundary::Periodic { side } | Boundary::Walls { side } => {
                (WORLD_BOX.1, [side as f32, side as f32, height(side), 0.0])
            }
            Boundary::Tank { radius, depth } => (WORLD_TANK, [0.0, 0.0, height(depth), radius as f32]),
        };
        let middle = [world[0] / 2.0, world[1] / 2.0, world[2] / 2.0];
        let target = match (camera.target, shown) {
            (Target::Point(point), _) => point,
            (_, Shown::Upload(upload)) if self.follows => upload.centre,
            _ => middle,
        };
        let speeds = match shown {
            Shown::Swarm(swarm, replica) => {
                let setup = &swarm.setups()[replica.min(swarm.setups().len() - 1)];
                match setup.rule {
                    Rule::Boids(boids) => [boids.min_speed as f32, boids.max_speed as f32],
                    _ => [0.5 * setup.speed as f32, 1.5 * setup.speed as f32],
                }
            }
            Shown::Upload(upload) => [0.0, upload.fastest],
        };
        let heights = if edge == 0 {
            [target[2] - camera.distance / 4.0, target[2] + camera.distance / 4.0]
        } else {
            [0.0, world[2]]
        };
        let [low, high] = look.range.unwrap_or(match look.colour {
            Colour::Speed => speeds,
            Colour::Depth => heights,
            Colour::Heading | Colour::Alignment => [-1.0, 1.0],
        });
        let [right, up, back] = camera.axes();
        let with = |[x, y, z]: [f32; 3], w: f32| [x, y, z, w];
        let focal = 1.0 / (camera.field_of_view / 2.0).tan();
        let [width, tall] = size.map(|pixels| pixels as f32);
        // What fits in height must also fit in width.
        let narrow = (width / tall).min(1.0);
        Scene {
            target: with(target, 1.0),
            right: with(right, 0.0),
            up: with(up, 0.0),
            back: with(back, camera.distance),
            lens: [focal * tall * narrow / width, focal * narrow, camera.distance * 1e-3, look.time],
            range: [low, high, look.body, look.trails.clamp(0.0, 0.999)],
            world,
            background: with(linear(look.background), 1.0),
            line: with(linear(look.line), 1.0),
            colour: look.colour as u32,
            flat: flat.into(),
            encode: encode.into(),
            edge,
            plain: 0,
            larger: 1.0,
            first: self.instances.start,
            step: round_down(f64::from(FLOOR_STEP * camera.distance)) as f32,
        }
    }
}
