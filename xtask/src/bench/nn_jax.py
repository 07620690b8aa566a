
import jax
import jax.numpy as jnp
import numpy as np


def normed(x, gain, bias):
    d = x - x.mean(-1, keepdims=True)
    return d / jnp.sqrt((d * d).mean(-1, keepdims=True) + NORM) * gain + bias


def trained(size, gather):
    """A function that makes a step: everything in one jitted function that may reuse its memory."""
    b, t, d, h = size["batch"], size["context"], size["width"], size["heads"]
    seen = jnp.tril(jnp.ones((t, t), bool))

    def loss(w, x, y):
        tokens = w["token"][x] if gather else jax.nn.one_hot(x, VOCABULARY) @ w["token"]
        state = (tokens.reshape(b, t, d) + w["position"]).reshape(b * t, d)
        a = normed(state, w["gain1"], w["bias1"])
        q, k, v = ((a @ w[n]).reshape(b, t, h, d // h).transpose(0, 2, 1, 3) for n in ("query", "key", "value"))
        scores = jnp.where(seen, q @ k.transpose(0, 1, 3, 2) / math.sqrt(d // h), -1e9)
        attended = (jax.nn.softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(b * t, d)
        state = state + attended @ w["out"]
        inner = normed(state, w["gain2"], w["bias2"]) @ w["up"]
        state = state + jax.nn.gelu(inner, approximate=True) @ w["down"]
        told = jax.nn.log_softmax(normed(state, w["gain"], w["bias"]) @ w["head"])
        if gather:
            return -jnp.take_along_axis(told, y[:, None], 1).mean()
        return -(told * jax.nn.one_hot(y, VOCABULARY)).sum() / (b * t)

    decays = {name: decay for name, _, _, decay in tensors(size)}

    def step(w, m, s, number, x, y):
        value, g = jax.value_and_grad(loss)(w, x, y)
        c1, c2 = 1 / (1 - BETA1**number), 1 / (1 - BETA2**number)
        m = {n: BETA1 * m[n] + (1 - BETA1) * g[n] for n in w}
        s = {n: BETA2 * s[n] + (1 - BETA2) * g[n] * g[n] for n in w}
        kept = {n: w[n] * (1 - RATE * DECAY) if decays[n] else w[n] for n in w}
        w = {n: kept[n] - RATE * m[n] * c1 / (jnp.sqrt(s[n] * c2) + EPSILON) for n in w}
        return value, w, m, s

    jitted = jax.jit(step, donate_argnums=(0, 1, 2))
    shapes = {name: shape for name, shape, _, _ in tensors(size)}
    w = {n: jnp.asarray(np.array(v, np.float32).reshape(shapes[n])) for n, v in initial(size).items()}
    m, s = ({n: jnp.zeros_like(v) for n, v in w.items()} for _ in range(2))
    data = [(jnp.asarray(np.array(x, np.int32)), jnp.asarray(np.array(y, np.int32))) for x, y in batches(size)]
    state = [w, m, s]

    def following(i):
        value, *state[:] = jitted(*state, np.float32(i + 1), *data[i % BATCHES])
        return value

    return following


for name, size in SIZES.items():
    # Both ways to look tokens up; the faster one is compared with.
    for gather in (True, False):
        way = "gathered" if gather else "one-hot"
        measure(name, "JAX", trained(size, gather), f"{jax.__version__}, {way}")
