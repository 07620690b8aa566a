//! What can be done with a run: pass it on, embed it, save it, check it, repeat it in a terminal.

use leptos::prelude::*;
use surprisal_core::{compute::Backend, experiment::Entry, figure::number};

use super::Wanted;
use crate::{
    cli_line,
    page::{
        bar::Copyable,
        dom,
        model::{Model, model},
    },
    show,
    trial::Trial,
};

/// What is unfolded under the bar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Panel {
    Share,
    Embed,
    Export,
    Command,
}

#[component]
pub fn Bar(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let panel = RwSignal::new(None::<Panel>);
    let toggle = move |which: Panel| panel.update(|p| *p = if *p == Some(which) { None } else { Some(which) });
    let expanded = move |which: Panel| (panel.get() == Some(which)).to_string();
    view! {
        <div class="lab-bar">
            <div class="bar-buttons">
                <button type="button" class="small" id="share" aria-expanded=move || expanded(Panel::Share) on:click=move |_| toggle(Panel::Share)>"Share"</button>
                <button type="button" class="small" id="embed" aria-expanded=move || expanded(Panel::Embed) on:click=move |_| toggle(Panel::Embed)>"Embed"</button>
                <button type="button" class="small" id="export" aria-expanded=move || expanded(Panel::Export) on:click=move |_| toggle(Panel::Export)>"Export"</button>
                <button type="button" class="small" id="command" aria-expanded=move || expanded(Panel::Command) on:click=move |_| toggle(Panel::Command)>"Command line"</button>
                <button type="button" class="small" id="cross-check" disabled=move || lab.checking.get() on:click=move |_| model.check_experiment()>
                    {move || if lab.checking.get() { "Checking" } else { "Cross-check" }}
                </button>
            </div>
            {move || panel.get().map(|which| match which {
                Panel::Share => view! {
                    <Copyable id="share-text" text=Signal::derive(move || link(model)) note="This link opens the same experiment with the same parameters."/>
                }.into_any(),
                Panel::Embed => view! {
                    <Copyable id="embed-text" text=Signal::derive(move || element(model, entry)) note="In any page: it sizes itself, and its attributes are the parameters."/>
                    <Copyable id="iframe-text" text=Signal::derive(move || iframe(model, entry)) note="Where scripts are not allowed, a plain frame does."/>
                }.into_any(),
                Panel::Export => view! { <Export/> }.into_any(),
                Panel::Command => view! {
                    <Copyable id="command-text" text=Signal::derive(move || lab.trial.with(cli_line::run)) note="Runs the same in a terminal and writes the same record."/>
                }.into_any(),
            })}
            <Checked/>
        </div>
    }
}

/// The address of the lab with the same parameters.
pub(super) fn link(model: Model) -> String {
    let address = dom::site("");
    model.lab.trial.with(|t| format!("{address}?{}", t.to_query()))
}

/// The address of the embedded figure.
fn figure(model: Model, entry: &Entry) -> String {
    let address = dom::site(&format!("embed/{}.html", entry.about.id));
    let query = model.lab.trial.with(Trial::to_embed_query);
    if query.is_empty() { address } else { format!("{address}?{query}") }
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn element(model: Model, entry: &Entry) -> String {
    let pairs = model.lab.trial.with(Trial::to_embed_query);
    let attributes: String = form_urlencoded::parse(pairs.as_bytes())
        .map(|(key, value)| format!(" {}=\"{}\"", attribute(&key), attribute(&value)))
        .collect();
    let script = attribute(&dom::site("embed.js"));
    let id = entry.about.id;
    format!(
        "<script type=\"module\" src=\"{script}\"></script>\n<surprisal-figure figure=\"{id}\"{attributes}></surprisal-figure>"
    )
}

fn iframe(model: Model, entry: &Entry) -> String {
    let address = attribute(&figure(model, entry));
    let title = attribute(entry.about.title);
    format!(
        "<iframe src=\"{address}\" title=\"{title}\" width=\"100%\" height=\"560\" loading=\"lazy\" sandbox=\"allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox\" style=\"border:0\"></iframe>"
    )
}

#[component]
fn Export() -> impl IntoView {
    let model = model();
    let tables = Memo::new(move |_| {
        model.lab.record.with(|r| {
            let tables = r.iter().flat_map(|r| r.tables.iter());
            tables.map(|t| (t.name.clone(), t.title.clone(), t.len() as u64)).collect::<Vec<_>>()
        })
    });
    view! {
        <div class="panel">
            <p class="soft">"The record holds every number with what reproduces it. Charts have PNG and SVG below each."</p>
            <div class="bar-buttons">
                <button type="button" class="small" id="export-json" on:click=move |_| model.want(Wanted::Json)>"Record (JSON)"</button>
                {move || tables.get().into_iter().map(|(name, title, rows)| {
                    let (wanted, label) = (name.clone(), title.clone());
                    view! {
                        <button type="button" class="small" data-table=name title=title on:click=move |_| model.want(Wanted::Csv(wanted.clone()))>
                            {label} ", " {show::several(rows, "row", "rows")} " (CSV)"
                        </button>
                    }
                }).collect_view()}
            </div>
            {move || tables.with(Vec::is_empty).then(|| view! { <p class="soft">"Tables can be saved once the run has been paused or is done."</p> })}
        </div>
    }
}

/// What a cross-check found.
#[component]
fn Checked() -> impl IntoView {
    let model = model();
    move || {
        let list = model.lab.checked.get()?;
        let last = list.last()?;
        let zero = list.iter().all(|d| d.position.unwrap_or(0.0) == 0.0 && d.number.unwrap_or(0.0) == 0.0);
        let (class, text) = if zero && last.backend == Backend::Cpu {
            ("note good", format!("Cross-check: a second run on the CPU gave the same bits, up to step {}.", last.step))
        } else if zero {
            ("note good", format!("Cross-check: equal to the CPU to the last bit, up to step {}.", last.step))
        } else {
            let each: Vec<String> = list
                .iter()
                .map(|d| {
                    let place = d.position.map(|x| format!("positions differ by at most {}", number(x)));
                    let value = d.number.map(|x| format!("measures by at most {}", number(x)));
                    let parts: Vec<String> = place.into_iter().chain(value).collect();
                    format!("after {} {}", show::several_about(d.step, "step", "steps"), parts.join(", "))
                })
                .collect();
            (
                "note warn",
                format!(
                    "Cross-check against the CPU: {}. Single precision and a chaotic motion make this grow.",
                    each.join("; ")
                ),
            )
        };
        Some(view! { <p class=class id="verdict">{text}</p> })
    }
}
