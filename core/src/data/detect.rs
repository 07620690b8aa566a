//! What a file is: its first bytes decide, then its extension, then what text looks like.

use super::{
    DataError, Kind,
    csv_sniff::{Guess, guess},
    fasta, fastq, hdf5, mat, netcdf, picture, safetensors, xlsx,
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
        Some((stem, ext)) if !stem.is_empty() && ext.len() <= 12 && !ext.contains('/') => ext.to_ascii_lowercase(),
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
    if matches!(forced, None | Some(Kind::Xlsx)) {
        xlsx::refuse_old(&extension(name), bytes)?;
    }
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
    if netcdf::looks_like(bytes) {
        return found(Kind::NetCdf);
    }
    if mat::looks_like(bytes) || mat::is_hdf5(bytes) {
        return found(Kind::Mat);
    }
    // A block of the user's own may come first.
    if [0, 512, 1024, 2048].iter().any(|&at| bytes.get(at..).is_some_and(|b| b.starts_with(hdf5::MAGIC))) {
        return found(if extension(name) == "nc" { Kind::NetCdf } else { Kind::Hdf5 });
    }
    if bytes.starts_with(b"PAR1") {
        return found(Kind::Parquet);
    }
    if bytes.starts_with(b"ARROW1\0\0") {
        return found(Kind::Arrow);
    }
    if bytes.starts_with(b"FEA1") {
        let what = "a Feather file of version 1".to_owned();
        return Err(DataError::Unsupported { what, instead: "version 2 can: pandas.DataFrame.to_feather writes it" });
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
        "json" | "jsonl" | "ndjson" | "ldjson" | "geojson" => {
            return is_text_at_all(bytes).and_then(|()| found(Kind::Json));
        }
        "fasta" | "fna" | "faa" | "ffn" | "frn" => {
            return is_text_at_all(bytes).and_then(|()| found(Kind::Fasta));
        }
        "fastq" | "fq" => return is_text_at_all(bytes).and_then(|()| found(Kind::Fastq)),
        "zst" | "zstd" => return wrong_magic("zstd file", "it does not begin with 28 b5 2f fd"),
        "lz4" => return wrong_magic("LZ4 file", "it does not begin with 04 22 4d 18"),
        "h5" | "hdf5" | "he5" => return wrong_magic("HDF5 file", "it does not begin with \\x89HDF"),
        "nc" | "nc4" | "cdf" => {
            return wrong_magic("NetCDF file", "it begins neither with CDF and 1, 2 or 5, nor with \\x89HDF");
        }
        "parquet" | "pq" => return wrong_magic("Parquet file", "it does not begin with PAR1"),
        "arrow" | "arrows" | "ipc" | "feather" if bytes.starts_with(&[0xFF; 4]) => return found(Kind::Arrow),
        "arrow" | "arrows" | "ipc" | "feather" => {
            return wrong_magic("Arrow file", "it begins neither with ARROW1 nor as a stream");
        }
        "mat" => return refuse_mat(bytes),
        "xlsx" | "xlsm" => return Err(xlsx::none_here()),
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
    if fasta::looks_like(name, head) {
        return found(Kind::Fasta);
    }
    if fastq::looks_like(head) {
        return found(Kind::Fastq);
    }
    if is_json(head) {
        return found(Kind::Json);
    }
    let guess = guess(bytes, head.whole);
    if guess.is_table() { Ok(Found { kind: Kind::Csv, guess: Some(guess) }) } else { found(Kind::Text) }
}

/// Text that begins with an object or array of JSON; nothing may follow an array.
fn is_json(head: &Head) -> bool {
    let text = head.bytes.trim_ascii_start();
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return false;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => text[0] == b'{' || text[values.byte_offset()..].trim_ascii().is_empty(),
        // The look has cut it.
        Some(Err(e)) => e.is_eof() && !head.whole,
        None => false,
    }
}

fn refuse_mat(bytes: &[u8]) -> Result<Found, DataError> {
    // Level 4 begins with a type below 5000 and the lengths, all of four bytes.
    if bytes.len() >= 20 && bytes[2..4] == [0, 0] && bytes[10..12] == [0, 0] {
        let what = "a MAT-file of level 4".to_owned();
        return Err(DataError::Unsupported { what, instead: "files of level 5 and 7.3 can: save(name, '-v7')" });
    }
    wrong_magic("MAT-file", "it does not begin with MATLAB 5.0 MAT-file or MATLAB 7.3 MAT-file")
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
