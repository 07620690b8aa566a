//! Counting what is seen through a moving window: of a series in memory, and of one that passes by.

use futures_util::future::LocalBoxFuture;

use crate::{
    data::{Chunk, DataError},
    measure::{
        Context, MeasureError, Outcome, Series,
        stream::{Accumulator, Gaps},
    },
    pace::Pace,
};

/// Windows that are looked at in one go.
const CHUNK: usize = 1 << 16;
/// Chunks between two calls of [`Pace::tick`].
const TICK: usize = 8;

/// What is counted of every run of consecutive samples of one length.
pub(super) trait Windows {
    /// The samples from the first to the last of a window.
    fn span(&self) -> usize;

    /// Counts every window of `values`, which are at least [`Windows::span`].
    fn count(&mut self, values: &[f64]);

    /// A stretch ends with `tail`: as many samples of it as a window has, less one; fewer of a stretch shorter than that.
    fn end(&mut self, _tail: &[f64]) {}
}

/// Counts all windows of `series`; none straddles a gap.
///
/// # Errors
/// [`MeasureError::Cancelled`].
pub(super) async fn count_all(
    series: &Series<'_>,
    windows: &mut impl Windows,
    pace: &dyn Pace,
) -> Result<(), MeasureError> {
    let span = windows.span();
    let total = series.values.len();
    for stretch in &series.stretches {
        let x = &series.values[stretch.clone()];
        let starts = 0..(x.len() + 1).saturating_sub(span);
        for (done, start) in starts.step_by(CHUNK).enumerate() {
            windows.count(&x[start..(start + CHUNK + span - 1).min(x.len())]);
            if done % TICK == TICK - 1 {
                pace.tick((stretch.start + start) as u64, total as u64).await?;
            }
        }
        windows.end(&x[x.len().saturating_sub(span - 1)..]);
    }
    Ok(())
}

/// How a stream's counts become its value: from the windows, the values that were taken and those left out.
type Finish<W> = Box<dyn FnOnce(W, u64, u64) -> Result<Outcome, MeasureError>>;

/// The windows of a column that passes by.
pub(super) struct WindowStream<W> {
    windows: W,
    /// The samples that windows to come still need.
    pending: Vec<f64>,
    n: u64,
    gaps: Gaps,
    finish: Finish<W>,
}

impl<W: Windows + 'static> WindowStream<W> {
    pub(super) fn boxed(
        windows: W,
        finish: impl FnOnce(W, u64, u64) -> Result<Outcome, MeasureError> + 'static,
    ) -> Box<dyn Accumulator> {
        Box::new(Self { windows, pending: Vec::new(), n: 0, gaps: Gaps::default(), finish: Box::new(finish) })
    }

    fn push(&mut self, values: &[f64]) {
        self.n += values.len() as u64;
        self.pending.extend_from_slice(values);
        let span = self.windows.span();
        if self.pending.len() >= span {
            self.windows.count(&self.pending);
            self.pending.drain(..self.pending.len() - (span - 1));
        }
    }
}

impl<W: Windows + 'static> Accumulator for WindowStream<W> {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round to the nearest f64, as in memory")]
    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        match chunk {
            Chunk::Real(v) | Chunk::Time(v) => self.push(v),
            Chunk::Integer(v) => self.push(&v.iter().map(|&x| x as f64).collect::<Vec<_>>()),
            Chunk::Bytes(v) => self.push(&v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>()),
            Chunk::Symbols(_) => {
                let what = "a series of labels".to_owned();
                return Err(DataError::Unsupported { what, instead: "the discrete and symbolic measures take labels" });
            }
        }
        Ok(())
    }

    fn gap(&mut self) {
        // A gap before the first sample, or two in a row, end no stretch.
        if !self.pending.is_empty() {
            self.windows.end(&self.pending);
            self.pending.clear();
        }
    }

    fn finish<'a>(mut self: Box<Self>, _: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        self.gap();
        Box::pin(async move {
            let omitted = self.gaps.check()?;
            (self.finish)(self.windows, self.n, omitted)
        })
    }
}
