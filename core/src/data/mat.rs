//! MAT-files of level 5, as MATLAB (`-v6`, `-v7`), Octave and SciPy write them: numeric, logical and character
//! arrays, in structures and cells too. Version 7.3 is HDF5.
//!
//! Source: MathWorks, MAT-File Format, R2023b, "Level 5 MAT-File Format". Read here, not by the crate `matfile`,
//! which unpacks compressed elements without a limit.

use super::{
    DataError, Values,
    hdf5::{symbols, unsigned},
    npy::row_major,
    whole::{Table, from_fortran},
};
use crate::pace::Pace;
use std::io::Read;

const WHAT: &str = "MAT-file";
/// Bytes of the header.
const HEADER: usize = 128;
/// Structures inside structures are followed so deep.
const DEEPEST: usize = 16;
/// Elements of a cell array that are followed.
const MOST_CELLS: usize = 1024;

/// Whether a file begins as one: version 1 or 2 (of HDF5) and the mark of its byte order.
pub(super) fn looks_like(head: &[u8]) -> bool {
    matches!(head.get(124..128), Some([0, 1, b'I', b'M'] | [1, 0, b'M', b'I'])) && head.starts_with(b"MATLAB ")
}

/// Whether a file begins as one of version 7.3.
pub(super) fn is_hdf5(head: &[u8]) -> bool {
    head.starts_with(b"MATLAB 7.3") && head.get(512..520) == Some(super::hdf5::MAGIC)
}

fn wrong(offset: usize, why: impl Into<String>) -> DataError {
    DataError::Malformed { what: WHAT, offset: offset as u64, why: why.into() }
}

/// Reads all variables into `table`; their number.
pub(super) async fn read(bytes: &[u8], table: &mut Table, pace: &dyn Pace) -> Result<usize, DataError> {
    let big_endian = match bytes.get(126..HEADER) {
        Some(b"IM") => false,
        Some(b"MI") => true,
        Some(_) => return Err(wrong(126, "it has no mark of its byte order")),
        None => {
            let have = bytes.len() as u64;
            return Err(DataError::Truncated { what: "the MAT-file's header", offset: 0, needed: 128, have });
        }
    };
    let total = bytes.len() as u64;
    let mut elements = Elements { bytes, at: HEADER, base: 0, big_endian };
    let mut variables = 0;
    while let Some(element) = elements.next()? {
        pace.tick(elements.at as u64, total).await?;
        match element.sort {
            15 => {
                let unpacked = inflate(&element, table)?;
                let mut inner = Elements { bytes: &unpacked, at: 0, base: element.offset, big_endian };
                while let Some(inner) = inner.next()? {
                    if inner.sort == 14 {
                        variables += 1;
                        matrix(&inner, big_endian, None, 0, table)?;
                    }
                }
            }
            14 => {
                variables += 1;
                matrix(&element, big_endian, None, 0, table)?;
            }
            _ => {}
        }
    }
    Ok(variables)
}

/// Unpacks a compressed element within what the table may take.
fn inflate(element: &Element<'_>, table: &Table) -> Result<Vec<u8>, DataError> {
    let limit = table.left().saturating_add(1 << 16);
    let mut unpacked = Vec::new();
    let read = flate2::read::ZlibDecoder::new(element.data).take(limit + 1).read_to_end(&mut unpacked);
    if let Err(e) = read {
        return Err(wrong(element.offset, format!("a compressed variable: {e}")));
    }
    if unpacked.len() as u64 > limit {
        let (name, packed) = ("a variable of the MAT-file".to_owned(), element.data.len() as u64);
        let unpacked = unpacked.len() as u64;
        return Err(DataError::Bomb { name, packed, unpacked, limit: format!("{limit} bytes") });
    }
    Ok(unpacked)
}

/// One data element: its type and its bytes.
#[derive(Clone, Copy)]
struct Element<'a> {
    sort: u32,
    data: &'a [u8],
    /// Where it begins; inside compressed ones, where those begin.
    offset: usize,
}

/// Data elements behind one another.
struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
    big_endian: bool,
}

impl<'a> Elements<'a> {
    fn word(&self, at: usize) -> Option<u32> {
        let word = *self.bytes.get(at..)?.first_chunk::<4>()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    fn next(&mut self) -> Result<Option<Element<'a>>, DataError> {
        let (at, have) = (self.at, self.bytes.len());
        if at >= have {
            return Ok(None);
        }
        let offset = self.base + at;
        let cut = |needed: u64| DataError::Truncated {
            what: "an element of the MAT-file",
            offset: offset as u64,
            needed,
            have: (have - at) as u64,
        };
        let first = self.word(at).ok_or_else(|| cut(8))?;
        // Up to four bytes fit into the tag itself.
        if first >> 16 != 0 {
            let n = usize::try_from(first >> 16).unwrap_or(usize::MAX);
            let data = self.bytes.get(at + 4..at + 8).ok_or_else(|| cut(8))?;
            let data =
                data.get(..n).ok_or_else(|| wrong(offset, format!("a small element of {n} bytes, 4 is the most")))?;
            self.at = at + 8;
            return Ok(Some(Element { sort: first & 0xFFFF, data, offset }));
        }
        let n = usize::try_from(self.word(at + 4).ok_or_else(|| cut(8))?).unwrap_or(usize::MAX);
        let data = at.checked_add(8).and_then(|from| self.bytes.get(from..from.checked_add(n)?));
        let data = data.ok_or_else(|| cut(8 + n as u64))?;
        // Elements begin at multiples of eight bytes, but for compressed ones.
        self.at = at + 8 + if first == 15 { n } else { n.next_multiple_of(8) };
        Ok(Some(Element { sort: first, data, offset }))
    }
}

/// An array: flags, dimensions, name, and then what its class has.
fn matrix(
    element: &Element<'_>,
    big_endian: bool,
    named: Option<&str>,
    depth: usize,
    table: &mut Table,
) -> Result<(), DataError> {
    let mut parts = Elements { bytes: element.data, at: 0, base: element.offset, big_endian };
    let missing = |what: &str| wrong(element.offset, format!("a variable without its {what}"));
    // An empty cell is a matrix without parts.
    let Some(flags) = parts.next()? else { return Ok(()) };
    let number = |e: &Element<'_>, i: usize| {
        e.data
            .get(4 * i..)
            .and_then(<[u8]>::first_chunk::<4>)
            .map(|&w| if big_endian { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) })
    };
    let flag = number(&flags, 0).ok_or_else(|| missing("flags"))?;
    let (class, logical, complex) = (flag & 0xFF, flag & 0x200 != 0, flag & 0x800 != 0);
    if class == 17 {
        table.skip(named.unwrap_or("an object"), "an object of MATLAB's; save its numbers");
        return Ok(());
    }
    let dimensions = parts.next()?.ok_or_else(|| missing("dimensions"))?;
    let shape: Vec<u64> =
        (0..dimensions.data.len() / 4).filter_map(|i| number(&dimensions, i)).map(u64::from).collect();
    let own = parts.next()?.ok_or_else(|| missing("name"))?;
    let own = String::from_utf8_lossy(own.data).into_owned();
    let name = named.unwrap_or(&own);
    let count = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
    let count = count.ok_or_else(|| wrong(element.offset, format!("{name} of shape {shape:?} is beyond any file")))?;
    match class {
        1 => cells(&mut parts, big_endian, name, depth, table),
        2 => structure(&mut parts, big_endian, name, count, depth, table),
        3 | 5 => {
            table.skip(
                name,
                if class == 3 { "an object of MATLAB's; save its numbers" } else { "a sparse matrix; save full(x)" },
            );
            Ok(())
        }
        4 => characters(&mut parts, name, &shape, big_endian, table),
        6..=15 => {
            if complex {
                table.skip(name, "complex; save real(x) and imag(x), or abs(x)");
                return Ok(());
            }
            let data = parts.next()?.ok_or_else(|| missing("values"))?;
            let values = numbers(&data, class, logical, big_endian, name, count, table)?;
            let values = from_fortran(&shape, values)?;
            table.array(name, None, &shape, values)
        }
        _ => {
            table.skip(name, "of a class that is not read");
            Ok(())
        }
    }
}

fn cells(
    parts: &mut Elements<'_>,
    big_endian: bool,
    name: &str,
    depth: usize,
    table: &mut Table,
) -> Result<(), DataError> {
    let mut k = 0;
    while let Some(cell) = parts.next()? {
        k += 1;
        if k > MOST_CELLS || depth >= DEEPEST {
            table.skip(name, "cells beyond the 1024th, or nested deeper than 16 times");
            break;
        }
        if cell.sort == 14 {
            matrix(&cell, big_endian, Some(&format!("{name}{{{k}}}")), depth + 1, table)?;
        }
    }
    Ok(())
}

fn structure(
    parts: &mut Elements<'_>,
    big_endian: bool,
    name: &str,
    count: u64,
    depth: usize,
    table: &mut Table,
) -> Result<(), DataError> {
    if depth >= DEEPEST {
        table.skip(name, "structures nested deeper than 16 times");
        return Ok(());
    }
    let missing = |offset: usize| wrong(offset, format!("the structure {name} without the names of its fields"));
    let start = parts.base + parts.at;
    let length = parts.next()?.ok_or_else(|| missing(start))?;
    let length = length
        .data
        .first_chunk::<4>()
        .map_or(0, |&w| if big_endian { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) });
    let names = parts.next()?.ok_or_else(|| missing(start))?;
    let length = usize::try_from(length).unwrap_or(0);
    if length == 0 {
        return if names.data.is_empty() { Ok(()) } else { Err(missing(start)) };
    }
    let fields: Vec<String> = names
        .data
        .chunks_exact(length)
        .map(|f| String::from_utf8_lossy(f.split(|&b| b == 0).next().unwrap_or(&[])).into_owned())
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let mut k = 0_usize;
    while let Some(value) = parts.next()? {
        let field = &fields[k % fields.len()];
        let full =
            if count > 1 { format!("{name}({}).{field}", k / fields.len() + 1) } else { format!("{name}.{field}") };
        k += 1;
        if k > MOST_CELLS {
            table.skip(name, "fields beyond the 1024th");
            break;
        }
        if value.sort == 14 {
            matrix(&value, big_endian, Some(&full), depth + 1, table)?;
        }
    }
    Ok(())
}

/// Rows of characters are texts.
fn characters(
    parts: &mut Elements<'_>,
    name: &str,
    shape: &[u64],
    big_endian: bool,
    table: &mut Table,
) -> Result<(), DataError> {
    let Some(data) = parts.next()? else { return Ok(()) };
    table.claim(name, data.data.len() as u64, 16)?;
    let text: Vec<char> = match data.sort {
        4 | 17 => {
            let unit = |&b: &[u8; 2]| if big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) };
            char::decode_utf16(data.data.as_chunks::<2>().0.iter().map(unit)).map(|c| c.unwrap_or('\u{FFFD}')).collect()
        }
        1 | 2 => data.data.iter().map(|&b| char::from(b)).collect(),
        _ => String::from_utf8_lossy(data.data).chars().collect(),
    };
    match shape {
        [1, _] => table.single(name, &text.iter().collect::<String>()),
        [rows, columns] if rows.checked_mul(*columns) == Some(text.len() as u64) && *columns > 0 => {
            let ordered: Vec<char> = row_major(shape, true, text)?.into_iter().collect();
            let width = usize::try_from(*columns).unwrap_or(1);
            let texts = ordered.chunks(width).map(|row| row.iter().collect()).collect();
            match symbols(texts) {
                Some(symbols) => table.array(name, None, &[*rows], Values::Symbols(symbols))?,
                None => table.skip(name, "too many different texts"),
            }
        }
        _ => table.skip(name, "characters of an unusual shape"),
    }
    Ok(())
}

/// The numbers of an element, of whichever type they are stored as, as the class says.
fn numbers(
    data: &Element<'_>,
    class: u32,
    logical: bool,
    big_endian: bool,
    name: &str,
    count: u64,
    table: &mut Table,
) -> Result<Values, DataError> {
    let size: u64 = match data.sort {
        1 | 2 => 1,
        3 | 4 => 2,
        5..=7 => 4,
        9 | 12 | 13 => 8,
        n => return Err(wrong(data.offset, format!("the values of {name} are of type {n}, which no number has"))),
    };
    let have = data.data.len() as u64;
    if count.checked_mul(size) != Some(have) {
        let what = format!("{name} of {count} values of {size} bytes");
        return Err(DataError::Claim { what, claimed: u128::from(count) * u128::from(size), have });
    }
    // The values, in order again, and as a matrix.
    table.claim(name, count, 24)?;
    macro_rules! each {
        ($t:ty) => {{
            const N: usize = size_of::<$t>();
            let one = move |b: &[u8; N]| if big_endian { <$t>::from_be_bytes(*b) } else { <$t>::from_le_bytes(*b) };
            data.data.as_chunks::<N>().0.iter().map(one)
        }};
    }
    macro_rules! stored {
        ($t:ty) => {
            // Doubles are stored as the smallest integers that hold them.
            if matches!(class, 6 | 7) && !logical {
                Values::Real(each!($t).map(f64::from).collect())
            } else {
                Values::Integer(each!($t).map(i64::from).collect())
            }
        };
    }
    Ok(match data.sort {
        2 if class == 9 && !logical => Values::Bytes(data.data.to_vec()),
        1 => stored!(i8),
        2 => stored!(u8),
        3 => stored!(i16),
        4 => stored!(u16),
        5 => stored!(i32),
        6 => stored!(u32),
        7 => Values::Real(each!(f32).map(f64::from).collect()),
        9 => Values::Real(each!(f64).collect()),
        12 => Values::Integer(each!(i64).collect()),
        _ => unsigned(each!(u64).collect()),
    })
}
