//! FASTQ: sequences with a score for every letter.
//!
//! Four lines a read: `@name`, letters, `+`, and as many quality characters, whose code less 33 is the Phred score
//! (Cock et al. 2010, Nucleic Acids Research 38, 1767).

use super::{
    DataError,
    chunk::{Chunk, Decode, Out},
    detect::Head,
    fasta::{Alphabet, fold, letter},
};

/// The longest line that is read.
const LONGEST: usize = 64 << 20;

/// Whether a file begins as FASTQ.
pub(super) fn looks_like(head: &Head) -> bool {
    let mut lines = head.bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    let [Some(name), Some(bases), Some(plus)] = [lines.next(), lines.next(), lines.next()] else { return false };
    name.first() == Some(&b'@') && bases.iter().all(|&b| letter(b).is_some()) && plus.first() == Some(&b'+')
}

/// Reads FASTQ: bases, quality scores, and the lengths of the reads.
#[derive(Default)]
pub(super) struct Reader {
    /// For every slot 0 bases, 1 qualities, 2 lengths.
    wanted: Vec<usize>,
    line: Vec<u8>,
    number: u64,
    bases: Vec<u8>,
    alphabet: Alphabet,
    pub(super) reads: u64,
    pub(super) letters: u64,
    seen: u64,
}

impl Reader {
    pub(super) fn new(wanted: &[usize]) -> Self {
        Self { wanted: wanted.to_vec(), ..Self::default() }
    }

    fn end_of_line(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii_end();
        let wrong = |why: String| DataError::Malformed { what: "FASTQ file", offset: self.seen, why };
        let number = self.number + 1;
        match self.number % 4 {
            0 if text.is_empty() => return Ok(()),
            0 if text[0] != b'@' => return Err(wrong(format!("line {number} must begin with @"))),
            1 => {
                self.bases.clear();
                fold(text, self.seen, &mut self.bases)?;
            }
            2 if text.first() != Some(&b'+') => {
                return Err(wrong(format!(
                    "line {number} must begin with +; sequences over several lines are not read"
                )));
            }
            3 => {
                let (expected, found) = (self.bases.len(), text.len());
                if expected != found || !text.iter().all(|b| (33..127).contains(b)) {
                    return Err(wrong(format!(
                        "line {number} must have {expected} quality characters, it has {found}"
                    )));
                }
                self.reads += 1;
                self.letters += found as u64;
                for slot in 0..self.wanted.len() {
                    match self.wanted[slot] {
                        0 => {
                            let codes: Vec<u32> = self.bases.iter().map(|&b| self.alphabet.code(b)).collect();
                            out(slot, Chunk::Symbols(&codes))?;
                        }
                        1 => {
                            let scores: Vec<i64> = text.iter().map(|&b| i64::from(b) - 33).collect();
                            out(slot, Chunk::Integer(&scores))?;
                        }
                        _ => out(slot, Chunk::Integer(&[i64::try_from(found).unwrap_or(i64::MAX)]))?,
                    }
                }
            }
            _ => {}
        }
        self.number += 1;
        self.line = line;
        self.line.clear();
        Ok(())
    }
}

impl Decode for Reader {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&b| b == b'\n') {
            self.line.extend_from_slice(&rest[..end]);
            self.end_of_line(out)?;
            self.seen += end as u64 + 1;
            rest = &rest[end + 1..];
        }
        if self.line.len() + rest.len() > LONGEST {
            let (what, limit) = ("one line of a FASTQ file".to_owned(), LONGEST as u64);
            return Err(DataError::TooLarge { what, needed: (self.line.len() + rest.len()) as u64, limit });
        }
        self.line.extend_from_slice(rest);
        self.seen += rest.len() as u64;
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        if !self.line.is_empty() {
            self.end_of_line(out)?;
        }
        if self.number.is_multiple_of(4) {
            return Ok(());
        }
        let have = self.number % 4;
        Err(DataError::Truncated {
            what: "the last read of the FASTQ file, of four lines,",
            offset: self.seen,
            needed: 1,
            have,
        })
    }

    fn take_labels(&mut self, slot: usize) -> Vec<String> {
        if self.wanted.get(slot) == Some(&0) { self.alphabet.labels() } else { Vec::new() }
    }
}
