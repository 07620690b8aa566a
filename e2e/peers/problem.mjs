// The training problem of core/tests/nn/spec.rs: the same initial weights and data, to the bit.

export const SIZES = {
  large: { width: 64, heads: 4, context: 64, batch: 16 },
  small: { width: 32, heads: 2, context: 32, batch: 4 },
};
export const VOCABULARY = 32;
export const BATCHES = 8;
export const OPTIMISER = { rate: 3e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
export const NORM = 1e-5;

/** mulberry32. */
function mulberry(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Name, shape, values, and whether it decays. */
export function parameters({ width: d, context }) {
  const next = mulberry(1);
  const residual = 0.02 / Math.SQRT2;
  const filled = (name, shape, value) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value);
    return { name, shape, data, decays: false };
  };
  const random = (name, shape, deviation) => {
    const tensor = { ...filled(name, shape, 0), decays: true };
    const a = Math.sqrt(3) * deviation;
    tensor.data.forEach((_, i) => (tensor.data[i] = ((next() / 4294967296) * 2 - 1) * a));
    return tensor;
  };
  return [
    random('token', [VOCABULARY, d], 0.02),
    random('position', [context, d], 0.02),
    filled('gain1', [d], 1),
    filled('bias1', [d], 0),
    random('query', [d, d], 0.02),
    random('key', [d, d], 0.02),
    random('value', [d, d], 0.02),
    random('out', [d, d], residual),
    filled('gain2', [d], 1),
    filled('bias2', [d], 0),
    random('up', [d, 4 * d], 0.02),
    random('down', [4 * d, d], residual),
    filled('gain', [d], 1),
    filled('bias', [d], 0),
    random('head', [d, VOCABULARY], 0.02),
  ];
}

/** Inputs and targets. Each symbol has four successors, with probabilities 1/2, 1/4, 1/8, 1/8. */
export function batches({ context, batch }) {
  const next = mulberry(1000004);
  const successors = Array.from({ length: VOCABULARY }, () => {
    const row = [];
    while (row.length < 4) {
      const k = next() % VOCABULARY;
      if (!row.includes(k)) row.push(k);
    }
    return row;
  });
  const follow = (s) => {
    const r = next() >>> 29;
    return successors[s][r < 4 ? 0 : r < 6 ? 1 : r < 7 ? 2 : 3];
  };
  return Array.from({ length: BATCHES }, () => {
    const [x, y] = [new Int32Array(batch * context), new Int32Array(batch * context)];
    for (let i = 0; i < batch; i++) {
      let s = next() % VOCABULARY;
      for (let t = 0; t < context; t++) {
        x[i * context + t] = s;
        s = follow(s);
        y[i * context + t] = s;
      }
    }
    return { x, y };
  });
}
