"""The bi-directional spirals of Chen et al. 2018, Table 2: latent ODE and recurrent baseline from irregular points."""
import pathlib
import sys
import tomllib

from common import COLOURS, HERE, check, draw, mean, train, verdict, write_csv

OBSERVED = (30, 50, 100)
SEEDS = (1, 2, 3)
RATES = (0.01, 0.03, 0.1)
PUBLISHED = {"rnn": (0.3937, 0.3202, 0.1813), "latent_ode": (0.1642, 0.1502, 0.1346)}
TARGETS = (0.164, 0.150, 0.135)
PROTOCOL = """\
1000 spirals a seed, half of them clockwise: r = a + b theta (clockwise: a + 50 b / theta), a = 0, b = 0.3, theta over
6 pi in 1000 steps, centres (-5, 0) and (5, 0), unscaled. A window of 100 points that begins at random in the first
600, noise of sd 0.3, 30, 50 or 100 points kept without replacement. The last 200 spirals are held out; their error is the root mean square
over both coordinates of the next 100 points, without noise. A seed is that of data and of training.
The paper leaves scale, noise and whether its truth is noisy open: its figures are no claim of equal conditions.
The baseline is a GRU of as many units that sees points and gaps, and its own predictions after the last point; it has
the latent ODE's series, batches and epochs. Its learning rate is chosen for each number of points out of
{rates}: training on 640 of the 800 training spirals of seed 1, least error on the other 160. Held-out
spirals have no part in it.
"""


def tuned_rate(folder, observed, equal):
    """The rate with the least error on the last fifth of the training spirals, and the error of each. The first 800
    spirals are the same, however many follow them."""
    errors = {rate: train(folder / "tuning" / f"rnn-{observed}-rate-{rate}", "rnn.toml", observed=observed, rate=rate,
                          final_rate=rate / 100, spirals=800, **equal) for rate in RATES}
    return min(errors, key=errors.get), errors


def measure(folder):
    config = tomllib.loads((HERE / "spirals.toml").read_text())
    equal = {"epochs": config["training"]["epochs"], "tiles": config["training"]["tiles"],
             "lanes": config["model"]["lanes"], "hidden": config["model"]["hidden"]}
    results, tuning = {}, []
    for observed in OBSERVED:
        print(f"{observed} of 100 points observed", flush=True)
        rate, errors = tuned_rate(folder, observed, equal)
        tuning += [(observed, r, e, int(r == rate)) for r, e in errors.items()]
        for seed in SEEDS:
            seeds = {"observed": observed, "data_seed": seed, "seed": seed}
            results["rnn", observed, seed] = train(folder / f"rnn-{observed}-seed-{seed}", "rnn.toml", rate=rate,
                                                   final_rate=rate / 100, **seeds, **equal)
            results["latent_ode", observed, seed] = train(folder / f"latent-{observed}-seed-{seed}", "spirals.toml",
                                                          **seeds)
    write_csv(folder / "tuning.csv", ["observed", "rate", "validation_rmse", "chosen"], tuning)
    return results, {o: r for o, r, _, chosen in tuning if chosen}


def picture(folder, results, means):
    write_csv(folder / "results.csv", ["model", "observed", "seed", "rmse"], [(*k, v) for k, v in results.items()])
    write_csv(folder / "means.csv", ["observed", "rnn", "latent_ode", "rnn_published", "latent_ode_published"],
              [(o, means["rnn", o], means["latent_ode", o], PUBLISHED["rnn"][i], PUBLISHED["latent_ode"][i])
               for i, o in enumerate(OBSERVED)])
    lines, style = [], "with linespoints lw 2 pt {} ps 0.8 dt {} lc rgb '{}' title '{}'"
    for model, label, colour in (("rnn", "recurrent baseline", COLOURS[1]), ("latent_ode", "latent ODE", COLOURS[0])):
        columns = f"'means.csv' using 'observed':'{model}"
        lines += [f"{columns}_published' " + style.format(4, 2, colour, label + ", published"),
                  f"{columns}' " + style.format(7, 1, colour, label + ", ours"),
                  f"'results.csv' using (strcol('model') eq '{model}' ? column('observed') : NaN):'rmse' "
                  f"with points pt 6 ps 0.6 lc rgb '{colour}' notitle"]
    draw(folder, "spirals", "set datafile separator ','\nset datafile columnheaders\nset border 3 lc rgb '#888888'\n"
         "set tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\nset xtics (30, 50, 100)\n"
         "set xrange [25:105]\nset yrange [0:*]\nset key top right\nset xlabel 'observed points'\n"
         "set ylabel 'error of the next 100 points'\nplot " + ", \\\n  ".join(lines) + "\n", 700, 450)


def main(folder):
    print(PROTOCOL.format(rates=", ".join(map(str, RATES))), flush=True)
    results, rates = measure(folder)
    means = {(m, o): mean(results[m, o, s] for s in SEEDS) for m in PUBLISHED for o in OBSERVED}
    print("\nroot mean square error of the next 100 points\n"
          f"{'observed':>8}  {'model':12} {'published':>9} {'ours':>8}   " + " ".join(f"seed {s} " for s in SEEDS))
    for i, observed in enumerate(OBSERVED):
        for model, label in (("rnn", "recurrent"), ("latent_ode", "latent ODE")):
            note = f"  rate {rates[observed]}" if model == "rnn" else ""
            print(f"{observed:8}  {label:12} {PUBLISHED[model][i]:9.4f} {means[model, observed]:8.4f}   "
                  + " ".join(f"{results[model, observed, s]:.4f} " for s in SEEDS) + note)
    picture(folder, results, means)
    print("\ntargets, means of the seeds")
    held = [check(f"latent ODE, {o} of 100 points", means["latent_ode", o], t) for o, t in zip(OBSERVED, TARGETS)]
    held.append(check("latent ODE, 30 points: at most half of our recurrent baseline", means["latent_ode", 30],
                      means["rnn", 30] / 2))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
