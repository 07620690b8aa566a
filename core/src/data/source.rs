//! Where bytes come from: a slice of a `File` in the page, a file handle on the command line.

use super::DataError;
use futures_util::future::LocalBoxFuture;

/// A named, seekable run of bytes. The readers ask for about 1 MiB at a time and keep no more.
pub trait ByteSource {
    /// The file's name, without its folder; its extension may help to recognise the kind.
    fn name(&self) -> &str;

    /// The number of bytes.
    fn len(&self) -> u64;

    /// No byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `len` bytes from `offset` on. Fewer may come at any time, none only at the end.
    ///
    /// # Errors
    /// [`DataError::Read`] when the bytes cannot be had.
    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>>;
}

/// Bytes that are in memory already: a pasted text, standard input, a bundled sample.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The name to show and to take the extension from.
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl Memory {
    /// A source over `bytes`.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }
}

impl ByteSource for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>> {
        let total = self.bytes.len();
        let start = usize::try_from(offset).map_or(total, |o| o.min(total));
        let end = start.saturating_add(len).min(total);
        Box::pin(std::future::ready(Ok(self.bytes[start..end].to_vec())))
    }
}
