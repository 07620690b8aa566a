//! What a file is: its first bytes decide, then its extension, then what text looks like.

use super::{
    DataError, Kind,
    csv_sniff::{Guess, guess},
    picture, safetensors,
};

/// The beginning of a decoded file.
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    /// There is no more.
    pub(super) whole: bool,
}

/// A table's delimiter goes with the kind.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) guess: Option<Guess>,
}

/// The extension of a name, in lower case, without the dot.
pub(super) fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() && ext.len() <= 8 && !ext.contains('/') => ext.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// gzip, and no other compression method than the one there is.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1F, 0x8B, 8])
}

/// A zip archive, an empty one included.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// What the decoded file `name` is.
pub(super) fn recognise(name: &str, head: &Head, forced: Option<Kind>) -> Result<Found, DataError> {
    let bytes = &head.bytes[..];
    let found = |kind| Ok(Found { kind, guess: None });
    let table = || Ok(Found { kind: Kind::Csv, guess: Some(guess(bytes, head.whole)) });
    match forced {
        Some(Kind::Csv) => return is_text_at_all(bytes).and_then(|()| table()),
        Some(Kind::Npz) => return wrong_magic("NPZ archive", "it is not a zip archive of .npy files"),
        Some(kind) => return found(kind),
        None => {}
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return found(Kind::Npy);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") {
        return found(Kind::Wav);
    }
    if picture::format(bytes).is_some() {
        return found(Kind::Image);
    }
    if safetensors::looks_like(bytes) {
        return found(Kind::Safetensors);
    }
    match &extension(name)[..] {
        "csv" | "tsv" => return is_text_at_all(bytes).and_then(|()| table()),
        "npy" => return wrong_magic("NPY file", "it does not begin with \\x93NUMPY"),
        "npz" => return wrong_magic("NPZ archive", "it does not begin with PK"),
        "zip" => return wrong_magic("zip archive", "it does not begin with PK"),
        "gz" => return wrong_magic("gzip file", "it does not begin with 1f 8b 08"),
        "safetensors" => {
            return wrong_magic("safetensors file", "it does not begin with the length of its header and {");
        }
        "wav" => return wrong_magic("WAV file", "it does not begin with RIFF and WAVE"),
        "png" => return wrong_magic("PNG image", "it does not begin with \\x89PNG"),
        "jpg" | "jpeg" => return wrong_magic("JPEG image", "it does not begin with ff d8 ff"),
        "tif" | "tiff" => return wrong_magic("TIFF image", "it does not begin with II*\\0 or MM\\0*"),
        "bin" => return found(Kind::Bytes),
        "txt" | "dat" | "text" => refuse_utf16(bytes)?,
        _ => {}
    }
    if !is_utf8(head) {
        return found(Kind::Bytes);
    }
    let guess = guess(bytes, head.whole);
    if guess.is_table() { Ok(Found { kind: Kind::Csv, guess: Some(guess) }) } else { found(Kind::Text) }
}

fn wrong_magic(what: &'static str, why: &str) -> Result<Found, DataError> {
    let why = format!("{why}; to read it as it is, open it as bytes");
    Err(DataError::Malformed { what, offset: 0, why })
}

/// Text without control characters that text never has; a cut last character is no fault.
fn is_utf8(head: &Head) -> bool {
    let valid = match std::str::from_utf8(&head.bytes) {
        Ok(_) => true,
        Err(e) => !head.whole && e.error_len().is_none(),
    };
    valid && !head.bytes.contains(&0)
}

fn refuse_utf16(bytes: &[u8]) -> Result<(), DataError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(DataError::Encoding { what: "a byte order mark of UTF-16", offset: 0 });
    }
    Ok(())
}

fn is_text_at_all(bytes: &[u8]) -> Result<(), DataError> {
    refuse_utf16(bytes)?;
    match bytes.iter().position(|&b| b == 0) {
        Some(at) => Err(DataError::Encoding { what: "a zero byte, which no table of text has,", offset: at as u64 }),
        None => Ok(()),
    }
}
