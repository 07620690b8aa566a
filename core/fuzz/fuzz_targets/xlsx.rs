//! Workbooks: archives as they are, and the XML of their parts, which checksums would keep from being changed.
#![no_main]
mod common;

use std::io::{Cursor, Write};
use surprisal_core::data::Kind;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The parts, and what they are where the input has no more of them. Zero bytes, of which XML has none, are between.
const PARTS: [(&str, &str); 5] = [
    ("xl/worksheets/sheet1.xml", ""),
    ("xl/sharedStrings.xml", "<sst><si><t>a</t></si><si><r><t>b</t></r></si></sst>"),
    ("xl/styles.xml", "<s><cellXfs><xf/><xf numFmtId='14'/><xf numFmtId='20'/><xf numFmtId='46'/></cellXfs></s>"),
    ("xl/workbook.xml", "<w><sheets><sheet name='S' id='1'/></sheets></w>"),
    ("xl/_rels/workbook.xml.rels", "<r><Relationship Id='1' Type='worksheet' Target='worksheets/sheet1.xml'/></r>"),
];

fn workbook(data: &[u8]) -> Option<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.start_file("[Content_Types].xml", stored).ok()?;
    let mut given = data.split(|&b| b == 0);
    for (name, usual) in PARTS {
        writer.start_file(name, stored).ok()?;
        writer.write_all(given.next().unwrap_or(usual.as_bytes())).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if data.starts_with(b"PK") {
        common::read("file.xlsx", data, Some(Kind::Xlsx));
    } else if let Some(bytes) = workbook(data) {
        common::read("file.xlsx", &bytes, Some(Kind::Xlsx));
    }
});
