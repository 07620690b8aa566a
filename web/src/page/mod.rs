//! The page: shows what the engine tells, and asks it.

#![expect(unreachable_pub, reason = "the component macro makes items that are public beyond their component")]

mod bar;
mod canvas;
mod choose;
mod compare;
mod controls;
mod detail;
mod dom;
mod equation;
mod figure;
mod file;
mod header;
mod hear;
mod home;
mod intake;
mod lab;
mod link;
mod model;
mod recording;
mod reference;
mod report;
mod results;
mod route;
mod status;
mod surrogates;
mod theme;

use leptos::prelude::*;

use crate::trial::Trial;
use model::Model;
use route::View;

/// Puts the page in the place of the loading line.
pub fn start() {
    console_error_panic_hook::set_once();
    let Some(place) = document().get_element_by_id("app") else { return };
    place.set_text_content(None);
    let place = wasm_bindgen::JsCast::unchecked_into(place);
    match dom::attribute("data-embed") {
        Some(id) => leptos::mount::mount_to(place, move || view! { <Figure id=id.clone()/> }).forget(),
        None => leptos::mount::mount_to(place, App).forget(),
    }
}

/// A figure in somebody's page: the experiment and nothing else.
#[component]
fn Figure(id: String) -> impl IntoView {
    let model = Model::start(true);
    provide_context(model);
    let pairs: Vec<_> = dom::pairs();
    model.load(Trial::read(&id, &pairs));
    model.lab.entry().map(|entry| view! { <lab::Embed entry/> })
}

#[component]
fn App() -> impl IntoView {
    let model = Model::start(false);
    provide_context(model);
    intake::listen(model);
    // A report has the status under its file's name.
    let report = Memo::new(move |_| model.file.with(Option::is_some) && model.view.with(|v| *v == View::Measure));
    // What is measured again stays on the page, with what was typed there.
    let recording = Memo::new(move |_| model.recording.with(Option::is_some));
    let selftest = dom::query().split('&').any(|pair| pair.split('=').next() == Some("selftest"));
    view! {
        <a class="skip" href="#main" on:click=move |event| { event.prevent_default(); dom::focus("main"); }>
            "Skip to content"
        </a>
        <header::Header/>
        <intake::Curtain/>
        <main id="main" class="page" tabindex="-1">
            {move || (!report.get()).then(|| view! { <status::Status/> })}
            {move || match model.view.get() {
                View::Reference(id) => view! { <reference::Reference id/> }.into_any(),
                View::Experiments => view! { <lab::List/> }.into_any(),
                View::Lab => view! { <lab::Page/> }.into_any(),
                View::Measure if model.file.with(Option::is_some) => view! { <report::Report/> }.into_any(),
                View::Measure if recording.get() => view! { <recording::Recording/> }.into_any(),
                View::Measure => view! { <home::Home/> }.into_any(),
            }}
            {selftest.then(|| view! { <status::SelfTest/> })}
        </main>
        <footer class="foot">
            <p>"Surprisal " {env!("CARGO_PKG_VERSION")} " · computes in this tab; nothing is uploaded, counted or tracked."</p>
        </footer>
        <div class="live" role="status" aria-live="polite">{move || model.announcement.get()}</div>
    }
}
