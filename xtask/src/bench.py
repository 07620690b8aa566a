"""The same measures by antropy, Numba warm. One JSON line per measure and file, as core/examples/bench.rs prints them.

python bench.py BUDGET FILE.npy...
A measure that took so long that ten times the samples would not fit the budget (seconds) is not run on larger files.
"""

import json
import sys
import time
from functools import partial

import antropy
import numpy as np

RUNS, ENOUGH = 9, 3.0

MEASURES = {
    # antropy's cost grows linearly for the first two, with the square for the third.
    "perm3": (partial(antropy.perm_entropy, order=3, delay=1), 1),
    "perm5": (partial(antropy.perm_entropy, order=5, delay=1), 1),
    "sampen": (partial(antropy.sample_entropy, order=2), 2),
}


def main():
    budget = float(sys.argv[1])
    rate = {}
    warm = np.random.default_rng(0).standard_normal(6000)
    for run, _ in MEASURES.values():
        run(warm)
        run(warm[:1000])
    for path in sys.argv[2:]:
        x = np.load(path)
        for name, (run, power) in MEASURES.items():
            if name in rate and rate[name] * len(x) ** power > budget:
                expected = rate[name] * len(x) ** power
                print(json.dumps({"measure": name, "n": len(x), "seconds": None, "expected": expected}), flush=True)
                continue
            best, began = float("inf"), time.perf_counter()
            for _ in range(RUNS):
                start = time.perf_counter()
                value = run(x)
                best = min(best, time.perf_counter() - start)
                if time.perf_counter() - began > ENOUGH:
                    break
            rate[name] = best / len(x) ** power
            print(json.dumps({"measure": name, "n": len(x), "seconds": best, "value": float(value)}), flush=True)


main()
