//! The lists of names that PyTables keeps as pickles in attributes: lists and tuples of texts and whole numbers, read and
//! never run. What builds anything else is refused.

/// What was pickled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pickled {
    Text(String),
    Number(i64),
    /// A list or a tuple.
    List(Vec<Pickled>),
    /// None, a dictionary, or a list out of the memo: nothing that names are made of.
    Other,
}

impl Pickled {
    /// The parts of a list, each a list of texts: the names of a table's columns, level by level.
    pub(super) fn names(&self) -> Option<Vec<Vec<&str>>> {
        let Self::List(columns) = self else { return None };
        columns.iter().map(Self::texts).collect()
    }

    fn texts(&self) -> Option<Vec<&str>> {
        let Self::List(parts) = self else { return None };
        parts.iter().map(|part| if let Self::Text(text) = part { Some(text.as_str()) } else { None }).collect()
    }
}

/// Reads a pickle of protocol 0 to 5; the error says what it held instead.
pub(super) fn read(bytes: &[u8]) -> Result<Pickled, String> {
    let mut machine = Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: Vec::new() };
    loop {
        if let Some(made) = machine.step()? {
            return Ok(made);
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Pickled>,
    marks: Vec<usize>,
    /// Texts and numbers by their place. Lists are not kept: nothing refers to them, and a file could nest them without end.
    memo: Vec<Option<Pickled>>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let found = self.at.checked_add(n).and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or_else(|| "the pickle ends too early".to_owned())?;
        self.at += n;
        Ok(found)
    }

    /// A number of up to eight bytes, the lowest first.
    fn little(&mut self, n: usize) -> Result<u64, String> {
        Ok(self.take(n)?.iter().rev().fold(0, |sum, &b| (sum << 8) | u64::from(b)))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == b'\n').ok_or("the pickle ends within a line")?;
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.at += end + 1;
        Ok(line)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let line = self.line()?;
        line.trim_end_matches('L').parse().map_err(|_| format!("{line:?} is no number"))
    }

    fn pop(&mut self) -> Result<Pickled, String> {
        self.stack.pop().ok_or_else(|| "the pickle takes more than it has".to_owned())
    }

    /// What lies above the last mark.
    fn marked(&mut self) -> Result<Vec<Pickled>, String> {
        let mark =
            self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("the pickle has no mark where one is needed")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, n: usize) -> Result<(), String> {
        let start = self.stack.len().checked_sub(n).ok_or("the pickle takes more than it has")?;
        let parts = self.stack.split_off(start);
        self.stack.push(Pickled::List(parts));
        Ok(())
    }

    fn text(&mut self, n: u64) -> Result<(), String> {
        let n = usize::try_from(n).map_err(|_| "a text is longer than the pickle".to_owned())?;
        let text = String::from_utf8_lossy(self.take(n)?).into_owned();
        self.stack.push(Pickled::Text(text));
        Ok(())
    }

    fn put(&mut self, place: u64) -> Result<(), String> {
        // A place is at most one for each byte that was read.
        let place =
            usize::try_from(place).ok().filter(|&p| p <= self.at).ok_or("a place in the memo is out of reach")?;
        let value = self.stack.last().ok_or("the pickle keeps what it does not have")?;
        let kept = matches!(value, Pickled::Text(_) | Pickled::Number(_)).then(|| value.clone());
        if self.memo.len() <= place {
            self.memo.resize(place + 1, None);
        }
        self.memo[place] = kept;
        Ok(())
    }

    fn get(&mut self, place: u64) {
        let kept = usize::try_from(place).ok().and_then(|p| self.memo.get(p).cloned().flatten());
        self.stack.push(kept.unwrap_or(Pickled::Other));
    }

    fn append(&mut self, parts: Vec<Pickled>) -> Result<(), String> {
        match self.stack.last_mut() {
            Some(Pickled::List(list)) => list.extend(parts),
            Some(Pickled::Other) => {}
            _ => return Err("the pickle appends to what is no list".to_owned()),
        }
        Ok(())
    }

    /// One instruction; the value where it was the last.
    fn step(&mut self) -> Result<Option<Pickled>, String> {
        let code = self.take(1)?[0];
        match code {
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'l' | b't' => {
                let parts = self.marked()?;
                self.stack.push(Pickled::List(parts));
            }
            b']' | b')' => self.stack.push(Pickled::List(Vec::new())),
            0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
            b'a' => {
                let part = self.pop()?;
                self.append(vec![part])?;
            }
            b'e' => {
                let parts = self.marked()?;
                self.append(parts)?;
            }
            b'd' => {
                self.marked()?;
                self.stack.push(Pickled::Other);
            }
            b'}' | b'N' | 0x88 | 0x89 => self.stack.push(Pickled::Other),
            b's' => {
                self.pop()?;
                self.pop()?;
            }
            b'u' => drop(self.marked()?),
            b'0' => drop(self.pop()?),
            b'I' | b'L' => {
                let number = self.number()?;
                self.stack.push(Pickled::Number(number));
            }
            b'K' | b'M' => {
                let number = self.little(if code == b'K' { 1 } else { 2 })?;
                self.stack.push(i64::try_from(number).map_or(Pickled::Other, Pickled::Number));
            }
            b'J' => {
                let bits = u32::try_from(self.little(4)?).unwrap_or_default();
                self.stack.push(Pickled::Number(bits.cast_signed().into()));
            }
            b'V' => {
                let line = self.line()?;
                self.stack.push(Pickled::Text(unescaped(&line)));
            }
            b'S' => {
                let line = self.line()?;
                self.stack.push(Pickled::Text(line.trim_matches(['\'', '"']).to_owned()));
            }
            b'X' => {
                let n = self.little(4)?;
                self.text(n)?;
            }
            0x8c => {
                let n = self.little(1)?;
                self.text(n)?;
            }
            b'p' => {
                let place = self.number()?;
                self.put(place)?;
            }
            b'q' | b'r' => {
                let place = self.little(if code == b'q' { 1 } else { 4 })?;
                self.put(place)?;
            }
            0x94 => self.put(self.memo.len() as u64)?,
            b'g' => {
                let place = self.number()?;
                self.get(place);
            }
            b'h' | b'j' => {
                let place = self.little(if code == b'h' { 1 } else { 4 })?;
                self.get(place);
            }
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            _ => return Err(format!("the pickle holds more than lists of names (instruction {code:#04x})")),
        }
        Ok(None)
    }
}

/// Python's raw-unicode-escape: \uXXXX and \UXXXXXXXX.
fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let digits = match rest.as_bytes().get(at + 1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        let code = rest.get(at + 2..at + 2 + digits).filter(|_| digits > 0);
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                rest = &rest[at + 2 + digits..];
            }
            None => {
                text.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_protocol() {
        // pickle.dumps([("a", "snout", "x"), ("a", "snout", "y")], protocol=p)
        let zero = b"(lp0\n(Va\np1\nVsnout\np2\nVx\np3\ntp4\na(g1\ng2\nVy\np5\ntp6\na.";
        let two = b"\x80\x02]q\x00(X\x01\x00\x00\x00aq\x01X\x05\x00\x00\x00snoutq\x02X\x01\x00\x00\x00xq\x03\x87q\x04\
            h\x01h\x02X\x01\x00\x00\x00yq\x05\x87q\x06e.";
        let four =
            b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x01a\x94\x8c\x05snout\x94\x8c\x01x\x94\x87\x94\
            h\x01h\x02\x8c\x01y\x94\x87\x94e.";
        for bytes in [&zero[..], two, four] {
            let list = read(bytes).unwrap();
            assert_eq!(list.names().unwrap(), [["a", "snout", "x"], ["a", "snout", "y"]]);
        }
        assert_eq!(read(b"(lp0\n(I1\n(lp1\nV\\u00e9t\\u00e9\np2\natp3\na.").map(|p| p.names().is_none()), Ok(true));
        assert_eq!(read(b"V\\u00e9t\\u00e9\\x\n."), Ok(Pickled::Text("été\\x".to_owned())));
    }

    #[test]
    fn nothing_is_run_and_nothing_panics() {
        assert!(read(b"cos\nsystem\n(S'true'\ntR.").unwrap_err().contains("more than lists of names"));
        let whole = b"(lp0\n(Va\np1\nVsnout\np2\nVx\np3\ntp4\na(g1\ng2\nVy\np5\ntp6\na.";
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err());
        }
        for code in 0..=255_u8 {
            for tail in [&b""[..], b".", b"0\n.", b"\xff\xff\xff\xff\xff\xff\xff\xff."] {
                let _ = read(&[&[code][..], tail].concat());
                let _ = read(&[&b"(lVa\n("[..], &[code], tail].concat());
            }
        }
    }
}
