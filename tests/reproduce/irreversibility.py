"""Irreversibility (ANODE): fields that forget where they began, walked back by every method and every way."""
import math
import pathlib
import sys

from common import COLOURS, check, check_near, compute, draw, verdict, write_csv

LABELS = {
    "euler": "Euler, -h",
    "rk4": "RK4, -h",
    "ees25": "EES(2,5), -h",
    "ees27": "EES(2,7), -h",
    "alf": "asynchronous leapfrog, undone in floats",
    "reversible_heun": "reversible Heun, undone in floats",
    "mf_rk4_.999": "McCallum-Foster RK4 .999, undone in floats",
    "mf_midpoint_.5": "McCallum-Foster midpoint .5, undone in floats",
    "stored_rk4": "RK4, every state stored",
    "checkpointed_rk4": "RK4, 5 checkpoints",
    "taped_euler": "Euler, tape",
    "taped_rk4": "RK4, tape",
    "taped_rk4_ab": "RK4, tape by Adams-Bashforth",
    "exact_alf": "asynchronous leapfrog, exact, 0 bits",
    "exact_mf_midpoint": "McCallum-Foster midpoint, exact, 1 bit",
    "exact_mf_rk4": "McCallum-Foster RK4, exact, 1/4 bit",
}
# Errors back at the beginning, of a C++ program written before and apart from the library (two digits).
BEFORE = {
    10: {"euler": ("0.63", "0.095", "0.010"), "rk4": ("1.4e-6", "1.4e-11", "1e-15"),
         "ees27": ("4.6e-10", "2e-15", "4e-16")},
    100: {"euler": ("1.0", "1.0", "0.63"), "rk4": ("3.7", "1.4e-5", "1.4e-10"),
          "ees27": ("4.7e-2", "4.6e-9", "8e-15")},
}
STEPS = (100, 1000, 10000)
TOLERANCES = ("1e-3", "1e-6", "1e-9")
OFF = 1e4  # the picture's upper edge
ROUNDING = 1e-13  # below it two programs need not agree
PROTOCOL = """\
Gholami, Keutzer and Biros (ANODE, arXiv 1902.10298) show that z' = -lambda^2 z and z' = -max(0, 10 z) cannot be solved
backwards, which the continuous adjoint does; figures, no table. z(0) = 1, T = 1, N steps of one size. "-h": the same
solver with the step reversed from z(T), as the continuous adjoint recovers its states. Of the exact ways, and of
stored and checkpointed states, the error is the largest at any node, of the others that at t = 0; beside it the error
forwards, for a method that comes back from a wrong z(T) has not solved the equation. Euler there and back is
(1 - lambda^4 h^2)^N in exact arithmetic. "range": the state grew out of its fixed-point range, which was said on the
way forward; the states still came back. Doubles, 64-bit integers. Under step control the continuous adjoint's way back
is another solve from z(T), with steps of its own; the tape stands on the steps that were taken.
"""


def show(rows):
    for field, rate in (("decay", 10), ("decay", 100), ("relu", 10)):
        print(f"z' = -{rate} z" if field == "decay" else f"z' = -max(0, {rate} z)")
        print(f"{'error back (error forwards)':48}" + "".join(f"{f'N = {n}':>24}" for n in STEPS))
        for method, label in LABELS.items():
            cells = []
            for steps in STEPS:
                row = rows[field, rate, steps, method]
                forwards = abs(float(row["end"]) - float(row["truth"]))
                back = "0" if float(row["back"]) == 0 else f"{float(row['back']):.1e}"
                cells.append(f"{back} ({forwards:.0e}{'' if row['status'] == 'ok' else ' ' + row['status']})")
            print(f"{label:48}" + "".join(f"{cell:>24}" for cell in cells))
        print()


def show_adaptive(rows):
    print("Dormand and Prince's 5(4) under step control, rtol = atol: error back (error forwards), steps")
    print(f"{'':48}" + "".join(f"{f'tolerance {t}':>24}" for t in TOLERANCES))
    for field, rate in (("decay", 10), ("decay", 100), ("relu", 10)):
        for method, label in (("rk45", "a solve of its own from z(T)"), ("taped_rk45", "tape")):
            cells = []
            for tolerance in TOLERANCES:
                row, = (r for r in rows.values() if (r["field"], int(r["rate"])) == (field, rate)
                        and r["method"] == f"{method}_{tolerance}")
                back = "0" if float(row["back"]) == 0 else f"{float(row['back']):.1e}"
                cells.append(f"{back} ({abs(float(row['end']) - float(row['truth'])):.0e}), {row['steps']}")
            print(f"{f'{field} {rate}, {label}':48}" + "".join(f"{cell:>24}" for cell in cells))
    print()


def picture(folder, rows):
    curves = (("euler", "Euler, -h"), ("rk4", "RK4, -h"), ("ees27", "EES(2,7), -h"),
              ("alf", "asynchronous leapfrog, floats"), ("mf_midpoint_.5", "McCallum-Foster midpoint .5, floats"),
              ("taped_rk4", "RK4, tape: exactly 0"))
    fields = (("decay", 100, "z' = -100 z"), ("relu", 10, "z' = -max(0, 10 z)"))
    script = ""
    for column, (field, rate, title) in enumerate(fields):
        data = [(i, steps, min(max(float(rows[field, rate, steps, method]["back"]), 1e-17), OFF))
                for i, (method, _) in enumerate(curves) for steps in STEPS]
        write_csv(folder / f"picture-{field}.csv", ["curve", "steps", "error"],
                  [(i, n, e if e == e else OFF) for i, n, e in data])
        lines = [f"'picture-{field}.csv' using (column('curve') == {i} ? column('steps') : NaN):'error' with linespoints "
                 f"lw 2 pt 7 ps {1.1 - .12 * i:.2f} lc rgb '{COLOURS[i]}' title '{label}'"
                 for i, (_, label) in enumerate(curves)]
        script += f'set title "{title}"\n{"set ylabel; unset key" if column else ""}\nplot ' + ", ".join(lines) + "\n"
    draw(folder, "irreversibility", "set datafile separator ','\nset datafile columnheaders\n"
         "set border 3 lc rgb '#888888'\nset tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\n"
         f"set logscale xy\nset xrange [80:13000]\nset yrange [1e-18:{10 * OFF}]\nset format y '10^{{%T}}'\n"
         f"set ytics 1e-15,1e5,1 add ('0' 1e-17, 'more' {OFF})\nset key at screen .68,.85 left top Left reverse samplen 2\n"
         "set xlabel 'steps'\nset ylabel 'error back at t = 0'\n"
         "set multiplot layout 1,2 margins .08,.65,.15,.9 spacing .06\n" + script + "unset multiplot\n", 1100, 380)


def main(folder):
    print(PROTOCOL, flush=True)
    rows = {(r["field"], int(r["rate"]), int(r["steps"]), r["method"]): r for r in compute(folder, "irreversibility")}
    show(rows)
    show_adaptive(rows)
    picture(folder, rows)
    print("targets")
    held = []
    for rate, methods in BEFORE.items():
        for i, steps in enumerate(STEPS):
            back = float(rows["decay", rate, steps, "euler"]["back"])
            exact = -math.expm1(steps * math.log1p(-min(1 - 1e-300, (rate / steps) ** 2))) if rate < steps else 1.0
            held.append(check_near(f"Euler, lambda^2 = {rate}, N = {steps}: 1 - (1 - lambda^4 h^2)^N", back, exact,
                                   1e-9, 8))
            for method, before in methods.items():
                digits = before[i].partition("e")[0]
                unit = 10.0 ** (int(before[i].partition("e")[2] or 0) - len(digits.partition(".")[2]))
                held.append(check_near(f"{LABELS[method]}, lambda^2 = {rate}, N = {steps}: as before",
                                       float(rows["decay", rate, steps, method]["back"]), float(before[i]),
                                       0.5001 * unit + ROUNDING, 3))
    for steps in STEPS:
        for method in ("euler", "rk4", "ees27"):
            held.append(check(f"ReLU, {LABELS[method]}, N = {steps}: as the linear field, difference",
                              abs(float(rows["relu", 10, steps, method]["back"])
                                  - float(rows["decay", 10, steps, method]["back"])), ROUNDING, form=".1e"))
    states = [row for row in rows.values() if row["kind"] == "states"]
    held.append(check(f"every way that promises the states, {len(states)} solves: largest error of any node",
                      max(float(row["back"]) if row["back"] != "nan" else math.inf for row in states), 0, form=".1e"))
    held.append(check("of them, solves that failed", sum(row["status"] == "failed" for row in states), 0, form="d"))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
