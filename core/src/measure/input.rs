//! What a measure is given: one column, seen as a series, as symbols, or as bytes. What takes more than one column, or a
//! matrix, is in [`super::subject`].

use std::{borrow::Cow, collections::HashMap, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{About, MeasureError, Subject};
use crate::data::{Column, ColumnType, Symbols, Values};

/// Integers within a range of so many are numbered by a table.
const MOST_TABLED: usize = 1 << 18;

/// The kinds of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Accepts {
    /// Numbers in time order.
    Series,
    /// Discrete values in order: labels, integers, bytes.
    Symbols,
    /// Bytes.
    Bytes,
    /// Points in space: one column of numbers, several together, or a table.
    Points,
    /// Two columns of numbers, or two groups of them.
    Pair,
    /// Two columns of discrete values, or two groups of them.
    #[serde(rename = "symbol-pair")]
    SymbolPair,
    /// Observations in rows: an array of two axes, or columns of numbers side by side.
    Table,
    /// A grey image: an array of two axes.
    Image,
    /// Attention weights: an array (…, queries, keys).
    Attention,
    /// No data at all: a constant of the theory.
    Nothing,
}

impl Accepts {
    /// Whether a column of type `ty` may be what is measured, or one of the columns that are.
    #[must_use]
    pub const fn suits(self, ty: ColumnType) -> bool {
        match self {
            Self::Series | Self::Points | Self::Pair | Self::Table => {
                matches!(ty, ColumnType::Real | ColumnType::Integer)
            }
            Self::Symbols | Self::SymbolPair => {
                matches!(ty, ColumnType::Symbols | ColumnType::Integer | ColumnType::Bytes)
            }
            Self::Bytes => matches!(ty, ColumnType::Bytes),
            Self::Image | Self::Attention | Self::Nothing => false,
        }
    }

    /// Whether an array of so many axes may be what is measured.
    #[must_use]
    pub const fn suits_array(self, axes: usize) -> bool {
        match self {
            Self::Points | Self::Table | Self::Image => axes == 2,
            Self::Attention => axes >= 2,
            _ => false,
        }
    }

    /// Whether one column by itself is enough.
    #[must_use]
    pub const fn is_of_one_column(self) -> bool {
        matches!(self, Self::Series | Self::Symbols | Self::Bytes | Self::Points)
    }
}

/// What happens to NaN, infinities and missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Refuse, naming the first of them.
    #[default]
    Error,
    /// Leave them out; windows of a series never straddle a gap.
    Omit,
}

/// The parameters that every measure has.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Common {
    /// Use only this many values from the start; empty uses all.
    #[schemars(range(min = 1))]
    pub(super) first: Option<u64>,
    /// NaN, infinite and missing values: refuse them (error), or leave them out without letting a window straddle the gap (omit).
    pub(super) missing: Missing,
}

impl Common {
    /// Takes the common parameters out of a full set (validated before).
    pub(super) fn split(mut full: Map<String, Json>) -> (Self, Map<String, Json>) {
        let mut own = Map::new();
        for key in ["first", "missing"] {
            if let Some(value) = full.remove(key) {
                own.insert(key.to_owned(), value);
            }
        }
        (serde_json::from_value(Json::Object(own)).unwrap_or_default(), full)
    }
}

/// The data as one measure sees it.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub(super) about: &'static About,
    pub(super) subject: Subject<'a>,
    pub(super) common: Common,
}

/// Finite numbers in time order, in stretches without a gap.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// All values, gaps removed.
    pub values: Cow<'a, [f64]>,
    /// The gap-free stretches, as ranges of `values`; one for a series without missing values.
    pub stretches: Vec<Range<usize>>,
    /// How many values were left out.
    pub omitted: u64,
}

impl<'a> Series<'a> {
    /// A series without gaps.
    #[must_use]
    pub fn whole(values: impl Into<Cow<'a, [f64]>>) -> Self {
        let values = values.into();
        let stretches = std::iter::once(0..values.len()).filter(|s| !s.is_empty()).collect();
        Self { values, stretches, omitted: 0 }
    }
}

impl<'a> Input<'a> {
    pub(super) fn new(about: &'static About, subject: Subject<'a>, common: Common) -> Result<Self, MeasureError> {
        let absent = subject.columns().find(|c| c.values.is_none());
        if let Some(column) = absent.filter(|_| about.accepts != Accepts::Nothing) {
            return Err(MeasureError::NotResident(column.name.clone()));
        }
        Ok(Self { about, subject, common })
    }

    /// The first column's name, or the matrix's.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let matrix = || self.subject.matrix().map(|m| m.name.as_str());
        self.subject.column().map(|c| c.name.as_str()).or_else(matrix).unwrap_or_default()
    }

    /// The first column's name with its unit in parentheses.
    #[must_use]
    pub fn label(&self) -> String {
        match self.subject.column().and_then(|c| c.unit.as_deref()) {
            Some(unit) => format!("{} ({unit})", self.name()),
            None => self.name().to_owned(),
        }
    }

    /// The first column's type; that of a matrix is real.
    #[must_use]
    pub fn ty(&self) -> ColumnType {
        self.subject.column().map_or(ColumnType::Real, |c| c.ty)
    }

    pub(super) fn take(&self, len: usize) -> usize {
        self.common.first.and_then(|n| usize::try_from(n).ok()).map_or(len, |n| n.min(len))
    }

    fn wrong(&self, wanted: &'static str, found: &'static str, hint: &'static str) -> MeasureError {
        MeasureError::WrongInput { measure: self.about.id, wanted, found, hint }
    }

    /// The values of the one column; none for a measure that takes no data.
    fn values(&self) -> Result<Option<&'a Values>, MeasureError> {
        if self.subject.matrix().is_some() {
            return Err(self.wrong("one column", "an array", "; take one of its columns"));
        }
        Ok(self.subject.column().and_then(|c| c.values.as_ref()))
    }

    /// A column as numbers, whatever is missing.
    #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round to the nearest f64, as documented")]
    pub(super) fn reals(&self, column: &'a Column) -> Result<Cow<'a, [f64]>, MeasureError> {
        match &column.values {
            Some(Values::Real(v) | Values::Time(v)) => Ok(Cow::Borrowed(&v[..self.take(v.len())])),
            Some(Values::Integer(v)) => Ok(v[..self.take(v.len())].iter().map(|&x| x as f64).collect()),
            Some(Values::Bytes(v)) => Ok(v[..self.take(v.len())].iter().map(|&x| f64::from(x)).collect()),
            Some(Values::Symbols(_)) => {
                Err(self.wrong("numbers", "labels", "; the discrete and symbolic measures take labels"))
            }
            None => Ok(Cow::Borrowed(&[])),
        }
    }

    /// The column as numbers in time order. Integers beyond 2^53 round to the nearest f64.
    ///
    /// # Errors
    /// [`MeasureError::WrongInput`] for labels and arrays, [`MeasureError::NonFinite`] where values are
    /// missing and `missing=error`.
    pub fn series(&self) -> Result<Series<'a>, MeasureError> {
        self.values()?;
        let values = self.subject.column().map_or(Ok(Cow::Borrowed(&[][..])), |c| self.reals(c))?;
        let n = values.len();
        let (first, count) = non_finite(&values);
        if count == 0 {
            return Ok(Series::whole(values));
        }
        if self.common.missing == Missing::Error {
            return Err(MeasureError::NonFinite { first, count, n: n as u64 });
        }
        Ok(omit(&values, count))
    }

    /// The column as symbols `0..alphabet` in order of value (integers, bytes) or of first appearance (labels).
    /// Of real numbers each distinct value is a symbol; a report does not offer that by itself (see
    /// [`Accepts::suits`]), so whoever gets here has asked for it.
    ///
    /// # Errors
    /// [`MeasureError::NonFinite`] where values are missing and `missing=error`.
    pub fn symbols(&self) -> Result<Sequence<'a>, MeasureError> {
        match self.values()? {
            Some(Values::Bytes(v)) => Ok(Sequence::of_bytes(&v[..self.take(v.len())])),
            Some(Values::Integer(v)) => Ok(Sequence::of_integers(&v[..self.take(v.len())])),
            Some(Values::Symbols(s)) => self.labels(s),
            Some(Values::Real(_) | Values::Time(_)) => Ok(Sequence::of_reals(&self.series()?)),
            None => Ok(Sequence::default()),
        }
    }

    fn labels(&self, symbols: &'a Symbols) -> Result<Sequence<'a>, MeasureError> {
        let codes = &symbols.codes[..self.take(symbols.codes.len())];
        let gaps = codes.iter().filter(|&&c| c == Symbols::MISSING).count() as u64;
        if gaps > 0 && self.common.missing == Missing::Error {
            let first = codes.iter().enumerate().filter(|(_, c)| **c == Symbols::MISSING);
            let first = first.map(|(i, _)| i as u64).take(MeasureError::NON_FINITE_SHOWN).collect();
            return Err(MeasureError::NonFinite { first, count: gaps, n: codes.len() as u64 });
        }
        let kept: Cow<'a, [u32]> = if gaps == 0 {
            Cow::Borrowed(codes)
        } else {
            codes.iter().copied().filter(|&c| c != Symbols::MISSING).collect()
        };
        let alphabet = u32::try_from(symbols.labels.len()).unwrap_or(u32::MAX);
        Ok(Sequence { codes: kept, alphabet, omitted: gaps })
    }

    /// The column as bytes.
    ///
    /// # Errors
    /// [`MeasureError::WrongInput`] where it is neither bytes nor integers within 0..=255.
    pub fn bytes(&self) -> Result<Cow<'a, [u8]>, MeasureError> {
        match self.values()? {
            Some(Values::Bytes(v)) => Ok(Cow::Borrowed(&v[..self.take(v.len())])),
            Some(Values::Integer(v)) => v[..self.take(v.len())]
                .iter()
                .map(|&x| u8::try_from(x))
                .collect::<Result<_, _>>()
                .map_err(|_| self.wrong("bytes", "integers outside 0..=255", "")),
            Some(Values::Real(_) | Values::Time(_)) => Err(self.wrong("bytes", "real numbers", "")),
            Some(Values::Symbols(_)) => Err(self.wrong("bytes", "labels", "")),
            None => Ok(Cow::Borrowed(&[])),
        }
    }
}

/// The first indices of NaN and infinities, and how many there are.
fn non_finite(values: &[f64]) -> (Vec<u64>, u64) {
    // The common case is decided by a loop that the compiler vectorises.
    if values.iter().fold(true, |ok, x| ok & x.is_finite()) {
        return (Vec::new(), 0);
    }
    let indices = values.iter().enumerate().filter(|(_, x)| !x.is_finite()).map(|(i, _)| i as u64);
    (indices.clone().take(MeasureError::NON_FINITE_SHOWN).collect(), indices.count() as u64)
}

fn omit(values: &[f64], count: u64) -> Series<'static> {
    let mut kept = Vec::with_capacity(values.len());
    let mut stretches = Vec::new();
    let mut start = 0;
    for x in values {
        if x.is_finite() {
            kept.push(*x);
        } else {
            if kept.len() > start {
                stretches.push(start..kept.len());
            }
            start = kept.len();
        }
    }
    if kept.len() > start {
        stretches.push(start..kept.len());
    }
    Series { values: Cow::Owned(kept), stretches, omitted: count }
}

/// The ranks of the finite values among their distinct values, and how many those are; [`Symbols::MISSING`] for the rest.
pub(super) fn rank_reals(values: &[f64]) -> (Cow<'static, [u32]>, u32) {
    let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let ranked = Sequence::of_reals(&Series::whole(finite));
    let mut codes = ranked.codes.iter();
    let place = |x: &f64| if x.is_finite() { codes.next().copied().unwrap_or(0) } else { Symbols::MISSING };
    (values.iter().map(place).collect(), ranked.alphabet)
}

/// Symbols `0..alphabet` in order.
#[derive(Clone, Debug, Default)]
pub struct Sequence<'a> {
    /// The symbols.
    pub codes: Cow<'a, [u32]>,
    /// One more than the largest code that can occur.
    pub alphabet: u32,
    /// How many missing values were left out.
    pub omitted: u64,
}

impl Sequence<'_> {
    /// Bytes, each its own symbol of 256.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { codes: bytes.iter().map(|&b| u32::from(b)).collect(), alphabet: 256, omitted: 0 }
    }

    /// Integers numbered densely by value: where they lie close together, by a table of their range.
    #[must_use]
    pub fn of_integers(values: &[i64]) -> Self {
        let (low, high) = values.iter().fold((i64::MAX, i64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let range = if values.is_empty() { 0 } else { high.abs_diff(low) };
        let Some(range) = usize::try_from(range).ok().filter(|&r| !values.is_empty() && r < MOST_TABLED) else {
            return Self::of_ordered(values);
        };
        let place = |x: i64| usize::try_from(x.abs_diff(low)).unwrap_or(range);
        let mut rank = vec![0_u32; range + 1];
        values.iter().for_each(|&x| rank[place(x)] = 1);
        let mut alphabet = 0;
        for slot in &mut rank {
            (*slot, alphabet) = (alphabet, alphabet + *slot);
        }
        Self { codes: values.iter().map(|&x| rank[place(x)]).collect(), alphabet, omitted: 0 }
    }

    /// Values numbered densely by value.
    #[must_use]
    pub fn of_ordered<T: Copy + Eq + Ord + std::hash::Hash>(values: &[T]) -> Self {
        let mut seen: HashMap<T, u32> = HashMap::new();
        let mut codes = Vec::with_capacity(values.len());
        for value in values {
            let next = u32::try_from(seen.len()).unwrap_or(u32::MAX);
            codes.push(*seen.entry(*value).or_insert(next));
        }
        // Number by value, so that the codes do not depend on the order of appearance.
        let mut distinct: Vec<(T, u32)> = seen.into_iter().collect();
        distinct.sort_unstable_by_key(|(value, _)| *value);
        let mut rank = vec![0; distinct.len()];
        for (position, (_, code)) in distinct.iter().enumerate() {
            rank[*code as usize] = u32::try_from(position).unwrap_or(u32::MAX);
        }
        for code in &mut codes {
            *code = rank[*code as usize];
        }
        let alphabet = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
        Self { codes: Cow::Owned(codes), alphabet, omitted: 0 }
    }

    /// Each distinct real number its own symbol; 0.0 and -0.0 are one.
    #[must_use]
    pub fn of_reals(series: &Series<'_>) -> Self {
        // +0.0 turns -0.0 into 0.0; that bit patterns of negatives sort backwards does not matter to counts
        let bits: Vec<u64> = series.values.iter().map(|x| (x + 0.0).to_bits()).collect();
        Self { omitted: series.omitted, ..Self::of_ordered(&bits) }
    }

    /// 1 where a value is at least the median, else 0: the usual way to compress a real series.
    #[must_use]
    pub fn at_least_median(series: &Series<'_>) -> Self {
        let mut sorted = series.values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let median = match n {
            0 => 0.0,
            _ if n % 2 == 1 => sorted[n / 2],
            _ => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
        };
        let codes = series.values.iter().map(|&x| u32::from(x >= median)).collect();
        Self { codes, alphabet: 2, omitted: series.omitted }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_are_numbered_by_value_either_way(raw in prop::collection::vec(-50_i64..50, 0..200), spread in prop::sample::select(vec![1_i64, 1000, 1 << 40])) {
            let values: Vec<i64> = raw.iter().map(|x| x * spread - 7).collect();
            let (table, map) = (Sequence::of_integers(&values), Sequence::of_ordered(&values));
            prop_assert_eq!((table.codes, table.alphabet), (map.codes, map.alphabet));
        }
    }

    #[test]
    fn the_ends_of_the_integers_are_far_apart() {
        let ends = Sequence::of_integers(&[i64::MAX, i64::MIN, i64::MAX]);
        assert_eq!((&ends.codes[..], ends.alphabet), (&[1, 0, 1][..], 2));
    }
}
