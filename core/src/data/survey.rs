//! What the first pass over typed values finds out: gaps, magnitudes, the first rows.

use super::{
    chunk::Chunk,
    preview::{ROWS, show},
};

/// One entry per column.
pub(super) struct Survey {
    /// Values that are NaN.
    pub(super) missing: Vec<u64>,
    /// The largest magnitude.
    pub(super) largest: Vec<f64>,
    /// The first rows as text.
    pub(super) preview: Vec<Vec<String>>,
}

impl Survey {
    /// For so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self { missing: vec![0; columns], largest: vec![0.0; columns], preview: vec![Vec::new(); columns] }
    }

    /// Looks at the next values of a column.
    pub(super) fn look(&mut self, column: usize, chunk: Chunk<'_>) {
        let largest = &mut self.largest[column];
        match chunk {
            Chunk::Real(v) | Chunk::Time(v) => {
                self.missing[column] += v.iter().filter(|x| x.is_nan()).count() as u64;
                *largest = v.iter().fold(*largest, |m, x| m.max(x.abs()));
            }
            Chunk::Integer(v) => *largest = v.iter().fold(*largest, |m, &x| m.max((x as f64).abs())),
            Chunk::Symbols(_) | Chunk::Bytes(_) => {}
        }
        if self.preview[column].len() < ROWS {
            show(chunk, &mut self.preview[column]);
        }
    }
}
