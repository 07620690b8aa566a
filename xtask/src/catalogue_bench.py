"""The measures of core/examples/catalogue_bench.rs by other packages, on the same series. One JSON line per measure, package and
file; `value` is in our unit, or null where the package computes something that is near and not the same.

python catalogue_bench.py BUDGET FILE.npy...
A call that took so long that the next file would not fit the budget (seconds) is not made.
"""

import json
import logging
import sys
import time
import warnings

logging.disable(logging.INFO)
warnings.simplefilter("ignore")

import antropy
import EntropyHub
import infomeasure
import numpy as np
import ordpy
import scipy.spatial
import scipy.special
import scipy.stats
from sklearn.feature_selection import mutual_info_regression
from sklearn.metrics import mutual_info_score

RUNS, ENOUGH = 9, 2.0
LN2 = np.log(2)
MAX_FACT = np.log2(120)


def kl_by_scipy(d):
    x = d["x"]
    tree = scipy.spatial.cKDTree(x[:, None])
    eps = tree.query(x[:, None], k=5, p=np.inf)[0][:, -1]
    n = len(x)
    return (scipy.special.digamma(n) - scipy.special.digamma(4) + LN2 + np.log(eps).mean()) / LN2


def kde_by_scipy(d):
    x = d["x"]
    return -np.log2(scipy.stats.gaussian_kde(x)(x)).mean()


def spectral_by_scipy(d):
    import scipy.signal

    p = scipy.signal.periodogram(d["x"])[1]
    p = p / p.sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def histogram_by_numpy(d):
    counts = np.histogram(d["x"], bins="fd")[0]
    return scipy.stats.entropy(counts, base=2)


def renyi_by_numpy(d):
    counts = np.unique(d["i"], return_counts=True)[1]
    return -np.log2(((counts / counts.sum()) ** 2).sum())


def im(name, approach, *keys, **more):
    call = getattr(infomeasure, name)
    return lambda d: call(*(d[k] for k in keys), approach=approach, base=2, **more)


# The row, the package, the call, the longest series, and the power with which its cost grows.
CASES = [
    ("perm, order 5", "antropy", lambda d: antropy.perm_entropy(d["x"], order=5, delay=1), 1_000_000, 1),
    ("perm, order 5", "ordpy", lambda d: ordpy.permutation_entropy(d["x"], dx=5) * MAX_FACT, 100_000, 1),
    ("perm, order 5", "EntropyHub", lambda d: EntropyHub.PermEn(d["x"], m=5, Logx=2)[0][-1], 10_000, 1),
    ("perm, order 5", "infomeasure", im("entropy", "ordinal", "x", embedding_dim=5, stable=True), 100_000, 1),
    ("perm.weighted, order 5", "ordpy", lambda d: ordpy.weighted_permutation_entropy(d["x"], dx=5) * MAX_FACT, 100_000, 1),
    ("plane, order 5", "ordpy", lambda d: ordpy.complexity_entropy(d["x"], dx=5)[1], 100_000, 1),
    ("lz76", "antropy", lambda d: antropy.lziv_complexity(d["b"]), 100_000, 2),
    ("sampen", "antropy", lambda d: antropy.sample_entropy(d["x"], order=2), 100_000, 2),
    ("sampen", "EntropyHub", lambda d: EntropyHub.SampEn(d["x"], m=2, r=0.2 * d["x"].std())[0][-1], 10_000, 2),
    ("apen", "antropy", lambda d: antropy.app_entropy(d["x"], order=2), 10_000, 2),
    ("fuzzen", "EntropyHub", lambda d: EntropyHub.FuzzEn(d["x"], m=2, r=(0.2 * d["x"].std(), 2))[0][-1], 3_000, 2),
    ("dispersion", "EntropyHub", lambda d: EntropyHub.DispEn(d["x"], m=2, c=6)[0], 100_000, 1),
    ("bubble, m 6", "EntropyHub", lambda d: EntropyHub.BubbEn(d["x"], m=6)[0][-1], 10_000, 1),
    ("slope", "EntropyHub", lambda d: EntropyHub.SlopEn(d["x"], m=3, Lvls=(5, 45))[-1], 100_000, 1),
    ("spectral", "antropy", lambda d: antropy.spectral_entropy(d["x"], 1.0, method="fft"), 1_000_000, 1),
    ("spectral", "scipy", spectral_by_scipy, 1_000_000, 1),
    ("svd", "antropy", lambda d: antropy.svd_entropy(d["x"], order=3, delay=1), 1_000_000, 1),
    ("diff.kl", "scipy", kl_by_scipy, 100_000, 1),
    ("diff.kl", "infomeasure", im("entropy", "metric", "x", k=4, noise_level=0), 100_000, 1),
    ("diff.vasicek", "scipy", lambda d: scipy.stats.differential_entropy(d["x"], method="vasicek") / LN2, 1_000_000, 1),
    ("diff.kde_resub", "scipy", kde_by_scipy, 10_000, 2),
    ("mi.ksg1", "infomeasure", im("mutual_information", "ksg", "x", "y", k=4, noise_level=0), 10_000, 1),
    # Scales both columns and adds noise: another number.
    ("mi.ksg1", "scikit-learn", lambda d: (mutual_info_regression(d["x"][:, None], d["y"], n_neighbors=4), None)[1], 10_000, 1),
    ("te.ksg", "infomeasure", im("transfer_entropy", "metric", "x", "y", k=4, noise_level=0), 10_000, 1),
    ("mi.plugin", "scikit-learn", lambda d: mutual_info_score(d["i"], d["j"]) / LN2, 1_000_000, 1),
    ("mi.plugin", "infomeasure", im("mutual_information", "discrete", "i", "j"), 1_000_000, 1),
    ("te.plugin", "infomeasure", im("transfer_entropy", "discrete", "i", "j"), 100_000, 1),
    ("shannon, bytes", "scipy", lambda d: scipy.stats.entropy(np.bincount(d["bytes"], minlength=256), base=2), 1_000_000, 1),
    ("shannon, bytes", "infomeasure", im("entropy", "discrete", "bytes"), 1_000_000, 1),
    ("shannon, integers", "scipy", lambda d: scipy.stats.entropy(np.unique(d["i"], return_counts=True)[1], base=2), 1_000_000, 1),
    ("shannon, integers", "infomeasure", im("entropy", "discrete", "i"), 1_000_000, 1),
    ("grassberger", "infomeasure", im("entropy", "grassberger", "i"), 1_000_000, 1),
    ("renyi", "numpy", renyi_by_numpy, 1_000_000, 1),
    ("hist.entropy", "numpy", histogram_by_numpy, 1_000_000, 1),
]


def data(x):
    n = len(x)
    y = 0.6 * x + 0.8 * np.roll(x, -(n // 2))
    return {
        "x": x,
        "y": y,
        "i": np.floor(2 * x).astype(np.int64),
        "j": np.floor(2 * y).astype(np.int64),
        "b": (x >= np.median(x)).astype(np.uint8),
        "bytes": np.clip(np.floor(32 * x + 128), 0, 255).astype(np.uint8),
    }


def main():
    budget = float(sys.argv[1])
    rate = {}
    warm = data(np.random.default_rng(0).standard_normal(600))
    for _, _, run, _, _ in CASES:
        run(warm)
    for path in sys.argv[2:]:
        x = np.load(path)
        d = data(x)
        for name, library, run, most, power in CASES:
            n, key = len(x), (name, library)
            if n > most:
                continue
            if key in rate and rate[key] * n**power > budget:
                line = {"measure": name, "library": library, "n": n, "seconds": None, "expected": rate[key] * n**power}
                print(json.dumps(line), flush=True)
                continue
            best, began = float("inf"), time.perf_counter()
            for _ in range(RUNS):
                start = time.perf_counter()
                value = run(d)
                best = min(best, time.perf_counter() - start)
                if time.perf_counter() - began > ENOUGH:
                    break
            rate[key] = best / n**power
            value = None if value is None else float(value)
            line = {"measure": name, "library": library, "n": n, "seconds": best, "value": value}
            print(json.dumps(line), flush=True)


main()
