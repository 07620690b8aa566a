//! FASTA: sequences of letters are symbols.
//!
//! A line `>name words`, then lines of letters of the IUPAC codes for nucleotides or amino acids, `-` for a
//! gap, `*` for a stop (Pearson and Lipman 1988, PNAS 85, 2444; IUPAC-IUB 1985, Nucleic Acids Research 13, 3021).

use super::{
    DataError,
    chunk::{Chunk, Decode, Out},
    detect::{Head, extension},
};

/// More records than this are one column together.
pub(super) const MOST_RECORDS: usize = 64;
const RUN: usize = 16 << 10;

/// Whether a file begins as FASTA.
pub(super) fn looks_like(name: &str, head: &Head) -> bool {
    let named = matches!(&extension(name)[..], "fasta" | "fa" | "fna" | "faa" | "ffn" | "frn" | "fas");
    let mut lines = head.bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find(|l| !l.is_empty()).unwrap_or(&[]);
    if named {
        return matches!(first.first(), Some(b'>' | b';'));
    }
    let letters = |l: &[u8]| !l.is_empty() && l.iter().all(|&b| letter(b).is_some());
    first.len() > 1 && first[0] == b'>' && lines.next().is_some_and(letters)
}

/// A letter in upper case; `None` for what no sequence has.
pub(super) const fn letter(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' | b'-' | b'*' | b'.' => Some(b),
        b'a'..=b'z' => Some(b.to_ascii_uppercase()),
        _ => None,
    }
}

/// Codes of letters in order of first appearance.
#[derive(Clone, Debug)]
pub(super) struct Alphabet {
    codes: [u8; 256],
    letters: Vec<u8>,
}

impl Default for Alphabet {
    fn default() -> Self {
        Self { codes: [u8::MAX; 256], letters: Vec::new() }
    }
}

impl Alphabet {
    pub(super) fn code(&mut self, letter: u8) -> u32 {
        let code = &mut self.codes[usize::from(letter)];
        if *code == u8::MAX {
            *code = u8::try_from(self.letters.len()).unwrap_or(0);
            self.letters.push(letter);
        }
        u32::from(*code)
    }

    pub(super) fn labels(&self) -> Vec<String> {
        self.letters.iter().map(|&b| char::from(b).to_string()).collect()
    }
}

/// What the text is made of.
enum Piece<'a> {
    /// A new record, with what follows `>` on its line.
    Record(&'a [u8]),
    /// Letters of the record, as the file has them.
    Letters(&'a [u8], u64),
}

/// Takes the text apart, over any portions.
#[derive(Default)]
struct Lines {
    header: Option<Vec<u8>>,
    remark: bool,
    started: bool,
    mid_line: bool,
    seen: u64,
}

impl Lines {
    fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(Piece<'_>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut rest = bytes;
        while let Some(&b) = rest.first() {
            let offset = self.seen + (bytes.len() - rest.len()) as u64;
            let end = rest.iter().position(|&b| b == b'\n');
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = &rest[end.map_or(rest.len(), |e| e + 1)..];
            let begins = !std::mem::replace(&mut self.mid_line, end.is_none());
            if begins && b == b'>' {
                self.header = Some(Vec::new());
            } else if begins && b == b';' {
                self.remark = true;
            }
            if let Some(header) = &mut self.header {
                // A name longer than any program writes is cut.
                header.extend_from_slice(&line[..line.len().min(4096_usize.saturating_sub(header.len()))]);
                if end.is_some() {
                    self.started = true;
                    let header = self.header.take().unwrap_or_default();
                    each(Piece::Record(header.get(1..).unwrap_or(&[]).trim_ascii()))?;
                }
            } else if !self.remark && !line.is_empty() {
                if !self.started && !line.iter().all(u8::is_ascii_whitespace) {
                    return Err(malformed(offset, "letters before the first line that begins with >"));
                }
                each(Piece::Letters(line, offset))?;
            }
            if end.is_some() {
                self.remark = false;
            }
        }
        self.seen += bytes.len() as u64;
        Ok(())
    }

    fn finish(&mut self, each: &mut dyn FnMut(Piece<'_>) -> Result<(), DataError>) -> Result<(), DataError> {
        match self.header.take() {
            Some(header) => each(Piece::Record(header.get(1..).unwrap_or(&[]).trim_ascii())),
            None => Ok(()),
        }
    }
}

fn malformed(offset: u64, why: impl Into<String>) -> DataError {
    DataError::Malformed { what: "FASTA file", offset, why: why.into() }
}

/// The letters of a piece of a line, in upper case; the number that were in lower case.
pub(super) fn fold(line: &[u8], offset: u64, into: &mut Vec<u8>) -> Result<u64, DataError> {
    let mut lower = 0;
    for (i, &b) in line.iter().enumerate() {
        match letter(b) {
            Some(l) => {
                lower += u64::from(l != b);
                into.push(l);
            }
            None if matches!(b, b' ' | b'\t' | b'\r') => {}
            None => {
                let why = format!("byte {b:#04x} ({:?}) is no letter, gap or stop of a sequence", char::from(b));
                return Err(malformed(offset + i as u64, why));
            }
        }
    }
    Ok(lower)
}

/// All that is needed to read the sequences again.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// The column of every record that has letters: its number in the file, its name, its letters.
    pub(super) records: Vec<(u64, String, u64)>,
    /// All records are one column.
    pub(super) together: bool,
    pub(super) letters: u64,
}

/// The first pass.
#[derive(Default)]
pub(super) struct Scan {
    lines: Lines,
    work: Tally,
}

#[derive(Default)]
struct Tally {
    layout: Layout,
    records: u64,
    lower: u64,
    counts: Vec<u64>,
    buffer: Vec<u8>,
    preview: Vec<String>,
}

impl Tally {
    fn piece(&mut self, piece: Piece<'_>) -> Result<(), DataError> {
        match piece {
            Piece::Record(header) => {
                self.records += 1;
                let word = header.split(u8::is_ascii_whitespace).next().unwrap_or(&[]);
                let name = String::from_utf8_lossy(word).into_owned();
                if self.layout.records.last().is_some_and(|r| r.2 == 0) {
                    self.layout.records.pop();
                }
                if self.layout.records.len() <= MOST_RECORDS {
                    self.layout.records.push((self.records, name, 0));
                }
            }
            Piece::Letters(line, offset) => {
                self.buffer.clear();
                self.lower += fold(line, offset, &mut self.buffer)?;
                self.counts.resize(256, 0);
                self.buffer.iter().for_each(|&b| self.counts[usize::from(b)] += 1);
                let n = self.buffer.len() as u64;
                self.layout.letters += n;
                if let Some(last) = self.layout.records.last_mut() {
                    last.2 += n;
                }
                if self.preview.len() < super::preview::ROWS {
                    self.preview
                        .extend(self.buffer.iter().take(super::preview::ROWS).map(|&b| char::from(b).to_string()));
                    self.preview.truncate(super::preview::ROWS);
                }
            }
        }
        Ok(())
    }
}

/// What the first pass found.
pub(super) struct Scanned {
    pub(super) layout: Layout,
    pub(super) preview: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) read_as: String,
}

impl Scan {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let work = &mut self.work;
        self.lines.push(bytes, &mut |piece| work.piece(piece))
    }

    pub(super) fn finish(mut self, name: &str) -> Result<Scanned, DataError> {
        let work = &mut self.work;
        self.lines.finish(&mut |piece| work.piece(piece))?;
        let Tally { mut layout, records, lower, counts, preview, .. } = self.work;
        if layout.letters == 0 {
            return Err(DataError::Empty { name: name.to_owned(), what: "it has no letter of a sequence" });
        }
        layout.together = layout.records.len() > MOST_RECORDS;
        if layout.records.last().is_some_and(|r| r.2 == 0) && !layout.together {
            layout.records.pop();
        }
        let found: Vec<u8> = (0..=u8::MAX).filter(|&b| counts[usize::from(b)] > 0).collect();
        let nucleotides = found.iter().all(|b| b"ACGTUNRYSWKMBDHV-.".contains(b));
        let mut notes = Vec::new();
        let list: Vec<String> =
            found.iter().map(|&b| format!("{} {}", char::from(b), counts[usize::from(b)])).collect();
        notes.push(format!("letters: {}", list.join(", ")));
        if lower > 0 {
            notes.push(format!("{lower} letters in lower case, which often marks masked repeats, count as upper case"));
        }
        if layout.together {
            notes.push(format!(
                "{records} records are one column, in the file's order; up to {MOST_RECORDS} are one each"
            ));
        }
        let sort = if nucleotides { "nucleotides" } else { "amino acids" };
        let read_as = format!("FASTA, {records} sequences of {} {sort}", layout.letters);
        Ok(Scanned { layout, preview, notes, read_as })
    }
}

/// Reads the wanted columns.
pub(super) struct Reader<'a> {
    lines: Lines,
    work: Work<'a>,
}

struct Work<'a> {
    layout: &'a Layout,
    /// For every slot the number of its record; 0 for all records.
    wanted: Vec<u64>,
    alphabets: Vec<Alphabet>,
    record: u64,
    letters: Vec<u8>,
    codes: Vec<u32>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layout: &'a Layout, wanted: &[usize]) -> Self {
        let number = |&c: &usize| if layout.together { 0 } else { layout.records[c].0 };
        let work = Work {
            layout,
            wanted: wanted.iter().map(number).collect(),
            alphabets: vec![Alphabet::default(); wanted.len()],
            record: 0,
            letters: Vec::new(),
            codes: Vec::new(),
        };
        Self { lines: Lines::default(), work }
    }
}

impl Work<'_> {
    fn piece(&mut self, piece: Piece<'_>, out: &mut Out<'_>) -> Result<(), DataError> {
        let (line, offset) = match piece {
            Piece::Record(_) => {
                self.record += 1;
                return Ok(());
            }
            Piece::Letters(line, offset) => (line, offset),
        };
        for slot in 0..self.wanted.len() {
            if self.layout.together || self.wanted[slot] == self.record {
                for run in line.chunks(RUN) {
                    self.letters.clear();
                    fold(run, offset, &mut self.letters)?;
                    self.codes.clear();
                    let alphabet = &mut self.alphabets[slot];
                    self.codes.extend(self.letters.iter().map(|&l| alphabet.code(l)));
                    out(slot, Chunk::Symbols(&self.codes))?;
                }
            }
        }
        Ok(())
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.lines.push(bytes, &mut |piece| work.piece(piece, out))
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.lines.finish(&mut |piece| work.piece(piece, out))
    }

    fn take_labels(&mut self, slot: usize) -> Vec<String> {
        self.work.alphabets.get(slot).map(Alphabet::labels).unwrap_or_default()
    }
}
