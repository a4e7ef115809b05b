"""A measured pendulum: a learned potential with friction against a linear-damped pendulum, and what else was tried."""
import gzip
import pathlib
import sys

from common import COLOURS, check, data_file, draw, mean, program, read_csv, verdict, write_csv

DATA = "pendulum-schmidt-lipson/real_pend_h_1.txt.gz"
TRAINED = .7
MODELS = {
    "baseline": "v' = -k sin q - c v",
    "potential with friction": "v' = -dV/dq(q) - c v",
    "general acceleration": "v' = a(q, v)",
    "potential alone, Verlet": "v' = -dV/dq(q)",
    "Hamiltonian alone": "q' = dH/dp, v' = -dH/dq",
}
PROTOCOL = """\
Schmidt and Lipson 2009: angle q (rad) and angular velocity v (rad per unit of time) of a pendulum, 556 points in 94.5
units of the file's time, most a sixth apart, some missing. The first 70 % are fitted, the last 30 % are held out.
Every model is fitted by the same Levenberg-Marquardt, q and v weighing the same: first rollouts of a second from
measured states, then one rollout from the beginning over a tenth, three tenths and all of the fitted part, its first
state being parameters too. V, a and H are networks of one layer of 8 tanh units, weights held small by a ridge of
0.01; the gradient of V and of H as a field is read from jets. First-order forms: McCallum and Foster over RK4, undone
exactly; the potential alone: Verlet. This width and ridge alone were looked at before, on a fit of the first half of
the record judged on the next fifth. Errors are root mean squares: beyond: of the held-out part, the rollout going on
from the fitted one without a look; windows: of rollouts over 60 points from measured states, one every 10 points of
the held-out part.
"""


def observations(folder):
    with gzip.open(data_file(DATA), "rt") as lines:
        rows = [line.split() for line in lines if not line.startswith("%")]
    first = float(rows[0][1])
    text = "".join(f"{float(t) - first!r} {q} {v}\n" for _, t, q, v in rows)
    (folder / "pendulum.txt").write_text(text)
    return [tuple(map(float, line.split())) for line in text.splitlines()]


def picture(folder, seen):
    end = seen[int(TRAINED * len(seen))][0]
    pick = "(strcol('model') eq '{}' && column('seed') == 1 ? column('t') : NaN)"
    curves = [("baseline", COLOURS[1]), ("potential with friction", COLOURS[0])]
    lines = ", \\\n  ".join(f"'rollouts.csv' using {pick.format(m)}:'q' with lines lw 1.6 lc rgb '{c}' title '{m}'"
                            for m, c in curves)
    rollouts = read_csv(folder / "rollouts.csv")
    first, second = ([r for r in rollouts if r["model"] == m and r["seed"] == "1"] for m, _ in curves)
    write_csv(folder / "measured.csv", ["t", "q", "v"], seen)
    write_csv(folder / "errors.csv", ["t", "baseline", "learned"],
              [(t, float(a["q"]) - q, float(b["q"]) - q) for a, b, (t, q, _) in zip(first, second, seen)])
    draw(folder, "pendulum", "set border 3 lc rgb '#aaaaaa'\nset tics nomirror textcolor rgb '#555555'\n"
         "set lmargin at screen .07\nset multiplot layout 2,1\nset xrange [0:95]\nset ylabel 'q'\n"
         f"set arrow from {end},graph 0 to {end},graph 1 nohead dt 2 lc rgb '#888888'\n"
         f"set label 'held out' at {end + .5},graph 1.03 tc rgb '#555555'\nset key outside top center horizontal\n"
         f"set datafile separator ','\nset datafile columnheaders\nplot {lines}, 'measured.csv' using 't':'q' with "
         "points pt 7 ps .35 lc rgb '#222222' title 'measured'\n"
         "set ylabel 'rollout - measured'\nset xlabel 't'\nunset key\nplot 0 with lines lc rgb '#aaaaaa', "
         + ", ".join(f"'errors.csv' using 't':'{column}' with lines lw 1.4 lc rgb '{colour}'"
                     for column, (_, colour) in zip(("baseline", "learned"), curves))
         + "\nunset multiplot\n", 1000, 520)


def both(errors, part):
    """Of q and v, which weigh the same, as in the fit."""
    return ((errors[f"{part}_q"] ** 2 + errors[f"{part}_v"] ** 2) / 2) ** .5


def main(folder):
    data_file(DATA)
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    seen = observations(folder)
    program("pendulum", folder / "pendulum.txt", folder, TRAINED, 1)
    rows = read_csv(folder / "models.csv")
    columns = [f"{part}_{state}" for part in ("train", "beyond", "windows") for state in "qv"]
    print(f"{'':26}{'':26}{'fitted':>16}{'beyond':>16}{'windows':>16}\n{'':26}{'':26}"
          + f"{'q':>8}{'v':>8}" * 3 + "   parameters, seed")
    means = {}
    for model, equation in MODELS.items():
        of = [row for row in rows if row["model"] == model]
        means[model] = {c: mean(float(row[c]) for row in of) for c in columns}
        for row in of:
            print(f"{model:26}{equation:26}" + "".join(f"{float(row[c]):8.4f}" for c in columns)
                  + f"{row['parameters']:>13}, {row['seed']}")
    picture(folder, seen)
    print("\ntargets, means of the seeds: below the linear-damped pendulum")
    learned, baseline = means["potential with friction"], means["baseline"]
    held = [check(f"{part}, q and v together", both(learned, part), both(baseline, part), strict=True)
            for part in ("beyond", "windows")]
    held.append(check("Jacobians, from central differences, of all models",
                      max(float(row["jacobian_error"]) for row in rows), 1e-5))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
