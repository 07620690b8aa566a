//! Takes JSON text apart to its values without understanding them: the elements of an array, or the
//! values of JSON lines, each whole, over any portions of bytes.

use super::DataError;

/// The longest single value.
pub(super) const LONGEST: usize = 256 << 20;

/// What lies between the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// One array: commas.
    Commas,
    /// White space: JSON lines, or one value alone.
    Space,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the array's bracket.
    Before,
    /// Before a value, or the array's end.
    First,
    /// In a value, or in the space around it.
    Value,
    /// After the array's end.
    After,
}

/// Takes one value and the place where it begins.
pub(super) type Each<'a> = dyn FnMut(&[u8], u64) -> Result<(), DataError> + 'a;

/// The work in progress.
pub(super) struct Splitter {
    between: Between,
    place: Place,
    item: Vec<u8>,
    /// Brackets open inside the value.
    depth: u32,
    quoted: bool,
    escaped: bool,
    /// Bytes of `NaN` still to be passed over.
    nan: u8,
    /// How many `NaN`, which JSON does not have but Python writes, became `null`.
    pub(super) nans: u64,
    /// Bytes seen before this portion.
    seen: u64,
    /// Where the value begins.
    pub(super) start: u64,
}

/// Outside quotes, what a byte may be other than part of a number or word.
const fn is_plain(b: u8) -> bool {
    !matches!(b, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b'N' | b' ' | b'\n' | b'\r' | b'\t')
}

impl Splitter {
    pub(super) fn new(between: Between) -> Self {
        let place = if between == Between::Commas { Place::Before } else { Place::First };
        Self {
            between,
            place,
            item: Vec::new(),
            depth: 0,
            quoted: false,
            escaped: false,
            nan: 0,
            nans: 0,
            seen: 0,
            start: 0,
        }
    }

    /// Takes the next bytes; `each` gets every value that ends in them, and where it began.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut Each<'_>) -> Result<(), DataError> {
        let mut at = 0;
        // A byte order mark.
        if self.seen == 0 && bytes.starts_with(b"\xEF\xBB\xBF") {
            at = 3;
        }
        while let Some(&b) = bytes.get(at) {
            let offset = self.seen + at as u64;
            let rest = &bytes[at..];
            if self.quoted {
                at += self.string(rest);
                if !self.quoted && self.depth == 0 && self.between == Between::Space {
                    self.end(each)?;
                }
                continue;
            }
            at += 1;
            match (self.place, b) {
                (_, b' ' | b'\n' | b'\r' | b'\t') => {
                    let scalar = self.depth == 0 && !self.item.is_empty();
                    if scalar && self.between == Between::Space {
                        self.end(each)?;
                    } else if !self.item.is_empty() {
                        self.item.push(b' ');
                    }
                }
                (Place::Before, b'[') => self.place = Place::First,
                (Place::Before, _) => return Err(wrong(offset, "an array must begin with [")),
                (Place::After, _) => {
                    return Err(wrong(offset, "something follows the end of the array; JSON lines are named .jsonl"));
                }
                (place, b']') if self.depth == 0 && self.between == Between::Commas => {
                    match (place, self.item.is_empty()) {
                        (Place::First, _) => {}
                        (_, true) => return Err(wrong(offset, "a value is missing before ]")),
                        (_, false) => self.end(each)?,
                    }
                    self.place = Place::After;
                }
                (_, b',') if self.depth == 0 && self.between == Between::Commas => {
                    if self.item.is_empty() {
                        return Err(wrong(offset, "a value is missing before the comma"));
                    }
                    self.end(each)?;
                    self.place = Place::Value;
                }
                _ => {
                    if self.item.is_empty() {
                        self.start = offset;
                        self.place = Place::Value;
                    }
                    self.value(b, offset)?;
                    if self.nan == 0 && is_plain(b) {
                        let run = rest[1..].iter().take_while(|&&b| is_plain(b)).count();
                        self.item.extend_from_slice(&rest[1..=run]);
                        at += run;
                    }
                    let closed = matches!(b, b'}' | b']') && self.depth == 0;
                    if closed && self.between == Between::Space {
                        self.end(each)?;
                    }
                }
            }
            if self.item.len() > LONGEST {
                let (what, limit) = ("one JSON value".to_owned(), LONGEST as u64);
                return Err(DataError::TooLarge { what, needed: self.item.len() as u64, limit });
            }
        }
        self.seen += bytes.len() as u64;
        Ok(())
    }

    /// Copies of a string what there is; the number of bytes taken.
    fn string(&mut self, rest: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            self.item.push(rest[0]);
            return 1;
        }
        let run = rest.iter().take_while(|&&b| b != b'"' && b != b'\\').count();
        self.item.extend_from_slice(&rest[..run]);
        match rest.get(run) {
            Some(&b) => {
                self.item.push(b);
                (self.quoted, self.escaped) = (b != b'"', b == b'\\');
                run + 1
            }
            None => run,
        }
    }

    fn value(&mut self, b: u8, offset: u64) -> Result<(), DataError> {
        if self.nan > 0 {
            self.nan -= 1;
            // `a`, then `N`.
            if b == [b'N', b'a'][usize::from(self.nan)] {
                return Ok(());
            }
            return Err(wrong(offset, "neither a value nor NaN"));
        }
        match b {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                let less = self.depth.checked_sub(1);
                self.depth = less.ok_or_else(|| wrong(offset, "a bracket closes that was never opened"))?;
            }
            b'N' => {
                (self.nan, self.nans) = (2, self.nans + 1);
                self.item.extend_from_slice(b"null");
                return Ok(());
            }
            _ => {}
        }
        self.item.push(b);
        Ok(())
    }

    fn end(&mut self, each: &mut Each<'_>) -> Result<(), DataError> {
        each(&self.item, self.start)?;
        self.item.clear();
        Ok(())
    }

    /// No more bytes will come.
    pub(super) fn finish(&mut self, each: &mut Each<'_>) -> Result<(), DataError> {
        let open = self.depth > 0 || self.quoted || self.nan > 0;
        let unclosed = self.between == Between::Commas && self.place != Place::After;
        if open || unclosed {
            let have = self.seen.saturating_sub(self.start);
            return Err(DataError::Truncated { what: "the JSON value", offset: self.start, needed: have + 1, have });
        }
        if self.item.is_empty() { Ok(()) } else { self.end(each) }
    }
}

/// A fault of the text at a byte.
pub(super) fn wrong(offset: u64, why: impl Into<String>) -> DataError {
    DataError::Malformed { what: "JSON file", offset, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, between: Between, portion: usize) -> Result<Vec<String>, DataError> {
        let mut found = Vec::new();
        let mut splitter = Splitter::new(between);
        let mut each = |v: &[u8], _: u64| {
            found.push(String::from_utf8_lossy(v).trim().to_owned());
            Ok(())
        };
        for bytes in text.as_bytes().chunks(portion) {
            splitter.push(bytes, &mut each)?;
        }
        splitter.finish(&mut each)?;
        Ok(found)
    }

    #[test]
    fn values_are_found_over_any_portions() {
        for portion in 1..9 {
            let array = split(r#" [ 1, {"a":[2,"],}\"\\"]} ,"x, y", NaN,[ ] ] "#, Between::Commas, portion).unwrap();
            assert_eq!(array, ["1", r#"{"a":[2,"],}\"\\"]}"#, r#""x, y""#, "null", "[ ]"]);
            let lines = split("1 2\n{\"a\": 1}{}\r\n\"b c\" [3,4]\nnull", Between::Space, portion).unwrap();
            assert_eq!(lines, ["1", "2", "{\"a\": 1}", "{}", "\"b c\"", "[3,4]", "null"]);
            assert!(split("[]", Between::Commas, portion).unwrap().is_empty());
        }
    }

    #[test]
    fn faults_are_named() {
        for (text, word) in [
            ("[1,,2]", "missing"),
            ("[1,]", "missing"),
            ("[1", "cut off"),
            ("[1] 2", "follows"),
            ("[}]", "closes"),
            ("[Nix]", "NaN"),
        ] {
            let error = split(text, Between::Commas, 2).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
