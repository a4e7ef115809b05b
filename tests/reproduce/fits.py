"""Two classic fits: SIR to the boarding-school influenza of 1978, Lotka-Volterra to the lynx and the hare."""
import csv
import pathlib
import sys

from common import COLOURS, check, data_file, draw, program, read_csv, verdict, write_csv

INFLUENZA = "influenza-boarding-school/boarding_school_1978.csv"
PELTS = "lynx-hare/hudson-bay-lynx-hare.csv"
MODELS = {
    "sir": ("SIR, boys in bed, of 763", {"beta": 1.7881, "gamma": .45570, "I0": 2.0934}, "RMSE", 16.013),
    "lotka_volterra": ("Lotka-Volterra, thousands of pelts", {"alpha": .5402, "beta": .02717, "gamma": .7964,
                                                              "delta": .02369}, "RMSE of logarithms", .2192),
}
PROTOCOL = """\
SIR: s' = -beta s i / 763, i' = beta s i / 763 - gamma i, s0 = 763 - I0, i0 = I0; least squares of the boys in bed on
14 days, the first being t = 0. Lotka-Volterra: x' = alpha x - beta x y, y' = delta x y - gamma y, the states of 1900
are parameters too; least squares of the logarithms of hares and lynxes, 1900 to 1920. Right-hand sides are written
once and differentiated while they compile; Levenberg-Marquardt begins at a rough guess, a row of its Jacobian is a
walk back through the solve (50 steps a day or year), 64 rows at a time. Reference: the minima that scipy's
least_squares and solve_ivp (tolerances 1e-9) give.
"""


def observations(folder):
    """The numbers the program reads: time and what was seen."""
    sir = [(int(row["day"]) - 1, row["in_bed_outbreaks"]) for row in read_csv(data_file(INFLUENZA))]
    with data_file(PELTS).open() as lines:
        pelts = [row for row in csv.reader(lines) if row[0].isdecimal()]
    seen = {"sir": sir, "lotka_volterra": [(int(y) - 1900, hare.strip(), lynx.strip()) for y, lynx, hare in pelts]}
    for name, rows in seen.items():
        (folder / f"{name}.txt").write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
    return {name: [tuple(map(float, row)) for row in rows] for name, rows in seen.items()}


def residuals(folder, seen):
    """Data, fit and difference at the observed times, as drawn."""
    for name, rows in seen.items():
        curve = {float(row["t"]): row for row in read_csv(folder / f"{name}_curve.csv")}
        columns = [1] if name == "sir" else [0, 1]
        table = [(row[0], i, row[1 + k], float(curve[row[0]][f"y{i}"]), float(curve[row[0]][f"y{i}"]) - row[1 + k])
                 for row in rows for k, i in enumerate(columns)]
        write_csv(folder / f"{name}_residuals.csv", ["t", "state", "seen", "fit", "residual"], table)


def picture(folder):
    looks = {"sir": [(1, COLOURS[1], "in bed")], "lotka_volterra": [(0, COLOURS[0], "hare"), (1, COLOURS[1], "lynx")]}
    script = ("set datafile separator ','\nset datafile columnheaders\nset border 3 lc rgb '#aaaaaa'\n"
              "set tics nomirror textcolor rgb '#555555'\nset key top right\nset multiplot\n"
              "pick(i) = column('state') == i ? column('t') : NaN\nbeside(i) = pick(i) + .24 * (i - .5)\n")
    for column, (name, curves) in enumerate(looks.items()):
        left = .06 + .5 * column
        script += (f"set lmargin at screen {left:.2f}; set rmargin at screen {left + .42:.2f}\n"
                   f"set title '{MODELS[name][0]}'\nset tmargin at screen .91; set bmargin at screen .38\n"
                   f"set xlabel ''\nset xrange [-.4:{14 if name == 'sir' else 20.4}]\nset yrange [0:*]\nset ytics autofreq\nset format x ''\nplot "
                   + ", \\\n  ".join(f"'{name}_curve.csv' using 't':'y{i}' with lines lw 2 lc rgb '{c}' title '{t}', "
                                     f"'{name}_residuals.csv' using (pick({i})):'seen' with points pt 7 ps .6 "
                                     f"lc rgb '{c}' notitle" for i, c, t in curves)
                   + "\nset title ''\nset tmargin at screen .32; set bmargin at screen .14\nset format x\n"
                   f"set xlabel '{'day' if name == 'sir' else 'years since 1900'}'\nset yrange [*:*]\n"
                   f"set ytics {20 if name == 'sir' else 10}\nplot 0 with lines "
                   "lc rgb '#aaaaaa' notitle, "
                   + ", ".join(f"'{name}_residuals.csv' using (beside({i})):'residual' with impulses lw 3 lc rgb '{c}' "
                               f"notitle" for i, c, _ in curves) + "\n")
    draw(folder, "fits", script + "unset multiplot\n", 1000, 460)


def main(folder):
    data_file(INFLUENZA), data_file(PELTS)
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    seen, checks = observations(folder), []
    for name, (title, known, error, least) in MODELS.items():
        program("fits", name, folder / f"{name}.txt", folder)
        rows = read_csv(folder / f"{name}_fit.csv")
        print(f"{title}\n  {'':42}" + "".join(f"{p:>11}" for p in known)
              + f"{error:>20}{'Jacobians':>11}{'bytes of 64 rows':>20}")
        print(f"  {'reference':42}" + "".join(f"{v:11.5g}" for v in known.values()) + f"{least:20.5g}")
        for row in rows:
            values = {p: float(row[p]) for p in known}
            print(f"  {row['way']:42}" + "".join(f"{v:11.6g}" for v in values.values())
                  + f"{float(row['rmse']):20.6g}{row['iterations']:>11}{row['bytes']:>20}")
            off = max(abs(v / known[p] - 1) for p, v in values.items())
            label = f"{name}, {row['way']}"
            checks += [(f"{label}: parameters", off, 1e-3),
                       (f"{label}: {error}", abs(float(row["rmse"]) / least - 1), 1e-3),
                       (f"{label}: Jacobian", float(row["jacobian_error"]), 1e-6)]
        print()
    residuals(folder, seen)
    picture(folder)
    print("targets: relative deviation of parameters and error from the reference, of the Jacobian from differences")
    verdict(all([check(*c) for c in checks]), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
