//! What can be done with a report: check it, save it, repeat it elsewhere, pass it on.

use leptos::prelude::*;
use surprisal_core::report::{ColumnRecord, InputRecord, Report, ResultRecord, to_csv};

use super::{
    dom,
    model::{Model, Stage, model},
};
use crate::{cli_line, plan, protocol::Wish, setup::Setup, show};

/// What is unfolded under the bar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Panel {
    Command,
    Share,
}

#[component]
pub(super) fn Bar() -> impl IntoView {
    let model = model();
    let panel = RwSignal::new(None::<Panel>);
    let toggle = move |which: Panel| panel.update(|p| *p = if *p == Some(which) { None } else { Some(which) });
    let expanded = move |which: Panel| (panel.get() == Some(which)).to_string();
    let busy = move || model.stage.with(Stage::busy);
    let nothing = move || model.results.with(std::collections::HashMap::is_empty);
    view! {
        <div class="bar">
            <h2 id="results-title" tabindex="-1">"Results"</h2>
            <div class="bar-buttons">
                <button type="button" class="small" disabled=busy id="cross-check" on:click=move |_| model.cross_check()>"Cross-check"</button>
                <button type="button" class="small" disabled=nothing id="export-csv" on:click=move |_| save_csv(model)>"CSV"</button>
                <button type="button" class="small" disabled=nothing id="export-json" on:click=move |_| save_json(model)>"JSON"</button>
                <button type="button" class="small" id="command" aria-expanded=move || expanded(Panel::Command) on:click=move |_| toggle(Panel::Command)>"Command line"</button>
                <button type="button" class="small" id="share" aria-expanded=move || expanded(Panel::Share) on:click=move |_| toggle(Panel::Share)>"Share"</button>
            </div>
        </div>
        <Verdict/>
        {move || panel.get().map(|which| match which {
            Panel::Command => view! { <Copyable id="command-text" text=Signal::derive(move || command(model))
                note="Gives the same numbers in a terminal, in the folder where the file lies."/> }.into_any(),
            Panel::Share => view! { <Copyable id="share-text" text=Signal::derive(move || link(model)) note=share_note(model)/> }.into_any(),
        })}
    }
}

/// Missing values are refused unless the user says otherwise: what to do about it, where it matters.
#[component]
pub(super) fn Gaps() -> impl IntoView {
    let model = model();
    move || {
        let names = model.file.with(|file| {
            let file = file.as_ref()?;
            model.setup.with(|setup| {
                let gaps = |i: &usize| file.columns[*i].missing > 0;
                let chosen = plan::columns(setup, &file.columns).into_iter().filter(gaps);
                let names: Vec<String> = chosen
                    .map(|i| {
                        let column = &file.columns[i];
                        format!(
                            "{} has {}",
                            column.name,
                            show::several(column.missing, "missing value", "missing values")
                        )
                    })
                    .collect();
                (!setup.omit && !names.is_empty()).then(|| names.join(", "))
            })
        })?;
        Some(view! {
            <div class="gaps">
                <p class="note warn">{names} ". A measure refuses gaps until you say what becomes of them."</p>
                <button type="button" class="small" id="leave-out" on:click=move |_| model.setup.update(|s| s.omit = true)>
                    "Leave them out"
                </button>
            </div>
        })
    }
}

/// A GPU that fails is said so, and nothing takes its place unasked.
#[component]
pub(super) fn GpuTrouble() -> impl IntoView {
    let model = model();
    let failed = move || {
        model.setup.with(|s| s.wish != Wish::Cpu)
            && model.results.with(|known| {
                model.jobs.with(|jobs| {
                    jobs.iter()
                        .filter_map(|job| known.get(&job.key))
                        .any(|m| m.0.0.why.as_ref().is_some_and(|why| why.contains("GPU") && why.contains("failed")))
                })
            })
    };
    move || {
        failed().then(|| {
            view! {
                <div class="gaps">
                    <p class="note bad">"The GPU did not compute what was asked of it; the reason is at each measure."</p>
                    <button type="button" class="small" id="use-cpu" on:click=move |_| {
                        model.setup.update(|s| s.wish = Wish::Cpu);
                        model.greet();
                    }>"Use the CPU"</button>
                </div>
            }
        })
    }
}

/// What the cross-check found, in a sentence.
#[component]
fn Verdict() -> impl IntoView {
    let model = model();
    move || {
        let checks = model.checks.get();
        if checks.is_empty() || model.stage.with(Stage::busy) {
            return None;
        }
        let same = checks.values().filter(|d| **d == Some(0.0)).count();
        let most = checks.values().flatten().copied().fold(0.0_f64, f64::max);
        let other = checks.values().filter(|d| d.is_none()).count();
        let (class, text) = if same == checks.len() {
            ("note good", format!("Cross-check: all {same} values equal the CPU reference to the last digit."))
        } else if other > 0 {
            (
                "note bad",
                format!("Cross-check: {other} of {} values have another shape on the CPU reference.", checks.len()),
            )
        } else {
            (
                "note warn",
                format!("Cross-check: {same} of {} values are equal; the largest deviation is {most:e}.", checks.len()),
            )
        };
        Some(view! { <p class=class id="verdict">{text}</p> })
    }
}

/// Text to copy, with a button that does it.
#[component]
pub(super) fn Copyable(id: &'static str, text: Signal<String>, note: &'static str) -> impl IntoView {
    let said = RwSignal::new(None::<&'static str>);
    let copy = move |_| {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            let done = dom::copy(&text).await;
            said.set(Some(if done.is_ok() { "Copied" } else { "Select the text and copy it by hand" }));
        });
    };
    view! {
        <div class="panel">
            <p class="soft">{note}</p>
            <div class="copyable">
                <code id=id tabindex="0">{move || text.get()}</code>
                <button type="button" class="small" on:click=copy>{move || said.get().unwrap_or("Copy")}</button>
            </div>
        </div>
    }
}

fn command(model: Model) -> String {
    model.file.with(|file| {
        file.as_ref().map_or_else(String::new, |file| {
            let source = &file.provenance;
            let mut names: Vec<&str> = source.files.iter().map(|file| file.name.as_str()).collect();
            if names.is_empty() {
                names.push(&source.name);
            }
            model.setup.with(|setup| cli_line::command(setup, &names, &file.columns, &file.arrays))
        })
    })
}

fn link(model: Model) -> String {
    let query = model.setup.with(Setup::to_query);
    if query.is_empty() { dom::address() } else { format!("{}?{query}", dom::address()) }
}

fn share_note(model: Model) -> &'static str {
    if model.setup.with_untracked(|s| s.sample.is_some()) {
        "This link opens the same sample with every choice made here."
    } else {
        "This link holds every choice made here. The file is not in it: whoever opens the link drops the same file."
    }
}

/// The record of what is shown, in the order of the table.
fn report(model: Model) -> Option<Report> {
    let file = model.file.get_untracked()?;
    let columns = file.columns.iter().map(|c| ColumnRecord {
        name: c.name.clone(),
        unit: c.unit.clone(),
        ty: c.ty,
        len: c.len,
        missing: c.missing,
    });
    let results: Vec<ResultRecord> = model.results.with_untracked(|known| {
        model
            .jobs
            .with_untracked(|jobs| jobs.iter().filter_map(|job| known.get(&job.key)).map(|m| m.0.0.clone()).collect())
    });
    Some(Report {
        surprisal: env!("CARGO_PKG_VERSION").to_owned(),
        input: InputRecord { provenance: file.provenance.clone(), columns: columns.collect() },
        results,
    })
}

fn stem(report: &Report) -> String {
    dom::slug(&report.input.provenance.name)
}

fn save_json(model: Model) {
    if let Some(report) = report(model)
        && let Ok(text) = serde_json::to_string_pretty(&report)
    {
        dom::save_text(&(text + "\n"), "application/json", &format!("{}-entropy.json", stem(&report)));
    }
}

fn save_csv(model: Model) {
    if let Some(report) = report(model) {
        dom::save_text(&to_csv(&report.results), "text/csv", &format!("{}-entropy.csv", stem(&report)));
    }
}
