#!/usr/bin/env python3
"""The ODENet of Chen et al. 2018 as torchdiffeq's odenet_mnist.py has it, 128 images of 28 x 28, float32: `function`, its
ODE function once forward and backward at the 6 x 6 map; `rk4` and `rk4_adjoint`, a whole training iteration (stem, 5
steps of rk4, head, cross-entropy, backward, SGD with momentum) by backpropagation through the solver and by the
continuous adjoint; `dopri5` and `dopri5_adjoint`, the same with the example's tolerances.

Each case runs in the memory layout, NCHW or channels last, that was faster while warming up."""
import time

import timing

timing.best_configuration()

import torch
import torchdiffeq

BATCH, FILTERS, GROUPS, STEPS, TOLERANCE = 128, 64, 32, 5, 1e-3
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


class ConcatConv(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(FILTERS + 1, FILTERS, 3, padding=1)

    def forward(self, t, x):
        return self.layer(torch.cat([torch.ones_like(x[:, :1]) * t, x], 1))


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = torch.nn.ModuleList(torch.nn.GroupNorm(GROUPS, FILTERS) for _ in range(3))
        self.convs = torch.nn.ModuleList(ConcatConv() for _ in range(2))
        self.relu = torch.nn.ReLU(inplace=True)
        self.nfe = 0

    def forward(self, t, x):
        self.nfe += 1
        for norm, conv in zip(self.norms, self.convs):
            x = conv(t, self.relu(norm(x)))
        return self.norms[2](x)


class Network(torch.nn.Module):
    def __init__(self, odeint, method):
        super().__init__()
        norm = lambda: torch.nn.GroupNorm(GROUPS, FILTERS)
        self.stem = torch.nn.Sequential(
            torch.nn.Conv2d(1, FILTERS, 3, 1), norm(), torch.nn.ReLU(inplace=True),
            torch.nn.Conv2d(FILTERS, FILTERS, 4, 2, 1), norm(), torch.nn.ReLU(inplace=True),
            torch.nn.Conv2d(FILTERS, FILTERS, 4, 2, 1))
        self.field = Field()
        self.head = torch.nn.Sequential(norm(), torch.nn.ReLU(inplace=True), torch.nn.AdaptiveAvgPool2d((1, 1)),
                                        torch.nn.Flatten(), torch.nn.Linear(FILTERS, 10))
        how = {"options": {"step_size": 1 / STEPS}} if method == "rk4" else {"rtol": TOLERANCE, "atol": TOLERANCE}
        self.solve = lambda x: odeint(self.field, x, torch.tensor([0.0, 1.0]), method=method, **how)[1]

    def forward(self, x):
        return self.head(self.solve(self.stem(x)))


def iteration(layout, odeint, method):
    torch.manual_seed(0)
    network = Network(odeint, method).to(memory_format=LAYOUTS[layout])
    images = torch.rand(BATCH, 1, 28, 28).to(memory_format=LAYOUTS[layout])
    labels = torch.randint(0, 10, (BATCH,))
    sgd = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)

    def run():
        network.field.nfe = 0
        sgd.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        forward = network.field.nfe
        loss.backward()
        sgd.step()
        return {"nfe": forward, "nfe_backward": network.field.nfe - forward, "loss": float(loss), "layout": layout}
    return run


def function(layout):
    torch.manual_seed(0)
    field = Field().to(memory_format=LAYOUTS[layout])
    x = torch.rand(BATCH, FILTERS, 6, 6).to(memory_format=LAYOUTS[layout]).requires_grad_()
    cotangent = torch.rand(BATCH, FILTERS, 6, 6).to(memory_format=LAYOUTS[layout])
    t = torch.tensor(0.3)

    def run():
        field.zero_grad(set_to_none=True)
        x.grad = None
        field(t, x).backward(cotangent)
        return {"layout": layout}
    return run


def faster(make, *arguments):
    """The case in its faster layout, prepared when first called."""
    chosen = []

    def run():
        if not chosen:
            def least(case):
                times = []
                for _ in range(4):
                    begin = time.process_time()
                    case()
                    times.append(time.process_time() - begin)
                return min(times)
            chosen.append(min((make(layout, *arguments) for layout in LAYOUTS), key=least))
        return chosen[0]()
    return run


def main():
    args = timing.options(__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    plain, adjoint = torchdiffeq.odeint, torchdiffeq.odeint_adjoint
    cases = {"function": faster(function)}
    for method in ("rk4", "dopri5"):
        cases[method] = faster(iteration, plain, method)
        cases[f"{method}_adjoint"] = faster(iteration, adjoint, method)
    timing.serve({"bench": "odenet", **timing.versions(args.peer), "batch": BATCH}, timing.choose(cases, args.cases),
                 args, warm=2)


if __name__ == "__main__":
    main()
