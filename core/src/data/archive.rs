//! The directory of a zip archive, read without holding the archive: only the parts that the
//! directory parser asks for are fetched.

use super::{ByteSource, DataError, pipe::Route, stage::Layer};
use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};
use zip::ZipArchive;

/// Bytes fetched around each one that is missing.
const WINDOW: u64 = 256 << 10;
/// A directory larger than this is not that of a data set.
const MOST_FETCHED: u64 = 64 << 20;
/// More files than this are not a data set.
pub(super) const MOST_MEMBERS: usize = 1024;

/// The parts of a file that have been fetched; a read elsewhere fails and says where.
#[derive(Clone)]
struct Sparse {
    /// Aligned windows by their number.
    windows: Rc<std::collections::BTreeMap<u64, Vec<u8>>>,
    len: u64,
    at: u64,
    missing: Rc<Cell<Option<u64>>>,
}

impl Read for Sparse {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len || buf.is_empty() {
            return Ok(0);
        }
        let Some(window) = self.windows.get(&(self.at / WINDOW)) else {
            self.missing.set(Some(self.at / WINDOW));
            return Err(io::Error::other("not fetched yet"));
        };
        let from = usize::try_from(self.at % WINDOW).unwrap_or(usize::MAX);
        let there = window.get(from..).unwrap_or(&[]);
        let n = there.len().min(buf.len());
        buf[..n].copy_from_slice(&there[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// A file in the archive, as the directory tells it.
struct Entry {
    name: String,
    header: u64,
    compressed: u64,
    crc: u32,
    encrypted: bool,
}

/// The ways to the files in the archive that `source` is; folders and hidden files are left out.
pub(super) async fn members(source: &dyn ByteSource) -> Result<Vec<Route>, DataError> {
    let entries = directory(source).await?;
    let mut routes = Vec::with_capacity(entries.len());
    for entry in entries {
        routes.push(route(source, entry).await?);
    }
    Ok(routes)
}

async fn directory(source: &dyn ByteSource) -> Result<Vec<Entry>, DataError> {
    let mut windows = std::collections::BTreeMap::new();
    let mut fetched = 0;
    loop {
        let missing = Rc::new(Cell::new(None));
        let shared = Rc::new(windows);
        let sparse = Sparse { windows: Rc::clone(&shared), len: source.len(), at: 0, missing: Rc::clone(&missing) };
        let parsed = ZipArchive::new(sparse).map(|archive| entries(&archive));
        let Some(window) = missing.get() else {
            return match parsed {
                Ok(entries) => entries,
                Err(e) => Err(DataError::Zip { offset: 0, why: e.to_string() }),
            };
        };
        drop(parsed);
        windows = Rc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone());
        let bytes = exactly(source, window * WINDOW, WINDOW.min(source.len().saturating_sub(window * WINDOW))).await?;
        fetched += bytes.len() as u64;
        if fetched > MOST_FETCHED {
            let what = "the directory of the zip archive".to_owned();
            return Err(DataError::TooLarge { what, needed: fetched, limit: MOST_FETCHED });
        }
        windows.insert(window, bytes);
    }
}

fn entries(archive: &ZipArchive<Sparse>) -> Result<Vec<Entry>, DataError> {
    if archive.len() > MOST_MEMBERS {
        let what = format!("a zip archive of {} files", archive.len());
        return Err(DataError::Unsupported { what, instead: "up to 1024 can" });
    }
    let mut entries = Vec::new();
    for i in 0..archive.len() {
        let damaged = |e: zip::result::ZipError| DataError::Zip { offset: 0, why: e.to_string() };
        let entry = archive.by_index_data(i).map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let last = name.rsplit('/').next().unwrap_or("");
        if entry.is_dir() || last.is_empty() || last.starts_with('.') || name.starts_with("__MACOSX/") {
            continue;
        }
        entries.push(Entry {
            header: entry.header_start(),
            compressed: entry.compressed_size(),
            crc: entry.crc32(),
            encrypted: entry.encrypted(),
            name,
        });
    }
    Ok(entries)
}

/// Finds the member's first byte and its packing from its own header.
async fn route(source: &dyn ByteSource, entry: Entry) -> Result<Route, DataError> {
    const HEADER: u64 = 30;
    let Entry { name, header, compressed, crc, encrypted } = entry;
    let damaged = |why: String| DataError::Zip { offset: header, why: format!("{name}: {why}") };
    if encrypted {
        return Err(DataError::Unsupported { what: format!("the encrypted file {name}"), instead: "unpack it first" });
    }
    let left = source.len().saturating_sub(header);
    if left < HEADER {
        return Err(damaged("its header lies beyond the end of the archive".to_owned()));
    }
    let bytes = exactly(source, header, HEADER).await?;
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(damaged("no header where the directory says it is".to_owned()));
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let layer = match short(8) {
        0 => Layer::Stored(crc),
        8 => Layer::Deflated(crc),
        method => {
            let what = format!("the file {name}, packed by method {method},");
            return Err(DataError::Unsupported { what, instead: "deflated and stored files can" });
        }
    };
    let start = header + HEADER + short(26) + short(28);
    match start.checked_add(compressed) {
        Some(end) if end <= source.len() => Ok(Route { name, start, end, layers: vec![layer] }),
        _ => {
            let what = format!("the archive's file {name}");
            Err(DataError::Claim { what, claimed: u128::from(compressed), have: source.len().saturating_sub(start) })
        }
    }
}

/// `len` bytes from `offset` on, in as many readings as it takes.
async fn exactly(source: &dyn ByteSource, offset: u64, len: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < len {
        let at = offset + bytes.len() as u64;
        let want = usize::try_from(len - bytes.len() as u64).unwrap_or(usize::MAX);
        let more = source.read(at, want).await?;
        if more.is_empty() || more.len() > want {
            return Err(DataError::Changed { what: format!("nothing could be read at byte {at}") });
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}
