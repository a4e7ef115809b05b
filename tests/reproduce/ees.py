"""Effectively symmetric Runge-Kutta methods (EES): the inverse-square orbit and the galactic orbit, digit for digit."""
import pathlib
import sys

from common import COLOURS, check, check_near, compute, draw, verdict

# Published: error at the end, error back at the beginning, milliseconds (Python); None: not published there.
ORBIT = {
    "ees25_quarter": ("EES(2,5; 1/4)", .04923, 3.21e-5, 9.8),
    "ees25": ("EES(2,5; 1/10)", .030921, 7.86e-7, 8.2),
    "ees27": ("EES(2,7; (5 - 3 sqrt 2)/14)", .015041, 4.95e-10, 16.9),
    "rk4": ("RK4", None, None, None),
    "mf_midpoint": ("McCallum-Foster over midpoint, .999", None, None, None),
    "mf_rk4": ("McCallum-Foster over RK4, .999", None, None, None),
    "alf": ("asynchronous leapfrog", None, None, None),
    "mf_rk4_exact": ("McCallum-Foster over RK4, exact, K = 4", None, None, None),
    "alf_exact": ("asynchronous leapfrog, exact", None, None, None),
}
HALF_DIGIT = {"ees25_quarter": (5e-6, 5e-8), "ees25": (5e-7, 5e-10), "ees27": (5e-7, 5e-13)}
# Further digits, of a C++ program written before and apart from the library.
DIGITS = {"ees25": (.03092094771, 7.86393e-7), "ees27": (.01504064575, 4.95425e-10)}
HALF_FURTHER = {"ees25": (5e-12, 5e-13), "ees27": (5e-12, 5e-16)}
ROUNDING = 2e-13  # 200 steps of some ten roundings of 1e-16, stretched by the orbit's length at most
# Published "MAE_H", points in the Poincare section, minutes (Python).
GALAXY = {"rk4": ("RK4", 1.0810e-7, 47004, 98), "ees27": ("EES(2,7)", 8.9597e-12, 47103, 92),
          "ees25": ("EES(2,5; 1/10)", None, None, None)}
EXACT_POINTS = 47101
PROTOCOL = """\
Shmelev, Ebrahimi-Fard, Tapia and Salvi (arXiv 2507.21006). Inverse-square orbit: q'' = -q/|q|^3 from (1, 0, 0, 1), 100
steps of h = 0.1 there and back by the step with -h (bijective methods: undone), Euclidean errors; published are the
notebook's digits and times. Galactic orbit: logarithmic potential a = 1.25, b = 1, c = 0.75, A = C = 1, Omega = 1/4,
from p = (0, 1.6888370059044757, 0.2), q = (2.5, 0, 0), 40,000,000 steps of h = 1/40. The published "mean absolute
error" of the energy sums every 107th sample and divides by the number of all steps; both that and the mean over all
steps, some 107 times as large, are shown. Points are where q2 rises through 0 at q1 > 0, the start included.
Differences: doubles of another program and machine, so roundings differ, and after 4e7 steps of EES(2,7), whose error
is 1e-9, show in the fourth digit. Published times are of interpreted Python, on a machine that is not named.
"""


def shown(value, form):
    return "-" if value is None else format(value, form)


def orbit(folder):
    rows = {row["method"]: row for row in compute(folder, "ees", "orbit")}
    print(f"inverse-square orbit\n{'method':40} {'end':>9} {'measured':>13} {'back':>9} {'measured':>12} {'ms':>6} "
          f"{'measured':>9}")
    held = []
    for method, (label, end, back, time) in ORBIT.items():
        row = [float(rows[method][k]) for k in ("end", "recovery", "seconds")]
        print(f"{label:40} {shown(end, '9.6g'):>9} {row[0]:13.10f} {shown(back, '.3g'):>9} {row[1]:12.5e} "
              f"{shown(time, '.1f'):>6} {row[2] * 1e3:9.3f}")
        if end:
            held += [(f"{label}, end", row[0], end, HALF_DIGIT[method][0]),
                     (f"{label}, back", row[1], back, HALF_DIGIT[method][1])]
        if method in DIGITS:
            held += [(f"{label}, {what}: all digits", row[i], DIGITS[method][i], HALF_FURTHER[method][i] + ROUNDING)
                     for i, what in enumerate(("end", "back"))]
    return rows, held


def picture(folder, rows):
    points = [(ORBIT[m][0], float(r["end"]), max(float(r["recovery"]), 1e-17)) for m, r in rows.items()]
    (folder / "points.tsv").write_text("".join(f"{label}\t{end}\t{back}\n" for label, end, back in points))
    draw(folder, "ees", "set datafile separator '\t'\nset border 3 lc rgb '#888888'\n"
         "set tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\nset logscale xy\nset xrange [8e-6:20]\n"
         "set yrange [3e-18:1e-3]\nset format x '10^{%T}'\nset format y '10^{%T}'\nset ytics add ('exactly 0' 1e-17)\n"
         "unset key\nset xlabel 'error at t = 10'\nset ylabel 'error back at t = 0'\n"
         f"plot 'points.tsv' using 2:3 with points pt 7 ps 0.8 lc rgb '{COLOURS[0]}', \\\n"
         "  '' using 2:3:1 with labels left offset 0.6,0.5 font ',8'\n", 800, 480)


def galaxy(folder):
    print(f"\ngalactic orbit, 4e7 steps (the exact number of points: {EXACT_POINTS})\n{'method':16} {'published':>10} "
          f"{'the same':>12} {'the mean':>10} {'points':>7} {'measured':>8} {'minutes':>7} {'seconds':>8}")
    rows = {}
    for method, (label, error, points, minutes) in GALAXY.items():
        row = {k: float(v) for k, v in compute(folder, "ees", "galaxy", method)[0].items() if k != "method"}
        rows[method] = row
        print(f"{label:16} {shown(error, '.4e'):>10} {row['published']:12.5e} {row['mean']:10.3e} "
              f"{shown(points, 'd'):>7} {row['crossings']:8.0f} {shown(minutes, 'd'):>7} {row['seconds']:8.1f}",
              flush=True)
    return rows


def main(folder):
    print(PROTOCOL, flush=True)
    rows, near = orbit(folder)
    picture(folder, rows)
    orbits = galaxy(folder)
    print("\ntargets: published digits, exact recovery, published orbits")
    held = [check_near(*one, digits=10) for one in near]
    held += [check(f"{ORBIT[m][0]}: back", float(rows[m]["recovery"]), 0, form=".1e")
             for m in ("mf_rk4_exact", "alf_exact")]
    for method, within in (("rk4", 5e-12), ("ees27", 5e-4 * 8.9597e-12)):  # half a digit; roundings of 4e7 steps
        label, error, points, _ = GALAXY[method]
        held += [check_near(f"galaxy, {label}, as published", orbits[method]["published"], error, within, 6),
                 check_near(f"galaxy, {label}, points", orbits[method]["crossings"], points, 0, 6)]
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
