"""What the timing scripts share. Import it before torch or jax: it restarts Python in the best configuration."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time


def best_configuration():
    """One thread, and each library's fastest kernels for this processor."""
    wanted = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
              "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
              # a choice of OpenBLAS's kernels left in the environment can halve its speed, and torch's with it
              "OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    # torch 1.13 takes AVX2 unless told, and silently no vectors at all where the value is wrong
    has_avx512 = all(f in flags for f in ("avx512f", "avx512bw", "avx512vl", "avx512dq", "fma"))
    wanted["ATEN_CPU_CAPABILITY"] = "avx512" if has_avx512 else None
    if any(os.environ.get(k) != v for k, v in wanted.items()):
        clean = {k: v for k, v in os.environ.items() if k not in wanted}
        clean.update({k: v for k, v in wanted.items() if v is not None})
        os.execve(sys.executable, [sys.executable, *sys.argv], clean)


def versions(peer):
    """The peer by name and version, and the vector instructions torch chose."""
    if peer == "diffrax":
        import diffrax
        import jax
        return {"peer": peer, "version": diffrax.__version__, "engine": f"jax {jax.__version__}"}
    import torch
    import torchdiffeq
    kernels = [line.split()[-1] for line in torch.__config__.show().splitlines() if "CPU capability" in line]
    engine = " ".join(["torch", torch.__version__, *kernels])
    return {"peer": peer, "version": torchdiffeq.__version__, "engine": engine}


def options(about):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--peer", choices=("torchdiffeq", "diffrax"), default="torchdiffeq")
    parser.add_argument("--rounds", type=int, default=1, help="lines to print; a newline on stdin begins the next")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU time a round spends on each case")
    parser.add_argument("--cases", default="", help="names of cases, comma separated; all without it")
    return parser


def choose(cases, names):
    wanted = names.split(",") if names else list(cases)
    unknown = [n for n in wanted if n not in cases]
    if unknown:
        sys.exit(f"{os.path.basename(sys.argv[0])}: unknown case {unknown[0]}; there are {', '.join(cases)}")
    return {n: cases[n] for n in wanted}


def measure(run, seconds, least=3):
    """CPU milliseconds of one call of run: median and minimum. run returns what it counted."""
    times = []
    while len(times) < least or sum(times) < seconds:
        begin = time.process_time_ns()
        counted = run()
        times.append((time.process_time_ns() - begin) * 1e-9)
    return {"ms": round(statistics.median(times) * 1e3, 4), "min_ms": round(min(times) * 1e3, 4), "calls": len(times),
            **counted}


def serve(head, cases, args, warm=10):
    """Measures every case once a round and prints a line a round."""
    for run in cases.values():
        begin = time.process_time()
        for _ in range(warm):
            run()
            if time.process_time() - begin > 3:
                break
    for n in range(1, args.rounds + 1):
        if n > 1 and not sys.stdin.readline():
            return
        result = {name: measure(run, args.seconds) for name, run in cases.items()}
        print(json.dumps({**head, "round": n, "cases": result}), flush=True)
