//! Files and standard input as the byte sources that the readers ask.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write as _},
    path::Path,
};

use anyhow::Context as _;
use futures_util::future::LocalBoxFuture;
use surprisal_core::data::{ByteSource, DataError};

/// What standard input is called in reports.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// At most `most` bytes of standard input: fewer only at its end.
pub(crate) fn standard_input(most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file on disk, read where it is asked for.
pub(crate) struct FileSource {
    name: String,
    len: u64,
    file: RefCell<File>,
}

impl FileSource {
    /// The beginning of standard input and what follows it, in a temporary file: for readers that go back and forth.
    pub(crate) fn spool(head: &[u8]) -> anyhow::Result<Self> {
        let mut spool = tempfile::tempfile().context("cannot make a temporary file for standard input")?;
        spool.write_all(head).context("cannot write a temporary file")?;
        let rest = io::copy(&mut io::stdin().lock(), &mut spool).context("cannot read standard input")?;
        Ok(Self { name: STANDARD_INPUT.to_owned(), len: head.len() as u64 + rest, file: RefCell::new(spool) })
    }

    /// Opens `path`; `-` is standard input.
    pub(crate) fn open(path: &str) -> anyhow::Result<Self> {
        if path == "-" {
            return Self::spool(&[]);
        }
        let file = File::open(path).with_context(|| format!("cannot open {path}"))?;
        let meta = file.metadata().with_context(|| format!("cannot read {path}"))?;
        anyhow::ensure!(meta.is_file(), "{path} is not a file");
        let name = Path::new(path).file_name().map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into_owned());
        Ok(Self { name, len: meta.len(), file: RefCell::new(file) })
    }

    fn read_now(&self, offset: u64, len: usize) -> Result<Vec<u8>, DataError> {
        let failed = |e: io::Error| DataError::Read(format!("{} at byte {offset}: {e}", self.name));
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::with_capacity(len);
        Read::by_ref(&mut *file).take(len as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

impl ByteSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>> {
        Box::pin(std::future::ready(self.read_now(offset, len)))
    }
}
