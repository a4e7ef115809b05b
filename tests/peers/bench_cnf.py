#!/usr/bin/env python3
"""One training iteration of a normalizing flow in the plane, 512 samples, float32: a batch of two circles, -log p and
its gradient, Adam.

--model hyper: torchdiffeq's examples/cnf.py, width 64, from t = 10 to 0; dopri5 is the script as it is shipped (odeint,
tolerances 1e-5, scikit-learn's circles), dopri5_adjoint with its option --adjoint. --model ffjord: a field 2-64-64-2 of
tanh that sees time in each layer, over a unit of time. rk4: 20 equal steps, 80 evaluations. The trace is exact, by a
vector-Jacobian product a dimension as in FFJORD; algebra: d2^T (W2 o (W3 W1)^T) d1 without one; hutchinson: estimated.
"""
import timing

timing.best_configuration()

import math

import numpy
import torch
import torchdiffeq
from sklearn.datasets import make_circles

BATCH, WIDTH, HYPER, STEPS = 512, 64, 32, 20
END = {"hyper": 10.0, "ffjord": 1.0}


def circles():
    return make_circles(n_samples=BATCH, noise=0.06, factor=0.5)[0].astype(numpy.float32)


def shapes(model):
    """Rows and columns of the dense layers, in order."""
    if model == "hyper":
        return (HYPER, 1), (HYPER, HYPER), (7 * WIDTH, HYPER)
    return (WIDTH, 3), (WIDTH, WIDTH + 1), (2, WIDTH + 1)


def weights(model):
    """As torch.nn.Linear draws them, the same for every peer."""
    draw = numpy.random.RandomState(0).uniform
    parts = []
    for out, into in shapes(model):
        bound = 1 / math.sqrt(into)
        parts += [draw(-bound, bound, (out, into)).astype(numpy.float32), draw(-bound, bound, out).astype(numpy.float32)]
    return parts


class Field(torch.nn.Module):
    """(z, log p) -> (f, -tr df/dz) and how often it was asked."""

    def __init__(self, model, trace):
        super().__init__()
        self.theta = torch.nn.ParameterList([torch.nn.Parameter(torch.from_numpy(w)) for w in weights(model)])
        self.f, self.trace, self.nfe = {"hyper": self.hyper, "ffjord": self.ffjord}[model], trace, 0
        self.noise = torch.from_numpy(numpy.random.RandomState(1).choice((-1.0, 1.0), (BATCH, 2))).float()

    def hyper(self, t, z):
        w1, b1, w2, b2, w3, b3 = self.theta
        net = torch.tanh(torch.nn.functional.linear(t.reshape(1, 1), w1, b1))
        net = torch.nn.functional.linear(torch.tanh(torch.nn.functional.linear(net, w2, b2)), w3, b3).reshape(-1)
        block = 2 * WIDTH
        w, u, g, b = net[:block], net[block : 2 * block], net[2 * block : 3 * block], net[3 * block :]
        u = u.reshape(WIDTH, 1, 2) * torch.sigmoid(g.reshape(WIDTH, 1, 2))
        z = torch.unsqueeze(z, 0).repeat(WIDTH, 1, 1)
        return torch.matmul(torch.tanh(torch.matmul(z, w.reshape(WIDTH, 2, 1)) + b.reshape(WIDTH, 1, 1)), u).mean(0)

    def ffjord(self, t, z):
        w1, b1, w2, b2, w3, b3 = self.theta
        h = torch.tanh(torch.addmm(b1 + t * w1[:, 2], z, w1[:, :2].t()))
        h = torch.tanh(torch.addmm(b2 + t * w2[:, WIDTH], h, w2[:, :WIDTH].t()))
        return torch.addmm(b3 + t * w3[:, WIDTH], h, w3[:, :WIDTH].t())

    def by_algebra(self, t, z):
        w1, b1, w2, b2, w3, b3 = self.theta
        h1 = torch.tanh(torch.addmm(b1 + t * w1[:, 2], z, w1[:, :2].t()))
        h2 = torch.tanh(torch.addmm(b2 + t * w2[:, WIDTH], h1, w2[:, :WIDTH].t()))
        c = w2[:, :WIDTH] * (w1[:, :2] @ w3[:, :WIDTH]).t()
        trace = ((1 - h2 * h2) * ((1 - h1 * h1) @ c.t())).sum(1, keepdim=True)
        return torch.addmm(b3 + t * w3[:, WIDTH], h2, w3[:, :WIDTH].t()), -trace

    def forward(self, t, state):
        self.nfe += 1
        z = state[0]
        if self.trace == "algebra":
            return self.by_algebra(t, z)
        with torch.enable_grad():
            z.requires_grad_(True)
            f = self.f(t, z)
            if self.trace == "hutchinson":
                pulled = torch.autograd.grad(f, z, self.noise, create_graph=True)[0]
                return f, -(pulled * self.noise).sum(1, keepdim=True)
            trace = sum(torch.autograd.grad(f[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2))
            return f, -trace.reshape(BATCH, 1)


def torchdiffeq_cases(model):
    base = torch.distributions.MultivariateNormal(torch.zeros(2), 0.1 * torch.eye(2))
    t = torch.tensor([END[model], 0.0])

    def case(odeint, trace="exact", **how):
        field = Field(model, trace)
        optimizer = torch.optim.Adam(field.parameters(), lr=1e-3)

        def run():
            field.nfe = 0
            optimizer.zero_grad()
            z, gain = odeint(field, (torch.from_numpy(circles()), torch.zeros(BATCH, 1)), t, **how)
            loss = -(base.log_prob(z[-1]) - gain[-1].view(-1)).mean()
            forward = field.nfe
            loss.backward()
            optimizer.step()
            return {"nfe": forward, "nfe_backward": field.nfe - forward, "loss": float(loss)}
        return run

    plain, adjoint = torchdiffeq.odeint, torchdiffeq.odeint_adjoint
    rk4 = {"method": "rk4", "options": {"step_size": END[model] / STEPS}}
    dopri5 = {"method": "dopri5", "rtol": 1e-5, "atol": 1e-5}
    cases = {"rk4": case(plain, **rk4), "dopri5": case(plain, **dopri5), "dopri5_adjoint": case(adjoint, **dopri5)}
    if model == "ffjord":
        cases["rk4_algebra"] = case(plain, "algebra", **rk4)
        cases["rk4_hutchinson"] = case(plain, "hutchinson", **rk4)
    return cases


def diffrax_cases(model):
    import diffrax
    import jax
    import jax.numpy as jnp

    from diffrax_rk4 import Rk4

    def hyper(t, z, theta):
        w1, b1, w2, b2, w3, b3 = theta
        net = w3 @ jnp.tanh(w2 @ jnp.tanh(w1[:, 0] * t + b1) + b2) + b3
        w, u, g = (net[i * 2 * WIDTH : (i + 1) * 2 * WIDTH].reshape(WIDTH, 2) for i in range(3))
        return jnp.tanh(w @ z + net[6 * WIDTH :]) @ (u * jax.nn.sigmoid(g)) / WIDTH

    def ffjord(t, z, theta):
        w1, b1, w2, b2, w3, b3 = theta
        h = jnp.tanh(w1[:, :2] @ z + b1 + t * w1[:, 2])
        h = jnp.tanh(w2[:, :WIDTH] @ h + b2 + t * w2[:, WIDTH])
        return w3[:, :WIDTH] @ h + b3 + t * w3[:, WIDTH]

    one = {"hyper": hyper, "ffjord": ffjord}[model]

    def field(t, state, theta):
        def sample(z):
            value, push = jax.linearize(lambda x: one(t, x, theta), z)
            return value, -sum(push(unit)[i] for i, unit in enumerate(jnp.eye(2)))
        return jax.vmap(sample)(state[0])

    def case(solver, first, evaluations, **rest):
        def loss(theta, x):
            solution = diffrax.diffeqsolve(diffrax.ODETerm(field), solver, END[model], 0.0, first,
                                           (x, jnp.zeros(BATCH)), theta, **rest)
            z, gain = solution.ys[0][-1], solution.ys[1][-1]
            log_p = -(z * z).sum(1) / 0.2 - math.log(0.2 * math.pi) - gain
            return -log_p.mean(), solution.stats["num_steps"]

        @jax.jit
        def iterate(theta, moments, count, x):
            (value, steps), g = jax.value_and_grad(loss, has_aux=True)(theta, x)
            m = [0.9 * a + 0.1 * b for a, b in zip(moments[0], g)]
            v = [0.999 * a + 0.001 * b * b for a, b in zip(moments[1], g)]
            rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            theta = [a - rate * b / (jnp.sqrt(c) + 1e-8) for a, b, c in zip(theta, m, v)]
            return theta, (m, v), value, steps

        theta = [jnp.array(w) for w in weights(model)]
        kept = {"theta": theta, "moments": ([0 * w for w in theta], [0 * w for w in theta]), "count": 0.0}

        def run():
            kept["count"] += 1.0
            kept["theta"], kept["moments"], value, steps = jax.block_until_ready(
                iterate(kept["theta"], kept["moments"], kept["count"], circles()))
            return {"nfe": evaluations(int(steps)), "loss": float(value)}
        return run

    equal = {"stepsize_controller": diffrax.ConstantStepSize(), "max_steps": STEPS}
    adaptive = {"stepsize_controller": diffrax.PIDController(rtol=1e-5, atol=1e-5), "max_steps": 1024}
    return {"rk4": case(Rk4(), -END[model] / STEPS, lambda n: 4 * n, **equal),
            "dopri5": case(diffrax.Dopri5(), None, lambda n: 6 * n + 1, **adaptive),
            "dopri5_adjoint": case(diffrax.Dopri5(), None, lambda n: 6 * n + 1, adjoint=diffrax.BacksolveAdjoint(),
                                   **adaptive)}


def main():
    parser = timing.options(__doc__)
    parser.add_argument("--model", choices=tuple(END), default="hyper")
    args = parser.parse_args()
    cases = {"torchdiffeq": torchdiffeq_cases, "diffrax": diffrax_cases}[args.peer](args.model)
    timing.serve({"bench": "cnf", **timing.versions(args.peer), "model": args.model},
                 timing.choose(cases, args.cases), args)


if __name__ == "__main__":
    main()
