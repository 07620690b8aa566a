//! Ordinal measures of a column that passes by.

use futures_util::future::LocalBoxFuture;

use super::{OrdinalCounts, measures::Notes, patterns};
use crate::{
    data::{Chunk, DataError},
    measure::{
        Context, MeasureError, Outcome,
        stream::{Accumulator, Gaps},
    },
};

type Finish = Box<dyn Fn(&[u64], u64) -> Outcome>;

/// Counts patterns, and makes an outcome of the counts.
pub(super) struct OrdinalStream {
    order: u32,
    delay: usize,
    finish: Finish,
    gaps: Gaps,
    /// Counts of the stretches that ended.
    counts: Vec<u64>,
    stretch: OrdinalCounts,
    n: u64,
    /// The last `delay` values of the stretch, to compare with the next.
    recent: Vec<f64>,
    pairs: u64,
    ties: u64,
}

impl OrdinalStream {
    pub(super) fn boxed(
        order: u32,
        delay: u32,
        finish: impl Fn(&[u64], u64) -> Outcome + 'static,
    ) -> Box<dyn Accumulator> {
        let delay = delay as usize;
        Box::new(Self {
            order,
            delay,
            finish: Box::new(finish),
            gaps: Gaps::default(),
            counts: vec![0; patterns(order)],
            stretch: OrdinalCounts::new(order, delay),
            n: 0,
            recent: Vec::new(),
            pairs: 0,
            ties: 0,
        })
    }

    fn count(&mut self, values: &[f64]) {
        self.stretch.push(values);
        self.n += values.len() as u64;
        let before = self.recent.len();
        self.recent.extend_from_slice(values);
        let from = self.delay.max(before);
        for later in from..self.recent.len() {
            self.pairs += 1;
            self.ties += u64::from(self.recent[later] == self.recent[later - self.delay]);
        }
        let excess = self.recent.len().saturating_sub(self.delay);
        self.recent.drain(..excess);
    }
}

impl Accumulator for OrdinalStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round to the nearest f64, as in memory")]
    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        match chunk {
            Chunk::Real(v) | Chunk::Time(v) => self.count(v),
            Chunk::Integer(v) => self.count(&v.iter().map(|&x| x as f64).collect::<Vec<_>>()),
            Chunk::Bytes(v) => self.count(&v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>()),
            Chunk::Symbols(_) => {
                let what = "an ordinal pattern of labels".to_owned();
                return Err(DataError::Unsupported { what, instead: "the discrete and symbolic measures take labels" });
            }
        }
        Ok(())
    }

    fn gap(&mut self) {
        let ended = std::mem::replace(&mut self.stretch, OrdinalCounts::new(self.order, self.delay));
        self.counts.iter_mut().zip(ended.finish()).for_each(|(a, b)| *a += b);
        self.recent.clear();
    }

    fn finish<'a>(mut self: Box<Self>, _: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        self.gap();
        Box::pin(async move {
            let omitted = self.gaps.check()?;
            let windows = self.counts.iter().sum();
            if windows == 0 {
                return Err(MeasureError::TooShort {
                    n: self.n,
                    what: format!("a window of order {} and delay {}", self.order, self.delay),
                    needed: (u64::from(self.order) - 1) * self.delay as u64 + 1,
                });
            }
            #[expect(clippy::cast_precision_loss, reason = "a fraction")]
            let ties = if self.pairs == 0 { 0.0 } else { self.ties as f64 / self.pairs as f64 };
            let notes = Notes { order: self.order, n: self.n, windows, ties, omitted };
            Ok(notes.annotate((self.finish)(&self.counts, self.n)))
        })
    }
}
