//! A file of the browser as a source of bytes: slices are read when asked for.

use futures_util::future::LocalBoxFuture;
use gloo_file::{Blob, futures::read_as_bytes};
use surprisal_core::data::{ByteSource, DataError};

pub(super) struct BlobSource {
    name: String,
    blob: Blob,
}

impl BlobSource {
    pub(super) fn new(name: String, blob: web_sys::Blob) -> Self {
        Self { name, blob: blob.into() }
    }
}

impl ByteSource for BlobSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.blob.size()
    }

    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>> {
        Box::pin(async move {
            let start = offset.min(self.len());
            let end = start.saturating_add(len as u64).min(self.len());
            let slice = self.blob.slice(start, end);
            read_as_bytes(&slice).await.map_err(|error| DataError::Read(error.to_string()))
        })
    }
}
