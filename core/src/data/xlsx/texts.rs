//! The texts of a workbook: those that cells share, and those that cells and formulas have of their own.

use super::xml::{Item, Xml};
use crate::{data::DataError, pace::Pace};

/// Items between two questions whether to go on.
const OFTEN: u64 = 8192;

/// UTF-16 units that a cell may hold; without a bound, cells that share a long text would take its length times their number.
const LONGEST: usize = 32_767;

/// Texts behind one another in one string.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    /// One past the last byte of each.
    ends: Vec<usize>,
}

impl Texts {
    /// The number of texts.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Keeps a text; its place, or what no workbook may hold.
    pub(super) fn push(&mut self, text: &str) -> Result<u32, String> {
        let place = u32::try_from(self.ends.len()).map_err(|_| "there are more texts than can be numbered")?;
        let start = self.all.len();
        unescape(text, &mut self.all);
        let text = &self.all[start..];
        if text.len() > LONGEST && text.encode_utf16().nth(LONGEST).is_some() {
            return Err(format!("a text of more than {LONGEST} characters"));
        }
        self.ends.push(self.all.len());
        Ok(place)
    }

    /// The text at a place; nothing where there is none.
    pub(super) fn get(&self, place: u32) -> &str {
        let i = usize::try_from(place).unwrap_or(usize::MAX);
        let start = i.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(i).and_then(|&end| self.all.get(start..end)).unwrap_or("")
    }
}

/// The texts of `xl/sharedStrings.xml`.
pub(super) async fn shared(bytes: &[u8], pace: &dyn Pace) -> Result<Texts, DataError> {
    let mut xml = Xml::new(bytes);
    let (mut texts, mut one, mut items) = (Texts::default(), String::new(), 0_u64);
    while let Some(item) = xml.next()? {
        if items.is_multiple_of(OFTEN) {
            pace.tick(xml.at(), bytes.len() as u64).await?;
        }
        items += 1;
        if let Item::Start(start) = item
            && start.local_name().as_ref() == "si"
        {
            one.clear();
            rich(&mut xml, &mut one)?;
            texts.push(&one).map_err(|why| xml.wrong(why))?;
        }
    }
    Ok(texts)
}

/// Appends the text of the `si` or `is` that began last: its own or that of its runs, without how they are pronounced.
pub(super) fn rich(xml: &mut Xml<'_>, into: &mut String) -> Result<(), DataError> {
    let mut inside = 1_usize;
    while inside > 0 {
        match xml.next()? {
            Some(Item::Start(start)) => match start.local_name().as_ref() {
                "t" => {
                    let [space] = xml.attributes(&start, ["space"])?;
                    let from = into.len();
                    xml.text(into)?;
                    if space.as_deref() != Some("preserve") {
                        trim_from(into, from);
                    }
                }
                "r" => inside += 1,
                _ => xml.skip()?,
            },
            Some(Item::End(_)) => inside -= 1,
            Some(Item::Text(_)) => {}
            None => break,
        }
    }
    Ok(())
}

/// Takes away the white space around what follows byte `from`.
fn trim_from(text: &mut String, from: usize) {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    let end = text[from..].trim_end_matches(SPACE).len() + from;
    text.truncate(end);
    let blank = text[from..].len() - text[from..].trim_start_matches(SPACE).len();
    text.drain(from..from + blank);
}

/// Appends a text in which `_x000D_` stands for a character that XML does not have (ISO/IEC 29500-1, 22.9.2.19).
fn unescape(text: &str, into: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                into.push_str(&rest[..at]);
                into.push(character);
                rest = &rest[at + 7..];
            }
            None => {
                into.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Unhurried;

    #[test]
    fn escapes() {
        for (text, plain) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_x00e9_", "é"),
            ("_xD800_", "_xD800_"),
            ("_x00", "_x00"),
            ("_xé000_", "_xé000_"),
            ("a_", "a_"),
        ] {
            let mut found = String::new();
            unescape(text, &mut found);
            assert_eq!(found, plain, "{text}");
        }
    }

    #[test]
    fn runs_are_joined_and_phonetic_ones_left_out() {
        let xml = "<sst><si><t> a &amp; b&#33; </t></si><si><r><rPr><t>no</t></rPr><t>x</t></r>\
            <r><t xml:space='preserve'> y</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si><si/>\
            <si><t><![CDATA[<c>]]></t></si></sst>";
        let texts = pollster::block_on(shared(xml.as_bytes(), &Unhurried)).unwrap();
        let all: Vec<&str> = (0..5).map(|i| texts.get(i)).collect();
        assert_eq!(all, ["a & b!", "x y", "", "<c>", ""]);
        assert_eq!(texts.len(), 4);
    }
}
