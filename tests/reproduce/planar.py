"""Continuous flows of M units against K = M planar ones on the potentials of Rezende and Mohamed (Chen et al. 2018)."""
import concurrent.futures
import math
import os
import pathlib
import subprocess
import sys

from common import ROOT, check, mean, read_csv, verdict, write_csv

POTENTIALS, WIDTHS, SEEDS = (1, 2, 3, 4), (2, 8, 32), (1, 2, 3)
RATES = ("1e-2", "5e-3", "2e-3")
MODELS = (("cnf", 10000), ("planar", 10000), ("planar", 100000))  # and updates
PROTOCOL = f"""\
KL(q || p) in nats, p = e^-U / Z with Z by quadrature; a wall beyond |z| = 4 makes the three open potentials densities.
M gated units whose weights a hypernetwork (1-32-32) gives as functions of time, as in the paper, against K planar
flows. Both alike: Adam, 256 draws an update (of a shifted net, not independent: less noise at the same cost), gradients
clipped to norm 1, a cosine schedule, U annealed at first as Rezende and Mohamed do (without it modes are lost): over
four fifths of a continuous flow's updates and half of a planar one's, of these two what suits each better. Trainings of
either model drop modes or end in fields too stiff to solve, so each seed is trained at three peak rates,
{", ".join(RATES)}, and counts by the one with the least KL over 25,600 validation draws; 204,800 others measure it.
Updates: 10,000 of both, the paper's number for the continuous flow; beside it stand planar flows after ten times as many
(the paper gives them 500,000, by RMSprop). Dopri5 with tolerance 1e-3 trains the continuous flow, with 1e-6 measures it:
nothing is won by a solver's error. The paper draws figures without a table.
"""


def train(folder, model, updates, potential, width, seed, rate):
    """One training, computed once a folder: its row."""
    words = [str(word) for word in (model, potential, width, seed, rate, updates)]
    file = folder / f"{'-'.join(words)}.csv"
    if not file.is_file():
        out = subprocess.run([ROOT / "build/tests/reproduce/reproduce_planar", *words], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        file.write_text(out)
    return read_csv(file)[0]


def main(folder):
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    cells = [(potential, width) for width in WIDTHS for potential in POTENTIALS]
    pool = concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        trained = {(*model, *cell, seed): [pool.submit(train, folder, *model, *cell, seed, rate) for rate in RATES]
                   for cell in cells for model in MODELS for seed in SEEDS}
        rows, held = [], []
        for cell in cells:
            means = []
            for model in MODELS:
                found = [[rate.result() for rate in trained[(*model, *cell, seed)]] for seed in SEEDS]
                best = [min(rates, key=lambda row: float(row["validation"])) for rates in found]
                rows += [(*row.values(), int(row is kept)) for rates, kept in zip(found, best) for row in rates]
                means.append(mean(float(kept["kl"]) for kept in best))
            held.append(check(f"U{cell[0]}, {cell[1]} units, KL: continuous at or below planar", *means[:2], form=".5f")
                        and math.isfinite(means[0]))
            print(f"    planar after {MODELS[2][1]:,} updates {means[2]:.5f}", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
    write_csv(folder / "results.csv", ["potential", "width", "model", "seed", "rate", "updates", "validation", "kl",
                                        "chosen"], rows)
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
