//! LZ4 frames, block by block (LZ4 Frame Format 1.6.4): a block is decoded once all of it is there.

use lz4_flex::frame::FrameDecoder;
use std::io::{BufRead, Read};

use super::stage_frames::{Piece, SKIPPABLE_HEAD, is_skippable};

/// The magic number of a frame, as it lies.
pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4D, 0x18];

/// Bytes that the decoder is given.
#[derive(Default)]
struct Feed {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Feed {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

enum Await {
    /// Magic and flags: five bytes.
    Magic,
    /// The whole header.
    Header,
    /// The length of a block.
    Block,
    Body,
    /// The end mark, and the checksum if there is one.
    End,
}

/// A stream of frames at work.
pub(super) struct Lz4 {
    state: Await,
    piece: Piece,
    decoder: Option<FrameDecoder<Feed>>,
    flags: u8,
    largest: usize,
    pub(super) out: Vec<u8>,
}

impl Lz4 {
    pub(super) const fn new() -> Self {
        Self { state: Await::Magic, piece: Piece::new(5), decoder: None, flags: 0, largest: 0, out: Vec::new() }
    }

    /// Takes some of `bytes`, at least one, and decodes at most one block.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let (n, whole) = self.piece.take(bytes);
        if whole {
            self.advance()?;
        }
        Ok(n)
    }

    /// The stream ends here.
    pub(super) fn finish(&self) -> Result<(), String> {
        if matches!(self.state, Await::Magic) && self.piece.is_untouched() {
            return Ok(());
        }
        Err("it ends in the middle of a frame".to_owned())
    }

    fn expect(&mut self, state: Await, needed: usize) {
        self.state = state;
        self.piece.next(needed);
    }

    fn advance(&mut self) -> Result<(), String> {
        let p = &self.piece.bytes;
        match self.state {
            Await::Magic if p[..4] == MAGIC => {
                self.flags = p[4];
                let size = if self.flags & 0x08 != 0 { 8 } else { 0 };
                let dictionary = if self.flags & 0x01 != 0 { 4 } else { 0 };
                self.state = Await::Header;
                self.piece.extend(7 + size + dictionary);
            }
            Await::Magic if is_skippable(p) => {
                self.state = Await::Header;
                self.piece.extend(SKIPPABLE_HEAD);
            }
            Await::Magic => return Err(format!("no frame begins with {:02x?}", &p[..4])),
            Await::Header if p[0] != MAGIC[0] => {
                let length = u32::from_le_bytes([p[4], p[5], p[6], p[7]]);
                self.state = Await::Magic;
                self.piece.next_behind(length, 5);
            }
            Await::Header => {
                self.largest = match p[5] >> 4 & 7 {
                    4 => 64 << 10,
                    5 => 256 << 10,
                    6 => 1 << 20,
                    7 => 4 << 20,
                    n => return Err(format!("no block has the size {n}; 4 to 7 are defined")),
                };
                self.decoder = Some(FrameDecoder::new(Feed { bytes: p.clone(), at: 0 }));
                self.expect(Await::Block, 4);
            }
            Await::Block => {
                let word = u32::from_le_bytes([p[0], p[1], p[2], p[3]]);
                if word == 0 {
                    let checksum = if self.flags & 0x04 != 0 { 4 } else { 0 };
                    self.state = Await::End;
                    self.piece.extend(4 + checksum);
                    if checksum == 0 {
                        self.advance()?;
                    }
                } else {
                    let size = usize::try_from(word & 0x7FFF_FFFF).unwrap_or(usize::MAX);
                    if size > self.largest {
                        return Err(format!("a block claims {size} bytes, more than the frame's {}", self.largest));
                    }
                    let checksum = if self.flags & 0x10 != 0 { 4 } else { 0 };
                    self.state = Await::Body;
                    self.piece.extend(4 + size + checksum);
                }
            }
            Await::Body => {
                self.decode()?;
                self.expect(Await::Block, 4);
            }
            Await::End => {
                self.decode()?;
                self.decoder = None;
                self.expect(Await::Magic, 5);
            }
        }
        Ok(())
    }

    /// Gives the decoder the pending bytes, which are one block or the end, and takes what comes out.
    fn decode(&mut self) -> Result<(), String> {
        let decoder = self.decoder.as_mut().ok_or("a block before a frame")?;
        let feed = decoder.get_mut();
        feed.bytes.drain(..feed.at);
        feed.at = 0;
        feed.bytes.extend_from_slice(&self.piece.bytes);
        let more = decoder.fill_buf().map_err(|e| e.to_string())?;
        self.out.extend_from_slice(more);
        let n = more.len();
        decoder.consume(n);
        Ok(())
    }
}
