//! Values on their way from a file: a decoder takes bytes in any portions and hands out chunks.

use super::{ColumnType, DataError, Symbols, Values};

/// A run of consecutive values of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chunk<'a> {
    /// Reals; missing values are NaN.
    Real(&'a [f64]),
    /// Integers.
    Integer(&'a [i64]),
    /// Codes of labels in order of first appearance; [`Symbols::MISSING`] where there is no value.
    Symbols(&'a [u32]),
    /// Seconds since 1970-01-01T00:00:00Z; missing values are NaN.
    Time(&'a [f64]),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Chunk<'_> {
    /// The number of values.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Real(v) | Self::Time(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Symbols(v) => v.len(),
            Self::Bytes(v) => v.len(),
        }
    }

    /// No value at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where a decoder puts values: the place of the column among the wanted ones, and a chunk of it.
pub(super) type Out<'a> = dyn FnMut(usize, Chunk<'_>) -> Result<(), DataError> + 'a;

/// Turns the decoded bytes of one file or member into values of the wanted columns.
pub(super) trait Decode {
    /// Takes the next bytes. Portions may be cut anywhere.
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError>;

    /// All bytes have been pushed: hands out what is left.
    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError>;

    /// The labels of the wanted column `slot`, once finished; empty for other types.
    fn take_labels(&mut self, _slot: usize) -> Vec<String> {
        Vec::new()
    }
}

/// Bytes that one value of a type takes in memory, without the labels of symbols.
pub(super) const fn width(ty: ColumnType) -> u64 {
    match ty {
        ColumnType::Real | ColumnType::Integer | ColumnType::Time => 8,
        ColumnType::Symbols => 4,
        ColumnType::Bytes => 1,
    }
}

/// An empty column with room for exactly `len` values, so that it never grows by doubling.
pub(super) fn reserve(ty: ColumnType, len: u64, name: &str, limit: u64) -> Result<Values, DataError> {
    let needed = len.saturating_mul(width(ty));
    let too_large = || DataError::TooLarge { what: format!("column {name:?} with {len} values"), needed, limit };
    if needed > limit {
        return Err(too_large());
    }
    let n = usize::try_from(len).map_err(|_| too_large())?;
    fn room<T>(n: usize) -> Option<Vec<T>> {
        let mut v = Vec::new();
        v.try_reserve_exact(n).ok()?;
        Some(v)
    }
    match ty {
        ColumnType::Real => room(n).map(Values::Real),
        ColumnType::Time => room(n).map(Values::Time),
        ColumnType::Integer => room(n).map(Values::Integer),
        ColumnType::Symbols => room(n).map(|codes| Values::Symbols(Symbols { codes, labels: Vec::new() })),
        ColumnType::Bytes => room(n).map(Values::Bytes),
    }
    .ok_or_else(too_large)
}

/// Appends a chunk to a column that was reserved for `len` values.
pub(super) fn append(values: &mut Values, chunk: Chunk<'_>, len: u64, name: &str) -> Result<(), DataError> {
    let changed = |what: &str| DataError::Changed { what: format!("column {name:?} {what}") };
    if (values.len() as u64).saturating_add(chunk.len() as u64) > len {
        return Err(changed("has more values"));
    }
    match (values, chunk) {
        (Values::Real(v), Chunk::Real(c)) | (Values::Time(v), Chunk::Time(c)) => v.extend_from_slice(c),
        (Values::Integer(v), Chunk::Integer(c)) => v.extend_from_slice(c),
        (Values::Symbols(s), Chunk::Symbols(c)) => s.codes.extend_from_slice(c),
        (Values::Bytes(v), Chunk::Bytes(c)) => v.extend_from_slice(c),
        _ => return Err(changed("has another type")),
    }
    Ok(())
}

/// A column's values as chunks of at most 8192, from memory.
pub(super) fn replay(
    values: &Values,
    sink: &mut dyn FnMut(Chunk<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    const RUN: usize = 8192;
    match values {
        Values::Real(v) => v.chunks(RUN).try_for_each(|c| sink(Chunk::Real(c))),
        Values::Time(v) => v.chunks(RUN).try_for_each(|c| sink(Chunk::Time(c))),
        Values::Integer(v) => v.chunks(RUN).try_for_each(|c| sink(Chunk::Integer(c))),
        Values::Symbols(s) => s.codes.chunks(RUN).try_for_each(|c| sink(Chunk::Symbols(c))),
        Values::Bytes(v) => v.chunks(RUN).try_for_each(|c| sink(Chunk::Bytes(c))),
    }
}
