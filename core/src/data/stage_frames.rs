//! What streams of frames have in common: pieces whose length is known before they come, and the skippable frames that
//! Zstandard (RFC 8878, section 3.1.2) and LZ4 (frame format 1.6.4) share.

/// A piece of a stream, as far as it is there.
pub(super) struct Piece {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// How many it has when it is whole.
    needed: usize,
    /// Bytes that are passed over before it begins.
    passed: u64,
}

impl Piece {
    /// Of so many bytes.
    pub(super) const fn new(needed: usize) -> Self {
        Self { bytes: Vec::new(), needed, passed: 0 }
    }

    /// Takes some of `bytes`, at least one where there is one: how many, and whether the piece is whole by them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        if self.passed > 0 {
            let n = usize::try_from(self.passed).map_or(bytes.len(), |n| n.min(bytes.len()));
            self.passed -= n as u64;
            return (n, false);
        }
        let n = (self.needed - self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..n]);
        (n, self.bytes.len() == self.needed)
    }

    /// The next piece, of so many bytes.
    pub(super) fn next(&mut self, needed: usize) {
        self.needed = needed;
        self.bytes.clear();
    }

    /// The next piece, after so many bytes that are passed over.
    pub(super) fn next_behind(&mut self, passed: u32, needed: usize) {
        self.next(needed);
        self.passed = u64::from(passed);
    }

    /// The same piece turns out to have so many bytes.
    pub(super) const fn extend(&mut self, needed: usize) {
        self.needed = needed;
    }

    /// Whether nothing of it has come, and nothing is owed before it.
    pub(super) const fn is_untouched(&self) -> bool {
        self.bytes.is_empty() && self.passed == 0
    }
}

/// Whether a skippable frame begins so: 0x184D2A50 to 0x184D2A5F, and then the length of what it holds, four bytes.
pub(super) fn is_skippable(magic: &[u8]) -> bool {
    magic.first().is_some_and(|low| low & 0xF0 == 0x50) && magic.get(1..4) == Some(&[0x2A, 0x4D, 0x18])
}

/// Bytes of the head of a skippable frame.
pub(super) const SKIPPABLE_HEAD: usize = 8;
