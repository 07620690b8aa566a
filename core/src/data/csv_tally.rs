//! What is known of a table's column once all of its fields have been looked at: its type, and what is odd in it.

use super::{
    ColumnType, CsvOptions,
    csv_field::{Class, classify, shorten},
    dictionary,
};
use std::collections::{HashSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

/// As much of a field as a note may show: a sheet can refer to one long text from every column.
fn beginning(field: &[u8]) -> Vec<u8> {
    field[..field.len().min(1024)].to_vec()
}

/// What is known of one column.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) missing: u64,
    integers: u64,
    numbers: u64,
    points: u64,
    commas: u64,
    times: u64,
    pub(super) texts: u64,
    /// The first field of each class that may spoil a column of numbers: its line and text.
    odd_text: Option<(u64, Vec<u8>)>,
    odd_comma: Option<(u64, Vec<u8>)>,
    /// Some text is the same as the first row's.
    pub(super) repeats_first: bool,
    /// Hashes of the distinct texts, and their bytes, until they are too many.
    labels: HashSet<u64>,
    pub(super) label_bytes: u64,
    too_many: bool,
}

impl Tally {
    /// Looks at a trimmed field.
    pub(super) fn add(&mut self, field: &[u8], line: u64) {
        self.put(classify(field), field, line);
    }

    /// Counts a field of a class that is known already.
    pub(super) fn put(&mut self, class: Class, field: &[u8], line: u64) {
        match class {
            Class::Missing => self.missing += 1,
            Class::Integer => self.integers += 1,
            Class::Number => self.numbers += 1,
            Class::Point => self.points += 1,
            Class::Comma => {
                self.commas += 1;
                self.odd_comma.get_or_insert_with(|| (line, beginning(field)));
            }
            Class::Time => self.times += 1,
            Class::Text => {
                self.texts += 1;
                self.odd_text.get_or_insert_with(|| (line, beginning(field)));
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

    pub(super) const fn all_numbers(&self) -> u64 {
        self.integers + self.numbers + self.points + self.commas
    }

    /// The type, and the decimal mark where it matters.
    pub(super) fn ty(&self, options: &CsvOptions, delimiter: u8) -> (ColumnType, u8) {
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
    /// Whether a text above these fields is likely their name: they have values that are no texts, or mostly.
    pub(super) fn has_values_below(&self, options: &CsvOptions, delimiter: u8) -> bool {
        let (ty, _) = self.ty(options, delimiter);
        let others = self.texts + self.times;
        // A mostly numeric column with a few odd values still has its name above it.
        (ty != ColumnType::Symbols && self.all_numbers() + self.times > 0) || self.all_numbers() > 9 * others
    }

    /// Says why a column of labels that is mostly numbers is not one, and when it has too many labels.
    pub(super) fn note(
        &self,
        name: &str,
        place: &str,
        at: impl Fn(u64) -> String,
        text: impl Fn(&[u8]) -> String,
        notes: &mut Vec<String>,
    ) {
        let others = self.texts + self.times;
        if let Some((line, odd)) = self.odd_text.as_ref().or(self.odd_comma.as_ref())
            && self.all_numbers() > 9 * others
        {
            let (at, shown) = (at(*line), shorten(&text(odd), 40));
            notes.push(format!(
                "column {name:?} ({place}) is read as labels: {at} has {shown:?}, where {} other rows have numbers",
                self.all_numbers() - u64::from(self.texts == 0)
            ));
        }
        if self.too_many {
            notes.push(format!(
                "column {name:?} ({place}) has more than {} distinct labels or {} MiB of them: it cannot be measured",
                dictionary::MOST_LABELS,
                dictionary::MOST_BYTES >> 20
            ));
        }
    }
}
