//! The head of the page: where one is, what computes, light or dark.

use leptos::prelude::*;

use super::{model::model, route::View};

#[component]
pub(super) fn Header() -> impl IntoView {
    let model = model();
    let here = move |place: fn(&View) -> bool| model.view.with(place).then_some("page");
    let theme = move || format!("Theme: {}. Change it", model.theme.choice.get().word());
    view! {
        <header class="top">
            <a class="wordmark" href="./" on:click=move |event| { event.prevent_default(); model.close(); }>"Surprisal"</a>
            <nav aria-label="Main">
                <a href="#/" aria-current=move || here(|v| *v == View::Measure)
                    on:click=move |event| { event.prevent_default(); model.to_measure(); }>"Measure"</a>
                <a href="#/experiments" aria-current=move || here(|v| matches!(v, View::Experiments | View::Lab))>"Experiments"</a>
                <a href="#/measures" aria-current=move || here(|v| matches!(v, View::Reference(_)))>"Reference"</a>
            </nav>
            <span class="space"></span>
            <Badge/>
            <button class="quiet theme" type="button" title=theme aria-label=theme
                on:click=move |_| model.theme.choice.update(|choice| *choice = choice.next())>
                <svg viewBox="0 0 16 16" aria-hidden="true" data-theme-choice=move || model.theme.choice.get().word()>
                    <circle cx="8" cy="8" r="6.25"/><path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z"/>
                </svg>
                <span class="wide">{move || model.theme.choice.get().word()}</span>
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
            let name = badge.gpu.as_ref().map(|name| view! { <span class="wide">": " {name.clone()}</span> });
            view! {
                <details class="badge" data-backend=kind>
                    <summary title=badge.detail.clone()><span class="dot" aria-hidden="true"></span><span class="badge-name">{kind.to_uppercase()}{name}</span></summary>
                    <p>{badge.detail}</p>
                </details>
            }
        })}
    }
}
