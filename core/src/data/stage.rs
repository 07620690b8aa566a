//! One layer of packing: gzip, zstd, LZ4, a member of a zip archive, or text in UTF-16.

use super::{DataError, stage_lz4, stage_lz4::Lz4, stage_utf16, stage_utf16::Utf16, stage_zstd, stage_zstd::Zstd};
use flate2::{
    Crc,
    write::{DeflateDecoder, MultiGzDecoder},
};
use std::io::Write;

/// How a layer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// gzip, of one or several members.
    Gzip,
    /// Zstandard frames.
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// UTF-16, big-endian or not, to UTF-8.
    Utf16(bool),
    /// A deflated member of a zip archive, with its CRC-32.
    Deflated(u32),
    /// A stored member of a zip archive, with its CRC-32.
    Stored(u32),
}

impl Layer {
    /// The packing of bytes that begin so.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1F, 0x8B, 8]) {
            return Some(Self::Gzip);
        }
        if head.starts_with(&stage_zstd::MAGIC) {
            return Some(Self::Zstd);
        }
        if head.starts_with(&stage_lz4::MAGIC) {
            return Some(Self::Lz4);
        }
        stage_utf16::order(head).map(Self::Utf16)
    }

    /// `gzip`; nothing for members of archives.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "LZ4",
            Self::Utf16(_) => "UTF-16",
            Self::Deflated(_) | Self::Stored(_) => "",
        }
    }

    /// The extensions that such files have beside their own.
    pub(super) const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Gzip => &["gz"],
            Self::Zstd => &["zst", "zstd"],
            Self::Lz4 => &["lz4"],
            Self::Utf16(_) | Self::Deflated(_) | Self::Stored(_) => &[],
        }
    }
}

enum Codec {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<Zstd>),
    Lz4(Box<Lz4>),
    Utf16(Utf16),
    Deflate(Box<DeflateDecoder<Vec<u8>>>),
    Stored,
}

/// A layer at work. It produces at most about a megabyte per call, however small its input is.
pub(super) struct Stage {
    codec: Codec,
    /// What the archive says, and what came out.
    crc: Option<(u32, Crc)>,
    input: Vec<u8>,
    at: usize,
    consumed: u64,
    pub(super) produced: u64,
    /// No more input will come.
    ended: bool,
}

const ENOUGH: usize = 1 << 20;
const STEP: usize = 32 << 10;

impl Stage {
    pub(super) fn new(layer: Layer) -> Self {
        let (codec, crc) = match layer {
            Layer::Gzip => (Codec::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))), None),
            Layer::Zstd => (Codec::Zstd(Box::new(Zstd::new())), None),
            Layer::Lz4 => (Codec::Lz4(Box::new(Lz4::new())), None),
            Layer::Utf16(big_endian) => (Codec::Utf16(Utf16::new(big_endian)), None),
            Layer::Deflated(crc) => {
                (Codec::Deflate(Box::new(DeflateDecoder::new(Vec::new()))), Some((crc, Crc::new())))
            }
            Layer::Stored(crc) => (Codec::Stored, Some((crc, Crc::new()))),
        };
        Self { codec, crc, input: Vec::new(), at: 0, consumed: 0, produced: 0, ended: false }
    }

    /// Whether [`Stage::run`] has something to work on.
    pub(super) const fn is_hungry(&self) -> bool {
        self.at >= self.input.len()
    }

    /// Bytes of input taken so far.
    pub(super) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// New input; all of the former has been taken.
    pub(super) fn feed(&mut self, input: Vec<u8>) {
        self.input = input;
        self.at = 0;
    }

    /// Unpacks some of the input.
    pub(super) fn run(&mut self) -> Result<Vec<u8>, DataError> {
        let out = if matches!(self.codec, Codec::Stored) {
            let out = std::mem::take(&mut self.input);
            self.consumed += out.len() as u64;
            self.at = 0;
            out
        } else {
            loop {
                let rest = &self.input[self.at..];
                // Small steps: a step of 32 KiB unfolds to 32 MiB at the very most.
                let step = &rest[..rest.len().min(STEP)];
                let (taken, ready) = match &mut self.codec {
                    Codec::Gzip(d) => (text(d.write(step)), d.get_ref().len()),
                    Codec::Deflate(d) => (text(d.write(step)), d.get_ref().len()),
                    Codec::Zstd(d) => (d.write(step), d.out.len()),
                    Codec::Lz4(d) => (d.write(step), d.out.len()),
                    Codec::Utf16(d) => (d.write(step), d.out.len()),
                    Codec::Stored => (Ok(step.len()), 0),
                };
                match taken {
                    // A deflate stream that has ended takes nothing more: what follows is not its own.
                    Ok(0) => {
                        self.consumed += rest.len() as u64;
                        self.at = self.input.len();
                    }
                    Ok(n) => {
                        self.at += n;
                        self.consumed += n as u64;
                    }
                    Err(e) => return Err(self.damage(&e)),
                }
                if ready >= ENOUGH || self.is_hungry() {
                    break;
                }
            }
            self.take()
        };
        self.account(&out);
        Ok(out)
    }

    /// No more input: the rest of the output, once. `None` when there was an end before.
    pub(super) fn end(&mut self) -> Result<Option<Vec<u8>>, DataError> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let done = match &mut self.codec {
            Codec::Gzip(d) => text(d.try_finish()),
            Codec::Deflate(d) => text(d.try_finish()),
            Codec::Zstd(d) => d.finish(),
            Codec::Lz4(d) => d.finish(),
            Codec::Utf16(d) => d.finish(),
            Codec::Stored => Ok(()),
        };
        if let Err(e) = done {
            return Err(self.damage(&e));
        }
        let out = self.take();
        self.account(&out);
        if let Some((claimed, crc)) = &self.crc
            && *claimed != crc.sum()
        {
            let why = format!("the member's checksum is {:08x}, the archive says {claimed:08x}", crc.sum());
            return Err(self.damage(&why));
        }
        Ok(Some(out))
    }

    fn take(&mut self) -> Vec<u8> {
        match &mut self.codec {
            Codec::Gzip(d) => std::mem::take(d.get_mut()),
            Codec::Deflate(d) => std::mem::take(d.get_mut()),
            Codec::Zstd(d) => std::mem::take(&mut d.out),
            Codec::Lz4(d) => std::mem::take(&mut d.out),
            Codec::Utf16(d) => std::mem::take(&mut d.out),
            Codec::Stored => Vec::new(),
        }
    }

    fn account(&mut self, out: &[u8]) {
        self.produced += out.len() as u64;
        if let Some((_, crc)) = &mut self.crc {
            crc.update(out);
        }
    }

    fn damage(&self, why: &str) -> DataError {
        let (offset, why) = (self.consumed, why.to_owned());
        match self.codec {
            Codec::Gzip(_) => DataError::Gzip { offset, why },
            Codec::Zstd(_) => DataError::Packed { what: "zstd", offset, why },
            Codec::Lz4(_) => DataError::Packed { what: "LZ4", offset, why },
            Codec::Utf16(_) => DataError::Packed { what: "UTF-16", offset, why },
            Codec::Deflate(_) | Codec::Stored => DataError::Zip { offset, why },
        }
    }
}

fn text<T>(result: std::io::Result<T>) -> Result<T, String> {
    result.map_err(|e| e.to_string())
}
