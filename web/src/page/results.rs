//! The table of results, column by column. The chosen row opens to its charts.

use leptos::prelude::*;
use surprisal_core::measure;

use super::{
    detail::Detail,
    file::type_word,
    model::{Measured, model},
};
use crate::{protocol::Job, show};

/// A line of the table.
#[derive(Clone, PartialEq)]
enum Line {
    /// The column that the next lines are about.
    Group(Option<u32>),
    /// One measure of it.
    Row(Job),
}

#[component]
pub(super) fn Results() -> impl IntoView {
    let model = model();
    let lines = move || {
        let mut lines = Vec::new();
        let mut last = None;
        for job in model.jobs.get() {
            if last != Some(job.column) {
                last = Some(job.column);
                lines.push(Line::Group(job.column));
            }
            lines.push(Line::Row(job));
        }
        lines
    };
    let key = |line: &Line| match line {
        Line::Group(column) => format!("{column:?}"),
        Line::Row(job) => job.key.clone(),
    };
    view! {
        <table class="results">
            <caption class="hidden">"Measures of the chosen columns"</caption>
            <thead>
                <tr>
                    <th scope="col">"Measure"</th>
                    <th scope="col" class="right">"Value"</th>
                    <th scope="col">"Unit"</th>
                    <th scope="col" class="right">"95 % interval"</th>
                    <th scope="col" class="right">"n"</th>
                    <th scope="col" class="right">"Computed"</th>
                </tr>
            </thead>
            <tbody>
                <For each=lines key=key let:line>
                    {match line {
                        Line::Group(column) => view! { <Group column/> }.into_any(),
                        Line::Row(job) => view! { <Row job/> }.into_any(),
                    }}
                </For>
            </tbody>
        </table>
        {move || model.jobs.with(Vec::is_empty).then(|| view! {
            <p class="empty">"No measure is chosen for these columns. Choose some under Measures."</p>
        })}
    }
}

#[component]
fn Group(column: Option<u32>) -> impl IntoView {
    let model = model();
    let column = column.and_then(|i| model.file.with_untracked(|f| f.as_ref()?.columns.get(i as usize).cloned()));
    let (name, facts) = column.map_or_else(
        || ("Constants of the theory".to_owned(), String::new()),
        |c| {
            let mut facts = vec![type_word(c.ty).to_owned()];
            facts.extend(c.unit);
            facts.push(show::several(c.len, "value", "values"));
            if c.missing > 0 {
                facts.push(format!("{} missing", show::count(c.missing)));
            }
            (c.name, facts.join(" · "))
        },
    );
    view! { <tr class="group"><th scope="rowgroup" colspan="6"><span>{name}</span><span class="soft num">{facts}</span></th></tr> }
}

#[component]
fn Row(job: Job) -> impl IntoView {
    let model = model();
    let key = StoredValue::new(job.key);
    let result = Memo::new(move |_| model.results.with(|known| key.with_value(|key| known.get(key).cloned())));
    let chosen = Memo::new(move |_| model.selected.with(|s| key.with_value(|key| s.as_ref() == Some(key))));
    let column =
        job.column.and_then(|i| model.file.with_untracked(|f| Some(f.as_ref()?.columns.get(i as usize)?.name.clone())));
    let title = measure::find(&job.measure).map_or(job.measure.clone(), |e| e.about.title.to_owned());
    let id = job.measure.clone();
    let record = move |read: fn(&Measured) -> String| result.with(|r| r.as_ref().map(read)).unwrap_or_default();
    let pick = move |_| {
        model.selected.update(|s| {
            let key = key.get_value();
            *s = if s.as_ref() == Some(&key) { None } else { Some(key) };
        })
    };
    view! {
        <tr class="row" class:chosen=move || chosen.get() class:waiting=move || result.with(Option::is_none)
            data-measure=id data-column=column
            data-value=move || record(|m| m.0.0.value.to_string())
            data-why=move || record(|m| m.0.0.why.clone().unwrap_or_default())
            data-backend=move || record(|m| m.0.0.backend.map(|b| format!("{b:?}").to_lowercase()).unwrap_or_default())
            data-record=move || record(|m| serde_json::to_string(&m.0.0).unwrap_or_default())>
            <th scope="row">
                <button type="button" class="pick" aria-expanded=move || chosen.get().to_string() on:click=pick>
                    <span class="pick-title">{title}</span>
                    <span class="pick-id"><span class="mono">{job.measure}</span>{move || record(estimator)}</span>
                </button>
            </th>
            {move || match result.get() {
                None => view! { <td class="right soft" colspan="5">{move || if model.stage.with(super::model::Stage::busy) { "waiting" } else { "not computed" }}</td> }.into_any(),
                Some(measured) => view! { <Cells measured/> }.into_any(),
            }}
        </tr>
        {move || (chosen.get()).then(|| result.get()).flatten().map(|measured| view! {
            <tr class="open"><td colspan="6"><Detail measured key=key.get_value()/></td></tr>
        })}
    }
}

fn estimator(measured: &Measured) -> String {
    measured.0.0.estimator.as_ref().map(|e| format!(" · {e}")).unwrap_or_default()
}

#[component]
fn Cells(measured: Measured) -> impl IntoView {
    let record = &measured.0.0;
    let time = show::seconds(record.seconds);
    let place =
        record.backend.map_or("", |b| if matches!(b, surprisal_core::compute::Backend::Gpu) { "GPU" } else { "CPU" });
    let computed = view! {
        <td class="right soft num computed" data-label="Computed"
            title=record.adapter.clone().unwrap_or_default()>{place} " " {time}</td>
    };
    if record.value.is_null() {
        let why = record.why.clone().unwrap_or_else(|| "no value".to_owned());
        return view! { <td class="why" colspan="4">{why}</td> {computed} }.into_any();
    }
    let interval = record.uncertainty.as_ref().map(|u| {
        let text =
            format!("{} \u{2013} {}", surprisal_core::figure::number(u.low), surprisal_core::figure::number(u.high));
        let exact = format!("{} to {}: {}", u.low, u.high, u.method);
        view! { <span title=exact>{text}</span> }
    });
    let unit = record.unit.map_or("", |u| if u.symbol() == "1" { "" } else { u.symbol() });
    let warned = (!record.warnings.is_empty()).then(|| {
        let text = record.warnings.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join("; ");
        let title = text.clone();
        view! { <span class="flag" title=title>"!"<span class="hidden">"Warning: " {text}</span></span> }
    });
    view! {
        <td class="right num value" data-label="Value" title=shorten(&record.value.to_string())>{warned}{show::value(&record.value)}</td>
        <td class="unit" data-label="Unit">{unit}</td>
        <td class="right num soft interval" data-label="95 % interval">{interval}</td>
        <td class="right num soft" data-label="n">{record.n.map(show::count)}</td>
        {computed}
    }
    .into_any()
}

/// All digits of a value, but not of thousands of them.
fn shorten(text: &str) -> String {
    if text.chars().count() <= 400 { text.to_owned() } else { text.chars().take(400).chain(" …".chars()).collect() }
}
