//! The choice of surrogates, and what one result says of them.

use leptos::prelude::*;
use surprisal_core::{
    figure::number,
    measure::{
        self,
        surrogate::{Kind, Plan, Surrogates},
    },
    report::ResultRecord,
};

use super::{detail::fact, model::model};
use crate::show;

/// What there is to choose from, while nothing is chosen.
const NONE: &str = "Surrogates share some properties of a column and nothing else: where the measure of the column lies among the same measure of them is a test.";

/// The kind of surrogates and their number; `error` is of the number.
#[component]
pub(super) fn Choice(error: RwSignal<Option<String>>) -> impl IntoView {
    let model = model();
    let plan = move || model.setup.with(|s| s.surrogates);
    let pick = move |event| {
        let word = event_target_value(&event);
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        error.set(None);
        model.setup.update(|s| {
            let count = s.surrogates.map_or(Plan::COUNT, |plan| plan.count);
            s.surrogates = kind.map(|kind| Plan { kind, count });
        });
    };
    let number = move |event: web_sys::Event| match event_target_value(&event).trim().parse::<u32>() {
        Ok(n) if (1..=Plan::MOST).contains(&n) => {
            error.set(None);
            model.setup.update(|s| s.surrogates = s.surrogates.map(|plan| Plan { count: n, ..plan }));
        }
        _ => error.set(Some(format!("A whole number from 1 to {} is expected.", Plan::MOST))),
    };
    let title = |kind: Kind| if kind == Kind::Shuffle { "shuffle" } else { kind.title() };
    view! {
        <div class="field">
            <label for="option-surrogates">"Compared with surrogates"</label>
            <select id="option-surrogates" aria-describedby="surrogates-help" on:change=pick>
                <option value="" selected=move || plan().is_none()>"none"</option>
                {Kind::ALL.into_iter().map(|kind| view! {
                    <option value=kind.word() selected=move || plan().is_some_and(|p| p.kind == kind)>{title(kind)}</option>
                }).collect_view()}
            </select>
            <p class="help" id="surrogates-help">{move || plan().map_or(NONE, |plan| plan.kind.help())}</p>
        </div>
        <div class="field">
            <label for="option-surrogates-count">"Number of surrogates"</label>
            <input id="option-surrogates-count" type="text" inputmode="numeric" autocomplete="off"
                aria-describedby="surrogates-error" disabled=move || plan().is_none()
                aria-invalid=move || error.with(Option::is_some).to_string()
                prop:value=move || plan().map_or(Plan::COUNT, |plan| plan.count).to_string() on:change=number/>
            <p id="surrogates-error" class="error" role="alert">{move || error.get()}</p>
        </div>
    }
}

/// Where a value lies among its surrogates, as facts of a result.
pub(super) fn facts(record: &ResultRecord) -> impl IntoView + use<> {
    record.surrogates.as_ref().map(|s| {
        let parts = measure::find(&record.measure).map_or(&[][..], |entry| entry.parts);
        let told = format!("{}. {}", s.sentence(), s.kind.help());
        let error = s.spectrum_error.map(|e| format!("kept but for at most {}, relative to all amplitudes", number(e)));
        view! {
            {fact("Surrogates", Some(told))}
            {fact("Their middle 95 %", Some(show::ranges(s, parts)))}
            {fact("One-sided p", one_sided(s))}
            {fact("Their spectrum", error)}
        }
    })
}

fn one_sided(s: &Surrogates) -> Option<String> {
    let ([Some(low)], [Some(high)]) = (&s.p_low[..], &s.p_high[..]) else { return None };
    Some(format!("{low} for as low a value, {high} for as high a one"))
}
