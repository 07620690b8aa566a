//! The page's end of the line to the engine.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::window;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Event, MessageEvent, OffscreenCanvas, Worker, WorkerOptions, WorkerType};

use super::dom;
use crate::protocol::{Ask, Tell};

type Hear = Rc<dyn Fn(Tell)>;

/// A message, and what changes hands with it.
type Letter = (JsValue, js_sys::Array);

/// The worker, which may be started anew.
pub(super) struct Engine {
    hear: Hear,
    line: RefCell<Option<Line>>,
}

struct Line {
    worker: Worker,
    /// What was asked before the worker listened; `None` once it does.
    waiting: Rc<RefCell<Option<Vec<Letter>>>>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _error: Closure<dyn FnMut(Event)>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl Engine {
    /// Starts the worker; `hear` gets all that it tells.
    pub(super) fn start(hear: impl Fn(Tell) + 'static) -> Self {
        let engine = Self { hear: Rc::new(hear), line: RefCell::default() };
        engine.restart();
        engine
    }

    /// Ends the worker, whatever it does, and starts a new one.
    pub(super) fn restart(&self) {
        self.line.borrow_mut().take();
        match line(&self.hear) {
            Ok(line) => *self.line.borrow_mut() = Some(line),
            Err(error) => (self.hear)(Tell::Crashed(format!("no worker could be started: {}", text(&error)))),
        }
    }

    /// Asks, with a blob beside.
    pub(super) fn ask(&self, ask: &Ask, blob: Option<&Blob>) {
        self.send(ask, blob.map_or(&JsValue::NULL, |blob| blob.as_ref()), js_sys::Array::new());
    }

    /// Asks, with several blobs beside.
    pub(super) fn ask_with(&self, ask: &Ask, blobs: &[Blob]) {
        let list: js_sys::Array = blobs.iter().collect();
        self.send(ask, &list, js_sys::Array::new());
    }

    /// Asks, and gives a canvas away with it.
    pub(super) fn give(&self, ask: &Ask, canvas: &OffscreenCanvas) {
        self.send(ask, canvas.as_ref(), js_sys::Array::of1(canvas));
    }

    fn send(&self, ask: &Ask, beside: &JsValue, transfer: js_sys::Array) {
        let Ok(ask) = ask.serialize(&serde_wasm_bindgen::Serializer::json_compatible()) else { return };
        let letter: JsValue = js_sys::Array::of2(&ask, beside).into();
        let line = self.line.borrow();
        let Some(line) = &*line else { return };
        match &mut *line.waiting.borrow_mut() {
            Some(waiting) => waiting.push((letter, transfer)),
            None => {
                let _ = line.worker.post_message_with_transfer(&letter, &transfer);
            }
        }
    }
}

/// A worker of this page. Where the page may not load one from its own host, because a sandbox took its origin away, a
/// line of script imports it: a classic one, since browsers refuse modules from there. It keeps what is said too early.
fn worker() -> Result<Worker, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let address = dom::site("worker.js");
    if window().origin() != "null" {
        return Worker::new_with_options(&address, &options);
    }
    let text = format!(
        "const early = []; onmessage = ({{ data }}) => early.push(data); \
         import({}).then(() => {{ for (const data of early) onmessage({{ data }}); }});",
        serde_json::Value::from(address)
    );
    let blob = dom::blob(&text, "text/javascript").ok_or("no blob could be made")?;
    Worker::new(&web_sys::Url::create_object_url_with_blob(&blob)?)
}

/// The module of the engine, compiled once for all its workers. What failed is tried again by the next.
async fn module() -> Result<JsValue, JsValue> {
    thread_local! {
        static MODULE: RefCell<Option<JsValue>> = const { RefCell::new(None) };
    }
    if let Some(module) = MODULE.with_borrow(Clone::clone) {
        return Ok(module);
    }
    let response = window().fetch_with_str(&dom::site("engine_bg.wasm"));
    let module = JsFuture::from(js_sys::WebAssembly::compile_streaming(&response)).await?;
    MODULE.set(Some(module.clone()));
    Ok(module)
}

fn line(hear: &Hear) -> Result<Line, JsValue> {
    let worker = worker()?;
    let waiting = Rc::new(RefCell::new(Some(Vec::<Letter>::new())));
    let message = {
        let (hear, waiting, worker) = (hear.clone(), waiting.clone(), worker.clone());
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            match serde_wasm_bindgen::from_value(event.data()) {
                Ok(Tell::Awake) => {
                    for (letter, transfer) in waiting.borrow_mut().take().into_iter().flatten() {
                        let _ = worker.post_message_with_transfer(&letter, &transfer);
                    }
                }
                Ok(tell) => hear(tell),
                Err(error) => hear(Tell::Crashed(format!("an answer of the engine could not be read: {error}"))),
            }
        })
    };
    let error = {
        let hear = hear.clone();
        Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let said = js_sys::Reflect::get(&event, &"message".into()).ok().and_then(|m| m.as_string());
            hear(Tell::Crashed(said.unwrap_or_else(|| "the worker could not be loaded".to_owned())));
        })
    };
    worker.set_onmessage(Some(message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(error.as_ref().unchecked_ref()));
    let (hear, to) = (hear.clone(), worker.clone());
    spawn_local(async move {
        if let Err(error) = module().await.and_then(|module| to.post_message(&module)) {
            hear(Tell::Crashed(format!("the engine could not be loaded: {}", text(&error))));
        }
    });
    Ok(Line { worker, waiting, _message: message, _error: error })
}

fn text(error: &JsValue) -> String {
    js_sys::Error::from(error.clone()).message().into()
}
