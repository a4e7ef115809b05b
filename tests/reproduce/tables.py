"""Real tables: test -log p of normalizing flows against a Gaussian and a Gaussian mixture."""
import json
import os
import pathlib
import subprocess
import sys

from common import ROOT, check, data_file, fit_density, mean, verdict, write_csv

SEEDS = (1, 2, 3)
TABLES = {
    "power-plant": {"file": "uci-tabular/power-plant.txt.xz", "columns": "1-5", "epochs": 100},
    "magic04": {"file": "uci-tabular/magic04.csv.xz", "columns": "1-10", "epochs": 25},
}
EQUAL = {"hidden": "64,64", "steps": 5, "patience": 12}
PROTOCOL = """\
UCI combined cycle power plant (9,568 x 5) and MAGIC gamma telescope (19,020 x 10, without its class). Test is every
tenth row, columns are standardised by the others; of those every tenth is held out and says when to stop. -log p in
nats of standardised test rows. The Gaussian has full covariance, the mixture 10 components, best of 3 starts, both by
scikit-learn on all rows that are not test. A seed is that of weights and order, or of the mixture's start.
"""


def peers(table):
    """The Gaussian's and the mixture's figures, or exit code 3: without scikit-learn nothing was compared."""
    python = pathlib.Path(os.environ.get("REVODE_PEERS", ROOT / ".venv-peers")) / "bin/python"
    if not python.is_file():
        print(f"not run: {python} is missing: tests/peers/setup makes it")
        sys.exit(3)
    script = ROOT / "tests/peers/gaussian_mixture.py"
    out = subprocess.run([python, script, data_file(table["file"]), "--columns", table["columns"]], check=True,
                         stdout=subprocess.PIPE, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}).stdout
    return json.loads(out)


def main(folder):
    print(PROTOCOL, flush=True)
    held, rows = [], []
    for name, table in TABLES.items():
        known = peers(table)
        flows = [fit_density(folder / f"{name}-seed-{seed}", data=data_file(table["file"]), columns=table["columns"],
                             epochs=table["epochs"], seed=seed, **EQUAL)["nll"] for seed in SEEDS]
        average, mixture, gaussian = mean(flows), mean(known["mixture"]), known["gaussian"][0]
        error = (sum((v - average) ** 2 for v in flows) / (len(flows) - 1) / len(flows)) ** 0.5
        rows += [(name, "flow", seed, nll) for seed, nll in zip(SEEDS, flows)]
        rows += [(name, "mixture", seed, nll) for seed, nll in enumerate(known["mixture"], 1)]
        rows.append((name, "gaussian", 0, gaussian))
        print(f"{name}: flow {average:.4f} +- {error:.4f} over seeds, mixture {mixture:.4f}, Gaussian {gaussian:.4f}")
        held.append(check(f"{name}: 0.1 nats below the Gaussian", average, gaussian - 0.1))
        held.append(check(f"{name}: below the mixture by more than two standard errors", average, mixture - 2 * error,
                          strict=True))
    write_csv(folder / "results.csv", ["table", "model", "seed", "nll"], rows)
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
