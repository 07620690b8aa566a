//! One file, or one file of an archive: its first pass, and how to read it again.

use super::{
    Column, ColumnType, DataError, Kind, Matrix, Options, Values,
    chunk::{Chunk, Decode, append, reserve, width},
    csv,
    csv_field::shorten,
    csv_scan::Scan,
    detect::{Found, Head},
    npy, npy_header, picture,
    pipe::{Pipe, Route},
    preview::{ROWS, show},
    raw, wav,
};

/// How the values lie in the decoded bytes.
pub(super) enum Layout {
    /// One column of bytes.
    Bytes,
    Csv(csv::Layout),
    Npy(npy::Layout),
    Wav(wav::Layout),
    /// Always in memory.
    Picture,
}

/// One file after its first pass.
pub(super) struct Part {
    pub(super) route: Route,
    pub(super) kind: Kind,
    pub(super) layout: Layout,
    /// In memory only for pictures.
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

/// Bytes per label beside its text: the string's own size.
const LABEL: u64 = 24;

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
            Kind::Csv => scan_csv(route, &found, pipe, options).await,
            Kind::Npy | Kind::Npz => scan_npy(route, &head, pipe).await,
            Kind::Wav => scan_wav(route, &head, pipe).await,
            Kind::Image => scan_image(route, pipe, options).await,
            Kind::Bytes | Kind::Text => scan_bytes(route, found.kind, pipe).await,
        }
    }

    /// A decoder of the columns with these places; `None` for pictures.
    pub(super) fn reader(&self, wanted: &[usize]) -> Option<Box<dyn Decode + '_>> {
        match &self.layout {
            Layout::Bytes => Some(Box::new(raw::Reader)),
            Layout::Csv(layout) => Some(Box::new(csv::Reader::new(layout, wanted))),
            Layout::Npy(layout) => Some(Box::new(npy::Reader::new(layout, wanted))),
            Layout::Wav(layout) => Some(Box::new(wav::Reader::new(layout, wanted))),
            Layout::Picture => None,
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

    /// Reads an array as a matrix of reals.
    pub(super) async fn load_matrix(&self, pipe: &mut Pipe<'_>) -> Result<Option<Matrix>, DataError> {
        let Layout::Npy(layout) = &self.layout else {
            return Ok(None);
        };
        let layout = layout.as_matrix();
        let Values::Real(mut values) = reserve(ColumnType::Real, layout.header.count, "matrix", u64::MAX)? else {
            return Ok(None);
        };
        let mut reader = npy::Reader::new(&layout, &[0]);
        let mut out = |_: usize, chunk: Chunk<'_>| {
            if let Chunk::Real(v) = chunk {
                values.extend_from_slice(v);
            }
            Ok(())
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
        }
        reader.finish(&mut out)?;
        let values = npy::row_major(&layout.header.shape, false, values)?;
        Ok(Some(Matrix { name: "values".to_owned(), values }))
    }

    /// Whether values come out only after all of them have been read.
    pub(super) fn transposes(&self) -> bool {
        matches!(&self.layout, Layout::Npy(layout) if layout.transposes())
    }

    /// Whether there is a matrix to load.
    pub(super) fn has_matrix(&self) -> bool {
        matches!(&self.layout, Layout::Npy(layout) if layout.header.shape.len() >= 2 && layout.exact_in_doubles)
    }
}

/// Times and reals come as the same chunks from readers that do not know the difference.
const fn retype(chunk: Chunk<'_>, ty: ColumnType) -> Chunk<'_> {
    match (chunk, ty) {
        (Chunk::Real(v), ColumnType::Time) => Chunk::Time(v),
        (chunk, _) => chunk,
    }
}

/// A column whose values are still in the file.
fn deferred(name: String, ty: ColumnType, len: u64, missing: u64) -> Column {
    Column { name, unit: None, ty, len, missing, values: None }
}

async fn scan_csv(route: Route, found: &Found, pipe: &mut Pipe<'_>, options: &Options) -> Result<Part, DataError> {
    let delimiter = options.csv.delimiter.or(found.guess.map(|g| g.delimiter)).unwrap_or(b',');
    let mut scan = Scan::new(delimiter, options.csv);
    while let Some(bytes) = pipe.next().await? {
        scan.push(&bytes)?;
    }
    let scanned = scan.finish(&route.name)?;
    let layout = scanned.layout;
    let columns: Vec<Column> = layout
        .fields
        .iter()
        .map(|f| Column { unit: f.unit.clone(), ..deferred(f.name.clone(), f.ty, layout.rows, f.missing) })
        .collect();
    let labels = scanned.label_bytes.iter().map(|b| b.saturating_mul(1 + LABEL / 4));
    let values = columns.iter().map(|c| c.len.saturating_mul(width(c.ty)));
    let resident_bytes = labels.chain(values).fold(0, u64::saturating_add);
    let (preview, notes, read_as) = (scanned.preview, scanned.notes, layout.describe());
    let matrices = Vec::new();
    Ok(Part {
        route,
        kind: Kind::Csv,
        layout: Layout::Csv(layout),
        columns,
        matrices,
        preview,
        notes,
        read_as,
        resident_bytes,
    })
}

async fn scan_npy(route: Route, head: &Head, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let header = npy_header::parse(&head.bytes)?;
    // Where the size is known, a claim is checked before anything is read.
    let needed = u128::from(header.count) * header.element.size as u128;
    if let Some(have) = route.exact_len().map(|n| n.saturating_sub(header.start))
        && needed > u128::from(have)
    {
        if needed > 2 * u128::from(have) {
            let what = format!("an array of shape {:?} and dtype {}", header.shape, header.dtype);
            return Err(DataError::Claim { what, claimed: needed, have });
        }
        let needed = u64::try_from(needed).unwrap_or(u64::MAX);
        return Err(DataError::Truncated { what: "the NPY array", offset: header.start, needed, have });
    }
    if header.count == 0 {
        return Err(DataError::Empty { name: route.name, what: "its array has no element" });
    }
    let mut layout = npy::Layout::new(header);
    let names = layout.names();
    // The first pass takes columns as they lie; only order within a column may differ.
    let seen = layout.clone().in_file_order();
    let all: Vec<usize> = (0..names.len()).collect();
    let mut missing = vec![0_u64; names.len()];
    let mut preview = vec![Vec::new(); names.len()];
    let (mut largest, mut surplus) = (0_f64, 0);
    {
        let mut reader = npy::Reader::new(&seen, &all);
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            match chunk {
                Chunk::Real(v) => {
                    missing[slot] += v.iter().filter(|x| x.is_nan()).count() as u64;
                    largest = v.iter().fold(largest, |m, x| m.max(x.abs()));
                }
                Chunk::Integer(v) => largest = v.iter().fold(largest, |m, &x| m.max((x as f64).abs())),
                _ => {}
            }
            if preview[slot].len() < ROWS {
                show(chunk, &mut preview[slot]);
            }
            Ok(())
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
            surplus = reader.surplus();
        }
        reader.finish(&mut out)?;
    }
    let mut notes = Vec::new();
    if surplus > 0 {
        notes.push(format!("{surplus} bytes after the array are ignored"));
    }
    layout.settle(largest, &mut notes);
    let len = layout.len();
    let columns: Vec<Column> =
        names.into_iter().zip(missing).map(|(name, missing)| deferred(name, layout.ty, len, missing)).collect();
    let per_element = width(layout.ty) + if layout.header.shape.len() >= 2 { 8 } else { 0 };
    let resident_bytes = layout.header.count.saturating_mul(per_element);
    let read_as = layout.describe();
    let matrices = Vec::new();
    Ok(Part {
        route,
        kind: Kind::Npy,
        layout: Layout::Npy(layout),
        columns,
        matrices,
        preview,
        notes,
        read_as,
        resident_bytes,
    })
}

async fn scan_wav(route: Route, head: &Head, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let layout = wav::Layout::parse(&head.bytes)?;
    let all: Vec<usize> = (0..layout.channels()).collect();
    let mut missing = vec![0_u64; all.len()];
    let mut clipped = 0_u64;
    let mut preview = vec![Vec::new(); all.len()];
    let full = layout.full_scale();
    {
        let mut reader = wav::Reader::new(&layout, &all);
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            if let Chunk::Real(v) = chunk {
                missing[slot] += v.iter().filter(|x| x.is_nan()).count() as u64;
                clipped += v.iter().filter(|&&x| x >= full || x <= -1.0).count() as u64;
            }
            if preview[slot].len() < ROWS {
                show(chunk, &mut preview[slot]);
            }
            Ok(())
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
        }
        reader.finish(&mut out)?;
    }
    let mut notes = vec![layout.note()];
    if clipped > 0 {
        notes.push(format!("{clipped} samples are at full scale and may be clipped"));
    }
    let columns: Vec<Column> = layout
        .names()
        .into_iter()
        .zip(missing)
        .map(|(name, m)| Column { unit: Some("1".to_owned()), ..deferred(name, ColumnType::Real, layout.frames, m) })
        .collect();
    let resident_bytes = layout.frames.saturating_mul(8 * columns.len() as u64);
    let read_as = layout.describe();
    let matrices = Vec::new();
    Ok(Part {
        route,
        kind: Kind::Wav,
        layout: Layout::Wav(layout),
        columns,
        matrices,
        preview,
        notes,
        read_as,
        resident_bytes,
    })
}

async fn scan_image(route: Route, pipe: &mut Pipe<'_>, options: &Options) -> Result<Part, DataError> {
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(more) = pipe.next().await? {
        let needed = bytes.len() as u64 + more.len() as u64;
        if needed > options.decoded_limit || bytes.try_reserve(more.len()).is_err() {
            return Err(DataError::TooLarge {
                what: "the image file".to_owned(),
                needed,
                limit: options.decoded_limit,
            });
        }
        bytes.extend_from_slice(&more);
    }
    let picture = picture::read(&bytes, options.decoded_limit, options.resident_limit)?;
    let preview = picture.columns.iter().map(|c| {
        let mut texts = Vec::new();
        match &c.values {
            Some(Values::Bytes(v)) => show(Chunk::Bytes(v), &mut texts),
            Some(Values::Integer(v)) => show(Chunk::Integer(v), &mut texts),
            Some(Values::Real(v)) => show(Chunk::Real(v), &mut texts),
            _ => {}
        }
        texts
    });
    let mut notes = Vec::new();
    if picture.matrix.is_none() {
        notes.push("the image is too large to be kept as a matrix; its columns are there".to_owned());
    }
    Ok(Part {
        route,
        kind: Kind::Image,
        layout: Layout::Picture,
        preview: preview.collect(),
        columns: picture.columns,
        matrices: picture.matrix.into_iter().collect(),
        notes,
        read_as: picture.describe,
        resident_bytes: 0,
    })
}

async fn scan_bytes(route: Route, kind: Kind, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let mut len = 0_u64;
    let mut text = raw::TextScan::default();
    let mut first = Vec::new();
    while let Some(bytes) = pipe.next().await? {
        len += bytes.len() as u64;
        if first.len() < 1024 {
            first.extend(bytes.iter().take(1024));
        }
        if kind == Kind::Text {
            text.push(&bytes);
        }
    }
    text.finish();
    if len == 0 {
        return Err(DataError::Empty { name: route.name, what: "it has no byte" });
    }
    let mut notes = Vec::new();
    let mut preview = Vec::new();
    let mut read_as = "bytes".to_owned();
    if kind == Kind::Text {
        match text.invalid_at {
            Some(at) => {
                notes.push(format!("byte {at} and perhaps others are not UTF-8; the bytes are measured as they are"))
            }
            None => notes.push(format!("{} characters in {} lines", text.characters, text.newlines.max(1))),
        }
        read_as = "UTF-8 text".to_owned();
        preview.extend(String::from_utf8_lossy(&first).lines().take(ROWS).map(|l| shorten(l, 200)));
    } else {
        show(Chunk::Bytes(&first), &mut preview);
    }
    Ok(Part {
        route,
        kind,
        layout: Layout::Bytes,
        columns: vec![deferred("bytes".to_owned(), ColumnType::Bytes, len, 0)],
        matrices: Vec::new(),
        preview: vec![preview],
        notes,
        read_as,
        resident_bytes: len,
    })
}
