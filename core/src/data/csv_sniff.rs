//! Whether a text is a table, and what is between its fields.

use super::{
    csv_field::{Class, classify, trim},
    csv_rows::Rows,
};

/// What the first rows look like with one delimiter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Guess {
    /// The byte between fields.
    pub(super) delimiter: u8,
    /// The most common number of fields.
    fields: usize,
    /// The share of rows with that number.
    share: f64,
    /// The number of rows looked at.
    rows: usize,
    /// Some column holds nothing but numbers and dates below its first row.
    numeric: bool,
}

impl Guess {
    /// Good enough to read a file of unknown extension as a table.
    pub(super) fn is_table(&self) -> bool {
        self.rows >= 2 && self.numeric && self.share >= 0.9 && (self.fields >= 2 || self.delimiter == b',')
    }
}

/// The candidates. Earlier ones win: a semicolon between fields leaves commas for decimals, and
/// spaces are everywhere.
const DELIMITERS: [u8; 5] = [b'\t', b';', b'|', b',', b' '];
const MOST_ROWS: usize = 200;

/// The best delimiter for a text that begins with `head`; `whole` if that is all of it.
pub(super) fn guess(head: &[u8], whole: bool) -> Guess {
    let guesses = DELIMITERS.map(|d| look(head, whole, d));
    let tables = guesses.iter().filter(|g| g.fields >= 2 && (g.delimiter != b' ' || g.numeric));
    // All rows alike is best; failing that most rows, so that a ragged table is still seen as one.
    let clean = tables.clone().find(|g| g.share >= 1.0 && (g.numeric || g.delimiter != b' '));
    let best = clean.or_else(|| tables.filter(|g| g.share >= 0.5).max_by(|a, b| a.share.total_cmp(&b.share)));
    best.copied().unwrap_or(Guess { fields: 1, share: 1.0, ..guesses[3] })
}

fn look(head: &[u8], whole: bool, delimiter: u8) -> Guess {
    let mut rows = Rows::new(delimiter);
    let mut counts: Vec<usize> = Vec::new();
    // Per column: values that are numbers or dates, and values that are not.
    let mut kinds: Vec<(usize, usize)> = Vec::new();
    let mut each = |row: super::csv_rows::Row<'_>| {
        if counts.len() < MOST_ROWS {
            counts.push(row.len());
            if counts.len() > 1 || row.len() == 1 {
                kinds.resize(kinds.len().max(row.len()), (0, 0));
                for (kind, field) in kinds.iter_mut().zip(row.fields()) {
                    match classify(trim(field)) {
                        Class::Missing => {}
                        Class::Text => kind.1 += usize::from(counts.len() > 1),
                        _ => kind.0 += 1,
                    }
                }
            }
        }
        Ok(())
    };
    // A row that is too long ends the look; what was seen before it counts.
    let ok = rows.push(head, &mut each).is_ok();
    if ok && whole {
        let _ = rows.finish(&mut each);
    }
    let most = |n: usize| counts.iter().filter(|&&c| c == n).count();
    let fields = counts.iter().copied().max_by_key(|&n| (most(n), n)).unwrap_or(0);
    let share = if counts.is_empty() { 0.0 } else { most(fields) as f64 / counts.len() as f64 };
    let numeric = kinds.iter().any(|&(yes, no)| yes > 0 && no == 0);
    Guess { delimiter, fields, share, rows: counts.len(), numeric }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters() {
        for (text, delimiter, table) in [
            ("a,b\n1,2\n3,4\n", b',', true),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';', true),
            ("a\tb\n1\t2\n", b'\t', true),
            ("a|b\n1|2\n", b'|', true),
            ("  1  2.5\n  2  3.5\n", b' ', true),
            ("1\n2\n3\n", b',', true),
            ("x\n2\n3\n", b',', true),
            ("It was the best of times,\nit was the worst of times.\n", b',', false),
            ("two words\nmore words\n", b',', false),
            ("a,b\n1,2\n1,2\n1,2,3\n", b',', false),
            ("2020-01-01 00:00,5\n2020-01-02 00:00,6\n", b',', true),
        ] {
            let g = guess(text.as_bytes(), true);
            assert_eq!((g.delimiter, g.is_table()), (delimiter, table), "{text:?} {g:?}");
        }
    }
}
