//! Whether files are trajectories, from their names and first bytes: content first, names second.

use super::{
    Format, columns,
    sheet::{Head, Sheet},
};
use crate::data::{
    csv_field::is_missing,
    detect::{extension, is_gzip, is_zip},
    npy_header::{self, Sort},
};
use std::io::Read;

/// The bytes that every HDF5 file begins with.
pub(super) const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// What these files are together, from their names and their first bytes (64 KiB are plenty, decoded if
/// they were gzipped); `None` if they are no trajectories, so that a table stays a table.
///
/// Files that go with others (`attributes.json`, `id_probabilities.csv`, `areas.csv`) do not decide.
#[must_use]
pub fn detect(files: &[(&str, &[u8])]) -> Option<Format> {
    let attributes = files.iter().any(|(name, _)| is_attributes(name));
    let found = files.iter().filter(|(name, _)| !is_companion(name)).filter_map(|(name, head)| {
        let format = one(name, head)?;
        Some(if format == Format::WideCsv && attributes { Format::IdtrackerCsv } else { format })
    });
    best(found)
}

/// Of several formats the one that says most: a folder of idtracker.ai holds the same paths several times.
pub(super) fn best(found: impl Iterator<Item = Format>) -> Option<Format> {
    let rank = |f: &Format| match f {
        Format::IdtrackerHdf5 => 0,
        Format::IdtrackerCsv => 1,
        Format::IdtrackerTidy => 2,
        Format::Pickled | Format::Parquet => 9,
        Format::Hdf5 => 8,
        _ => 3,
    };
    found.min_by_key(rank)
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// `attributes.json` and `attributes_tidy.json`.
pub(super) fn is_attributes(name: &str) -> bool {
    matches!(base(name), "attributes.json" | "attributes_tidy.json")
}

/// Files that lie beside idtracker.ai's trajectories.
pub(super) fn is_companion(name: &str) -> bool {
    is_attributes(name) || matches!(base(name), "id_probabilities.csv" | "areas.csv")
}

/// What one file is.
pub(super) fn one(name: &str, head: &[u8]) -> Option<Format> {
    let name = base(name);
    let has = |needle: &[u8]| contains(head, needle);
    if head.starts_with(b"\x93NUMPY") {
        return numpy(name, head);
    }
    if is_zip(head) {
        return archive(name, head);
    }
    if is_gzip(head) {
        let mut inner = Vec::new();
        let decoder = flate2::read::MultiGzDecoder::new(head).take(128 << 10);
        // The end is cut off: what came before it counts.
        let _ = { decoder }.read_to_end(&mut inner);
        let inside = name.strip_suffix(".gz").unwrap_or(name);
        return if inner.is_empty() || is_gzip(&inner) { None } else { one(inside, &inner) };
    }
    if head.starts_with(HDF5) {
        return Some(match () {
            () if has(b"track_occupancy") || name.ends_with(".analysis.h5") => Format::SleapHdf5,
            () if has(b"df_with_missing") => Format::DeepLabCutHdf5,
            () if has(b"id_probabilities") || name == "trajectories.h5" => Format::IdtrackerHdf5,
            () if (has(b"positions") && has(b"spatial")) || matches!(&extension(name)[..], "nc" | "nc4" | "cdf") => {
                Format::NetCdf
            }
            () => Format::Hdf5,
        });
    }
    if head.starts_with(b"CDF") && matches!(head.get(3), Some(1 | 2 | 5)) {
        return Some(Format::NetCdf);
    }
    if head.starts_with(b"PAR1") && name.contains("trajector") {
        return Some(Format::Parquet);
    }
    if head.starts_with(b"\x80") && matches!(&extension(name)[..], "pickle" | "pkl") && name.contains("trajector") {
        return Some(Format::Pickled);
    }
    if head.contains(&0) {
        return None;
    }
    if matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return shiners(head).then_some(Format::Shiners);
    }
    table(name, &Sheet::new(head).head(8))
}

/// The table whose first rows are `head`.
pub(super) fn table(name: &str, head: &Head) -> Option<Format> {
    let first = head.first()?;
    let starts = |i: usize, word: &str| head.get(i).and_then(|r| r.first()).is_some_and(|f| f == word);
    if starts(0, "scorer") && (starts(1, "bodyparts") || (starts(1, "individuals") && starts(2, "bodyparts"))) {
        return Some(Format::DeepLabCutCsv);
    }
    if columns::is_sleap(first) {
        return Some(Format::SleapCsv);
    }
    if columns::is_trex(first) {
        return Some(Format::Trex);
    }
    if columns::is_final_state(first) {
        return Some(Format::FinalState);
    }
    let numeric = |columns: &[usize]| {
        let number = |f: &String| f.replace(',', ".").parse::<f64>().is_ok() || is_missing(f.as_bytes());
        head.len() > 1 && head[1..].iter().all(|row| columns.iter().all(|&c| row.get(c).is_none_or(number)))
    };
    if let Some(long) = columns::long(first).filter(|l| l.animal.is_some()) {
        let places: Vec<usize> = long.frame.or(long.time).into_iter().chain(long.position.iter().copied()).collect();
        let tidy = ["frame", "time", "individual", "x", "y", "probability"];
        return numeric(&places).then(|| if first.iter().eq(&tidy) { Format::IdtrackerTidy } else { Format::LongCsv });
    }
    let wide = columns::wide(first)?;
    let places = wide.frame.or(wide.time).into_iter().chain(wide.animals.iter().flat_map(|a| a.1.iter().copied()));
    let ours = wide.others == 0 && first.first().is_some_and(|f| f == "time") && wide.animals[0].1.len() == 2;
    let format = if ours && base(name).starts_with("trajectories") { Format::IdtrackerCsv } else { Format::WideCsv };
    numeric(&places.collect::<Vec<_>>()).then_some(format)
}

/// An array of reals of shape (frames, animals, 2 or 3), or a pickled dictionary.
fn numpy(name: &str, head: &[u8]) -> Option<Format> {
    if contains(&head[..head.len().min(256)], b"'|O'") {
        return name.contains("trajector").then_some(Format::Pickled);
    }
    is_path(head).then_some(Format::Numpy)
}

fn is_path(npy: &[u8]) -> bool {
    npy_header::parse(npy)
        .is_ok_and(|h| h.element.sort == Sort::Float && matches!(h.shape[..], [t, n, 2 | 3] if t > 0 && n > 0))
}

/// Arrays as TRex names them, or one of positions.
fn archive(name: &str, head: &[u8]) -> Option<Format> {
    let members = members(head);
    let has = |n: &str| members.iter().any(|(m, _)| m == n || m.strip_suffix(".npy") == Some(n));
    let trex = members.iter().any(|(m, _)| {
        matches!(m.strip_suffix(".npy"), Some("X#wcentroid" | "X#centroid" | "X#pcentroid" | "midline_length"))
    });
    if trex || (has("frame") && has("X")) || (has("missing") && trex_name(name).is_some()) {
        return Some(Format::Trex);
    }
    if members.iter().any(|(m, start)| m.ends_with(".npy") && is_path(start)) {
        return Some(Format::Numpy);
    }
    best(members.iter().filter(|(m, _)| !m.ends_with(".npy")).filter_map(|(m, start)| one(m, start)))
}

/// The animal's number in a TRex file's name: `video_id3.npz`, `video_fish3.csv`.
pub(super) fn trex_name(name: &str) -> Option<&str> {
    let stem = base(name).rsplit_once('.').map_or(name, |(stem, _)| stem);
    let digits = stem.len() - stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, id) = stem.split_at(digits);
    (!id.is_empty() && (before.ends_with("_id") || before.ends_with("_fish") || before.ends_with("fish"))).then_some(id)
}

/// The members of a zip archive whose headers are in `head`, with their first bytes.
fn members(head: &[u8]) -> Vec<(String, Vec<u8>)> {
    const SIGNATURE: &[u8] = b"PK\x03\x04";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = head[at..].windows(4).position(|w| w == SIGNATURE) {
        let start = at + next;
        at = start + 4;
        let short =
            |i: usize| head.get(start + i..start + i + 2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
        let (Some(method), Some(name), Some(extra)) = (short(8), short(26), short(28)) else { break };
        let Some(title) = head.get(start + 30..start + 30 + name) else { break };
        let data = head.get(start + 30 + name + extra..).unwrap_or(&[]);
        let mut bytes = Vec::new();
        if method == 8 {
            // The end is cut off: what came before it counts.
            let _ = flate2::read::DeflateDecoder::new(data).take(16 << 10).read_to_end(&mut bytes);
        } else {
            bytes.extend_from_slice(&data[..data.len().min(16 << 10)]);
        }
        found.push((String::from_utf8_lossy(title).into_owned(), bytes));
        if found.len() > 256 {
            break;
        }
    }
    found
}

/// JSON whose first key is one of the golden shiners'.
fn shiners(head: &[u8]) -> bool {
    let text = &head[..head.len().min(4096)];
    let mut quotes = text.split(|&b| b == b'"');
    let before = quotes.next().unwrap_or(&[]);
    let keys: Vec<&[u8]> = quotes.step_by(2).take(2).collect();
    let known = |k: &&[u8]| [&b"px"[..], b"py", b"vx", b"vy", b"onfish"].contains(k);
    before.iter().all(|b| b.is_ascii_whitespace() || matches!(b, b'{' | b'[')) && keys.first().is_some_and(known)
}

pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}
