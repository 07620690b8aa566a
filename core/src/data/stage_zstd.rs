//! Zstandard frames, block by block (RFC 8878): a block is decoded once all of it is there.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::stage_frames::{Piece, SKIPPABLE_HEAD, is_skippable};

/// The magic number of a frame, as it lies.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

enum Await {
    /// Magic and descriptor: five bytes.
    Magic,
    /// The whole header, of so many bytes.
    Header,
    /// The length of a block.
    Block,
    /// The block, and the checksum if it is the last.
    Body { last: bool },
}

/// A stream of frames at work.
pub(super) struct Zstd {
    state: Await,
    piece: Piece,
    decoder: Option<FrameDecoder>,
    checked: bool,
    pub(super) out: Vec<u8>,
}

impl Zstd {
    pub(super) const fn new() -> Self {
        Self { state: Await::Magic, piece: Piece::new(5), decoder: None, checked: false, out: Vec::new() }
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
                // Frame_Header_Descriptor, section 3.1.1.1.1.
                let d = p[4];
                let single = d & 0x20 != 0;
                let size = match d >> 6 {
                    0 => usize::from(single),
                    1 => 2,
                    2 => 4,
                    _ => 8,
                };
                self.checked = d & 0x04 != 0;
                self.state = Await::Header;
                self.piece.extend(5 + usize::from(!single) + [0, 1, 2, 4][usize::from(d & 3)] + size);
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
                // A new one for every frame: a used one would allocate the window that the header claims.
                let mut decoder = FrameDecoder::new();
                decoder.init(&p[..]).map_err(|e| e.to_string())?;
                self.decoder = Some(decoder);
                self.expect(Await::Block, 3);
            }
            Await::Block => {
                let header = u32::from_le_bytes([p[0], p[1], p[2], 0]);
                let last = header & 1 == 1;
                let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
                if size > 128 << 10 {
                    return Err(format!("a block claims {size} bytes, more than the 128 KiB that one may have"));
                }
                // One byte repeated, or the bytes there are.
                let body = if header >> 1 & 3 == 1 { 1 } else { size };
                let checksum = if last && self.checked { 4 } else { 0 };
                self.state = Await::Body { last };
                self.piece.extend(3 + body + checksum);
                // An empty last block is complete already.
                if body + checksum == 0 {
                    self.advance()?;
                }
            }
            Await::Body { last } => {
                let decoder = self.decoder.as_mut().ok_or("a block before a frame")?;
                decoder.decode_blocks(&p[..], BlockDecodingStrategy::UptoBlocks(1)).map_err(|e| e.to_string())?;
                if let Some(more) = decoder.collect() {
                    self.out.extend_from_slice(&more);
                }
                if last {
                    let (claimed, found) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
                    if claimed.is_some() && claimed != found {
                        return Err("the checksum of a frame differs".to_owned());
                    }
                    self.decoder = None;
                    self.expect(Await::Magic, 5);
                } else {
                    self.expect(Await::Block, 3);
                }
            }
        }
        Ok(())
    }
}
