//! The first pass over JSON: records are streamed; the members of one object are read whole.

use super::{
    Column, DataError, Kind, Options, Values,
    chunk::{Chunk, Decode, append, reserve, width},
    detect::extension,
    json,
    json_scan::{Scan, Scanned},
    json_split::{Between, wrong},
    npy::MOST_COLUMNS,
    part::{Layout, Part, deferred},
    pipe::{Pipe, Route},
    whole::Table,
};
use serde::de::IgnoredAny;

/// Objects inside objects are followed so deep.
const DEEPEST: usize = 8;

/// Whether a file of this name holds JSON lines, whatever its first line is.
fn is_lines(name: &str) -> bool {
    matches!(&extension(name)[..], "jsonl" | "ndjson" | "ldjson")
}

pub(super) async fn json(route: Route, head: &[u8], pipe: &mut Pipe<'_>, options: &Options) -> Result<Part, DataError> {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let between = if text.first() == Some(&b'[') && !is_lines(&route.name) { Between::Commas } else { Between::Space };
    let mut scan = Scan::new(between);
    let mut len = 0;
    while let Some(bytes) = pipe.next().await? {
        len += bytes.len() as u64;
        scan.push(&bytes, between)?;
    }
    match scan.finish(&route.name, between)? {
        Scanned::Object { text, nans } => {
            let mut table = Table::new(len, options);
            if nans > 0 {
                table.notes.push(format!("{nans} times NaN, which JSON does not have, is read as missing"));
            }
            members(&text, "", 0, &mut table)?;
            table.finish(route, Kind::Json, "JSON, one object".to_owned())
        }
        Scanned::Records { layout, preview, notes, label_bytes } => {
            let of = |f: &json::Field| deferred(f.name.clone(), f.ty, layout.len(), f.missing);
            let columns: Vec<Column> = layout.fields.iter().map(of).collect();
            let matrix = layout.matrix().map_or(0, |[n, d]| n.saturating_mul(d).saturating_mul(8));
            let values = columns.iter().map(|c| c.len.saturating_mul(width(c.ty)));
            let resident_bytes = values.chain([matrix, label_bytes]).fold(0, u64::saturating_add);
            let read_as = match between {
                Between::Commas => format!("JSON, an array of {} values", layout.rows),
                Between::Space => format!("JSON lines, {} values", layout.rows),
            };
            let (kind, layout, matrices) = (Kind::Json, Layout::Json(layout), Vec::new());
            Ok(Part { route, kind, layout, columns, matrices, preview, notes, read_as, resident_bytes })
        }
    }
}

/// Adds the members of the object `text` to the table.
fn members(text: &[u8], before: &str, depth: usize, table: &mut Table) -> Result<(), DataError> {
    for (key, value) in pairs(text)? {
        let name = if before.is_empty() { key } else { format!("{before}.{key}") };
        match value.first() {
            Some(b'[') => array(value, &name, table)?,
            Some(b'{') if depth < DEEPEST => match numbered(value)? {
                Some(list) => array(&list, &name, table)?,
                None => members(value, &name, depth + 1, table)?,
            },
            Some(b'{') => table.skip(&name, "objects nested deeper than 8 times"),
            _ => table.single(&name, String::from_utf8_lossy(value).trim_matches('"')),
        }
    }
    Ok(())
}

/// The keys and the texts of the values of an object.
fn pairs(text: &[u8]) -> Result<Vec<(String, &[u8])>, DataError> {
    let mut found = Vec::new();
    let mut at = 1;
    let space = |at: usize| at + text[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    loop {
        at = space(at);
        if text.get(at) == Some(&b'}') && found.is_empty() {
            return Ok(found);
        }
        let fault = |at: usize, e: &serde_json::Error| wrong((at + e.column().saturating_sub(1)) as u64, e.to_string());
        let (key, n) = one::<String>(&text[at..]).map_err(|e| fault(at, &e))?;
        at = space(at + n);
        if text.get(at) != Some(&b':') {
            return Err(wrong(at as u64, "a colon is missing after a key"));
        }
        at = space(at + 1);
        let (_, n) = one::<IgnoredAny>(&text[at..]).map_err(|e| fault(at, &e))?;
        found.push((key, text[at..at + n].trim_ascii()));
        at = space(at + n);
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => return Ok(found),
            _ => return Err(wrong(at as u64, "neither a comma nor } after a member")),
        }
    }
}

/// One value at the front of `text`, and the bytes that it takes.
fn one<'de, T: serde::Deserialize<'de>>(text: &'de [u8]) -> Result<(T, usize), serde_json::Error> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<T>();
    match values.next() {
        Some(value) => Ok((value?, values.byte_offset())),
        None => Err(serde::de::Error::custom("the object ends too early")),
    }
}

/// pandas writes columns as `{"0": 1.5, "1": 2.5, …}`: the same as an array.
fn numbered(text: &[u8]) -> Result<Option<Vec<u8>>, DataError> {
    let mut list = vec![b'['];
    for (i, (key, value)) in pairs(text)?.into_iter().enumerate() {
        if key != i.to_string() || matches!(value.first(), Some(b'[' | b'{')) {
            return Ok(None);
        }
        if i > 0 {
            list.push(b',');
        }
        list.extend_from_slice(value);
    }
    list.push(b']');
    Ok((list.len() > 2).then_some(list))
}

/// An array inside an object: as one that is a file of its own.
fn array(text: &[u8], name: &str, table: &mut Table) -> Result<(), DataError> {
    let mut scan = Scan::new(Between::Commas);
    let scanned = scan.push(text, Between::Commas).and_then(|()| scan.finish(name, Between::Commas));
    let (layout, notes) = match scanned {
        Ok(Scanned::Records { layout, notes, .. }) => (layout, notes),
        Ok(Scanned::Object { .. }) | Err(DataError::Empty { .. }) => {
            table.skip(name, "empty");
            return Ok(());
        }
        Err(e) => {
            table.skip(name, &e.to_string());
            return Ok(());
        }
    };
    if !table.may_add(name) {
        return Ok(());
    }
    table.notes.extend(notes.into_iter().map(|n| format!("{name}: {n}")));
    let mut values = Vec::new();
    for field in &layout.fields {
        table.claim(&field.name, layout.len(), width(field.ty) + if layout.width.is_some() { 8 } else { 0 })?;
        values.push(reserve(field.ty, layout.len(), &field.name, table.left().max(1 << 20))?);
    }
    let all: Vec<usize> = (0..values.len()).collect();
    let mut reader = json::Reader::new(&layout, &all);
    let mut out =
        |slot: usize, chunk: Chunk<'_>| append(&mut values[slot], chunk, layout.len(), &layout.fields[slot].name);
    reader.push(text, &mut out)?;
    reader.finish(&mut out)?;
    for (slot, values) in values.iter_mut().enumerate() {
        if let Values::Symbols(s) = values {
            s.labels = reader.take_labels(slot);
        }
    }
    let rows = layout.rows;
    match (layout.matrix(), layout.width) {
        // Row by row, as the file has them.
        (Some(shape), Some(w)) if w as u64 <= MOST_COLUMNS => {
            let reals: Vec<&Values> = values.iter().collect();
            table.array(name, None, &shape, interleaved(&reals, rows))
        }
        (Some(shape), _) => match values.pop() {
            Some(all) => table.array(name, None, &shape, all),
            None => Ok(()),
        },
        (None, _) => {
            for (field, values) in layout.fields.iter().zip(values) {
                let own = &field.name[..];
                let full = if own == "values" { name.to_owned() } else { format!("{name}.{own}") };
                table.array(&full, None, &[layout.len()], values)?;
            }
            Ok(())
        }
    }
}

/// Columns of numbers as one run of rows: integers where all are.
pub(super) fn interleaved(columns: &[&Values], rows: u64) -> Values {
    let n = usize::try_from(rows).unwrap_or(0);
    let integers: Option<Vec<&Vec<i64>>> =
        columns.iter().map(|c| if let Values::Integer(v) = c { Some(v) } else { None }).collect();
    if let Some(integers) = integers {
        return Values::Integer((0..n).flat_map(|r| integers.iter().map(move |c| c[r])).collect());
    }
    let real = |c: &Values, r: usize| match c {
        Values::Real(v) | Values::Time(v) => v[r],
        Values::Integer(v) => v[r] as f64,
        Values::Bytes(v) => f64::from(v[r]),
        Values::Symbols(_) => f64::NAN,
    };
    Values::Real((0..n).flat_map(|r| columns.iter().map(move |c| real(c, r))).collect())
}
