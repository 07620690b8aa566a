//! The first pass over one file of every kind: its columns' names, types and lengths.

use super::{
    Column, ColumnType, DataError, Kind, Options, Values,
    chunk::{Chunk, Decode, width},
    csv_field::shorten,
    csv_scan::Scan,
    detect::{Found, Head},
    npy, npy_header,
    part::{Layout, Part, deferred},
    picture,
    pipe::Pipe,
    pipe::Route,
    preview::{ROWS, show},
    raw,
    survey::Survey,
    wav,
};

/// Bytes per label beside its text: the string's own size.
const LABEL: u64 = 24;

pub(super) async fn csv(
    route: Route,
    found: &Found,
    pipe: &mut Pipe<'_>,
    options: &Options,
) -> Result<Part, DataError> {
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

pub(super) async fn npy(route: Route, head: &Head, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
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
    let mut survey = Survey::new(names.len());
    let mut surplus = 0;
    {
        let mut reader = npy::Reader::new(&seen, &all);
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            survey.look(slot, chunk);
            Ok(())
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
            surplus = reader.surplus();
        }
        reader.finish(&mut out)?;
    }
    let Survey { missing, largest, preview } = survey;
    let mut notes = Vec::new();
    if surplus > 0 {
        notes.push(format!("{surplus} bytes after the array are ignored"));
    }
    layout.settle(largest.into_iter().fold(0.0, f64::max), &mut notes);
    let len = layout.len();
    let columns: Vec<Column> = names
        .into_iter()
        .zip(missing)
        .map(|(name, missing)| Column { unit: layout.unit(), ..deferred(name, layout.ty, len, missing) })
        .collect();
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

pub(super) async fn wav(route: Route, head: &Head, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
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

pub(super) async fn image(route: Route, pipe: &mut Pipe<'_>, options: &Options) -> Result<Part, DataError> {
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
        layout: Layout::Resident,
        preview: preview.collect(),
        columns: picture.columns,
        matrices: picture.matrix.into_iter().collect(),
        notes,
        read_as: picture.describe,
        resident_bytes: 0,
    })
}

pub(super) async fn bytes(route: Route, kind: Kind, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
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
