#!/usr/bin/env python3
"""Writes data/*.json: numbers the C++ tests compare with, by PyTorch. Run in the environment that ./setup makes.

    fixtures.py [NAME...]     all, or some of: mlp_solve reversible readings adaptive gru jets optimisers philox
"""
import sys

from fixture import adaptive, cell, optimiser, philox, solve

MAKERS = {f.__name__: f for f in (solve.mlp_solve, solve.reversible, solve.readings, adaptive.adaptive, cell.gru,
                                  cell.jets, optimiser.optimisers, philox.philox)}

for name in sys.argv[1:] or MAKERS:
    if name not in MAKERS:
        sys.exit(f"fixtures: unknown name {name}; there are {' '.join(MAKERS)}")
    MAKERS[name]()
