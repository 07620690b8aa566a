//! A pipe: bytes that pass by once and have no length.
//!
//! A file is read twice: once to find out what its columns are, from all of their values, and once for the values. Of a
//! pipe only the beginning can be looked at twice. What is found there is taken for the whole; a later value that does not
//! fit is an error that says so, because what was counted before it cannot be undone.

use sha2::{Digest, Sha256};

use super::{
    Chunk, DataError, Dataset, Kind, Memory, Options,
    chunk::Out,
    detect::is_zip,
    open::open,
    part::{Layout, Part},
    pipe::hex,
    stage::Layer,
};
use crate::pace::Pace;

/// A pipe whose kind has columns that are known from its beginning.
pub struct Passing {
    dataset: Dataset,
    part: Part,
    head: Vec<u8>,
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passing").field("dataset", &self.dataset).finish_non_exhaustive()
    }
}

impl Passing {
    /// What a pipe is that begins with `head` and goes on after it. `None`, and `head` is left, where its kind needs all
    /// bytes before the first value can be read, or several readings: packed files, arrays, images, JSON, sequences.
    ///
    /// # Errors
    /// [`DataError::Cancelled`]. What else is wrong with the beginning is found, and told with its place, by whoever reads
    /// all of it: `None`.
    pub async fn begin(
        name: &str,
        head: &mut Vec<u8>,
        options: &Options,
        pace: &dyn Pace,
    ) -> Result<Option<Self>, DataError> {
        if options.kind != Some(Kind::Bytes) && (Layer::of(head).is_some() || is_zip(head)) {
            return Ok(None);
        }
        // The last line is cut somewhere.
        let whole_lines = head.iter().rposition(|&b| b == b'\n').map_or(head.len(), |end| end + 1);
        let beginning = Memory::new(name, head[..whole_lines].to_vec());
        let options = Options { resident_limit: 0, ..options.clone() };
        let file = match open(Box::new(beginning), options, pace).await {
            Ok(file) => file,
            Err(cancelled @ DataError::Cancelled(_)) => return Err(cancelled),
            Err(_) => return Ok(None),
        };
        let Some((mut dataset, mut part)) = file.into_only_part() else { return Ok(None) };
        match &mut part.layout {
            Layout::Bytes => {}
            Layout::Csv(layout) => layout.rows = u64::MAX,
            _ => return Ok(None),
        }
        // How many characters the beginning has says nothing about the whole.
        dataset.notes.retain(|note| !note.contains(" characters in "));
        Ok(Some(Self { dataset, part, head: std::mem::take(head) }))
    }

    /// Names and types of the columns. Lengths, sizes and the checksum are known when all has passed by.
    #[must_use]
    pub const fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The beginning, for who has thought better of it.
    #[must_use]
    pub fn into_head(self) -> Vec<u8> {
        self.head
    }

    /// Passes all bytes by: the beginning, and what `more` has until it has nothing. Every chunk of the columns with
    /// these places goes to `sink`, with its place in `wanted`. Returns the dataset as a file of these bytes would have it,
    /// but for the missing values of columns that were not wanted.
    ///
    /// # Errors
    /// [`DataError::Field`] for a value that does not fit the type that its column has in the beginning, other errors of
    /// reading, and whatever `more` and `sink` return.
    pub async fn pass(
        self,
        wanted: &[usize],
        more: &mut dyn FnMut() -> Result<Vec<u8>, DataError>,
        sink: &mut dyn FnMut(usize, Chunk<'_>) -> Result<(), DataError>,
        pace: &dyn Pace,
    ) -> Result<Dataset, DataError> {
        let Self { mut dataset, part, head } = self;
        let (mut hasher, mut size, mut rows) = (Sha256::new(), 0_u64, 0_u64);
        let mut missing = vec![0_u64; wanted.len()];
        // Without a wanted column the rows are counted all the same.
        let read = if wanted.is_empty() { &[0][..] } else { wanted };
        if let Some(mut reader) = part.reader(read) {
            let mut out = |slot: usize, chunk: Chunk<'_>| {
                if slot == 0 {
                    rows += chunk.len() as u64;
                }
                if wanted.is_empty() || chunk.is_empty() {
                    return Ok(());
                }
                missing[slot] += gaps(chunk);
                sink(slot, chunk)
            };
            let out: &mut Out<'_> = &mut out;
            let mut bytes = head;
            while !bytes.is_empty() {
                // The beginning is long: what a reader or a measure makes of it at once would take many times its size.
                for part in bytes.chunks(PART) {
                    hasher.update(part);
                    size += part.len() as u64;
                    reader.push(part, out).map_err(as_of_a_pipe)?;
                    pace.tick(size, 0).await?;
                }
                bytes = more()?;
            }
            reader.finish(out).map_err(as_of_a_pipe)?;
        }
        let len = if matches!(part.layout, Layout::Bytes) { size } else { rows };
        dataset.columns.iter_mut().for_each(|column| column.len = len);
        dataset.provenance.size = size;
        dataset.provenance.sha256 = hex(&hasher.finalize());
        for (&place, missing) in wanted.iter().zip(missing) {
            dataset.columns[place].missing = missing;
        }
        if !matches!(part.layout, Layout::Bytes) {
            dataset.notes.push("read from a pipe: the types of the columns are those of its beginning".to_owned());
        }
        Ok(dataset)
    }
}

/// Bytes that are looked at together.
const PART: usize = 1 << 20;

fn gaps(chunk: Chunk<'_>) -> u64 {
    match chunk {
        Chunk::Real(v) | Chunk::Time(v) => v.iter().filter(|x| x.is_nan()).count() as u64,
        Chunk::Symbols(v) => v.iter().filter(|c| **c == super::Symbols::MISSING).count() as u64,
        Chunk::Integer(_) | Chunk::Bytes(_) => 0,
    }
}

/// Why a value does not fit, and what to do about it.
fn as_of_a_pipe(error: DataError) -> DataError {
    match error {
        DataError::Field { line, field, name, value, .. } => {
            let expected = "a value of the type that the column has in the beginning of the pipe; a file is read twice, and finds the type of all values";
            DataError::Field { line, field, name, value, expected }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{data::ColumnType, pace::Unhurried};

    fn table(rows: usize, odd: Option<(usize, &str)>) -> Vec<u8> {
        let mut text = "count,value,label\n".to_owned();
        for i in 0..rows {
            let value = if i % 7 == 3 { String::new() } else { format!("{:.3}", (i as f64).sin()) };
            let count = odd.filter(|(at, _)| *at == i).map_or_else(|| (i % 5).to_string(), |(_, word)| word.to_owned());
            text.push_str(&format!("{count},{value},{}\n", ["a", "b", "c"][i % 3]));
        }
        text.into_bytes()
    }

    fn begin(bytes: &[u8], head: usize, options: &Options) -> Option<Passing> {
        let mut head = bytes[..head.min(bytes.len())].to_vec();
        let passing = pollster::block_on(Passing::begin("x", &mut head, options, &Unhurried)).unwrap();
        assert_eq!(head.is_empty(), passing.is_some());
        passing
    }

    /// The dataset, and all reals that passed by.
    fn pass(bytes: &[u8], head: usize, size: usize, wanted: &[usize]) -> Result<(Dataset, Vec<f64>), DataError> {
        let passing = begin(bytes, head, &Options::default()).unwrap();
        let mut rest = bytes[head..].chunks(size);
        let mut reals = Vec::new();
        let mut sink = |_: usize, chunk: Chunk<'_>| {
            if let Chunk::Real(v) = chunk {
                reals.extend_from_slice(v);
            }
            Ok(())
        };
        let mut more = || Ok(rest.next().unwrap_or_default().to_vec());
        let dataset = pollster::block_on(passing.pass(wanted, &mut more, &mut sink, &Unhurried))?;
        Ok((dataset, reals))
    }

    proptest! {
        #[test]
        fn a_pipe_has_the_values_of_a_file(head in 200_usize..3000, size in 1_usize..500) {
            let bytes = table(400, None);
            let (dataset, reals) = pass(&bytes, head, size, &[1, 0]).unwrap();
            let file = pollster::block_on(open(Box::new(Memory::new("x", bytes)), Options::default(), &Unhurried)).unwrap();
            let same = |a: &crate::data::Column, b: &crate::data::Column| (&a.name, a.ty, a.len) == (&b.name, b.ty, b.len);
            prop_assert!(dataset.columns.iter().zip(&file.dataset.columns).all(|(a, b)| same(a, b)));
            prop_assert_eq!(dataset.columns[1].missing, file.dataset.columns[1].missing);
            prop_assert_eq!(&dataset.provenance.sha256, &file.dataset.provenance.sha256);
            prop_assert_eq!(dataset.provenance.size, file.dataset.provenance.size);
            let Some(crate::data::Values::Real(all)) = &file.dataset.columns[1].values else { panic!("reals") };
            prop_assert!(reals.iter().zip(all).all(|(a, b)| a.to_bits() == b.to_bits()) && reals.len() == all.len());
        }
    }

    #[test]
    fn a_value_that_does_not_fit_the_beginning_is_named() {
        let bytes = table(400, Some((350, "2.5")));
        let error = pass(&bytes, 2000, 100, &[0]).unwrap_err().to_string();
        assert!(
            error.contains("line 352") && error.contains("\"2.5\"") && error.contains("beginning of the pipe"),
            "{error}"
        );
        // A column that nobody wants may be anything.
        assert_eq!(pass(&bytes, 2000, 100, &[1]).unwrap().0.columns[0].ty, ColumnType::Integer);
        // Without any the rows are counted.
        assert_eq!(pass(&table(400, None), 2000, 100, &[]).unwrap().0.columns[0].len, 400);
    }

    #[test]
    fn kinds_that_need_more_than_the_beginning_do_not_pass() {
        let none = |bytes: &[u8]| assert!(begin(bytes, bytes.len(), &Options::default()).is_none());
        none(b"\x1f\x8b\x08 packed");
        none(b"PK\x03\x04");
        none(b"{\"a\": 1}\n{\"a\": 2}\n");
        none(b">one\nACGT\n");
        none(b"\x93NUMPY\x01\x00");
        let bytes = Options { kind: Some(Kind::Bytes), ..Options::default() };
        assert!(begin(b"\x1f\x8b\x08 packed", 10, &bytes).is_some());
        assert!(begin(&[0, 159, 146, 150, 10, 0], 6, &Options::default()).is_some());
    }
}
