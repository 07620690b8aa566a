//! The XML of a workbook's parts: elements by their local names, texts with their entities resolved, and no DTD.

use crate::data::DataError;
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesEnd, BytesStart, Event},
};
use std::borrow::Cow;

/// What comes next.
pub(super) enum Item<'a> {
    /// An element begins. An empty one ends next.
    Start(BytesStart<'a>),
    /// The element that began last ends.
    End(BytesEnd<'a>),
    /// A run of text; the next item may continue it.
    Text(Cow<'a, str>),
}

/// A part while it is read.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    /// Elements that have begun and not ended.
    depth: usize,
}

impl<'a> Xml<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0 }
    }

    /// The bytes that are behind.
    pub(super) const fn at(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// An error at the place where the reader is.
    pub(super) fn wrong(&self, why: impl Into<String>) -> DataError {
        DataError::Malformed { what: "XML", offset: self.at(), why: why.into() }
    }

    /// The next item; `None` at the end of the one element that a part is.
    pub(super) fn next(&mut self) -> Result<Option<Item<'a>>, DataError> {
        loop {
            let event = self.reader.read_event().map_err(|e| DataError::Malformed {
                what: "XML",
                offset: self.reader.error_position(),
                why: e.to_string(),
            })?;
            return Ok(Some(match event {
                // An empty element comes as its start and its end.
                Event::Start(start) | Event::Empty(start) => {
                    self.depth += 1;
                    Item::Start(start)
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Item::End(end)
                }
                Event::Text(text) => Item::Text(text.xml10_content()),
                Event::CData(text) => Item::Text(text.xml10_content()),
                Event::GeneralRef(name) => {
                    let number = name.resolve_char_ref().map_err(|e| self.wrong(e.to_string()))?;
                    match number {
                        Some(character) => Item::Text(Cow::Owned(character.to_string())),
                        None => match resolve_xml_entity(&name) {
                            Some(text) => Item::Text(Cow::Borrowed(text)),
                            None => return Err(self.wrong("an entity that is none of amp, lt, gt, apos and quot")),
                        },
                    }
                }
                // Entities of its own are what bombs are made of; no program writes one.
                Event::DocType(_) => return Err(self.wrong("a document type declaration, which no workbook has")),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
                Event::Eof if self.depth > 0 => return Err(self.wrong("it ends inside an element")),
                Event::Eof => return Ok(None),
            }));
        }
    }

    /// The attributes with these local names.
    pub(super) fn attributes<'s, const N: usize>(
        &self,
        start: &'s BytesStart<'_>,
        names: [&str; N],
    ) -> Result<[Option<Cow<'s, str>>; N], DataError> {
        let mut found = [const { None }; N];
        // The check for two of the same name takes the square of their number.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| self.wrong(e.to_string()))?;
            let key = attribute.key.local_name();
            if let Some(i) = names.iter().position(|name| *name == key.as_ref())
                && found[i].is_none()
            {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                found[i] = Some(value.map_err(|e| self.wrong(e.to_string()))?);
            }
        }
        Ok(found)
    }

    /// Passes over what is left of the element that began last.
    pub(super) fn skip(&mut self) -> Result<(), DataError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && self.next()?.is_some() {}
        Ok(())
    }

    /// Appends the text of the element that began last, up to its end.
    pub(super) fn text(&mut self, into: &mut String) -> Result<(), DataError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            match self.next()? {
                Some(Item::Text(text)) => into.push_str(&text),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }
}
