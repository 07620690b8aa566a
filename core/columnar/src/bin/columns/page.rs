//! What the worker calls. An answer is a list: `["table", rows, columns, skipped]` with
//! `[name, unit, width, kind, values, labels]` for every column, or `["error", which, …]`; `surprisal-web` reads it
//! (`engine/columns.rs`).

use js_sys::{Array, BigInt64Array, Float64Array, JsString, Uint8Array, Uint32Array};
use surprisal_columnar::{Column, Error, Format, Reader, Table, Values};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

/// A panic leaves the module as a thrown text, by which the worker tells it from running out of memory.
pub(crate) fn start() {
    std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_val(JsValue::from_str(&info.to_string()))));
}

/// Reads the file that these chunks are, each of which is let go once it is here: the answer, and which of its buffers can
/// change hands with it.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "JavaScript calls it")]
pub fn read(chunks: &Array, parquet: bool, limit: u64) -> Array {
    let format = if parquet { Format::Parquet } else { Format::Arrow };
    let buffers = Array::new();
    let answer = match table(gather(chunks), format, limit) {
        Ok(table) => give(table, &buffers),
        Err(error) => refuse(error),
    };
    Array::of2(&answer, &buffers)
}

fn gather(chunks: &Array) -> Vec<u8> {
    let is_chunk = |chunk: JsValue| chunk.dyn_into::<Uint8Array>().ok();
    let len = chunks.iter().filter_map(is_chunk).map(|chunk| chunk.length() as usize).sum();
    let mut bytes = vec![0; len];
    let mut left = &mut bytes[..];
    while chunks.length() > 0 {
        let Some(chunk) = is_chunk(chunks.shift()) else { continue };
        let (here, rest) = left.split_at_mut(chunk.length() as usize);
        chunk.copy_to(here);
        left = rest;
    }
    bytes
}

fn table(bytes: Vec<u8>, format: Format, limit: u64) -> Result<Table, Error> {
    let mut reader = Reader::new(format, bytes, limit)?;
    // Whoever wants this to stop ends the worker.
    while reader.advance()? {}
    reader.finish()
}

fn give(table: Table, buffers: &Array) -> Array {
    let columns: Array = table.columns.into_iter().map(|column| one(column, buffers)).collect();
    let skipped = table.skipped.iter().map(|(name, why)| Array::of2(&text(name), &text(why)));
    Array::of4(&text("table"), &table.rows.into(), &columns, &skipped.collect::<Array>())
}

fn one(column: Column, buffers: &Array) -> Array {
    let real = |v: Vec<f64>| {
        let values = Float64Array::from(&v[..]);
        (values.clone().into(), values.buffer())
    };
    let mut labels = JsValue::UNDEFINED;
    let (kind, (values, buffer)): (_, (JsValue, _)) = match column.values {
        Values::Integer(v) => {
            let values = BigInt64Array::from(&v[..]);
            ("integer", (values.clone().into(), values.buffer()))
        }
        Values::Real(v) => ("real", real(v)),
        Values::Bytes(v) => {
            let values = Uint8Array::from(&v[..]);
            ("bytes", (values.clone().into(), values.buffer()))
        }
        Values::Time(v) => ("time", real(v)),
        Values::Text { codes, labels: known } => {
            let values = Uint32Array::from(&codes[..]);
            labels = known.iter().map(|label| text(label)).collect::<Array>().into();
            ("text", (values.clone().into(), values.buffer()))
        }
    };
    buffers.push(&buffer);
    let unit = column.unit.map_or(JsValue::UNDEFINED, text);
    [text(&column.name), unit, column.width.into(), text(kind), values, labels].iter().collect()
}

fn refuse(error: Error) -> Array {
    let of = |which: &str, what: &[JsValue]| [text("error"), text(which)].iter().chain(what).collect();
    match error {
        Error::NoEnd { len } => of("no end", &[len.into()]),
        Error::CutMessage { offset, needed, have } => of("cut message", &[offset.into(), needed.into(), have.into()]),
        Error::Zstd => of("zstd", &[]),
        Error::Malformed(why) => of("malformed", &[text(&why)]),
        // In wasm a panic leaves by another way.
        Error::Panicked => of("panicked", &[]),
        Error::TooLarge { what, needed, limit } => of("too large", &[text(&what), needed.into(), limit.into()]),
    }
}

fn text(text: &str) -> JsValue {
    JsString::from(text).into()
}
