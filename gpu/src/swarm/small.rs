//! Schools that fit into workgroup memory. See [`super`].

use super::{
    Bound, Memory, folded,
    setup::{RULES, rule_constants},
};
use crate::{
    Gpu, GpuError,
    buffer::Scratch,
    kernels::{Kernel, write_blocks},
};

pub(crate) static SCHOOL: Kernel = Kernel {
    name: "swarm-school",
    source: include_str!("school.wgsl"),
    writes: &[false, false, true, true],
    parameters: 16,
};
pub(crate) const SWIM: &str = "swim";

/// The most fish of a school in workgroup memory: 28 bytes each of 16 KiB.
pub const SEATS: u32 = 512;
/// Threads of a workgroup, and fish of a thread: a small school leaves few threads idle.
pub(super) const SHAPES: [[u32; 2]; 4] = [[64, 1], [128, 1], [256, 1], [256, 2]];
/// Steps in a dispatch, at most.
pub(super) const MOST_STEPS: u64 = 1 << 16;

pub(super) fn constants(rule: u32, [width, each]: [u32; 2]) -> Vec<(&'static str, u32)> {
    let shape = [("WIDTH", width), ("EACH", each), ("SEATS", width * each)];
    rule_constants(rule).into_iter().chain(shape).collect()
}

#[derive(Debug)]
pub(super) struct Small {
    uniforms: Scratch,
    bound: [Option<Bound>; RULES as usize],
}

impl Small {
    pub(super) fn new(gpu: &Gpu) -> Result<Self, GpuError> {
        Ok(Self { uniforms: gpu.uniforms("swarm school", 1)?, bound: Default::default() })
    }

    pub(super) fn unbind(&mut self) {
        self.bound = Default::default();
    }

    #[expect(clippy::too_many_arguments, reason = "what a dispatch is about")]
    pub(super) fn submit(
        &mut self,
        gpu: &Gpu,
        memory: &Memory,
        rules: &[u32],
        step: u32,
        steps: u32,
        count: u32,
        replicas: u32,
    ) -> Result<(), GpuError> {
        let shape = SHAPES.into_iter().find(|[width, each]| width * each >= count).unwrap_or(SHAPES[3]);
        for &rule in rules {
            let bound = &mut self.bound[rule as usize];
            if bound.is_none() {
                let pipeline = gpu.pipeline(&SCHOOL, SWIM, &constants(rule, shape))?;
                let storage = [&*memory.setups, &memory.obstacles, &memory.school, &memory.predators];
                let bindings = pipeline.bind(gpu.device(), &storage, &self.uniforms);
                *bound = Some(Bound { pipeline, bindings });
            }
        }
        write_blocks(gpu.queue(), &self.uniforms, &[[step, steps, count, replicas]]);
        gpu.submit(SCHOOL.name, |pass| {
            for &rule in rules {
                if let Some(bound) = &self.bound[rule as usize] {
                    bound.dispatch(pass, 0, folded(replicas.into()));
                }
            }
        })
    }
}
