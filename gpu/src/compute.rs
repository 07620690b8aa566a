//! The GPU as a back end of `core`.

use surprisal_core::{
    compute::{Backend, Compute, Cpu, Done, Matches, Ran, Work},
    measure::{
        MeasureError,
        ordinal::{OrdinalWindows, dense_ranks},
        regularity::Templates,
        symbols::Words,
    },
    nn::{Learning, RunSetup, Training},
    pace::Pace,
    sim::swarm::{Moving, Setup, Swarm},
};

use crate::{
    Gpu, GpuError, GpuSwarm, GpuTraining,
    kernels::{ngram, ordinal, pairs},
};

impl Gpu {
    /// Whether there is a kernel for these windows, and buffers large enough.
    #[must_use]
    pub fn counts_windows(&self, windows: &OrdinalWindows<'_>) -> bool {
        ordinal::supports(self, windows.order, windows.delay)
    }

    /// Whether these words are few enough to be counted in a dense table.
    #[must_use]
    pub fn counts_words(&self, words: &Words<'_>) -> bool {
        let fits = |bins: &u32| u64::from(*bins) * 4 <= self.binding_limit();
        words.length > 0 && ngram::bins(words.alphabet, words.length).filter(fits).is_some()
    }

    /// Whether there is a kernel for templates of this length, and buffers large enough.
    #[must_use]
    pub fn counts_pairs(&self, templates: &Templates) -> bool {
        pairs::supports(self, templates)
    }

    fn done<T>(&self, result: Result<T, GpuError>) -> Result<Done<T>, MeasureError> {
        let name = &self.info().name;
        let value = result.map_err(|error| error.into_measure_error(name))?;
        Ok(Done { value, ran: Ran { backend: Backend::Gpu, adapter: Some(name.clone()) } })
    }
}

/// On the GPU wherever there is a kernel. What has none runs on the CPU reference, and says so in [`Ran`].
impl Compute for Gpu {
    fn ordinal_counts<'a>(&'a self, windows: &'a OrdinalWindows<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        if !self.counts_windows(windows) {
            return Cpu.ordinal_counts(windows, pace);
        }
        Box::pin(async move {
            let series = windows.series;
            let ranks = dense_ranks(&series.values);
            let delays = [windows.delay];
            let counts = self.ordinal_counts_many(&ranks, &series.stretches, windows.order, &delays, pace).await;
            self.done(counts.map(|mut counts| counts.swap_remove(0)))
        })
    }

    fn word_counts<'a>(&'a self, words: &'a Words<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        if !self.counts_words(words) {
            return Cpu.word_counts(words, pace);
        }
        Box::pin(async move {
            let counts = self.words(words.codes, words.alphabet, words.length, pace).await;
            self.done(counts.map(|mut counts| {
                counts.retain(|count| *count > 0);
                counts
            }))
        })
    }

    fn template_matches<'a>(&'a self, templates: &'a Templates, pace: &'a dyn Pace) -> Work<'a, Matches> {
        if !self.counts_pairs(templates) {
            return Cpu.template_matches(templates, pace);
        }
        Box::pin(async move { self.done(self.pairs(templates, pace).await) })
    }

    fn swarm(&self, setups: Vec<Setup>) -> Moving<'_, Box<dyn Swarm>> {
        Box::pin(async move { Ok(Box::new(GpuSwarm::new(self, setups)?) as Box<dyn Swarm>) })
    }

    /// In the form of kernels that is faster on this adapter. In software that is still slower than the CPU reference: whoever
    /// leaves the choice to [`crate::Auto`] trains there.
    fn training(&self, runs: Vec<RunSetup>) -> Learning<'_, Box<dyn Training>> {
        Box::pin(async move { Ok(Box::new(GpuTraining::new(self, runs).await?) as Box<dyn Training>) })
    }
}
