//! The header of a NumPy array: what it claims, before anything is believed.

use super::{DataError, time::days};
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};

/// The sort of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// False is 0, true is 1.
    Bool,
    Signed,
    Unsigned,
    Float,
    /// bfloat16: the upper half of a 32-bit float.
    Brain,
    /// `datetime64`: 64-bit counts of ticks since 1970.
    Date(Tick),
    /// `timedelta64`: 64-bit counts of ticks.
    Span(Tick),
}

/// The unit of NumPy's dates and durations. Multiples, as in `<M8[25s]`, are refused by the header's parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// So many seconds, …
    Seconds(u32),
    /// … or one of so many parts of a second.
    Part(u32),
    Months(u32),
}

impl Tick {
    /// The unit in `<M8[ns]`.
    fn parse(dtype: &str) -> Option<Self> {
        let (_, unit) = dtype.trim_matches('\'').strip_suffix(']')?.split_once('[')?;
        Some(match unit {
            "Y" => Self::Months(12),
            "M" => Self::Months(1),
            "W" => Self::Seconds(604_800),
            "D" => Self::Seconds(86_400),
            "h" => Self::Seconds(3600),
            "m" => Self::Seconds(60),
            "s" => Self::Seconds(1),
            "ms" => Self::Part(1000),
            "us" => Self::Part(1_000_000),
            "ns" => Self::Part(1_000_000_000),
            _ => return None,
        })
    }

    /// So many ticks in seconds; NaN for NaT.
    fn seconds(self, ticks: i64) -> f64 {
        if ticks == i64::MIN {
            return f64::NAN;
        }
        match self {
            Self::Seconds(s) => ticks as f64 * f64::from(s),
            Self::Part(parts) => ticks as f64 / f64::from(parts),
            Self::Months(n) => {
                let months = ticks.saturating_mul(i64::from(n));
                // Beyond a million years no calendar goes on.
                if months.unsigned_abs() > 12_000_000 {
                    return f64::NAN;
                }
                days(1970 + months.div_euclid(12), 1 + months.rem_euclid(12), 1) as f64 * 86_400.0
            }
        }
    }
}

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) sort: Sort,
    /// Bytes: 1, 2, 4 or 8.
    pub(super) size: usize,
    pub(super) big_endian: bool,
}

/// A header that makes sense.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) shape: Vec<u64>,
    /// The first index varies fastest.
    pub(super) fortran: bool,
    pub(super) element: Element,
    /// As NumPy writes it, for messages.
    pub(super) dtype: String,
    /// Where the elements begin.
    pub(super) start: u64,
    /// The number of elements.
    pub(super) count: u64,
}

/// The longest header that is read; those of plain arrays have 128 bytes.
pub(super) const LONGEST: usize = 60 << 10;
const WHAT: &str = "NPY file";

fn malformed(offset: u64, why: impl Into<String>) -> DataError {
    DataError::Malformed { what: WHAT, offset, why: why.into() }
}

/// Reads the header of a file that begins with `head`.
pub(super) fn parse(head: &[u8]) -> Result<Header, DataError> {
    let have = head.len() as u64;
    if !head.starts_with(b"\x93NUMPY") {
        return Err(malformed(0, "it does not begin with \\x93NUMPY"));
    }
    let cut = |offset: u64, needed: u64| DataError::Truncated {
        what: "the NPY header",
        offset,
        needed,
        have: have.saturating_sub(offset),
    };
    let (before, length) = match head.get(6) {
        Some(1) => (10, head.get(8..10).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))),
        Some(2 | 3) => {
            let long = |b: &[u8]| usize::try_from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])).unwrap_or(usize::MAX);
            (12, head.get(8..12).map(long))
        }
        Some(v) => return Err(malformed(6, format!("format version {v}, versions 1 to 3 are read"))),
        None => return Err(cut(6, 4)),
    };
    let Some(length) = length else {
        return Err(cut(8, before as u64 - 8));
    };
    if length > LONGEST {
        let (what, claimed) = ("the NPY header's own length".to_owned(), length as u128);
        return Err(DataError::Claim { what, claimed, have });
    }
    let Some(text) = head.get(before..before + length) else {
        return Err(cut(before as u64, length as u64));
    };
    // The literal parser recurses and backtracks: brackets nested deeper than any dtype are refused.
    let mut depth = 0_i32;
    for &b in text {
        depth += i32::from(matches!(b, b'(' | b'[' | b'{')) - i32::from(matches!(b, b')' | b']' | b'}'));
        if depth > 6 {
            return Err(malformed(before as u64, "brackets nested too deeply"));
        }
    }
    let elements =
        product_of_numbers(text).ok_or_else(|| malformed(before as u64, "it is not a plain Python literal"))?;
    if elements > u128::from(u64::MAX) {
        return Err(DataError::Claim { what: "the shape of an NPY array".to_owned(), claimed: elements, have });
    }
    let parsed =
        NpyHeader::from_reader(&head[..before + length]).map_err(|e| malformed(before as u64, e.to_string()))?;
    let (element, dtype) = element(&parsed.dtype())?;
    let shape = parsed.shape().to_vec();
    let claimed = shape.iter().try_fold(element.size as u128, |n, &d| n.checked_mul(u128::from(d)));
    let count = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
    let (Some(claimed), Some(count)) = (claimed, count) else {
        let what = format!("an array of shape {shape:?} and dtype {dtype}");
        return Err(DataError::Claim { what, claimed: claimed.unwrap_or(u128::MAX), have });
    };
    if claimed > u128::from(u64::MAX / 2) {
        return Err(DataError::Claim { what: format!("an array of shape {shape:?} and dtype {dtype}"), claimed, have });
    }
    if shape.len() > 4 {
        let what = format!("an array of {} axes", shape.len());
        return Err(DataError::Unsupported { what, instead: "arrays of up to 4 axes can: reshape it first" });
    }
    let start = (before + length) as u64;
    Ok(Header { shape, fortran: parsed.order() == Order::Fortran, element, dtype, start, count })
}

/// The product of all numbers outside quotes, zeros left out: a bound of every product of lengths that
/// the header parser forms without checking. `None` for spellings that NumPy never writes.
fn product_of_numbers(text: &[u8]) -> Option<u128> {
    let mut product = 1_u128;
    let mut quote = None;
    let mut rest = text;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        match (quote, b) {
            (_, b'\\') => return None,
            (Some(q), _) if q == b => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(b),
            (None, b'0'..=b'9') => {
                let n = tail.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
                let digits = tail[..n].strip_suffix(b"L").unwrap_or(&tail[..n]);
                if !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                let value = digits
                    .iter()
                    .fold(u128::from(b - b'0'), |v, d| v.saturating_mul(10).saturating_add(u128::from(d - b'0')));
                product = product.saturating_mul(value.max(1));
                rest = &tail[n..];
            }
            _ => {}
        }
    }
    Some(product)
}

fn element(dtype: &DType) -> Result<(Element, String), DataError> {
    let name = dtype.descr();
    let refuse = |instead| Err(DataError::Unsupported { what: format!("an array of dtype {name}"), instead });
    let DType::Plain(plain) = dtype else {
        return refuse("save one field of the structured array at a time, for example np.save(\"x.npy\", a[\"x\"])");
    };
    let size = plain.size_field();
    let sort = match (plain.type_char(), size) {
        (TypeChar::Bool, 1) => Sort::Bool,
        (TypeChar::Int, 1 | 2 | 4 | 8) => Sort::Signed,
        (TypeChar::Uint, 1 | 2 | 4 | 8) => Sort::Unsigned,
        (TypeChar::Float, 2 | 4 | 8) => Sort::Float,
        (TypeChar::Float, _) => return refuse("convert it to float64 first: a.astype(\"f8\")"),
        (TypeChar::Complex, _) => return refuse("save its real and imaginary parts, or np.abs(a)"),
        (TypeChar::Object, _) => return refuse("it holds pickled Python objects; convert it to numbers first"),
        (TypeChar::DateTime, 8) => match Tick::parse(&name) {
            Some(tick) => Sort::Date(tick),
            None => return refuse("convert it to seconds first: a.astype(\"M8[s]\")"),
        },
        (TypeChar::TimeDelta, 8) => match Tick::parse(&name) {
            Some(tick @ (Tick::Seconds(_) | Tick::Part(_))) => Sort::Span(tick),
            _ => return refuse("convert it to seconds first: a.astype(\"m8[s]\")"),
        },
        (TypeChar::ByteStr | TypeChar::UnicodeStr, _) => return refuse("write texts to a CSV file"),
        _ => return refuse("booleans, integers and floating point numbers of up to 8 bytes can"),
    };
    let size = usize::try_from(size).unwrap_or(8);
    Ok((Element { sort, size, big_endian: plain.endianness() == Endianness::Big }, name))
}

impl Element {
    /// One element, from its `size` bytes, as an integer; floats give 0.
    pub(super) fn integer(self, bytes: &[u8]) -> i64 {
        let raw = self.raw(bytes);
        match (self.sort, self.size) {
            (Sort::Float | Sort::Brain, _) => 0,
            (Sort::Bool, _) => i64::from(raw != 0),
            // The sign bit of the element is moved to the top and back.
            (Sort::Signed | Sort::Date(_) | Sort::Span(_), size) => {
                let unused = 64 - 8 * size;
                (raw << unused).cast_signed() >> unused
            }
            (Sort::Unsigned, _) => raw.cast_signed(),
        }
    }

    /// One element as a real.
    pub(super) fn real(self, bytes: &[u8]) -> f64 {
        let raw = self.raw(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the bits above the element's size are zero")]
        match (self.sort, self.size) {
            (Sort::Float, 2) => half(raw as u16),
            (Sort::Brain, _) => f64::from(f32::from_bits((raw as u32) << 16)),
            (Sort::Float, 4) => f64::from(f32::from_bits(raw as u32)),
            (Sort::Float, _) => f64::from_bits(raw),
            (Sort::Unsigned, _) => raw as f64,
            (Sort::Date(tick) | Sort::Span(tick), _) => tick.seconds(raw.cast_signed()),
            _ => self.integer(bytes) as f64,
        }
    }

    /// Elements one after the other as reals: the usual types in loops of their own, which vectorise.
    pub(super) fn reals(self, bytes: &[u8], into: &mut Vec<f64>) {
        match (self.sort, self.size, self.big_endian) {
            (Sort::Float, 8, false) => into.extend(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b))),
            (Sort::Float, 4, false) => {
                into.extend(bytes.as_chunks().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))))
            }
            (Sort::Float, 2, false) => into.extend(bytes.as_chunks().0.iter().map(|&b| half(u16::from_le_bytes(b)))),
            (Sort::Brain, _, false) => {
                let widen = |&b: &[u8; 2]| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16));
                into.extend(bytes.as_chunks().0.iter().map(widen));
            }
            _ => into.extend(bytes.chunks_exact(self.size).map(|e| self.real(e))),
        }
    }

    /// Elements one after the other as integers.
    pub(super) fn integers(self, bytes: &[u8], into: &mut Vec<i64>) {
        match (self.sort, self.size, self.big_endian) {
            (Sort::Signed, 8, false) => into.extend(bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b))),
            (Sort::Signed, 4, false) => {
                into.extend(bytes.as_chunks().0.iter().map(|&b| i64::from(i32::from_le_bytes(b))))
            }
            (Sort::Signed, 2, false) => {
                into.extend(bytes.as_chunks().0.iter().map(|&b| i64::from(i16::from_le_bytes(b))))
            }
            (Sort::Signed, 1, _) => into.extend(bytes.iter().map(|&b| i64::from(b.cast_signed()))),
            _ => into.extend(bytes.chunks_exact(self.size).map(|e| self.integer(e))),
        }
    }

    fn raw(self, bytes: &[u8]) -> u64 {
        let join = |n: u64, &b: &u8| n << 8 | u64::from(b);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }
}

/// IEEE 754 binary16, exactly.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let mantissa = f64::from(bits & 0x3FF);
    sign * match i32::from(bits >> 10 & 0x1F) {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1024.0 + mantissa) * 2_f64.powi(e - 25),
    }
}
