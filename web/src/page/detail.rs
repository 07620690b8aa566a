//! What belongs to one result: its charts, how it was made, what to know about it.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::Value as Json;
use surprisal_core::{latex, measure};

use super::{
    bar::Copyable,
    choose, dom,
    equation::Equation,
    figure::FigureView,
    model::{Measured, model},
    surrogates,
};
use crate::{setup::plain, show};

/// What is unfolded under the buttons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Methods,
    Latex,
}

#[component]
pub(super) fn Detail(measured: Measured, key: String) -> impl IntoView {
    let model = model();
    let record = measured.0.0.clone();
    let stem = dom::slug(&format!("{} {}", record.subject().unwrap_or_default(), record.measure));
    let figures = measured.0.1.iter().map(|figure| {
        view! { <FigureView figure=Arc::clone(figure) stem=stem.clone() tools=true/> }
    });
    let parameters = list(&record.parameters);
    let chosen = list(&record.details);
    let id = record.measure.clone();
    let about = measure::find(&id).ok().map(|entry| entry.about);
    let text = RwSignal::new(None::<Text>);
    let toggle = move |which: Text| text.update(|t| *t = if *t == Some(which) { None } else { Some(which) });
    let expanded = move |which: Text| (text.get() == Some(which)).to_string();
    let said = StoredValue::new(record.methods());
    view! {
        <div class="detail">
            {record.why.clone().map(|why| view! { <p class="reason">{why}</p> })}
            {record.warnings.iter().map(|w| view! { <p class="note warn">{w.text.clone()}</p> }).collect_view()}
            {figures.collect_view()}
            {about.map(|about| view! { <Equation id=about.id plain=about.equation/> })}
            <dl class="facts">
                {fact("Value", Some(exact(&record.value)).filter(|_| !record.value.is_null()))}
                {fact("Interval", record.uncertainty.as_ref().map(|u| format!("{} to {}; {}", u.low, u.high, u.method)))}
                {surrogates::facts(&record)}
                {fact("Estimator", record.estimator.clone())}
                {fact("Parameters", Some(parameters).filter(|p| !p.is_empty()))}
                {fact("Chosen on the way", Some(chosen).filter(|p| !p.is_empty()))}
                {fact("Adapter", record.adapter.clone())}
                {move || checked(model.checks.with(|c| c.get(&key).copied()))}
            </dl>
            <p class="bar-buttons">
                <button type="button" class="small" on:click=move |_| choose::reveal(model, id.clone())>"Change its parameters"</button>
                <button type="button" class="small methods" aria-expanded=move || expanded(Text::Methods)
                    on:click=move |_| toggle(Text::Methods)>"Methods text"</button>
                {about.map(|_| view! {
                    <button type="button" class="small latex" aria-expanded=move || expanded(Text::Latex)
                        on:click=move |_| toggle(Text::Latex)>"LaTeX"</button>
                })}
            </p>
            {move || text.get().map(|which| match which {
                Text::Methods => view! {
                    <Copyable id="methods-text" text=Signal::stored(said.get_value())
                        note="What was done, as the methods section of a paper says it."/>
                }.into_any(),
                Text::Latex => about.map(|about| view! {
                    <Copyable id="latex-text" text=Signal::stored(latex::display(about.tex))
                        note="The definition, for a display environment; several lines need amsmath."/>
                }).into_any(),
            })}
        </div>
    }
}

pub(super) fn fact(name: &'static str, text: Option<String>) -> impl IntoView {
    text.map(|text| view! { <div><dt>{name}</dt><dd class="num">{text}</dd></div> })
}

fn checked(check: Option<Option<f64>>) -> impl IntoView {
    check.map(|deviation| {
        let (text, class) = match deviation {
            Some(0.0) => ("equal to the CPU reference, to the last digit".to_owned(), "num good"),
            Some(d) => (format!("deviates from the CPU reference by {}", show::value(&Json::from(d))), "num warn"),
            None => ("the CPU reference gives a value of another shape".to_owned(), "num bad"),
        };
        view! { <div><dt>"Cross-check"</dt><dd class=class data-check=deviation.map(|d| d.to_string())>{text}</dd></div> }
    })
}

/// Every digit; of long vectors only how many there are.
fn exact(value: &Json) -> String {
    let text = value.to_string();
    if text.len() <= 120 { text.replace(',', ", ") } else { format!("{}, all in the JSON record", show::value(value)) }
}

fn list(map: &serde_json::Map<String, Json>) -> String {
    let shown = map.iter().filter(|(_, value)| !value.is_null());
    shown.map(|(name, value)| format!("{} {}", name.replace('_', " "), plain(value))).collect::<Vec<_>>().join(", ")
}
