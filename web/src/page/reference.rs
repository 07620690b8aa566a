//! All measures with their definitions, sources and parameters, straight from the catalogue.

use leptos::prelude::*;
use surprisal_core::measure::{Accepts, Entry, Family, catalogue};

use super::{controls, dom, equation::Equation};

#[component]
pub(super) fn Reference(id: Option<String>) -> impl IntoView {
    let wanted = id.clone();
    Effect::new(move |_| {
        if let Some(id) = &wanted {
            dom::show(&format!("measure-{id}"));
        }
    });
    view! {
        <div class="reference">
            <nav class="contents" aria-label="Measures">
                <ul>
                    {Family::ALL.into_iter().map(|family| view! {
                        <li><span>{family.title()}</span>
                            <ul>{of(family).map(|entry| view! {
                                <li><a href=format!("#/measures/{}", entry.about.id)>{entry.about.title}</a></li>
                            }).collect_view()}</ul>
                        </li>
                    }).collect_view()}
                </ul>
            </nav>
            <div class="articles">
                <h1>"Measures"</h1>
                <p class="lead">
                    {catalogue().len()} " measures. Every parameter below is a control of the report, a key of its link, and an option "
                    <code>"--set measure.parameter=value"</code> " of the command line."
                </p>
                {Family::ALL.into_iter().map(|family| view! {
                    <section>
                        <h2>{family.title()}</h2>
                        {of(family).map(|entry| view! { <Article entry/> }).collect_view()}
                    </section>
                }).collect_view()}
            </div>
        </div>
    }
}

fn of(family: Family) -> impl Iterator<Item = &'static Entry> {
    catalogue().iter().filter(move |entry| entry.about.family == family)
}

const fn takes(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Series => "numbers in time order",
        Accepts::Symbols => "discrete values: labels, integers, bytes",
        Accepts::Bytes => "bytes",
        Accepts::Points => "points: one column of numbers, several, or a table",
        Accepts::Pair => "two columns of numbers (command line)",
        Accepts::SymbolPair => "two columns of discrete values (command line)",
        Accepts::Table => "a table of observations in rows (command line)",
        Accepts::Image => "a grey image (command line)",
        Accepts::Attention => "attention weights: an array (…, queries, keys) (command line)",
        Accepts::Nothing => "no data: a constant of the theory",
    }
}

#[component]
fn Article(entry: &'static Entry) -> impl IntoView {
    let about = entry.about;
    view! {
        <article class="entry" id=format!("measure-{}", about.id) tabindex="-1">
            <h3>{about.title}</h3>
            <p class="mono soft">{about.id}</p>
            <p>{about.summary}</p>
            <Equation id=about.id plain=about.equation/>
            <dl class="facts">
                <div><dt>"Takes"</dt><dd>{takes(about.accepts)}</dd></div>
                <div><dt>"Cost"</dt><dd>{about.cost}{about.gpu.then_some("; counted on the GPU where there is one")}</dd></div>
                <div><dt>"Source"</dt><dd>{about.source}</dd></div>
            </dl>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Parameters of {}", about.title)>
                <table class="parameters-table">
                    <thead><tr><th scope="col">"Parameter"</th><th scope="col">"Takes"</th><th scope="col">"Default"</th><th scope="col">"Meaning"</th></tr></thead>
                    <tbody>
                        {entry.parameters().iter().map(|p| view! {
                            <tr>
                                <th scope="row" class="mono">{p.name.as_str()}</th>
                                <td>{controls::range(&p.kind)}</td>
                                <td class="mono">{controls::default_word(&p.default)}</td>
                                <td>{p.help.as_str()}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
        </article>
    }
}
