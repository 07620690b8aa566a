//! The head of the page: where one is, what computes, light or dark.

use leptos::prelude::*;

use super::model::{View, model};

#[component]
pub(super) fn Header() -> impl IntoView {
    let model = model();
    let here = move |reference: bool| {
        let is = model.view.with(|v| matches!(v, View::Reference(_)));
        (is == reference).then_some("page")
    };
    view! {
        <header class="top">
            <a class="wordmark" href="./" on:click=move |event| { event.prevent_default(); model.close(); }>"Surprisal"</a>
            <nav aria-label="Main">
                <a href="#/" aria-current=move || here(false)>"Measure"</a>
                <a href="#/measures" aria-current=move || here(true)>"Reference"</a>
            </nav>
            <span class="space"></span>
            <Badge/>
            <button class="quiet" type="button"
                title="Light, dark, or as the system"
                on:click=move |_| model.theme.choice.update(|choice| *choice = choice.next())>
                <span class="wide">"Theme: "</span>{move || model.theme.choice.get().word()}
            </button>
        </header>
    }
}

/// Which back end is in use, and why.
#[component]
fn Badge() -> impl IntoView {
    let model = model();
    view! {
        {move || model.badge.get().map(|badge| {
            let kind = if badge.gpu.is_some() { "gpu" } else { "cpu" };
            let label = badge.gpu.as_ref().map_or_else(|| "CPU".to_owned(), |name| format!("GPU: {name}"));
            view! {
                <details class="badge" data-backend=kind>
                    <summary title=badge.detail.clone()><span class="dot" aria-hidden="true"></span><span class="badge-name">{label}</span></summary>
                    <p>{badge.detail}</p>
                </details>
            }
        })}
    }
}
