"""Gaussian and Gaussian-mixture densities of a table, by scikit-learn: what a normalizing flow must be below.

    python gaussian_mixture.py FILE [--columns 1-5] [--components 10] [--seeds 3]

Every tenth row is test, columns are standardised by the others. One JSON line: -log p a test row in nats.
"""
import argparse
import gzip
import json
import lzma
import re

import numpy as np
from sklearn.mixture import GaussianMixture

OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def read(file, columns):
    opener = OPENERS.get(file[-3:], open)
    with opener(file, "rt") as lines:
        rows = [re.split(r"[,\s]+", line.strip()) for line in lines if line.strip()]
    first, last = (columns or f"1-{len(rows[0])}").split("-")
    cells = [row[int(first) - 1:int(last)] for row in rows]
    try:
        float(cells[0][0])
    except ValueError:
        cells = cells[1:]
    return np.array(cells, dtype=float)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("file")
    words.add_argument("--columns")
    words.add_argument("--components", type=int, default=10)
    words.add_argument("--seeds", type=int, default=3)
    words = words.parse_args()
    values = read(words.file, words.columns)
    tested = np.arange(len(values)) % 10 == 9
    known = values[~tested]
    train, test = ((part - known.mean(0)) / known.std(0) for part in (known, values[tested]))
    fits = {"gaussian": [GaussianMixture(1).fit(train)],
            "mixture": [GaussianMixture(words.components, n_init=3, max_iter=500, random_state=seed).fit(train)
                        for seed in range(words.seeds)]}
    print(json.dumps({name: [-float(fit.score(test)) for fit in models] for name, models in fits.items()}))


if __name__ == "__main__":
    main()
