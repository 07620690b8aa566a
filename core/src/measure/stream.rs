//! Measures of a column that is larger than the memory: its values pass by once, in chunks.

use std::{collections::HashMap, ops::Range};

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value as Json};

use super::{Context, MeasureError, Missing, Outcome};
use crate::data::{Chunk, DataError, Symbols};

/// A measure that takes its column in chunks and keeps counts only.
///
/// Whoever reads the file calls [`Accumulator::push`] for every chunk and [`Accumulator::finish`] once; an
/// implementation supplies [`Accumulator::take`], which never sees a value that is missing.
pub trait Accumulator {
    /// The bookkeeping of missing values and of the limit on the number of values.
    fn gaps(&mut self) -> &mut Gaps;

    /// Takes present, finite values in order.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] when the counts would not fit into memory.
    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError>;

    /// The next values come after a gap: no window may straddle it.
    fn gap(&mut self) {}

    /// The value of all that was taken.
    fn finish<'a>(self: Box<Self>, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>>;

    /// Takes the next chunk of the column.
    ///
    /// # Errors
    /// See [`Accumulator::take`].
    fn push(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        let Some(chunk) = self.gaps().limit(chunk) else { return Ok(()) };
        let present = self.gaps().present(&chunk);
        let whole = present.len() == 1 && present[0] == (0..chunk.len());
        if whole {
            return self.take(chunk);
        }
        let mut end = 0;
        for run in present {
            if run.start > end {
                self.gap();
            }
            end = run.end;
            self.take(slice(&chunk, run))?;
        }
        if end < chunk.len() {
            self.gap();
        }
        Ok(())
    }
}

/// The outcome of `accumulator`, with its parameters in full.
///
/// # Errors
/// What the measure itself returns; [`MeasureError::NonFinite`] for missing values that are refused.
pub async fn finish(mut accumulator: Box<dyn Accumulator>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
    let parameters = std::mem::take(&mut accumulator.gaps().parameters);
    let mut outcome = accumulator.finish(context).await?;
    outcome.parameters = parameters;
    Ok(outcome)
}

fn slice<'a>(chunk: &Chunk<'a>, range: Range<usize>) -> Chunk<'a> {
    match *chunk {
        Chunk::Real(v) => Chunk::Real(&v[range]),
        Chunk::Integer(v) => Chunk::Integer(&v[range]),
        Chunk::Symbols(v) => Chunk::Symbols(&v[range]),
        Chunk::Time(v) => Chunk::Time(&v[range]),
        Chunk::Bytes(v) => Chunk::Bytes(&v[range]),
    }
}

/// Missing values of a column that passes by, and how many values are used.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    seen: u64,
    limit: Option<u64>,
    missing: Missing,
    first: Vec<u64>,
    count: u64,
    parameters: Map<String, Json>,
}

impl Gaps {
    pub(super) fn begin(&mut self, limit: Option<u64>, missing: Missing, parameters: Map<String, Json>) {
        self.limit = limit;
        self.missing = missing;
        self.parameters = parameters;
    }

    /// The part of `chunk` that is within the limit.
    fn limit<'a>(&self, chunk: Chunk<'a>) -> Option<Chunk<'a>> {
        let left = self.limit.map_or(u64::MAX, |l| l.saturating_sub(self.seen));
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        (take > 0).then(|| slice(&chunk, 0..take))
    }

    /// The runs of values that are there, noting those that are not.
    fn present(&mut self, chunk: &Chunk<'_>) -> Vec<Range<usize>> {
        let absent: Vec<usize> = match chunk {
            Chunk::Real(v) | Chunk::Time(v) => {
                if v.iter().fold(true, |ok, x| ok & x.is_finite()) {
                    Vec::new()
                } else {
                    v.iter().enumerate().filter(|(_, x)| !x.is_finite()).map(|(i, _)| i).collect()
                }
            }
            Chunk::Symbols(v) => {
                v.iter().enumerate().filter(|(_, c)| **c == Symbols::MISSING).map(|(i, _)| i).collect()
            }
            Chunk::Integer(_) | Chunk::Bytes(_) => Vec::new(),
        };
        let room = MeasureError::NON_FINITE_SHOWN.saturating_sub(self.first.len());
        self.first.extend(absent.iter().take(room).map(|&i| self.seen + i as u64));
        self.count += absent.len() as u64;
        self.seen += chunk.len() as u64;
        let mut runs = Vec::with_capacity(absent.len() + 1);
        let mut start = 0;
        for i in absent.into_iter().chain(std::iter::once(chunk.len())) {
            if i > start {
                runs.push(start..i);
            }
            start = i + 1;
        }
        runs
    }

    /// How many values were left out.
    ///
    /// # Errors
    /// [`MeasureError::NonFinite`] if there are any and they are refused.
    pub fn check(&self) -> Result<u64, MeasureError> {
        if self.count > 0 && self.missing == Missing::Error {
            return Err(MeasureError::NonFinite { first: self.first.clone(), count: self.count, n: self.seen });
        }
        Ok(self.count)
    }
}

/// Counts of any discrete values. Parts merge in any order.
#[derive(Clone, Debug, Default)]
pub struct SymbolCounts {
    /// Bytes and small codes.
    table: Vec<u64>,
    /// Everything else, by its bits.
    map: HashMap<u64, u64>,
}

/// Codes below this are counted in a table.
const TABLED: usize = 1 << 16;

impl SymbolCounts {
    /// Adds values; those of one column are all of one type.
    pub fn push(&mut self, chunk: Chunk<'_>) {
        match chunk {
            Chunk::Bytes(v) => v.iter().for_each(|&b| self.add_small(usize::from(b))),
            Chunk::Symbols(v) => v.iter().for_each(|&c| self.add_code(c)),
            // Below the table's size a whole number is a code; the rest come after, negative ones last, as their bits do.
            Chunk::Integer(v) => v.iter().for_each(|&x| match u16::try_from(x) {
                Ok(small) => self.add_small(usize::from(small)),
                Err(_) => *self.map.entry(x.cast_unsigned()).or_insert(0) += 1,
            }),
            // + 0.0 makes one zero of two
            Chunk::Real(v) | Chunk::Time(v) => {
                v.iter().for_each(|x| *self.map.entry((x + 0.0).to_bits()).or_insert(0) += 1);
            }
        }
    }

    fn add_code(&mut self, code: u32) {
        match usize::try_from(code) {
            Ok(small) if small < TABLED => self.add_small(small),
            _ => *self.map.entry(u64::from(code)).or_insert(0) += 1,
        }
    }

    fn add_small(&mut self, code: usize) {
        if self.table.len() <= code {
            self.table.resize((code + 1).next_power_of_two().max(256), 0);
        }
        self.table[code] += 1;
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &Self) {
        if self.table.len() < other.table.len() {
            self.table.resize(other.table.len(), 0);
        }
        self.table.iter_mut().zip(&other.table).for_each(|(a, b)| *a += b);
        other.map.iter().for_each(|(value, count)| *self.map.entry(*value).or_insert(0) += count);
    }

    /// An upper bound on the number of distinct values so far.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.table.len() + self.map.len()
    }

    /// The non-zero counts, in ascending order of the value's code or bits, so that sums over them are reproducible.
    #[must_use]
    pub fn finish(&self) -> Vec<u64> {
        let mut mapped: Vec<(u64, u64)> = self.map.iter().map(|(v, c)| (*v, *c)).collect();
        mapped.sort_unstable();
        self.table.iter().copied().filter(|&c| c > 0).chain(mapped.into_iter().map(|(_, c)| c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        compute::Cpu,
        data::Column,
        measure::{Value, catalogue},
        pace::Unhurried,
    };

    fn value(id: &str, params: &Json, column: &Column) -> Result<Value, String> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(crate::measure::run(id, params, column, &context))
            .map(|o| o.value)
            .map_err(|e| e.to_string())
    }

    /// What a column in chunks of `size` gives.
    fn streamed(id: &str, params: &Json, chunks: &[Chunk<'_>], column: &Column) -> Result<Value, String> {
        let mut accumulator = crate::measure::find(id).unwrap().accumulator(params, column).unwrap().unwrap();
        chunks.iter().try_for_each(|c| accumulator.push(*c)).map_err(|e| e.to_string())?;
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(accumulator.finish(&context)).map(|o| o.value).map_err(|e| e.to_string())
    }

    proptest! {
        #[test]
        fn streamed_reals_measure_as_those_in_memory(
            raw in prop::collection::vec(prop_oneof![9 => (-5_i8..5).prop_map(f64::from), 1 => Just(f64::NAN)], 1..200),
            size in 1_usize..50, omit in any::<bool>(), first in 1_u64..250,
        ) {
            let column = Column::real("x", raw.clone());
            let params = json!({ "missing": if omit { "omit" } else { "error" }, "first": first });
            let chunks: Vec<Chunk<'_>> = raw.chunks(size).map(Chunk::Real).collect();
            for id in ["perm", "perm.missing_fraction", "perm.complexity_plane", "shannon.plugin", "shannon.grassberger"] {
                let (whole, parts) = (value(id, &params, &column), streamed(id, &params, &chunks, &column));
                // Codes are numbered in another order, so sums may differ in the last bit.
                match (whole, parts) {
                    (Ok(Value::Scalar(a)), Ok(Value::Scalar(b))) => prop_assert!((a - b).abs() < 1e-12, "{id}: {a} {b}"),
                    (a, b) => prop_assert_eq!(a, b, "{}", id),
                }
            }
        }

        #[test]
        fn streamed_bytes_measure_as_those_in_memory(raw in prop::collection::vec(any::<u8>(), 1..400), size in 1_usize..90) {
            let column = Column::bytes("x", raw.clone());
            let chunks: Vec<Chunk<'_>> = raw.chunks(size).map(Chunk::Bytes).collect();
            for (id, params) in [
                ("bytes.entropy", json!({})), ("bytes.profile", json!({"window": 32, "hop": 20})),
                ("ngram.entropy", json!({"n": 2})), ("shannon.plugin", json!({})),
            ] {
                prop_assert_eq!(value(id, &params, &column), streamed(id, &params, &chunks, &column), "{}", id);
            }
        }

        #[test]
        fn any_merge_order_counts_the_same(parts in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..30), 0..6)) {
            let mut whole = SymbolCounts::default();
            whole.push(Chunk::Symbols(&parts.concat()));
            let mut backwards = SymbolCounts::default();
            for part in parts.iter().rev() {
                let mut one = SymbolCounts::default();
                one.push(Chunk::Symbols(part));
                backwards.merge(&one);
            }
            prop_assert_eq!(backwards.finish(), whole.finish());
        }
    }

    #[test]
    fn what_can_be_streamed_says_so() {
        let column = Column::real("x", vec![]);
        let can = catalogue().iter().filter(|e| e.accumulator(&Json::Null, &column).unwrap().is_some());
        assert!(can.count() >= 9);
    }
}
