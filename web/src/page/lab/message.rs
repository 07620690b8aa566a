//! An embedded figure: the live view or the chart, the transport, a line with a link back, and messages with the page
//! around it.
//!
//! Messages are `{ surprisal: 1, type, id, … }`. To the page around: `hello` (experiment, title, parameters), `height`,
//! `result` (record), `error` (message). From it: `hello`, `set` (parameters), `get`, `run`, `pause`. Only the page
//! around is listened to; a record goes to an origin that has spoken, and to no other.

use std::cell::RefCell;

use gloo_events::EventListener;
use leptos::{html, prelude::*};
use serde::Serialize;
use serde_json::{Value as Json, json};
use surprisal_core::experiment::{Entry, Record};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, MessageEvent};

use super::{Wanted, bar, page, stage::Stage, transport::Transport};
use crate::{
    live::{Act, Watch},
    page::{
        canvas::WidthWatch,
        dom,
        model::{Model, Stage as Crash, model},
    },
    setup::plain,
    trial,
};

thread_local! {
    /// The origin of the page around, once it has spoken.
    static AROUND: RefCell<Option<String>> = const { RefCell::new(None) };
}

#[component]
pub fn Embed(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let root = NodeRef::<html::Div>::new();
    let watch = StoredValue::new_local(None::<(WidthWatch, Option<Sight>)>);
    listen(model, entry);
    Effect::new(move |_| {
        let Some(root) = root.get() else { return };
        let root: Element = root.unchecked_into();
        let measured = root.clone();
        let told = std::cell::Cell::new(0.0);
        let tell = move |_| {
            let height = measured.get_bounding_client_rect().height().ceil();
            if told.replace(height) != height {
                post(entry.about.id, "height", json!({ "height": height }), Target::Anyone);
            }
        };
        let sight = Sight::new(&root, move |seen| {
            model.act(Act::Watch(if seen { Watch::Seen } else { Watch::Away }));
        });
        if let Ok(width) = WidthWatch::new(&root, tell) {
            watch.set_value(Some((width, sight.ok())));
        }
    });
    let moves = page::moves(model);
    let first = Memo::new(move |_| lab.figures.with(|f| f.first().map(|f| f.id.clone())));
    let trouble = move || match (lab.trouble.get(), lab.phase.get()) {
        _ if model.stage.with(|s| matches!(s, Crash::Failed(..))) => model.stage.with(|s| match s {
            Crash::Failed(title, why) => Some(format!("{title}: {why}")),
            _ => None,
        }),
        (Some(why), _) | (None, super::Phase::Failed(why)) => Some(why),
        _ => lab.errors.with(|e| e.iter().next().map(|(key, why)| format!("{key}: {why}"))),
    };
    view! {
        <div class="embed" id="embed" node_ref=root data-experiment=entry.about.id data-phase=move || lab.phase.with(super::Phase::word)
            data-step=move || lab.state.with(|s| s.step.to_string()) data-backend=move || page::backend(model).unwrap_or_default()>
            {move || if moves.get() {
                view! { <Stage title=entry.about.title/> }.into_any()
            } else {
                match first.get() {
                    Some(id) => view! { <div class="embed-chart"><page::Chart id/></div> }.into_any(),
                    None => view! { <div class="figure-space"><p class="soft">"Press Run; the chart grows as it goes."</p></div> }.into_any(),
                }
            }}
            <Transport entry/>
            {move || trouble().map(|why| view! { <p class="note bad">{why}"."</p> })}
            {move || lab.fell.get().map(|_| view! { <p class="note warn">"The GPU failed; the CPU goes on."</p> })}
            <p class="embed-caption">
                <a href=move || bar::link(model) target="_blank" rel="noopener">{entry.about.title}</a>
                <span class="soft">" in Surprisal, with these parameters"</span>
            </p>
        </div>
    }
}

/// Tells when an element comes into sight and leaves it, or its tab does.
struct Sight {
    observer: IntersectionObserver,
    _look: Closure<dyn FnMut(js_sys::Array)>,
    _tab: EventListener,
}

impl Sight {
    fn new(element: &Element, tell: impl Fn(bool) + Clone + 'static) -> Result<Self, JsValue> {
        let here = std::rc::Rc::new(std::cell::Cell::new(false));
        let (seen, told) = (here.clone(), tell.clone());
        let look = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            if let Ok(entry) = entries.at(-1).dyn_into::<IntersectionObserverEntry>() {
                seen.set(entry.is_intersecting());
                told(seen.get() && !document().hidden());
            }
        });
        let observer = IntersectionObserver::new(look.as_ref().unchecked_ref())?;
        observer.observe(element);
        let tab =
            EventListener::new(&document(), "visibilitychange", move |_| tell(here.get() && !document().hidden()));
        Ok(Self { observer, _look: look, _tab: tab })
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Who may read a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// It says nothing about the user.
    Anyone,
    /// Only the page around, once it has spoken.
    Around,
}

fn post(id: &str, kind: &str, more: Json, target: Target) {
    let Ok(Some(parent)) = window().parent() else { return };
    if parent == window() {
        return;
    }
    let origin = match target {
        Target::Anyone => "*".to_owned(),
        Target::Around => match AROUND.with_borrow(Clone::clone) {
            // A sandboxed page has no origin that could be named; the message goes to this window alone anyway.
            Some(origin) if origin == "null" => "*".to_owned(),
            Some(origin) => origin,
            None => return,
        },
    };
    let mut message = json!({ "surprisal": 1, "type": kind, "id": id });
    if let (Json::Object(message), Json::Object(more)) = (&mut message, more) {
        message.extend(more);
    }
    if let Ok(message) = message.serialize(&serde_wasm_bindgen::Serializer::json_compatible()) {
        let _ = parent.post_message(&message, &origin);
    }
}

/// The experiment is set up.
pub(super) fn ready(model: Model, play: bool) {
    let Some(entry) = model.lab.entry() else { return };
    let parameters = model.lab.trial.with_untracked(trial::Trial::full);
    post(entry.about.id, "hello", json!({ "title": entry.about.title, "parameters": parameters }), Target::Anyone);
    if play {
        model.act(Act::Play);
    }
}

/// Tells the page around what was found.
pub(super) fn result(record: &Record) {
    let record = serde_json::to_value(record).unwrap_or_default();
    let id = record.get("experiment").and_then(Json::as_str).unwrap_or_default().to_owned();
    post(&id, "result", json!({ "record": record }), Target::Around);
}

/// Tells the page around what went wrong, where this is an embedded figure.
pub(super) fn error(message: &str) {
    if let Some(id) = dom::attribute("data-embed") {
        post(&id, "error", json!({ "message": message }), Target::Anyone);
    }
}

fn listen(model: Model, entry: &'static Entry) {
    let hear = move |event: &web_sys::Event| {
        let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
        let from_around = window().parent().ok().flatten().is_some_and(|parent| {
            event.source().is_some_and(|source| js_sys::Object::is(source.as_ref(), parent.as_ref()))
        });
        let Ok(message) = serde_wasm_bindgen::from_value::<Json>(event.data()) else { return };
        if !from_around || message.get("surprisal") != Some(&Json::from(1)) {
            return;
        }
        AROUND.set(Some(event.origin()));
        match message.get("type").and_then(Json::as_str).unwrap_or_default() {
            "hello" => {
                if let Some(record) = model.lab.record.get_untracked().filter(|r| r.steps > 0) {
                    result(&record);
                }
            }
            "set" => {
                for (key, value) in message.get("parameters").and_then(Json::as_object).into_iter().flatten() {
                    // An attribute that was taken away is at its default again.
                    if value.is_null() {
                        if let Some(parameter) = entry.parameters().iter().find(|p| p.name == *key) {
                            model.set_parameter(key, parameter.default.clone());
                        }
                    } else if let Err(why) = entry.parse(key, &plain(value)) {
                        error(&why.to_string());
                        model.set_text(entry, key, &plain(value));
                    } else {
                        model.set_text(entry, key, &plain(value));
                    }
                }
            }
            "get" => model.want(Wanted::Answer),
            "run" => model.run_on(),
            "pause" => model.hold(),
            other => error(&format!("there is no message '{other}'; there are hello, set, get, run and pause")),
        }
    };
    EventListener::new(&window(), "message", hear).forget();
}
