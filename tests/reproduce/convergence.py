"""Orders of convergence: every method of the library, without and with McCallum and Foster's coupling."""
import collections
import math
import pathlib
import sys

from common import COLOURS, check_near, compute, draw, verdict, write_csv

BASES = ("euler", "midpoint", "ralston3", "rk4")  # of the published figure
AUTHORS = 0.999  # their lambda
CLEAN = (1.0, 0.5)
EPSILON = 2.0 ** -52
PROTOCOL = f"""\
McCallum and Foster (arXiv 2410.11648) show the error of y' = y/2, y(0) = 1, at T = 5 over h = 1 ... 1/32 for Euler,
midpoint, Ralston's third order and RK4, each alone and inside of their coupling: a figure without numbers, whose claim
is that the order of the base is kept. Here the same, at their code's default lambda = {AUTHORS}, and beside it every
method of the library on a field that sees time, y1' = y2 cos 2t + sin 3t, y2' = -tanh(y1 + t^2/2) - t y2/2, T = 2, from
8 initial values (Verlet and symplectic Euler: q'' = -sin q + cos(2t)/2). All in doubles; halving events in 64 bit.
The error is the Euclidean distance at T, the order the slope over the last three halvings of h whose error is above 60
roundings times sqrt(N). Methods of order 5 have so small a constant of h^5 that h^6 shows until rounding takes over:
they run to T = 5, and of their last two slopes s1, s2 the order is 2 s2 - s1, extrapolated to h = 0. Order 8 leaves
too few halvings between h^9 and rounding for a slope: for information (its order conditions are a unit test).
Which lambda: with a base of odd order the error constant changes its sign between lambda = 1 and about 0.9 where
lambda^N is neither 1 nor 0, so no slope there is the order; targets are set at lambda = 1 and 1/2 (of the figure, over
Euler and Ralston, at 1), the rest is information. A leapfrog damped in every step (eta < 1, lambda = 2 eta - 1) is of
order 1.
"""


def series(rows):
    """Steps, h and errors above rounding by (field, family, base, lambda, halve_every)."""
    runs = collections.defaultdict(list)
    for row in rows:
        key = (row["field"], row["family"], row["base"], float(row["lambda"]), int(row["halve_every"]))
        runs[key].append((int(row["steps"]), float(row["h"]), float(row["error"]), int(row["order"])))
    return runs


def slopes(run, halve_every, to_h=0.0):
    # Fixed point rounds each increment at 2^-52 of a state of a few units: seven times a float's rounding of a sum.
    floor = 60 * EPSILON * (7 if halve_every else 1)
    kept = []
    for steps, h, error, _ in run:
        if h < to_h or error < floor * math.sqrt(steps):
            break
        kept.append((math.log2(h), math.log2(error)))
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(kept, kept[1:])]


def order(run, key, to_h=0.0):
    s = slopes(run, key[4], to_h)
    if len(s) < 2:
        return math.nan
    return 2 * s[-1] - s[-2] if run[0][3] >= 5 else sum(s[-3:]) / len(s[-3:])


def label(key):
    _, family, base, damping, halve_every = key
    name = {"runge_kutta": base, "mccallum_foster": f"McCallum-Foster over {base}"}.get(family, family)
    note = f", halved every {halve_every}" if halve_every else f", lambda {damping:g}" if damping != 1 else ""
    return name.replace("_", " ") + note


def gated(key, theory):
    field, family, _, damping, halve_every = key
    if theory > 5 or (family == "alf" and damping < 1):
        return False
    return field == ("driven_longer" if theory == 5 else "pendulum" if family in ("verlet", "symplectic_euler") else
                     "driven") and damping in CLEAN and halve_every in (0, 4)


def picture(folder, runs):
    write_csv(folder / "figure.csv", ["base", "coupled", "h", "error"],
              [(base, int(family != "runge_kutta"), h, error) for base in BASES
               for family, damping in (("runge_kutta", 1.0), ("mccallum_foster", AUTHORS))
               for steps, h, error, _ in runs["growing", family, base, damping, 0] if h >= 1 / 32])
    lines = []
    for base, colour in zip(BASES, COLOURS):
        for coupled, style in ((0, "dt 2 pt 4"), (1, "dt 1 pt 7")):
            title = "notitle" if not coupled else f"title '{base}'"
            lines.append(f"'figure.csv' using (strcol('base') eq '{base}' && column('coupled') == {coupled} ? "
                         f"column('h') : NaN):'error' with linespoints lw 2 ps 0.8 {style} lc rgb '{colour}' {title}")
    draw(folder, "convergence", "set datafile separator ','\nset datafile columnheaders\n"
         "set border 3 lc rgb '#888888'\n"
         "set tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\nset logscale xy 2\n"
         "set logscale y 10\nset format y '10^{%T}'\nset xtics ('1' 1, '1/2' 0.5, '1/4' 0.25, '1/8' 0.125, "
         "'1/16' 0.0625, '1/32' 0.03125)\nset xrange [0.028:1.1]\nset key bottom right\nset xlabel 'step h'\n"
         f"set ylabel 'error at T = 5'\nset title \"y' = y/2: dashed alone, solid reversible, lambda {AUTHORS}\"\n"
         "plot " + ", \\\n  ".join(lines) + "\n", 700, 450)


def main(folder):
    print(PROTOCOL, flush=True)
    runs = series(compute(folder, "convergence"))
    table = []
    print("measured orders: the field of the figure, of the target, and the error there with 160 steps")
    print(f"{'method':56} {'theory':>6} {'growing':>8} {'driven':>8} {'error':>9}")
    for key, run in runs.items():
        if key[0] == "growing":
            continue
        theory = run[0][3]
        if key[0] != "pendulum" and key[0] != ("driven_longer" if theory >= 5 else "driven"):
            continue
        first = runs.get(("growing", *key[1:]))
        there = order(first, key) if first else math.nan
        error = next(e for steps, _, e, _ in run if steps == 160)
        table.append((label(key), key[0], theory, order(run, key), there, error, int(gated(key, theory))))
        print(f"{label(key):56} {theory:6} {there:8.2f} {order(run, key):8.2f} {error:9.1e}"
              f"{'' if gated(key, theory) else '   information'}")
    write_csv(folder / "orders.csv", ["method", "field", "theory", "order", "order_growing", "error_160", "target"],
              table)
    picture(folder, runs)
    print("\ntargets: within 0.1 of theory")
    held = []
    for base in BASES:
        clean = AUTHORS if runs["growing", "runge_kutta", base, 1.0, 0][0][3] % 2 == 0 else 1.0
        for family, damping in (("runge_kutta", 1.0), ("mccallum_foster", clean)):
            key = ("growing", family, base, damping, 0)
            held.append(check_near(f"the figure, h >= 1/32: {label(key)}", order(runs[key], key, 1 / 32),
                                   runs[key][0][3], 0.1))
    worst = max((row for row in table if row[-1]), key=lambda row: abs(row[3] - row[2]))
    held += [check_near(f"{row[1]}: {row[0]}", row[3], row[2], 0.1) for row in table if row[-1]]
    print(f"worst of {sum(row[-1] for row in table)}: {worst[0]}, {worst[3]:.3f} for {worst[2]}")
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
