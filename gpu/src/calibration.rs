//! How dear barriers are on an adapter: measured, because no adapter tells.
//!
//! On hardware the threads of a workgroup run side by side and a barrier costs next to nothing. An adapter in software has to
//! leave every invocation at each barrier and come back to it, which takes several times as long as what stands between.

use web_time::{Duration, Instant};

use crate::{
    Gpu, GpuError,
    kernels::{Kernel, write_blocks},
    nn::Form,
};

/// From this ratio on kernels without barriers are faster. Hardware has about 1; on llvmpipe 3.5 to 4.7 were seen, on SwiftShader
/// 6.5 to 8.1, and 2.5 once beside other work.
const DEAR: f64 = 1.8;
/// Threads of a workgroup, workgroups, meetings, and terms of the sums between them: some milliseconds of work for one core.
const WIDTH: u32 = 64;
const GROUPS: u32 = 256;
const ROUNDS: u32 = 32;
const TERMS: u32 = 4;
/// Submissions of each kind, of which the quickest counts.
const SUBMISSIONS: usize = 5;

static KERNEL: Kernel =
    Kernel { name: "calibration", source: include_str!("calibration.wgsl"), writes: &[true], parameters: 16 };

fn constants(meets: bool) -> [(&'static str, u32); 4] {
    [("MEETS", u32::from(meets)), ("WIDTH", WIDTH), ("ROUNDS", ROUNDS), ("TERMS", TERMS)]
}

/// Calls `with` for both pipelines of the calibration.
pub(crate) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    [true, false].into_iter().try_for_each(|meets| with(&KERNEL, "calibrate", &constants(meets)))
}

/// What the same arithmetic took with barriers and without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// With barriers.
    pub meeting: Duration,
    /// Without.
    pub alone: Duration,
}

impl Calibration {
    /// How many times as long it takes with barriers.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.meeting.as_secs_f64() / self.alone.as_secs_f64().max(1e-9)
    }

    /// The form of kernels that is faster here.
    #[must_use]
    pub fn form(&self) -> Form {
        if self.ratio() > DEAR { Form::Plain } else { Form::Workgroup }
    }
}

impl Gpu {
    /// How dear barriers are on this adapter. Measured once, which takes some tenths of a second in software; then known.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::Validation`].
    pub async fn calibration(&self) -> Result<Calibration, GpuError> {
        if let Some(known) = self.calibrated().get() {
            return Ok(known);
        }
        let results = self.zeros("results of the calibration", u64::from(GROUPS * WIDTH))?;
        let uniforms = self.uniforms("calibration", 1)?;
        write_blocks(self.queue(), &uniforms, &[[0.5_f32, 0.25, 0.0, 0.0]]);
        let mut least = [Duration::MAX; 2];
        // The first of each kind compiles.
        for turn in 0..=SUBMISSIONS {
            for (least, meets) in least.iter_mut().zip([true, false]) {
                let pipeline = self.pipeline(&KERNEL, "calibrate", &constants(meets))?;
                let bindings = pipeline.bind(self.device(), &[&results], &uniforms);
                let start = Instant::now();
                self.submit("calibration", |pass| {
                    pass.set_pipeline(&pipeline.compute);
                    pass.set_bind_group(0, &bindings, &[0]);
                    pass.dispatch_workgroups(GROUPS, 1, 1);
                })?;
                self.finish().await?;
                if turn > 0 {
                    *least = start.elapsed().min(*least);
                }
            }
        }
        let [meeting, alone] = least;
        let found = Calibration { meeting, alone };
        self.calibrated().set(Some(found));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_barriers_are_avoided() {
        let told = |meeting, alone| {
            Calibration { meeting: Duration::from_micros(meeting), alone: Duration::from_micros(alone) }.form()
        };
        assert_eq!([told(4700, 1000), told(1900, 1000)], [Form::Plain; 2]);
        // A clock that is too coarse says nothing against workgroups.
        assert_eq!([told(1700, 1000), told(90, 100), told(0, 0)], [Form::Workgroup; 3]);
    }
}
