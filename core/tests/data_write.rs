//! Written files, read back by the words of their formats.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its file has failed")]

use std::io::Cursor;

use surprisal_core::data::write::netcdf::{Kind, Layout, WriteError, Writer};

const INT: u32 = 4;
const DOUBLE: u32 = 6;

fn layout() -> Layout {
    let mut layout = Layout::default();
    let time = layout.dimension("time", None);
    let fish = layout.dimension("fish", Some(2));
    layout.attribute("title", "école");
    layout.attribute("n_fish", 2);
    layout.attribute("speed", 0.5);
    layout.variable("time", Kind::Double, &[time]).attribute("units", "s");
    layout.variable("fish", Kind::Ints(vec![0, 1]), &[fish]);
    layout.variable("x", Kind::Double, &[time, fish]);
    layout
}

/// Reads what the tests need, by the format's own words: an independent way through the header.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn word(&mut self) -> u32 {
        let (head, rest) = self.0.split_first_chunk().unwrap();
        self.0 = rest;
        u32::from_be_bytes(*head)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let taken = self.0[..length].to_vec();
        self.0 = &self.0[length.next_multiple_of(4)..];
        taken
    }

    fn text(&mut self) -> String {
        let length = self.word() as usize;
        String::from_utf8(self.bytes(length)).unwrap()
    }

    fn attributes(&mut self) -> Vec<(String, Vec<u8>)> {
        let (tag, count) = (self.word(), self.word());
        assert!(tag == 12 || (tag, count) == (0, 0));
        let one = |reader: &mut Self| {
            let name = reader.text();
            let size = [0, 0, 1, 0, 4, 0, 8][reader.word() as usize];
            let count = reader.word() as usize;
            (name, reader.bytes(count * size))
        };
        (0..count).map(|_| one(self)).collect()
    }
}

#[test]
fn the_header_says_where_everything_is() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), layout()).unwrap();
    writer.record(&[&[0.0], &[1.0, 2.0]]).unwrap();
    writer.record(&[&[0.5], &[3.0, 4.0]]).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let mut reader = Reader(&bytes);
    assert_eq!(reader.bytes(4), b"CDF\x02");
    assert_eq!(reader.word(), 2);
    assert_eq!((reader.word(), reader.word()), (10, 2));
    assert_eq!((reader.text(), reader.word()), ("time".to_owned(), 0));
    assert_eq!((reader.text(), reader.word()), ("fish".to_owned(), 2));
    let attributes = reader.attributes();
    assert_eq!(attributes[0], ("title".to_owned(), "école".as_bytes().to_vec()));
    assert_eq!(attributes[1], ("n_fish".to_owned(), vec![0, 0, 0, 2]));
    assert_eq!(attributes[2], ("speed".to_owned(), 0.5_f64.to_be_bytes().to_vec()));
    assert_eq!((reader.word(), reader.word()), (11, 3));
    let mut begins = Vec::new();
    for (name, dimensions, kind, size) in
        [("time", vec![0], DOUBLE, 8), ("fish", vec![1], INT, 8), ("x", vec![0, 1], DOUBLE, 16)]
    {
        assert_eq!(reader.text(), name);
        let rank = reader.word();
        assert_eq!((0..rank).map(|_| reader.word()).collect::<Vec<_>>(), dimensions);
        reader.attributes();
        assert_eq!((reader.word(), reader.word()), (kind, size));
        let begin = u64::from(reader.word()) << 32 | u64::from(reader.word());
        begins.push(usize::try_from(begin).expect("a small file"));
    }
    assert_eq!(begins[1], bytes.len() - reader.0.len());
    assert_eq!((begins[0], begins[2]), (begins[1] + 8, begins[1] + 16));
    let second = begins[2] + 8 + 16;
    assert_eq!(bytes[second..second + 8], 3.0_f64.to_be_bytes());
    assert_eq!(bytes.len(), begins[0] + 2 * 24);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), layout()).unwrap();
    let error = writer.record(&[&[0.0], &[1.0]]).unwrap_err();
    assert_eq!(error.to_string(), "x takes 2 values, not 1");
    assert!(writer.record(&[&[0.0]]).is_err());
    let mut large = Layout::default();
    let time = large.dimension("time", None);
    let fish = large.dimension("fish", Some(1 << 30));
    large.variable("x", Kind::Double, &[time, fish]);
    assert!(matches!(Writer::new(Cursor::new(Vec::new()), large), Err(WriteError::TooLarge(_))));
}
