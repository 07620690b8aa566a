//! The page's end of the line to the engine.

use std::{cell::RefCell, rc::Rc};

use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Blob, Event, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::protocol::{Ask, Tell};

type Hear = Rc<dyn Fn(Tell)>;

/// The worker, which may be started anew.
pub(super) struct Engine {
    hear: Hear,
    line: RefCell<Option<Line>>,
}

struct Line {
    worker: Worker,
    /// What was asked before the worker listened; `None` once it does.
    waiting: Rc<RefCell<Option<Vec<JsValue>>>>,
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
        let Ok(ask) = ask.serialize(&serde_wasm_bindgen::Serializer::json_compatible()) else { return };
        let letter = js_sys::Array::of2(&ask, blob.map_or(&JsValue::NULL, |blob| blob.as_ref()));
        let line = self.line.borrow();
        let Some(line) = &*line else { return };
        match &mut *line.waiting.borrow_mut() {
            Some(waiting) => waiting.push(letter.into()),
            None => {
                let _ = line.worker.post_message(&letter);
            }
        }
    }
}

fn line(hear: &Hear) -> Result<Line, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options("./worker.js", &options)?;
    let waiting = Rc::new(RefCell::new(Some(Vec::new())));
    let message = {
        let (hear, waiting, worker) = (hear.clone(), waiting.clone(), worker.clone());
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            match serde_wasm_bindgen::from_value(event.data()) {
                Ok(Tell::Awake) => {
                    for letter in waiting.borrow_mut().take().into_iter().flatten() {
                        let _ = worker.post_message(&letter);
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
    // The module is compiled once: the worker gets this one.
    worker.post_message(&wasm_bindgen::module())?;
    Ok(Line { worker, waiting, _message: message, _error: error })
}

fn text(error: &JsValue) -> String {
    js_sys::Error::from(error.clone()).message().into()
}
