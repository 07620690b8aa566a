//! Texts and their codes, in the limits that `surprisal-core` has for every column of labels.

use std::collections::HashMap;

use crate::{Error, MISSING};

/// The most distinct labels of a column.
pub const MOST_LABELS: usize = 1 << 20;
/// The most bytes that the distinct labels of a column may have together.
pub const MOST_BYTES: u64 = 64 << 20;

/// Gives every label a code, in order of first appearance.
#[derive(Default)]
pub(crate) struct Dictionary {
    codes: HashMap<Box<str>, u32>,
    bytes: u64,
}

impl Dictionary {
    /// The code of a label, or why there are too many.
    pub(crate) fn code(&mut self, label: &str, column: &str) -> Result<u32, Error> {
        if let Some(&code) = self.codes.get(label) {
            return Ok(code);
        }
        self.bytes += label.len() as u64;
        let too_large = |what, needed| Err(Error::TooLarge { what, needed, limit: MOST_BYTES });
        if self.bytes > MOST_BYTES {
            return too_large(format!("the list of distinct labels of column {column:?}"), self.bytes);
        }
        if self.codes.len() >= MOST_LABELS {
            let what = format!("column {column:?} has more than {MOST_LABELS} distinct labels; a table of them");
            return too_large(what, self.bytes.max(MOST_BYTES + 1));
        }
        let code = u32::try_from(self.codes.len()).unwrap_or(MISSING);
        self.codes.insert(label.into(), code);
        Ok(code)
    }

    /// All labels in the order of their codes.
    pub(crate) fn into_labels(self) -> Vec<String> {
        let mut labels: Vec<_> = self.codes.into_iter().collect();
        labels.sort_unstable_by_key(|&(_, code)| code);
        labels.into_iter().map(|(label, _)| label.into_string()).collect()
    }
}
