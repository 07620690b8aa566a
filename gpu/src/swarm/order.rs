//! Order parameters by sums on the GPU. See `order.wgsl`.

use std::cell::OnceCell;

use surprisal_core::sim::swarm::Order;

use super::{Batch, Bound, GpuSwarm, folded, parts, setup::BOUNDARIES, word};
use crate::{
    Gpu, GpuError,
    buffer::Scratch,
    kernels::{Kernel, write_blocks},
    shader::THREADS,
};

static ORDER: Kernel = Kernel {
    name: "swarm-order",
    source: include_str!("order.wgsl"),
    writes: &[false, false, true, true],
    parameters: size_of::<Batch>() as u64,
};
const ENTRIES: [&str; 3] = ["order_sums", "order_moments", "order_finish"];

/// 32-bit words of a replica's result.
pub(crate) const ORDER_WORDS: u64 = 12;

pub(super) fn for_each_pipeline<E>(
    with: &mut impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    ENTRIES.into_iter().try_for_each(|entry| with(&ORDER, entry, &BOUNDARIES))
}

/// The sums' memory, and the dispatches once they are needed.
#[derive(Debug)]
pub(super) struct OrderSums {
    parts: Scratch,
    pub(super) orders: Scratch,
    uniforms: Scratch,
    bound: OnceCell<[Bound; 3]>,
}

impl OrderSums {
    pub(super) fn new(gpu: &Gpu, count: u32, replicas: usize) -> Result<Self, GpuError> {
        let replicas = replicas as u64;
        Ok(Self {
            parts: gpu.zeros("order parts", replicas * u64::from(parts(count)) * 16)?,
            orders: gpu.zeros("orders", replicas * ORDER_WORDS)?,
            uniforms: gpu.uniforms("swarm order", 1)?,
            bound: OnceCell::new(),
        })
    }
}

impl GpuSwarm {
    /// The sums of every replica now, into [`Self::orders`].
    pub(crate) fn encode_orders(&self) -> Result<(), GpuError> {
        let replicas = self.replicas();
        let parts = parts(self.count);
        if self.order.bound.get().is_none() {
            let block = Batch { count: self.count, replicas, parts, ..Batch::default() };
            write_blocks(self.gpu.queue(), &self.order.uniforms, &[block]);
            let bound = |entry| -> Result<Bound, GpuError> {
                let pipeline = self.gpu.pipeline(&ORDER, entry, &BOUNDARIES)?;
                let storage = [&*self.memory.setups, &self.memory.school, &self.order.parts, &self.order.orders];
                let bindings = pipeline.bind(self.gpu.device(), &storage, &self.order.uniforms);
                Ok(Bound { pipeline, bindings })
            };
            let [sums, moments, finish] = ENTRIES;
            let _ = self.order.bound.set([bound(sums)?, bound(moments)?, bound(finish)?]);
        }
        let sums = folded(u64::from(replicas) * u64::from(parts));
        let finish = folded(u64::from(replicas).div_ceil(THREADS.into()));
        self.gpu.submit(ORDER.name, |pass| {
            for (bound, groups) in self.order.bound.get().into_iter().flatten().zip([sums, sums, finish]) {
                bound.dispatch(pass, 0, groups);
            }
        })
    }

    /// Per replica: sum of u and of speeds, the centre and 1, sum of r̂ × u and 0.
    pub(crate) fn orders(&self) -> &wgpu::Buffer {
        &self.order.orders
    }

    pub(super) async fn read_orders(&self) -> Result<Vec<Order>, GpuError> {
        self.encode_orders()?;
        let words = u64::from(self.replicas()) * ORDER_WORDS;
        let sums: Vec<[f32; 12]> = self.gpu.read(&self.order.orders, 0..words).await?;
        let n = f64::from(self.count);
        let length = |v: &[f32]| v.iter().map(|&c| f64::from(c).powi(2)).sum::<f64>().sqrt();
        let order = |s: &[f32; 12]| Order {
            polarization: (length(&s[..3]) / n).min(1.0),
            rotation: (length(&s[8..11]) / n).min(1.0),
        };
        Ok(sums.iter().map(order).collect())
    }

    /// The centre of a replica, and the mean heading: what a camera follows.
    ///
    /// # Errors
    /// What a device may meet.
    pub async fn centre(&self, replica: usize) -> Result<([f32; 3], [f32; 3]), GpuError> {
        self.encode_orders()?;
        let from = u64::from(word(replica as u64)) * ORDER_WORDS;
        let s: Vec<f32> = self.gpu.read(&self.order.orders, from..from + ORDER_WORDS).await?;
        #[expect(clippy::cast_precision_loss, reason = "a mean in f32")]
        let n = self.count as f32;
        Ok(([s[4], s[5], s[6]], [s[0] / n, s[1] / n, s[2] / n]))
    }
}
