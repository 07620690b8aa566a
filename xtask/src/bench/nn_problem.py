"""The training problem of core/tests/nn/spec.rs: the same initial weights and data, to the bit. What times a step of it in
JAX or PyTorch is appended to this file. Prints one JSON line a size, as core/examples/nn_bench.rs does."""

import json
import math
import sys
import time

VOCABULARY, BATCHES = 32, 8
SIZES = {
    "large": {"width": 64, "heads": 4, "context": 64, "batch": 16},
    "small": {"width": 32, "heads": 2, "context": 32, "batch": 4},
}
RATE, BETA1, BETA2, EPSILON, DECAY, NORM = 3e-3, 0.9, 0.95, 1e-8, 0.1, 1e-5
# The best of so many runs of at least so many seconds each.
RUNS, SECONDS = 5, 0.5


def mulberry(seed):
    a = seed

    def following():
        nonlocal a
        a = (a + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((a ^ (a >> 15)) * (a | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return (t ^ (t >> 14)) & 0xFFFFFFFF

    return following


def tensors(size):
    """Name, shape, standard deviation (or the number that fills it), and whether it decays."""
    d, residual = size["width"], 0.02 / math.sqrt(2)
    return [
        ("token", (VOCABULARY, d), 0.02, True),
        ("position", (size["context"], d), 0.02, True),
        ("gain1", (d,), 1, False),
        ("bias1", (d,), 0, False),
        ("query", (d, d), 0.02, True),
        ("key", (d, d), 0.02, True),
        ("value", (d, d), 0.02, True),
        ("out", (d, d), residual, True),
        ("gain2", (d,), 1, False),
        ("bias2", (d,), 0, False),
        ("up", (d, 4 * d), 0.02, True),
        ("down", (4 * d, d), residual, True),
        ("gain", (d,), 1, False),
        ("bias", (d,), 0, False),
        ("head", (d, VOCABULARY), 0.02, True),
    ]


def initial(size):
    following, values = mulberry(1), {}
    for name, shape, deviation, _ in tensors(size):
        n = math.prod(shape)
        if isinstance(deviation, int):
            values[name] = [float(deviation)] * n
        else:
            a = math.sqrt(3) * deviation
            values[name] = [((following() / 4294967296) * 2 - 1) * a for _ in range(n)]
    return values


def batches(size):
    following, successors, out = mulberry(1000004), [], []
    for _ in range(VOCABULARY):
        row = []
        while len(row) < 4:
            k = following() % VOCABULARY
            if k not in row:
                row.append(k)
        successors.append(row)
    for _ in range(BATCHES):
        x, y = [], []
        for _ in range(size["batch"]):
            s = following() % VOCABULARY
            for _ in range(size["context"]):
                r = following() >> 29
                x.append(s)
                s = successors[s][0 if r < 4 else 1 if r < 6 else 2 if r < 7 else 3]
                y.append(s)
        out.append((x, y))
    return out


def measure(name, library, step, note=""):
    """`step(i)` makes step i and returns its loss, a number or what `float` makes one of."""
    losses = [float(step(i)) for i in range(10)]
    best, busy, done, steps = math.inf, math.inf, 10, 2
    for _ in range(RUNS):
        while True:
            began, had = time.perf_counter(), time.process_time()
            for _ in range(steps):
                loss = step(done)
                done += 1
            last = float(loss)
            seconds, processor = time.perf_counter() - began, time.process_time() - had
            if processor >= SECONDS:
                best, busy = min(best, seconds / steps), min(busy, processor / steps)
                break
            steps *= 2
    line = {"problem": name, "library": library, "seconds": best, "processor": busy, "losses": losses, "last": last}
    print(json.dumps({**line, "note": note}), flush=True)
