//! The way from raw bytes to decoded bytes: read, hash, unpack, by chunks of about a megabyte.

use super::{
    ByteSource, DataError, Options,
    stage::{Layer, Stage},
};
use crate::pace::Pace;
use sha2::{Digest, Sha256};

/// Bytes read at a time.
pub(super) const CHUNK: usize = 1 << 20;
/// Unpacking is judged by its ratio only after so many bytes, because small files compress wildly.
const JUDGED_AFTER: u64 = 64 << 20;
/// Data worth measuring does not compress better than this.
const RATIO: u64 = 200;

/// Where the bytes of one file or archive member lie, and how they are packed.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The name without the extensions of the packing.
    pub(super) name: String,
    /// First raw byte.
    pub(super) start: u64,
    /// One past the last raw byte.
    pub(super) end: u64,
    /// From the outermost in.
    pub(super) layers: Vec<Layer>,
}

impl Route {
    /// `, inside gzip`: from the outermost in.
    pub(super) fn packing(&self) -> String {
        let one = |l: &Layer| match l {
            Layer::Utf16(_) => ", UTF-16".to_owned(),
            l => format!(", inside {}", l.title()),
        };
        self.layers.iter().map(one).collect()
    }

    /// The number of decoded bytes, where it is known without unpacking.
    pub(super) fn exact_len(&self) -> Option<u64> {
        let plain = self.layers.iter().all(|l| matches!(l, Layer::Stored(_)));
        plain.then(|| self.end.saturating_sub(self.start))
    }
}

/// A reading in progress.
pub(super) struct Pipe<'a> {
    source: &'a dyn ByteSource,
    pace: &'a dyn Pace,
    route: &'a Route,
    at: u64,
    stages: Vec<Stage>,
    hasher: Option<Sha256>,
    decoded_limit: u64,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(source: &'a dyn ByteSource, route: &'a Route, options: &Options, pace: &'a dyn Pace) -> Self {
        let stages = route.layers.iter().map(|&l| Stage::new(l)).collect();
        Self { source, pace, route, at: route.start, stages, hasher: None, decoded_limit: options.decoded_limit }
    }

    /// Computes the SHA-256 of the raw bytes on the way.
    pub(super) fn hashing(mut self) -> Self {
        self.hasher = Some(Sha256::new());
        self
    }

    /// Where work on the bytes reports to.
    pub(super) const fn pace(&self) -> &'a dyn Pace {
        self.pace
    }

    /// The next decoded bytes, never none; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, DataError> {
        self.pace.tick(self.at, self.source.len()).await?;
        loop {
            // The layer nearest to the output that still has input works first, so little is in flight.
            let busy = (0..self.stages.len()).rev().find(|&i| !self.stages[i].is_hungry());
            let (from, bytes) = if let Some(i) = busy {
                let bytes = self.stages[i].run()?;
                self.judge(i)?;
                (i + 1, bytes)
            } else if let Some(bytes) = self.read().await? {
                (0, bytes)
            } else {
                let mut ended = None;
                for i in 0..self.stages.len() {
                    if let Some(bytes) = self.stages[i].end()? {
                        self.judge(i)?;
                        ended = Some((i + 1, bytes));
                        break;
                    }
                }
                match ended {
                    Some(found) => found,
                    None => return Ok(None),
                }
            };
            if bytes.is_empty() {
                continue;
            }
            match self.stages.get_mut(from) {
                Some(stage) => stage.feed(bytes),
                None => return Ok(Some(bytes)),
            }
        }
    }

    /// Reads and hashes what is left of the raw bytes; the digest in hexadecimal.
    pub(super) async fn digest(mut self) -> Result<String, DataError> {
        while self.read().await?.is_some() {
            self.pace.tick(self.at, self.source.len()).await?;
        }
        Ok(self.hasher.map(|h| hex(&h.finalize())).unwrap_or_default())
    }

    async fn read(&mut self) -> Result<Option<Vec<u8>>, DataError> {
        let left = self.route.end.saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        let bytes = self.source.read(self.at, usize::try_from(left).map_or(CHUNK, |n| n.min(CHUNK))).await?;
        if bytes.is_empty() || bytes.len() as u64 > left {
            return Err(DataError::Changed {
                what: format!("{left} bytes from byte {} on could not be read", self.at),
            });
        }
        self.at += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes);
        }
        Ok(Some(bytes))
    }

    fn judge(&self, i: usize) -> Result<(), DataError> {
        let packed = self.stages.first().map_or(0, Stage::consumed);
        let unpacked = self.stages[i].produced;
        let limit = if unpacked > self.decoded_limit {
            format!("{} bytes", self.decoded_limit)
        } else if unpacked > JUDGED_AFTER && unpacked / RATIO > packed {
            format!("{RATIO} times its size")
        } else {
            return Ok(());
        };
        Err(DataError::Bomb { name: self.route.name.clone(), packed, unpacked, limit })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}
