"""Regions of linear stability: every method's step on y' = mu y, beside the closed form and a table made before."""
import pathlib
import sys

from common import COLOURS, check, check_near, compute, draw, verdict

BASES = ("euler", "midpoint", "ralston3", "rk4", "dormand_prince5", "tsitouras5")
# Real extents and areas in Re mu < 0, computed from the closed form by a program apart from the library.
REAL = {
    0.999: (".001", ".001", ".001", ".001", ".001", ".001"),
    0.99: (".010", ".010", ".010", ".010", ".010", ".010"),
    0.95: (".050", ".051", ".051", ".051", ".051", ".051"),
    0.9: (".100", ".106", ".105", ".105", ".105", ".105"),
    0.875: (".125", ".134", ".134", ".134", ".134", ".134"),
    0.8: (".200", ".225", ".223", ".223", ".223", ".223"),
    0.7071: (".293", ".356", ".346", ".347", ".347", ".347"),
    0.5: (".500", "2.157", ".678", ".696", ".693", ".693"),
    0.25: (".750", "1.91", "1.17", "2.37", "1.40", "1.40"),
    0.125: ("", "", "1.40", "", "2.64", "2.79"),
}
AREA = {0.8: (.62, .51, .74, 1.81, 1.00, 1.04), 0.5: (1.50, 1.87, 2.78, 3.72, 3.25, 3.34)}
ALONE = {"euler": ("2", 3.1), "midpoint": ("2", 5.9), "ralston3": ("2.51", 9.1), "rk4": ("2.785", 12.2),
         "dormand_prince5": ("3.306", 16.4), "ees25": ("3.09", 11.7), "ees27": ("3.92", 20.0)}
DAMPED = {0.95: ".105", 0.9: ".222", 0.8: ".500", 0.7: ".857", 0.6: "1.33"}  # by MALI's eta; lambda = 2 eta - 1
SEGMENTS = {"alf": 1, "reversible_heun": 1, "leapfrog": 2, "verlet": 2, "symplectic_euler": 2}
PROTOCOL = """\
The spectral radius of the library's own step on y' = mu y, h = 1: the word is stepped from the unit vectors of its
registers, which hold complex numbers; mu is stable where the radius is at most 1. The real extent is the part of the
negative axis that touches 0, found to 1e-10; likewise the imaginary one, where a radius may exceed 1 by 1e-11 (RK2's
does so from 0.003 on: its true extent is 0). Areas are of the region in Re mu < 0, summed over cells.
Published are McCallum and Foster's pictures at lambda = 0.8 without numbers; the numbers beside are of a program
written before and apart, from R of the base alone: trace 1 + R(mu) + lambda R(-mu) - R(mu) R(-mu), determinant lambda.
Leapfrog steps over two intervals of h/2; Verlet and symplectic Euler solve q'' = mu^2 q.
"""


def published_check(what, measured, text):
    """Within 1 %, or half of the last digit that was written down."""
    half = 0.5 * 10.0 ** -len(text.partition(".")[2]) if "." in text else 0
    return check_near(what, measured, float(text), max(0.01 * float(text), half))


def show(rows):
    print("real extent (before | measured) of McCallum and Foster's coupling")
    print(f"{'lambda':>7}  " + "  ".join(f"{b.replace('_', ' '):>15}" for b in BASES))
    for damping, before in REAL.items():
        print(f"{damping:7.4g}  " + "  ".join(f"{before[i] or '-':>6} | {rows['mccallum_foster', b, damping][0]:6.4f}"
                                             for i, b in enumerate(BASES)))
    print("\narea in Re mu < 0 (before | measured)")
    for damping, before in AREA.items():
        print(f"{damping:7.4g}  " + "  ".join(f"{before[i]:6.2f} | {rows['mccallum_foster', b, damping][2]:6.2f}"
                                             for i, b in enumerate(BASES)))
    print(f"\n{'method':52} {'real':>8} {'imaginary':>9} {'area':>7}")
    for (family, base, damping), (real, imaginary, area, _) in rows.items():
        if family != "mccallum_foster" or damping in (0.8, 0.99):
            name = {"runge_kutta": base, "mccallum_foster": f"McCallum-Foster over {base}"}.get(family, family)
            name = name.replace("_", " ") + (f", lambda {damping:g}" if damping < 1 else "")
            print(f"{name:52} {real:8.4f} {imaginary:9.4f} {area:7.3f}")


def panel(blocks, curves, title):
    """A cell of the multiplot: (block, colour, dash, label) each a region's edge, mirrored below the axis."""
    tables, plots = [], []
    for i, (block, colour, dash, label) in enumerate(curves):
        tables.append(f"set table $edge{i}\nsplot 'regions.txt' index {blocks.index(block)} using 1:2:3\nunset table\n")
        key = f"title '{label}'" if label else "notitle"
        for j, sign in enumerate(("", "-")):
            plots.append(f"$edge{i} using 1:({sign}$2) with lines lw 2 dt {dash} lc rgb '{colour}' "
                         f"{key if j == 0 else 'notitle'}")
    return ("set contour base\nset cntrparam levels discrete 1\nunset surface\n" + "".join(tables)
            + f"unset contour\nset surface\nset title '{title}'\nplot " + ", \\\n  ".join(plots) + "\n")


FRAME = ("set border 3 lc rgb '#888888'\nset tics nomirror textcolor rgb '#444444'\nset grid lc rgb '#e4e4e4'\n"
         "set xlabel 'Re h mu'\nset ylabel 'Im h mu'\n")


def pictures(folder):
    (folder / "stability-regions.csv").rename(folder / "regions.txt")  # blocks for gnuplot, no CSV
    blocks = [line[2:].strip() for line in (folder / "regions.txt").open() if line.startswith("# ")]
    script = FRAME + "set multiplot layout 2,4\nset key bottom left samplen 2\n"
    for damping in ("0.8", "0.99"):
        for i, base in enumerate(BASES[:4]):
            span, pace = ("-3.2:1.3", 1) if damping == "0.8" else ("-0.2:0.06", 0.1)
            script += (f"set xrange [{span}]\nset xtics {pace}\nset yrange [-3.3:3.3]\n"
                       + panel(blocks, [(base, COLOURS[4], 2, "alone" if i == 0 else ""),
                                        (f"{base} {damping}", COLOURS[i], 1, "reversible" if i == 0 else "")],
                               f"{base}, lambda {damping}"))
    draw(folder, "stability", script + "unset multiplot\n", 1100, 640)
    one = [(b, c, 1, b.replace("_", " ")) for b, c in zip(("rk4", "dormand_prince5", "tsitouras5", "ees25", "ees27"),
                                                         COLOURS)]
    damped = [(f"alf {eta}", c, 1, f"ALF, eta {eta}") for eta, c in zip((0.9, 0.8, 0.7), COLOURS)]
    draw(folder, "stability_others", FRAME + "set multiplot layout 1,2\nset key at -1.35,0 center samplen 2\nset xrange [-5:0.8]\n"
         "set yrange [-4.7:4.7]\n" + panel(blocks, one, "methods of one register")
         + "set key default\nset key top left samplen 2\nset xrange [-1.9:0.2]\nset yrange [-1.2:1.2]\n"
         "set arrow from 0,-1 to 0,1 nohead lw 3 lc rgb '#cc79a7' front\n"
         "set label 'undamped ALF and reversible Heun: -i ... i' at -1.8,-1.1\n"
         + panel(blocks, damped, "asynchronous leapfrog, damped in every step") + "unset multiplot\n", 1000, 450)


def main(folder):
    print(PROTOCOL, flush=True)
    rows = {}
    for row in compute(folder, "stability", "extents"):
        values = tuple(float(row[k]) for k in ("real", "imaginary", "area", "closed_form"))
        rows[row["family"], row["base"], float(row["lambda"])] = values
    show(rows)
    compute(folder, "stability", "regions")
    pictures(folder)
    print("\ntargets: extents within 1 % or half of the last digit written down")
    held = [published_check(f"{base}, lambda {damping:g}", rows["mccallum_foster", base, damping][0], before[i])
            for damping, before in REAL.items() for i, base in enumerate(BASES) if before[i]]
    held += [published_check(base, rows["runge_kutta", base, 1.0][0], real) for base, (real, _) in ALONE.items()]
    held += [published_check(f"ALF, eta {eta}", rows["alf", "euler", round(2 * eta - 1, 4)][0], real)
             for eta, real in DAMPED.items()]
    for family, edge in SEGMENTS.items():
        real, imaginary, _, _ = rows[family, "euler", 1.0]
        held += [check_near(f"{family}: the imaginary axis to {edge}", imaginary, edge, 0.01 * edge),
                 check(f"{family}: no more than rounding of the real axis", real, 1e-6, form=".1e")]
    held += [check_near(f"{base}: area", rows["runge_kutta", base, 1.0][2], area, 0.01 * area + 0.05)
             for base, (_, area) in ALONE.items()]
    closed = max(values[3] for values in rows.values())
    print("the closed form: largest relative difference over 464,000 mu of every lambda and base")
    held.append(check("radius against the closed form", closed, 1e-10, form=".1e"))
    verdict(all(held), folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute())
