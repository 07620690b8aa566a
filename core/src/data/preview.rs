//! The first rows of a file, as text.

use super::time;

/// Rows kept.
pub(super) const ROWS: usize = 20;

/// The first rows of every column as the file writes them, for a table to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// One list per column of the dataset, in its order: at most 20 values each.
    pub columns: Vec<Vec<String>>,
}

/// What a chunk's values look like.
pub(super) fn show(chunk: super::Chunk<'_>, into: &mut Vec<String>) {
    let room = ROWS.saturating_sub(into.len());
    match chunk {
        super::Chunk::Real(v) => into.extend(v.iter().take(room).map(f64::to_string)),
        super::Chunk::Time(v) => {
            into.extend(v.iter().take(room).map(|&x| time::iso(x).unwrap_or_else(|| x.to_string())));
        }
        super::Chunk::Integer(v) => into.extend(v.iter().take(room).map(i64::to_string)),
        super::Chunk::Symbols(v) => into.extend(v.iter().take(room).map(u32::to_string)),
        super::Chunk::Bytes(v) => into.extend(v.iter().take(room).map(u8::to_string)),
    }
}
