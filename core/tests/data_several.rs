//! Several files beside each other.

use pollster::block_on;
use surprisal_core::{
    data::{ByteSource, DataError, Kind, Memory, Options, Values, open, open_several},
    pace::Unhurried,
};

const A: &str = "t,count\n1,10\n2,20\n3,\n4,40\n";
const B: &str = "count\n1.5\n2.5\n";

fn source(name: &str, bytes: &[u8]) -> Box<dyn ByteSource> {
    Box::new(Memory::new(name, bytes.to_vec()))
}

fn three() -> Vec<Box<dyn ByteSource>> {
    vec![source("river/a.csv", A.as_bytes()), source("b.csv", B.as_bytes()), source("notes", &[0, 255, 1])]
}

#[test]
fn columns_are_named_after_their_files_and_keep_their_values() {
    let all = block_on(open_several(three(), Options::default(), &Unhurried)).expect("three files");
    let names: Vec<&str> = all.dataset.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a t", "a count", "b count", "notes"]);
    assert_eq!((0..4).map(|i| all.kind_of(i)).collect::<Vec<_>>(), [Kind::Csv, Kind::Csv, Kind::Csv, Kind::Bytes]);
    assert_eq!(all.preview().columns.len(), 4);
    let Some(Values::Real(counts)) = &all.dataset.columns[1].values else { panic!("reals") };
    assert_eq!((counts[0], counts[3], counts[2].is_nan(), all.dataset.columns[1].missing), (10.0, 40.0, true, 1));

    let provenance = &all.dataset.provenance;
    assert_eq!((provenance.kind, provenance.size), (Kind::Several, (A.len() + B.len() + 3) as u64));
    // As `sha256sum` prints them, hashed again.
    let alone: Vec<_> =
        three().into_iter().map(|s| block_on(open(s, Options::default(), &Unhurried)).unwrap()).collect();
    let lines: String =
        alone.iter().map(|f| format!("{}  {}\n", f.dataset.provenance.sha256, f.dataset.provenance.name)).collect();
    let listed = block_on(open(source("sums", lines.as_bytes()), Options::default(), &Unhurried)).unwrap();
    assert_eq!(provenance.sha256, listed.dataset.provenance.sha256);
    assert_eq!(provenance.files.len(), 3);
    assert!(provenance.files.iter().zip(&alone).all(|(a, b)| *a == b.dataset.provenance));
}

#[test]
fn what_is_not_in_memory_is_read_from_its_own_file() {
    let options = Options { resident_limit: 0, ..Options::default() };
    let all = block_on(open_several(three(), options, &Unhurried)).unwrap();
    let held = block_on(open_several(three(), Options::default(), &Unhurried)).unwrap();
    assert!(
        all.dataset.columns.iter().all(|c| !c.is_resident()) && held.dataset.columns.iter().all(|c| c.is_resident())
    );
    let read = block_on(all.columns(&[3, 0, 2], &Unhurried)).unwrap();
    for (column, i) in read.iter().zip([3, 0, 2]) {
        assert_eq!(column.values, held.dataset.columns[i].values, "{}", column.name);
    }
    let mut seen = 0;
    let mut sink = |chunk: surprisal_core::data::Chunk<'_>| {
        seen += chunk.len();
        Ok(())
    };
    block_on(all.stream(2, &mut sink, &Unhurried)).unwrap();
    assert_eq!(seen, 2);
    // The limit is that of all files together: the second does not fit beside the first.
    let room = Options { resident_limit: 70, ..Options::default() };
    let some = block_on(open_several(three(), room, &Unhurried)).unwrap();
    let resident: Vec<bool> = some.dataset.columns.iter().map(|c| c.is_resident()).collect();
    assert!(resident[0] && resident[1], "{resident:?}");
    assert!(!resident[2], "{resident:?}");
}

#[test]
fn equal_names_are_told_apart_and_a_bad_file_is_named() {
    let twins = vec![source("x/a.csv", B.as_bytes()), source("y/a.csv", B.as_bytes())];
    let all = block_on(open_several(twins, Options::default(), &Unhurried)).unwrap();
    let names: Vec<&str> = all.dataset.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a count", "a count (2)"]);

    let ragged = || source("bad.csv", b"a,b\n1,2\n3\n");
    let error = block_on(open_several(vec![source("b.csv", B.as_bytes()), ragged()], Options::default(), &Unhurried));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("bad.csv") && message.contains("line 3"), "{message}");
    let empty = block_on(open_several(Vec::new(), Options::default(), &Unhurried));
    assert!(matches!(empty, Err(DataError::Empty { .. })));
    let one = block_on(open_several(vec![source("b.csv", B.as_bytes())], Options::default(), &Unhurried)).unwrap();
    assert_eq!((one.dataset.columns[0].name.as_str(), one.dataset.provenance.kind), ("count", Kind::Csv));
    assert!(matches!(
        block_on(open_several(vec![ragged()], Options::default(), &Unhurried)),
        Err(DataError::Ragged { .. })
    ));
}
