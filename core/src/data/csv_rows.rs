//! Rows of a table from bytes that come in any portions.

use super::DataError;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// A row longer than this is an open quote that swallows the file.
const LONGEST_ROW: usize = 16 << 20;
/// A table wider than this is no table.
const MOST_FIELDS: usize = 1 << 16;
/// What is kept of a comment, in case it holds the names of the columns.
const COMMENT: usize = 4096;

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    /// The line on which it starts, from 1.
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    /// The number of fields.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Field `i`, unquoted; nothing beyond the last.
    pub(super) fn field(&self, i: usize) -> &'a [u8] {
        let Some(&end) = self.ends.get(i) else { return &[] };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[start..end]
    }

    /// All fields, unquoted.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..self.len()).map(|i| self.field(i))
    }
}

/// Where in the file the parser is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first three bytes may be a byte order mark.
    Mark,
    /// At the start of a line before the table.
    Before,
    /// In a comment before the table.
    Comment,
    /// In the table.
    Table,
}

/// The parser: skips a byte order mark, blank lines and leading `#` comments, then splits rows.
pub(super) struct Rows {
    core: Reader,
    spaces: Option<Spaces>,
    phase: Phase,
    mark: Vec<u8>,
    /// The last comment before the table, without its `#`.
    pub(super) comment: Vec<u8>,
    out: Vec<u8>,
    out_at: usize,
    ends: Vec<usize>,
    ends_at: usize,
    /// Complete lines behind us.
    lines: u64,
    row_line: u64,
    fresh: bool,
}

type Each<'a> = dyn FnMut(Row<'_>) -> Result<(), DataError> + 'a;

impl Rows {
    /// A parser for fields between `delimiter`; a space stands for runs of white space.
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            spaces: (delimiter == b' ').then(Spaces::default),
            phase: Phase::Mark,
            mark: Vec::new(),
            comment: Vec::new(),
            out: vec![0; 1024],
            out_at: 0,
            ends: vec![0; 64],
            ends_at: 0,
            lines: 0,
            row_line: 1,
            fresh: true,
        }
    }

    /// Takes the next bytes and calls `each` for every row that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut Each<'_>) -> Result<(), DataError> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let mut rest = bytes;
        if self.phase == Phase::Mark {
            while let Some((&b, tail)) = rest.split_first() {
                if MARK.get(self.mark.len()) != Some(&b) {
                    break;
                }
                self.mark.push(b);
                rest = tail;
            }
            if rest.is_empty() {
                return Ok(());
            }
            self.phase = Phase::Before;
            let mark = std::mem::take(&mut self.mark);
            if mark != MARK {
                self.before(&mark, each)?;
            }
        }
        self.before(rest, each)
    }

    /// All bytes have been pushed.
    pub(super) fn finish(&mut self, each: &mut Each<'_>) -> Result<(), DataError> {
        if self.phase == Phase::Mark && self.mark.len() < 3 {
            let mark = std::mem::take(&mut self.mark);
            self.phase = Phase::Before;
            self.before(&mark, each)?;
        }
        if self.phase == Phase::Table { self.split(&[], each) } else { Ok(()) }
    }

    /// Skips what comes before the table.
    fn before(&mut self, mut rest: &[u8], each: &mut Each<'_>) -> Result<(), DataError> {
        while self.phase != Phase::Table {
            let Some((&b, tail)) = rest.split_first() else {
                return Ok(());
            };
            match (self.phase, b) {
                (_, b'\n') => {
                    self.lines += 1;
                    self.phase = Phase::Before;
                }
                (Phase::Comment, _) => {
                    if self.comment.len() < COMMENT {
                        self.comment.push(b);
                    }
                }
                (_, b'\r') => {}
                (_, b'#') => {
                    self.comment.clear();
                    self.phase = Phase::Comment;
                }
                _ => {
                    self.phase = Phase::Table;
                    break;
                }
            }
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(());
        }
        match self.spaces.take() {
            None => self.split(rest, each),
            Some(mut spaces) => {
                let squeezed = spaces.squeeze(rest);
                self.spaces = Some(spaces);
                if squeezed.is_empty() { Ok(()) } else { self.split(&squeezed, each) }
            }
        }
    }

    /// Splits; no bytes mean the end of the file.
    fn split(&mut self, bytes: &[u8], each: &mut Each<'_>) -> Result<(), DataError> {
        let end = bytes.is_empty();
        let mut rest = bytes;
        loop {
            if self.fresh && !end {
                // Line ends left over and blank lines: skipped here, so that the row's line is known.
                while let Some((&b @ (b'\n' | b'\r'), tail)) = rest.split_first() {
                    self.lines += u64::from(b == b'\n');
                    rest = tail;
                }
                if rest.is_empty() {
                    return Ok(());
                }
                self.row_line = self.lines + 1;
                self.fresh = false;
            }
            if (end && self.fresh) || (!end && rest.is_empty()) {
                return Ok(());
            }
            let (result, taken, out, ends) =
                self.core.read_record(rest, &mut self.out[self.out_at..], &mut self.ends[self.ends_at..]);
            self.out_at += out;
            self.ends_at += ends;
            let newlines = rest[..taken].iter().filter(|&&b| b == b'\n').count();
            self.lines += newlines as u64;
            rest = &rest[taken..];
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::OutputFull => self.grow(false)?,
                ReadRecordResult::OutputEndsFull => self.grow(true)?,
                ReadRecordResult::Record => {
                    let row =
                        Row { bytes: &self.out[..self.out_at], ends: &self.ends[..self.ends_at], line: self.row_line };
                    each(row)?;
                    self.out_at = 0;
                    self.ends_at = 0;
                    self.fresh = true;
                }
            }
        }
    }

    fn grow(&mut self, ends: bool) -> Result<(), DataError> {
        if ends {
            if self.ends.len() >= MOST_FIELDS {
                let (what, limit) = (format!("the row in line {}", self.row_line), MOST_FIELDS as u64);
                return Err(DataError::Unsupported {
                    what: format!("{what}, with more than {limit} fields,"),
                    instead: "choose another delimiter, or open the file as text",
                });
            }
            self.ends.resize(self.ends.len() * 2, 0);
        } else {
            if self.out.len() >= LONGEST_ROW {
                return Err(DataError::Unsupported {
                    what: format!(
                        "the row that starts in line {} and has more than {LONGEST_ROW} bytes",
                        self.row_line
                    ),
                    instead: "look there for a quote that is opened and never closed",
                });
            }
            self.out.resize(self.out.len() * 2, 0);
        }
        Ok(())
    }
}

/// Turns runs of spaces and tabs into one space, and drops those at either end of a line.
struct Spaces {
    line_start: bool,
    gap: bool,
    quoted: bool,
}

impl Default for Spaces {
    fn default() -> Self {
        Self { line_start: true, gap: false, quoted: false }
    }
}

impl Spaces {
    fn squeeze(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for &b in bytes {
            match b {
                b' ' | b'\t' if !self.quoted => self.gap = true,
                b'\n' | b'\r' if !self.quoted => {
                    (self.gap, self.line_start) = (false, true);
                    out.push(b);
                }
                _ => {
                    if self.gap && !self.line_start {
                        out.push(b' ');
                    }
                    if b == b'"' && (self.quoted || self.gap || self.line_start) {
                        self.quoted = !self.quoted;
                    }
                    (self.gap, self.line_start) = (false, false);
                    out.push(b);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(delimiter: u8, portions: &[&[u8]]) -> Vec<(u64, Vec<String>)> {
        let mut rows = Rows::new(delimiter);
        let mut found = Vec::new();
        let mut each = |row: Row<'_>| {
            found.push((row.line, row.fields().map(|f| String::from_utf8_lossy(f).into_owned()).collect::<Vec<_>>()));
            Ok(())
        };
        for p in portions {
            rows.push(p, &mut each).unwrap();
        }
        rows.finish(&mut each).unwrap();
        found
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|s| (*s).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_through_comments_blanks_and_quotes() {
        let text = "\u{FEFF}# a comment\r\n\r\n# x,y\r\na,b\r\n\"1\n2\",3\r\n\r\n4,\"5\"\"6\"";
        let expected = vec![row(4, &["a", "b"]), row(5, &["1\n2", "3"]), row(8, &["4", "5\"6"])];
        assert_eq!(all(b',', &[text.as_bytes()]), expected);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(all(b',', &bytes), expected);
    }

    #[test]
    fn runs_of_white_space_are_one_delimiter() {
        let text = "  a   b\t c \n 1 \"x  y\" 3\n";
        assert_eq!(all(b' ', &[text.as_bytes()]), vec![row(1, &["a", "b", "c"]), row(2, &["1", "x  y", "3"])]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_a_file() {
        let mut rows = Rows::new(b',');
        let mut each = |_: Row<'_>| Ok(());
        rows.push(b"a,b\n1,\"2\n", &mut each).unwrap();
        let result = (0..32).try_for_each(|_| rows.push(&[b'x'; 1 << 20], &mut each));
        assert!(result.unwrap_err().to_string().contains("line 2"));
    }

    proptest! {
        #[test]
        fn any_portions_give_the_same_rows(text in "[ab,\"\n\r# ]{0,60}", cut in 1_usize..7, space in any::<bool>()) {
            let delimiter = if space { b' ' } else { b',' };
            let portions: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            prop_assert_eq!(all(delimiter, &portions), all(delimiter, &[text.as_bytes()]));
        }

        #[test]
        fn quoted_tables_are_read_as_the_csv_crate_does(
            table in proptest::collection::vec(proptest::collection::vec("[a-c,;\"\n ]{0,6}", 2..5), 1..8), cut in 1_usize..50,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for r in &table {
                writer.write_record(r).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let portions: Vec<&[u8]> = text.chunks(cut).collect();
            let found: Vec<Vec<String>> = all(b',', &portions).into_iter().map(|(_, r)| r).collect();
            let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(&text[..]);
            let oracle: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(found, oracle);
        }
    }
}
