// Fish, spheres and the outline of their world, straight from the buffers in which they swim.
//
// Instance attributes: those of `Fish` (position, speed, heading, alike), or a sphere's centre and radius. Nothing is read
// from storage: instance buffers are in every browser's vertex stage.

struct Scene {
    // What the camera looks at, and 1. In open water the GPU writes it here, from the sums of the school.
    target_: vec4<f32>,
    right: vec4<f32>,
    up: vec4<f32>,
    // Towards the eye; its distance.
    back: vec4<f32>,
    // Focal lengths in x and y, the near plane, seconds.
    lens: vec4<f32>,
    // The range of what is coloured by; the length of a body; the share of a frame that trails keep.
    range: vec4<f32>,
    // The world: its far corner; the radius of a tank.
    world: vec4<f32>,
    // Linear light.
    background: vec4<f32>,
    line: vec4<f32>,
    // COLOUR_*; whether it is flat; whether sRGB must be encoded; WORLD_*.
    colour: u32,
    flat_: u32,
    encode: u32,
    edge: u32,
    // Whether bodies are all in the line's colour (a predator), and how much larger they are.
    plain: u32,
    larger: f32,
    // The number of the first of the school.
    first: u32,
    // Between two lines of the floor in open water.
    step: f32,
}

@group(0) @binding(0) var<uniform> scene: Scene;

struct Painted {
    @builtin(position) place: vec4<f32>,
    @location(0) light: vec3<f32>,
}

const TAU: f32 = 6.283185307179586;

fn placed(x: vec3<f32>) -> vec4<f32> {
    let p = x - scene.target_.xyz;
    // The distance in front of the eye; depth is reversed and endless: near / distance.
    let far = scene.back.w - dot(p, scene.back.xyz);
    return vec4<f32>(scene.lens.x * dot(p, scene.right.xyz), scene.lens.y * dot(p, scene.up.xyz), scene.lens.z, far);
}

// Oklch to linear sRGB (Ottosson 2020): equal steps look equal, and all hues equally light.
fn oklch(lightness: f32, chroma: f32, turns: f32) -> vec3<f32> {
    let a = chroma * cos(TAU * turns);
    let b = chroma * sin(TAU * turns);
    let l = lightness + 0.3963377774 * a + 0.2158037573 * b;
    let m = lightness - 0.1055613458 * a - 0.0638541728 * b;
    let s = lightness - 0.0894841775 * a - 1.2914855480 * b;
    let c = vec3<f32>(l * l * l, m * m * m, s * s * s);
    return clamp(vec3<f32>(
        dot(c, vec3<f32>(4.0767416621, -3.3077115913, 0.2309699292)),
        dot(c, vec3<f32>(-1.2684380046, 2.6097574011, -0.3413193965)),
        dot(c, vec3<f32>(-0.0041960863, -0.7034186147, 1.7076147010)),
    ), vec3<f32>(0.0), vec3<f32>(1.0));
}

// From dark blue over green to light yellow.
fn ramp(t: f32) -> vec3<f32> {
    return oklch(mix(0.42, 0.92, t), mix(0.13, 0.15, t), mix(0.75, 0.27, t));
}

fn colour_of(position: vec3<f32>, speed: f32, heading: vec3<f32>, alike: f32) -> vec3<f32> {
    if scene.plain != 0u {
        return scene.line.xyz;
    }
    let span = max(scene.range.y - scene.range.x, 1e-6);
    if scene.colour == COLOUR_HEADING {
        // The azimuth is the hue; who swims upwards is lighter.
        return oklch(0.72 + 0.14 * heading.z, 0.14 * sqrt(max(1.0 - heading.z * heading.z, 0.0)),
            atan2(heading.y, heading.x + 1e-9) / TAU);
    }
    if scene.colour == COLOUR_SPEED {
        return ramp(clamp((speed - scene.range.x) / span, 0.0, 1.0));
    }
    if scene.colour == COLOUR_DEPTH {
        return ramp(clamp((position.z - scene.range.x) / span, 0.0, 1.0));
    }
    return ramp(clamp(0.5 + 0.5 * alike, 0.0, 1.0));
}

// A corner of the body, nose at x = 0.55, tail at x = -0.3, the fin's tips behind; y to the left, z up.
fn corner(triangle: u32, k: u32) -> vec3<f32> {
    let tail = vec3<f32>(-0.3, 0.0, 0.0);
    if triangle >= 8u {
        let tip = select(-0.17, 0.17, triangle == 9u);
        if k == 0u {
            return tail;
        }
        return select(vec3<f32>(-0.38, 0.0, 0.0), vec3<f32>(-0.52, 0.0, tip), k == 1u);
    }
    if k == 0u {
        return select(tail, vec3<f32>(0.55, 0.0, 0.0), triangle < 4u);
    }
    // The girth: four points in turn, those of the rear half the other way round.
    let step = select(2u - k, k - 1u, triangle < 4u);
    let quarter = ((triangle & 3u) + step) & 3u;
    let side = select(1.0, -1.0, (quarter & 2u) != 0u);
    return select(vec3<f32>(0.14, 0.0, 0.15 * side), vec3<f32>(0.14, 0.09 * side, 0.0), (quarter & 1u) == 0u);
}

// A dart: two triangles about its axis.
fn dart(triangle: u32, k: u32) -> vec3<f32> {
    let side = select(-1.0, 1.0, triangle == 1u);
    if k == 0u {
        return vec3<f32>(0.6, 0.0, 0.0);
    }
    return select(vec3<f32>(-0.22, 0.0, 0.0), vec3<f32>(-0.42, 0.26 * side, 0.0), k == 1u);
}

@vertex
fn fish(
    @builtin(vertex_index) vertex: u32,
    @builtin(instance_index) instance: u32,
    @location(0) position: vec3<f32>,
    @location(1) speed: f32,
    @location(2) heading: vec3<f32>,
    @location(3) alike: f32,
) -> Painted {
    let triangle = vertex / 3u;
    let colour = colour_of(position, speed, heading, alike);
    let up = vec3<f32>(0.0, 0.0, 1.0);
    // Belly down, but for one who swims straight up.
    let across = cross(up, heading);
    let left = select(vec3<f32>(0.0, 1.0, 0.0), across / max(length(across), 1e-6), length(across) > 1e-3);
    let back = cross(heading, left);
    var local = vec3<f32>(0.0);
    var shade = 1.0;
    if scene.flat_ != 0u {
        local = dart(triangle, vertex % 3u);
        shade = select(0.8, 1.0, triangle == 1u);
    } else {
        local = corner(triangle, vertex % 3u);
        let normal = cross(corner(triangle, 1u) - corner(triangle, 0u), corner(triangle, 2u) - corner(triangle, 0u));
        let n = normal.x * heading + normal.y * left + normal.z * back;
        let sun = normalize(vec3<f32>(0.3, 0.2, 0.93) + 0.5 * scene.back.xyz);
        // The fin has two sides.
        let facing = dot(n, sun) / max(length(n), 1e-9);
        shade = 0.5 + 0.5 * select(max(facing, 0.0), abs(facing), triangle >= 8u);
        // The tail beats, faster in fast fish.
        let beat = sin(scene.lens.w * (4.0 + 2.0 * speed) + 2.4 * f32(instance - scene.first));
        local.y += 0.07 * beat * smoothstep(0.2, -0.55, local.x);
    }
    let size = scene.range.z * scene.larger;
    let x = position + size * (local.x * heading + local.y * left + local.z * back);
    return Painted(placed(x), colour * shade);
}

// A sphere of 12 x 8 quads, or a disc where the world is flat.
@vertex
fn sphere(@builtin(vertex_index) vertex: u32, @location(0) ball: vec4<f32>) -> Painted {
    let quad = vertex / 6u;
    let k = vertex % 6u;
    let east = quad % 12u + select(0u, 1u, k == 1u || k == 4u || k == 5u);
    let north = quad / 12u + select(0u, 1u, k == 2u || k == 3u || k == 5u);
    let longitude = TAU * f32(east) / 12.0;
    let latitude = TAU * (f32(north) / 16.0 - 0.25);
    var n = vec3<f32>(cos(latitude) * vec2<f32>(cos(longitude), sin(longitude)), sin(latitude));
    var shade = 0.55 + 0.35 * n.z;
    if scene.flat_ != 0u {
        n.z = 0.0;
        shade = 0.7;
    }
    return Painted(placed(ball.xyz + ball.w * n), mix(scene.background.xyz, scene.line.xyz, shade));
}

// The box's twelve edges, or the tank's rims and eight uprights, as a list of lines. Flat: the first of each.
@vertex
fn outline(@builtin(vertex_index) vertex: u32) -> Painted {
    let line = vertex / 2u;
    let end = vertex % 2u;
    var x = vec3<f32>(0.0);
    if scene.edge == WORLD_BOX {
        // Four around the floor, four around the top, four uprights.
        let k = line & 3u;
        let corner = select((k + end) & 3u, k, line >= 8u);
        let top = select(f32(line >> 2u), f32(end), line >= 8u);
        let east = select(0.0, 1.0, corner == 1u || corner == 2u);
        let north = select(0.0, 1.0, corner >= 2u);
        x = scene.world.xyz * vec3<f32>(east, north, top);
    } else {
        let upright = line >= 2u * RIM;
        let turn = select(f32(line % RIM + end) / f32(RIM), f32(line - 2u * RIM) / 8.0, upright);
        let top = select(f32(line / RIM), f32(end), upright);
        x = vec3<f32>(scene.world.w * cos(TAU * turn), scene.world.w * sin(TAU * turn), scene.world.z * top);
    }
    return Painted(placed(x), mix(scene.background.xyz, scene.line.xyz, 0.45));
}

// In open water a floor below the school, anchored in the world, so that one sees the school go: 2 x FLOOR lines of two parts
// each, which fade towards their ends and the outermost.
@vertex
fn floor_lines(@builtin(vertex_index) vertex: u32) -> Painted {
    let line = vertex / 4u;
    // The two parts of a line meet in the middle.
    let part = (vertex / 2u) & 1u;
    let outer = (vertex & 1u) == 1u;
    let half = f32(FLOOR / 2u);
    let k = f32(line % FLOOR) - half;
    let target_ = scene.target_.xyz;
    let own = floor(target_.xy / scene.step) * scene.step;
    let along = select(0.0, select(-half, half, part == 1u), outer) * scene.step;
    let level = select(target_.z - 0.3 * scene.back.w, target_.z, scene.flat_ != 0u);
    var x = vec3<f32>(own.x + k * scene.step, target_.y + along, level);
    if line >= FLOOR {
        x = vec3<f32>(target_.x + along, own.y + k * scene.step, level);
    }
    // Light is mixed as it is, not as it is seen: on a dark ground a little of it is much.
    let strength = mix(0.12, 0.7, clamp(scene.background.y, 0.0, 1.0));
    let light = select(strength * (1.0 - abs(k) / half), 0.0, outer);
    return Painted(placed(x), mix(scene.background.xyz, scene.line.xyz, light));
}

fn encoded(light: vec3<f32>) -> vec3<f32> {
    let low = 12.92 * light;
    let high = 1.055 * pow(max(light, vec3<f32>(1e-6)), vec3<f32>(1.0 / 2.4)) - 0.055;
    return select(high, low, light <= vec3<f32>(0.0031308));
}

@fragment
fn painted(in: Painted) -> @location(0) vec4<f32> {
    return vec4<f32>(select(in.light, encoded(in.light), scene.encode != 0u), 1.0);
}

// Trails are kept in linear light.
@fragment
fn trailed(in: Painted) -> @location(0) vec4<f32> {
    return vec4<f32>(in.light, 1.0);
}

@group(1) @binding(0) var before: texture_2d<f32>;

// One triangle over everything.
@vertex
fn whole(@builtin(vertex_index) vertex: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(vertex & 1u) * 4.0 - 1.0, f32(vertex >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

// What trails were there, a little nearer to the background.
@fragment
fn faded(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let old = textureLoad(before, vec2<i32>(at.xy), 0).xyz;
    return vec4<f32>(mix(scene.background.xyz, old, scene.range.w), 1.0);
}

@fragment
fn shown(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let old = mix(scene.background.xyz, textureLoad(before, vec2<i32>(at.xy), 0).xyz, 0.6);
    return vec4<f32>(select(old, encoded(old), scene.encode != 0u), 1.0);
}
