//! Advance widths of the chart font (`assets/fonts/Inter-Regular.ttf`, tabular figures), so that a
//! layout needs neither a font rasteriser nor a browser: it is the same natively, in the page and in a
//! worker. The browser's own Inter is the same font; kerning makes its text a little narrower.

/// Units to the em in [`WIDTHS`].
const EM: f64 = 2048.0;

/// Runs of consecutive characters: the first, and the widths.
const WIDTHS: &[(u32, &[u16])] = &[
    (
        0x20,
        &[
            576, 589, 954, 1297, 1314, 2011, 1319, 614, 747, 747, 1026, 1355, 590, 942, 590, 738, 1328, 1328, 1328,
            1328, 1328, 1328, 1328, 1328, 1328, 1328, 590, 618, 1355, 1355, 1355, 1047, 1978, 1413, 1340, 1496, 1478,
            1231, 1209, 1528, 1522, 550, 1169, 1376, 1158, 1850, 1543, 1566, 1308, 1566, 1318, 1314, 1322, 1524, 1413,
            2018, 1397, 1390, 1288, 747, 738, 747, 965, 934, 661, 1150, 1254, 1170, 1254, 1194, 758, 1256, 1211, 496,
            496, 1124, 496, 1794, 1210, 1228, 1254, 1254, 771, 1081, 670, 1211, 1151, 1676, 1118, 1151, 1131, 873, 681,
            873, 1355,
        ],
    ),
    (0xa0, &[576, 589, 1170, 1251, 1484, 1126, 553, 1164, 1210, 1872, 929, 1193, 1355]),
    (
        0xae,
        &[
            1364, 978, 933, 1355, 905, 913, 661, 1200, 1234, 590, 549, 623, 988, 1193, 1643, 1735, 1806, 1047, 1413,
            1413, 1413, 1413, 1413, 1413, 2035, 1496, 1231, 1231, 1231, 1231, 550, 550, 550, 550, 1505, 1543, 1566,
            1566, 1566, 1566, 1566, 1355, 1566, 1524, 1524, 1524, 1524, 1390, 1302, 1262, 1150, 1150, 1150, 1150, 1150,
            1150, 1879, 1170, 1194, 1194, 1194, 1194, 496, 496, 496, 496, 1193, 1210, 1228, 1228, 1228, 1228, 1228,
            1355, 1228, 1211, 1211, 1211, 1211, 1151, 1254, 1151,
        ],
    ),
    (0x131, &[496]),
    (0x391, &[1413, 1340, 1185, 1395, 1231, 1288, 1522, 1566, 550, 1376, 1413, 1850, 1543, 1344, 1566, 1522, 1308]),
    (0x3a3, &[1411, 1322, 1390, 1803, 1397, 1802, 1577]),
    (
        0x3b1,
        &[
            1360, 1220, 1151, 1196, 1100, 1043, 1211, 1272, 564, 1076, 1314, 1200, 1202, 1144, 1228, 1239, 1254, 1166,
            1278, 954, 1211, 1476, 1165, 1593, 1648,
        ],
    ),
    (0x3d1, &[1300]),
    (0x3d5, &[1403]),
    (0x3f5, &[922]),
    (0x2002, &[1024, 2048]),
    (0x2007, &[1328, 590, 372, 186]),
    (0x2010, &[734, 734, 1328, 1024, 2048, 2048]),
    (0x2018, &[534, 534, 494, 534, 902, 902, 862]),
    (0x2020, &[1006, 1006, 1152]),
    (0x2026, &[1770]),
    (0x202f, &[372, 2735]),
    (0x2032, &[456, 906]),
    (0x2039, &[787, 787]),
    (0x2044, &[393]),
    (0x2070, &[941, 405]),
    (
        0x2074,
        &[
            942, 901, 909, 831, 922, 909, 878, 879, 878, 551, 551, 891, 941, 623, 905, 913, 942, 901, 909, 831, 922,
            909, 878, 879, 878, 551, 551,
        ],
    ),
    (0x2090, &[822, 854, 875, 821, 923, 891, 812, 405, 1278, 891, 894, 798, 502]),
    (0x20ac, &[1365]),
    (0x2122, &[1251]),
    (0x2190, &[1954, 1708, 1954, 1708, 2746, 1708, 1588, 1588, 1588, 1588]),
    (0x21b5, &[2022]),
    (0x21d2, &[1954]),
    (0x21d4, &[2746]),
    (0x2202, &[1298]),
    (0x2205, &[1402, 1395]),
    (0x2211, &[1299, 1355]),
    (0x221a, &[1289]),
    (0x221e, &[1917]),
    (0x222b, &[748]),
    (0x2248, &[1355]),
    (0x2260, &[1355]),
    (0x2264, &[1355, 1355]),
    (0x25a0, &[1872, 1872]),
    (0x25b2, &[2070, 2070]),
    (0x25b6, &[1877]),
    (0x25bc, &[2070]),
    (0x25c6, &[2152]),
    (0x25cb, &[1872]),
    (0x25cf, &[1872]),
    (0x2713, &[1811]),
];

/// The width of one character at 1 px.
fn advance(character: char) -> f64 {
    let code = u32::from(character);
    let run = WIDTHS.partition_point(|(first, _)| *first <= code).checked_sub(1).and_then(|at| WIDTHS.get(at));
    let width = run.and_then(|(first, widths)| widths.get(usize::try_from(code - first).ok()?));
    // What the font lacks comes from another one: ideographs are an em wide, the rest about half.
    width.map_or(if code >= 0x2e80 { 1.0 } else { 0.6 }, |units| f64::from(*units) / EM)
}

/// The width of `text` in CSS pixels when its font is `size` CSS pixels.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// `text`, or its beginning and an ellipsis, within `width`.
pub(super) fn shorten(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let room = width - text_width("…", size);
    let mut used = 0.0;
    let mut short: String = text
        .chars()
        .take_while(|character| {
            used += advance(*character) * size;
            used <= room
        })
        .collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}
