//! How files come in: dropped anywhere on the page, pasted, chosen.

use gloo_events::{EventListener, EventListenerOptions};
use leptos::prelude::*;
use surprisal_core::experiment::Record;
use wasm_bindgen::JsCast;
use web_sys::{
    ClipboardEvent, DataTransfer, DragEvent, Event, File, FileList, HtmlElement, HtmlInputElement, KeyboardEvent,
};

use super::{
    dom,
    model::{Model, model},
};

/// A larger file is no record that a page could show.
const LARGEST_RECORD: f64 = 2e8;

/// Listens to the whole page.
pub(super) fn listen(model: Model) {
    let on = |kind: &'static str, act: fn(Model, &Event)| {
        let options = EventListenerOptions::enable_prevent_default();
        EventListener::new_with_options(&window(), kind, options, move |event| act(model, event)).forget();
    };
    on("dragenter", over);
    on("dragover", over);
    on("dragleave", |model, event| {
        // Out of the window, not from one element to the next.
        if event.dyn_ref::<DragEvent>().is_some_and(|e| e.related_target().is_none()) {
            model.dragging.set(false);
        }
    });
    on("drop", |model, event| {
        let Some(data) = event.dyn_ref::<DragEvent>().and_then(DragEvent::data_transfer) else { return };
        event.prevent_default();
        model.dragging.set(false);
        take(model, &data, "dropped text");
    });
    on("paste", |model, event| {
        let editing = event.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()).is_some_and(|e| {
            let text_field = e
                .dyn_ref::<HtmlInputElement>()
                .is_some_and(|input| input.type_() != "file" && input.type_() != "checkbox");
            text_field || e.is_content_editable()
        });
        let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
        if let Some(data) = data.filter(|_| !editing) {
            event.prevent_default();
            take(model, &data, "pasted text");
        }
    });
    on("keydown", |model, event| {
        if event.dyn_ref::<KeyboardEvent>().is_some_and(|e| e.key() == "Escape") {
            // One press, one thing: a sheet that is up goes down first.
            if model.sheet.get_untracked() {
                model.sheet.set(false);
            } else {
                model.cancel();
                model.hold_if_running();
            }
        }
    });
}

fn over(model: Model, event: &Event) {
    let Some(data) = event.dyn_ref::<DragEvent>().and_then(DragEvent::data_transfer) else { return };
    if data.types().iter().any(|t| t.as_string().is_some_and(|t| t == "Files" || t == "text/plain")) {
        event.prevent_default();
        data.set_drop_effect("copy");
        model.dragging.set(true);
    }
}

fn take(model: Model, data: &DataTransfer, name: &str) {
    if let Some(files) = data.files().map(|files| all(&files)).filter(|files| !files.is_empty()) {
        open(model, files);
        return;
    }
    let text = data.get_data("text/plain").unwrap_or_default();
    if !text.is_empty()
        && let Some(blob) = dom::blob(&text, "text/plain")
    {
        model.open(name.to_owned(), blob, None);
    }
}

fn all(files: &FileList) -> Vec<File> {
    (0..files.length()).filter_map(|i| files.get(i)).collect()
}

/// Records of experiments are shown as such; everything else is measured. Several files are one recording of animals where
/// they are one, and are compared otherwise.
fn open(model: Model, files: Vec<File>) {
    let several = files.len() > 1;
    let Some(file) = files.first().cloned() else { return };
    let (name, size) = (file.name(), file.size());
    if several || !name.to_lowercase().ends_with(".json") || size > LARGEST_RECORD {
        model.open_files(files.into_iter().map(|file| (file.name(), file.into())).collect(), None, false);
        return;
    }
    leptos::task::spawn_local(async move {
        let blob: &web_sys::Blob = &file;
        let text = gloo_file::futures::read_as_text(&gloo_file::Blob::from(blob.clone())).await.unwrap_or_default();
        match Record::parse(&text) {
            Ok(record) => model.open_record(name, record),
            Err(_) => model.open(name, file.into(), None),
        }
    });
}

/// Files were chosen in a dialogue.
pub(super) fn chosen(model: Model, event: &Event) {
    take_chosen(event, |files| open(model, files));
}

/// Files were chosen to stand beside those that are open.
pub(super) fn added(model: Model, event: &Event) {
    take_chosen(event, |files| model.open_beside(files.into_iter().map(|file| (file.name(), file.into()))));
}

fn take_chosen(event: &Event, take: impl FnOnce(Vec<File>)) {
    let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else { return };
    if let Some(files) = input.files() {
        take(all(&files));
    }
    // The same file may be chosen again.
    input.set_value("");
}

/// Lies over the page while a file is held over it.
#[component]
pub(super) fn Curtain() -> impl IntoView {
    let model = model();
    view! {
        <div class="curtain" class:on=move || model.dragging.get() aria-hidden="true">
            <p>"Drop to measure"</p>
        </div>
    }
}
