//! The first pass over JSON records: counts them, and infers every column's type from all of its values.

use super::{
    ColumnType, DataError,
    csv_field::shorten,
    csv_header::unique,
    dictionary,
    json::{Field, Layout, label, take},
    json_split::{Between, Splitter},
    json_visit::{Node, Places, ROOT, Scalar, Sink},
    npy::MOST_COLUMNS,
    preview::ROWS,
    time,
};

/// More different members than this are no table.
const MOST_PLACES: usize = 4096;

/// The place of all elements beyond those that can be columns, one past [`MOST_COLUMNS`].
const REST: usize = 65;
const _: () = assert!(REST as u64 == MOST_COLUMNS + 1);

/// What is known of one place.
#[derive(Clone, Default)]
struct Tally {
    nulls: u64,
    bools: u64,
    integers: u64,
    reals: u64,
    times: u64,
    texts: u64,
    text_bytes: u64,
    nested: u64,
    /// The record, from 1, in which it was last seen.
    stamp: u64,
    preview: Vec<String>,
}

impl Tally {
    const fn numbers(&self) -> u64 {
        self.integers + self.reals
    }

    const fn values(&self) -> u64 {
        self.bools + self.numbers() + self.times + self.texts
    }

    fn ty(&self, missing: u64) -> ColumnType {
        let numbers = self.numbers() + self.bools;
        if self.texts > 0 || (self.times > 0 && numbers > 0) {
            ColumnType::Symbols
        } else if self.times > 0 {
            ColumnType::Time
        } else if numbers > 0 && self.reals == 0 && missing == 0 {
            ColumnType::Integer
        } else {
            ColumnType::Real
        }
    }
}

/// The first pass.
pub(super) struct Scan {
    splitter: Splitter,
    state: State,
}

struct State {
    places: Places,
    tallies: Vec<Tally>,
    rows: u64,
    /// Elements of the first record, if it is an array.
    width: Option<usize>,
    /// The record at work is an array.
    listing: bool,
    /// The one object so far, which may be all that the file is.
    alone: Option<Vec<u8>>,
}

/// What the first pass found.
pub(super) enum Scanned {
    Records {
        layout: Layout,
        preview: Vec<Vec<String>>,
        notes: Vec<String>,
        label_bytes: u64,
    },
    /// One object, which is the whole file.
    Object {
        text: Vec<u8>,
        nans: u64,
    },
}

impl Scan {
    pub(super) fn new(between: Between) -> Self {
        let state = State {
            places: Places::new(),
            tallies: vec![Tally::default()],
            rows: 0,
            width: None,
            listing: false,
            alone: None,
        };
        Self { splitter: Splitter::new(between), state }
    }

    pub(super) fn push(&mut self, bytes: &[u8], between: Between) -> Result<(), DataError> {
        let state = &mut self.state;
        self.splitter.push(bytes, &mut |record, offset| state.record(record, offset, between))
    }

    pub(super) fn finish(mut self, name: &str, between: Between) -> Result<Scanned, DataError> {
        let state = &mut self.state;
        self.splitter.finish(&mut |record, offset| state.record(record, offset, between))?;
        let nans = self.splitter.nans;
        if let Some(text) = state.alone.take() {
            return Ok(Scanned::Object { text, nans });
        }
        if state.rows == 0 {
            return Err(DataError::Empty { name: name.to_owned(), what: "it has no value" });
        }
        self.state.conclude(between, nans)
    }
}

impl State {
    fn record(&mut self, record: &[u8], offset: u64, between: Between) -> Result<(), DataError> {
        if between == Between::Space {
            // The first object waits for a second: without one, its members are the data.
            if self.rows == 0 && self.alone.is_none() && record.first() == Some(&b'{') {
                self.alone = Some(record.to_vec());
                return Ok(());
            }
            if let Some(first) = self.alone.take() {
                self.one(&first, 0)?;
            }
        }
        self.one(record, offset)
    }

    fn one(&mut self, record: &[u8], offset: u64) -> Result<(), DataError> {
        self.listing = false;
        take(record, offset, self)?;
        self.rows += 1;
        Ok(())
    }

    fn conclude(self, between: Between, nans: u64) -> Result<Scanned, DataError> {
        let Self { places, tallies, rows, width, .. } = self;
        let whole = width.is_some_and(|w| w as u64 > MOST_COLUMNS);
        let len = if whole { rows.saturating_mul(width.unwrap_or(1) as u64) } else { rows };
        let (mut fields, mut preview, mut notes, mut nested) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        if nans > 0 {
            notes.push(format!("{nans} times NaN, which JSON does not have, is read as missing"));
        }
        let mut label_bytes = 0_u64;
        for (node, tally) in tallies.into_iter().enumerate() {
            if tally.nested > 0 {
                nested.push(places.name(node).to_owned());
            }
            // What is nothing but null is a column as long as nothing else is known of it.
            if tally.values() == 0 && (tally.nulls == 0 || tally.nested > 0) {
                continue;
            }
            let missing = len.saturating_sub(tally.values());
            let ty = tally.ty(missing);
            let name = match (node, width) {
                (ROOT, _) => "values".to_owned(),
                (_, Some(_)) if whole => "values".to_owned(),
                (n, Some(_)) => format!("column {n}"),
                (n, None) => places.name(n).to_owned(),
            };
            if ty == ColumnType::Symbols {
                label_bytes = label_bytes.saturating_add(tally.text_bytes.min(dictionary::MOST_BYTES));
                if tally.numbers() > 0 {
                    let (texts, numbers) = (tally.texts + tally.times, tally.numbers());
                    notes.push(format!("{name:?} is read as labels: it has {texts} texts beside {numbers} numbers"));
                }
            }
            fields.push(Field { name, ty, missing, node });
            preview.push(tally.preview);
        }
        if !nested.is_empty() {
            nested.truncate(12);
            notes.push(format!("arrays inside records are not read: {}", nested.join(", ")));
        }
        if fields.is_empty() {
            let what = "JSON records without a number, text or date".to_owned();
            let instead = "an array of numbers, of objects, or of arrays of numbers can";
            return Err(DataError::Unsupported { what, instead });
        }
        let mut names: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
        unique(&mut names);
        fields.iter_mut().zip(names).for_each(|(field, name)| field.name = name);
        let layout = Layout { between, places, fields, rows, width };
        Ok(Scanned::Records { layout, preview, notes, label_bytes })
    }
}

impl Sink for State {
    fn member(&mut self, node: Node, key: &str) -> Result<Option<Node>, String> {
        if self.width.is_some() || self.listing {
            return Err("an object among arrays".to_owned());
        }
        if self.places.len() > MOST_PLACES && self.places.find(node, key).is_none() {
            return Err(format!("more than {MOST_PLACES} different members, which is no table"));
        }
        let child = self.places.add(node, key);
        if child >= self.tallies.len() {
            self.tallies.push(Tally::default());
        }
        Ok(Some(child))
    }

    fn element(&mut self, i: usize) -> Result<Option<Node>, String> {
        if self.rows > 0 && self.width.is_none() {
            return Err("an array where the first record is none".to_owned());
        }
        self.listing = true;
        // The first record's width is not known yet; wide ones are put together at its end.
        let node = if self.width.is_some_and(|w| w as u64 > MOST_COLUMNS) { 1 } else { i + 1 };
        while self.tallies.len() <= node.min(REST) {
            self.tallies.push(Tally::default());
            let key = self.tallies.len().to_string();
            self.places.add(ROOT, &key);
        }
        Ok(Some(node.min(REST)))
    }

    fn width(&mut self, n: usize) -> Result<(), String> {
        match self.width {
            Some(w) if w == n => Ok(()),
            Some(w) => Err(format!("record {} has {n} elements, the first one has {w}", self.rows + 1)),
            None => {
                self.width = Some(n);
                if n as u64 > MOST_COLUMNS {
                    let rest = self.tallies.split_off(2);
                    let all = &mut self.tallies[1];
                    for t in rest {
                        all.nulls += t.nulls;
                        all.bools += t.bools;
                        all.integers += t.integers;
                        all.reals += t.reals;
                        all.times += t.times;
                        all.texts += t.texts;
                        all.text_bytes += t.text_bytes;
                        all.nested += t.nested;
                        all.preview.extend(t.preview);
                    }
                    all.preview.truncate(ROWS);
                } else {
                    // The place after the last element was made to look for one more.
                    self.tallies.truncate(n + 1);
                }
                Ok(())
            }
        }
    }

    fn nested(&mut self, node: Node) {
        self.tallies[node].nested += 1;
    }

    fn scalar(&mut self, node: Node, scalar: Scalar<'_>) -> Result<(), String> {
        let stamp = self.rows + 1;
        let together = node == REST || self.width.is_some_and(|w| w as u64 > MOST_COLUMNS);
        let tally = &mut self.tallies[node];
        if tally.stamp == stamp && !together {
            return Err(format!("{:?} is there twice", self.places.name(node)));
        }
        tally.stamp = stamp;
        if node == ROOT && self.width.is_some() {
            return Err("a single value where the first record is an array".to_owned());
        }
        match scalar {
            Scalar::Null => tally.nulls += 1,
            Scalar::Bool(_) => tally.bools += 1,
            Scalar::Integer(_) => tally.integers += 1,
            Scalar::Real(_) => tally.reals += 1,
            Scalar::Text(t) if time::parse(t.as_bytes()).is_some() => tally.times += 1,
            Scalar::Text(_) => tally.texts += 1,
        }
        if let Scalar::Text(t) = scalar {
            tally.text_bytes += t.len() as u64;
        }
        if tally.preview.len() < ROWS {
            tally.preview.push(shorten(&label(scalar), 200));
        }
        Ok(())
    }
}
