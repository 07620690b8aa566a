//! NetCDF in the classic format with 64-bit offsets (CDF-2), which every NetCDF library reads since 2004.
//!
//! The file is a header, the fixed variables and then records, one after the other: a frame is written when it is there,
//! and only the number of records in the header is put right at the end. So a trajectory never sits in memory.
//!
//! ```
//! use std::io::Cursor;
//! use surprisal_core::data::write::netcdf::{Attribute, Kind, Layout, Writer};
//!
//! let mut layout = Layout::default();
//! let time = layout.dimension("time", None);
//! layout.attribute("title", "two moments");
//! layout.variable("time", Kind::Double, &[time]).attribute("units", "s");
//! let mut writer = Writer::new(Cursor::new(Vec::new()), layout)?;
//! writer.record(&[&[0.0]])?;
//! writer.record(&[&[0.1]])?;
//! let bytes = writer.finish()?.into_inner();
//! assert_eq!(&bytes[..8], b"CDF\x02\0\0\0\x02");
//! # let _ = Attribute::from(1.0);
//! # Ok::<(), surprisal_core::data::write::netcdf::WriteError>(())
//! ```
//! Source: the NetCDF Classic and 64-bit Offset File Formats (Unidata, NASA ESDS-RFC-011).

use std::io::{self, Seek, SeekFrom, Write};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Whatever takes the bytes failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The format has no room for it.
    #[error("NetCDF with 64-bit offsets has no room for {0}")]
    TooLarge(String),
    /// Values that do not fit the layout.
    #[error("{variable} takes {expected} values, not {found}")]
    Length {
        /// The variable.
        variable: String,
        /// How many it takes.
        expected: u64,
        /// How many there are.
        found: u64,
    },
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Text.
    Text(String),
    /// Whole numbers.
    Ints(Vec<i32>),
    /// Real numbers.
    Doubles(Vec<f64>),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Attribute {
    fn from(x: f64) -> Self {
        Self::Doubles(vec![x])
    }
}

impl From<i32> for Attribute {
    fn from(x: i32) -> Self {
        Self::Ints(vec![x])
    }
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// f64 that come with each record; its first dimension is the unlimited one.
    Double,
    /// i32 that are known from the beginning; none of its dimensions is the unlimited one.
    Ints(Vec<i32>),
}

/// A dimension of a [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension(usize);

/// One variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    name: String,
    kind: Kind,
    dimensions: Vec<usize>,
    attributes: Vec<(String, Attribute)>,
}

impl Variable {
    /// Adds an attribute.
    pub fn attribute(&mut self, name: &str, value: impl Into<Attribute>) -> &mut Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    dimensions: Vec<(String, Option<u64>)>,
    attributes: Vec<(String, Attribute)>,
    variables: Vec<Variable>,
}

impl Layout {
    /// Adds a dimension; the one without a length grows with the records.
    pub fn dimension(&mut self, name: &str, length: Option<u64>) -> Dimension {
        self.dimensions.push((name.to_owned(), length));
        Dimension(self.dimensions.len() - 1)
    }

    /// Adds a global attribute.
    pub fn attribute(&mut self, name: &str, value: impl Into<Attribute>) {
        self.attributes.push((name.to_owned(), value.into()));
    }

    /// Adds a variable.
    pub fn variable(&mut self, name: &str, kind: Kind, dimensions: &[Dimension]) -> &mut Variable {
        let dimensions = dimensions.iter().map(|d| d.0).collect();
        let place = self.variables.len();
        self.variables.push(Variable { name: name.to_owned(), kind, dimensions, attributes: Vec::new() });
        &mut self.variables[place]
    }

    /// Values of a variable: all of them, or those of one record.
    fn values(&self, variable: &Variable) -> Result<u64, WriteError> {
        let lengths = variable.dimensions.iter().filter_map(|d| self.dimensions[*d].1);
        let product = lengths.into_iter().try_fold(1_u64, u64::checked_mul);
        // 2^60 doubles are more than any offset reaches.
        product.filter(|p| *p < 1 << 60).ok_or_else(|| WriteError::TooLarge(variable.name.clone()))
    }
}

const INT: u32 = 4;
const CHAR: u32 = 2;
const DOUBLE: u32 = 6;

/// Where the number of records stands.
const RECORDS_AT: u64 = 4;

/// A file that is being written.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Name and values a record of the variables that grow.
    growing: Vec<(String, u64)>,
    records: u32,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header and the fixed variables.
    ///
    /// # Errors
    /// [`WriteError`]; fixed variables must have as many values as their dimensions say.
    pub fn new(mut out: W, layout: Layout) -> Result<Self, WriteError> {
        // The header's length does not depend on the offsets in it, so it is written twice.
        let length = header(&layout, &vec![0; layout.variables.len()])?.len() as u64;
        let mut begins = vec![0; layout.variables.len()];
        let mut at = length;
        let mut growing = Vec::new();
        for (begin, variable) in begins.iter_mut().zip(&layout.variables) {
            if let Kind::Ints(values) = &variable.kind {
                let expected = layout.values(variable)?;
                if values.len() as u64 != expected {
                    let found = values.len() as u64;
                    return Err(WriteError::Length { variable: variable.name.clone(), expected, found });
                }
                *begin = at;
                at += expected * 4;
            }
        }
        for (begin, variable) in begins.iter_mut().zip(&layout.variables) {
            if variable.kind == Kind::Double {
                *begin = at;
                let values = layout.values(variable)?;
                at += values * 8;
                growing.push((variable.name.clone(), values));
            }
        }
        out.write_all(&header(&layout, &begins)?)?;
        for variable in &layout.variables {
            if let Kind::Ints(values) = &variable.kind {
                for value in values {
                    out.write_all(&value.to_be_bytes())?;
                }
            }
        }
        Ok(Self { out, growing, records: 0 })
    }

    /// Writes one record: the values of each growing variable, in the order of the layout.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn record(&mut self, values: &[&[f64]]) -> Result<(), WriteError> {
        if values.len() != self.growing.len() {
            let (expected, found) = (self.growing.len() as u64, values.len() as u64);
            return Err(WriteError::Length { variable: "a record".to_owned(), expected, found });
        }
        for ((variable, expected), values) in self.growing.iter().zip(values) {
            let found = values.len() as u64;
            if found != *expected {
                return Err(WriteError::Length { variable: variable.clone(), expected: *expected, found });
            }
        }
        for value in values.iter().copied().flatten() {
            self.out.write_all(&value.to_be_bytes())?;
        }
        self.records = self
            .records
            .checked_add(1)
            .filter(|n| *n < u32::MAX)
            .ok_or_else(|| WriteError::TooLarge("so many records".to_owned()))?;
        Ok(())
    }

    /// Puts the number of records into the header and gives back what took the bytes.
    ///
    /// # Errors
    /// [`WriteError::Io`].
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.out.seek(SeekFrom::Start(RECORDS_AT))?;
        self.out.write_all(&self.records.to_be_bytes())?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn header(layout: &Layout, begins: &[u64]) -> Result<Vec<u8>, WriteError> {
    let mut bytes = b"CDF\x02\0\0\0\0".to_vec();
    list(&mut bytes, 10, layout.dimensions.len())?;
    for (name, length) in &layout.dimensions {
        text(&mut bytes, name)?;
        bytes.extend(word(length.unwrap_or(0), name)?);
    }
    attributes(&mut bytes, &layout.attributes)?;
    list(&mut bytes, 11, layout.variables.len())?;
    for (variable, begin) in layout.variables.iter().zip(begins) {
        text(&mut bytes, &variable.name)?;
        bytes.extend(word(variable.dimensions.len() as u64, &variable.name)?);
        for dimension in &variable.dimensions {
            bytes.extend(word(*dimension as u64, &variable.name)?);
        }
        attributes(&mut bytes, &variable.attributes)?;
        let (kind, size) = if variable.kind == Kind::Double { (DOUBLE, 8) } else { (INT, 4) };
        bytes.extend(kind.to_be_bytes());
        // A variable (or its part of a record) has less than 4 GiB.
        bytes.extend(word(layout.values(variable)? * size, &variable.name)?);
        bytes.extend(begin.to_be_bytes());
    }
    Ok(bytes)
}

/// The head of a list: its tag and length, or two zeros for none.
fn list(bytes: &mut Vec<u8>, tag: u32, length: usize) -> Result<(), WriteError> {
    bytes.extend(if length == 0 { 0 } else { tag }.to_be_bytes());
    bytes.extend(word(length as u64, "a list")?);
    Ok(())
}

fn attributes(bytes: &mut Vec<u8>, attributes: &[(String, Attribute)]) -> Result<(), WriteError> {
    list(bytes, 12, attributes.len())?;
    for (name, value) in attributes {
        text(bytes, name)?;
        let (kind, count) = match value {
            Attribute::Text(words) => (CHAR, words.len()),
            Attribute::Ints(values) => (INT, values.len()),
            Attribute::Doubles(values) => (DOUBLE, values.len()),
        };
        bytes.extend(kind.to_be_bytes());
        bytes.extend(word(count as u64, name)?);
        match value {
            Attribute::Text(words) => bytes.extend(words.as_bytes()),
            Attribute::Ints(values) => values.iter().for_each(|x| bytes.extend(x.to_be_bytes())),
            Attribute::Doubles(values) => values.iter().for_each(|x| bytes.extend(x.to_be_bytes())),
        }
        pad(bytes);
    }
    Ok(())
}

fn text(bytes: &mut Vec<u8>, name: &str) -> Result<(), WriteError> {
    bytes.extend(word(name.len() as u64, name)?);
    bytes.extend(name.as_bytes());
    pad(bytes);
    Ok(())
}

/// Zeros up to a multiple of four.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn word(value: u64, what: &str) -> Result<[u8; 4], WriteError> {
    let fits = u32::try_from(value).ok().filter(|n| *n <= u32::MAX - 3);
    fits.map(u32::to_be_bytes).ok_or_else(|| WriteError::TooLarge(format!("{value} in {what}")))
}
