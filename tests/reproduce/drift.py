"""Drift of reversal in floats: gradients through reversal against gradients through stored states, and exact ways."""
import pathlib
import sys

from common import COLOURS, check, compute, draw, verdict, write_csv

NUMBERS = ("float", "double")
FIELDS = ("relaxing", "oscillator", "van_der_pol", "lorenz", "network")
STEPS = (100, 1000, 10000, 100000)
LAMBDAS = (0.5, 0.9, 0.99, 0.999, 1.0)
FLOATS = [("alf", 1.0), ("reversible_heun", 1.0), ("leapfrog", 1.0), ("ees25", 1.0), ("ees27", 1.0), ("rk4", 1.0)] + [
    (base, damping) for base in ("mf_euler", "mf_midpoint", "mf_rk4") for damping in LAMBDAS]
EXACT = [(m, 1.0) for m in ("exact_alf", "exact_mf_rk4_0", "exact_mf_rk4_4", "exact_mf_rk4_1", "tape_rk4",
                            "tape_rk4_ab")]
LABELS = {
    "alf": "asynchronous leapfrog", "reversible_heun": "reversible Heun", "leapfrog": "leapfrog", "ees25": "EES(2,5)",
    "ees27": "EES(2,7)", "rk4": "RK4 with -h", "mf_euler": "MF Euler", "mf_midpoint": "MF midpoint", "mf_rk4": "MF RK4",
    "exact_alf": "exact: asynchronous leapfrog", "exact_mf_rk4_0": "exact: MF RK4, no halving",
    "exact_mf_rk4_4": "exact: MF RK4, K = 4", "exact_mf_rk4_1": "exact: MF RK4, K = 1",
    "tape_rk4": "exact: RK4, tape", "tape_rk4_ab": "exact: RK4, tape by Adams-Bashforth",
}
# A table made before by a program apart from the library: relaxing, van der Pol, Lorenz, network; from other initial
# values and weights, so a cell may differ. Methods that are not here were not in it.
BEFORE = {"float": """
alf 1 #### .... .... ####
reversible_heun 1 .#.. .... .... ####
ees25 1 #... .... .... ####
ees27 1 #... .... .... ####
rk4 1 #... .... .... ####
mf_euler .5 .... .... .... ....
mf_euler .9 #... .... .... #...
mf_euler .99 .... .... .... ##..
mf_euler .999 .#.. .... .... ###.
mf_euler 1 ..## .... .... ####
mf_midpoint .5 .... .... .... ....
mf_midpoint .9 #... .... .... ....
mf_midpoint .99 #... .... .... ##..
mf_midpoint .999 ##.. .... .... ##..
mf_midpoint 1 #.#. .... .... ####
mf_rk4 .5 .... .... .... ....
mf_rk4 .9 #... .... .... #...
mf_rk4 .99 ##.. .... .... ##..
mf_rk4 .999 ##.. .... .... ##..
mf_rk4 1 ###. .... .... ####
exact_mf_rk4_4 1 #### .### .### ####
exact_mf_rk4_1 1 #### #### #### ####
tape_rk4 1 #### #### #### ####""", "double": """
alf 1 #### .... .... ####
reversible_heun 1 #### ...# .... ####
ees25 1 #### ..## .... ####
ees27 1 #### .### .... ####
rk4 1 #### ..## .... ####
mf_euler .5 .... .... .... ....
mf_euler .9 #... .... .... #...
mf_euler .99 ##.. .... .... ##..
mf_euler .999 ###. .... .... ###.
mf_euler 1 .... .... .... ####
mf_midpoint .5 .... .... .... ....
mf_midpoint .9 #... .... .... #...
mf_midpoint .99 ##.. .... .... ##..
mf_midpoint .999 ###. .... .... ###.
mf_midpoint 1 .... .... .... ####
mf_rk4 .5 .... .... .... ....
mf_rk4 .9 #... .... .... #...
mf_rk4 .99 ##.. .... .... ##..
mf_rk4 .999 ###. .#.. .... ###.
mf_rk4 1 .... .... .... ####
exact_mf_rk4_4 1 #### .### .### ####
exact_mf_rk4_1 1 #### #### #### ####
tape_rk4 1 #### #### #### ####"""}
PROTOCOL = """\
Loss (1/N) sum |y_n|^2 / 2 over the nodes; the error is of its gradient with respect to the parameters, through the
states that the walk back found, against the gradient through stored states of the same discretisation in the same
arithmetic: it is no error of discretisation. T is fixed, N steps: y' = 10 (c - y), T = 1; an oscillator, T = 10; van
der Pol's, mu = 2, T = 10; Lorenz', T = 5; a tanh network 8-32-8 of random weights, T = 10.
#: error at most 1e-2 at N = 1e2, 1e3, 1e4, 1e5, from left to right; a dot: more, or the way forward blew up or left its
range. In brackets what a program apart from the library had found before, where it had such a row and column.
MF: McCallum and Foster's coupling, by lambda. Exact: integers (32 bit beside float, 64 beside double), K steps between
halving events, 1/K bits a step and dimension; and the lossless tape on plain RK4 in floats. There the states at every
node and the gradient must have the bits of the stored solve, also where the way forward left its range (of a gradient
nothing is asked then). Stored and reversed solves of an exact row share the arithmetic, so its error is 0 or a mistake.
"""


def marks(rows, number, field, method):
    return "".join("#" if float(r["theta_bar"]) <= 1e-2 and r["status"] == "ok" else "."
                   for r in (rows[number, field, *method, steps] for steps in STEPS))


def before_table(number):
    table = {}
    for line in BEFORE[number].split("\n")[1:]:
        name, damping, *cells = line.split()
        table[name, float(damping)] = dict(zip((f for f in FIELDS if f != "oscillator"), cells))
    return table


def show(rows):
    for number in NUMBERS:
        before = before_table(number)
        print(f"{number:36}" + "".join(f"{field.replace('_', ' '):13}" for field in FIELDS))
        for method in FLOATS + EXACT:
            name = LABELS[method[0]] + (f" {method[1]:g}" if method[0].startswith("mf") else "")
            cells = []
            for field in FIELDS:
                old = before.get(method, {}).get(field)
                cells.append(marks(rows, number, field, method) + (f" [{old}]" if old else ""))
            print(f"{name:36}" + "".join(f"{cell:13}" for cell in cells))
        print()
    print("bits a step and dimension of the tape, and of all steps, N = " + ", ".join(f"{s:.0e}" for s in STEPS))
    for number in NUMBERS:
        for method in EXACT[-2:]:
            for field in FIELDS:
                bits = [float(rows[number, field, *method, s]["bits"]) for s in STEPS]
                print(f"{number:7} {LABELS[method[0]]:36} {field.replace('_', ' '):12}"
                      + " ".join(f"{b:8.3f}" for b in bits) + "   "
                      + " ".join(f"{b * s:8.0f}" for b, s in zip(bits, STEPS)))
    print("\nerror of the gradient, float: parameters, N = " + ", ".join(f"{s:.0e}" for s in STEPS))
    for field in ("relaxing", "lorenz", "network"):
        for method in (("alf", 1.0), ("ees27", 1.0), ("mf_rk4", 0.99), ("mf_rk4", 0.999), ("mf_rk4", 1.0),
                       ("exact_mf_rk4_1", 1.0), ("tape_rk4", 1.0)):
            print(f"{field:12} {LABELS[method[0]]:30} {method[1]:5g} "
                  + " ".join(f"{float(rows['float', field, *method, s]['theta_bar']):9.1e}" for s in STEPS))


def picture(folder, rows):
    curves = [("alf", 1.0), ("ees27", 1.0), ("mf_rk4", 0.99), ("mf_rk4", 0.999), ("mf_rk4", 1.0), ("tape_rk4", 1.0)]
    script = ("set datafile separator ','\nset datafile columnheaders\nset border 3 lc rgb '#888888'\n"
              "set tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\nset logscale xy\n"
              "set xrange [80:130000]\nset yrange [2e-10:3e3]\nset format x '10^{%T}'\nset format y '10^{%T}'\n"
              "set ytics 1e-8,100,1e2 add ('exactly 0' 1e-9, 'more' 900)\nset xlabel 'steps'\n"
              "set ylabel 'error of the gradient, float'\nset key at screen .73,.85 left top Left reverse samplen 2\n"
              "set multiplot layout 1,2 margins .1,.7,.16,.9 spacing .1\n")
    for field in ("relaxing", "network"):
        data = []
        for i, method in enumerate(curves):
            for steps in STEPS:
                error = float(rows["float", field, *method, steps]["theta_bar"])
                data.append((i, steps, min(max(error, 1e-9), 900) if error == error else 900))
        write_csv(folder / f"picture-{field}.csv", ["curve", "steps", "error"], data)
        lines = [f"'picture-{field}.csv' using (column('curve') == {i} ? column('steps') : NaN):'error' "
                 f"with linespoints lw 2 pt 7 ps 0.8 lc rgb '{COLOURS[i]}' title '{LABELS[m[0]]}"
                 f"{f' {m[1]:g}' if m[0].startswith('mf') else ''}'" for i, m in enumerate(curves)]
        script += (f"set title '{field}'\n{'' if field == 'relaxing' else 'unset key; set ylabel'}\nplot "
                   + ", \\\n  ".join(lines) + "\n")
    draw(folder, "drift", script + "unset multiplot\n", 1100, 450)


def main(folder):
    print(PROTOCOL, flush=True)
    rows = {}
    for number in NUMBERS:
        for row in compute(folder, "drift", number):
            rows[number, row["field"], row["method"], float(row["lambda"]), int(row["steps"])] = row
    show(rows)
    picture(folder, rows)
    exact = [r for r in rows.values() if (r["method"], float(r["lambda"])) in EXACT]
    drifting = [r for r in rows.values() if r not in exact]
    print("\ntargets")
    held = [check(f"{len(exact)} exact solves: nodes whose state did not come back",
                  sum(int(r["strayed"]) for r in exact), 0, form="d"),
            check("gradients that differ from the stored one in a bit",
                  sum(r["same"] != "1" for r in exact if r["status"] == "ok"), 0, form="d"),
            check("exact solves that failed", sum(r["status"] == "failed" for r in exact), 0, form="d"),
            check("tapes and halving in every step (K = 1): cells without a gradient",
                  sum(marks(rows, n, f, (m, 1.0)).count(".") for n in NUMBERS for f in FIELDS
                      for m in ("exact_mf_rk4_1", "tape_rk4", "tape_rk4_ab")), 0, form="d")]
    came_back = sum(r["status"] == "ok" and int(r["strayed"]) == 0 for r in drifting)
    print(f"  of {len(drifting)} solves in floats {came_back} came back to every state")
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
