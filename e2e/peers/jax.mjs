// One training step in jax-js: loss, gradient and AdamW inside one jit(). jax-js counts references: an array that is passed
// on is used up, `.ref` takes one more reference.

import { NORM, OPTIMISER, VOCABULARY, batches, parameters } from './problem.mjs';

export async function make(device, size) {
  const { numpy: np, nn, jit, valueAndGrad, tree, init, defaultDevice } = await import('/npm/@jax-js/jax/dist/index.js');
  const offered = await init(device);
  if (!offered.includes(device)) throw new Error(`jax-js offers ${offered.join(', ') || 'nothing'}, not ${device}`);
  defaultDevice(device);
  const { batch: B, context: T, width: D, heads: H } = size;
  const { rate, beta1, beta2, epsilon, decay } = OPTIMISER;
  const tensors = parameters(size);
  let [W, M, S] = [{}, {}, {}];
  for (const { name, shape, data } of tensors) {
    W[name] = np.array(data).reshape(shape);
    M[name] = np.zeros(shape);
    S[name] = np.zeros(shape);
  }
  const data = batches(size).map(({ x, y }) => ({
    x: np.array(x, { dtype: np.int32 }),
    y: np.array(y, { dtype: np.int32 }),
  }));
  const hidden = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : 0));
  const mask = np.array(hidden).reshape([1, 1, T, T]);
  const normed = (x, gain, bias) => {
    const mean = np.mean(x.ref, -1, { keepdims: true });
    const d = x.sub(mean);
    const variance = np.mean(d.ref.mul(d.ref), -1, { keepdims: true });
    return d.div(np.sqrt(variance.add(NORM))).mul(gain).add(bias);
  };
  const gelu = (u) => {
    const inner = u.ref.add(u.ref.mul(u.ref).mul(u.ref).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return u.mul(0.5).mul(np.tanh(inner).add(1));
  };
  const split = (x) => np.transpose(x.reshape([B, T, H, D / H]), [0, 2, 1, 3]);
  const loss = (w, x, y, mask) => {
    let state = np.matmul(nn.oneHot(x, VOCABULARY), w.token).reshape([B, T, D]).add(w.position).reshape([B * T, D]);
    const a = normed(state.ref, w.gain1, w.bias1);
    const q = split(np.matmul(a.ref, w.query));
    const k = split(np.matmul(a.ref, w.key));
    const v = split(np.matmul(a, w.value));
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul(1 / Math.sqrt(D / H)).add(mask);
    const attended = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]).reshape([B * T, D]);
    state = state.add(np.matmul(attended, w.out));
    const inner = np.matmul(normed(state.ref, w.gain2, w.bias2), w.up);
    state = state.add(np.matmul(gelu(inner), w.down));
    const logits = np.matmul(normed(state, w.gain, w.bias), w.head);
    return np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(y, VOCABULARY))).mul(-1 / (B * T));
  };
  const step = jit((w, m, s, x, y, mask, c1, c2) => {
    const [value, gradient] = valueAndGrad(loss)(tree.ref(w), x, y, mask);
    const [w2, m2, s2] = [{}, {}, {}];
    for (const { name: n, decays } of tensors) {
      const g = gradient[n];
      m2[n] = m[n].mul(beta1).add(g.ref.mul(1 - beta1));
      s2[n] = s[n].mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
      const change = m2[n].ref.mul(c1.ref).div(np.sqrt(s2[n].ref.mul(c2.ref)).add(epsilon)).mul(rate);
      w2[n] = (decays ? w[n].mul(1 - rate * decay) : w[n]).sub(change);
    }
    c1.dispose();
    c2.dispose();
    return [value, w2, m2, s2];
  });
  return {
    step(i) {
      const { x, y } = data[i % data.length];
      const [c1, c2] = [beta1, beta2].map((beta) => np.array([1 / (1 - beta ** (i + 1))]));
      const [value, w, m, s] = step(W, M, S, x.ref, y.ref, mask.ref, c1, c2);
      [W, M, S] = [w, m, s];
      return value;
    },
    read: async (value) => (await value.data())[0],
    drop: (value) => value.dispose(),
  };
}
