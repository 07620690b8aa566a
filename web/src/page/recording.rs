//! A recording of real animals, measured as a school over its frames, beside the simulated school closest to it.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use serde_json::{Map, Value as Json};
use surprisal_core::{
    experiment::{Record, real},
    figure::number,
    params::Parameter,
};

use super::{
    controls::{default_word, range},
    dom,
    figure::FigureView,
    model::{Stage, model},
};
use crate::{protocol::Recorded, show};

#[component]
pub(super) fn Recording() -> impl IntoView {
    let model = model();
    view! {
        <div class="recording" id="recording">
            {move || model.recording.get().map(|recorded| view! { <Head recorded/> })}
            <Wishes/>
            {move || model.recording.get().map(|recorded| view! { <Found recorded/> })}
        </div>
    }
}

/// What it is, and what else it could be.
#[component]
fn Head(recorded: Arc<Recorded>) -> impl IntoView {
    let model = model();
    let (animals, frames) = recorded.size;
    let record = Record::parse(&recorded.record).ok();
    let notes = record.map(|r| r.notes).unwrap_or_default();
    let rate = recorded.frame_rate.map_or_else(String::new, |rate| format!(" · {} frames a second", number(rate)));
    let table = move |_| model.open_files(model.brought.get_value(), None, true);
    view! {
        <div class="file-head">
            <h1>{recorded.names.join(", ")}</h1>
            <p class="soft">
                {recorded.format.clone()} " · " {show::several(animals.into(), "animal", "animals")} " · "
                {show::several(frames.into(), "frame", "frames")} {rate}
            </p>
            <p class="lead" id="recording-seen">{recorded.seen.clone()}</p>
            {notes.into_iter().map(|note| view! { <p class="note warn">{note}</p> }).collect_view()}
            <div class="bar-buttons">
                <button type="button" class="small" id="recording-table" on:click=table>"Measure as a table instead"</button>
                <button type="button" class="small" id="recording-json" on:click=move |_| save(&recorded)>"JSON"</button>
            </div>
        </div>
    }
}

fn save(recorded: &Recorded) {
    let stem = recorded.names.first().map_or_else(String::new, |name| dom::slug(name));
    dom::save_text(&recorded.record, "application/json", &format!("{stem}-school.json"));
}

/// What the file may not say, and how it is measured.
#[component]
fn Wishes() -> impl IntoView {
    let model = model();
    let texts = RwSignal::new(BTreeMap::<String, String>::new());
    let errors = RwSignal::new(BTreeMap::<String, String>::new());
    let again = move |_| {
        let (mut given, mut wrong) = (Map::new(), BTreeMap::new());
        for parameter in real::parameters() {
            let text = texts.with_untracked(|t| t.get(&parameter.name).cloned().unwrap_or_default());
            if text.trim().is_empty() {
                continue;
            }
            let value = parameter.parse(&text);
            if parameter.accepts(&value) {
                given.insert(parameter.name.clone(), value);
            } else {
                wrong.insert(parameter.name.clone(), parameter.expectation());
            }
        }
        let fine = wrong.is_empty();
        errors.set(wrong);
        if fine {
            model.watch(given);
        }
    };
    let busy = move || model.stage.with(Stage::busy);
    // What this file does not say stays asked once it is answered: an answer can be mended.
    let unknown = model.recording.with_untracked(|r| r.as_ref().map(|r| r.unknown.clone()).unwrap_or_default());
    let (asked, others) = real::parameters().into_iter().partition::<Vec<_>, _>(|p| unknown.contains(&p.name));
    let wish = move |parameter: Parameter| view! { <Wish parameter texts errors/> };
    view! {
        <div class="wishes">
            {(!asked.is_empty()).then(|| view! {
                <section class="asked" aria-labelledby="asked-title">
                    <h2 id="asked-title">"What the file does not say"</h2>
                    <div class="parameters">{asked.into_iter().map(wish).collect_view()}</div>
                </section>
            })}
            <details>
                <summary>"How it is measured"</summary>
                <div class="parameters">{others.into_iter().map(wish).collect_view()}</div>
            </details>
            <button type="button" class="small" id="recording-again" disabled=busy on:click=again>"Measure again"</button>
        </div>
    }
}

/// Parameters that are questions where the file does not answer them, in words.
const QUESTIONS: [(&str, &str); 2] = [
    ("frame_rate", "How many frames a second?"),
    ("scale", "How many of the file's units (pixels) make one unit of length?"),
];

#[component]
fn Wish(
    parameter: Parameter,
    texts: RwSignal<BTreeMap<String, String>>,
    errors: RwSignal<BTreeMap<String, String>>,
) -> impl IntoView {
    let key = StoredValue::new(parameter.name.clone());
    let id = format!("recording-{}", parameter.name);
    let help = format!("{id}-help");
    let question = QUESTIONS.iter().find(|(name, _)| *name == parameter.name).map(|(_, words)| (*words).to_owned());
    let title = question.unwrap_or_else(|| parameter.name.replace('_', " "));
    let kind = range(&parameter.kind);
    let default =
        if parameter.default == Json::Null { "from the file".to_owned() } else { default_word(&parameter.default) };
    let error = move || errors.with(|e| key.with_value(|key| e.get(key).cloned()));
    view! {
        <div class="field">
            <label for=id.clone()>{title}</label>
            <input type="text" class="number num" id=id inputmode="decimal" autocomplete="off" placeholder=default.clone()
                aria-describedby=help.clone() aria-invalid=move || error().is_some().to_string()
                on:change=move |event| texts.update(|t| { t.insert(key.get_value(), event_target_value(&event)); })/>
            <p class="help" id=help>{parameter.help} " " <span class="soft num">{kind} "; default " {default} "."</span></p>
            <p class="error" role="alert">{error}</p>
        </div>
    }
}

/// The numbers and the pictures.
#[component]
fn Found(recorded: Arc<Recorded>) -> impl IntoView {
    let record = Record::parse(&recorded.record).ok();
    let stem = recorded.names.first().map_or_else(String::new, |name| dom::slug(name));
    let rows = record.into_iter().flat_map(|r| r.scalars).filter_map(|s| {
        let value = s.value?;
        let interval = s.uncertainty.map(|u| format!("{} \u{2013} {}", number(u.low), number(u.high)));
        Some(view! {
            <tr data-scalar=s.name.clone() data-value=value.to_string()>
                <th scope="row">{s.title.clone()} <span class="mono soft">{s.name.clone()}</span></th>
                <td class="right num" title=value.to_string()>{number(value)}</td>
                <td class="right num soft">{interval}</td>
            </tr>
        })
    });
    view! {
        <div class="chart-grid">
            {recorded.figures.iter().map(|figure| {
                let figure = Signal::stored(Arc::new(figure.clone()));
                view! { <div class="chart-card"><FigureView figure stem=stem.clone() tools=true/></div> }
            }).collect_view()}
        </div>
        <div class="scroll numbers">
            <table>
                <caption>"Means over the frames"</caption>
                <thead><tr><th scope="col">"Measure"</th><th scope="col" class="right">"Mean"</th><th scope="col" class="right">"95 % interval"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
