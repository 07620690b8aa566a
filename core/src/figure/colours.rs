//! Colours of values.

use super::{Rgb, Theme};
use serde::{Deserialize, Serialize};

/// How values become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourMap {
    /// From little to much: viridis, in every theme.
    #[default]
    Viridis,
    /// Below and above zero, which is in the middle: light, or dark on the dark theme.
    Signed,
    /// Angles and phases, where the ends are the same: twilight.
    Cyclic,
}

impl ColourMap {
    /// The colour at `share` of the range, from 0 to 1; what is outside has the colour of the end.
    #[must_use]
    pub fn rgb(self, theme: Theme, share: f64) -> Rgb {
        match (self, theme) {
            (Self::Viridis, _) => between(&VIRIDIS, share),
            (Self::Signed, Theme::Dark) => between(&SIGNED_DARK, share),
            (Self::Signed, Theme::Light | Theme::Print) => between(&SIGNED_LIGHT, share),
            (Self::Cyclic, _) => between(&TWILIGHT, share),
        }
    }
}

/// Between the two nearest of evenly spaced colours.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of bytes, and a clamped index")]
fn between(colours: &[(u8, u8, u8)], share: f64) -> Rgb {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let place = share * super::scale::count(colours.len() - 1);
    let first = (place.floor() as usize).min(colours.len() - 2);
    let part = place - super::scale::count(first);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (colours[first], colours[first + 1]);
    Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Every eighth colour of matplotlib's viridis (CC0).
const VIRIDIS: [(u8, u8, u8); 33] = [
    (68, 1, 84),
    (71, 13, 96),
    (72, 24, 106),
    (72, 35, 116),
    (71, 45, 123),
    (69, 54, 129),
    (66, 64, 134),
    (63, 73, 137),
    (59, 82, 139),
    (55, 90, 141),
    (51, 99, 141),
    (47, 106, 142),
    (44, 114, 142),
    (41, 122, 142),
    (38, 129, 142),
    (35, 137, 142),
    (33, 144, 140),
    (31, 152, 139),
    (31, 159, 136),
    (33, 166, 133),
    (40, 174, 128),
    (49, 181, 123),
    (62, 188, 116),
    (76, 194, 108),
    (93, 201, 99),
    (110, 206, 88),
    (130, 211, 76),
    (150, 216, 63),
    (171, 220, 50),
    (192, 223, 36),
    (213, 226, 26),
    (234, 229, 26),
    (253, 231, 37),
];

/// Of matplotlib's twilight (CC0); the last is the first.
const TWILIGHT: [(u8, u8, u8); 33] = [
    (226, 217, 226),
    (214, 215, 221),
    (194, 206, 212),
    (170, 194, 204),
    (148, 180, 199),
    (129, 166, 195),
    (114, 150, 193),
    (104, 134, 190),
    (98, 117, 186),
    (95, 99, 181),
    (94, 80, 172),
    (93, 61, 160),
    (89, 42, 143),
    (81, 27, 119),
    (69, 19, 92),
    (56, 17, 69),
    (47, 20, 54),
    (58, 17, 58),
    (75, 19, 66),
    (96, 24, 74),
    (117, 30, 79),
    (136, 40, 80),
    (153, 53, 80),
    (167, 69, 80),
    (178, 87, 82),
    (188, 105, 88),
    (195, 125, 99),
    (200, 144, 115),
    (204, 164, 137),
    (210, 182, 163),
    (217, 199, 191),
    (223, 212, 214),
    (226, 217, 226),
];

/// Blue to vermilion through the light of the page; even steps of lightness in Oklab.
const SIGNED_LIGHT: [(u8, u8, u8); 17] = [
    (2, 69, 117),
    (2, 90, 151),
    (0, 112, 186),
    (50, 135, 207),
    (87, 159, 224),
    (125, 181, 235),
    (163, 204, 243),
    (203, 225, 246),
    (246, 243, 241),
    (244, 215, 201),
    (238, 186, 160),
    (228, 157, 122),
    (213, 128, 85),
    (195, 101, 50),
    (172, 76, 9),
    (141, 59, 1),
    (109, 44, 0),
];

/// The same, through the dark of the page.
const SIGNED_DARK: [(u8, u8, u8); 17] = [
    (163, 216, 255),
    (104, 194, 254),
    (65, 169, 234),
    (44, 145, 204),
    (34, 121, 172),
    (33, 98, 138),
    (35, 76, 103),
    (36, 55, 69),
    (38, 36, 34),
    (67, 48, 34),
    (98, 62, 34),
    (130, 78, 33),
    (161, 95, 36),
    (192, 114, 47),
    (220, 136, 66),
    (245, 162, 96),
    (255, 195, 150),
];
