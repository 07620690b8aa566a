//! Parquet and Arrow files: read by a module that is loaded when the first of them is opened, in a worker of its own.
//!
//! The worker is ended with its file, whatever became of it: so a cancel need not be heard, the module's memory goes, and
//! one that has trapped is never asked again.

use futures_util::future::{Either, LocalBoxFuture, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, BigInt64Array, Float64Array, Promise, Uint8Array, Uint32Array};
use surprisal_core::{
    data::{ColumnarColumn, ColumnarError, ColumnarReading, ColumnarTable, DataError, Kind, Symbols, Values},
    pace::Pace,
};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

/// What the module reads.
const WHAT: &str = "Parquet and Arrow files";
/// Milliseconds between two looks at whether the user has cancelled.
const PATIENCE: u32 = 20;

/// Begins to read such a file.
pub(super) fn begin() -> Result<Box<dyn ColumnarReading>, DataError> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options("./columns-worker.js", &options).map_err(|error| {
        let why = error.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| error.message().into());
        DataError::Unloaded { what: WHAT, why }
    })?;
    let mut error = None;
    let answer = Promise::new(&mut |resolve, _| {
        worker.set_onmessage(Some(&resolve));
        worker.set_onmessageerror(Some(&resolve));
        let said = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            // Else it would be an error of the engine too.
            event.prevent_default();
            let _ = resolve.call1(&JsValue::NULL, &event);
        });
        worker.set_onerror(Some(said.as_ref().unchecked_ref()));
        error = Some(said);
    });
    Ok(Box::new(Reading { worker, answer, len: 0, _error: error }))
}

/// A worker with what it has of its file.
struct Reading {
    worker: Worker,
    /// The first event that it is heard of by.
    answer: Promise,
    len: u64,
    _error: Option<Closure<dyn FnMut(Event)>>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl ColumnarReading for Reading {
    fn push(&mut self, bytes: Vec<u8>) -> bool {
        let chunk = Uint8Array::from(&bytes[..]);
        self.len += bytes.len() as u64;
        self.worker.post_message_with_transfer(&chunk, &Array::of1(&chunk.buffer())).is_ok()
    }

    fn read<'a>(
        self: Box<Self>,
        kind: Kind,
        limit: u64,
        pace: &'a dyn Pace,
    ) -> LocalBoxFuture<'a, Result<ColumnarTable, DataError>> {
        Box::pin(async move {
            let ask = Array::of2(&(kind == Kind::Parquet).into(), &limit.into());
            self.worker.post_message(&ask).map_err(|_| failed("it could not be asked"))?;
            let mut answer = JsFuture::from(self.answer.clone());
            let event = loop {
                match select(&mut answer, TimeoutFuture::new(PATIENCE)).await {
                    Either::Left((event, _)) => break event.map_err(|_| failed("it gave no answer"))?,
                    Either::Right(_) => pace.tick(self.len, self.len).await?,
                }
            };
            let message: MessageEvent = event.dyn_into().map_err(|event| ended(&event))?;
            let answer = message.data().dyn_into::<Array>().map_err(|_| failed("its answer was lost"))?;
            heard(&answer, kind)
        })
    }
}

fn failed(why: &str) -> DataError {
    DataError::Failed { what: WHAT, why: why.to_owned() }
}

/// An error of the worker itself: without a word where its script did not come.
fn ended(event: &JsValue) -> DataError {
    let said = js_sys::Reflect::get(event, &"message".into()).ok().and_then(|message| message.as_string());
    said.map_or_else(
        || DataError::Unloaded { what: WHAT, why: "columns-worker.js did not come".to_owned() },
        |why| failed(&why),
    )
}

/// What the worker answers (`static/columns-worker.js` and `core/columnar/src/bin/columns`).
fn heard(answer: &Array, kind: Kind) -> Result<ColumnarTable, DataError> {
    let said = |i: u32| answer.get(i).as_string().unwrap_or_default();
    match &said(0)[..] {
        "table" => table(answer).ok_or_else(foreign),
        "error" => Err(error(answer).ok_or_else(foreign)?.in_a(kind)),
        "absent" => Err(DataError::Unloaded { what: WHAT, why: said(1) }),
        "panicked" => Err(ColumnarError::Panicked.in_a(kind)),
        "failed" => Err(failed(&said(1))),
        _ => Err(foreign()),
    }
}

/// The module may have come from another version of the page than the engine.
fn foreign() -> DataError {
    failed("its answer is not understood")
}

fn error(answer: &Array) -> Option<ColumnarError> {
    let number = |i: u32| u64::try_from(answer.get(i)).ok();
    Some(match &answer.get(1).as_string()?[..] {
        "no end" => ColumnarError::NoEnd { len: number(2)? },
        "cut message" => ColumnarError::CutMessage { offset: number(2)?, needed: number(3)?, have: number(4)? },
        "zstd" => ColumnarError::Zstd,
        "malformed" => ColumnarError::Malformed(answer.get(2).as_string()?),
        "panicked" => ColumnarError::Panicked,
        "too large" => {
            ColumnarError::TooLarge { what: answer.get(2).as_string()?, needed: number(3)?, limit: number(4)? }
        }
        _ => return None,
    })
}

fn table(answer: &Array) -> Option<ColumnarTable> {
    let rows = u64::try_from(answer.get(1)).ok()?;
    let (given, left_out): (Array, Array) = (answer.get(2).dyn_into().ok()?, answer.get(3).dyn_into().ok()?);
    let mut columns = Vec::new();
    // Each is let go once its values are here.
    while given.length() > 0 {
        columns.push(column(&given.shift().dyn_into().ok()?)?);
    }
    let skip = |pair: JsValue| {
        let pair: Array = pair.dyn_into().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    Some(ColumnarTable { rows, columns, skipped: left_out.iter().map(skip).collect::<Option<_>>()? })
}

fn column(given: &Array) -> Option<ColumnarColumn> {
    let values = given.get(4);
    let real = |values: JsValue| Some(values.dyn_into::<Float64Array>().ok()?.to_vec());
    let values = match &given.get(3).as_string()?[..] {
        "integer" => Values::Integer(values.dyn_into::<BigInt64Array>().ok()?.to_vec()),
        "real" => Values::Real(real(values)?),
        "bytes" => Values::Bytes(values.dyn_into::<Uint8Array>().ok()?.to_vec()),
        "time" => Values::Time(real(values)?),
        "text" => {
            let labels: Array = given.get(5).dyn_into().ok()?;
            let labels = labels.iter().map(|label| label.as_string()).collect::<Option<_>>()?;
            Values::Symbols(Symbols { codes: values.dyn_into::<Uint32Array>().ok()?.to_vec(), labels })
        }
        _ => return None,
    };
    let (name, unit) = (given.get(0).as_string()?, given.get(1).as_string());
    Some(ColumnarColumn { name, unit, width: u64::try_from(given.get(2)).ok()?, values })
}
