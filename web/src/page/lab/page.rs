//! The laboratory's page: title, live view, transport, parameters, charts, claims, how it works.

use std::sync::Arc;

use leptos::prelude::*;
use surprisal_core::{compute::Backend, experiment::Entry, figure::Figure};

use super::{Phase, bar::Bar, chip, claims::Claims, knobs::Knobs, stage::Stage, transport::Transport};
use crate::{
    live::{Act, Watch},
    page::{
        equation::Equation,
        figure::FigureView,
        model::{Model, model},
    },
    trial::Trial,
};

#[component]
pub fn Page() -> impl IntoView {
    let model = model();
    let id = Memo::new(move |_| model.lab.trial.with(|t| t.experiment.clone()));
    on_cleanup(move || model.hold());
    view! {
        {move || {
            id.track();
            match model.lab.trial.with_untracked(Trial::entry) {
                Some(entry) => view! { <Bench entry/> }.into_any(),
                None => view! { <Unknown/> }.into_any(),
            }
        }}
    }
}

/// There is no such experiment.
#[component]
fn Unknown() -> impl IntoView {
    let model = model();
    let why = move || match model.lab.phase.get() {
        Phase::Failed(why) => why,
        _ => String::new(),
    };
    view! {
        <div class="failure" role="alert">
            <p><strong>"This experiment is not known."</strong></p>
            <p class="reason">{why}</p>
            <p><a href="#/experiments">"All experiments"</a></p>
        </div>
    }
}

#[component]
fn Bench(entry: &'static Entry) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let sheet = model.sheet;
    let moves = moves(model);
    view! {
        <article class="lab" id="lab" data-experiment=entry.about.id data-phase=move || lab.phase.with(Phase::word)
            data-step=move || lab.state.with(|s| s.step.to_string())
            data-backend=move || backend(model).unwrap_or_default()>
            <header class="lab-head">
                <h1>{entry.about.title}</h1>
                {move || lab.standing(entry).map(|(standing, text)| view! { <span class=chip(standing) id="standing">{text}</span> })}
                <p class="lead">{entry.about.claim}</p>
            </header>
            <Notes/>
            <div class="bench">
                <section class="bench-main" aria-label="Live view">
                    {move || if moves.get() {
                        view! { <Stage title=entry.about.title/> }.into_any()
                    } else {
                        view! { <Sweep/> }.into_any()
                    }}
                    <Transport entry/>
                    <Seen/>
                </section>
                <aside class="choose knobs" class:open=move || sheet.get() id="choose" aria-label="Parameters">
                    <Knobs entry/>
                </aside>
            </div>
            <Bar entry/>
            <Charts skip=Signal::derive(move || usize::from(!moves.get()))/>
            <Claims entry/>
            <Background entry/>
        </article>
    }
}

/// Whether there is something to watch; between two runs, whether there was.
pub(super) fn moves(model: Model) -> Memo<bool> {
    Memo::new(move |before: Option<&bool>| {
        model.lab.begun.with(|b| b.as_ref().map_or_else(|| before.copied().unwrap_or(true), |b| b.moves))
    })
}

/// The back end in use.
pub(super) fn backend(model: Model) -> Option<&'static str> {
    model.lab.begun.with(|b| b.as_ref().map(|b| if b.backend == Backend::Gpu { "gpu" } else { "cpu" }))
}

/// What the reader should know before looking.
#[component]
fn Notes() -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let list = move || {
        let mut list: Vec<(&'static str, String)> = Vec::new();
        if let Some(name) = lab.stored.get() {
            list.push((
                "note",
                format!("This is the record {name} as it was stored. Run it to compute it again here."),
            ));
        }
        if let Some(why) = lab.fell.get() {
            list.push(("note warn", format!("The GPU failed and the CPU goes on from the last snapshot: {why}.")));
        }
        if let Some(why) = lab.trouble.get() {
            list.push(("note bad", format!("{why}.")));
        } else if let Phase::Failed(why) = lab.phase.get() {
            list.push(("note bad", format!("It cannot run: {why}.")));
        }
        lab.trial.with(|t| {
            list.extend(
                t.unknown
                    .iter()
                    .map(|u| ("note warn", format!("From the link, {}={} is not used: {}.", u.key, u.value, u.why))),
            );
        });
        lab.record.with(|r| {
            list.extend(r.iter().flat_map(|r| r.notes.iter().map(|note| ("note", note.clone()))));
        });
        list
    };
    view! {
        <ul class="notes">
            {move || list().into_iter().map(|(class, text)| view! { <li class=class>{text}</li> }).collect_view()}
        </ul>
    }
}

/// What was seen, in words.
#[component]
fn Seen() -> impl IntoView {
    let lab = model().lab;
    view! {
        <p class="seen" id="seen">
            {move || {
                let seen = lab.seen.get();
                if seen.is_empty() { "What is seen is said here once it runs.".to_owned() } else { seen }
            }}
        </p>
    }
}

/// An experiment with nothing to watch: its first chart takes the place of the live view.
#[component]
fn Sweep() -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let first = Memo::new(move |_| lab.figures.with(|f| f.first().map(|f| f.id.clone())));
    view! {
        <div class="sweep">
            {move || match first.get() {
                Some(id) => view! { <Chart id/> }.into_any(),
                None => view! {
                    <div class="figure-space">
                        <p class="soft">{move || {
                            let total = lab.begun.with(|b| b.as_ref().map_or(0.0, |b| b.total));
                            if lab.phase.with(|p| *p == Phase::Running) {
                                "The first results are on their way.".to_owned()
                            } else if total > 0.0 {
                                format!("Many runs, {} steps in all. Press Run; the chart grows as they go.", surprisal_core::figure::number(total))
                            } else {
                                "The experiment is being set up.".to_owned()
                            }
                        }}</p>
                    </div>
                }.into_any(),
            }}
        </div>
    }
}

/// All charts but the first few.
#[component]
fn Charts(skip: Signal<usize>) -> impl IntoView {
    let lab = model().lab;
    let ids =
        Memo::new(move |_| lab.figures.with(|f| f.iter().skip(skip.get()).map(|f| f.id.clone()).collect::<Vec<_>>()));
    view! {
        <section class="charts" class:none=move || ids.with(Vec::is_empty) aria-labelledby="charts-title">
            <h2 id="charts-title">"Measured"</h2>
            <div class="chart-grid">
                <For each=move || ids.get() key=Clone::clone let:id>
                    <div class="chart-card"><Chart id/></div>
                </For>
            </div>
        </section>
    }
}

/// One chart, which follows the run.
#[component]
pub(super) fn Chart(id: String) -> impl IntoView {
    let model = model();
    let lab = model.lab;
    let stem = lab.trial.with_untracked(|t| t.experiment.clone()).unwrap_or_default();
    let find = move |figures: &Vec<Arc<Figure>>| figures.iter().find(|f| f.id == id).cloned();
    let Some(now) = lab.figures.with_untracked(&find) else { return ().into_any() };
    let last = StoredValue::new(now);
    // A chart that is gone from the list will be gone from the page with the next breath.
    let figure = Signal::derive(move || {
        if let Some(figure) = lab.figures.with(&find) {
            last.set_value(figure);
        }
        last.get_value()
    });
    view! { <FigureView figure stem tools=true/> }.into_any()
}

/// How it works, the equation, the source.
#[component]
fn Background(entry: &'static Entry) -> impl IntoView {
    let about = entry.about;
    view! {
        <section class="background" aria-labelledby="how-title">
            <h2 id="how-title">"How it works"</h2>
            <p>{about.how}</p>
            <Equation id=about.id plain=about.equation/>
            <p class="soft small-text">{about.source}</p>
        </section>
    }
}

/// Tells the engine whether anybody can see the page.
pub(in crate::page) fn watch_visibility(model: Model) {
    gloo_events::EventListener::new(&document(), "visibilitychange", move |_| {
        if !model.lab.embedded {
            model.act(Act::Watch(if document().hidden() { Watch::Hidden } else { Watch::Seen }));
        }
    })
    .forget();
}
