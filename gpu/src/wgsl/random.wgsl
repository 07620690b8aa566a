// Random numbers and the functions of analysis, written out: every adapter has the same integers, and the same
// floating-point steps up to contraction. Drivers' own sin, cos, log and atan2 may be wrong in the fourth digit.

// The high half of a 64-bit product, by 16-bit halves.
fn high_product(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let carry = a0 * b1 + (middle & 0xffffu);
    return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}

// Philox4x32-10 (Salmon et al., SC 2011): one block of four words.
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let high = vec2<u32>(high_product(0xd2511f53u, c.x), high_product(0xcd9e8d57u, c.z));
        c = vec4<u32>(high.y ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high.x ^ c.w ^ k.y, 0xd2511f53u * c.x);
        k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

// Uniform in (0, 1): 24 significant bits, exact.
fn uniform_of(word: u32) -> f32 {
    return (f32(word >> 9u) + 0.5) / 8388608.0;
}

// (cos, sin) of so many turns of 2 pi: Cephes' polynomials on an eighth of a turn. Error below 2 ulp of 1.
fn circle(turns: f32) -> vec2<f32> {
    let quarter = round(4.0 * turns);
    let t = (4.0 * turns - quarter) * 1.5707963267948966;
    let z = t * t;
    let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * t + t;
    let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
    let turn = u32(i32(quarter) & 3);
    let swapped = select(vec2<f32>(c, s), vec2<f32>(-s, c), (turn & 1u) == 1u);
    return select(swapped, -swapped, (turn & 2u) == 2u);
}

// The natural logarithm of x in [2^-126, 1]: Cephes' polynomial on [sqrt(1/2), sqrt(2)).
fn log_of(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    var exponent = f32(bits >> 23u) - 126.0;
    var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
    if m < 0.70710678 {
        exponent -= 1.0;
        m += m;
    }
    m -= 1.0;
    let z = m * m;
    var y = 7.0376836292e-2;
    y = y * m - 1.1514610310e-1;
    y = y * m + 1.1676998740e-1;
    y = y * m - 1.2420140846e-1;
    y = y * m + 1.4249322787e-1;
    y = y * m - 1.6668057665e-1;
    y = y * m + 2.0000714765e-1;
    y = y * m - 2.4999993993e-1;
    y = y * m + 3.3333331174e-1;
    y = y * m * z - 2.12194440e-4 * exponent - 0.5 * z;
    return m + y + 0.693359375 * exponent;
}

// Two standard normals of two words (Box and Muller).
fn normals_of(a: u32, b: u32) -> vec2<f32> {
    return sqrt(max(-2.0 * log_of(uniform_of(a)), 0.0)) * circle(uniform_of(b));
}

// The angle in [0, pi] whose sine (at least 0) and cosine are in this proportion: Cephes' arc tangent.
fn angle_of(sine: f32, cosine: f32) -> f32 {
    let c = abs(cosine);
    let q = min(sine, c) / max(max(sine, c), 1e-37);
    let steep = q > 0.41421356;
    let x = select(q, (q - 1.0) / (q + 1.0), steep);
    let z = x * x;
    var y = ((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1;
    y = y * z * x + x + select(0.0, 0.7853981633974483, steep);
    y = select(y, 1.5707963267948966 - y, sine > c);
    return select(y, 3.141592653589793 - y, cosine < 0.0);
}
