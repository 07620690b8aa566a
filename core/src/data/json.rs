//! JSON records: the elements of an array, or JSON lines, each an object, an array or a scalar. Members become
//! columns, those of objects inside too (`pos.x`); what is absent or `null` is missing.

use super::{
    ColumnType, DataError, Symbols,
    chunk::{Chunk, Decode, Out},
    dictionary::Dictionary,
    json_split::{Between, Splitter, wrong},
    json_visit::{At, Node, Places, ROOT, Scalar, Sink},
    time,
};
use serde::de::DeserializeSeed;
use std::borrow::Cow;

/// Values handed out at a time.
const RUN: usize = 8192;

/// One column.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: ColumnType,
    pub(super) missing: u64,
    pub(super) node: Node,
}

/// All that is needed to read the records again.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) between: Between,
    pub(super) places: Places,
    pub(super) fields: Vec<Field>,
    pub(super) rows: u64,
    /// The records are arrays of so many numbers: of more than 64, all are one column, row by row.
    pub(super) width: Option<usize>,
}

impl Layout {
    /// Whether all elements are in one column.
    pub(super) fn is_whole(&self) -> bool {
        self.width.is_some_and(|w| w as u64 > super::npy::MOST_COLUMNS)
    }

    /// The number of values of a column.
    pub(super) fn len(&self) -> u64 {
        if self.is_whole() { self.rows.saturating_mul(self.width.unwrap_or(1) as u64) } else { self.rows }
    }

    /// The shape of the matrix that the records are, if they are one.
    pub(super) fn matrix(&self) -> Option<[u64; 2]> {
        let numbers = |f: &Field| matches!(f.ty, ColumnType::Real | ColumnType::Integer);
        let width = self.width.filter(|&w| w > 1)? as u64;
        self.fields.iter().all(numbers).then_some([self.rows, width])
    }
}

/// One record into `sink`; `offset` is where it begins.
pub(super) fn take<S: Sink>(record: &[u8], offset: u64, sink: &mut S) -> Result<(), DataError> {
    let refuse = |e: serde_json::Error| {
        let hint = if record.windows(8).any(|w| w == b"Infinity") { "; JSON has no Infinity, write null" } else { "" };
        let text = e.to_string();
        let why = text.rsplit_once(" at line ").map_or(&text[..], |(why, _)| why);
        // All white space inside is spaces, so that the column is the place.
        wrong(offset.saturating_add((e.column() as u64).saturating_sub(1)), format!("{why}{hint}"))
    };
    let mut deserializer = serde_json::Deserializer::from_slice(record);
    At { sink, node: ROOT }.deserialize(&mut deserializer).map_err(refuse)?;
    deserializer.end().map_err(refuse)
}

/// A scalar's text as a label.
pub(super) fn label(scalar: Scalar<'_>) -> Cow<'_, str> {
    match scalar {
        Scalar::Null => Cow::Borrowed(""),
        Scalar::Bool(b) => Cow::Borrowed(if b { "true" } else { "false" }),
        Scalar::Integer(n) => Cow::Owned(n.to_string()),
        Scalar::Real(x) => Cow::Owned(x.to_string()),
        Scalar::Text(t) => Cow::Borrowed(t),
    }
}

/// Values of one wanted column that have not been handed out yet.
enum Slot {
    Real(Vec<f64>),
    Time(Vec<f64>),
    Integer(Vec<i64>),
    Symbols(Vec<u32>, Dictionary),
}

impl Slot {
    fn len(&self) -> usize {
        match self {
            Self::Real(v) | Self::Time(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Symbols(v, _) => v.len(),
        }
    }

    fn flush(&mut self, i: usize, out: &mut Out<'_>) -> Result<(), DataError> {
        match self {
            Self::Real(v) => {
                out(i, Chunk::Real(v))?;
                v.clear();
            }
            Self::Time(v) => {
                out(i, Chunk::Time(v))?;
                v.clear();
            }
            Self::Integer(v) => {
                out(i, Chunk::Integer(v))?;
                v.clear();
            }
            Self::Symbols(v, _) => {
                out(i, Chunk::Symbols(v))?;
                v.clear();
            }
        }
        Ok(())
    }
}

/// Reads the wanted columns.
pub(super) struct Reader<'a> {
    splitter: Splitter,
    work: Work<'a>,
}

struct Work<'a> {
    layout: &'a Layout,
    places: Places,
    /// The slot of every node, if it is wanted.
    slots_of: Vec<Option<usize>>,
    wanted: Vec<usize>,
    slots: Vec<Slot>,
    /// The record, from 1, in which each slot got its last value.
    stamps: Vec<u64>,
    rows: u64,
    buffered: usize,
}

impl<'a> Reader<'a> {
    /// `wanted`: places of columns in the layout, each below its number of fields.
    pub(super) fn new(layout: &'a Layout, wanted: &[usize]) -> Self {
        let slot = |&i: &usize| match layout.fields[i].ty {
            ColumnType::Integer => Slot::Integer(Vec::new()),
            ColumnType::Symbols => Slot::Symbols(Vec::new(), Dictionary::default()),
            ColumnType::Time => Slot::Time(Vec::new()),
            ColumnType::Real | ColumnType::Bytes => Slot::Real(Vec::new()),
        };
        let mut slots_of = vec![None; layout.places.len()];
        for (slot, &i) in wanted.iter().enumerate() {
            slots_of[layout.fields[i].node] = Some(slot);
        }
        let work = Work {
            layout,
            places: layout.places.clone(),
            slots_of,
            wanted: wanted.to_vec(),
            slots: wanted.iter().map(slot).collect(),
            stamps: vec![0; wanted.len()],
            rows: 0,
            buffered: 0,
        };
        Self { splitter: Splitter::new(layout.between), work }
    }
}

impl Sink for Work<'_> {
    fn member(&mut self, node: Node, key: &str) -> Result<Option<Node>, String> {
        // Places without a column may lead to one.
        Ok(self.places.find(node, key))
    }

    fn element(&mut self, i: usize) -> Result<Option<Node>, String> {
        Ok(Some(if self.layout.is_whole() { 1 } else { i + 1 }))
    }

    fn width(&mut self, n: usize) -> Result<(), String> {
        if self.layout.width.is_some_and(|w| w != n) { Err("the file has changed".to_owned()) } else { Ok(()) }
    }

    fn nested(&mut self, _node: Node) {}

    fn scalar(&mut self, node: Node, scalar: Scalar<'_>) -> Result<(), String> {
        let Some(slot) = self.slots_of.get(node).copied().flatten() else { return Ok(()) };
        let field = &self.layout.fields[self.wanted[slot]];
        let stamp = self.rows + 1;
        if self.stamps[slot] == stamp && !self.layout.is_whole() {
            return Err(format!("{:?} is there twice", field.name));
        }
        self.stamps[slot] = stamp;
        // Only a file that has changed since the first pass gets here with a wrong value.
        let wrong = || Err(format!("{:?} is no longer {:?}", field.name, field.ty));
        match (&mut self.slots[slot], scalar) {
            (Slot::Integer(v), Scalar::Integer(n)) => v.push(n),
            (Slot::Integer(v), Scalar::Bool(b)) => v.push(i64::from(b)),
            (Slot::Integer(_), _) => return wrong(),
            (Slot::Real(v) | Slot::Time(v), Scalar::Null) => v.push(f64::NAN),
            (Slot::Real(v), Scalar::Bool(b)) => v.push(f64::from(u8::from(b))),
            (Slot::Real(v), Scalar::Integer(n)) => v.push(n as f64),
            (Slot::Real(v), Scalar::Real(x)) => v.push(x),
            (Slot::Time(v), Scalar::Text(t)) => match time::parse(t.as_bytes()) {
                Some(x) => v.push(x),
                None => return wrong(),
            },
            (Slot::Real(_) | Slot::Time(_), _) => return wrong(),
            (Slot::Symbols(v, _), Scalar::Null) => v.push(Symbols::MISSING),
            (Slot::Symbols(v, dictionary), scalar) => {
                let code = dictionary.code(label(scalar).as_bytes(), &field.name);
                v.push(code.map_err(|e| e.to_string())?);
            }
        }
        Ok(())
    }
}

impl Work<'_> {
    fn record(&mut self, record: &[u8], offset: u64, out: &mut Out<'_>) -> Result<(), DataError> {
        take(record, offset, self)?;
        self.rows += 1;
        let whole = self.layout.is_whole();
        for (i, slot) in self.slots.iter_mut().enumerate() {
            if self.stamps[i] != self.rows && !whole {
                match slot {
                    Slot::Real(v) | Slot::Time(v) => v.push(f64::NAN),
                    Slot::Symbols(v, _) => v.push(Symbols::MISSING),
                    Slot::Integer(_) => {
                        let what = format!("record {} has no {:?}", self.rows, self.layout.fields[self.wanted[i]].name);
                        return Err(DataError::Changed { what });
                    }
                }
            }
            self.buffered = self.buffered.max(slot.len());
        }
        if self.buffered >= RUN { self.flush(out) } else { Ok(()) }
    }

    fn flush(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        self.buffered = 0;
        self.slots.iter_mut().enumerate().try_for_each(|(i, slot)| slot.flush(i, out))
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.splitter.push(bytes, &mut |record, offset| work.record(record, offset, out))
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.splitter.finish(&mut |record, offset| work.record(record, offset, out))?;
        work.flush(out)
    }

    fn take_labels(&mut self, slot: usize) -> Vec<String> {
        match self.work.slots.get_mut(slot) {
            Some(Slot::Symbols(_, dictionary)) => {
                std::mem::take(dictionary).into_labels(|l| String::from_utf8_lossy(l).into_owned())
            }
            _ => Vec::new(),
        }
    }
}
