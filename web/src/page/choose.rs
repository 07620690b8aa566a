//! The choice of measures by family, their parameters, and the options of all of them.

use leptos::prelude::*;
use surprisal_core::{
    measure::{self, Entry, Family, PRESETS, Preset, catalogue},
    quantity::Information,
};
use wasm_bindgen::JsCast;

use super::{
    controls::Parameters,
    dom,
    equation::Equation,
    model::{Model, model},
    surrogates,
};
use crate::{
    plan,
    protocol::Wish,
    setup::{self, MOST_RESAMPLES, information_word},
};

#[component]
pub(super) fn Choose() -> impl IntoView {
    let sheet = model().sheet;
    let search = RwSignal::new(String::new());
    view! {
        <div class="choose-head">
            <h2>"Measures"</h2>
            <a class="skip within" href="#results-title" on:click=move |event| {
                event.prevent_default();
                sheet.set(false);
                dom::focus("results-title");
            }>"Skip to the results"</a>
            <button type="button" class="small sheet-close" on:click=move |_| sheet.set(false)>"Close"</button>
        </div>
        <Presets/>
        <input type="search" class="search" placeholder="Search measures" aria-label="Search measures"
            on:input=move |event| search.set(event_target_value(&event).to_lowercase())/>
        <div class="families">
            {Family::ALL.into_iter().map(|family| view! { <FamilyList family search/> }).collect_view()}
        </div>
        <Options/>
    }
}

/// Measures for a kind of data, in place of those that are chosen.
#[component]
fn Presets() -> impl IntoView {
    let model = model();
    let now = move || {
        model.setup.with(|s| {
            let same = |p: &&Preset| s.measures.as_ref().is_some_and(|m| m.iter().eq(p.measures.iter()));
            if s.measures.is_none() { "" } else { PRESETS.iter().find(same).map_or("own", |p| p.id) }
        })
    };
    let pick = move |event| {
        let wanted = event_target_value(&event);
        model.setup.update(|setup| match measure::preset(&wanted) {
            Some(preset) => setup.measures = Some(preset.measures.iter().map(|id| (*id).to_owned()).collect()),
            None if wanted.is_empty() => setup.measures = None,
            None => {}
        });
    };
    let summary = move || measure::preset(now()).map(|p| p.summary);
    view! {
        <div class="field preset">
            <label for="preset">"Chosen for"</label>
            <select id="preset" on:change=pick prop:value=now>
                <option value="">"each column by its type"</option>
                {PRESETS.iter().map(|p| view! { <option value=p.id>{p.title}</option> }).collect_view()}
                <option value="own" disabled=true>"own choice"</option>
            </select>
            <p class="soft small-text">{summary}</p>
        </div>
    }
}

#[component]
fn FamilyList(family: Family, search: RwSignal<String>) -> impl IntoView {
    let model = model();
    let entries: Vec<&'static Entry> = catalogue().iter().filter(|e| e.about.family == family).collect();
    let shown = Memo::new(move |_| {
        let offered = |entry: &&&'static Entry| {
            model.file.with(|file| {
                let Some(file) = file else { return false };
                model.setup.with(|s| plan::offered(entry, s, &file.columns, &file.arrays))
            })
        };
        let wanted = search.get();
        let fits = |entry: &&&'static Entry| {
            let about = entry.about;
            wanted.is_empty()
                || [about.id, about.title, about.summary].iter().any(|text| text.to_lowercase().contains(&wanted))
        };
        entries.iter().filter(offered).filter(fits).map(|e| e.about.id).collect::<Vec<_>>()
    });
    view! {
        <section class="family" class:none=move || shown.with(Vec::is_empty)>
            <h3>{family.title()}</h3>
            <ul>
                <For each=move || shown.get() key=|id| *id let:id>
                    {surprisal_core::measure::find(id).ok().map(|entry| view! { <Item entry/> })}
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Item(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let about = entry.about;
    let id = about.id;
    let open = RwSignal::new(false);
    let checked = Memo::new(move |_| {
        model.file.with(|file| {
            file.as_ref()
                .is_some_and(|file| model.setup.with(|s| plan::measures(s, &file.columns, &file.arrays).contains(&id)))
        })
    });
    let toggle = move |_| {
        let Some(file) = model.file.get_untracked() else { return };
        model.setup.update(|setup| {
            let mut ids: Vec<String> =
                plan::measures(setup, &file.columns, &file.arrays).into_iter().map(str::to_owned).collect();
            match ids.iter().position(|m| m == id) {
                Some(at) => drop(ids.remove(at)),
                None => ids.push(id.to_owned()),
            }
            setup.measures = Some(ids);
        });
    };
    let changed = move || model.setup.with(|s| s.settings.get(id).map_or(0, serde_json::Map::len));
    let body = format!("about-{id}");
    view! {
        <li class="measure" data-id=id>
            <div class="measure-line">
                <label>
                    <input type="checkbox" prop:checked=move || checked.get() on:change=toggle/>
                    <span>{about.title}</span>
                </label>
                <button type="button" class="more" aria-expanded=move || open.get().to_string() aria-controls=body.clone()
                    aria-label=format!("Parameters of {}", about.title)
                    on:click=move |_| open.update(|open| *open = !*open)>
                    {move || match changed() { 0 => String::new(), n => format!("{n} set ") }}
                    <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 4.5 6 8l3.5-3.5"/></svg>
                </button>
            </div>
            <div id=body class="measure-body">
                {move || open.get().then(|| view! {
                    <p class="mono soft">{id}</p>
                    <p>{about.summary}</p>
                    <Equation id plain=about.equation/>
                    <Parameters entry/>
                    <p class="soft small-text">
                        {about.source} " · cost " {about.cost} " · "
                        <a href=format!("#/measures/{id}")>"Reference"</a>
                    </p>
                })}
            </div>
        </li>
    }
}

/// What holds for all measures.
#[component]
fn Options() -> impl IntoView {
    let model = model();
    let information = move |event| {
        if let Some(value) = setup::information(&event_target_value(&event)) {
            model.setup.update(|s| s.information = value);
        }
    };
    let wish = move |event| {
        if let Some(value) = Wish::of(&event_target_value(&event)) {
            model.setup.update(|s| s.wish = value);
            model.greet();
        }
    };
    let error = RwSignal::new(None::<String>);
    let surrogates_error = RwSignal::new(None::<String>);
    let resamples = move |event: web_sys::Event| match event_target_value(&event).trim().parse::<u32>() {
        Ok(n) if n <= MOST_RESAMPLES => {
            error.set(None);
            model.setup.update(|s| s.resamples = (n != surprisal_core::measure::Context::RESAMPLES).then_some(n));
        }
        _ => error.set(Some(format!("A whole number from 0 (no interval) to {MOST_RESAMPLES} is expected."))),
    };
    let units = [(Information::Native, "as in the literature"), (Information::Bit, "bits"), (Information::Nat, "nats")];
    let wishes = [(Wish::Auto, "automatic"), (Wish::Cpu, "CPU"), (Wish::Gpu, "GPU")];
    view! {
        <section class="options" aria-labelledby="options-title">
            <h3 id="options-title">"For all measures"</h3>
            <div class="field">
                <label for="option-missing">"Missing values"</label>
                <select id="option-missing" on:change=move |event| model.setup.update(|s| s.omit = event_target_value(&event) == "omit")>
                    <option value="error" selected=move || !model.setup.with(|s| s.omit)>"refuse, and say where"</option>
                    <option value="omit" selected=move || model.setup.with(|s| s.omit)>"leave out"</option>
                </select>
            </div>
            <div class="field">
                <label for="option-unit">"Unit"</label>
                <select id="option-unit" on:change=information>
                    {units.into_iter().map(|(unit, text)| view! {
                        <option value=information_word(unit) selected=move || model.setup.with(|s| s.information == unit)>{text}</option>
                    }).collect_view()}
                </select>
            </div>
            <div class="field">
                <label for="option-resamples">"Resamples of an interval"</label>
                <input id="option-resamples" type="text" inputmode="numeric" aria-describedby="resamples-error"
                    aria-invalid=move || error.with(Option::is_some).to_string()
                    prop:value=move || model.setup.with(setup::Setup::resamples).to_string() on:change=resamples/>
                <p id="resamples-error" class="error">{move || error.get()}</p>
            </div>
            <surrogates::Choice error=surrogates_error/>
            <div class="field">
                <label for="option-backend">"Computed on"</label>
                <select id="option-backend" on:change=wish>
                    {wishes.into_iter().map(|(wish, text)| view! {
                        <option value=wish.word() selected=move || model.setup.with(|s| s.wish == wish)>{text}</option>
                    }).collect_view()}
                </select>
            </div>
            <button type="button" class="quiet" on:click=move |_| {
                error.set(None);
                surrogates_error.set(None);
                model.setup.update(|s| *s = setup::Setup { sample: s.sample.take(), ..Default::default() });
                model.greet();
            }>"Reset everything"</button>
        </section>
    }
}

/// Shows one measure's parameters in the panel, from elsewhere on the page.
pub(super) fn reveal(model: Model, id: String) {
    if dom::narrow() {
        model.sheet.set(true);
    }
    leptos::task::spawn_local(async move {
        // The sheet must be there before anything in it can have the focus.
        leptos::task::tick().await;
        let selector = format!(".measure[data-id=\"{id}\"] .more");
        let Some(item) = document().query_selector(&selector).ok().flatten() else { return };
        let button: web_sys::HtmlElement = item.unchecked_into();
        if button.get_attribute("aria-expanded").as_deref() == Some("false") {
            button.click();
        }
        let _ = button.focus();
        dom::scroll_to(&button);
    });
}
