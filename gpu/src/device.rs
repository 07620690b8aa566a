//! The GPU as the rest of the program sees it: found, asked for a device, and watched.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use crate::{
    Calibration, GpuError,
    budget::Budgets,
    kernels::{self, Kernel, Pipeline},
    oneshot,
    readback::Ring,
    timing::Timer,
};

/// The environment variable that names the adapter to take: a part of its name, backend or driver.
pub const ADAPTER_VARIABLE: &str = "SURPRISAL_ADAPTER";

/// The most that is bound as one storage buffer, where an adapter has more. Offsets of bytes stay far inside u32.
const BINDING_CAP: u64 = 1 << 30;

/// How a device is chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A part of the wanted adapter's name, backend or driver. In a browser there is only one, and this is ignored.
    pub adapter: Option<String>,
    /// Whether an adapter that computes on the CPU is turned down.
    pub refuse_software: bool,
    /// Whether passes are timed, where the adapter can ([`Gpu::take_timings`]).
    pub timestamps: bool,
    /// Bind at most this many bytes as one buffer, for less than the adapter could: larger inputs go in pieces.
    pub binding_limit: Option<u64>,
}

impl Options {
    /// The default, with the adapter that [`ADAPTER_VARIABLE`] names.
    #[must_use]
    pub fn from_env() -> Self {
        Self { adapter: std::env::var(ADAPTER_VARIABLE).ok().filter(|name| !name.is_empty()), ..Self::default() }
    }
}

/// What is known about an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdapterInfo {
    /// The adapter's own name.
    pub name: String,
    /// `vulkan`, `metal`, `dx12`, `webgpu`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `unknown`.
    pub kind: &'static str,
    /// Whether it computes on the CPU.
    pub software: bool,
    /// The driver's name and version; empty in a browser.
    pub driver: String,
    /// The largest storage buffer binding, in bytes.
    pub max_binding_bytes: u64,
    /// The largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Threads in a workgroup, at most.
    pub max_threads: u32,
    /// Workgroup memory, in bytes.
    pub max_workgroup_bytes: u32,
    /// What it has of the optional features that matter here.
    pub features: Vec<&'static str>,
}

impl AdapterInfo {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        let limits = adapter.limits();
        let known = [
            (wgpu::Features::TIMESTAMP_QUERY, "timestamp-query"),
            (wgpu::Features::SUBGROUP, "subgroups"),
            (wgpu::Features::SHADER_F16, "shader-f16"),
        ];
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "unknown",
        };
        // Chromium tells a page that SwiftShader is a fallback only in some versions; its name tells always.
        let software = kind == "software" || info.name.to_lowercase().contains("swiftshader");
        Self {
            name: if info.name.is_empty() { "WebGPU adapter".to_owned() } else { info.name },
            backend: match info.backend {
                wgpu::Backend::BrowserWebGpu => "webgpu".to_owned(),
                other => other.to_string(),
            },
            kind: if software { "software" } else { kind },
            software,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_buffer_bytes: limits.max_buffer_size,
            max_threads: limits.max_compute_invocations_per_workgroup,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            features: known.iter().filter(|(f, _)| adapter.features().contains(*f)).map(|(_, name)| *name).collect(),
        }
    }

    /// Smaller is better: hardware before software, one's own before a shared one.
    #[cfg(not(target_arch = "wasm32"))]
    fn rank(&self) -> u32 {
        match self.kind {
            "discrete" => 0,
            "integrated" => 1,
            "unknown" => 2,
            "virtual" => 3,
            _ => 4,
        }
    }

    fn is_called(&self, wanted: &str) -> bool {
        format!("{} {} {}", self.name, self.backend, self.driver).to_lowercase().contains(&wanted.to_lowercase())
    }
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    // The same in debug and release builds: the tests run what users run.
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

/// The adapters there are, best first. A browser shows one, or none.
pub async fn adapters() -> Vec<AdapterInfo> {
    found(&instance()).await.into_iter().map(|(info, _)| info).collect()
}

#[cfg(not(target_arch = "wasm32"))]
async fn found(instance: &wgpu::Instance) -> Vec<(AdapterInfo, wgpu::Adapter)> {
    let adapters = instance.enumerate_adapters(wgpu::Backends::PRIMARY).await;
    let mut found: Vec<_> = adapters.into_iter().map(|adapter| (AdapterInfo::of(&adapter), adapter)).collect();
    found.sort_by_key(|(info, _)| info.rank());
    found
}

#[cfg(target_arch = "wasm32")]
async fn found(instance: &wgpu::Instance) -> Vec<(AdapterInfo, wgpu::Adapter)> {
    // Not `enumerate_adapters`, which would ask without the preference.
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    };
    instance.request_adapter(&options).await.into_iter().map(|adapter| (AdapterInfo::of(&adapter), adapter)).collect()
}

/// What the driver reported outside any call of ours.
#[derive(Debug, Default)]
struct Faults {
    lost: Option<String>,
    first: Option<GpuError>,
}

/// A device with its pipelines and its staging memory. Clones share all of it.
#[derive(Clone)]
pub struct Gpu(Rc<Inner>);

struct Inner {
    // A surface is made by the instance of the adapter that draws onto it.
    #[cfg(target_arch = "wasm32")]
    instance: wgpu::Instance,
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: AdapterInfo,
    binding_limit: u64,
    buffer_limit: u64,
    faults: Arc<Mutex<Faults>>,
    pipelines: RefCell<HashMap<String, Rc<Pipeline>>>,
    ring: Ring,
    timer: Option<Timer>,
    budgets: Budgets,
    calibrated: Cell<Option<Calibration>>,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("adapter", &self.0.info).finish_non_exhaustive()
    }
}

impl Gpu {
    /// Takes the best adapter that `options` allow and asks it for a device.
    ///
    /// # Errors
    /// [`GpuError::NoWebGpu`], [`GpuError::NoAdapter`], [`GpuError::OnlySoftware`], [`GpuError::Refused`].
    pub async fn new(options: &Options) -> Result<Self, GpuError> {
        #[cfg(target_arch = "wasm32")]
        if !wgpu::util::is_browser_webgpu_supported().await {
            return Err(GpuError::NoWebGpu);
        }
        let instance = instance();
        let mut found = found(&instance).await;
        let names: Vec<String> = found.iter().map(|(info, _)| info.name.clone()).collect();
        let wanted_name = options.adapter.clone().filter(|_| cfg!(not(target_arch = "wasm32")));
        if let Some(wanted) = &wanted_name {
            found.retain(|(info, _)| info.is_called(wanted));
        }
        let Some((info, adapter)) = found.into_iter().next() else {
            return Err(GpuError::NoAdapter { wanted_name, names });
        };
        if options.refuse_software && info.software {
            return Err(GpuError::OnlySoftware { name: info.name });
        }

        // The guaranteed limits, so that what runs here runs everywhere, but buffers as large as they can be.
        let mut limits = wgpu::Limits::defaults();
        let offered = adapter.limits();
        limits.max_storage_buffer_binding_size = offered.max_storage_buffer_binding_size.min(BINDING_CAP);
        limits.max_buffer_size = offered.max_buffer_size.min(BINDING_CAP);
        let timestamps = options.timestamps && adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("surprisal"),
            required_features: if timestamps { wgpu::Features::TIMESTAMP_QUERY } else { wgpu::Features::empty() },
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| GpuError::Refused { adapter: info.name.clone(), message: error.to_string() })?;

        let faults = Arc::new(Mutex::new(Faults::default()));
        let shared = Arc::clone(&faults);
        device.set_device_lost_callback(move |reason, message| {
            let mut faults = shared.lock().unwrap_or_else(PoisonError::into_inner);
            faults.lost.get_or_insert(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let shared = Arc::clone(&faults);
        // Without a handler an error that nobody asked for is a panic.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let error = match error {
                wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory,
                other => GpuError::Validation(other.to_string()),
            };
            // The first is the cause; the ones after it follow from it.
            shared.lock().unwrap_or_else(PoisonError::into_inner).first.get_or_insert(error);
        }));

        let timer = timestamps.then(|| Timer::new(&device, &queue));
        let usable = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let binding_limit = options.binding_limit.unwrap_or(u64::MAX).min(usable);
        Ok(Self(Rc::new(Inner {
            #[cfg(target_arch = "wasm32")]
            instance,
            adapter,
            device,
            queue,
            info,
            binding_limit,
            buffer_limit: limits.max_buffer_size,
            faults,
            pipelines: RefCell::default(),
            ring: Ring::default(),
            timer,
            budgets: Budgets::default(),
            calibrated: Cell::default(),
        })))
    }

    /// The adapter that computes.
    #[must_use]
    pub fn info(&self) -> &AdapterInfo {
        &self.0.info
    }

    /// Compiles every shader now, so that no later call has to. Costs a moment: once, after the page has loaded.
    ///
    /// # Errors
    /// [`GpuError::Validation`] where a compiler rejects a shader, [`GpuError::Lost`].
    pub async fn prepare(&self) -> Result<(), GpuError> {
        kernels::for_each_pipeline(|kernel, entry, constants| self.pipeline(kernel, entry, constants).map(drop))?;
        self.finish().await
    }

    /// Compiles every shader of swarms now. Without, each is compiled when a swarm first needs it.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub async fn prepare_swarms(&self) -> Result<(), GpuError> {
        crate::swarm::for_each_pipeline(|kernel, entry, constants| self.pipeline(kernel, entry, constants).map(drop))?;
        self.finish().await
    }

    /// Whether the device is gone. What is in its memory cannot be read any more; a new [`Gpu`] may be had.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).lost.is_some()
    }

    /// Destroys the device, as a driver reset would: every later use is [`GpuError::Lost`].
    pub fn destroy(&self) {
        self.0.device.destroy();
    }

    /// The surface of a canvas, for [`crate::View::onto`].
    ///
    /// # Errors
    /// [`GpuError::Validation`] where the canvas has another kind of context already.
    #[cfg(target_arch = "wasm32")]
    pub fn surface(&self, canvas: wgpu::web_sys::OffscreenCanvas) -> Result<wgpu::Surface<'static>, GpuError> {
        let surface = self.0.instance.create_surface(wgpu::SurfaceTarget::OffscreenCanvas(canvas));
        surface.map_err(|error| GpuError::Validation(error.to_string()))
    }

    pub(crate) fn adapter(&self) -> &wgpu::Adapter {
        &self.0.adapter
    }

    pub(crate) fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    pub(crate) fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.0.ring
    }

    pub(crate) fn timer(&self) -> Option<&Timer> {
        self.0.timer.as_ref()
    }

    pub(crate) fn budgets(&self) -> &Budgets {
        &self.0.budgets
    }

    pub(crate) fn calibrated(&self) -> &Cell<Option<Calibration>> {
        &self.0.calibrated
    }

    /// The most bytes that are bound as one storage buffer.
    pub(crate) fn binding_limit(&self) -> u64 {
        self.0.binding_limit
    }

    pub(crate) fn buffer_limit(&self) -> u64 {
        self.0.buffer_limit
    }

    /// What the driver has reported since the last call. A lost device stays lost; other errors are told once.
    ///
    /// # Errors
    /// What was reported.
    pub(crate) fn check(&self) -> Result<(), GpuError> {
        let faults = || self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults().first.is_some() {
            // What a lost device makes of a call looks like a wrong call. Natively a poll tells of the loss.
            self.wait();
        }
        let mut faults = faults();
        match &faults.lost {
            Some(reason) => Err(GpuError::Lost { reason: reason.clone() }),
            None => faults.first.take().map_or(Ok(()), Err),
        }
    }

    /// The pipeline, compiled at its first use.
    pub(crate) fn pipeline(
        &self,
        kernel: &'static Kernel,
        entry: &'static str,
        constants: &[(&str, u32)],
    ) -> Result<Rc<Pipeline>, GpuError> {
        let key = format!("{} {entry} {constants:?}", kernel.name);
        if let Some(pipeline) = self.0.pipelines.borrow().get(&key) {
            return Ok(Rc::clone(pipeline));
        }
        let pipeline = Rc::new(Pipeline::new(&self.0.device, kernel, entry, constants));
        self.check()?;
        self.0.pipelines.borrow_mut().insert(key, Rc::clone(&pipeline));
        Ok(pipeline)
    }

    /// Encodes one compute pass and submits it. Does not wait.
    pub(crate) fn submit(
        &self,
        label: &'static str,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> Result<(), GpuError> {
        self.check()?;
        let mut encoder = self.0.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) });
        let timestamp_writes = self.0.timer.as_ref().and_then(|timer| timer.next(label));
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes });
        encode(&mut pass);
        drop(pass);
        self.0.queue.submit([encoder.finish()]);
        self.check()
    }

    /// Waits until all that was submitted is done.
    pub(crate) async fn finish(&self) -> Result<(), GpuError> {
        let (sender, receiver) = oneshot::channel();
        self.0.queue.on_submitted_work_done(move || sender.send(()));
        self.wait();
        let done = receiver.receive().await;
        self.check()?;
        done.ok_or_else(|| GpuError::Lost { reason: "it dropped the work that was under way".to_owned() })
    }

    /// Natively blocks until the GPU is idle, which runs the callbacks; a browser runs them by itself.
    pub(crate) fn wait(&self) {
        if cfg!(not(target_arch = "wasm32")) {
            // A failure shows as a callback that was dropped, or in the error handlers.
            let _ = self.0.device.poll(wgpu::PollType::wait_indefinitely());
        }
    }
}
