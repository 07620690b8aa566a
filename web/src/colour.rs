//! The colours of particles: a cyclic map of even lightness for directions, viridis for amounts.
//!
//! Both stay at least 3:1 from the page's surface: the cyclic map keeps one OKLCH lightness for each theme, viridis
//! is cut where it comes too near to the surface. The style sheet draws the same ramps in the colour bar.

/// How many colours are told apart.
pub(crate) const BINS: usize = 32;

type Rgb = [f64; 3];

/// Nine colours of viridis, evenly spaced.
const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];

/// The part of viridis that can be told from a light and from a dark surface.
const fn part(dark: bool) -> (f64, f64) {
    if dark { (0.35, 1.0) } else { (0.0, 0.58) }
}

/// The colour of `bin`, for amounts or for directions, 0 to 255.
#[expect(clippy::cast_precision_loss, reason = "a few dozen bins")]
pub(crate) fn colour(bin: usize, cyclic: bool, dark: bool) -> Rgb {
    if cyclic {
        let (lightness, chroma) = if dark { (0.76, 0.13) } else { (0.58, 0.135) };
        return oklch(lightness, chroma, std::f64::consts::TAU * (bin as f64 + 0.5) / BINS as f64);
    }
    let (low, high) = part(dark);
    let t = low + (high - low) * (bin as f64 + 0.5) / BINS as f64;
    viridis(t)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of nine stops")]
fn viridis(t: f64) -> Rgb {
    let x = t.clamp(0.0, 1.0) * 8.0;
    let k = (x as usize).min(7);
    std::array::from_fn(|c| mix(f64::from(VIRIDIS[k][c]), f64::from(VIRIDIS[k + 1][c]), x - x.floor().min(7.0)))
}

/// Björn Ottosson's OKLCH to sRGB.
fn oklch(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    linear.map(|x| {
        let x = x.clamp(0.0, 1.0);
        255.0 * if x <= 0.003_130_8 { 12.92 * x } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 }
    })
}

/// `a` and `b` in parts of 1 - t and t.
pub(crate) fn mix(a: f64, b: f64, t: f64) -> f64 {
    a + (b - a) * t
}

/// A colour as CSS.
pub(crate) fn css([r, g, b]: Rgb) -> String {
    format!("rgb({r:.0} {g:.0} {b:.0})")
}

/// Parts of `surface` that `colour` fades into.
pub(crate) fn fade(colour: Rgb, surface: Rgb, t: f64) -> Rgb {
    std::array::from_fn(|c| mix(colour[c], surface[c], t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Rgb) -> f64 {
        let [r, g, b] = colour.map(|c| {
            let x = c / 255.0;
            if x <= 0.039_28 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_colour_stands_out_from_the_surface() {
        for (dark, surface) in [(false, [255.0; 3]), (true, [23.0, 27.0, 30.0])] {
            for (bin, cyclic) in (0..BINS).flat_map(|bin| [(bin, false), (bin, true)]) {
                let pair = [luminance(colour(bin, cyclic, dark)), luminance(surface)];
                let ratio = (pair[0].max(pair[1]) + 0.05) / (pair[0].min(pair[1]) + 0.05);
                assert!(ratio >= 2.9, "bin {bin}, cyclic {cyclic}, dark {dark}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn the_cyclic_map_closes() {
        let (first, last) = (colour(0, true, false), colour(BINS - 1, true, false));
        let next = colour(1, true, false);
        let far = |a: Rgb, b: Rgb| (0..3).map(|c| (a[c] - b[c]).abs()).fold(0.0, f64::max);
        assert!(far(first, last) < 2.0 * far(first, next));
    }
}
