//! Files and standard input as the byte sources that the readers ask.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::Context as _;
use futures_util::future::LocalBoxFuture;
use surprisal_core::data::{ByteSource, DataError};

/// A file on disk, read where it is asked for.
pub(crate) struct FileSource {
    name: String,
    len: u64,
    file: RefCell<File>,
}

impl FileSource {
    /// Opens `path`, or spools standard input into a temporary file for `-`, since readers go back and forth.
    pub(crate) fn open(path: &str) -> anyhow::Result<Self> {
        if path == "-" {
            let mut spool = tempfile::tempfile().context("cannot make a temporary file for standard input")?;
            let len = io::copy(&mut io::stdin().lock(), &mut spool).context("cannot read standard input")?;
            return Ok(Self { name: "standard input".to_owned(), len, file: RefCell::new(spool) });
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
        file.by_ref().take(len as u64).read_to_end(&mut bytes).map_err(failed)?;
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
