//! HDF5 and NetCDF-4: every dataset of numbers, flags or texts, in all groups, with its units.

use super::{
    DataError, Symbols, Values,
    cf::Attributes,
    chunk::width,
    dictionary::Dictionary,
    whole::{Table, from_fortran},
};
use crate::pace::Pace;
use hdf5_reader::{
    Dataset, Hdf5File, OpenOptions,
    group::Group,
    messages::datatype::{Datatype, StringSize, VarLenKind},
};
use std::collections::HashSet;

/// The signature of a superblock, which a user block of 512, 1024, … bytes may precede.
pub(super) const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Groups inside groups are followed so deep, …
const DEEPEST: usize = 16;
/// … and so many in all.
const MOST_GROUPS: usize = 4096;
/// Attributes that say what the structure is, not what the data are.
const NETCDF_MARK: &str = "_NCProperties";

/// What was found beside the arrays.
pub(super) struct Found {
    /// netCDF4 wrote it.
    pub(super) netcdf: bool,
    /// The number of datasets.
    pub(super) datasets: usize,
}

/// Who wrote the file, where that changes what it means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    NetCdf,
    /// Version 7.3: the axes are in reverse order, and the first one varies fastest.
    Matlab,
    Other,
}

/// Reads all that can be read into `table`.
pub(super) async fn read(bytes: Vec<u8>, matlab: bool, table: &mut Table, pace: &dyn Pace) -> Result<Found, DataError> {
    let limit = usize::try_from(table.left()).unwrap_or(usize::MAX);
    let total = bytes.len() as u64;
    let options = OpenOptions::default().with_max_read_bytes(limit).with_max_chunk_bytes(limit.min(256 << 20));
    let wrong =
        |e: hdf5_reader::error::Error| DataError::Malformed { what: "HDF5 file", offset: 0, why: e.to_string() };
    let file = Hdf5File::from_vec_with_options(bytes, options).map_err(wrong)?;
    let root = file.root_group().map_err(wrong)?;
    let attributes = root.attributes().unwrap_or_default();
    let netcdf = attributes.iter().any(|a| a.name == NETCDF_MARK);
    let writer = if matlab {
        Writer::Matlab
    } else if netcdf {
        Writer::NetCdf
    } else {
        Writer::Other
    };
    let mut found = Found { netcdf, datasets: 0 };
    let mut seen = HashSet::from([root.address()]);
    // A stack, last in first out: members go on it backwards and come off in order.
    let mut groups = vec![(String::new(), root, 0_usize)];
    while let Some((path, group, depth)) = groups.pop() {
        let (inner, datasets) = match group.member_names() {
            Ok(names) => names,
            Err(e) if depth == 0 => return Err(wrong(e)),
            Err(e) => {
                table.skip(&path, &e.to_string());
                continue;
            }
        };
        for name in datasets {
            pace.tick(total, total).await?;
            let full = format!("{path}{name}");
            found.datasets += 1;
            match group.dataset(&name) {
                Ok(set) => dataset(&full, &set, writer, table)?,
                Err(e) => table.skip(&full, &e.to_string()),
            }
        }
        follow(&path, &group, inner, depth, &mut seen, &mut groups, table);
    }
    Ok(found)
}

fn follow(
    path: &str,
    group: &Group,
    inner: Vec<String>,
    depth: usize,
    seen: &mut HashSet<u64>,
    groups: &mut Vec<(String, Group, usize)>,
    table: &mut Table,
) {
    for name in inner.into_iter().rev() {
        // MATLAB keeps what cells refer to here; netCDF and h5py have no such names.
        if depth == 0 && (name == "#refs#" || name == "#subsystem#") {
            continue;
        }
        let full = format!("{path}{name}");
        if depth >= DEEPEST || seen.len() >= MOST_GROUPS {
            table.skip(&full, "groups nested too deeply or too many");
            continue;
        }
        match group.group(&name) {
            // A group may be linked into itself.
            Ok(g) if seen.insert(g.address()) => groups.push((format!("{full}/"), g, depth + 1)),
            Ok(_) => {}
            Err(e) => table.skip(&full, &e.to_string()),
        }
    }
}

/// The attributes that give numbers their meaning.
fn attributes(set: &Dataset, netcdf: bool) -> Attributes {
    let text = |name: &str| set.attribute(name).ok().and_then(|a| a.read_string().ok());
    let number = |name: &str| {
        set.attribute(name).ok().and_then(|a| {
            a.read_as_f64().ok().or_else(|| {
                // netCDF4 writes arrays of one value.
                a.read_1d::<f64>()
                    .ok()
                    .or_else(|| Some(a.read_1d::<f32>().ok()?.into_iter().map(f64::from).collect()))?
                    .first()
                    .copied()
            })
        })
    };
    Attributes {
        units: text("units").or_else(|| text("unit")),
        calendar: text("calendar"),
        scale_factor: number("scale_factor"),
        add_offset: number("add_offset"),
        fills: ["_FillValue", "missing_value"].into_iter().filter_map(number).collect(),
        netcdf,
    }
}

/// One dataset; whatever it is, only too large a one is an error.
fn dataset(name: &str, set: &Dataset, writer: Writer, table: &mut Table) -> Result<(), DataError> {
    let mut shape = set.shape().to_vec();
    let class = if writer == Writer::Matlab { class_of(set) } else { String::new() };
    if class == "empty" {
        table.skip(name, "empty");
        return Ok(());
    }
    let Some(count) = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d)) else {
        table.skip(name, &format!("its shape {shape:?} is beyond any file"));
        return Ok(());
    };
    if count == 0 || shape.len() > super::npy::MOST_AXES {
        return table.array(name, None, &vec![1; shape.len()], Values::Real(Vec::new()));
    }
    if let Some(size) = bytes_of(set.dtype()) {
        // The values, and a matrix of them.
        table.claim(name, count, size.max(width(super::ColumnType::Real)) + if shape.len() > 1 { 8 } else { 0 })?;
    }
    let texts = texts_claimed(set);
    table.claim(name, texts, 2)?;
    match values(set) {
        Ok(Some(values)) => {
            if let (Values::Integer(v), "char") = (&values, &class[..]) {
                let units = v.iter().map(|&x| u16::try_from(x).unwrap_or(0xFFFD));
                let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect();
                table.single(name, &text);
                return Ok(());
            }
            let attributes = attributes(set, writer == Writer::NetCdf);
            let (mut values, unit) = attributes.apply(values);
            if writer == Writer::Matlab {
                shape.reverse();
                values = from_fortran(&shape, values)?;
            }
            table.array(name, unit, &shape, values)
        }
        Ok(None) => {
            table.skip(name, unread(set.dtype()));
            Ok(())
        }
        Err(e) => {
            table.skip(name, &e.to_string());
            Ok(())
        }
    }
}

/// Bytes of all texts of variable length together: many may refer to the same long one.
fn texts_claimed(set: &Dataset) -> u64 {
    let variable = matches!(
        set.dtype(),
        Datatype::String { size: StringSize::Variable, .. } | Datatype::VarLen { kind: VarLenKind::String, .. }
    );
    let (true, Ok(size)) = (variable, set.raw_element_size()) else { return 0 };
    let Ok(raw) = set.read_raw_bytes() else { return 0 };
    // A reference begins with the length of what it refers to.
    let length = |r: &[u8]| r.first_chunk::<4>().map_or(0, |&b| u64::from(u32::from_le_bytes(b)));
    raw.chunks(size.max(4)).map(length).fold(0, u64::saturating_add)
}

/// MATLAB's class of a dataset, or `empty`.
fn class_of(set: &Dataset) -> String {
    if set.attribute("MATLAB_empty").is_ok() {
        return "empty".to_owned();
    }
    set.attribute("MATLAB_class").and_then(|a| a.read_string()).unwrap_or_default()
}

/// Bytes that a value takes in memory while it is read.
fn bytes_of(dtype: &Datatype) -> Option<u64> {
    match dtype {
        Datatype::FixedPoint { size, .. } | Datatype::FloatingPoint { size, .. } => Some(8 + u64::from(*size)),
        Datatype::Enum { .. } => Some(2),
        Datatype::String { size: StringSize::Fixed(n), .. } => Some(24 + 2 * u64::from(*n)),
        Datatype::String { .. } | Datatype::VarLen { kind: VarLenKind::String, .. } => Some(64),
        _ => None,
    }
}

const fn unread(dtype: &Datatype) -> &'static str {
    match dtype {
        Datatype::Compound { .. } => "records of several fields; write one dataset a field",
        Datatype::VarLen { .. } | Datatype::Array { .. } => "arrays of arrays",
        Datatype::Reference { .. } => "references",
        Datatype::FloatingPoint { .. } => "floating point numbers of neither 4 nor 8 bytes; convert them to float32",
        _ => "neither numbers nor texts",
    }
}

/// The values in row-major order; `None` for types that are not read.
fn values(set: &Dataset) -> Result<Option<Values>, hdf5_reader::error::Error> {
    macro_rules! integers {
        ($t:ty) => {
            Values::Integer(set.read_array::<$t>()?.iter().map(|&x| i64::from(x)).collect())
        };
    }
    Ok(Some(match set.dtype() {
        Datatype::FloatingPoint { size: 8, .. } => Values::Real(set.read_array::<f64>()?.into_iter().collect()),
        Datatype::FloatingPoint { size: 4, .. } => {
            Values::Real(set.read_array::<f32>()?.iter().map(|&x| f64::from(x)).collect())
        }
        Datatype::FixedPoint { size: 1, signed: false, .. } => {
            Values::Bytes(set.read_array::<u8>()?.into_iter().collect())
        }
        Datatype::FixedPoint { size: 1, .. } => integers!(i8),
        Datatype::FixedPoint { size: 2, signed: true, .. } => integers!(i16),
        Datatype::FixedPoint { size: 2, .. } => integers!(u16),
        Datatype::FixedPoint { size: 4, signed: true, .. } => integers!(i32),
        Datatype::FixedPoint { size: 4, .. } => integers!(u32),
        Datatype::FixedPoint { size: 8, signed: true, .. } => integers!(i64),
        Datatype::FixedPoint { size: 8, .. } => unsigned(set.read_array::<u64>()?.into_iter().collect()),
        // h5py's flags: FALSE is 0, TRUE is 1.
        Datatype::Enum { base, .. } if matches!(**base, Datatype::FixedPoint { size: 1, .. }) => {
            Values::Integer(set.read_raw_bytes()?.into_iter().map(|b| i64::from(b.cast_signed())).collect())
        }
        Datatype::String { .. } | Datatype::VarLen { kind: VarLenKind::String, .. } => {
            match symbols(set.read_strings()?) {
                Some(symbols) => Values::Symbols(symbols),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    }))
}

/// Integers where they fit, reals where they do not.
pub(super) fn unsigned(values: Vec<u64>) -> Values {
    let signed: Option<Vec<i64>> = values.iter().map(|&x| i64::try_from(x).ok()).collect();
    signed.map_or_else(|| Values::Real(values.into_iter().map(|x| x as f64).collect()), Values::Integer)
}

/// Texts as symbols; an empty one is missing. `None` where there are too many labels.
pub(super) fn symbols(texts: Vec<String>) -> Option<Symbols> {
    let mut dictionary = Dictionary::default();
    let mut codes = Vec::with_capacity(texts.len());
    for text in &texts {
        let text = text.trim_end_matches(['\0', ' ']);
        codes.push(if text.is_empty() { Symbols::MISSING } else { dictionary.code(text.as_bytes(), "").ok()? });
    }
    Some(Symbols { codes, labels: dictionary.into_labels(|l| String::from_utf8_lossy(l).into_owned()) })
}
