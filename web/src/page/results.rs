//! The table of results: column by column, then pairs, tables and arrays. The chosen row opens to its charts.

use std::sync::Arc;

use leptos::prelude::*;
use surprisal_core::{
    figure::Figure,
    measure::{self, Of},
    report::{ResultRecord, pair_grid},
};

use super::{
    detail::Detail,
    dom,
    figure::FigureView,
    file::type_word,
    model::{Measured, Model, model},
};
use crate::{plan, protocol::Job, show};

/// What some lines are about.
#[derive(Clone, Debug, PartialEq)]
enum About {
    Theory,
    Column(usize),
    /// All pairs, by one measure.
    Pairs(String),
    Table,
    Array(usize),
}

impl About {
    fn of(job: &Job) -> Self {
        match job.of {
            Of::Nothing => Self::Theory,
            Of::Column(i) => Self::Column(i),
            Of::Columns(..) if job.of.pair().is_some() => Self::Pairs(job.measure.clone()),
            Of::Columns(..) => Self::Table,
            Of::Array(i, _) => Self::Array(i),
        }
    }
}

/// A line of the table.
#[derive(Clone, PartialEq)]
enum Line {
    /// What the next lines are about.
    Group(About),
    /// A measure of every pair as a picture.
    Grid(String),
    /// One measure of it.
    Row(Job),
}

#[component]
pub(super) fn Results() -> impl IntoView {
    let model = model();
    let lines = move || {
        let mut lines = Vec::new();
        let mut last = None;
        let mut jobs = model.jobs.get();
        // Arrays are planned by measure, and shown one by one.
        let array = |job: &Job| job.of.array();
        let first = jobs.iter().position(|job| array(job).is_some()).unwrap_or(jobs.len());
        let end = jobs.iter().rposition(|job| array(job).is_some()).map_or(first, |at| at + 1);
        jobs[first..end].sort_by_key(array);
        for job in jobs {
            let about = About::of(&job);
            if last.as_ref() != Some(&about) {
                lines.push(Line::Group(about.clone()));
                if let About::Pairs(measure) = &about {
                    lines.push(Line::Grid(measure.clone()));
                }
                last = Some(about);
            }
            lines.push(Line::Row(job));
        }
        lines
    };
    let key = |line: &Line| match line {
        Line::Group(about) => format!("{about:?}"),
        Line::Grid(measure) => format!("grid {measure}"),
        Line::Row(job) => job.key.clone(),
    };
    view! {
        <table class="results" class:compared=move || model.compared.get()>
            <caption class="hidden">"Measures of the chosen columns"</caption>
            <thead>
                <tr>
                    <th scope="col">"Measure"</th>
                    <th scope="col" class="right">"Value"</th>
                    <th scope="col">"Unit"</th>
                    <th scope="col" class="right">"95 % interval"</th>
                    {move || model.compared.get().then(|| view! { <th scope="col">"Surrogates"</th> })}
                    <th scope="col" class="right">"n"</th>
                    <th scope="col" class="right">"Computed"</th>
                </tr>
            </thead>
            <tbody>
                <For each=lines key=key let:line>
                    {match line {
                        Line::Group(about) => view! { <Group about/> }.into_any(),
                        Line::Grid(measure) => view! { <Grid measure/> }.into_any(),
                        Line::Row(job) => view! { <Row job/> }.into_any(),
                    }}
                </For>
            </tbody>
        </table>
        {move || model.jobs.with(Vec::is_empty).then(|| view! {
            <p class="empty">"No measure is chosen for these columns. Choose some under Measures."</p>
        })}
    }
}

/// How many columns the table has.
fn width(model: Model) -> impl Fn() -> &'static str + Copy {
    move || if model.compared.get() { "7" } else { "6" }
}

#[component]
fn Group(about: About) -> impl IntoView {
    let model = model();
    let (name, facts) = model.file.with_untracked(|file| match (file, &about) {
        (_, About::Theory) | (None, _) => ("Constants of the theory".to_owned(), String::new()),
        (Some(file), About::Column(i)) => file.columns.get(*i).map_or_else(Default::default, |c| {
            let mut facts = vec![type_word(c.ty).to_owned()];
            facts.extend(c.unit.clone());
            facts.push(show::several(c.len, "value", "values"));
            if c.missing > 0 {
                facts.push(format!("{} missing", show::count(c.missing)));
            }
            (c.name.clone(), facts.join(" · "))
        }),
        (Some(file), About::Pairs(measure)) => {
            let title = measure::find(measure).map_or(measure.as_str(), |entry| entry.about.title);
            let left = model.setup.with_untracked(|setup| plan::unpaired(setup, &file.columns));
            let left =
                (left > 0).then(|| format!("without the last {}", show::several(left as u64, "column", "columns")));
            (format!("{title} of pairs"), left.unwrap_or_default())
        }
        (Some(_), About::Table) => ("Columns side by side".to_owned(), "each row one observation".to_owned()),
        (Some(file), About::Array(i)) => {
            file.arrays.get(*i).map_or_else(Default::default, |a| (a.name.clone(), format!("array · {}", a.extent())))
        }
    });
    view! { <tr class="group"><th scope="rowgroup" colspan=width(model)><span>{name}</span><span class="soft num">{facts}</span></th></tr> }
}

/// Every pair by one measure, as far as it is known.
#[component]
fn Grid(measure: String) -> impl IntoView {
    let model = model();
    let stem = model.file.with_untracked(|f| f.as_ref().map(|f| dom::slug(&f.provenance.name))).unwrap_or_default();
    let stem = format!("{stem}-{}", dom::slug(&measure));
    let figure = Memo::new(move |_| {
        let found: Vec<Measured> = model.jobs.with(|jobs| {
            let mine = jobs.iter().filter(|job| job.measure == measure && job.of.pair().is_some());
            model.results.with(|known| mine.filter_map(|job| known.get(&job.key).cloned()).collect())
        });
        let records: Vec<&ResultRecord> = found.iter().map(|m| &m.0.0).collect();
        pair_grid(&records).map(Arc::new)
    });
    // The picture stays while its cells are filled.
    let shown = Memo::new(move |_| figure.with(Option::is_some));
    view! {
        {move || shown.get().then(|| {
            let figure = Signal::derive(move || figure.get().unwrap_or_else(|| Arc::new(Figure::empty())));
            let stem = stem.clone();
            view! { <tr class="open grid"><td colspan=width(model)><FigureView figure stem tools=true/></td></tr> }
        })}
    }
}

#[component]
fn Row(job: Job) -> impl IntoView {
    let model = model();
    let key = StoredValue::new(job.key);
    let result = Memo::new(move |_| model.results.with(|known| key.with_value(|key| known.get(key).cloned())));
    let chosen = Memo::new(move |_| model.selected.with(|s| key.with_value(|key| s.as_ref() == Some(key))));
    let column_of =
        |i: usize| model.file.with_untracked(|f| Some(f.as_ref()?.columns.get(i)?.name.clone())).unwrap_or_default();
    let array_of = |i: usize| model.file.with_untracked(|f| Some(f.as_ref()?.arrays.get(i)?.name.clone()));
    let first = job.of.own().first().map(|&i| column_of(i));
    let column = job.of.array().and_then(array_of).or(first);
    let beside = job.of.own().iter().skip(1).chain(job.of.with());
    let with = beside.map(|&i| column_of(i)).collect::<Vec<_>>().join(", ");
    let entry = measure::find(&job.measure).ok();
    let title = match (job.of.pair(), entry) {
        (Some(_), Some(entry)) => {
            let between = if entry.directed { "→" } else { "–" };
            format!("{} {between} {with}", column.clone().unwrap_or_default())
        }
        (_, Some(entry)) => entry.about.title.to_owned(),
        (_, None) => job.measure.clone(),
    };
    let with = (!with.is_empty()).then_some(with);
    let id = job.measure.clone();
    let record = move |read: fn(&Measured) -> String| result.with(|r| r.as_ref().map(read)).unwrap_or_default();
    let pick = move |_| {
        model.selected.update(|s| {
            let key = key.get_value();
            *s = if s.as_ref() == Some(&key) { None } else { Some(key) };
        })
    };
    view! {
        <tr class="row" class:chosen=move || chosen.get() class:waiting=move || result.with(Option::is_none)
            data-measure=id data-column=column data-with=with
            data-value=move || record(|m| m.0.0.value.to_string())
            data-why=move || record(|m| m.0.0.why.clone().unwrap_or_default())
            data-backend=move || record(|m| m.0.0.backend.map(|b| format!("{b:?}").to_lowercase()).unwrap_or_default())
            data-record=move || record(|m| serde_json::to_string(&m.0.0).unwrap_or_default())>
            <th scope="row">
                <button type="button" class="pick" aria-expanded=move || chosen.get().to_string() on:click=pick>
                    <span class="pick-title">{title}</span>
                    <span class="pick-id"><span class="mono">{job.measure}</span>{move || record(estimator)}</span>
                </button>
            </th>
            {move || match result.get() {
                None => view! { <td class="right soft" colspan=move || if model.compared.get() { "6" } else { "5" }>{move || if model.stage.with(super::model::Stage::busy) { "waiting" } else { "not computed" }}</td> }.into_any(),
                Some(measured) => view! { <Cells measured/> }.into_any(),
            }}
        </tr>
        {move || (chosen.get()).then(|| result.get()).flatten().map(|measured| view! {
            <tr class="open"><td colspan=width(model)><Detail measured key=key.get_value()/></td></tr>
        })}
    }
}

fn estimator(measured: &Measured) -> String {
    measured.0.0.estimator.as_ref().map(|e| format!(" · {e}")).unwrap_or_default()
}

#[component]
fn Cells(measured: Measured) -> impl IntoView {
    let model = model();
    let record = &measured.0.0;
    let time = show::seconds(record.seconds);
    let place =
        record.backend.map_or("", |b| if matches!(b, surprisal_core::compute::Backend::Gpu) { "GPU" } else { "CPU" });
    let computed = view! {
        <td class="right soft num computed" data-label="Computed"
            title=record.adapter.clone().unwrap_or_default()>{place} " " {time}</td>
    };
    if record.value.is_null() {
        let why = record.why.clone().unwrap_or_else(|| "no value".to_owned());
        return view! { <td class="why" colspan=move || if model.compared.get() { "5" } else { "4" }>{why}</td> {computed} }.into_any();
    }
    let interval = record.uncertainty.as_ref().map(|u| {
        let text =
            format!("{} \u{2013} {}", surprisal_core::figure::number(u.low), surprisal_core::figure::number(u.high));
        let exact = format!("{} to {}: {}", u.low, u.high, u.method);
        view! { <span title=exact>{text}</span> }
    });
    let of_data = record.column.is_some();
    let null = StoredValue::new(record.surrogates.as_ref().map(|s| (show::p_value(s), s.sentence())));
    let among = move || {
        model.compared.get().then(|| match null.get_value() {
            Some(((p, of), sentence)) => view! {
                <td class="num p" data-label="Surrogates" title=sentence><span>{p}</span>" "<span class="soft">{of}</span></td>
            }
            .into_any(),
            // The warning of a measure says why; a constant of the theory is of no data.
            None => view! { <td class="soft p" data-label="Surrogates">{of_data.then_some("not compared")}</td> }.into_any(),
        })
    };
    let unit = record.unit.map_or("", |u| if u.symbol() == "1" { "" } else { u.symbol() });
    let warned = (!record.warnings.is_empty()).then(|| {
        let text = record.warnings.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join("; ");
        let title = text.clone();
        view! { <span class="flag" title=title>"!"<span class="hidden">"Warning: " {text}</span></span> }
    });
    view! {
        <td class="right num value" data-label="Value" title=shorten(&record.value.to_string())>{warned}{record.named_parts().unwrap_or_else(|| show::value(&record.value))}</td>
        <td class="unit" data-label="Unit">{unit}</td>
        <td class="right num soft interval" data-label="95 % interval">{interval}</td>
        {among}
        <td class="right num soft" data-label="n">{record.n.map(show::count)}</td>
        {computed}
    }
    .into_any()
}

/// All digits of a value, but not of thousands of them.
fn shorten(text: &str) -> String {
    if text.chars().count() <= 400 { text.to_owned() } else { text.chars().take(400).chain(" …".chars()).collect() }
}
