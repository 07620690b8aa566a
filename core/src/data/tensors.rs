//! Several named arrays behind one another in one file: each is read as an NPY array would be.

use super::{
    DataError, Matrix,
    chunk::{Chunk, Decode, Out},
    npy,
    part::row_major_matrix,
};

/// One array and where it lies.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) name: String,
    /// Its first byte, in decoded bytes from the file's start.
    pub(super) at: u64,
    /// How its own bytes are read; the header's `start` is 0.
    pub(super) array: npy::Layout,
}

impl Tensor {
    /// One past its last byte. The header's parser has made sure that this fits.
    fn end(&self) -> u64 {
        self.at + self.array.header.count * self.array.header.element.size as u64
    }

    /// Whether it is offered as a matrix too.
    pub(super) fn is_matrix(&self) -> bool {
        self.array.header.shape.len() >= 2 && self.array.exact_in_doubles
    }
}

/// All that is needed to read the arrays again: in file order, not overlapping, none empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    tensors: Vec<Tensor>,
    /// For every column its tensor and its place there.
    places: Vec<(usize, usize)>,
}

impl Layout {
    pub(super) fn new(tensors: Vec<Tensor>) -> Self {
        let places = tensors
            .iter()
            .enumerate()
            .flat_map(|(t, tensor)| (0..tensor.array.names().len()).map(move |c| (t, c)))
            .collect();
        Self { tensors, places }
    }

    /// The columns with the tensors they belong to.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&Tensor, usize)> {
        self.places.iter().map(|&(t, c)| (&self.tensors[t], c))
    }

    pub(super) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Takes note of the largest magnitude in every tensor.
    pub(super) fn settle(&mut self, largest: &[f64], notes: &mut Vec<String>) {
        let mut of = vec![0_f64; self.tensors.len()];
        for (&(t, _), &x) in self.places.iter().zip(largest) {
            of[t] = of[t].max(x);
        }
        for (tensor, largest) in self.tensors.iter_mut().zip(of) {
            let mut own = Vec::new();
            tensor.array.settle(largest, &mut own);
            notes.extend(own.into_iter().map(|note| format!("{}: {note}", tensor.name)));
        }
    }

    /// The matrices, each as one column of reals.
    pub(super) fn as_matrices(&self) -> Self {
        let matrix = |t: &&Tensor| t.is_matrix();
        let whole = |t: &Tensor| Tensor { array: t.array.as_matrix(), ..t.clone() };
        Self::new(self.tensors.iter().filter(matrix).map(whole).collect())
    }

    /// The bytes within which the wanted columns lie.
    pub(super) fn span(&self, wanted: &[usize]) -> (u64, u64) {
        let of = wanted.iter().map(|&i| &self.tensors[self.places[i].0]);
        of.fold((u64::MAX, 0), |(from, to), t| (from.min(t.at), to.max(t.end())))
    }

    /// Turns the whole columns of [`Layout::as_matrices`] to matrices.
    pub(super) fn matrices(&self, values: Vec<Vec<f64>>) -> Result<Vec<Matrix>, DataError> {
        let named = self.tensors.iter().zip(values);
        named.map(|(t, v)| row_major_matrix(&t.name, &t.array.header.shape, v)).collect()
    }
}

/// One tensor at work.
struct Active<'a> {
    tensor: &'a Tensor,
    reader: npy::Reader<'a>,
    /// Where its columns go.
    slots: Vec<usize>,
}

/// Reads the wanted columns.
pub(super) struct Reader<'a> {
    active: Vec<Active<'a>>,
    current: usize,
    /// Decoded bytes behind us.
    at: u64,
}

impl<'a> Reader<'a> {
    /// `wanted`: places of columns; `at`: where in the file the first pushed byte lies.
    pub(super) fn new(layout: &'a Layout, wanted: &[usize], at: u64) -> Self {
        let mut active = Vec::new();
        for (t, tensor) in layout.tensors.iter().enumerate() {
            let mine = |&slot: &usize| layout.places[wanted[slot]].0 == t;
            let slots: Vec<usize> = (0..wanted.len()).filter(mine).collect();
            if !slots.is_empty() {
                let columns: Vec<usize> = slots.iter().map(|&slot| layout.places[wanted[slot]].1).collect();
                active.push(Active { tensor, reader: npy::Reader::new(&tensor.array, &columns), slots });
            }
        }
        Self { active, current: 0, at }
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let start = self.at;
        let end = start + bytes.len() as u64;
        self.at = end;
        while let Some(Active { tensor, reader, slots }) = self.active.get_mut(self.current) {
            let within = |at: u64| usize::try_from(at.clamp(start, end) - start).unwrap_or(bytes.len());
            let mut own = |slot: usize, chunk: Chunk<'_>| out(slots[slot], chunk);
            reader.push(&bytes[within(tensor.at)..within(tensor.end())], &mut own)?;
            if end < tensor.end() {
                break;
            }
            reader.finish(&mut own)?;
            self.current += 1;
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out<'_>) -> Result<(), DataError> {
        match self.active.get(self.current) {
            None => Ok(()),
            Some(Active { tensor, .. }) => {
                let (offset, needed) = (tensor.at, tensor.end() - tensor.at);
                let have = self.at.saturating_sub(offset);
                Err(DataError::Truncated { what: "the data of a tensor", offset, needed, have })
            }
        }
    }
}
