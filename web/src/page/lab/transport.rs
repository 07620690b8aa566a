//! Run, pause, step, reset; how far it is and how long it will take.

use leptos::prelude::*;
use surprisal_core::{experiment::Entry, params::Parameter};

use super::{Phase, page::backend};
use crate::{
    live::Speed,
    page::{
        dom,
        model::{Model, model},
    },
    setup::plain,
    show,
};

#[component]
pub fn Transport(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let phase = Memo::new(move |_| lab.phase.get());
    let running = move || phase.get() == Phase::Running;
    let share = move || lab.state.with(|s| if s.total > 0.0 { (s.step / s.total).min(1.0) } else { 0.0 });
    let main = move || match phase.get() {
        Phase::Running => "Pause",
        Phase::Done => "Run again",
        _ => "Run",
    };
    let sheet = model.sheet;
    view! {
        <div class="transport" role="group" aria-label="Transport">
            <progress class="transport-share" max="1" prop:value=share aria-label="Share of the run that is done"></progress>
            <div class="transport-row">
                <button type="button" class="primary" id="run" disabled=move || matches!(phase.get(), Phase::Starting) on:click=move |_| model.toggle()>
                    <svg viewBox="0 0 12 12" aria-hidden="true">{move || if running() {
                        view! { <path d="M2.5 1.5h2.5v9h-2.5zM7 1.5h2.5v9h-2.5z"/> }.into_any()
                    } else {
                        view! { <path d="M2.5 1.2v9.6l8-4.8z"/> }.into_any()
                    }}</svg>
                    {main}
                </button>
                <button type="button" id="step" disabled=move || matches!(phase.get(), Phase::Starting | Phase::Done | Phase::Failed(_)) on:click=move |_| model.step_once()>"Step"</button>
                <button type="button" id="reset" on:click=move |_| model.reset()>"Reset"</button>
                {move || (phase.get() == Phase::Done).then(|| view! {
                    <button type="button" id="continue" on:click=move |_| model.go_on()>"Continue"</button>
                })}
                {(!lab.embedded).then(|| view! {
                    <button type="button" class="only-narrow" aria-controls="choose" aria-expanded=move || sheet.get().to_string()
                        on:click=move |_| unfold(model)>"Parameters"</button>
                })}
                <p class="where num soft" id="where">{move || place(model)}</p>
                {(!lab.embedded).then(|| view! { <div class="only-wide pace-wide"><Pace entry id="pace"/></div> })}
            </div>
        </div>
    }
}

/// Puts the sheet with the parameters up, below the live view, or away.
fn unfold(model: Model) {
    model.sheet.update(|open| *open = !*open);
    if model.sheet.get_untracked()
        && let Some(stage) = document().get_element_by_id("lab-stage")
    {
        dom::scroll_to(&stage);
    }
}

/// How far, how fast, how long.
fn place(model: Model) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of steps")]
    let count = |x: f64| show::count(x.max(0.0) as u64);
    model.lab.state.with(|s| {
        if s.total <= 0.0 {
            return String::new();
        }
        let mut text = format!("{} of {} steps", count(s.step), count(s.total));
        if s.rate > 0.0 {
            text = format!("{text} \u{b7} {}/s", surprisal_core::figure::number(s.rate.round()));
            let left = (s.total - s.step) / s.rate;
            if left > 0.95 {
                text = format!("{text} \u{b7} {} left", show::seconds(left));
            }
        }
        // The live view says it itself.
        let moves = model.lab.begun.with(|b| b.as_ref().is_none_or(|b| b.moves));
        match backend(model).filter(|_| !moves) {
            Some(backend) => format!("{text} \u{b7} {}", backend.to_uppercase()),
            None => text,
        }
    })
}

/// Speed and seed.
#[component]
pub(super) fn Pace(entry: &'static Entry, id: &'static str) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let seed: Option<&'static Parameter> = entry.parameters().iter().find(|p| p.name == "seed");
    let speed = move |event| {
        if let Some(speed) = Speed::of(&event_target_value(&event)) {
            model.set_speed(speed);
        }
    };
    view! {
        <div class="pace">
            <label for=format!("{id}-speed") class="hidden">"Speed"</label>
            <select id=format!("{id}-speed") on:change=speed title="At full speed it goes on while the tab is hidden">
                {Speed::ALL.into_iter().map(|s| view! {
                    <option value=s.word() selected=move || lab.speed.get() == s>{s.title()}</option>
                }).collect_view()}
            </select>
            {seed.map(|seed| view! {
                <label for=format!("{id}-seed") class="soft">"Seed"</label>
                <input type="text" inputmode="numeric" class="seed" id=format!("{id}-seed") title=seed.help.as_str()
                    aria-invalid=move || lab.errors.with(|e| e.contains_key("seed")).to_string()
                    prop:value=move || lab.trial.with(|t| plain(&t.get(seed)))
                    on:change=move |event| model.set_text(entry, "seed", &event_target_value(&event))/>
                <button type="button" id=format!("{id}-next") title="The next seed (S)" on:click=move |_| model.next_seed()>"New seed"</button>
                {move || lab.errors.with(|e| e.get("seed").cloned()).map(|why| view! { <p class="error" role="alert">{why}</p> })}
            })}
        </div>
    }
}
