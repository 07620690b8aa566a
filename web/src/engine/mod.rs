//! The engine: lives in a worker, reads files, computes, and tells the page.
//!
//! Asks are answered one after the other. A new ask to open or to measure ends the one that is running; so
//! does [`Ask::Cancel`], which arrives while work runs because [`pace::Steps`] gives way to the event loop. An
//! experiment runs beside all this ([`live`]).

mod columns;
mod lab;
mod live;
mod pace;
mod recording;
mod source;
mod warm;
mod work;

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

use crate::protocol::{Ask, Tell};
use lab::Lab;

/// An ask and the blobs that came with it.
type Letter = (Ask, Vec<Blob>);

/// Listens from now on.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        tell(&Tell::Crashed(info.to_string()));
        console_error_panic_hook::hook(info);
    }));
    let lab = Rc::new(Lab::default());
    let waiting: Rc<RefCell<VecDeque<Letter>>> = Rc::default();
    let busy = Rc::new(std::cell::Cell::new(false));
    let inbox = Rc::new(live::Inbox::default());
    wasm_bindgen_futures::spawn_local(live::serve(lab.clone(), inbox.clone()));
    wasm_bindgen_futures::spawn_local(warm::up(busy.clone(), inbox.clone()));
    let listen = move |event: MessageEvent| {
        let (ask, beside) = match letter(&event.data()) {
            Ok(letter) => letter,
            Err(why) => return tell(&Tell::Crashed(format!("the engine was sent what it does not understand: {why}"))),
        };
        let ask = match ask {
            Ask::Live { run, act } => {
                inbox.put(run, act, beside.dyn_into().ok());
                return;
            }
            other => other,
        };
        let blobs = blobs(beside);
        if matches!(ask, Ask::Open { .. } | Ask::Watch { .. } | Ask::Measure(_) | Ask::CrossCheck(_) | Ask::Cancel) {
            lab.stop();
            // What waits is older than this ask and of no more use, but for the greeting.
            waiting.borrow_mut().retain(|(ask, _)| matches!(ask, Ask::Hello { .. } | Ask::Example { .. }));
        }
        if matches!(ask, Ask::Cancel) {
            return;
        }
        waiting.borrow_mut().push_back((ask, blobs));
        if !busy.replace(true) {
            let (lab, waiting, busy) = (lab.clone(), waiting.clone(), busy.clone());
            wasm_bindgen_futures::spawn_local(async move {
                loop {
                    let Some((ask, blobs)) = waiting.borrow_mut().pop_front() else { break };
                    work::answer(&lab, ask, blobs).await;
                }
                busy.set(false);
            });
        }
    };
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(listen);
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    // The listener lives as long as the worker.
    listen.forget();
    tell(&Tell::Awake);
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// An ask, and what travels beside it.
fn letter(data: &JsValue) -> Result<(Ask, JsValue), String> {
    let parts = data.dyn_ref::<js_sys::Array>().ok_or("no list of an ask and what goes with it")?;
    let ask = serde_wasm_bindgen::from_value(parts.get(0)).map_err(|error| error.to_string())?;
    Ok((ask, parts.get(1)))
}

/// One blob, or a list of them.
fn blobs(beside: JsValue) -> Vec<Blob> {
    match beside.dyn_into::<js_sys::Array>() {
        Ok(list) => list.iter().filter_map(|blob| blob.dyn_into().ok()).collect(),
        Err(beside) => beside.dyn_into().into_iter().collect(),
    }
}

/// Says something to the page.
fn tell(message: &Tell) {
    match message.serialize(&serde_wasm_bindgen::Serializer::json_compatible()) {
        Ok(value) => {
            // A page that is gone needs no answer.
            let _ = scope().post_message(&value);
        }
        Err(error) => {
            let text = format!("an answer could not be packed: {error}");
            let _ = scope().post_message(&serde_wasm_bindgen::to_value(&Tell::Crashed(text)).unwrap_or_default());
        }
    }
}

/// Bytes of this module's memory.
fn heap() -> f64 {
    let memory = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>();
    f64::from(memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}
