//! Data frames as pandas writes them to HDF5 through PyTables, in both of its layouts: one compound `table`, whose columns are
//! named in pickled attributes, or (`fixed`) blocks of values beside the levels and labels of their columns.

use super::{TrajectoryError, hdf5::H5, pickle};
use hdf5_reader::messages::datatype::Datatype;

/// Columns of numbers with names of several levels, and what numbers the rows.
pub(super) struct Frame {
    pub(super) index: Vec<f64>,
    /// One list for each column.
    pub(super) names: Vec<Vec<String>>,
    /// Row after row.
    pub(super) values: Vec<f64>,
}

/// The first group of the file that holds a frame.
pub(super) fn group(h5: &H5) -> Option<String> {
    let inside = |group: &String| {
        let names = h5.names_in(group);
        names.iter().any(|n| n == "table" || n == "block0_values")
    };
    h5.members().0.into_iter().find(inside)
}

/// Reads the frame of a group.
pub(super) fn read(h5: &H5, group: &str) -> Result<Frame, TrajectoryError> {
    let frame = if h5.names_in(group).iter().any(|n| n == "table") { table(h5, group)? } else { blocks(h5, group)? };
    if frame.names.is_empty() {
        return Err(h5.wrong(group, "it has no columns of floating-point numbers"));
    }
    Ok(frame)
}

/// Where a number lies in a row, and what it is.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    float: bool,
    size: usize,
}

impl Place {
    fn of(datatype: &Datatype, offset: usize) -> Option<Self> {
        let (float, size) = match datatype {
            Datatype::FloatingPoint { size: size @ (4 | 8), .. } => (true, *size),
            Datatype::FixedPoint { size: size @ 8, signed: true, .. } => (false, *size),
            _ => return None,
        };
        Some(Self { offset, float, size: size.into() })
    }

    /// The number in a row of native byte order.
    #[expect(clippy::cast_precision_loss, reason = "numbers of frames are far below 2^53")]
    fn read(self, row: &[u8]) -> Option<f64> {
        let bytes = row.get(self.offset..self.offset + self.size)?;
        Some(match (self.float, self.size) {
            (true, 4) => f32::from_ne_bytes(bytes.try_into().ok()?).into(),
            (true, _) => f64::from_ne_bytes(bytes.try_into().ok()?),
            _ => i64::from_ne_bytes(bytes.try_into().ok()?) as f64,
        })
    }
}

fn table(h5: &H5, group: &str) -> Result<Frame, TrajectoryError> {
    let path = format!("{group}/table");
    let (datatype, rows) = h5.records(&path)?;
    let Datatype::Compound { size, fields } = datatype else {
        return Err(h5.wrong(&path, "it is no table: its rows have no fields"));
    };
    let place = |name: &str| {
        let field = fields.iter().find(|f| f.name == name)?;
        Some((usize::try_from(field.byte_offset).ok()?, &field.datatype))
    };
    let index = place("index").and_then(|(at, ty)| Place::of(ty, at));
    let index =
        index.ok_or_else(|| h5.wrong(&path, "its index is not made of numbers: rows must be frames of a video"))?;
    let (mut names, mut places) = (Vec::new(), Vec::new());
    for block in 0.. {
        let field = format!("values_block_{block}");
        let Some((offset, ty)) = place(&field) else { break };
        let (base, count) = match ty {
            Datatype::Array { base, dims } => (&**base, dims.iter().product::<u64>()),
            other => (other, 1),
        };
        // Blocks of other types hold nothing that is measured.
        let Some(first) = Place::of(base, offset).filter(|p| p.float) else { continue };
        let kind = format!("{field}_kind");
        let wrong = |why: String| h5.wrong(&path, format!("its attribute {kind}, the names of its columns: {why}"));
        let text = h5.text_of(&path, &kind).ok_or_else(|| wrong("there is none".to_owned()))?;
        let pickled = pickle::read(text.as_bytes()).map_err(wrong)?;
        let found = pickled.names().ok_or_else(|| wrong("not one name a level for every column".to_owned()))?;
        if found.len() as u64 != count {
            return Err(wrong(format!("{} names for {count} columns", found.len())));
        }
        places.extend((0..found.len()).map(|k| Place { offset: first.offset + k * first.size, ..first }));
        names.extend(found.into_iter().map(|levels| levels.into_iter().map(str::to_owned).collect()));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    let rows = rows.chunks_exact(size);
    let short = || h5.wrong(&path, "a field lies outside its row");
    let mut frame = Frame { index: Vec::with_capacity(rows.len()), names, values: Vec::new() };
    h5.fits(&path, rows.len(), places.len())?;
    for row in rows {
        frame.index.push(index.read(row).ok_or_else(short)?);
        for place in &places {
            frame.values.push(place.read(row).ok_or_else(short)?);
        }
    }
    Ok(frame)
}

fn blocks(h5: &H5, group: &str) -> Result<Frame, TrajectoryError> {
    let index = h5.array(&format!("{group}/axis1"))?.values;
    let inside = h5.names_in(group);
    let has = |name: &str| inside.iter().any(|n| n == name);
    // Columns lie in blocks by their type; those of one block are rows of what is put together here.
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for block in 0.. {
        let path = format!("{group}/block{block}_values");
        if !has(&format!("block{block}_values")) {
            break;
        }
        let mut labels: Vec<Vec<String>> = Vec::new();
        for level in 0.. {
            let name = format!("block{block}_items_label{level}");
            if !has(&name) {
                break;
            }
            let known = h5.strings(&format!("{group}/block{block}_items_level{level}"));
            let places = h5.array(&format!("{group}/{name}"))?.values;
            labels.resize(labels.len().max(places.len()), Vec::new());
            for (label, place) in labels.iter_mut().zip(&places) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place, or out of reach")]
                let text = (*place >= 0.0).then(|| known.get(*place as usize)).flatten();
                label.push(text.cloned().ok_or_else(|| h5.wrong(&path, format!("column label {place} has no name")))?);
            }
        }
        let values = h5.array(&path)?;
        if values.shape != [index.len(), labels.len()] {
            let (found, rows, wide) = (&values.shape, index.len(), labels.len());
            return Err(h5.wrong(&path, format!("its shape is {found:?} for {rows} rows and {wide} columns")));
        }
        names.extend(labels);
        columns.push(values);
    }
    h5.fits(group, index.len(), names.len())?;
    let mut values = Vec::with_capacity(index.len() * names.len());
    for row in 0..index.len() {
        for block in &columns {
            let wide = block.shape[1];
            values.extend_from_slice(&block.values[row * wide..(row + 1) * wide]);
        }
    }
    Ok(Frame { index, names, values })
}
