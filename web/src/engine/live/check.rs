//! A short run on a back end beside the same run on the CPU.

use serde_json::{Map, Value as Json};
use surprisal_core::{
    compute::{Backend, Compute, Cpu},
    experiment::{Column, Entry, ExperimentError, Record, Run, Values},
    pace::Unhurried,
};

use crate::live::Deviation;

/// Where the two runs are compared. Close neighbours part exponentially fast, so that later looks say less.
const LOOKS: [u32; 4] = [1, 5, 20, 50];

pub(super) async fn compare(
    entry: &'static Entry,
    parameters: &Map<String, Json>,
    compute: &dyn Compute,
) -> Result<Vec<Deviation>, ExperimentError> {
    let given = Json::Object(parameters.clone());
    let mut one = entry.start(&given, compute).await?;
    let mut other = entry.start(&given, &Cpu).await?;
    let mut list = Vec::new();
    let mut done = 0;
    for look in LOOKS {
        if u64::from(look) > one.total() {
            break;
        }
        for run in [&mut one, &mut other] {
            run.advance(look - done, &Unhurried).await?;
            // A look may be long, and the page must be heard.
            super::frame::task().await;
        }
        done = look;
        list.push(Deviation {
            step: f64::from(look),
            position: apart(&mut one, &mut other).await?,
            number: differ(one.record(), other.record()),
            backend: one.record().backend.unwrap_or(Backend::Cpu),
        });
    }
    Ok(list)
}

/// The largest distance between the two positions of a particle.
async fn apart(one: &mut Run, other: &mut Run) -> Result<Option<f64>, ExperimentError> {
    let (Some(a), Some(b)) = (one.swarm(), other.swarm()) else { return Ok(None) };
    let space = a.setups().first().map(|setup| setup.space);
    let (a, b) = (a.state(0).await?, b.state(0).await?);
    let length = |d: [f64; 3]| d.iter().map(|c| c * c).sum::<f64>().sqrt();
    let pairs = a.positions.iter().zip(&b.positions);
    Ok(space.map(|space| pairs.map(|(p, q)| length(space.between(*p, *q))).fold(0.0, f64::max)))
}

/// The largest difference between two numbers of the tables.
fn differ(one: &Record, other: &Record) -> Option<f64> {
    let columns =
        |record: &Record| -> Vec<Column> { record.tables.iter().flat_map(|t| t.columns.iter().cloned()).collect() };
    let (a, b) = (columns(one), columns(other));
    let most = a.iter().zip(&b).filter_map(|(a, b)| match (&a.values, &b.values) {
        (Values::Numbers(a), Values::Numbers(b)) => {
            a.iter().zip(b).map(|(x, y)| (x - y).abs()).filter(|d| d.is_finite()).reduce(f64::max)
        }
        _ => None,
    });
    most.reduce(f64::max)
}
