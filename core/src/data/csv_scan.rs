//! The first pass over a table: counts rows and infers every column's type from all of its fields.

use super::{
    ColumnType, CsvOptions, DataError,
    csv::{Field, Layout},
    csv_field::{Class, classify, shorten, text, trim},
    csv_header::{Top, names_columns, split_unit, unique},
    csv_rows::{Row, Rows},
    csv_tally::Tally,
    preview::ROWS,
};

/// The first pass.
pub(super) struct Scan {
    options: CsvOptions,
    delimiter: u8,
    rows: Rows,
    state: State,
}

#[derive(Default)]
struct State {
    first: Vec<Vec<u8>>,
    first_line: u64,
    tallies: Vec<Tally>,
    /// Rows after the first.
    count: u64,
    /// Rows without a single value at what may be the end.
    empty: u64,
    /// A row with the wrong number of fields, held until it is known whether it is the last.
    ragged: Option<(u64, usize)>,
    invalid_utf8: bool,
    preview: Vec<Vec<Vec<u8>>>,
}

/// What the first pass found.
pub(super) struct Scanned {
    pub(super) layout: Layout,
    /// Per column, the first rows as text.
    pub(super) preview: Vec<Vec<String>>,
    pub(super) notes: Vec<String>,
    /// Bytes of labels per column.
    pub(super) label_bytes: Vec<u64>,
}

impl Scan {
    pub(super) fn new(delimiter: u8, options: CsvOptions) -> Self {
        Self { options, delimiter, rows: Rows::new(delimiter), state: State::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let state = &mut self.state;
        self.rows.push(bytes, &mut |row| state.row(row))
    }

    /// The end of the file: decides about the header and the types.
    pub(super) fn finish(mut self, name: &str) -> Result<Scanned, DataError> {
        let state = &mut self.state;
        self.rows.finish(&mut |row| state.row(row))?;
        if let Some((line, found)) = state.ragged {
            let hint = "; it is the last row, the file may be cut off";
            return Err(DataError::Ragged { line, expected: state.first.len(), found, hint });
        }
        if state.first.is_empty() {
            return Err(DataError::Empty { name: name.to_owned(), what: "it has no row" });
        }
        let header = self.options.header.unwrap_or_else(|| state.looks_like_header(&self.options, self.delimiter));
        if !header {
            let line = state.first_line;
            for (tally, field) in state.tallies.iter_mut().zip(&state.first) {
                tally.add(trim(field), line);
            }
        }
        let rows = state.count + u64::from(!header);
        if rows == 0 {
            return Err(DataError::Empty { name: name.to_owned(), what: "it has a header and no row below it" });
        }
        let commented = if header { None } else { self.names_in_comment() };
        self.conclude(header, rows, commented)
    }

    /// The names of the columns, where a comment just above the table lists as many as there are.
    fn names_in_comment(&self) -> Option<Vec<Vec<u8>>> {
        if self.options.header == Some(false) || self.rows.comment.is_empty() {
            return None;
        }
        let mut names = Vec::new();
        let mut rows = Rows::new(self.delimiter);
        let mut each = |row: Row<'_>| {
            names = row.fields().map(<[u8]>::to_vec).collect();
            Ok(())
        };
        rows.push(self.rows.comment.trim_ascii(), &mut each).ok()?;
        rows.finish(&mut each).ok()?;
        let fit = names.len() == self.state.first.len() && names.iter().all(|n| classify(trim(n)) == Class::Text);
        // One word in a comment above one column is more likely a remark.
        (fit && names.len() > 1).then_some(names)
    }

    fn conclude(self, header: bool, rows: u64, commented: Option<Vec<Vec<u8>>>) -> Result<Scanned, DataError> {
        let state = self.state;
        let latin1 = state.invalid_utf8;
        let mut notes = Vec::new();
        if latin1 {
            notes.push("not valid UTF-8: read as Latin-1 (ISO 8859-1)".to_owned());
        }
        let titles: Vec<String> = match (&commented, header) {
            (Some(names), _) => names.iter().map(|n| text(n, latin1)).collect(),
            (None, true) => state.first.iter().map(|n| text(n, latin1)).collect(),
            (None, false) => vec![String::new(); state.first.len()],
        };
        let (mut names, units): (Vec<_>, Vec<_>) = titles.iter().map(|t| split_unit(t)).unzip();
        unique(&mut names);
        let mut fields = Vec::with_capacity(names.len());
        for (i, ((name, unit), tally)) in names.into_iter().zip(units).zip(&state.tallies).enumerate() {
            let (ty, mark) = tally.ty(&self.options, self.delimiter);
            if ty == ColumnType::Symbols {
                let shown = |field: &[u8]| text(field, latin1);
                tally.note(&name, &format!("field {}", i + 1), |line| format!("line {line}"), shown, &mut notes);
            }
            fields.push(Field { name, unit, ty, mark, missing: tally.missing });
        }
        let preview = (0..fields.len())
            .map(|c| {
                let first = (!header).then(|| &state.first[c]).into_iter();
                let rest = state.preview.iter().map(|r| &r[c]);
                first.chain(rest).take(ROWS).map(|f| shorten(text(trim(f), latin1).as_str(), 200)).collect()
            })
            .collect();
        let label_bytes = state.tallies.iter().map(|t| t.label_bytes).collect();
        let layout = Layout { delimiter: self.delimiter, header, rows, latin1, fields };
        Ok(Scanned { layout, preview, notes, label_bytes })
    }
}

impl State {
    fn row(&mut self, row: Row<'_>) -> Result<(), DataError> {
        if let Some((line, found)) = self.ragged {
            return Err(DataError::Ragged { line, expected: self.first.len(), found, hint: "" });
        }
        if self.first.is_empty() {
            if row.fields().all(|f| trim(f).is_empty()) {
                return Ok(());
            }
            self.first = row.fields().map(<[u8]>::to_vec).collect();
            self.first_line = row.line;
            self.tallies.resize_with(row.len(), Tally::default);
            self.invalid_utf8 = row.fields().any(|f| std::str::from_utf8(f).is_err());
            return Ok(());
        }
        if row.len() != self.first.len() {
            self.ragged = Some((row.line, row.len()));
            return Ok(());
        }
        if row.fields().all(|f| trim(f).is_empty()) {
            self.empty += 1;
            return Ok(());
        }
        if self.empty > 0 {
            self.settle_empty();
        }
        if self.preview.len() < ROWS {
            // Long fields are cut here, so that the preview stays small.
            self.preview.push(row.fields().map(|f| f[..f.len().min(1024)].to_vec()).collect());
        }
        for (i, field) in row.fields().enumerate() {
            let field = trim(field);
            let tally = &mut self.tallies[i];
            let before = tally.texts;
            tally.add(field, row.line);
            if tally.texts > before {
                self.invalid_utf8 = self.invalid_utf8 || std::str::from_utf8(field).is_err();
                tally.repeats_first = tally.repeats_first || trim(&self.first[i]) == field;
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Empty rows that turned out not to be the last ones are rows of missing values.
    fn settle_empty(&mut self) {
        for tally in &mut self.tallies {
            tally.missing += self.empty;
        }
        for _ in 0..self.empty.min(ROWS as u64) {
            if self.preview.len() < ROWS {
                self.preview.push(vec![Vec::new(); self.first.len()]);
            }
        }
        self.count += self.empty;
        self.empty = 0;
    }

    fn looks_like_header(&self, options: &CsvOptions, delimiter: u8) -> bool {
        let tops = self.first.iter().zip(&self.tallies).map(|(field, tally)| Top {
            field: trim(field),
            is_text: classify(trim(field)) == Class::Text,
            above_values: tally.has_values_below(options, delimiter),
            repeated: tally.repeats_first,
        });
        self.count > 0 && names_columns(tops)
    }
}
