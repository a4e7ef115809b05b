"""What the experiments share: trainings through drivers/run, programs of this folder, tensors, tables, pictures."""
import csv
import json
import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#777777", "#e69f00")  # which also the colour-blind tell apart


def data_file(name):
    """A file of REVODE_DATA, or exit code 3: without the data nothing was tried."""
    folder = pathlib.Path(os.environ.get("REVODE_DATA", ROOT.parent / "shared" / "data")).absolute()
    file = folder / name
    if not file.is_file():
        print(f"not run: {file} is missing: set REVODE_DATA to the folder that holds {name}")
        sys.exit(3)
    return file


def drive(folder, program, words):
    """Trains a driver into `folder`, or goes on with what is there: a finished training only reports anew, and one of
    another configuration is refused. A failure is passed on."""
    command = [ROOT / "drivers/run", program, "--folder", folder, "--resume", "auto", "--terminal", "no"]
    for key, value in words.items():
        command += [f"--{key.replace('_', '-')}", str(value)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.txt"
    with log.open("w") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
    if code:
        print(*log.read_text().splitlines()[-5:], f"reproduce: a training ended with {code}: all it said is in {log}",
              sep="\n", file=sys.stderr)
        sys.exit(code)


def train(folder, config, driver="latent_ode", **words):
    """Trains a driver by a configuration of this folder; its held-out measure."""
    drive(folder, driver, {"config": HERE / config, **words})
    with (folder / "metrics.csv").open() as rows:
        last = list(csv.DictReader(rows))[-1]
    name = next(column for column in last if column.startswith("held_out_"))
    print(f"  {folder.name:28} held-out {name.removeprefix('held_out_').upper()} {float(last[name]):.4f}", flush=True)
    return float(last[name])


def fit_density(folder, **words):
    """Trains the normalizing flow's driver; what it found on test rows: nll, standard_error, bytes, drift."""
    drive(folder, "cnf", words)
    lines = [line for line in (folder / "log.txt").read_text().splitlines() if line.startswith("test ")]
    found = {key: float(value) for key, value in (word.split("=") for word in lines[-1].split()[1:])}
    print(f"  {folder.name:28} -log p of test rows {found['nll']:.4f} +- {found['standard_error']:.4f}", flush=True)
    return found


def program(name, *words):
    """Runs the program of an experiment, which tests/reproduce/run has built, and passes on what it says and a failure's
    code."""
    code = subprocess.run([ROOT / f"build/tests/reproduce/reproduce_{name}", *map(str, words)]).returncode
    if code:
        sys.exit(code)


def compute(folder, name, *words):
    """Runs the program of an experiment, which tests/reproduce/run has built; its CSV stays in the folder. The rows."""
    file = folder / f"{'-'.join([name, *words])}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("w") as out:
        code = subprocess.run([ROOT / f"build/tests/reproduce/reproduce_{name}", *words], stdout=out).returncode
    if code:
        sys.exit(f"reproduce: {name} {' '.join(words)} ended with {code}")
    return read_csv(file)


def read_csv(file):
    with file.open() as rows:
        return list(csv.DictReader(rows))


def tensor(file, name):
    """A tensor of doubles out of a safetensors file."""
    raw = file.read_bytes()
    length, = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8:8 + length])
    begin, end = header[name]["data_offsets"]
    return struct.unpack_from(f"<{(end - begin) // 8}d", raw, 8 + length + begin)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def write_csv(file, header, rows):
    with file.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([header, *rows])


def check(target, measured, bound, strict=False, form=None):
    """One target as a line; whether it holds."""
    held = measured < bound if strict else measured <= bound
    form = form or (".4f" if bound >= 1e-2 else ".2e")
    print(f"  {target:72} {measured:{form}} {'<' if strict else '<='} {bound:{form}}  {'yes' if held else 'NO'}")
    return held


def check_near(target, measured, value, within, digits=4):
    held = abs(measured - value) <= within  # false for NaN
    print(f"  {target:72} {measured:.{digits}g} = {value:.{digits}g} +- {within:.2g}  {'yes' if held else 'NO'}")
    return held


def draw(folder, name, script, width, height):
    """NAME.gp and, by it, NAME.png and NAME.svg: files are named relative to the folder."""
    head = f"set terminal pngcairo size {2 * width},{2 * height} fontscale 2 linewidth 2 pointscale 2\n"
    svg = f"set terminal svg size {width},{height} background rgb 'white' enhanced\nset output '{name}.svg'\n"
    (folder / f"{name}.gp").write_text(script)
    for terminal in (head + f"set output '{name}.png'\n", svg):
        if subprocess.run(["gnuplot", "-"], cwd=folder, text=True, input=terminal + f"load '{name}.gp'\n").returncode:
            sys.exit(f"reproduce: gnuplot refused {folder / name}.gp")


def verdict(held, folder):
    """The last lines of every experiment, and its exit code."""
    print("all targets hold" if held else "not all targets hold")
    print(f"run: {folder}")
    sys.exit(0 if held else 1)
