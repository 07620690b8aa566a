//! The first pass over a table: counts rows and infers every column's type from all of its fields.

use super::{
    ColumnType, CsvOptions, DataError,
    csv::{Field, Layout},
    csv_field::{Class, classify, shorten, text, trim},
    csv_header::{split_unit, unique},
    csv_rows::{Row, Rows},
    dictionary,
    preview::ROWS,
};
use std::collections::{HashSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

/// What is known of one column.
#[derive(Default)]
struct Tally {
    missing: u64,
    integers: u64,
    numbers: u64,
    points: u64,
    commas: u64,
    times: u64,
    texts: u64,
    /// The first field of each class that may spoil a column of numbers: its line and text.
    odd_text: Option<(u64, Vec<u8>)>,
    odd_comma: Option<(u64, Vec<u8>)>,
    /// Some text is the same as the first row's.
    repeats_first: bool,
    /// Hashes of the distinct texts, and their bytes, until they are too many.
    labels: HashSet<u64>,
    label_bytes: u64,
    too_many: bool,
}

impl Tally {
    fn add(&mut self, field: &[u8], line: u64) {
        match classify(field) {
            Class::Missing => self.missing += 1,
            Class::Integer => self.integers += 1,
            Class::Number => self.numbers += 1,
            Class::Point => self.points += 1,
            Class::Comma => {
                self.commas += 1;
                self.odd_comma.get_or_insert_with(|| (line, field.to_vec()));
            }
            Class::Time => self.times += 1,
            Class::Text => {
                self.texts += 1;
                self.odd_text.get_or_insert_with(|| (line, field.to_vec()));
                self.label(field);
            }
        }
    }

    /// Counts distinct labels by hash: only a warning depends on it, so a collision does no harm.
    fn label(&mut self, field: &[u8]) {
        if self.too_many {
            return;
        }
        let mut hasher = DefaultHasher::new();
        field.hash(&mut hasher);
        if self.labels.insert(hasher.finish()) {
            self.label_bytes += field.len() as u64;
            if self.labels.len() > dictionary::MOST_LABELS || self.label_bytes > dictionary::MOST_BYTES {
                self.too_many = true;
                self.labels = HashSet::new();
            }
        }
    }

    const fn all_numbers(&self) -> u64 {
        self.integers + self.numbers + self.points + self.commas
    }

    /// The type, and the decimal mark where it matters.
    fn ty(&self, options: &CsvOptions, delimiter: u8) -> (ColumnType, u8) {
        let foreign = match options.decimal {
            Some(b',') => self.points,
            Some(_) => self.commas,
            // Between commas a decimal comma must have been quoted, and may as well be a thousands mark.
            None if delimiter == b',' => self.commas,
            None if self.points > 0 => self.commas,
            None => 0,
        };
        let numbers = self.all_numbers() - foreign;
        let mark = if self.commas > foreign { b',' } else { b'.' };
        let ty = if self.texts + foreign > 0 || (self.times > 0 && numbers > 0) {
            ColumnType::Symbols
        } else if self.times > 0 {
            ColumnType::Time
        } else if self.integers > 0 && self.integers == numbers && self.missing == 0 {
            ColumnType::Integer
        } else {
            ColumnType::Real
        };
        (ty, mark)
    }
}

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
            note_of(&name, i, ty, tally, latin1, &mut notes);
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

/// Says why a column that is mostly numbers is not one, and when a column has too many labels.
fn note_of(name: &str, i: usize, ty: ColumnType, tally: &Tally, latin1: bool, notes: &mut Vec<String>) {
    if ty != ColumnType::Symbols {
        return;
    }
    let others = tally.texts + tally.times;
    if let Some((line, odd)) = tally.odd_text.as_ref().or(tally.odd_comma.as_ref())
        && tally.all_numbers() > 9 * others
    {
        let shown = shorten(&text(odd, latin1), 40);
        notes.push(format!(
            "column {name:?} (field {}) is read as labels: line {line} has {shown:?}, where {} other rows have numbers",
            i + 1,
            tally.all_numbers() - u64::from(tally.texts == 0)
        ));
    }
    if tally.too_many {
        notes.push(format!(
            "column {name:?} (field {}) has more than {} distinct labels or {} MiB of them: it cannot be measured",
            i + 1,
            dictionary::MOST_LABELS,
            dictionary::MOST_BYTES >> 20
        ));
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

    /// The first row names the columns if it has a text above numbers; in a table of nothing but
    /// text, if its fields are unique, not empty, and no value of their own columns.
    fn looks_like_header(&self, options: &CsvOptions, delimiter: u8) -> bool {
        if self.count == 0 {
            return false;
        }
        let mut all_text = true;
        for (field, tally) in self.first.iter().zip(&self.tallies) {
            let class = classify(trim(field));
            let (ty, _) = tally.ty(options, delimiter);
            let has_values = tally.all_numbers() + tally.times > 0;
            if class == Class::Text && ty != ColumnType::Symbols && has_values {
                return true;
            }
            // A mostly numeric column with a few odd values still has its name above it.
            if class == Class::Text && tally.all_numbers() > 9 * (tally.texts + tally.times) {
                return true;
            }
            all_text = all_text && matches!(class, Class::Text);
        }
        let mut seen = HashSet::new();
        all_text && self.first.iter().all(|f| seen.insert(trim(f))) && !self.tallies.iter().any(|t| t.repeats_first)
    }
}
