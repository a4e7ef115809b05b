"""The white dwarf of McCallum and Foster: loss, time and memory of exact reversal against checkpointing."""
import pathlib
import sys

from common import COLOURS, check, draw, mean, program, read_csv, verdict

METHODS = {"euler": "Euler", "midpoint": "midpoint", "ralston3": "Ralston 3", "rk4": "RK4"}
SLOTS = (2, 4, 8, 16, 32, 44)
PUBLISHED = {  # seconds of 1000 updates, reversible and by slots; mean best losses, reversible and checkpointed
    "euler": ((90.9, 15838, 1830, 642, 536, 485, 313), (8.66e-5, 8.79e-5)),
    "midpoint": ((104.2, 16801, 1815, 634, 574, 523, 327), (8.73e-5, 8.73e-5)),
    "ralston3": ((108.5, 15593, 1788, 601, 501, 457, 294), (8.73e-5, 8.73e-5)),
    "rk4": ((132.7, 15257, 1755, 593, 492, 451, 297), (8.73e-5, 8.73e-5)),
}
PUBLISHED_STEPS = {"reversed": (.0117, .0726), 8: (.059, .632), 4: (.066, 1.676), 2: (.201, 15.04)}
TARGET = 8.7e-5
PROTOCOL = """\
McCallum and Foster 2024 (arXiv 2410.11648): x' = v, v' = -(x^2 - 0.001)^(3/2) - 2 v / (t + 0.5) from (1, 0) over 1000
steps of 0.005, solved by the method that is trained. The network sees (t, x, v), has 10 tanh units and gives (x', v');
weights and biases begin uniform in +-1/sqrt(rows in). Loss: mean square of both components over all steps; AdamW,
rate 1e-2, decay 1e-5, 1000 updates in double precision; the best loss of a run counts, seeds are 1, 2 and 3.
Reversed: their coupled method with lambda = 1 in fixed point, undone exactly. Stored and checkpointed: the plain
method, in floats; taped: a tape of what a prediction of each state from the next ones missed, in 4 KiB of log.
Published seconds are those of the raw files; the column of the slides that is headed seconds holds minutes.
Their machine is not stated and their initial draws are others: no claim of equal conditions.
Ours are seconds of one processor; bytes are those of solve, optimiser, parameters and gradient, without the data.
"""


def table(name, rows):
    """One method: a line a way, published beside measured."""
    seconds, losses = PUBLISHED[name]
    print(f"{METHODS[name]}\n  {'':30}{'best loss, seeds 1 2 3':34}{'mean':>9} {'published':>9} {'seconds':>9} "
          f"{'published':>9} {'bytes':>8}")
    for way in dict.fromkeys((row["way"], row["slots"]) for row in rows):
        of = [row for row in rows if (row["way"], row["slots"]) == way]
        best = [float(row["best_loss"]) for row in of]
        label = way[0] + (f", {way[1]} slots" if way[1] != "0" else "")
        published, theirs = ("", "")
        if way[0] in ("reversed", "checkpointed"):
            index = 0 if way[0] == "reversed" else 1 + SLOTS.index(int(way[1]))
            published, theirs = f"{seconds[index]:.0f}", f"{losses[min(index, 1)]:.2e}"
        average = f"{mean(best):.2e}" if len(best) == 3 else ""
        print(f"  {label:30}{' '.join(f'{b:.3e}' for b in best):34}{average:>9} {theirs:>9} "
              f"{mean(float(row['seconds']) for row in of):9.2f} {published:>9} {of[0]['bytes']:>8}")
    print()


def same_bits(rows, coupled):
    """Ways that did not end with the bits of the others: all losses of seed 1 and the parameters."""
    of = [row for row in rows if row["seed"] == "1"
          and (row["way"] == "reversed" or row["way"].startswith("coupled")) == coupled]
    return sum(row["bits"] != of[0]["bits"] for row in of)


def pictures(folder):
    head = ("set datafile separator ','\nset datafile columnheaders\nset border 3 lc rgb '#aaaaaa'\n"
            "set tics nomirror textcolor rgb '#555555'\nset grid lc rgb '#e4e4e4'\n")
    learned = ", ".join(f"'trajectory.csv' using 't':'{c}' with lines lw 6 lc rgb '#cccccc' title '{c}', "
                        f"'trajectory.csv' using 't':'{c}_learned' with lines lw 2 lc rgb '{COLOURS[i]}' "
                        f"title '{c}, learned'" for i, c in enumerate("xv"))
    draw(folder, "white_dwarf", head + "set multiplot layout 1,2\nset xlabel 't'\n"
         "set title 'midpoint, reversed, seed 1'\n"
         f"plot {learned}\nset logscale y\nset format y '10^{{%T}}'\nset xlabel 'update'\nset title 'its loss'\n"
         f"plot 'losses.csv' using 'update':'loss' with lines lw 1.5 lc rgb '{COLOURS[1]}' notitle\n"
         "unset multiplot\n", 1000, 380)
    (folder / "published_steps.csv").write_text("way,steps,seconds\n" + "".join(
        f"{way},{steps},{s}\n" for way, pair in PUBLISHED_STEPS.items() for steps, s in zip((100, 1000), pair)))
    lines = []
    names = [("reversed", 0, "reversed"), *(("checkpointed", s, f"{s} slots") for s in SLOTS), ("stored", 0, "stored"),
             ("taped", 8, "taped")]
    colours = [COLOURS[1], *(COLOURS[0], "#3388cc", "#56a0dd", "#7ab8e8", "#9cccf0", "#bbddf5"), COLOURS[4], COLOURS[2]]
    for (way, slots, title), colour in zip(names, colours):
        pick = f"(strcol('way') eq '{way}' && column('slots') == {slots} ? column('steps') : NaN)"
        lines.append((f"'steps.csv' using {pick}:",
                      f"with linespoints lw 2 pt 7 ps .5 lc rgb '{colour}' title '{title}'"))
    theirs = [f"'published_steps.csv' using (strcol('way') eq '{way}' ? column('steps') : NaN):'seconds' "
              f"with linespoints dt 2 pt 4 ps .6 lc rgb '{colour}' title '{title}, published'"
              for way, colour, title in (("reversed", COLOURS[1], "reversible"), ("2", COLOURS[0], "2 slots"),
                                         ("4", "#3388cc", "4 slots"), ("8", "#56a0dd", "8 slots"))]
    draw(folder, "steps", head + "set multiplot layout 1,2\nset logscale xy\nset format '10^{%T}'\nset key left top "
         "font ',8'\nset xlabel 'steps'\nset ylabel 'seconds of one gradient'\nplot "
         + ", \\\n  ".join([f"{a}'seconds' {b}" for a, b in lines] + theirs)
         + "\nset ylabel 'bytes of the solve'\nplot "
         + ", \\\n  ".join(f"{a}'bytes' {b}" for a, b in lines) + "\nunset multiplot\n", 1100, 480)


def main(folder):
    print(PROTOCOL, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "steps"):
        program("white_dwarf", part, folder)
    rows = read_csv(folder / "trainings.csv")
    for name in METHODS:
        table(name, [row for row in rows if row["method"] == name])
    steps = read_csv(folder / "steps.csv")
    ours = [row for row in steps if row["way"] == "reversed"]
    print(f"one gradient of a network 1-10-1, midpoint: {'steps':>9}{'seconds':>12}{'bytes':>8}   (T = 10; published: "
          "h = 0.01)")
    for row in ours:
        print(f"  {'reversed':42}{row['steps']:>9}{float(row['seconds']):12.3g}{row['bytes']:>8}")
    pictures(folder)
    print("\ntargets")
    held = []
    for name, label in METHODS.items():
        of = [row for row in rows if row["method"] == name]
        for way in ("reversed", "stored"):
            best = mean(float(row["best_loss"]) for row in of if row["way"] == way)
            line = f"{label}, {way}: mean of the seeds' best losses"
            if name == "midpoint":
                held.append(check(line, best, TARGET))
            else:
                print(f"  {line:72} {best:.2e} (published {PUBLISHED[name][1][way == 'stored']:.2e})")
        held += [check(f"{label}, coupled method in fixed point: ways with other bits", same_bits(of, True), 0),
                 check(f"{label}, plain method in floats: ways with other bits", same_bits(of, False), 0)]
    held.append(check("bytes of the reversed solve, most beside fewest steps", max(int(r["bytes"]) for r in ours),
                      min(int(r["bytes"]) for r in ours)))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
