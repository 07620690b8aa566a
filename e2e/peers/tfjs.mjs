// One training step in TensorFlow.js: eager operations, tf.variableGrads and tf.train.adam; AdamW is Adam and a decay of its
// own. Tokens are looked up by a product, as its wasm has no gradient of gather.

import { NORM, OPTIMISER, VOCABULARY, batches, parameters } from './problem.mjs';

const load = (src) =>
  new Promise((resolve, reject) => {
    const script = document.createElement('script');
    Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(`cannot load ${src}`)) });
    document.head.append(script);
  });

export async function make(backend, size) {
  await load('/npm/@tensorflow/tfjs/dist/tf.min.js');
  await load('/npm/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js');
  const { tf } = globalThis;
  tf.wasm.setWasmPaths('/npm/@tensorflow/tfjs-backend-wasm/dist/');
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  const { batch: B, context: T, width: D, heads: H } = size;
  const { rate, beta1, beta2, epsilon, decay } = OPTIMISER;
  const tensors = parameters(size);
  const w = {};
  for (const { name, shape, data } of tensors) w[name] = tf.variable(tf.tensor(data, shape), true, name);
  const oneHot = (ids) => tf.tidy(() => tf.oneHot(tf.tensor(ids, [B * T], 'int32'), VOCABULARY).toFloat());
  const data = batches(size).map(({ x, y }) => ({ x: oneHot(x), y: oneHot(y) }));
  const hidden = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : 0));
  const mask = tf.tensor(hidden, [1, 1, T, T]);
  const normed = (x, gain, bias) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(NORM).rsqrt()).mul(gain).add(bias);
  };
  const gelu = (u) => {
    const inner = u.add(u.mul(u).mul(u).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return u.mul(0.5).mul(inner.tanh().add(1));
  };
  const split = (x) => x.reshape([B, T, H, D / H]).transpose([0, 2, 1, 3]);
  const loss = ({ x, y }) => {
    let state = tf.matMul(x, w.token).reshape([B, T, D]).add(w.position).reshape([B * T, D]);
    const a = normed(state, w.gain1, w.bias1);
    const [q, k, v] = [w.query, w.key, w.value].map((matrix) => split(a.matMul(matrix)));
    const weights = tf.softmax(tf.matMul(q, k, false, true).mul(1 / Math.sqrt(D / H)).add(mask));
    const attended = tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([B * T, D]);
    state = state.add(attended.matMul(w.out));
    state = state.add(gelu(normed(state, w.gain2, w.bias2).matMul(w.up)).matMul(w.down));
    return tf.losses.softmaxCrossEntropy(y, normed(state, w.gain, w.bias).matMul(w.head));
  };
  const adam = tf.train.adam(rate, beta1, beta2, epsilon);
  const decaying = tensors.filter(({ decays }) => decays).map(({ name }) => w[name]);
  return {
    step: (i) =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(data[i % data.length]));
        for (const matrix of decaying) matrix.assign(matrix.mul(1 - rate * decay));
        adam.applyGradients(grads);
        return value;
      }),
    async read(value) {
      const [number] = await value.data();
      value.dispose();
      return number;
    },
    drop: (value) => value.dispose(),
    note: () => `threads: ${tf.wasm.getThreadsCount?.() ?? 1}`,
  };
}
