//! Files that are read whole: arrays in memory become columns and matrices by the same rules as NumPy's.

use super::{
    Column, DataError, Kind, Matrix, Options, Symbols, Values,
    chunk::{Chunk, width},
    csv_field::shorten,
    npy::{MOST_AXES, MOST_COLUMNS},
    part::{Layout, Part, row_major_matrix},
    pipe::{Pipe, Route},
    preview::{ROWS, show},
};

/// More arrays than this are not measured one by one.
const MOST_ARRAYS: usize = 4096;
/// Values may take so many times the file's own size, as for gzip, …
const RATIO: u64 = 200;
/// … and so much at least, because small files compress wildly.
const FLOOR: u64 = 64 << 20;
/// Names that a note lists.
const LISTED: usize = 12;

/// All decoded bytes of a file, at most [`Options::column_limit`] of them.
pub(super) async fn gather(pipe: &mut Pipe<'_>, what: &str, options: &Options) -> Result<Vec<u8>, DataError> {
    let mut bytes: Vec<u8> = Vec::new();
    let take = |more: Vec<u8>| {
        let room = bytes.try_reserve(more.len()).is_ok();
        if room {
            bytes.extend_from_slice(&more);
        }
        room
    };
    pour(pipe, what, options, take).await?;
    Ok(bytes)
}

/// Hands over all decoded bytes of a file, at most [`Options::column_limit`] of them, to what says whether it has room for
/// them; how many there are.
pub(super) async fn pour(
    pipe: &mut Pipe<'_>,
    what: &str,
    options: &Options,
    mut take: impl FnMut(Vec<u8>) -> bool,
) -> Result<u64, DataError> {
    let mut len = 0;
    while let Some(more) = pipe.next().await? {
        let needed = len + more.len() as u64;
        if needed > options.column_limit || !take(more) {
            let (what, limit) = (format!("{what}, which is read whole,"), options.column_limit);
            return Err(DataError::TooLarge { what, needed, limit });
        }
        len = needed;
    }
    Ok(len)
}

/// What has been read so far.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) matrices: Vec<Matrix>,
    pub(super) notes: Vec<String>,
    singles: Vec<String>,
    skipped: Vec<String>,
    arrays: usize,
    /// Bytes that values may still take.
    left: u64,
    limit: u64,
    /// Bytes that matrices may still take.
    room: u64,
    crowded: bool,
}

impl Table {
    /// For a file of `len` decoded bytes.
    pub(super) fn new(len: u64, options: &Options) -> Self {
        let limit = options.column_limit.min(len.saturating_mul(RATIO).max(FLOOR));
        Self {
            columns: Vec::new(),
            matrices: Vec::new(),
            notes: Vec::new(),
            singles: Vec::new(),
            skipped: Vec::new(),
            arrays: 0,
            left: limit,
            limit,
            room: options.resident_limit,
            crowded: false,
        }
    }

    /// Bytes that values may still take.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Takes room for `count` values of `size` bytes, before they are decoded.
    pub(super) fn claim(&mut self, name: &str, count: u64, size: u64) -> Result<(), DataError> {
        let needed = count.saturating_mul(size);
        let Some(left) = self.left.checked_sub(needed) else {
            let what = format!("{name:?} with {count} values");
            return Err(DataError::TooLarge { what, needed, limit: self.limit });
        };
        self.left = left;
        Ok(())
    }

    /// Whether another array may be added; otherwise it is noted as left out.
    pub(super) fn may_add(&mut self, name: &str) -> bool {
        let may = self.arrays < MOST_ARRAYS;
        if !may {
            self.skip(name, "one array too many");
        }
        may
    }

    /// Notes what is not read, and why.
    pub(super) fn skip(&mut self, name: &str, why: &str) {
        self.skipped.push(if self.skipped.len() < LISTED { format!("{name} ({why})") } else { String::new() });
    }

    /// Notes a single number or word, which is no series.
    pub(super) fn single(&mut self, name: &str, value: &str) {
        let text = format!("{name} = {}", shorten(value, 60));
        self.singles.push(if self.singles.len() < LISTED { text } else { String::new() });
    }

    /// Adds an array of row-major values; `shape` has as many elements.
    pub(super) fn array(
        &mut self,
        name: &str,
        unit: Option<&str>,
        shape: &[u64],
        values: Values,
    ) -> Result<(), DataError> {
        if shape.len() > MOST_AXES {
            self.skip(name, &format!("{} axes, up to 4 are read", shape.len()));
            return Ok(());
        }
        if values.is_empty() {
            self.skip(name, "empty");
            return Ok(());
        }
        if shape.is_empty() || (values.len() == 1 && shape.iter().all(|&d| d == 1)) {
            let mut text = Vec::new();
            preview_of(&values, &mut text);
            let unit = unit.map(|u| format!(" {u}")).unwrap_or_default();
            self.single(name, &format!("{}{unit}", text.first().map_or("", String::as_str)));
            return Ok(());
        }
        if !self.may_add(name) {
            return Ok(());
        }
        self.arrays += 1;
        // A vector of MATLAB's is a matrix of one row or column.
        let long: Vec<u64> = shape.iter().copied().filter(|&d| d != 1).collect();
        let shape = if long.len() == 1 { &long[..] } else { shape };
        if shape.len() >= 2 {
            self.matrix(name, shape, &values)?;
        }
        let unit = unit.map(str::to_owned);
        let dealt = match (shape, &values) {
            (&[n, d], Values::Bytes(_)) if n >= 8 && d >= 8 => None,
            (&[_, d], _) if d <= MOST_COLUMNS => usize::try_from(d).ok(),
            _ => None,
        };
        match dealt {
            None => self.columns.push(Column { unit, ..Column::new(name, values) }),
            Some(d) => {
                for k in 0..d {
                    let column = Column::new(format!("{name} column {}", k + 1), every(&values, k, d));
                    self.columns.push(Column { unit: unit.clone(), ..column });
                }
            }
        }
        Ok(())
    }

    fn matrix(&mut self, name: &str, shape: &[u64], values: &Values) -> Result<(), DataError> {
        const EXACT: u64 = 1 << 53;
        let Some(room) = self.room.checked_sub(values.len() as u64 * width(super::ColumnType::Real)) else {
            self.crowded = true;
            return Ok(());
        };
        let reals = match values {
            Values::Real(v) | Values::Time(v) => v.clone(),
            Values::Bytes(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Values::Integer(v) if v.iter().all(|x| x.unsigned_abs() <= EXACT) => v.iter().map(|&x| x as f64).collect(),
            Values::Integer(_) => {
                self.notes.push(format!("{name}: some integers are beyond 2^53: no matrix of reals is offered"));
                return Ok(());
            }
            Values::Symbols(_) => return Ok(()),
        };
        self.room = room;
        self.matrices.push(row_major_matrix(name, shape, reals)?);
        Ok(())
    }

    /// The finished part; without a column the file counts as empty.
    pub(super) fn finish(mut self, route: Route, kind: Kind, read_as: String) -> Result<Part, DataError> {
        if self.crowded {
            self.notes.push("some arrays are too large to be kept as matrices; their columns are there".to_owned());
        }
        for (what, list) in [("single values", &self.singles), ("not read", &self.skipped)] {
            if !list.is_empty() {
                let more = list.len().saturating_sub(LISTED);
                let shown = list[..list.len() - more].join(", ");
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                self.notes.push(format!("{what}: {shown}{more}"));
            }
        }
        if self.columns.is_empty() {
            let found = self.notes.join("; ");
            let what = format!("{} without an array of two values or more ({found})", route.name);
            return Err(DataError::Unsupported {
                what,
                instead: "arrays of numbers, texts or dates with up to 4 axes can",
            });
        }
        let preview = self.columns.iter().map(|c| {
            let mut texts = Vec::new();
            if let Some(values) = &c.values {
                preview_of(values, &mut texts);
            }
            texts
        });
        Ok(Part {
            route,
            kind,
            layout: Layout::Resident,
            preview: preview.collect(),
            columns: self.columns,
            matrices: self.matrices,
            notes: self.notes,
            read_as,
            resident_bytes: 0,
        })
    }
}

/// The first rows as text.
fn preview_of(values: &Values, into: &mut Vec<String>) {
    match values {
        Values::Real(v) => show(Chunk::Real(v), into),
        Values::Time(v) => show(Chunk::Time(v), into),
        Values::Integer(v) => show(Chunk::Integer(v), into),
        Values::Bytes(v) => show(Chunk::Bytes(v), into),
        Values::Symbols(s) => into.extend(s.codes.iter().take(ROWS).map(|&c| {
            let label = usize::try_from(c).ok().and_then(|c| s.labels.get(c));
            label.map(|l| shorten(l, 200)).unwrap_or_default()
        })),
    }
}

/// Every `step`-th value from `start` on.
fn every(values: &Values, start: usize, step: usize) -> Values {
    fn pick<T: Copy>(v: &[T], start: usize, step: usize) -> Vec<T> {
        v.iter().skip(start).step_by(step.max(1)).copied().collect()
    }
    match values {
        Values::Real(v) => Values::Real(pick(v, start, step)),
        Values::Time(v) => Values::Time(pick(v, start, step)),
        Values::Integer(v) => Values::Integer(pick(v, start, step)),
        Values::Bytes(v) => Values::Bytes(pick(v, start, step)),
        Values::Symbols(s) => Values::Symbols(Symbols { codes: pick(&s.codes, start, step), labels: s.labels.clone() }),
    }
}

/// Row-major values from values in which the first index varies fastest.
pub(super) fn from_fortran(shape: &[u64], values: Values) -> Result<Values, DataError> {
    fn turned<T: Clone>(shape: &[u64], v: Vec<T>) -> Result<Vec<T>, DataError> {
        if shape.iter().filter(|&&d| d != 1).count() < 2 {
            return Ok(v);
        }
        Ok(super::npy::row_major(shape, true, v)?.into_iter().collect())
    }
    Ok(match values {
        Values::Real(v) => Values::Real(turned(shape, v)?),
        Values::Time(v) => Values::Time(turned(shape, v)?),
        Values::Integer(v) => Values::Integer(turned(shape, v)?),
        Values::Bytes(v) => Values::Bytes(turned(shape, v)?),
        Values::Symbols(s) => Values::Symbols(Symbols { codes: turned(shape, s.codes)?, labels: s.labels }),
    })
}
