//! One control for each parameter of a measure, made from the catalogue: range, help and default are not
//! written a second time.

use leptos::prelude::*;
use serde_json::Value as Json;
use surprisal_core::measure::{Bounds, Entry, Parameter, ParameterKind};

use super::model::model;
use crate::setup::plain;

#[component]
pub(super) fn Parameters(entry: &'static Entry) -> impl IntoView {
    // Missing values are an option of all measures.
    let own = entry.parameters().iter().filter(|p| p.name != "missing");
    view! {
        <div class="parameters">
            {own.map(|parameter| view! { <Control entry parameter/> }).collect_view()}
        </div>
    }
}

/// What a value may be, in few words: `2 to 8`.
pub(super) fn range(kind: &ParameterKind) -> String {
    let bounds = |b: &Bounds| match (b.minimum, b.maximum) {
        (Some(a), Some(z)) => format!("{a} to {z}"),
        (Some(a), None) => format!("at least {a}"),
        (None, Some(z)) => format!("at most {z}"),
        (None, None) => "any".to_owned(),
    };
    match kind {
        ParameterKind::Integer(b) => format!("whole number, {}", bounds(b)),
        ParameterKind::Number(b) => format!("number, {}", bounds(b)),
        ParameterKind::Boolean => "yes or no".to_owned(),
        ParameterKind::Choice { options } => options.join(", "),
        ParameterKind::Text | ParameterKind::Free => "text".to_owned(),
    }
}

/// A default in words.
pub(super) fn default_word(default: &Json) -> String {
    match default {
        Json::Null => "none".to_owned(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        other => plain(other),
    }
}

#[component]
fn Control(entry: &'static Entry, parameter: &'static Parameter) -> impl IntoView {
    let model = model();
    let id = format!("{}-{}", entry.about.id, parameter.name);
    let (help_id, error_id) = (format!("{id}-help"), format!("{id}-error"));
    let error = RwSignal::new(None::<String>);
    let value = move || model.setup.with(|setup| setup.get(entry, &parameter.name));
    let set = move |value: Json| {
        let mut setup = model.setup.get_untracked();
        match setup.set(entry, &parameter.name, value) {
            Ok(()) => {
                error.set(None);
                model.setup.set(setup);
            }
            Err(expected) => error.set(Some(format!("{}.", capital(&expected)))),
        }
    };
    let changed =
        move || model.setup.with(|s| s.settings.get(entry.about.id).is_some_and(|m| m.contains_key(&parameter.name)));
    let described = format!("{help_id} {error_id}");
    let input = match &parameter.kind {
        ParameterKind::Boolean => view! {
            <input type="checkbox" id=id.clone() aria-describedby=described
                prop:checked=move || value() == Json::Bool(true)
                on:change=move |event| set(Json::from(event_target_checked(&event)))/>
        }.into_any(),
        ParameterKind::Choice { options } => view! {
            <select id=id.clone() aria-describedby=described on:change=move |event| set(Json::from(event_target_value(&event)))>
                {options.iter().map(|option| view! {
                    <option value=option.as_str() selected=move || value().as_str() == Some(option)>{option.as_str()}</option>
                }).collect_view()}
            </select>
        }.into_any(),
        kind => {
            let mode = match kind {
                ParameterKind::Integer(_) => "numeric",
                ParameterKind::Number(_) => "decimal",
                _ => "text",
            };
            view! {
                <input type="text" id=id.clone() inputmode=mode autocomplete="off" spellcheck="false" aria-describedby=described
                    placeholder=default_word(&parameter.default)
                    aria-invalid=move || error.with(Option::is_some).to_string()
                    prop:value=move || plain(&value())
                    on:change=move |event| set(parameter.parse(&event_target_value(&event)))/>
            }.into_any()
        }
    };
    view! {
        <div class="field" data-parameter=parameter.name.as_str()>
            <label for=id>{parameter.name.replace('_', " ")}</label>
            {input}
            {move || (changed() || error.with(Option::is_some)).then(|| view! {
                <button type="button" class="reset" on:click=move |_| { error.set(None); set(parameter.default.clone()); model.setup.notify(); }>
                    "Reset to " {default_word(&parameter.default)}
                </button>
            })}
            <p class="help" id=help_id>{parameter.help.as_str()}</p>
            <p class="error" id=error_id role="alert">{move || error.get()}</p>
        </div>
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}
