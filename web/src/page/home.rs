//! The first view: what this is, where a file goes, samples, and one figure computed here and now.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    figure::FigureView,
    intake,
    model::{EXAMPLE, Sample, model},
};

#[component]
pub(super) fn Home() -> impl IntoView {
    view! {
        <div class="home">
            <div class="hero">
                <h1>"How much does your data surprise?"</h1>
                <p class="lead">
                    "Surprisal reads a table, a recording, an image or any bytes, and reports its entropies "
                    "with units, intervals and pictures. Every number is computed in this tab."
                </p>
                <p class="soft">
                    <a href="#/experiments">"Experiments"</a>
                    ": fish that school, particles that align, with their entropies beside them and claims that you can check."
                </p>
            </div>
            <DropZone/>
            <Samples/>
            <Living/>
        </div>
    }
}

#[component]
fn DropZone() -> impl IntoView {
    let model = model();
    view! {
        <div class="drop" class:over=move || model.dragging.get()>
            <input type="file" id="file" class="file-input" multiple aria-describedby="file-help"
                on:change=move |event| intake::chosen(model, &event)/>
            <label for="file">
                <span class="drop-title">"Drop a file here, paste, or "<span class="link">"choose one"</span></span>
                <span class="drop-note">"It never leaves your machine."</span>
            </label>
            <p class="drop-kinds" id="file-help">
                "CSV and TSV, XLSX, Parquet and Arrow, JSON, NPY and NPZ, safetensors, HDF5, NetCDF, MAT, FASTA, WAV, PNG, JPEG, \
                 TIFF, text, any bytes; gzip, zip, zstd and LZ4 around them. Recordings of animals: idtracker.ai, TRex, SLEAP and \
                 DeepLabCut."
            </p>
        </div>
    }
}

#[component]
fn Samples() -> impl IntoView {
    let model = model();
    view! {
        {move || (!model.samples.with(Vec::is_empty)).then(|| view! {
            <section aria-labelledby="samples-title">
                <h2 id="samples-title">"Or begin with a sample"</h2>
                <ul class="samples">
                    {model.samples.get().into_iter().map(|sample| view! { <SampleItem sample/> }).collect_view()}
                </ul>
            </section>
        })}
    }
}

#[component]
fn SampleItem(sample: Sample) -> impl IntoView {
    let model = model();
    let source = [sample.source, sample.licence].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ");
    let file = sample.file.clone();
    view! {
        <li>
            <button type="button" class="sample" data-sample=sample.file title=source
                on:click=move |_| model.open_sample(file.clone())>
                <span class="sample-head"><span class="sample-title">{sample.title}</span><span class="mono soft">{sample.kind}</span></span>
                <span class="sample-what">{sample.what}</span>
            </button>
        </li>
    }
}

/// What one gets: one figure of a sample, computed by the engine when the page opens.
#[component]
fn Living() -> impl IntoView {
    let model = model();
    let title = move || {
        model
            .samples
            .with(|samples| samples.iter().find(|s| s.file == EXAMPLE).map(|s| s.title.clone()))
            .unwrap_or_default()
    };
    view! {
        <section class="living" aria-labelledby="living-title">
            <div class="living-text">
                <h2 id="living-title">"What you get"</h2>
                <p>
                    "For each column a table of measures: Shannon, block and permutation entropies, sample entropy, "
                    "Lempel-Ziv and spectral ones. Each value has its unit, its estimator, its interval, and where it was computed."
                </p>
                <p>"Charts with exact values under the cursor, downloads as PNG, SVG, CSV and JSON, the command line that gives "
                    "the same numbers, and a link that holds every parameter."</p>
                <p><a href="#/measures">"All measures, with their equations and sources"</a></p>
            </div>
            <div class="living-figure">
                {move || {
                    let figures = model.example.get();
                    match figures.first() {
                        Some(figure) => view! {
                            <FigureView figure=Arc::clone(figure) stem="example".to_owned() tools=false/>
                            <p class="caption">{title}", computed here when this page opened."</p>
                        }.into_any(),
                        None => view! { <div class="figure-space"><p class="soft">"A figure of the first sample is computed here."</p></div> }.into_any(),
                    }
                }}
            </div>
        </section>
    }
}
