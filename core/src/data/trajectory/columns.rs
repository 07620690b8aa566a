//! What the columns of a table are called.

/// Names in lower case, without white space around.
pub(super) fn lower(header: &[String]) -> Vec<String> {
    header.iter().map(|h| h.trim().to_ascii_lowercase()).collect()
}

/// The place of the first of `wanted` that is there.
pub(super) fn find(header: &[String], wanted: &[&str]) -> Option<usize> {
    wanted.iter().find_map(|w| header.iter().position(|h| h == w))
}

/// A table with one row per animal and frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Long {
    pub(super) frame: Option<usize>,
    pub(super) time: Option<usize>,
    /// Without one, all rows are of one animal: too little to recognise a table by.
    pub(super) animal: Option<usize>,
    /// x, y, and z where there is one.
    pub(super) position: Vec<usize>,
    /// As many, or none.
    pub(super) velocity: Vec<usize>,
    pub(super) heading: Option<usize>,
}

const FRAMES: [&str; 6] = ["frame", "frame_idx", "frame_number", "framenumber", "frames", "frame_id"];
const TIMES: [&str; 4] = ["time", "t", "time_s", "seconds"];
const ANIMALS: [&str; 18] = [
    "id",
    "individual",
    "track",
    "animal",
    "fish",
    "fish_id",
    "fishtag",
    "track_id",
    "trackid",
    "identity",
    "individual_id",
    "animal_id",
    "agent",
    "agent_id",
    "particle",
    "bird",
    "ind",
    "object_id",
];

/// The columns of a long table, if it is one.
pub(super) fn long(header: &[String]) -> Option<Long> {
    let names = lower(header);
    let axis = |a: &str| {
        let cm =
            [format!("{a}_cm"), format!("{a}_px"), format!("pos_{a}"), format!("{a}_pos"), format!("position_{a}")];
        find(&names, &[a]).or_else(|| cm.iter().find_map(|w| names.iter().position(|h| h == w)))
    };
    let speed = |a: &str| {
        let names_of = [format!("v{a}"), format!("v_{a}"), format!("velocity_{a}"), format!("{a}_velocity")];
        names_of.iter().find_map(|w| names.iter().position(|h| h == w))
    };
    let (frame, time, animal) = (find(&names, &FRAMES), find(&names, &TIMES), find(&names, &ANIMALS));
    if frame.is_none() && time.is_none() {
        return None;
    }
    let mut position = vec![axis("x")?, axis("y")?];
    position.extend(axis("z"));
    let axes = ["x", "y", "z"];
    let velocity: Option<Vec<usize>> = axes[..position.len()].iter().map(|a| speed(a)).collect();
    let heading = find(&names, &["heading", "theta", "angle", "orientation"]);
    Some(Long { frame, time, animal, position, velocity: velocity.unwrap_or_default(), heading })
}

/// A table with one row per frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wide {
    pub(super) frame: Option<usize>,
    pub(super) time: Option<usize>,
    /// Name and columns of x, y, and z where there is one, of every animal.
    pub(super) animals: Vec<(String, Vec<usize>)>,
    /// Columns that are none of these.
    pub(super) others: usize,
}

/// `x1`, `x_1`, `x.1` and `X1` to the axis and the animal.
fn axis_of(name: &str) -> Option<(usize, &str)> {
    let (axis, rest) = (name.get(..1)?, name.get(1..)?);
    let axis = match axis {
        "x" => 0,
        "y" => 1,
        "z" => 2,
        _ => return None,
    };
    let rest = rest.trim_start_matches(['_', '.', ' ', '-']);
    (!rest.is_empty() && rest.len() < 10 && rest.bytes().all(|b| b.is_ascii_digit())).then_some((axis, rest))
}

/// The columns of a wide table, if it is one: a frame or a time, and x and y of at least one animal.
pub(super) fn wide(header: &[String]) -> Option<Wide> {
    let names = lower(header);
    let (frame, time) = (find(&names, &FRAMES), find(&names, &TIMES));
    if frame.is_none() && time.is_none() {
        return None;
    }
    let mut order: Vec<String> = Vec::new();
    let mut places: std::collections::HashMap<&str, [Option<usize>; 3]> = std::collections::HashMap::new();
    let mut others = 0;
    for (i, name) in names.iter().enumerate() {
        if let Some((axis, animal)) = axis_of(name) {
            let slots = places.entry(animal).or_insert_with(|| {
                order.push(animal.to_owned());
                [None; 3]
            });
            if slots[axis].replace(i).is_some() {
                return None;
            }
        } else if Some(i) != frame && Some(i) != time {
            others += 1;
        }
    }
    let mut animals = Vec::with_capacity(order.len());
    let three = places.values().any(|s| s[2].is_some());
    for animal in order {
        let slots = places.get(&animal[..])?;
        let found: Option<Vec<usize>> = slots[..if three { 3 } else { 2 }].iter().copied().collect();
        animals.push((animal.clone(), found?));
    }
    (!animals.is_empty()).then_some(Wide { frame, time, animals, others })
}

/// `Fish_ID,x,y,z,vx,vy,vz`, as the library writes the last frame.
pub(super) fn is_final_state(header: &[String]) -> bool {
    lower(header) == ["fish_id", "x", "y", "z", "vx", "vy", "vz"]
}

/// A TRex table: `frame` and a TRex position.
pub(super) fn is_trex(header: &[String]) -> bool {
    let has = |n: &str| header.iter().any(|h| h == n);
    let suffixed = header.iter().any(|h| {
        let suffix = h.split_once('#').map(|(_, s)| s.split(' ').next().unwrap_or(s));
        matches!(suffix, Some("wcentroid" | "centroid" | "pcentroid" | "head"))
    });
    has("frame") && (suffixed || (has("X") && has("Y") && has("missing")))
}

/// A SLEAP table.
pub(super) fn is_sleap(header: &[String]) -> bool {
    header.iter().take(3).map(String::as_str).eq(["track", "frame_idx", "instance.score"])
        || (header.iter().any(|h| h == "frame_idx")
            && header.iter().any(|h| h == "track")
            && header.iter().any(|h| h.ends_with(".x")))
}
