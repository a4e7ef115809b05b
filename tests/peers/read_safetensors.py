#!/usr/bin/env python3
"""read_safetensors.py FILE: what Python's own safetensors package finds in a model, for a test to compare with.

A line a tensor, sorted by name: name, dtype, shape, sum of the elements (in double), tab separated; then the metadata.
"""
import sys

import numpy
from safetensors import SafetensorError, safe_open

if len(sys.argv) != 2:
    sys.exit(__doc__)
try:
    with safe_open(sys.argv[1], framework="numpy") as model:
        for name in sorted(model.keys()):
            tensor = model.get_tensor(name)
            shape = "x".join(map(str, tensor.shape)) or "scalar"
            print(name, tensor.dtype.name, shape, repr(float(tensor.sum(dtype=numpy.float64))), sep="\t")
        for key, value in sorted((model.metadata() or {}).items()):
            print("metadata", key, value, sep="\t")
except (OSError, SafetensorError) as error:
    sys.exit(f"read_safetensors: {sys.argv[1]}: {error}")
