//! safetensors: a JSON header that names the tensors, then their elements without a gap.
//!
//! Format: eight bytes N, little-endian; N bytes of JSON, `{"name": {"dtype": "F32", "shape": [2, 3],
//! "data_offsets": [0, 24]}, …}` with offsets from the header's end; the elements, little-endian, in
//! row-major order. Source: the format's description in the repository huggingface/safetensors (README, "Format").

use super::{
    DataError,
    npy::{self, MOST_AXES},
    npy_header::{Element, Header, Sort},
    tensors::{Layout, Tensor},
};
use serde::{Deserialize, Deserializer, de};

const WHAT: &str = "safetensors file";
/// The longest header that is read: that of a model of a hundred thousand tensors has a third of it.
const LONGEST: u64 = 32 << 20;
/// More tensors than this are not measured column by column.
const MOST_TENSORS: usize = 1 << 16;

/// A header that makes sense.
pub(super) struct Parsed {
    pub(super) layout: Layout,
    /// One past the last element.
    pub(super) end: u64,
    pub(super) notes: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The tensors in the header's order, with their names.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with a dtype, a shape and data_offsets for every tensor")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<de::IgnoredAny>()?;
                    } else if entries.len() < MOST_TENSORS {
                        entries.push((name, map.next_value()?));
                    } else {
                        return Err(de::Error::custom("more than 65536 tensors"));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Whether a file that begins so can be one: a plausible length, and JSON of an object after it.
pub(super) fn looks_like(head: &[u8]) -> bool {
    let (Some(length), Some(text)) = (head.first_chunk::<8>(), head.get(8..)) else { return false };
    let json = text.trim_ascii_start();
    (2..=LONGEST).contains(&u64::from_le_bytes(*length))
        && json.first() == Some(&b'{')
        && matches!(json[1..].trim_ascii_start().first(), Some(b'"' | b'}') | None)
}

/// The length of the header in bytes, its own eight included; `len` is the file's, where it is known.
pub(super) fn header_len(first: [u8; 8], len: Option<u64>) -> Result<u64, DataError> {
    let claimed = u64::from_le_bytes(first);
    let have = len.map_or(LONGEST, |n| n.saturating_sub(8));
    if claimed > have.min(LONGEST) {
        let what = "the length of the safetensors header".to_owned();
        return Err(DataError::Claim { what, claimed: u128::from(claimed), have: have.min(LONGEST) });
    }
    Ok(8 + claimed)
}

/// Reads a whole header, its first eight bytes included.
pub(super) fn parse(header: &[u8], len: Option<u64>) -> Result<Parsed, DataError> {
    let start = header.len() as u64;
    let malformed = |why: String| DataError::Malformed { what: WHAT, offset: 8, why };
    let Entries(mut entries) =
        serde_json::from_slice(header.get(8..).unwrap_or(&[])).map_err(|e| malformed(format!("its header: {e}")))?;
    entries.sort_by_key(|(_, e)| e.data_offsets);
    let (mut tensors, mut notes, mut skipped, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0_u64);
    for (name, Entry { dtype, shape, data_offsets: (from, to) }) in entries {
        let wrong = |why: &str| malformed(format!("tensor {name:?} of dtype {dtype} and shape {shape:?} {why}"));
        if from != at || to < from {
            return Err(wrong(&format!("lies at {from}..{to}, where byte {at} must come next")));
        }
        at = to;
        let bits = bits(&dtype).ok_or_else(|| wrong("has no dtype of this format"))?;
        let claimed = shape.iter().try_fold(u128::from(bits), |n, &d| n.checked_mul(u128::from(d)));
        if claimed.is_none_or(|bits| bits != u128::from(to - from) * 8) {
            return Err(wrong(&format!("does not fill its {} bytes", to - from)));
        }
        let count = shape.iter().product();
        match element(&dtype) {
            Some(element) if count > 0 && shape.len() <= MOST_AXES => {
                let at = start.checked_add(from).ok_or_else(|| wrong("lies beyond any file"))?;
                let header = Header { shape, fortran: false, element, dtype, start: 0, count };
                tensors.push(Tensor { name, at, array: npy::Layout::new(header) });
            }
            _ => skipped.push(format!("{name} ({dtype} {shape:?})")),
        }
    }
    let end = start.checked_add(at).ok_or_else(|| malformed("it claims more than any file has".to_owned()))?;
    if let Some(have) = len.filter(|&n| n < end).map(|n| n.saturating_sub(start)) {
        return Err(if at > have.saturating_mul(2) {
            DataError::Claim { what: "the tensors of the safetensors file".to_owned(), claimed: u128::from(at), have }
        } else {
            DataError::Truncated { what: "the data of the tensors", offset: start, needed: at, have }
        });
    }
    if !skipped.is_empty() {
        let more = skipped.len().saturating_sub(8);
        skipped.truncate(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let list = skipped.join(", ");
        notes.push(format!("not read, being empty, complex, of 8 bits or fewer, or of more than 4 axes: {list}{more}"));
    }
    Ok(Parsed { layout: Layout::new(tensors), end, notes })
}

/// Bits of one element of any dtype there is.
fn bits(dtype: &str) -> Option<u8> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

fn element(dtype: &str) -> Option<Element> {
    let (sort, size) = match dtype {
        "BOOL" => (Sort::Bool, 1),
        "U8" => (Sort::Unsigned, 1),
        "I8" => (Sort::Signed, 1),
        "U16" => (Sort::Unsigned, 2),
        "I16" => (Sort::Signed, 2),
        "F16" => (Sort::Float, 2),
        "BF16" => (Sort::Brain, 2),
        "U32" => (Sort::Unsigned, 4),
        "I32" => (Sort::Signed, 4),
        "F32" => (Sort::Float, 4),
        "U64" => (Sort::Unsigned, 8),
        "I64" => (Sort::Signed, 8),
        "F64" => (Sort::Float, 8),
        _ => return None,
    };
    Some(Element { sort, size, big_endian: false })
}
