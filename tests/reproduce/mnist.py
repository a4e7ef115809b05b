"""MNIST by the published ODENet within an hour, and a ResNet beside it (Chen et al. 2018, Table 1)."""
import pathlib
import sys

from common import COLOURS, check, data_file, draw, read_csv, train, verdict

DATA = "mnist/train-images-idx3-ubyte.gz"
NETWORKS = {"odenet": ("ODE-Net", 208266, .0042), "resnet": ("ResNet", 576778, .0041)}
PROTOCOL = """\
60,000 images to train on, 10,000 held out; pixels in [0, 1], moved by up to {shift} pixels each way. The network of
torchdiffeq/examples/odenet_mnist.py: stem of one convolution and two strided ones, ODE block of two convolutions with
time, head of group norm, mean and a dense layer; ResNet: six residual blocks instead of the ODE. SGD with momentum
0.9, batches of 128, {schedule}. ODE: {solver}.
Published are the best test errors over 160 epochs, chosen on the test images; what is measured here is the last
epoch's, with the best one beside it.
"""
HOUR = {"shift": 2, "schedule": "one cycle of the rate over 20 epochs", "solver": "one step of RK4, states stored"}


def picture(folder, name):
    script = ("set datafile separator ','\nset datafile columnheaders\nset logscale y\nset border 3 lc rgb '#aaaaaa'\n"
              "set tics nomirror\nset grid lc rgb '#e4e4e4'\nset xlabel 'epoch'\nset ylabel 'test error, %'\nplot "
              + ", \\\n  ".join(f"'{network}/metrics.csv' using 'epoch':(100 * column('held_out_error')) with lines "
                                f"lw 2 lc rgb '{COLOURS[i]}' title '{title}'" for i, (network, (title, _, _))
                                in enumerate(NETWORKS.items())) + "\n")
    draw(folder, name, script, 800, 460)


def reproduce(folder, name, protocol, bound):
    data = data_file(DATA).parent
    print(PROTOCOL.format(**protocol), flush=True)
    last = {network: train(folder / network, f"{name}.toml", driver="odenet", data=data, network=network)
            for network in NETWORKS}
    print("\n" + " " * 10 + "".join(f"{word:>12}" for word in ("parameters", "published", "measured", "best epoch"))
          + f"{'epochs':>8}{'s an epoch':>12}")
    for network, (title, params, published) in NETWORKS.items():
        rows = read_csv(folder / network / "metrics.csv")
        best = min(float(r["held_out_error"]) for r in rows)
        print(f"{title:10}{params:>12,}{published:>11.2%} {last[network]:>11.2%} {best:>11.2%} {len(rows):>8}"
              f"{float(rows[-1]['seconds']) / len(rows):>12.0f}")
    picture(folder, name)
    print("\ntargets")
    verdict(check("ODE-Net: test error of the last epoch", last["odenet"], bound), folder)


if __name__ == "__main__":
    reproduce(pathlib.Path(sys.argv[1]).absolute(), "mnist", HOUR, .0060)
