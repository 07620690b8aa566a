//! One file, or one file of an archive: its first pass, and how to read it again.

use super::{
    Column, ColumnType, DataError, Kind, Matrix, Options, Values,
    chunk::{Chunk, Decode, append, reserve, width},
    csv,
    detect::{Found, Head},
    fasta, fastq, first, first_json, first_sequences, first_tensors, first_whole, json, npy,
    pipe::{Pipe, Route},
    raw, tensors, wav, xlsx,
};

/// How the values lie in the decoded bytes.
pub(super) enum Layout {
    /// One column of bytes.
    Bytes,
    Csv(csv::Layout),
    Npy(npy::Layout),
    Tensors(tensors::Layout),
    Json(json::Layout),
    Fasta(fasta::Layout),
    Fastq,
    Wav(wav::Layout),
    /// Always in memory.
    Resident,
}

/// One file after its first pass.
pub(super) struct Part {
    pub(super) route: Route,
    pub(super) kind: Kind,
    pub(super) layout: Layout,
    /// In memory only where the file is read whole.
    pub(super) columns: Vec<Column>,
    pub(super) matrices: Vec<Matrix>,
    /// One list of texts per column.
    pub(super) preview: Vec<Vec<String>>,
    pub(super) notes: Vec<String>,
    /// How it was read.
    pub(super) read_as: String,
    /// Bytes that all columns and matrices would take in memory.
    pub(super) resident_bytes: u64,
}

impl Part {
    /// The first pass: reads everything once.
    pub(super) async fn scan(
        route: Route,
        head: Head,
        found: Found,
        pipe: &mut Pipe<'_>,
        options: &Options,
    ) -> Result<Self, DataError> {
        match found.kind {
            Kind::Csv => first::csv(route, &found, pipe, options).await,
            Kind::Npy | Kind::Npz => first::npy(route, &head, pipe).await,
            Kind::Safetensors => first_tensors::safetensors(route, pipe).await,
            Kind::Json => first_json::json(route, &head.bytes, pipe, options).await,
            Kind::Fasta => first_sequences::fasta(route, pipe).await,
            Kind::Fastq => first_sequences::fastq(route, pipe).await,
            kind @ (Kind::Hdf5 | Kind::NetCdf | Kind::Mat) => first_whole::scientific(route, kind, pipe, options).await,
            kind @ (Kind::Parquet | Kind::Arrow) => first_whole::columnar(route, kind, pipe, options).await,
            // A workbook is several files of an archive; a single one is none.
            Kind::Xlsx => Err(xlsx::none_here()),
            Kind::Wav => first::wav(route, &head, pipe).await,
            Kind::Image => first::image(route, pipe, options).await,
            Kind::Several => Err(DataError::Unsupported {
                what: "one file as several".to_owned(),
                instead: "name them all, or say what this one is",
            }),
            Kind::Bytes | Kind::Text => first::bytes(route, found.kind, pipe).await,
        }
    }

    /// The way to the columns with these places: where nothing is packed, only to their own bytes.
    pub(super) fn way(&self, wanted: &[usize]) -> Route {
        let mut route = self.route.clone();
        if let Layout::Tensors(layout) = &self.layout
            && let Some(from) = self.skipped(wanted)
        {
            let (_, to) = layout.span(wanted);
            (route.start, route.end) = (self.route.start + from, route.end.min(self.route.start + to));
        }
        route
    }

    /// Bytes that [`Part::way`] passes over at the front.
    fn skipped(&self, wanted: &[usize]) -> Option<u64> {
        match &self.layout {
            Layout::Tensors(layout) if self.route.layers.is_empty() && !wanted.is_empty() => {
                Some(layout.span(wanted).0)
            }
            _ => None,
        }
    }

    /// A decoder of the columns with these places, for the bytes of [`Part::way`]; `None` where all are in memory.
    pub(super) fn reader(&self, wanted: &[usize]) -> Option<Box<dyn Decode + '_>> {
        match &self.layout {
            Layout::Tensors(layout) => {
                Some(Box::new(tensors::Reader::new(layout, wanted, self.skipped(wanted).unwrap_or(0))))
            }
            Layout::Bytes => Some(Box::new(raw::Reader)),
            Layout::Csv(layout) => Some(Box::new(csv::Reader::new(layout, wanted))),
            Layout::Npy(layout) => Some(Box::new(npy::Reader::new(layout, wanted))),
            Layout::Json(layout) => Some(Box::new(json::Reader::new(layout, wanted))),
            Layout::Fasta(layout) => Some(Box::new(fasta::Reader::new(layout, wanted))),
            Layout::Fastq => Some(Box::new(fastq::Reader::new(wanted))),
            Layout::Wav(layout) => Some(Box::new(wav::Reader::new(layout, wanted))),
            Layout::Resident => None,
        }
    }

    /// Reads the columns with these places whole, in one pass.
    pub(super) async fn load(
        &self,
        wanted: &[usize],
        pipe: &mut Pipe<'_>,
        limit: u64,
    ) -> Result<Vec<Values>, DataError> {
        let of = |i: &usize| &self.columns[*i];
        if self.transposes() {
            // Values that must be collected before they can be put in order take their room twice.
            let needed = wanted.iter().map(|i| of(i).len.saturating_mul(2 * width(of(i).ty))).sum();
            if needed > limit.saturating_mul(2) {
                return Err(DataError::TooLarge { what: "the array in Fortran order".to_owned(), needed, limit });
            }
        }
        let mut values = Vec::with_capacity(wanted.len());
        for column in wanted.iter().map(of) {
            values.push(reserve(column.ty, column.len, &column.name, limit)?);
        }
        let Some(mut reader) = self.reader(wanted) else {
            return Ok(values);
        };
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            let column = of(&wanted[slot]);
            append(&mut values[slot], retype(chunk, column.ty), column.len, &column.name)
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
        }
        reader.finish(&mut out)?;
        for (slot, column) in wanted.iter().map(of).enumerate() {
            if values[slot].len() as u64 != column.len {
                let what =
                    format!("column {:?} has {} values instead of {}", column.name, values[slot].len(), column.len);
                return Err(DataError::Changed { what });
            }
            if let Values::Symbols(symbols) = &mut values[slot] {
                symbols.labels = reader.take_labels(slot);
            }
        }
        Ok(values)
    }

    /// Reads the arrays as matrices of reals; the way is that of the whole part.
    pub(super) async fn load_matrices(&self, pipe: &mut Pipe<'_>) -> Result<Vec<Matrix>, DataError> {
        match &self.layout {
            Layout::Npy(layout) => {
                let layout = layout.as_matrix();
                let mut reader = npy::Reader::new(&layout, &[0]);
                let [values] = &mut collect(&mut reader, pipe, &[layout.header.count]).await?[..] else {
                    return Ok(Vec::new());
                };
                Ok(vec![row_major_matrix("values", &layout.header.shape, std::mem::take(values))?])
            }
            Layout::Json(layout) => {
                let (Some(shape), all) = (layout.matrix(), 0..layout.fields.len()) else { return Ok(Vec::new()) };
                let columns = self.load(&all.collect::<Vec<_>>(), pipe, u64::MAX).await?;
                let columns: Vec<&Values> = columns.iter().collect();
                let reals = match first_json::interleaved(&columns, layout.len()) {
                    Values::Integer(v) => v.into_iter().map(|x| x as f64).collect(),
                    Values::Real(v) => v,
                    _ => return Ok(Vec::new()),
                };
                Ok(vec![row_major_matrix("values", &shape, reals)?])
            }
            Layout::Tensors(layout) => {
                let layout = layout.as_matrices();
                let lengths: Vec<u64> = layout.tensors().iter().map(|t| t.array.header.count).collect();
                let all: Vec<usize> = (0..lengths.len()).collect();
                let mut reader = tensors::Reader::new(&layout, &all, 0);
                let values = collect(&mut reader, pipe, &lengths).await?;
                layout.matrices(values)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Whether values come out only after all of them have been read.
    pub(super) fn transposes(&self) -> bool {
        matches!(&self.layout, Layout::Npy(layout) if layout.transposes())
    }

    /// Whether there is a matrix to load.
    pub(super) fn has_matrix(&self) -> bool {
        match &self.layout {
            Layout::Npy(layout) => layout.header.shape.len() >= 2 && layout.exact_in_doubles,
            Layout::Json(layout) => layout.matrix().is_some(),
            Layout::Tensors(layout) => layout.tensors().iter().any(tensors::Tensor::is_matrix),
            _ => false,
        }
    }
}

/// Reads columns of reals of these lengths.
async fn collect(reader: &mut dyn Decode, pipe: &mut Pipe<'_>, lengths: &[u64]) -> Result<Vec<Vec<f64>>, DataError> {
    let mut values = Vec::with_capacity(lengths.len());
    for &len in lengths {
        if let Values::Real(column) = reserve(ColumnType::Real, len, "matrix", u64::MAX)? {
            values.push(column);
        }
    }
    let mut out = |slot: usize, chunk: Chunk<'_>| {
        if let Chunk::Real(v) = chunk {
            values[slot].extend_from_slice(v);
        }
        Ok(())
    };
    while let Some(bytes) = pipe.next().await? {
        reader.push(&bytes, &mut out)?;
    }
    reader.finish(&mut out)?;
    Ok(values)
}

/// A matrix of row-major values.
pub(super) fn row_major_matrix(name: &str, shape: &[u64], values: Vec<f64>) -> Result<Matrix, DataError> {
    Ok(Matrix { name: name.to_owned(), values: npy::row_major(shape, false, values)? })
}

/// Times and reals come as the same chunks from readers that do not know the difference.
const fn retype(chunk: Chunk<'_>, ty: ColumnType) -> Chunk<'_> {
    match (chunk, ty) {
        (Chunk::Real(v), ColumnType::Time) => Chunk::Time(v),
        (chunk, _) => chunk,
    }
}

/// A column whose values are still in the file.
pub(super) fn deferred(name: String, ty: ColumnType, len: u64, missing: u64) -> Column {
    Column { name, unit: None, ty, len, missing, values: None }
}
