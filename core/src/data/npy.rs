//! NumPy arrays: elements in file order, dealt out to columns.

use super::{
    ColumnType, DataError,
    chunk::{Chunk, Decode, Out},
    npy_header::{Header, Sort},
};
use ndarray::{ArrayD, IxDyn, ShapeBuilder};

/// More columns than this are offered as a matrix only.
pub(super) const MOST_COLUMNS: u64 = 64;
/// More axes than this are not read.
pub(super) const MOST_AXES: usize = 4;
/// Bytes worked on at a time.
const PIECE: usize = 64 << 10;

/// Which elements belong to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deal {
    /// One column of all elements, in row-major order.
    Whole,
    /// So many columns, side by side.
    Columns(u64),
}

/// All that is needed to read an array again.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) header: Header,
    pub(super) deal: Deal,
    pub(super) ty: ColumnType,
    /// No integer is too large for a double: a matrix may be offered.
    pub(super) exact_in_doubles: bool,
}

impl Layout {
    /// The layout before the values have been seen: unsigned 64-bit integers count as reals.
    pub(super) fn new(header: Header) -> Self {
        let byte = header.element.sort == Sort::Unsigned && header.element.size == 1;
        let deal = match header.shape[..] {
            [n, d] if byte && n >= 8 && d >= 8 => Deal::Whole,
            [_, d] if d <= MOST_COLUMNS => Deal::Columns(d),
            _ => Deal::Whole,
        };
        let ty = match header.element.sort {
            Sort::Unsigned if byte => ColumnType::Bytes,
            Sort::Unsigned if header.element.size == 8 => ColumnType::Real,
            Sort::Float | Sort::Brain | Sort::Span(_) => ColumnType::Real,
            Sort::Date(_) => ColumnType::Time,
            _ => ColumnType::Integer,
        };
        Self { header, deal, ty, exact_in_doubles: true }
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        match self.deal {
            Deal::Columns(d) => (1..=d).map(|k| format!("column {k}")).collect(),
            Deal::Whole if self.header.shape.len() == 2 && self.ty == ColumnType::Bytes => vec!["pixels".to_owned()],
            Deal::Whole => vec!["values".to_owned()],
        }
    }

    /// The unit of the values, where the type has one.
    pub(super) fn unit(&self) -> Option<String> {
        matches!(self.header.element.sort, Sort::Span(_)).then(|| "s".to_owned())
    }

    /// The number of values of every column.
    pub(super) fn len(&self) -> u64 {
        match self.deal {
            Deal::Whole => self.header.count,
            Deal::Columns(d) => self.header.count / d.max(1),
        }
    }

    /// The same array as one column of reals.
    pub(super) fn as_matrix(&self) -> Self {
        Self { deal: Deal::Whole, ty: ColumnType::Real, ..self.clone() }
    }

    /// Elements that come in file order are not in row-major order and must be collected first.
    pub(super) fn transposes(&self) -> bool {
        self.deal == Deal::Whole && self.header.fortran && self.header.shape.len() > 1
    }

    /// The same array for a look at all elements in whichever order they come.
    pub(super) fn in_file_order(mut self) -> Self {
        self.header.fortran = self.header.fortran && !self.transposes();
        self
    }

    /// Takes note of the largest magnitude among the elements.
    pub(super) fn settle(&mut self, largest: f64, notes: &mut Vec<String>) {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        let integers = matches!(self.header.element.sort, Sort::Bool | Sort::Signed | Sort::Unsigned);
        if integers && largest > EXACT {
            self.exact_in_doubles = false;
            notes.push("some integers are beyond 2^53: no matrix of reals is offered".to_owned());
        }
        if self.header.element.sort == Sort::Unsigned && self.header.element.size == 8 {
            if largest < i64::MAX as f64 {
                self.ty = ColumnType::Integer;
            } else {
                notes.push("some integers are beyond 2^63: all are read as reals of 53 bits".to_owned());
            }
        }
    }

    /// `NumPy array of shape (3, 4), dtype <f8, Fortran order`.
    pub(super) fn describe(&self) -> String {
        let shape: Vec<String> = self.header.shape.iter().map(u64::to_string).collect();
        let order = if self.header.fortran && self.header.shape.len() > 1 { ", Fortran order" } else { "" };
        format!("NumPy array of shape ({}), dtype {}{order}", shape.join(", "), self.header.dtype)
    }
}

/// Row-major values from values in file order.
pub(super) fn row_major<T: Clone>(shape: &[u64], fortran: bool, values: Vec<T>) -> Result<ArrayD<T>, DataError> {
    let dims: Option<Vec<usize>> = shape.iter().map(|&d| usize::try_from(d).ok()).collect();
    let wrong = |why: String| DataError::Malformed { what: "NPY file", offset: 0, why };
    let dims = dims.ok_or_else(|| wrong("the shape is too large for this machine".to_owned()))?;
    let array = ArrayD::from_shape_vec(IxDyn(&dims).set_f(fortran), values).map_err(|e| wrong(e.to_string()))?;
    Ok(if fortran { array.as_standard_layout().into_owned() } else { array })
}

/// Values of one wanted column, or of the whole array while it has to be transposed.
enum Slot {
    Real(Vec<f64>),
    Time(Vec<f64>),
    Integer(Vec<i64>),
    Bytes(Vec<u8>),
}

/// Reads the wanted columns.
pub(super) struct Reader<'a> {
    layout: &'a Layout,
    wanted: Vec<u64>,
    slots: Vec<Slot>,
    /// Bytes of the header still to pass over.
    skip: u64,
    /// A cut element.
    carry: Vec<u8>,
    /// Elements behind us.
    index: u64,
    /// Bytes seen, header included.
    seen: u64,
}

impl<'a> Reader<'a> {
    /// `wanted`: places of columns, each below [`Layout::names`]' length.
    pub(super) fn new(layout: &'a Layout, wanted: &[usize]) -> Self {
        let slot = || match layout.ty {
            ColumnType::Bytes => Slot::Bytes(Vec::new()),
            ColumnType::Integer => Slot::Integer(Vec::new()),
            ColumnType::Time => Slot::Time(Vec::new()),
            _ => Slot::Real(Vec::new()),
        };
        Self {
            layout,
            wanted: wanted.iter().map(|&c| c as u64).collect(),
            slots: wanted.iter().map(|_| slot()).collect(),
            skip: layout.header.start,
            carry: Vec::new(),
            index: 0,
            seen: 0,
        }
    }

    /// Bytes after the last element.
    pub(super) fn surplus(&self) -> u64 {
        self.seen.saturating_sub(
            self.layout.header.start + self.layout.header.count * self.layout.header.element.size as u64,
        )
    }

    /// Deals out whole elements.
    fn deal(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let Layout { header, deal, .. } = self.layout;
        let size = header.element.size;
        let count = (bytes.len() / size) as u64;
        let start = self.index;
        let end = start + count;
        self.index = end;
        let hold = self.layout.transposes();
        for (i, (&column, slot)) in self.wanted.iter().zip(&mut self.slots).enumerate() {
            // The first and last element of the column in this piece, and their distance.
            let (from, to, step) = match *deal {
                Deal::Whole => (start, end, 1),
                Deal::Columns(d) if header.fortran => {
                    let n = header.count / d.max(1);
                    (start.max(column * n), end.min((column + 1) * n), 1)
                }
                Deal::Columns(d) => (start + (column + d - start % d) % d, end, d),
            };
            if from >= to {
                continue;
            }
            // Below PIECE: the conversion cannot fail.
            let at = |n: u64| usize::try_from(n - start).unwrap_or(0) * size;
            let step = usize::try_from(step).unwrap_or(1);
            let (bytes, element) = (&bytes[at(from)..at(to)], header.element);
            let elements = bytes.chunks_exact(size).step_by(step);
            match slot {
                Slot::Real(v) | Slot::Time(v) if step == 1 => element.reals(bytes, v),
                Slot::Integer(v) if step == 1 => element.integers(bytes, v),
                Slot::Real(v) | Slot::Time(v) => v.extend(elements.map(|e| element.real(e))),
                Slot::Integer(v) => v.extend(elements.map(|e| element.integer(e))),
                Slot::Bytes(v) => v.extend(elements.map(|e| e[0])),
            }
            if !hold {
                slot.flush(i, out)?;
            }
        }
        Ok(())
    }
}

impl Slot {
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
            Self::Bytes(v) => {
                out(i, Chunk::Bytes(v))?;
                v.clear();
            }
        }
        Ok(())
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        self.seen += bytes.len() as u64;
        let skipped = usize::try_from(self.skip).map_or(bytes.len(), |n| n.min(bytes.len()));
        self.skip -= skipped as u64;
        let mut rest = &bytes[skipped..];
        let size = self.layout.header.element.size;
        while !rest.is_empty() && self.index < self.layout.header.count {
            if !self.carry.is_empty() || rest.len() < size {
                let missing = (size - self.carry.len()).min(rest.len());
                self.carry.extend_from_slice(&rest[..missing]);
                rest = &rest[missing..];
                if self.carry.len() == size {
                    let element = std::mem::take(&mut self.carry);
                    self.deal(&element, out)?;
                }
                continue;
            }
            let left = self.layout.header.count - self.index;
            let whole = usize::try_from(left)
                .map_or(PIECE, |n| n.saturating_mul(size))
                .min(PIECE)
                .min(rest.len() / size * size);
            self.deal(&rest[..whole], out)?;
            rest = &rest[whole..];
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        let Header { start, count, element, shape, .. } = &self.layout.header;
        if self.index < *count {
            let needed = count * element.size as u64;
            let have = self.seen.saturating_sub(*start);
            return Err(if have == 0 && self.seen < *start {
                DataError::Truncated { what: "the NPY header", offset: 0, needed: *start, have: self.seen }
            } else {
                DataError::Truncated { what: "the NPY array", offset: *start, needed, have }
            });
        }
        if self.layout.transposes() {
            for (i, slot) in self.slots.iter_mut().enumerate() {
                match slot {
                    Slot::Time(v) => whole(shape, std::mem::take(v), |v| out(i, Chunk::Time(v)))?,
                    Slot::Real(v) => whole(shape, std::mem::take(v), |v| out(i, Chunk::Real(v)))?,
                    Slot::Integer(v) => whole(shape, std::mem::take(v), |v| out(i, Chunk::Integer(v)))?,
                    Slot::Bytes(v) => whole(shape, std::mem::take(v), |v| out(i, Chunk::Bytes(v)))?,
                }
            }
        }
        Ok(())
    }
}

fn whole<T: Clone>(
    shape: &[u64],
    values: Vec<T>,
    out: impl FnOnce(&[T]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let array = row_major(shape, true, values)?;
    out(array.as_slice().unwrap_or(&[]))
}
