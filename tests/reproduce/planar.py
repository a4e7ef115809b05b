"""Continuous flows of M units against K = M planar flows on the potentials of Rezende and Mohamed (Chen et al. 2018)."""
import pathlib
import subprocess
import sys

from common import ROOT, check, mean, verdict, write_csv

POTENTIALS, WIDTHS, SEEDS = (1, 2, 3, 4), (2, 8, 32), (1, 2, 3)
UPDATES = {"cnf": 3000, "planar": 6000}
PROTOCOL = """\
KL(q || p) in nats, p = e^-U / Z with Z by quadrature; a wall beyond |z| = 4 makes the three open potentials densities.
Adam with a cosine schedule from 1e-2, 256 draws an update, {cnf} updates of the continuous flow (concatsquash 2-M-2, RK4
in 8 steps) and {planar} of the K planar ones; 51,200 fresh draws measure. The paper draws its figures without a table, and
gives 10,000 updates of Adam to the first and 500,000 of RMSprop to the second.
"""


def kl(model, potential, width, seed):
    words = map(str, (model, potential, width, seed, UPDATES[model]))
    out = subprocess.run([ROOT / "build/tests/reproduce/reproduce_planar", *words], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return float(out.splitlines()[-1].split(",")[-1])


def main(folder):
    print(PROTOCOL.format(**UPDATES), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    rows, held = [], []
    for potential in POTENTIALS:
        for width in WIDTHS:
            means = {}
            for model in UPDATES:
                found = [kl(model, potential, width, seed) for seed in SEEDS]
                rows += [(potential, width, model, seed, v) for seed, v in zip(SEEDS, found)]
                means[model] = mean(found)
            held.append(check(f"U{potential}, {width} units, KL: continuous at or below planar", means["cnf"],
                              means["planar"]))
    write_csv(folder / "results.csv", ["potential", "width", "model", "seed", "kl"], rows)
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
