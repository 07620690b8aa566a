//! The report: the file, the choice of columns and measures, and the results.

use leptos::prelude::*;

use super::{
    bar::{Bar, Gaps, GpuTrouble},
    choose::Choose,
    compare::Compare,
    file,
    model::model,
    results::Results,
    status::Status,
};

#[component]
pub(super) fn Report() -> impl IntoView {
    let model = model();
    let sheet = model.sheet;
    view! {
        <div class="report" id="report">
            {move || model.file.get().map(|file| view! {
                <file::FileHead file=file.clone()/>
                <Status/>
                <file::Problems file=file.clone()/>
                <file::Preview file=file.clone()/>
                <file::Columns file/>
            })}
            <div class="panes">
                <aside class="choose" class:open=move || sheet.get() id="choose" aria-label="Measures and parameters">
                    <Choose/>
                </aside>
                <section class="found" aria-labelledby="results-title">
                    <Bar/>
                    <Gaps/>
                    <GpuTrouble/>
                    <Compare/>
                    <Results/>
                </section>
            </div>
            <button type="button" class="sheet-button" aria-controls="choose"
                aria-expanded=move || sheet.get().to_string()
                on:click=move |_| sheet.update(|open| *open = !*open)>
                {move || if sheet.get() { "Show the results" } else { "Measures and parameters" }}
            </button>
        </div>
    }
}
