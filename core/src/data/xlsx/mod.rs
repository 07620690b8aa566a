//! Excel workbooks, Office Open XML (`.xlsx`, `.xlsm`): every sheet that has a value is a table, by the rules of tables of
//! text where those apply.
//!
//! Read are numbers, texts, truth values, dates, times and the cached results of formulas. What merged cells, styles and
//! charts say is left out.
//!
//! Source: ISO/IEC 29500-1:2016, 18, SpreadsheetML.

mod cells;
mod columns;
mod formats;
mod texts;
mod xml;

use super::{
    ByteSource, DataError, Kind, Options,
    csv_field::shorten,
    open::member,
    part::Part,
    pipe::{Pipe, Route},
    whole::{Table, gather},
};
use crate::pace::Pace;
use cells::{Book, Oddities};
use std::collections::{HashMap, HashSet};
use texts::Texts;
use xml::{Item, Xml};

const WORKBOOK: &str = "xl/workbook.xml";
const RELATIONS: &str = "xl/_rels/workbook.xml.rels";
const INSTEAD: &str = "save it as .xlsx or CSV";
/// More sheets than this are not measured.
const MOST_SHEETS: usize = 1024;
/// Sheets that the provenance lists.
const LISTED: usize = 4;

/// What is no workbook and should be one.
pub(super) fn none_here() -> DataError {
    let why =
        "it is no zip archive with [Content_Types].xml and xl/workbook.xml; to read it as it is, open it as bytes";
    DataError::Malformed { what: "XLSX workbook", offset: 0, why: why.to_owned() }
}

/// Refuses the container of `.xls` files, in which workbooks with a password are, too.
pub(super) fn refuse_old(extension: &str, head: &[u8]) -> Result<(), DataError> {
    const OLE2: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    if !head.starts_with(OLE2) {
        return Ok(());
    }
    // Names in its directory are UTF-16.
    let holds = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        head.windows(name.len()).any(|w| w == name)
    };
    let what = match extension {
        _ if holds("EncryptedPackage") => "an Excel workbook with a password",
        "xlsx" | "xlsm" | "xlsb" => "an Excel workbook with a password",
        "xls" | "xlt" => "an Excel workbook of the old format (.xls)",
        _ if holds("Workbook") => "an Excel workbook of the old format (.xls)",
        _ => return Ok(()),
    };
    let instead = if what.ends_with("password") { "remove the password, or save it as CSV" } else { INSTEAD };
    Err(DataError::Unsupported { what: what.to_owned(), instead })
}

/// Whether an archive that begins with `head` and has files of these names is a workbook. `wanted`: it has to be one.
pub(super) fn is_workbook(head: &[u8], names: &[String], wanted: bool) -> Result<bool, DataError> {
    const SPREADSHEET: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet";
    let refuse = |what: &str| Err(DataError::Unsupported { what: what.to_owned(), instead: INSTEAD });
    if head.get(30..).is_some_and(|after| after.starts_with(SPREADSHEET)) {
        return refuse("an OpenDocument spreadsheet (.ods)");
    }
    let has = |wanted: &str| names.iter().any(|name| is_same(name, wanted));
    match has("[Content_Types].xml") {
        true if has(WORKBOOK) => Ok(true),
        true if has("xl/workbook.bin") => refuse("a binary Excel workbook (.xlsb)"),
        _ if wanted => Err(none_here()),
        _ => Ok(false),
    }
}

/// Names in a workbook do not depend on case; some programs write backslashes.
fn is_same(name: &str, wanted: &str) -> bool {
    let plain = |b: u8| if b == b'\\' { b'/' } else { b.to_ascii_lowercase() };
    name.len() == wanted.len() && name.bytes().map(plain).eq(wanted.bytes().map(plain))
}

/// The files of the archive.
struct Files<'a> {
    source: &'a dyn ByteSource,
    members: &'a [Route],
    options: &'a Options,
    pace: &'a dyn Pace,
    /// Bytes unpacked so far.
    unpacked: u64,
}

impl<'a> Files<'a> {
    fn find(&self, name: &str) -> Option<&'a Route> {
        self.members.iter().find(|member| is_same(&member.name, name))
    }

    /// The bytes of a file; `None` where it is not there.
    async fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>, DataError> {
        let Some(route) = self.find(name) else { return Ok(None) };
        let mut pipe = Pipe::new(self.source, route, self.options, self.pace);
        let bytes = gather(&mut pipe, name, self.options).await.map_err(|e| member(true, name, e))?;
        self.unpacked = self.unpacked.saturating_add(bytes.len() as u64);
        if self.unpacked > self.options.decoded_limit {
            let (name, packed, unpacked) = (self.source.name().to_owned(), self.source.len(), self.unpacked);
            let limit = format!("{} bytes", self.options.decoded_limit);
            return Err(DataError::Bomb { name, packed, unpacked, limit });
        }
        Ok(Some(bytes))
    }

    async fn need(&mut self, name: &str) -> Result<Vec<u8>, DataError> {
        let missing = || DataError::Malformed {
            what: "XLSX workbook",
            offset: 0,
            why: format!("the archive has no file {}", shorten(name, 200)),
        };
        self.get(name).await?.ok_or_else(missing)
    }
}

/// What the workbook says of a sheet.
struct Entry {
    name: String,
    /// The relation that leads to its file.
    relation: String,
}

/// A file that belongs to the workbook.
struct Relation {
    /// The last word of its type: `worksheet`.
    sort: String,
    /// Its name in the archive.
    target: String,
}

/// The sheets in their order, and whether days are counted from 1904.
fn workbook(bytes: &[u8]) -> Result<(Vec<Entry>, bool), DataError> {
    let mut xml = Xml::new(bytes);
    let (mut entries, mut from_1904) = (Vec::new(), false);
    while let Some(item) = xml.next()? {
        let Item::Start(start) = item else { continue };
        match start.local_name().as_ref() {
            "workbookPr" => {
                let [date] = xml.attributes(&start, ["date1904"])?;
                from_1904 = matches!(date.as_deref(), Some("1" | "true"));
            }
            "sheet" => {
                let [name, relation] = xml.attributes(&start, ["name", "id"])?;
                let (Some(name), Some(relation)) = (name, relation) else {
                    return Err(xml.wrong("a sheet without a name or without a relation"));
                };
                if entries.len() >= MOST_SHEETS {
                    return Err(xml.wrong(format!("more than {MOST_SHEETS} sheets")));
                }
                entries.push(Entry { name: name.into_owned(), relation: relation.into_owned() });
            }
            _ => {}
        }
    }
    Ok((entries, from_1904))
}

/// The files that the workbook's relations lead to, by the relations' names.
fn relations(bytes: &[u8]) -> Result<HashMap<String, Relation>, DataError> {
    let mut xml = Xml::new(bytes);
    let mut found = HashMap::new();
    while let Some(item) = xml.next()? {
        let Item::Start(start) = item else { continue };
        if start.local_name().as_ref() != "Relationship" {
            continue;
        }
        if let [Some(id), Some(sort), Some(target)] = xml.attributes(&start, ["Id", "Type", "Target"])? {
            let sort = sort.rsplit('/').next().unwrap_or("").to_owned();
            found.insert(id.into_owned(), Relation { sort, target: in_archive(&target) });
        }
    }
    Ok(found)
}

/// The name in the archive of what the workbook calls `worksheets/sheet1.xml` or `/xl/worksheets/sheet1.xml`.
fn in_archive(target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { vec!["xl"] };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads the workbook that the archive `root` with these members is.
pub(super) async fn read(
    source: &dyn ByteSource,
    root: Route,
    members: &[Route],
    options: &Options,
    pace: &dyn Pace,
) -> Result<Part, DataError> {
    let mut files = Files { source, members, options, pace, unpacked: 0 };
    let mut table = Table::new(source.len(), options);
    let within = |name: &str| {
        let name = name.to_owned();
        move |error| member(true, &name, error)
    };
    let (entries, from_1904) = workbook(&files.need(WORKBOOK).await?).map_err(within(WORKBOOK))?;
    let relations = relations(&files.need(RELATIONS).await?).map_err(within(RELATIONS))?;
    let companion = |sort: &str, usual: &str| {
        let related = relations.values().filter(|r| r.sort == sort).map(|r| r.target.clone()).min();
        related.unwrap_or_else(|| usual.to_owned())
    };
    let (shared, styles) = (companion("sharedStrings", "xl/sharedStrings.xml"), companion("styles", "xl/styles.xml"));
    let texts = match files.get(&shared).await? {
        Some(bytes) => texts::shared(&bytes, pace).await.map_err(within(&shared))?,
        None => Texts::default(),
    };
    let forms = match files.get(&styles).await? {
        Some(bytes) => formats::styles(&bytes).map_err(within(&styles))?,
        None => Vec::new(),
    };
    let mut book = Book { forms, shared: texts.len(), texts, from_1904, odd: Oddities::default() };

    let (mut sheets, mut seen) = (Vec::new(), HashSet::new());
    for Entry { name, relation } in entries {
        let wrong = |why| DataError::Sheet { sheet: shorten(&name, 60), place: WORKBOOK.to_owned(), why };
        let Some(Relation { sort, target }) = relations.get(&relation) else {
            return Err(wrong(format!("{RELATIONS} has no relation {}", shorten(&relation, 60))));
        };
        // However often a workbook lists a file, it is read once.
        if !seen.insert(target.to_ascii_lowercase()) {
            return Err(wrong(format!("its file {} is that of another sheet, too", shorten(target, 200))));
        }
        if sort != "worksheet" {
            table.skip(&shorten(&name, 60), &format!("a sheet of the sort {}", shorten(sort, 60)));
            continue;
        }
        let bytes = files.need(target).await?;
        let sheet = cells::read(&name, &bytes, &mut book, &mut table, pace).await.map_err(within(target))?;
        if !sheet.columns.is_empty() {
            sheets.push(sheet);
        }
    }
    if sheets.is_empty() {
        return Err(DataError::Empty { name: root.name, what: "no sheet has a value" });
    }
    let several = sheets.len() > 1;
    let mut told = Vec::new();
    for sheet in sheets {
        let one = columns::add(&sheet, several, &book, &options.csv, &mut table, pace).await?;
        book.odd.dateless += one.dateless;
        told.push(one.read_as);
    }
    let more = told.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    told.truncate(LISTED);
    let read_as = format!("XLSX, {} {}{more}", if several { "sheets" } else { "sheet" }, told.join(", "));
    table.notes.extend(book.odd.notes());
    table.finish(root, Kind::Xlsx, read_as)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for (target, name) in [
            ("worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("./../xl/styles.xml", "xl/styles.xml"),
            ("../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(in_archive(target), name);
        }
        assert!(is_same("XL\\Workbook.xml", WORKBOOK));
        assert!(!is_same("xl/workbook.xm", WORKBOOK));
    }
}
