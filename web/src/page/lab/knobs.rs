//! One control for each parameter of an experiment, made from its definition: a slider and a number for what has a
//! range, a list for words, a box for yes or no. Errors are said at the control, in core's words.

use leptos::prelude::*;
use serde_json::Value as Json;
use surprisal_core::{
    experiment::Entry,
    figure::number,
    params::{Bounds, Parameter, ParameterKind},
};
use web_sys::KeyboardEvent;

use super::transport::Pace;
use crate::{
    knob::Scale,
    page::{
        controls::{default_word, range},
        model::model,
    },
    setup::{plain, same},
};

/// Controls that are there at once; the others are one press away.
const FIRST: usize = 8;

#[component]
pub fn Knobs(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let own = || entry.parameters().iter().filter(|p| p.name != "seed");
    let more = own().count().saturating_sub(FIRST);
    // What a link has changed is not hidden.
    let open = own().skip(FIRST).any(|p| lab.trial.with_untracked(|t| t.given.contains_key(&p.name)));
    let changed = move || lab.trial.with(|t| !t.given.is_empty());
    view! {
        <div class="choose-head">
            <h2>"Parameters"</h2>
            {move || changed().then(|| view! {
                <button type="button" class="quiet" id="defaults" on:click=move |_| {
                    lab.errors.update(std::collections::HashMap::clear);
                    lab.trial.update(|t| { t.given.clear(); t.unknown.clear(); });
                    model.send();
                }>"All to default"</button>
            })}
            <button type="button" class="small sheet-close" on:click=move |_| model.sheet.set(false)>"Close"</button>
        </div>
        <div class="only-narrow"><Pace entry id="sheet"/></div>
        <div class="knob-list">
            {own().take(FIRST).map(|parameter| view! { <Knob entry parameter/> }).collect_view()}
        </div>
        {(more > 0).then(|| view! {
            <details class="more-knobs" open=open>
                <summary>{more} " more"</summary>
                <div class="knob-list">
                    {own().skip(FIRST).map(|parameter| view! { <Knob entry parameter/> }).collect_view()}
                </div>
            </details>
        })}
    }
}

#[component]
fn Knob(entry: &'static Entry, parameter: &'static Parameter) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let key = parameter.name.as_str();
    let id = format!("knob-{key}");
    let (help_id, error_id) = (format!("{id}-help"), format!("{id}-error"));
    let open = RwSignal::new(false);
    let value = Memo::new(move |_| lab.trial.with(|t| t.get(parameter)));
    let error = Memo::new(move |_| lab.errors.with(|e| e.get(key).cloned()));
    let changed = move || value.with(|v| !same(v, &parameter.default));
    let invalid = move || error.with(Option::is_some).to_string();
    let described = format!("{help_id} {error_id}");
    let control = match &parameter.kind {
        ParameterKind::Boolean => view! {
            <input type="checkbox" id=id.clone() aria-describedby=described
                prop:checked=move || value.with(|v| *v == Json::Bool(true))
                on:change=move |event| model.set_parameter(key, Json::from(event_target_checked(&event)))/>
        }
        .into_any(),
        ParameterKind::Choice { options } => view! {
            <select id=id.clone() aria-describedby=described on:change=move |event| model.set_parameter(key, Json::from(event_target_value(&event)))>
                {options.iter().map(|option| view! {
                    <option value=option.as_str() selected=move || value.with(|v| v.as_str() == Some(option))>{option.replace('_', " ")}</option>
                }).collect_view()}
            </select>
        }
        .into_any(),
        ParameterKind::Free => view! {
            <textarea id=id.clone() rows="2" autocomplete="off" spellcheck="false" aria-describedby=described aria-invalid=invalid
                prop:value=move || value.with(plain)
                on:change=move |event| model.set_text(entry, key, &event_target_value(&event))></textarea>
        }
        .into_any(),
        kind => {
            let mode = if matches!(kind, ParameterKind::Integer(_)) { "numeric" } else { "decimal" };
            view! {
                <input type="text" class="number num" id=id.clone() inputmode=mode autocomplete="off" spellcheck="false" aria-describedby=described
                    placeholder=default_word(&parameter.default) aria-invalid=invalid prop:value=move || value.with(plain)
                    on:change=move |event| model.set_text(entry, key, &event_target_value(&event))/>
            }
            .into_any()
        }
    };
    let whole = matches!(parameter.kind, ParameterKind::Integer(_));
    let slider = match &parameter.kind {
        ParameterKind::Integer(bounds) | ParameterKind::Number(bounds) => scale(bounds, parameter, whole),
        _ => None,
    };
    let name = key.replace('_', " ");
    let help = format!("About {name}");
    let reset = move |_| model.set_parameter(key, parameter.default.clone());
    view! {
        <div class="knob" class:changed=changed data-parameter=key>
            <div class="knob-line">
                <label for=id.clone()>{name.clone()}</label>
                <button type="button" class="hint" aria-label=help aria-expanded=move || open.get().to_string() aria-controls=help_id.clone()
                    on:click=move |_| open.update(|o| *o = !*o)>"?"</button>
                {control}
            </div>
            {slider.map(|scale| view! { <Slider scale value=value parameter name/> })}
            <p class="help" class:none=move || !open.get() id=help_id>
                {parameter.help.as_str()} " " <span class="soft num">{capital(&range(&parameter.kind))} "; default " {default_word(&parameter.default)} "."</span>
            </p>
            {move || (changed() || error.with(Option::is_some)).then(|| view! {
                <button type="button" class="back" on:click=reset>"Back to " {default_word(&parameter.default)}</button>
            })}
            <p class="error" id=error_id role="alert">{move || error.get().map(|e| format!("{}.", capital(&e)))}</p>
        </div>
    }
}

/// How a slider runs through a range, where there is one at both ends.
fn scale(bounds: &Bounds, parameter: &Parameter, whole: bool) -> Option<Scale> {
    Scale::new(bounds.minimum?, bounds.maximum?, parameter.default.as_f64(), whole)
}

#[component]
fn Slider(scale: Scale, value: Memo<Json>, parameter: &'static Parameter, name: String) -> impl IntoView {
    let model = model();
    let key = parameter.name.as_str();
    let now = move || value.with(|v| v.as_f64()).unwrap_or(scale.low);
    let set = move |place: f64| {
        let x = scale.value(place);
        let json = if scale.whole {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
            Json::from(x as i64)
        } else {
            Json::from(x)
        };
        model.set_parameter(key, json);
    };
    let on_key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" | "ArrowUp" if event.shift_key() => 1,
            "ArrowLeft" | "ArrowDown" if event.shift_key() => -1,
            _ => return,
        };
        event.prevent_default();
        set((scale.place(now()) + 0.1 * f64::from(by)).clamp(0.0, 1.0));
    };
    let list = format!("knob-{key}-default");
    let mark = parameter.default.as_f64().map(|x| (1000.0 * scale.place(x)).round());
    view! {
        <input type="range" min="0" max="1000" step="1" aria-label=format!("{name}, slider") list=list.clone()
            aria-valuetext=move || number(now())
            prop:value=move || (1000.0 * scale.place(now())).round().to_string()
            on:input=move |event| set(event_target_value(&event).parse::<f64>().unwrap_or(0.0) / 1000.0)
            on:keydown=on_key/>
        <datalist id=list>{mark.map(|mark| view! { <option value=mark.to_string()></option> })}</datalist>
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}
