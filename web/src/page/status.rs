//! What goes on, in one strip: bytes, rate, time left and a way out while it runs, words when it ended.

use leptos::prelude::*;

use super::model::{Model, Stage, model};
use crate::{
    protocol::{Ask, Progress},
    show,
};

#[component]
pub(super) fn Status() -> impl IntoView {
    let model = model();
    let word = move || model.stage.with(Stage::word);
    let is = move |wanted: &'static str| word() == wanted;
    // The strip is rebuilt when the stage changes, and only its texts while it stays.
    let kind = Memo::new(move |_| word());
    view! {
        <section class="status" id="status" data-stage=word aria-label="Status" class:shown=move || !is("idle")>
            {move || match kind.get() {
                "loading" | "running" | "checking" => view! { <Busy/> }.into_any(),
                "failed" => view! { <Failed/> }.into_any(),
                "cancelled" => view! { <Cancelled/> }.into_any(),
                "done" => view! { <p class="status-line">{move || sentence(model)}</p> }.into_any(),
                _ => ().into_any(),
            }}
        </section>
    }
}

#[component]
fn Busy() -> impl IntoView {
    let model = model();
    let label = move || {
        model.progress.with(|p| p.as_ref().map(|p| p.label.clone())).unwrap_or_else(|| {
            model.stage.with(|stage| match stage {
                Stage::Loading(name) => format!("Reading {name}"),
                Stage::Checking => "Computing again on the CPU".to_owned(),
                _ => "Measuring".to_owned(),
            })
        })
    };
    let detail = move || model.progress.with(|p| p.as_ref().map(describe)).unwrap_or_default();
    let share = move || model.progress.with(|p| p.as_ref().and_then(share));
    view! {
        <div class="busy">
            <p class="status-line"><span class="busy-label">{label}</span> <span class="soft num">{detail}</span></p>
            <progress max="1" prop:value=move || share().unwrap_or(0.0) aria-label=label></progress>
            <button type="button" class="small" id="cancel" on:click=move |_| model.cancel()>"Cancel"<kbd class="wide">"Esc"</kbd></button>
        </div>
    }
}

#[component]
fn Failed() -> impl IntoView {
    let model = model();
    let text = move || match model.stage.get() {
        Stage::Failed(title, message) => (title, message),
        _ => Default::default(),
    };
    view! {
        <div class="failure" role="alert">
            <p><strong>{move || text().0}"."</strong></p>
            <p class="reason">{move || text().1}</p>
            <p class="soft">"Nothing was lost and nothing left this machine. Open another file, or this one once it is mended."</p>
            {move || (!model.before.with(Vec::is_empty)).then(|| view! {
                <button type="button" class="small" id="back" on:click=move |_| model.reopen()>"Back to what was open"</button>
            })}
        </div>
    }
}

#[component]
fn Cancelled() -> impl IntoView {
    let model = model();
    let missing = move || {
        model
            .results
            .with(|known| model.jobs.with(|jobs| jobs.iter().filter(|job| !known.contains_key(&job.key)).count()))
    };
    view! {
        <div class="busy">
            <p class="status-line">"Cancelled. What was finished is kept."</p>
            {move || (missing() > 0).then(|| view! {
                <button type="button" class="small" on:click=move |_| model.measure()>
                    "Measure the other " {missing()}
                </button>
            })}
        </div>
    }
}

/// The result in a sentence.
fn sentence(model: Model) -> String {
    let (all, empty, gpu) = model.results.with(|known| {
        model.jobs.with(|jobs| {
            let found: Vec<_> = jobs.iter().filter_map(|job| known.get(&job.key)).collect();
            let empty = found.iter().filter(|m| m.0.0.value.is_null()).count();
            let gpu = found.iter().filter(|m| m.0.0.adapter.is_some()).count();
            (found.len(), empty, gpu)
        })
    });
    if all == 0 {
        let measured = model.recording.with(Option::is_some);
        let words = if measured {
            "The recording is measured."
        } else {
            "Nothing is chosen. Choose columns and measures below."
        };
        return words.to_owned();
    }
    if empty == all {
        return "No measure has a value; each says why.".to_owned();
    }
    let mut text = show::several((all - empty) as u64, "value", "values");
    if empty > 0 {
        text = format!("{text}, {} without one (each says why)", show::count(empty as u64));
    }
    let took = model.took.get();
    if took > 0.0 {
        text = format!("{text}, in {}", show::seconds(took));
    }
    if gpu > 0 {
        format!("{text}; {} counted on the GPU.", show::count(gpu as u64))
    } else {
        format!("{text}, on the CPU.")
    }
}

/// How far the whole is, 0 to 1.
fn share(progress: &Progress) -> Option<f64> {
    let part = if progress.total > 0.0 { (progress.done / progress.total).clamp(0.0, 1.0) } else { 0.0 };
    if progress.jobs == 0 {
        return (progress.total > 0.0).then_some(part);
    }
    Some((f64::from(progress.finished) + part) / f64::from(progress.jobs))
}

/// How much, how fast, how long.
fn describe(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if progress.bytes {
        parts.push(format!("{} of {}", show::about_bytes(progress.done), show::about_bytes(progress.total)));
        if progress.rate > 0.0 {
            parts.push(format!("{}/s", show::about_bytes(progress.rate)));
        }
    } else {
        parts.push(format!(
            "{} of {}",
            progress.finished + 1,
            show::several(u64::from(progress.jobs), "measure", "measures")
        ));
        if progress.total > 0.0 {
            parts.push(format!("{:.0} %", 100.0 * (progress.done / progress.total).min(1.0)));
        }
    }
    let left = (progress.total - progress.done) / progress.rate;
    if progress.rate > 0.0 && left.is_finite() && left > 0.95 {
        parts.push(format!("{} left", show::seconds(left)));
    }
    parts.join(" · ")
}

/// Every kernel against the reference, on this very adapter; at a hidden address.
#[component]
pub(super) fn SelfTest() -> impl IntoView {
    let model = model();
    model.ask(&Ask::SelfTest, None);
    view! { <pre id="selftest">{move || model.lines.with(|lines| lines.join("\n"))}</pre> }
}
