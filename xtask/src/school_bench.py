"""Seconds of one step of dewi-kadita, alone and with its metrics, Numba warm, one thread. One JSON line a case, as
core/examples/school_bench.rs prints them."""

import json
import time

from dewi_kadita.core.metrics import compute_all_metrics
from dewi_kadita.core.solver import CouzinSolver
from dewi_kadita.core.systems import CouzinSystem

RUNS, STEPS = 3, {150: 60, 250: 30, 1000: 4}


def main():
    solver = CouzinSolver(dt=0.1)
    solver.solve(CouzinSystem(n_fish=50, seed=1), n_steps=2, verbose=False)
    for count, steps in STEPS.items():
        for measured in (False, True):
            best = float("inf")
            for run in range(RUNS):
                system = CouzinSystem(n_fish=count, seed=42 + run)
                compute_all_metrics(*system.get_state(), system.box_size)
                start = time.perf_counter()
                result = solver.solve(system, n_steps=steps, verbose=False)
                if measured:
                    for positions, velocities in zip(result["positions"][1:], result["velocities"][1:]):
                        compute_all_metrics(positions, velocities, system.box_size)
                best = min(best, (time.perf_counter() - start) / steps)
            name = "school with entropies" if measured else "school"
            print(json.dumps({"measure": name, "n": count, "seconds": best}), flush=True)


main()
