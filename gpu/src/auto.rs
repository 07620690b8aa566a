//! The back end that decides by the size of the work.

use surprisal_core::{
    compute::{Compute, Cpu, Matches, Work},
    measure::{ordinal::OrdinalWindows, regularity::Templates, symbols::Words},
    nn::{Learning, RunSetup, Training},
    pace::Pace,
    sim::swarm::{Moving, Setup, Swarm},
};

use crate::{Form, Gpu};

/// From so many ordinal windows on the GPU is worth the way there and back: a round trip costs some milliseconds
/// (in some browsers 100), in which one core counts this many.
pub const MIN_WINDOWS: usize = 1 << 20;
/// From so many symbols on.
pub const MIN_SYMBOLS: usize = 1 << 22;
/// From so many templates on: the pairs grow with the square.
pub const MIN_TEMPLATES: usize = 1 << 13;
/// From so many fish on, of all replicas together: with fewer a GPU is idle, and one core does some hundred steps a second.
pub const MIN_FISH: u64 = 2000;
/// From so many floating-point operations on, of one training step of all runs together: a step of one layer is some 20
/// dispatches, which cost about as long as one core takes for this many. An estimate; no hardware GPU was timed.
pub const MIN_STEP_FLOPS: f64 = 1e8;

/// The GPU for large work where it is hardware, the CPU reference otherwise. Once it is on the GPU, a failure there
/// is an error: numbers do not change their back end unseen.
#[derive(Clone, Debug, Default)]
pub struct Auto {
    gpu: Option<Gpu>,
}

impl Auto {
    /// Decides between `gpu` and the CPU. A software adapter shares the CPU's cores and is never faster than the
    /// reference, so it is not used.
    #[must_use]
    pub fn new(gpu: Option<Gpu>) -> Self {
        Self { gpu: gpu.filter(|gpu| !gpu.info().software) }
    }

    /// The GPU that large work goes to.
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.gpu.as_ref()
    }

    fn choose(&self, large: bool, supported: impl FnOnce(&Gpu) -> bool) -> &dyn Compute {
        match &self.gpu {
            Some(gpu) if large && supported(gpu) => gpu,
            _ => &Cpu,
        }
    }
}

impl Compute for Auto {
    fn ordinal_counts<'a>(&'a self, windows: &'a OrdinalWindows<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        let large = windows.series.values.len() >= MIN_WINDOWS;
        self.choose(large, |gpu| gpu.counts_windows(windows)).ordinal_counts(windows, pace)
    }

    fn word_counts<'a>(&'a self, words: &'a Words<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        let large = words.codes.len() >= MIN_SYMBOLS;
        self.choose(large, |gpu| gpu.counts_words(words)).word_counts(words, pace)
    }

    fn template_matches<'a>(&'a self, templates: &'a Templates, pace: &'a dyn Pace) -> Work<'a, Matches> {
        let large = templates.count >= MIN_TEMPLATES;
        self.choose(large, |gpu| gpu.counts_pairs(templates)).template_matches(templates, pace)
    }

    fn swarm(&self, setups: Vec<Setup>) -> Moving<'_, Box<dyn Swarm>> {
        let fish: u64 = setups.iter().map(|setup| u64::from(setup.count)).sum();
        self.choose(fish >= MIN_FISH, |_| true).swarm(setups)
    }

    fn training(&self, runs: Vec<RunSetup>) -> Learning<'_, Box<dyn Training>> {
        // A config that makes no sense is refused by either.
        let flops = |run: &RunSetup| run.config.flops((run.batch as usize).saturating_mul(run.config.context));
        let large = runs.iter().map(flops).sum::<f64>() >= MIN_STEP_FLOPS;
        let Some(gpu) = self.gpu.as_ref().filter(|_| large) else { return Cpu.training(runs) };
        Box::pin(async move {
            // In a browser an adapter need not tell that it is software; that its barriers are dear does. An adapter that
            // cannot even be calibrated says why when it is asked to train.
            match gpu.calibration().await {
                Ok(found) if found.form() == Form::Plain => Cpu.training(runs).await,
                _ => gpu.training(runs).await,
            }
        })
    }
}
