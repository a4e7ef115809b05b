"""Weights that evolve in time (ANODEV2, Zhang et al. 2019) against constant ones with as many parameters."""
import pathlib
import sys

from common import COLOURS, check, compute, draw, verdict

SEEDS = (1, 2, 3)
PROTOCOL = """\
dy/dt = f(y) in the plane, one hidden layer of tanh, is to carry 512 points to where two shears carry them, (x + sin 2y,
y) and then (x, y + sin 2x); 512 others are held out. Constant weights: 18 hidden units, 92 parameters. Evolving ones:
16 units, and for each layer d, v and r of dw/dt = tanh(d w'' + v w' + r w), 88 parameters, d = v = r = 0 to begin with.
RK4 in 8 steps, Adam for 1500 updates on all points, the rate from 0.02 down along a cosine; 3 seeds. Nothing was
published on this task: what is shown is that weights in motion do what constant ones of that size do not.
"""


def main(folder):
    print(PROTOCOL, flush=True)
    rows = {(kind, s): compute(folder, "anodev2", kind, str(s)) for kind in ("constant", "evolving") for s in SEEDS}
    last = {key: float(all_rows[-1]["test"]) for key, all_rows in rows.items()}
    print(f"held-out root mean square error\n  {'weights':12}{'parameters':>12}"
          + "".join(f"{f'seed {s}':>10}" for s in SEEDS))
    for kind in ("constant", "evolving"):
        print(f"  {kind:12}{rows[kind, 1][0]['params']:>12}" + "".join(f"{last[kind, s]:>10.4f}" for s in SEEDS))
    curves = [f"'anodev2-{kind}-{s}.csv' using 'update':'test' with lines lw 2 lc rgb '{COLOURS[i]}' "
              + (f"title '{kind}'" if s == 1 else "notitle")
              for i, kind in enumerate(("constant", "evolving")) for s in SEEDS]
    draw(folder, "anodev2", "set datafile separator ','\nset datafile columnheaders\nset logscale y\n"
         "set tics nomirror\nset border 3 lc rgb '#aaaaaa'\nset xlabel 'update'\nset ylabel 'held-out RMSE'\nplot "
         + ", \\\n  ".join(curves) + "\n", 760, 440)
    print("\ntargets")
    held = [check(f"seed {s}: evolving below constant, with no more parameters", last["evolving", s],
                  last["constant", s], strict=True) for s in SEEDS]
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
