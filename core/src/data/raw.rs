//! Bytes as they are, and what can be said of them as text.

use super::{
    DataError,
    chunk::{Chunk, Decode, Out},
};

/// Hands all bytes out as one column.
pub(super) struct Reader;

impl Decode for Reader {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        out(0, Chunk::Bytes(bytes))
    }

    fn finish(&mut self, _out: &mut Out<'_>) -> Result<(), DataError> {
        Ok(())
    }
}

/// Counts characters and lines, and finds the first byte that is not UTF-8, over any portions.
#[derive(Default)]
pub(super) struct TextScan {
    /// Code points seen.
    pub(super) characters: u64,
    /// Line ends seen.
    pub(super) newlines: u64,
    /// The first byte that cannot be part of UTF-8 text.
    pub(super) invalid_at: Option<u64>,
    seen: u64,
    /// The beginning of a character that a portion cut.
    carry: Vec<u8>,
}

impl TextScan {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let before = self.seen;
        self.seen += bytes.len() as u64;
        if self.invalid_at.is_some() {
            return;
        }
        let mut rest = bytes;
        let start = before - self.carry.len() as u64;
        while !self.carry.is_empty() {
            let Some((&b, tail)) = rest.split_first() else { return };
            self.carry.push(b);
            rest = tail;
            match std::str::from_utf8(&self.carry) {
                Ok(_) => {
                    self.characters += 1;
                    self.carry.clear();
                }
                Err(e) if e.error_len().is_some() => {
                    self.invalid_at = Some(start);
                    return;
                }
                Err(_) => {}
            }
        }
        let offset = self.seen - rest.len() as u64;
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(e) => {
                let (valid, cut) = rest.split_at(e.valid_up_to());
                if e.error_len().is_some() {
                    self.invalid_at = Some(offset + valid.len() as u64);
                } else {
                    self.carry = cut.to_vec();
                }
                std::str::from_utf8(valid).unwrap_or("")
            }
        };
        // Every byte that does not continue a character begins one.
        self.characters += valid.bytes().filter(|b| b & 0xC0 != 0x80).count() as u64;
        self.newlines += valid.bytes().filter(|&b| b == b'\n').count() as u64;
    }

    pub(super) fn finish(&mut self) {
        if !self.carry.is_empty() && self.invalid_at.is_none() {
            self.invalid_at = Some(self.seen - self.carry.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TextScan;
    use proptest::prelude::*;

    fn scan(bytes: &[u8], cut: usize) -> (u64, u64, Option<u64>) {
        let mut s = TextScan::default();
        bytes.chunks(cut.max(1)).for_each(|c| s.push(c));
        s.finish();
        (s.characters, s.newlines, s.invalid_at)
    }

    proptest! {
        #[test]
        fn text_is_counted_over_any_portions(text in "[aé∑𝄞\n]{0,40}", cut in 1_usize..9) {
            let lines = text.matches('\n').count() as u64;
            prop_assert_eq!(scan(text.as_bytes(), cut), (text.chars().count() as u64, lines, None));
        }

        #[test]
        fn the_first_wrong_byte_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 1_usize..9) {
            let expected = std::str::from_utf8(&bytes).err().map(|e| e.valid_up_to() as u64);
            prop_assert_eq!(scan(&bytes, cut).2, expected);
        }
    }
}
