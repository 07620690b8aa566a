//! The open file: what it is, what was noticed, its first rows, its columns.

use std::sync::Arc;

use leptos::prelude::*;
use surprisal_core::data::{ColumnType, Kind, Provenance};

use super::{intake, model::model};
use crate::{
    plan,
    protocol::{ColumnView, Opened},
    show,
};

/// The word for a type.
pub(super) const fn type_word(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Real => "real",
        ColumnType::Integer => "integer",
        ColumnType::Symbols => "labels",
        ColumnType::Time => "time",
        ColumnType::Bytes => "bytes",
    }
}

#[component]
pub(super) fn FileHead(file: Arc<Opened>) -> impl IntoView {
    let model = model();
    let source = file.provenance.clone();
    let hash: String = source.sha256.chars().take(12).collect();
    view! {
        <header class="file-head">
            <div>
                <h1 class="file-name" id="file-name">{source.name}</h1>
                <p class="soft">
                    <span class="num" title=format!("{} bytes", source.size)>{show::bytes(source.size)}</span>
                    " · " {source.read_as}
                    " · " <span class="mono" title=format!("SHA-256 {}", source.sha256)>"SHA-256 " {hash}</span>
                    " · read in " <span class="num">{show::seconds(file.seconds)}</span>
                </p>
                {(!source.files.is_empty()).then(|| view! { <Files files=source.files/> })}
            </div>
            <div class="file-other">
                <div>
                    <input type="file" id="file-beside" class="file-input" multiple=true on:change=move |event| intake::added(model, &event)/>
                    <label class="button" for="file-beside">"Compare with a file"</label>
                </div>
                <div>
                    <input type="file" id="file-again" class="file-input" multiple=true on:change=move |event| intake::chosen(model, &event)/>
                    <label class="button" for="file-again">"Open another file"</label>
                </div>
            </div>
        </header>
    }
}

/// The files that are compared.
#[component]
fn Files(files: Vec<Provenance>) -> impl IntoView {
    let line = |file: Provenance| {
        let hash: String = file.sha256.chars().take(12).collect();
        view! {
            <li><span class="file-one">{file.name}</span>
                <span class="soft">" " <span class="num">{show::bytes(file.size)}</span> " · " {file.read_as} " · "
                    <span class="mono" title=format!("SHA-256 {}", file.sha256)>{hash}</span></span></li>
        }
    };
    view! { <ul class="files">{files.into_iter().map(line).collect_view()}</ul> }
}

/// Notes of the reader, and parts of the link that mean nothing here.
#[component]
pub(super) fn Problems(file: Arc<Opened>) -> impl IntoView {
    let model = model();
    let (columns, arrays) = (file.columns.clone(), file.arrays.clone());
    let from_link = move || {
        model.setup.with(|setup| {
            let absent = plan::absent(setup, &columns, &arrays)
                .into_iter()
                .map(|name| format!("The link names a column \u{201c}{name}\u{201d}, which this file does not have."));
            let unknown =
                setup.unknown.iter().map(|u| format!("From the link, {}={} is not used: {}.", u.key, u.value, u.why));
            absent.chain(unknown).collect::<Vec<_>>()
        })
    };
    view! {
        <ul class="notes">
            {file.notes.iter().map(|note| view! { <li class="note">{sentence(note)}</li> }).collect_view()}
            {move || from_link().into_iter().map(|text| view! { <li class="note warn">{text}</li> }).collect_view()}
        </ul>
    }
}

/// A note as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let mut text: String = first.chain(letters).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// Arrays whose shapes are said under the first rows.
const ARRAYS_SAID: usize = 6;

#[component]
pub(super) fn Preview(file: Arc<Opened>) -> impl IntoView {
    let rows = file.columns.iter().map(|c| c.rows.len()).max().unwrap_or(0);
    let bytes = matches!(file.provenance.kind, Kind::Bytes | Kind::Text | Kind::Image) && file.columns.len() == 1;
    let longest = file.columns.iter().map(|c| c.len).max().unwrap_or(0);
    let summary = format!(
        "{} · {}",
        show::several(file.columns.len() as u64, "column", "columns"),
        show::several(longest, if bytes { "value" } else { "row" }, if bytes { "values" } else { "rows" }),
    );
    let shapes = file.arrays.iter().take(ARRAYS_SAID).map(|a| format!("{}: array of {}", a.name, a.extent()));
    let rest = file.arrays.len().saturating_sub(ARRAYS_SAID);
    let shapes = shapes.chain((rest > 0).then(|| format!("and {rest} more"))).collect::<Vec<_>>().join("; ");
    let columns = file.columns.clone();
    // The rows of a text are its lines, and an empty one is not missing.
    let lines = file.provenance.kind == Kind::Text;
    let table = view! {
        <div class="scroll" tabindex="0" role="region" aria-label="First rows of the file">
            <table class="preview">
                <thead>
                    <tr><th class="index" scope="col"><span class="hidden">"Row"</span></th>
                        {columns.iter().map(|c| view! { <PreviewHead column=c.clone() lines/> }).collect_view()}<td class="rest"></td></tr>
                </thead>
                <tbody>
                    {(0..rows).map(|row| view! {
                        <tr><th class="index num" scope="row">{row + 1}</th>
                            {columns.iter().map(|column| {
                                let text = column.rows.get(row).cloned();
                                let class = match column.ty {
                                    _ if lines => "line",
                                    ColumnType::Symbols => "",
                                    _ => "num",
                                };
                                match text {
                                    Some(text) if lines || !text.trim().is_empty() => view! { <td class=class>{text}</td> }.into_any(),
                                    Some(_) => view! { <td class="absent">"missing"</td> }.into_any(),
                                    None => view! { <td></td> }.into_any(),
                                }
                            }).collect_view()}
                            <td class="rest"></td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </div>
    };
    view! {
        <details class="preview-box" open=true>
            <summary><h2>"First rows"</h2><span class="soft num">{summary}</span></summary>
            {table}
            {(!shapes.is_empty()).then(|| view! { <p class="soft">{shapes}</p> })}
        </details>
    }
}

#[component]
fn PreviewHead(column: ColumnView, lines: bool) -> impl IntoView {
    let mut facts = vec![type_word(column.ty).to_owned()];
    facts.extend(column.unit);
    let missing = (column.missing > 0).then(|| format!("{} missing", show::count(column.missing)));
    let class = if lines || column.ty == ColumnType::Symbols { "" } else { "right" };
    view! {
        <th scope="col" class=class>
            <span class="column-name">{column.name}</span>
            <span class="column-facts">{facts.join(" · ")}{missing.map(|m| view! { <span class="warn">" · " {m}</span> })}</span>
        </th>
    }
}

/// One chip a column and one an array: pressed when it is measured.
#[component]
pub(super) fn Columns(file: Arc<Opened>) -> impl IntoView {
    let model = model();
    let columns = file.columns.iter().enumerate().filter(|(_, c)| c.ty != ColumnType::Time);
    let columns = columns.map(|(i, c)| (i, c.name.clone(), type_word(c.ty).to_owned())).collect::<Vec<_>>();
    let arrays = file.arrays.iter().enumerate().map(|(i, a)| (i, a.name.clone(), a.extent())).collect::<Vec<_>>();
    let (of_columns, of_arrays) = (Arc::clone(&file), file);
    let columns = (columns.len() > 1).then(|| {
        view! {
            <Chips label="Columns" list=columns
                chosen=Memo::new(move |_| model.setup.with(|setup| plan::columns(setup, &of_columns.columns)))
                choose=move |names| model.setup.update(|setup| setup.columns = Some(names))/>
        }
    });
    let arrays = (!arrays.is_empty()).then(|| {
        view! {
            <Chips label="Arrays" list=arrays
                chosen=Memo::new(move |_| model.setup.with(|setup| plan::arrays(setup, &of_arrays.arrays)))
                choose=move |names| model.setup.update(|setup| setup.arrays = Some(names))/>
        }
    });
    view! { {columns} {arrays} }
}

/// Chips of places, names and facts.
#[component]
fn Chips(
    label: &'static str,
    list: Vec<(usize, String, String)>,
    chosen: Memo<Vec<usize>>,
    choose: impl Fn(Vec<String>) + 'static,
) -> impl IntoView {
    let names: Vec<(usize, String)> = list.iter().map(|(i, name, _)| (*i, name.clone())).collect();
    let toggle = move |index: usize| {
        let mut now = chosen.get_untracked();
        match now.iter().position(|&i| i == index) {
            Some(at) => drop(now.remove(at)),
            None => now.push(index),
        }
        choose(names.iter().filter(|(i, _)| now.contains(i)).map(|(_, name)| name.clone()).collect());
    };
    let toggle = StoredValue::new_local(toggle);
    view! {
        <div class="columns" role="group" aria-label=format!("{label} to measure")>
            <span class="columns-label">{label}</span>
            {list.into_iter().map(|(index, name, fact)| {
                let id = name.clone();
                view! {
                    <button type="button" class="chip" data-column=id
                        aria-pressed=move || chosen.with(|c| c.contains(&index)).to_string()
                        on:click=move |_| toggle.with_value(|toggle| toggle(index))>
                        <span>{name}</span><span class="chip-type">{fact}</span>
                    </button>
                }
            }).collect_view()}
        </div>
    }
}
