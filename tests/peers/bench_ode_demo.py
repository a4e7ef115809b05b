#!/usr/bin/env python3
"""One training gradient of torchdiffeq's ode_demo: y' = W2 tanh(W1 y^3 + b1) + b2 with 50 hidden units, from a batch of
points of the cubic spiral over its next 9 intervals, mean absolute error, forward and backward; no optimiser, float32.

torchdiffeq's rk4 is the 3/8 rule, diffrax's here the classical method: 36 evaluations either way."""
import timing

timing.best_configuration()

import numpy
import torch
import torchdiffeq

POINTS, HIDDEN = 10, 50


def data(batch):
    """Times [10], starts [batch][2] and the next points [10][batch][2] of the true spiral."""
    t = torch.linspace(0.0, 25.0, 1000)
    spin = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
    true = torchdiffeq.odeint(lambda t, y: y**3 @ spin, torch.tensor([[2.0, 0.0]]), t)[:, 0]
    at = torch.from_numpy(numpy.random.RandomState(42).choice(len(t) - POINTS, batch, replace=False))
    return t[:POINTS], true[at], torch.stack([true[at + i] for i in range(POINTS)])


def weights():
    """W1, b1, W2, b2 as the example draws them, the same for every peer."""
    draw = numpy.random.RandomState(0).normal
    shapes = ((HIDDEN, 2), HIDDEN, (2, HIDDEN), 2)
    return [(0.1 * draw(size=s) if isinstance(s, tuple) else numpy.zeros(s)).astype(numpy.float32) for s in shapes]


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 2))
        for parameter, start in zip(self.net.parameters(), weights()):
            parameter.data = torch.from_numpy(start)
        self.nfe = 0

    def forward(self, t, y):
        self.nfe += 1
        return self.net(y**3)


def torchdiffeq_cases(batch):
    field, (t, start, target) = Field(), data(batch)

    def case(odeint, method):
        def run():
            field.nfe = 0
            field.zero_grad(set_to_none=True)
            loss = (odeint(field, start, t, method=method) - target).abs().mean()
            forward = field.nfe
            loss.backward()
            return {"nfe": forward, "nfe_backward": field.nfe - forward, "loss": float(loss)}
        return run

    plain, adjoint = torchdiffeq.odeint, torchdiffeq.odeint_adjoint
    return {"rk4": case(plain, "rk4"), "dopri5": case(plain, "dopri5"), "rk4_adjoint": case(adjoint, "rk4"),
            "dopri5_adjoint": case(adjoint, "dopri5")}


def diffrax_cases(batch):
    import diffrax
    import jax
    import jax.numpy as jnp

    from diffrax_rk4 import Rk4

    t, start, target = (jnp.array(x.numpy()) for x in data(batch))
    theta = [jnp.array(x) for x in weights()]

    def field(t, y, theta):
        w1, b1, w2, b2 = theta
        return jnp.tanh(y**3 @ w1.T + b1) @ w2.T + b2

    def case(solver, first, evaluations, **rest):
        def loss(theta):
            solution = diffrax.diffeqsolve(diffrax.ODETerm(field), solver, t[0], t[-1], first, start, theta,
                                           saveat=diffrax.SaveAt(ts=t), **rest)
            return jnp.abs(solution.ys - target).mean(), solution.stats["num_steps"]

        gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))

        def run():
            (value, steps), _ = jax.block_until_ready(gradient(theta))
            return {"nfe": evaluations(int(steps)), "loss": float(value)}
        return run

    adaptive = diffrax.PIDController(rtol=1e-7, atol=1e-9)
    return {"rk4": case(Rk4(), None, lambda n: 4 * n, stepsize_controller=diffrax.StepTo(t), max_steps=16),
            "dopri5": case(diffrax.Dopri5(), None, lambda n: 6 * n + 1, stepsize_controller=adaptive, max_steps=4096),
            "dopri5_adjoint": case(diffrax.Dopri5(), None, lambda n: 6 * n + 1, stepsize_controller=adaptive,
                                   max_steps=4096, adjoint=diffrax.BacksolveAdjoint())}


def main():
    parser = timing.options(__doc__)
    parser.add_argument("--batch", type=int, choices=(20, 512), default=20)
    args = parser.parse_args()
    cases = {"torchdiffeq": torchdiffeq_cases, "diffrax": diffrax_cases}[args.peer](args.batch)
    timing.serve({"bench": "ode_demo", **timing.versions(args.peer), "batch": args.batch},
                 timing.choose(cases, args.cases), args)


if __name__ == "__main__":
    main()
