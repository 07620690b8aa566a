//! All experiments, as cards.

use leptos::prelude::*;
use surprisal_core::experiment::{Entry, registry};

use super::chip;
use crate::{page::model::model, trial::Trial};

#[component]
pub fn List() -> impl IntoView {
    view! {
        <div class="experiments">
            <h1>"Experiments"</h1>
            <p class="lead">
                {registry().len()} " experiments, each with what it claims. Watch one, change it while it runs, "
                "check its claims on your own machine, embed it."
            </p>
            <ul class="cards">
                {registry().iter().map(|entry| view! { <Card entry/> }).collect_view()}
            </ul>
            <p class="soft small-text">"Drop the record of a run, a JSON file, anywhere on the page to see it and run it again."</p>
        </div>
    }
}

#[component]
fn Card(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let id = entry.about.id;
    let open = move |event: web_sys::MouseEvent| {
        // A new tab is the browser's business.
        if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
            event.prevent_default();
            let wish = model.setup.with_untracked(|s| s.wish);
            model.open_experiment(Trial::of(id, wish));
        }
    };
    view! {
        <li class="card" data-experiment=id>
            <h2><a href=format!("./?experiment={id}") on:click=open>{entry.about.title}</a></h2>
            <p>{entry.about.claim}</p>
            <p class="card-foot">
                <span class="mono soft">{id}</span>
                {move || model.lab.standing(entry).map(|(standing, text)| view! { <span class=chip(standing)>{text}</span> })}
            </p>
        </li>
    }
}
