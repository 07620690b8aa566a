//! What a measure is given: one column, seen as a series, as symbols, or as bytes.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{About, MeasureError};
use crate::data::{Column, ColumnType, Symbols, Values};

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
    /// No data at all: a constant of the theory.
    Nothing,
}

impl Accepts {
    /// Whether a report offers this measure for a column of type `ty`.
    #[must_use]
    pub const fn suits(self, ty: ColumnType) -> bool {
        match self {
            Self::Series => matches!(ty, ColumnType::Real | ColumnType::Integer),
            Self::Symbols => matches!(ty, ColumnType::Symbols | ColumnType::Integer | ColumnType::Bytes),
            Self::Bytes => matches!(ty, ColumnType::Bytes),
            Self::Nothing => false,
        }
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

/// A column as one measure sees it.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    about: &'static About,
    column: &'a Column,
    values: Option<&'a Values>,
    common: Common,
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
    pub(super) fn new(about: &'static About, column: &'a Column, common: Common) -> Result<Self, MeasureError> {
        let values = column.values.as_ref();
        if values.is_none() && about.accepts != Accepts::Nothing {
            return Err(MeasureError::NotResident(column.name.clone()));
        }
        Ok(Self { about, column, values, common })
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.column.name
    }

    /// The column's name with its unit in parentheses.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.column.unit {
            Some(unit) => format!("{} ({unit})", self.column.name),
            None => self.column.name.clone(),
        }
    }

    /// The column's type.
    #[must_use]
    pub const fn ty(&self) -> ColumnType {
        self.column.ty
    }

    fn take(&self, len: usize) -> usize {
        self.common.first.and_then(|n| usize::try_from(n).ok()).map_or(len, |n| n.min(len))
    }

    fn wrong(&self, wanted: &'static str, found: &'static str, hint: &'static str) -> MeasureError {
        MeasureError::WrongInput { measure: self.about.id, wanted, found, hint }
    }

    /// The column as numbers in time order.
    ///
    /// # Errors
    /// [`MeasureError::WrongInput`] for labels and raw bytes, [`MeasureError::NonFinite`] where values are
    /// missing and `missing=error`.
    #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round to the nearest f64, as documented")]
    pub fn series(&self) -> Result<Series<'a>, MeasureError> {
        let values: Cow<'a, [f64]> = match self.values {
            Some(Values::Real(v) | Values::Time(v)) => Cow::Borrowed(&v[..self.take(v.len())]),
            Some(Values::Integer(v)) => v[..self.take(v.len())].iter().map(|&x| x as f64).collect(),
            Some(Values::Bytes(v)) => v[..self.take(v.len())].iter().map(|&x| f64::from(x)).collect(),
            Some(Values::Symbols(_)) => {
                return Err(self.wrong("numbers", "labels", "; the discrete and symbolic measures take labels"));
            }
            None => Cow::Borrowed(&[]),
        };
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
        match self.values {
            Some(Values::Bytes(v)) => Ok(Sequence::of_bytes(&v[..self.take(v.len())])),
            Some(Values::Integer(v)) => Ok(Sequence::of_ordered(&v[..self.take(v.len())])),
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
        match self.values {
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

    /// Values numbered densely; small integer ranges keep their order without a dictionary.
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
