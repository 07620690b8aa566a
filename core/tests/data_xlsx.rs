//! Workbooks that other programs wrote (`files/xlsx/make.py`) are read to the values they were made of, and workbooks that lie
//! get an error that says where.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "small literals; a test that cannot read its input has failed"
)]

use std::{
    cell::Cell,
    io::{Cursor, Write},
};

use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    data::{Column, ColumnType, CsvOptions, DataError, Kind, Memory, OpenFile, Options, Values, open},
    pace::{Cancelled, Pace, Unhurried},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

#[path = "common/columns.rs"]
mod columns;

use columns::{column, names, numbers, words};

fn load(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/xlsx").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn with(name: &str, bytes: &[u8], options: Options) -> Result<OpenFile, DataError> {
    pollster::block_on(open(Box::new(Memory::new(name, bytes.to_vec())), options, &Unhurried))
}

fn try_open(bytes: &[u8]) -> Result<OpenFile, DataError> {
    with("x.xlsx", bytes, Options::default())
}

fn read(name: &str) -> OpenFile {
    with(name, &load(name), Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn message(bytes: &[u8]) -> String {
    try_open(bytes).expect_err("an error").to_string()
}

/// NaN equals NaN here.
fn assert_same(found: &Column, expected: &[f64]) {
    let values = numbers(found);
    let same = |a: &f64, b: &f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    assert!(
        values.len() == expected.len() && values.iter().zip(expected).all(|(a, b)| same(a, b)),
        "{}: {values:?}, expected {expected:?}",
        found.name
    );
}

fn noted(file: &OpenFile, words: &str) {
    assert!(file.dataset.notes.iter().any(|n| n.contains(words)), "{words}: {:?}", file.dataset.notes);
}

const NAN: f64 = f64::NAN;
/// 2024-02-28.
const DAY: f64 = 1_709_078_400.0;

/// `make.py`'s moments: noon, and then half a day and a millisecond more each time.
fn moments() -> Vec<f64> {
    (0..5).map(|i| DAY + f64::from(43_200_000 + i * 43_200_001) / 1000.0).collect()
}

/// What `make.py`'s `table` says, in columns with these first words.
fn assert_table(file: &OpenFile, prefix: &str) {
    let of = |name: &str| column(file, &format!("{prefix}{name}"));
    assert_eq!((of("when").ty, of("day").ty), (ColumnType::Time, ColumnType::Time));
    assert_same(&of("when"), &moments());
    assert_same(&of("day"), &(0..5).map(|i| DAY + 86_400.0 * f64::from(i)).collect::<Vec<_>>());
    assert_same(&of("temp"), &[1.5, NAN, -2.25, 1e-3, 1e300]);
    assert_eq!((of("temp").unit.as_deref(), of("temp").missing), (Some("°C"), 1));
    assert_eq!(of("count").values, Some(Values::Integer(vec![3, 1, 4, 1, -5])));
    assert_eq!(words(&of("label")), ["a", "b, c", " d <&> \"e\"\n ", "", "a"]);
    assert_eq!(of("flag").values, Some(Values::Integer(vec![1, 0, 1, 1, 0])));
}

#[test]
fn sheets_of_openpyxl() {
    let file = read("openpyxl.xlsx");
    assert_eq!(file.dataset.provenance.kind, Kind::Xlsx);
    let read_as = "XLSX, sheets \"Data\" (names in row 1), \"The rest\" (no header), \"Rich\" (names in row 1)";
    assert_eq!(file.dataset.provenance.read_as, read_as);
    assert_table(&file, "Data ");
    let (clock, lasted) = (column(&file, "Data clock"), column(&file, "Data lasted"));
    assert_eq!((clock.unit.as_deref(), lasted.unit.as_deref()), (Some("s"), Some("s")));
    assert_same(&clock, &[0.0, 45_000.0, 86_399.0, 21_600.0, NAN]);
    assert_same(&lasted, &[5400.0, 90_001.0, NAN, 0.0, 1.5]);
    // A table somewhere in the sheet, with a row and columns left empty.
    assert_same(&column(&file, "The rest column 3"), &[0.0, 1.0, NAN, 9.0, 16.0]);
    assert_eq!(words(&column(&file, "The rest column 5")), ["one", "two", "", "two", "one"]);
    assert_same(&column(&file, "The rest column 6"), &[NAN, 7.5, NAN, NAN, NAN]);
    noted(&file, "formulas without a cached value: 1");
    noted(&file, "Chart (a sheet of the sort chartsheet)");
    // Runs of text are joined; one text among numbers makes labels, and is named by its cell.
    let rich = column(&file, "Rich text");
    assert_eq!(&words(&rich)[..2], ["plain bold 0", "plain bold 1"]);
    assert_eq!(&words(&column(&file, "Rich odd"))[6..9], ["6.5", "seven", "8.5"]);
    noted(&file, "(sheet 'Rich', column B) is read as labels: cell B9 has \"seven\", where 19 other rows have numbers");
    assert_eq!(names(&file).len(), 13);
}

#[test]
fn a_sheet_of_pandas() {
    let file = read("pandas.xlsx");
    assert_eq!(names(&file), ["when", "day", "temp", "count", "label", "flag"]);
    assert_table(&file, "");
    let dates =
        ["2024-02-28T12:00:00", "2024-02-29T00:00:00.001", "2024-02-29T12:00:00.002", "2024-03-01T00:00:00.003"];
    assert_eq!(file.preview().columns[0][..4], dates);
    assert_eq!(file.preview().columns[1][..2], ["2024-02-28", "2024-02-29"]);
    assert_eq!(file.preview().columns[4][1], "b, c");
    assert!(file.dataset.notes.is_empty(), "{:?}", file.dataset.notes);
}

#[test]
fn a_sheet_of_xlsxwriter() {
    let file = read("xlsxwriter.xlsx");
    assert_eq!(file.dataset.provenance.read_as, "XLSX, sheet \"It's «1»\" (names in row 1)");
    let rich: Vec<String> = (0..5).map(|i| format!("xy z{}!", i % 3)).collect();
    assert_eq!(words(&column(&file, "rich")), rich);
    assert_same(&column(&file, "formula"), &[0.25, 2.25, 6.25, 12.25, 20.25]);
    assert_same(&column(&file, "error"), &[0.0, 1.0, 2.0, NAN, 4.0]);
    noted(&file, "errors such as #N/A or #DIV/0!: 1");
    assert_same(&column(&file, "number as text"), &[0.5, 1.5, 2.5, 3.5, 4.5]);
    let months = column(&file, "month");
    assert_eq!(months.ty, ColumnType::Time);
    let days = [1_672_531_200.0, 1_706_745_600.0, 1_740_787_200.0, 1_775_001_600.0, 1_809_129_600.0];
    assert_same(&months, &days);
    let elapsed = column(&file, "elapsed");
    assert_eq!((elapsed.ty, elapsed.unit.as_deref()), (ColumnType::Real, Some("s")));
    assert_same(&elapsed, &[0.0, 36_000.0, 72_000.0, 108_000.0, 144_000.0]);
    // XlsxWriter writes an empty result as none at all.
    assert_same(&column(&file, "half empty"), &[0.0, NAN, 2.0, NAN, 4.0]);
    noted(&file, "formulas without a cached value: 2");
    let mixed =
        ["2024-02-28T12:00:00", "2024-02-29T12:00:00", "2024-03-01T12:00:00", "2024-03-02T12:00:00", "later_x000D_"];
    assert_eq!(words(&column(&file, "date or not")), mixed);
}

#[test]
fn inline_texts_of_xlsxwriter() {
    let file = read("inline.xlsx");
    assert_eq!(words(&column(&file, "name")), [" a & b ", "<c>", "ünï"]);
    assert_eq!(column(&file, "x").values, Some(Values::Integer(vec![1, 2, 3])));
}

#[test]
fn days_from_1904_and_from_1900() {
    for name in ["mac_xlsxwriter.xlsx", "mac_openpyxl.xlsx"] {
        let file = read(name);
        assert_eq!(file.dataset.columns[0].ty, ColumnType::Time, "{name}");
        assert_same(&column(&file, "column 1"), &moments());
    }
    let file = read("early.xlsx");
    // The 29 February 1900, which there was not, is read as the 28th.
    let days = ["1900-01-01", "1900-02-28", "1900-02-28", "1900-03-01", "1970-01-01", "9999-12-31", "NaN", "NaN"];
    assert_eq!(file.preview().columns[0], days);
    noted(&file, "numbers that are formatted as dates and are none: 2");
}

/// An archive of these files.
fn archive(files: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const BOOK: &str = "<workbook xmlns:r='r'><sheets><sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>";
const RELATIONS: &str =
    "<Relationships><Relationship Id='rId1' Type='a/worksheet' Target='worksheets/sheet1.xml'/></Relationships>";
const SHARED: &str = "<sst uniqueCount='4000000000'><si><t>a</t></si><si><t> </t></si><si><t>b</t></si></sst>";
const STYLES: &str = "<styleSheet><cellXfs><xf/><xf numFmtId='20'/><xf numFmtId='14'/></cellXfs></styleSheet>";

/// A workbook of one sheet, and these other parts instead of the usual ones.
fn parts(sheet: &str, others: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/sharedStrings.xml", SHARED),
        ("xl/styles.xml", STYLES),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    let mut files = others.to_vec();
    files.extend(usual.into_iter().filter(|(name, _)| !others.iter().any(|(other, _)| name == other)));
    archive(&files, CompressionMethod::Deflated)
}

fn workbook(rows: &str) -> Vec<u8> {
    parts(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"), &[])
}

#[test]
fn rows_and_cells_without_their_references_follow_one_another() {
    let file = try_open(&workbook(
        "<row><c><v>1</v></c><c t='s'><v>0</v></c></row><row/><row r='4'><c><v>2</v></c><c r='D4'><v>3</v></c><c><v>4</v></c></row>",
    ))
    .unwrap();
    assert_eq!(names(&file), ["column 1", "column 2", "column 4", "column 5"]);
    assert_same(&column(&file, "column 1"), &[1.0, NAN, NAN, 2.0]);
    assert_eq!(words(&column(&file, "column 2")), ["a", "", "", ""]);
    assert_same(&column(&file, "column 5"), &[NAN, NAN, NAN, 4.0]);
}

#[test]
fn other_prefixes_blank_texts_and_iso_dates() {
    let sheet = "<?xml version='1.0'?><!-- x --><x:worksheet xmlns:x='y'><x:sheetData><x:row>\
        <x:c t='inlineStr'><x:is><x:t>day</x:t></x:is></x:c><x:c t='s'><x:v>2</x:v></x:c></x:row>\
        <x:row><x:c t='d'><x:v>2024-02-29T12:00:00</x:v></x:c><x:c t='s'><x:v>1</x:v></x:c></x:row>\
        <x:row><x:c t='d'><x:v>2024-03-01</x:v></x:c><x:c t='b'><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>";
    let file = try_open(&parts(sheet, &[])).unwrap();
    assert_eq!(names(&file), ["day", "b"]);
    assert_same(&column(&file, "day"), &[DAY + 86_400.0 + 43_200.0, DAY + 2.0 * 86_400.0]);
    assert_same(&column(&file, "b"), &[NAN, 1.0]);
}

#[test]
fn times_of_day_are_seconds_until_a_date_is_among_them() {
    let clock = |serials: &[f64], last: &str| {
        let rows: String = serials.iter().map(|x| format!("<row><c s='1'><v>{x}</v></c></row>")).collect();
        try_open(&workbook(&format!("{rows}{last}"))).unwrap()
    };
    let file = clock(&[0.5, 0.75, 1.25], "");
    assert_same(&column(&file, "column 1"), &[43_200.0, 64_800.0, 108_000.0]);
    assert_eq!(file.dataset.columns[0].unit.as_deref(), Some("s"));
    let file = clock(&[45_351.5, 45_351.75], "");
    assert_eq!(file.preview().columns[0], ["2024-02-29T12:00:00", "2024-02-29T18:00:00"]);
    let file = clock(&[0.5], "<row><c s='2'><v>45351</v></c></row>");
    assert_eq!(file.dataset.columns[0].ty, ColumnType::Time);
    // Seconds and plain numbers have no unit in common.
    let file = clock(&[0.5, 0.25], "<row><c><v>7</v></c></row>");
    assert_eq!(words(&column(&file, "column 1")), ["43200", "21600", "7"]);
    noted(&file, "2 durations beside 1 plain numbers");
}

#[test]
fn formulas_that_yield_an_empty_text_are_empty_cells() {
    let empty = "<c t='str'><f>A1</f><v></v></c>";
    let file =
        try_open(&workbook(&format!("<row><c><v>1</v></c>{empty}</row><row><c><v>2</v></c></row><row>{empty}</row>")))
            .unwrap();
    assert_eq!(column(&file, "column 1").values, Some(Values::Integer(vec![1, 2])));
    assert_eq!((names(&file).len(), file.dataset.notes.len()), (1, 0));
}

#[test]
fn the_header_can_be_told() {
    let bytes = workbook("<row><c><v>1</v></c></row><row><c><v>2</v></c></row><row><c><v>3</v></c></row>");
    for (header, name, len) in [(Some(true), "1", 2), (Some(false), "column 1", 3), (None, "column 1", 3)] {
        let options = Options { csv: CsvOptions { header, ..CsvOptions::default() }, ..Options::default() };
        let file = with("x.xlsx", &bytes, options).unwrap();
        assert_eq!((names(&file)[0], file.dataset.columns[0].len), (name, len));
    }
}

#[test]
fn what_no_sheet_can_say_is_named_by_its_cell() {
    let cell = |cell: &str| message(&workbook(&format!("<row r='7'>{cell}</row>")));
    for (text, words) in [
        (cell("<c r='A0'><v>1</v></c>"), "sheet 'Data', cell A0: there is no such cell"),
        (cell("<c r='AAAA1'><v>1</v></c>"), "sheet 'Data', cell AAAA1: there is no such cell"),
        (cell("<c r='XFE7'><v>1</v></c>"), "cell XFE7: there is no such cell, they go from A1 to XFD1048576"),
        (cell("<c r='C8'><v>1</v></c>"), "cell C8: it is in row 7"),
        (cell("<c r='C7'><v>1</v></c><c r='C7'><v>2</v></c>"), "cell C7: it is there twice"),
        (cell("<c r='C7'/><c r='B7'><v>2</v></c>"), "cell B7: it comes after cell C7"),
        (cell("<c r='XFD7'/><c><v>2</v></c>"), "row 7: it has more than 16384 cells"),
        (cell("<c r='C7' t='s'><v>3</v></c>"), "cell C7: it refers to shared text 3, there are 3"),
        (cell("<c r='C7' t='s'><v>-1</v></c>"), "it refers to shared text -1"),
        (cell("<c r='C7'><v>1,5</v></c>"), "cell C7: found \"1,5\", expected a number"),
        (cell("<c r='C7' t='b'><v>yes</v></c>"), "expected 0 or 1"),
        (cell("<c r='C7' t='x'><v>1</v></c>"), "cell C7: it is of type \"x\""),
        (cell("<c r='C7'><v>&x;</v></c>"), "in xl/worksheets/sheet1.xml: not a valid XML, at byte"),
        (cell("<c r='C7'><v>1</c></v>"), "in xl/worksheets/sheet1.xml: not a valid XML"),
        (message(&workbook("<row r='0'/>")), "sheet 'Data', row 0: rows are numbered from 1 to 1048576"),
        (message(&workbook("<row r='1048577'/>")), "row 1048577: rows are numbered"),
        (message(&workbook("<row r='1048576'/><row/>")), "row 1048577: a sheet has 1048576 rows at most"),
        (message(&workbook("<row r='3'/><row r='3'/>")), "row 3: it comes after row 3"),
        (message(&workbook("<c/>")), "a cell outside of any row"),
        (message(&workbook("")), "no sheet has a value"),
        (message(&parts("<worksheet><sheetData><row>", &[])), "it ends inside an element"),
        (message(&parts("<!DOCTYPE w [<!ENTITY a 'b'>]><worksheet/>", &[])), "a document type declaration"),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn parts_that_do_not_fit_together_are_named() {
    let sheet = "<worksheet><sheetData><row><c><v>1</v></c></row><row><c><v>2</v></c></row></sheetData></worksheet>";
    let twice = BOOK.replace("</sheets>", "<sheet name='Again' sheetId='2' r:id='rId1'/></sheets>");
    let other = BOOK.replace("rId1", "rId9");
    let nowhere = RELATIONS.replace("sheet1", "sheet9");
    for (part, text, words) in [
        (
            "xl/workbook.xml",
            &twice[..],
            "sheet 'Again', xl/workbook.xml: its file xl/worksheets/sheet1.xml is that of another",
        ),
        ("xl/workbook.xml", &other, "sheet 'Data', xl/workbook.xml: xl/_rels/workbook.xml.rels has no relation rId9"),
        ("xl/workbook.xml", "<workbook><sheets><sheet/></sheets></workbook>", "in xl/workbook.xml"),
        ("xl/_rels/workbook.xml.rels", &nowhere, "the archive has no file xl/worksheets/sheet9.xml"),
        ("xl/sharedStrings.xml", "<sst><si>", "in xl/sharedStrings.xml"),
        ("xl/styles.xml", "\u{1}<", "in xl/styles.xml"),
    ] {
        let found = message(&parts(sheet, &[(part, text)]));
        assert!(found.contains(words), "{words}: {found}");
    }
    let bomb = format!(
        "<!DOCTYPE sst [<!ENTITY a 'ha'>{}]><sst><si><t>&z;</t></si></sst>",
        ('b'..='z')
            .map(|c| format!("<!ENTITY {c} '{}'>", format!("&{};", (c as u8 - 1) as char).repeat(10)))
            .collect::<String>()
    );
    assert!(message(&parts(sheet, &[("xl/sharedStrings.xml", &bomb)])).contains("a document type declaration"));
}

#[test]
fn a_sheet_is_as_large_as_its_cells() {
    let sheet = |data: &str| {
        let sheet = format!("<worksheet><dimension ref='A1:XFD1048576'/><sheetData>{data}</sheetData></worksheet>");
        parts(&sheet, &[])
    };
    let file =
        try_open(&sheet("<row><c><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>")).unwrap();
    assert_eq!(names(&file), ["column 1", "column 16384"]);
    assert!(file.dataset.columns.iter().all(|c| (c.len, c.missing) == (1 << 20, (1 << 20) - 1)));
    // Every row with a column of its own.
    let letters = |i: u8| (i..=b'Z').map(char::from);
    let columns =
        letters(b'A').flat_map(|a| letters(b'A').flat_map(move |b| letters(b'A').map(move |c| format!("{a}{b}{c}"))));
    let diagonal: String =
        (1..=4000).zip(columns).map(|(row, column)| format!("<row><c r='{column}{row}'><v>1</v></c></row>")).collect();
    let text = message(&sheet(&diagonal));
    assert!(text.contains("sheet 'Data' with 4000 rows of 4000 columns needs 128000000 bytes"), "{text}");
    let full = "<row><c><v>1</v></c><c><v>1</v></c></row>".repeat(5000);
    let options = Options { column_limit: 1 << 18, ..Options::default() };
    let text = with("x.xlsx", &sheet(&full), options).expect_err("too large").to_string();
    assert!(text.contains("sheet1.xml") && text.contains("the limit is 262144 bytes"), "{text}");
}

#[test]
fn long_texts_that_many_cells_share_are_not_copied_for_each() {
    // 16384 columns with one name, and one text of 32 kB below: 512 MB of labels.
    let long = "x".repeat(32_767);
    let shared = format!("<sst><si><t>{long}</t></si><si><t>{long}y</t></si></sst>");
    let row = |cells: &str| format!("<row>{}</row>", cells.repeat(16_384));
    let cell = "<c t='s'><v>0</v></c>";
    let sheet = |last: &str| format!("<worksheet><sheetData>{}{}{last}</sheetData></worksheet>", row(cell), row(cell));
    let text = message(&parts(&sheet(""), &[("xl/sharedStrings.xml", &shared)]));
    assert!(text.contains("in xl/sharedStrings.xml") && text.contains("more than 32767 characters"), "{text}");
    let shared = shared.replace('y', "").replacen('x', "z", 1);
    let file = try_open(&parts(&sheet("<row><c><v>1</v></c></row>"), &[("xl/sharedStrings.xml", &shared)])).unwrap();
    assert!(file.dataset.columns.len() < 2048, "{}", file.dataset.columns.len());
    noted(&file, "too many or too long different texts");
}

#[test]
fn bombs_are_refused() {
    let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", " ".repeat(80 << 20));
    assert!(matches!(try_open(&parts(&sheet, &[])), Err(DataError::Bomb { .. })));
    // No part is a bomb by itself, all of them are.
    let part = format!("<sst>{}</sst>", format!("<si><t>{}</t></si>", "x".repeat(7000)).repeat(100));
    let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", "<row/>".repeat(100_000));
    let options = Options { decoded_limit: 1 << 20, ..Options::default() };
    let found = with("x.xlsx", &parts(&sheet, &[("xl/sharedStrings.xml", &part)]), options);
    assert!(matches!(found, Err(DataError::Bomb { unpacked: 1_000_000.., .. })), "{found:?}");
}

#[test]
fn workbooks_of_other_formats_are_told_what_to_do() {
    let named = |name: &str, bytes: &[u8]| with(name, bytes, Options::default()).expect_err(name).to_string();
    let old = |stream: &str| {
        let stream: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 900], &stream, &[0; 100]].concat()
    };
    for (name, stream, words) in [
        ("x.xls", "Workbook", "the old format (.xls) cannot be read; save it as .xlsx or CSV"),
        ("x", "Workbook", "the old format (.xls)"),
        ("x.xlsx", "EncryptedPackage", "with a password cannot be read; remove the password"),
        ("x.xlsx", "", "with a password"),
    ] {
        assert!(named(name, &old(stream)).contains(words), "{name}: {}", named(name, &old(stream)));
    }
    // Other programs keep other things in such files.
    let other = with("x.doc", &old("WordDocument"), Options::default()).unwrap();
    assert_eq!(other.dataset.provenance.kind, Kind::Bytes);
    let binary = archive(&[("[Content_Types].xml", "<Types/>"), ("xl/workbook.bin", "x")], CompressionMethod::Stored);
    assert!(named("x.xlsb", &binary).contains("(.xlsb) cannot be read; save it as .xlsx or CSV"));
    let content = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
    let open_document = archive(&[content, ("content.xml", "<x/>")], CompressionMethod::Stored);
    assert!(named("x.ods", &open_document).contains("(.ods) cannot be read; save it as .xlsx or CSV"));
    for kind in [None, Some(Kind::Xlsx)] {
        let text = with("x.xlsx", b"a,b\n1,2\n", Options { kind, ..Options::default() }).expect_err("text").to_string();
        assert!(text.contains("no zip archive with [Content_Types].xml and xl/workbook.xml"), "{text}");
    }
    // An archive of something else stays one.
    let tables = archive(&[("[Content_Types].xml", "<Types/>"), ("a.csv", "a,b\n1,2\n")], CompressionMethod::Stored);
    assert_eq!(try_open(&tables).unwrap().dataset.provenance.kind, Kind::Csv);
}

const FILES: [&str; 7] = [
    "openpyxl.xlsx",
    "pandas.xlsx",
    "xlsxwriter.xlsx",
    "inline.xlsx",
    "mac_xlsxwriter.xlsx",
    "mac_openpyxl.xlsx",
    "early.xlsx",
];

#[test]
fn files_cut_at_every_97th_byte_are_errors() {
    for name in FILES {
        let bytes = load(name);
        assert!(bytes.len() < 20_000, "{name}");
        for cut in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            assert!(try_open(&bytes[..cut]).is_err(), "{name} cut at {cut}");
        }
        for at in (0..bytes.len()).step_by(61) {
            let mut changed = bytes.clone();
            changed[at] ^= 0xFF;
            let _ = try_open(&changed);
        }
    }
}

#[test]
fn sheets_with_every_byte_changed() {
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' s='2'><v>1.5</v></c></row>\
        <row r='2'><c r='A2' t='inlineStr'><is><r><t xml:space='preserve'> a&amp;&#98;</t></r></is></c>\
        <c r='B2'><f>1+1</f></c></row><row><c t='d'><v>2024-02-29</v></c><c t='e'><v>#N/A</v></c></row></sheetData></worksheet>";
    assert!(try_open(&parts(sheet, &[])).is_ok());
    for at in 0..sheet.len() {
        let without = format!("{}{}", &sheet[..at], &sheet[at + 1..]);
        let _ = try_open(&parts(&without, &[]));
        for other in ["<", ">", "&", "'", "/", "9", "\u{1}", "é"] {
            let changed = format!("{}{other}{}", &sheet[..at], &sheet[at + 1..]);
            let _ = try_open(&parts(&changed, &[]));
            let _ = try_open(&parts(sheet, &[("xl/sharedStrings.xml", &changed), ("xl/styles.xml", &changed)]));
        }
    }
}

#[test]
fn reading_can_be_stopped_anywhere() {
    /// Cancels at the n-th tick.
    struct Stop(Cell<u32>);
    impl Pace for Stop {
        fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
            let left = self.0.get();
            self.0.set(left.saturating_sub(1));
            Box::pin(std::future::ready(if left == 0 { Err(Cancelled) } else { Ok(()) }))
        }
    }
    let bytes = load("pandas.xlsx");
    let mut ticks = 0;
    loop {
        match pollster::block_on(open(
            Box::new(Memory::new("x.xlsx", bytes.clone())),
            Options::default(),
            &Stop(Cell::new(ticks)),
        )) {
            Err(DataError::Cancelled(_)) => ticks += 1,
            Ok(_) => break,
            Err(e) => panic!("{e}"),
        }
    }
    // At least one for each part, each sheet and each column.
    assert!(ticks > 20, "{ticks}");
}
