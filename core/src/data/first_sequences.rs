//! The first pass over files of sequences.

use super::{
    Column, ColumnType, DataError, Kind,
    chunk::{Chunk, Decode, width},
    fasta, fastq,
    part::{Layout, Part, deferred},
    pipe::{Pipe, Route},
    preview::{ROWS, show},
};

pub(super) async fn fasta(route: Route, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let mut scan = fasta::Scan::default();
    while let Some(bytes) = pipe.next().await? {
        scan.push(&bytes)?;
    }
    let fasta::Scanned { layout, preview: first, notes, read_as } = scan.finish(&route.name)?;
    let symbols = |name: &str, len| deferred(name.to_owned(), ColumnType::Symbols, len, 0);
    let columns: Vec<Column> = if layout.together {
        vec![symbols("sequences", layout.letters)]
    } else {
        layout.records.iter().map(|(_, name, len)| symbols(name, *len)).collect()
    };
    let mut preview = vec![Vec::new(); columns.len()];
    preview[0] = first;
    let resident_bytes = layout.letters.saturating_mul(width(ColumnType::Symbols));
    let (kind, layout, matrices) = (Kind::Fasta, Layout::Fasta(layout), Vec::new());
    Ok(Part { route, kind, layout, columns, matrices, preview, notes, read_as, resident_bytes })
}

pub(super) async fn fastq(route: Route, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let mut preview = vec![Vec::new(); 3];
    let mut reader = fastq::Reader::new(&[0, 1, 2]);
    let mut bases = Vec::new();
    {
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            match chunk {
                Chunk::Symbols(codes) if bases.len() < ROWS => bases.extend_from_slice(&codes[..codes.len().min(ROWS)]),
                Chunk::Integer(_) if preview[slot].len() < ROWS => show(chunk, &mut preview[slot]),
                _ => {}
            }
            Ok(())
        };
        while let Some(bytes) = pipe.next().await? {
            reader.push(&bytes, &mut out)?;
        }
        reader.finish(&mut out)?;
    }
    let labels = reader.take_labels(0);
    let label = |&c: &u32| usize::try_from(c).ok().and_then(|c| labels.get(c)).cloned().unwrap_or_default();
    preview[0] = bases.iter().take(ROWS).map(label).collect();
    let (reads, letters) = (reader.reads, reader.letters);
    if letters == 0 {
        return Err(DataError::Empty { name: route.name, what: "it has no letter of a sequence" });
    }
    let columns = vec![
        deferred("bases".to_owned(), ColumnType::Symbols, letters, 0),
        Column { unit: Some("Phred".to_owned()), ..deferred("quality".to_owned(), ColumnType::Integer, letters, 0) },
        deferred("read length".to_owned(), ColumnType::Integer, reads, 0),
    ];
    let resident_bytes = letters.saturating_mul(12).saturating_add(reads.saturating_mul(8));
    let read_as = format!("FASTQ, {reads} reads of {letters} bases");
    let notes =
        vec!["all reads are one column, in the file's order; scores are the characters' codes less 33".to_owned()];
    let (kind, layout, matrices) = (Kind::Fastq, Layout::Fastq, Vec::new());
    Ok(Part { route, kind, layout, columns, matrices, preview, notes, read_as, resident_bytes })
}
