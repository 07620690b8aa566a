//! Columns, and the files they are from, beside each other: one table of what they have in common, and one plane.

use std::sync::Arc;

use leptos::prelude::*;
use surprisal_core::{
    figure::Figure,
    measure,
    report::{Comparison, ResultRecord, planes},
};

use super::{
    dom,
    figure::FigureView,
    model::{Measured, model},
};
use crate::show;

/// One row of the table: a name, and the texts of its cells with their exact values.
type Line = (String, Vec<Option<(String, String)>>);

/// What is compared, ready to be shown.
#[derive(Clone, Default, PartialEq)]
struct Table {
    /// Titles, ids and units.
    heads: Vec<(String, String, String)>,
    lines: Vec<Line>,
}

impl Table {
    fn of(records: &[&ResultRecord]) -> Option<Self> {
        let found = Comparison::of(records)?;
        let unit = |place: usize| {
            let mut units = found.rows.iter().filter_map(|(_, cells)| cells[place]?.unit);
            units.next().map(|unit| unit.symbol()).filter(|symbol| *symbol != "1").unwrap_or_default().to_owned()
        };
        let head = |(place, id): (usize, &&str)| {
            let title = measure::find(id).map_or(*id, |entry| entry.about.title);
            (title.to_owned(), (*id).to_owned(), unit(place))
        };
        let cell = |record: &ResultRecord| {
            let text = record.named_parts().unwrap_or_else(|| show::value(&record.value));
            (text, record.value.to_string())
        };
        Some(Self {
            heads: found.measures.iter().enumerate().map(head).collect(),
            lines: found
                .rows
                .iter()
                .map(|(name, cells)| ((*name).to_owned(), cells.iter().map(|r| r.map(cell)).collect()))
                .collect(),
        })
    }
}

/// Shown as soon as two columns share a measure.
#[component]
pub(super) fn Compare() -> impl IntoView {
    let model = model();
    let found = Memo::new(move |_| {
        let known: Vec<Measured> = model
            .jobs
            .with(|jobs| model.results.with(|r| jobs.iter().filter_map(|job| r.get(&job.key).cloned()).collect()));
        let records: Vec<&ResultRecord> = known.iter().map(|m| &m.0.0).collect();
        (Table::of(&records), planes(&records).map(Arc::new))
    });
    let table = Memo::new(move |_| found.with(|(table, _)| table.clone()));
    let plane = Memo::new(move |_| found.with(|(_, plane)| plane.clone()));
    let is_there = Memo::new(move |_| table.with(Option::is_some));
    let has_plane = Memo::new(move |_| plane.with(Option::is_some));
    let stem =
        move || model.file.with_untracked(|f| f.as_ref().map(|f| dom::slug(&f.provenance.name))).unwrap_or_default();
    // The columns of one file are in the lines below too; who brings several files wants to compare them.
    let open = model.file.with_untracked(|f| f.as_ref().is_some_and(|f| !f.provenance.files.is_empty()));
    move || {
        is_there.get().then(|| {
            view! {
                <details class="compare" id="compare" open=open>
                    <summary><h3>"Side by side"</h3></summary>
                    <div class="scroll" tabindex="0" role="region" aria-label="Columns side by side">
                        {move || view! { <Cells table=table.get().unwrap_or_default()/> }}
                    </div>
                    {move || has_plane.get().then(|| {
                        let figure = Signal::derive(move || plane.get().unwrap_or_else(|| Arc::new(Figure::empty())));
                        view! { <FigureView figure stem=format!("{}-planes", stem()) tools=true/> }
                    })}
                </details>
            }
        })
    }
}

#[component]
fn Cells(table: Table) -> impl IntoView {
    let Table { heads, lines } = table;
    let heads = heads.into_iter().map(|(title, id, unit)| {
        let unit = (!unit.is_empty()).then(|| view! { <span class="column-facts">{unit}</span> });
        view! { <th scope="col" class="right" title=id><span class="column-name">{title}</span>{unit}</th> }
    });
    let lines = lines.into_iter().map(|(name, cells)| {
        let column = name.clone();
        let cells = cells.into_iter().map(|cell| match cell {
            Some((text, exact)) => view! { <td class="num" title=exact>{text}</td> }.into_any(),
            None => view! { <td class="absent">"\u{2013}"</td> }.into_any(),
        });
        view! { <tr data-column=column><th scope="row">{name}</th>{cells.collect_view()}</tr> }
    });
    view! {
        <table class="beside">
            <thead><tr><th scope="col"><span class="hidden">"Column"</span></th>{heads.collect_view()}</tr></thead>
            <tbody>{lines.collect_view()}</tbody>
        </table>
    }
}
