"""Memory of the published ODENet's block against the steps: flat by reversal, linear where states are kept."""
import pathlib
import sys

from common import COLOURS, check, compute, draw, verdict

PROTOCOL = """\
The ODE block of the network on MNIST (64 x 6 x 6, two convolutions with time, three group norms), a tile of 16 images,
McCallum-Foster over the midpoint rule: 4 evaluations a step. Bytes are what the library asks for before the run, all
scratch included. `tape` is computed: what a framework's autograd keeps of each evaluation, the input of every layer and
the concatenation with t. Up to 16 steps the gradient is computed too: the ways must agree in every bit.
"""
LOOKS = {"reversed": "exact reversal", "checkpointed": "checkpointed, 4 slots", "stored": "stored states",
         "tape": "a framework's tape (computed)"}


def main(folder):
    print(PROTOCOL, flush=True)
    rows = compute(folder, "odenet_memory")
    size = {(r["way"], int(r["steps"])): int(r["bytes"]) for r in rows}
    steps = sorted({n for _, n in size})
    print(f"{'steps':>6}" + "".join(f"{title:>32}" for title in LOOKS.values()))
    for n in steps:
        print(f"{n:>6}" + "".join(f"{size[way, n] / 1e6:>29.2f} MB" for way in LOOKS))
    script = ("set datafile separator ','\nset datafile columnheaders\nset logscale xy 2\nset logscale y 10\n"
              "set key top left\nset xlabel 'steps'\nset ylabel 'MB, a tile of 16 images'\n"
              "set border 3 lc rgb '#aaaaaa'\n"
              "set tics nomirror\nset grid lc rgb '#e4e4e4'\nplot "
              + ", \\\n  ".join(f"'odenet_memory.csv' using (strcol('way') eq '{way}' ? column('steps') : NaN):"
                                f"(column('bytes') / 1e6) with linespoints lw 2 pt 7 ps .5 lc rgb '{COLOURS[i]}' "
                                f"title \"{title}\"" for i, (way, title) in enumerate(LOOKS.items())) + "\n")
    draw(folder, "odenet_memory", script, 800, 480)
    differ = sum(len({r["hash"] for r in rows if int(r["steps"]) == n and r["way"] != "tape"}) - 1 for n in steps)
    print("\ntargets")
    early, late = ((size["stored", b] - size["stored", a]) / (b - a) for a, b in ((4, 64), (64, 256)))
    held = [check("reversed: bytes at 256 steps over those at 4, less 1",
                  size["reversed", 256] / size["reversed", 4] - 1, 0.0),
            check("stored: bytes a step from 64 to 256 off those from 4 to 64, relative", abs(late / early - 1), 1e-3),
            check("reversed over a tape at 256 steps", size["reversed", 256] / size["tape", 256], 0.01),
            check("numbers of steps at which gradients differ in a bit", differ, 0, form="d")]
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
