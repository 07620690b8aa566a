//! What the experiment claims, and what the runs of this session say about it.

use leptos::prelude::*;
use surprisal_core::{
    experiment::{Claim, Entry},
    figure::number,
};

use super::chip;
use crate::page::model::model;

#[component]
pub fn Claims(entry: &'static Entry) -> impl IntoView {
    if entry.claims().is_empty() {
        return ().into_any();
    }
    view! {
        <section class="claims" aria-labelledby="claims-title">
            <h2 id="claims-title">"Claims"</h2>
            <p class="soft small-text">
                "Each threshold was fixed before any run, but where it says otherwise; the mean over the seeds decides. "
                "Only complete runs with a claim's own parameters count, and only those of this session."
            </p>
            <table class="claims-table">
                <thead><tr>
                    <th scope="col">"Claim"</th>
                    <th scope="col">"Expected"</th>
                    <th scope="col">"Found"</th>
                    <th scope="col">"Stands"</th>
                    <th scope="col"><span class="hidden">"Run"</span></th>
                </tr></thead>
                <tbody>{entry.claims().iter().map(|claim| view! { <Row entry claim/> }).collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Row(entry: &'static Entry, claim: &'static Claim) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let verdict = Memo::new(move |_| lab.verdict(entry, claim));
    let found = move || {
        verdict.with(|v| match (v.mean, v.standard_error) {
            (Some(mean), Some(error)) => format!("{} \u{b1} {}", number(mean), number(error)),
            (Some(mean), None) => number(mean),
            _ => "\u{2013}".to_owned(),
        })
    };
    let seeds = move || verdict.with(|v| format!("{} of {} seeds", v.values.len(), v.needed));
    let each = move || verdict.with(|v| v.values.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", "));
    let settings = claim
        .settings
        .iter()
        .map(|(key, value)| format!("{} {value}", key.replace('_', " ")))
        .collect::<Vec<_>>()
        .join(", ");
    let proving = move || lab.proving.get() == Some(claim.id);
    let label = move || {
        if proving() {
            "Running"
        } else if verdict.with(|v| v.values.len() >= v.needed as usize) {
            "Run one more"
        } else {
            "Run this"
        }
    };
    view! {
        <tr data-claim=claim.id data-standing=move || verdict.with(|v| v.standing.words())>
            <th scope="row" data-label="Claim">
                <span>{claim.statement}</span>
                <span class="soft small-text" title=claim.source>{settings}</span>
                {claim.afterwards.map(|what| view! { <span class="warn small-text">"fixed afterwards: " {what}</span> })}
            </th>
            <td data-label="Expected" class="num">{claim.scalar.replace('_', " ")} " " {claim.comparison.to_string()}</td>
            <td data-label="Found" class="num"><span title=each>{found}</span><span class="soft small-text">{seeds}</span></td>
            <td data-label="Stands">{move || verdict.with(|v| view! { <span class=chip(v.standing)>{v.standing.words()}</span> })}</td>
            <td><button type="button" class="small" disabled=proving on:click=move |_| model.prove(entry, claim)>{label}</button></td>
        </tr>
    }
}
