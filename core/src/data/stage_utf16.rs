//! UTF-16 text with a byte order mark, as UTF-8.

/// Text at work.
pub(super) struct Utf16 {
    big_endian: bool,
    /// Half a code unit.
    odd: Option<u8>,
    /// The first half of a pair.
    high: Option<u16>,
    first: bool,
    pub(super) out: Vec<u8>,
}

/// The byte order of text that begins with a mark, if it is text.
pub(super) fn order(head: &[u8]) -> Option<bool> {
    let big_endian = match head {
        [0xFF, 0xFE, rest @ ..] if !rest.starts_with(&[0, 0]) => false,
        [0xFE, 0xFF, ..] => true,
        _ => return None,
    };
    let units = head[2..].as_chunks::<2>().0.iter().take(512).map(|&b| unit(b, big_endian));
    let text = |c: Result<char, _>| c.is_ok_and(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'));
    let mut characters = char::decode_utf16(units).peekable();
    let mut last = true;
    while let Some(c) = characters.next() {
        // The look may have cut a pair.
        last = text(c) || characters.peek().is_none();
        if !last {
            break;
        }
    }
    (last && head.len() > 3).then_some(big_endian)
}

const fn unit(bytes: [u8; 2], big_endian: bool) -> u16 {
    if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}

impl Utf16 {
    pub(super) const fn new(big_endian: bool) -> Self {
        Self { big_endian, odd: None, high: None, first: true, out: Vec::new() }
    }

    /// Takes all of `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut rest = bytes;
        if let (Some(odd), Some((&b, tail))) = (self.odd, rest.split_first()) {
            self.odd = None;
            rest = tail;
            self.put(unit([odd, b], self.big_endian))?;
        }
        let (pairs, left) = rest.as_chunks::<2>();
        for &pair in pairs {
            self.put(unit(pair, self.big_endian))?;
        }
        self.odd = left.first().copied().or(self.odd);
        Ok(bytes.len())
    }

    pub(super) fn finish(&self) -> Result<(), String> {
        if self.odd.is_some() || self.high.is_some() {
            return Err("the text ends in the middle of a character".to_owned());
        }
        Ok(())
    }

    fn put(&mut self, unit: u16) -> Result<(), String> {
        if std::mem::take(&mut self.first) && unit == 0xFEFF {
            return Ok(());
        }
        let pair = match self.high.take() {
            Some(high) => [high, unit],
            None if (0xD800..0xDC00).contains(&unit) => {
                self.high = Some(unit);
                return Ok(());
            }
            None => [unit, 0],
        };
        let units = if (0xD800..0xDC00).contains(&pair[0]) { &pair[..] } else { &pair[..1] };
        for c in char::decode_utf16(units.iter().copied()) {
            let c =
                c.map_err(|e| format!("{:#06x} is half a character without its other half", e.unpaired_surrogate()))?;
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }
}
