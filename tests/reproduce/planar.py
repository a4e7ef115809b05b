"""Continuous flows of M units against K = M planar ones on the potentials of Rezende and Mohamed (Chen et al. 2018)."""
import pathlib
import subprocess
import sys

from common import ROOT, check, mean, read_csv, verdict, write_csv

POTENTIALS, WIDTHS, SEEDS = (1, 2, 3, 4), (2, 8, 32), (1, 2, 3)
UPDATES = 4000
PROTOCOL = f"""\
KL(q || p) in nats, p = e^-U / Z with Z by quadrature; a wall beyond |z| = 4 makes the three open potentials densities.
M gated units whose weights a hypernetwork (1-32-32) gives as functions of time, as in the paper, against K planar
flows. Both alike: {UPDATES} updates of Adam, 256 draws each, a cosine schedule from 1e-2, gradients clipped to norm 1,
U annealed over the first half as Rezende and Mohamed do (without it modes are lost). Dopri5 with tolerance 1e-3 trains
the continuous flow, with 1e-6 measures it: nothing is won by a solver's error. 51,200 fresh draws measure. The paper
draws figures without a table, and gives 10,000 updates of Adam to the first and 500,000 of RMSprop to the second.
"""


def kl(folder, model, potential, width, seed):
    """Computed once a folder."""
    words = [str(word) for word in (model, potential, width, seed, UPDATES)]
    file = folder / f"{'-'.join(words)}.csv"
    if not file.is_file():
        out = subprocess.run([ROOT / "build/tests/reproduce/reproduce_planar", *words], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        file.write_text(out)
    return float(read_csv(file)[0]["kl"])


def main(folder):
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    rows, held = [], []
    for potential in POTENTIALS:
        for width in WIDTHS:
            means = {}
            for model in ("cnf", "planar"):
                found = [kl(folder, model, potential, width, seed) for seed in SEEDS]
                rows += [(potential, width, model, seed, v) for seed, v in zip(SEEDS, found)]
                means[model] = mean(found)
            held.append(check(f"U{potential}, {width} units, KL: continuous at or below planar", means["cnf"],
                              means["planar"]))
    write_csv(folder / "results.csv", ["potential", "width", "model", "seed", "kl"], rows)
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
