"""MNIST by the published ODENet with the published schedule: days, which may be interrupted and gone on with."""
import pathlib
import sys

from mnist import reproduce

FULL = {"shift": 4, "schedule": "the rate 0.1 and a tenth of it from epochs 60, 100 and 140 on, of 160",
        "solver": "two steps of McCallum-Foster over the midpoint rule, reversed exactly"}

if __name__ == "__main__":
    reproduce(pathlib.Path(sys.argv[1]).absolute(), "mnist_full", FULL, .0042)
