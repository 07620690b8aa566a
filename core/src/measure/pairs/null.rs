//! The permutation null: what an information would be if the second column were dealt out anew.

use crate::{
    measure::{Context, MeasureError, Outcome, uncertainty::quantile},
    rng::Philox,
};

/// The random stream of the shuffles.
const STREAM: u64 = 0x7368_7566;
/// The fewest shuffles, where they were asked for at all: a p-value of 0.025 is still possible.
const FEWEST: u32 = 39;

/// Values of an information after shuffling, and the value before.
pub(super) struct Null {
    value: f64,
    draws: Vec<f64>,
}

/// Shuffles `n` rows as often as [`Context::resamples`] says, but not more than `most` rows in all, and asks for the
/// information each time. `None` where no resampling was asked for.
pub(super) async fn permutation(
    n: usize,
    value: f64,
    most: u64,
    context: &Context<'_>,
    mut information: impl AsyncFnMut(&[u32]) -> Result<f64, MeasureError>,
) -> Result<Option<Null>, MeasureError> {
    let affordable = u32::try_from(most / (n as u64).max(1)).unwrap_or(u32::MAX).max(FEWEST);
    let shuffles = context.resamples.min(affordable);
    if shuffles == 0 || n < 2 {
        return Ok(None);
    }
    let mut rng = Philox::new(context.seed, STREAM);
    let mut order: Vec<u32> = (0..n).zip(0..).map(|(_, i): (usize, u32)| i).collect();
    let mut draws = Vec::with_capacity(shuffles as usize);
    for done in 0..shuffles {
        for (last, bound) in (1..n).zip(2_u32..) {
            order.swap(last, rng.below(bound) as usize);
        }
        draws.push(information(&order).await?);
        context.pace.tick(u64::from(done), u64::from(shuffles)).await?;
    }
    Ok(Some(Null { value, draws }))
}

impl Null {
    /// Notes the mean and the middle 95 % of the null, after `shown` turns an information into what the measure shows, and
    /// the share of values (this one included) that are at least as large.
    #[expect(clippy::cast_precision_loss, reason = "hundreds of shuffles")]
    pub(super) fn annotate(self, outcome: Outcome, shown: impl Fn(f64) -> f64) -> Outcome {
        let total = self.draws.len() as f64;
        let as_large = self.draws.iter().filter(|&&x| x >= self.value).count() as f64;
        let mut shown: Vec<f64> = self.draws.into_iter().map(shown).collect();
        shown.sort_unstable_by(f64::total_cmp);
        outcome
            .detail("null_mean", shown.iter().sum::<f64>() / total)
            .detail("null_low", quantile(&shown, 0.025))
            .detail("null_high", quantile(&shown, 0.975))
            .detail("null_shuffles", shown.len())
            .detail("p_value", (1.0 + as_large) / (1.0 + total))
    }
}
