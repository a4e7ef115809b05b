"""Concentric annuli: an augmented neural ODE separates them, one of the plane cannot (Dupont et al. 2019)."""
import pathlib
import sys

from common import COLOURS, check, compute, draw, mean, verdict, write_csv

EXTRA, SEEDS = (0, 1, 5), (1, 2, 3)
PROTOCOL = """\
500 points with radii in [0, 0.5] are to become -1, 1500 with radii in [1, 1.5] to become +1. f sees t: dense layers to
32 and 32, ReLU, and back to 2 + p, then a linear head; p rows of zeros stand beside the plane. dopri5 at 1e-3, t in
[0, 1], Adam 1e-3, batches of 64, smooth-L1 loss, 30 epochs, 3 seeds. The flow of an ODE in the plane cannot carry the
disk out of the ring around it: with p = 0 some points of the two are wrong whatever the training, and f gets stiffer.
What is counted is not only the 2000 points, between which a flow may be torn, but a fine grid over disk and ring.
Gradients are those of the steps taken (stored states).
"""


def picture(folder, rows):
    write_csv(folder / "epochs.csv", ["p", "seed", "epoch", "loss", "accuracy", "nfe"],
              [(p, s, r["a"], r["b"], r["c"], r["d"]) for (p, s), all_rows in rows.items() for r in all_rows
               if r["kind"] == "epoch"])
    for p in EXTRA:
        write_csv(folder / f"grid_{p}.csv", ["x", "y", "answer"],
                  [(r["a"], r["b"], r["c"]) for r in rows[p, SEEDS[0]] if r["kind"] == "grid"])
    script = ("set datafile separator ','\nset datafile columnheaders\nset multiplot layout 2,3 margins .07,.97,.1,.94 "
              "spacing .08,.14\nset tics nomirror textcolor rgb '#555555' font ',9'\nset border 3 lc rgb '#aaaaaa'\n"
              "pick(p, s) = column('p') == p && column('seed') == s ? column('epoch') : NaN\n")
    for value, title in (("loss", "loss"), ("accuracy", "share named rightly"), ("nfe", "evaluations of f a solve")):
        curves = [f"'epochs.csv' using (pick({p}, {s})):'{value}' with lines lw 1.5 lc rgb '{COLOURS[i]}' "
                  + (f"title 'p = {p}'" if s == SEEDS[0] else "notitle") for i, p in enumerate(EXTRA) for s in SEEDS]
        script += (f"{'set' if value == 'loss' else 'unset'} logscale y\n"
                   f"set key {'bottom' if value == 'accuracy' else 'top'} right\nset xlabel 'epoch' offset 0,.6\n"
                   f"set title '{title}'\nplot " + ", \\\n  ".join(curves) + "\n")
    script += ("unset logscale\nunset key\nunset colorbox\nunset xlabel\n"
               "set palette defined (-1 '#d55e00', 0 '#ffffff', 1 '#0072b2')\nset cbrange [-1:1]\n"
               "set size square\nset xrange [-2:2]\nset yrange [-2:2]\n")
    for p in EXTRA:
        script += f"set title 'answers, p = {p}'\nplot 'grid_{p}.csv' using 'x':'y':'answer' with image\n"
    draw(folder, "annuli", script + "unset multiplot\n", 1000, 620)


def main(folder):
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {(p, s): compute(folder, "annuli", str(p), str(s)) for p in EXTRA for s in SEEDS}
    whole = {key: float(next(r["a"] for r in all_rows if r["kind"] == "whole")) for key, all_rows in rows.items()}
    last = {key: [r for r in all_rows if r["kind"] == "epoch"][-1] for key, all_rows in rows.items()}
    print(f"after 30 epochs, {len(SEEDS)} seeds\n  {'p':>2} {'loss':>30} {'accuracy':>30} {'evaluations':>24}"
          f" {'of disk and ring wrong':>30}")
    for p in EXTRA:
        print(f"  {p:>2} " + " ".join(f"{' '.join(f'{float(last[p, s][c]):{form}}' for s in SEEDS):>{width}}"
                                      for c, form, width in (("b", ".2e", 30), ("c", ".4f", 30), ("d", ".1f", 24)))
              + f" {' '.join(f'{whole[p, s]:.5f}' for s in SEEDS):>30}")
    picture(folder, rows)
    print("\ntargets")
    held = []
    for p in EXTRA[1:]:
        held.append(check(f"p = {p}: share of disk and ring named wrongly, worst seed",
                          max(whole[p, s] for s in SEEDS), 0.0, form=".5f"))
    held.append(check("p = 0: seeds with nothing of disk and ring named wrongly",
                      sum(whole[0, s] == 0 for s in SEEDS), 0, form="d"))
    held.append(check("p = 0: loss at least ten times that of p = 5, mean: its inverse ratio",
                      mean(float(last[5, s]["b"]) for s in SEEDS) / mean(float(last[0, s]["b"]) for s in SEEDS), 0.1))
    held.append(check("p = 5: evaluations below those of p = 0, mean", mean(float(last[5, s]["d"]) for s in SEEDS),
                      mean(float(last[0, s]["d"]) for s in SEEDS), strict=True, form=".1f"))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
