//! Labels and their codes.

use super::{DataError, Symbols};
use std::collections::HashMap;

/// The most distinct labels of a column.
pub(super) const MOST_LABELS: usize = 1 << 20;
/// The most bytes that the distinct labels of a column may have together.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// Gives every label a code, in order of first appearance.
#[derive(Default)]
pub(super) struct Dictionary {
    codes: HashMap<Box<[u8]>, u32>,
    bytes: u64,
}

impl Dictionary {
    /// The code of a label.
    pub(super) fn code(&mut self, label: &[u8], column: &str) -> Result<u32, DataError> {
        if let Some(&code) = self.codes.get(label) {
            return Ok(code);
        }
        self.bytes += label.len() as u64;
        let too_large = |what: String, needed, limit| Err(DataError::TooLarge { what, needed, limit });
        if self.bytes > MOST_BYTES {
            return too_large(format!("the list of distinct labels of column {column:?}"), self.bytes, MOST_BYTES);
        }
        let code = u32::try_from(self.codes.len()).unwrap_or(Symbols::MISSING);
        if self.codes.len() >= MOST_LABELS {
            let what = format!("column {column:?} has more than {MOST_LABELS} distinct labels; a table of them");
            return too_large(what, self.bytes.max(MOST_BYTES + 1), MOST_BYTES);
        }
        self.codes.insert(label.into(), code);
        Ok(code)
    }

    /// All labels in the order of their codes.
    pub(super) fn into_labels(self, read: impl Fn(&[u8]) -> String) -> Vec<String> {
        let mut labels: Vec<_> = self.codes.into_iter().collect();
        labels.sort_unstable_by_key(|&(_, code)| code);
        labels.into_iter().map(|(label, _)| read(&label)).collect()
    }
}
