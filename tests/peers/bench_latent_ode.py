#!/usr/bin/env python3
"""One training iteration of a latent ODE at the settings of torchdiffeq's latent_ode.py: 1000 spirals of 100 regular
points, recognition RNN, reparameterised sample, solve (rtol 1e-7, atol 1e-9), decoder, ELBO, backward, Adam; float32.

Every measured iteration starts from the same parameters (those after --warm iterations) and the same noise."""
import timing

timing.best_configuration()

import math

import numpy
import torch
import torchdiffeq

import latent_model as model


class Torch:
    """The iteration in torch and torchdiffeq."""

    def __init__(self, odeint, method):
        self.odeint, self.method = odeint, method
        times, seen = model.spirals()
        self.times, self.seen = torch.from_numpy(times), torch.from_numpy(seen)
        self.field = torch.nn.Sequential(torch.nn.Linear(4, 20), torch.nn.ELU(inplace=True), torch.nn.Linear(20, 20),
                                         torch.nn.ELU(inplace=True), torch.nn.Linear(20, 4))
        self.i2h, self.h2o = torch.nn.Linear(2 + model.RNN_HIDDEN, model.RNN_HIDDEN), torch.nn.Linear(25, 8)
        self.decode = torch.nn.Sequential(torch.nn.Linear(4, 20), torch.nn.ReLU(inplace=True), torch.nn.Linear(20, 2))
        start = model.parameters()
        self.theta = []
        for part, modules in (("field", [self.field]), ("recognise", [self.i2h, self.h2o]), ("decode", [self.decode])):
            mine = [p for m in modules for p in m.parameters()]
            for p, value in zip(mine, start[part]):
                p.data = torch.from_numpy(value)
            self.theta += mine
        self.adam = torch.optim.Adam(self.theta, lr=model.ADAM["lr"])
        self.nfe = 0
        parent = self

        class Field(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = parent.field

            def forward(self, t, z):
                parent.nfe += 1
                return self.net(z)

        self.rhs = Field()

    def loss(self, epsilon):
        h = torch.zeros(model.SPIRALS, model.RNN_HIDDEN)
        for point in reversed(range(model.POINTS)):
            h = torch.tanh(self.i2h(torch.cat((self.seen[:, point], h), 1)))
            # the example reads q(z0) after every point and uses the last; so does this peer
            out = self.h2o(h)
        mean, logvar = out[:, :model.LATENT], out[:, model.LATENT:]
        z0 = epsilon * torch.exp(0.5 * logvar) + mean
        z = self.odeint(self.rhs, z0, self.times, method=self.method, rtol=model.RTOL, atol=model.ATOL)
        seen = self.decode(z.permute(1, 0, 2))
        log_noise = 2 * math.log(model.NOISE)
        likelihood = -0.5 * (math.log(2 * math.pi) + log_noise + (self.seen - seen) ** 2 / math.exp(log_noise))
        kl = 0.5 * (torch.exp(logvar) + mean**2 - 1 - logvar)
        return (kl.sum(-1) - likelihood.sum(-1).sum(-1)).mean()

    def iterate(self, epsilon):
        self.nfe = 0
        self.adam.zero_grad()
        loss = self.loss(epsilon)
        forward = self.nfe
        loss.backward()
        self.adam.step()
        return {"loss": float(loss), "nfe": forward, "nfe_backward": self.nfe - forward}

    def state(self):
        return [p.detach().clone() for p in self.theta]

    def restore(self, state):
        for p, value in zip(self.theta, state):
            p.data.copy_(value)


def torch_case(odeint, method, warm):
    """Prepared when first called: a case that is not asked for costs nothing."""
    ready = {}

    def run():
        if not ready:
            trainer = Torch(torchdiffeq.odeint, "dopri5")  # the warm-up is the same for all: its gradients agree
            for n in range(warm):
                trainer.iterate(torch.from_numpy(model.noise(n)))
            ready["net"] = Torch(odeint, method)
            ready["state"], ready["epsilon"] = trainer.state(), torch.from_numpy(model.noise(warm))
        ready["net"].restore(ready["state"])
        return ready["net"].iterate(ready["epsilon"])
    return run


def torch_cases(warm):
    plain, adjoint = torchdiffeq.odeint, torchdiffeq.odeint_adjoint
    return {"dopri5": torch_case(plain, "dopri5", warm), "rk4": torch_case(plain, "rk4", warm),
            "dopri5_adjoint": torch_case(adjoint, "dopri5", warm)}


def diffrax_cases(warm):
    import diffrax
    import jax
    import jax.numpy as jnp

    times, seen = (jnp.array(x) for x in model.spirals())

    def dense(w, b, x):
        return x @ w.T + b

    def field(t, z, p):
        return dense(p[4], p[5], jax.nn.elu(dense(p[2], p[3], jax.nn.elu(dense(p[0], p[1], z)))))

    def case(adjoint):
        def loss(theta, epsilon):
            r, d = theta["recognise"], theta["decode"]
            cell = lambda h, x: (jnp.tanh(dense(r[0], r[1], jnp.concatenate((x, h), 1))), None)
            h = jnp.zeros((model.SPIRALS, model.RNN_HIDDEN))
            h, _ = jax.lax.scan(cell, h, seen.transpose(1, 0, 2), reverse=True)
            mean, logvar = jnp.split(dense(r[2], r[3], h), 2, 1)
            z0 = epsilon * jnp.exp(0.5 * logvar) + mean
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(field), diffrax.Dopri5(), times[0], times[-1], None, z0, theta["field"],
                saveat=diffrax.SaveAt(ts=times), max_steps=1024, adjoint=adjoint,
                stepsize_controller=diffrax.PIDController(rtol=model.RTOL, atol=model.ATOL))
            out = dense(d[2], d[3], jax.nn.relu(dense(d[0], d[1], solution.ys))).transpose(1, 0, 2)
            variance = model.NOISE**2
            likelihood = -0.5 * (math.log(2 * math.pi * variance) + (seen - out) ** 2 / variance)
            kl = 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar)
            return (kl.sum(-1) - likelihood.sum((1, 2))).mean(), solution.stats["num_steps"]

        def adam(n, p, g, m, v):
            a = model.ADAM
            m, v = a["beta1"] * m + (1 - a["beta1"]) * g, a["beta2"] * v + (1 - a["beta2"]) * g * g
            step = m / (1 - a["beta1"] ** n) / (jnp.sqrt(v / (1 - a["beta2"] ** n)) + a["eps"])
            return p - a["lr"] * step, m, v

        @jax.jit
        def iterate(state, epsilon):
            n, theta, m, v = state
            (value, steps), g = jax.value_and_grad(loss, has_aux=True)(theta, epsilon)
            leaves = [jax.tree_util.tree_leaves(x) for x in (theta, g, m, v)]
            updated = zip(*[adam(n + 1.0, *at) for at in zip(*leaves)])
            form = jax.tree_util.tree_structure(theta)
            return (n + 1, *(jax.tree_util.tree_unflatten(form, x) for x in updated)), value, steps

        ready = {}

        def run():
            if not ready:
                theta = jax.tree_util.tree_map(jnp.array, model.parameters())
                zero = jax.tree_util.tree_map(jnp.zeros_like, theta)
                state = (jnp.float32(0), theta, zero, zero)
                for n in range(warm):
                    state, *_ = iterate(state, jnp.array(model.noise(n)))
                ready.update(state=state, epsilon=jnp.array(model.noise(warm)))
            _, value, steps = jax.block_until_ready(iterate(ready["state"], ready["epsilon"]))
            return {"loss": float(value), "nfe": 6 * int(steps) + 1}
        return run

    return {"dopri5": case(diffrax.RecursiveCheckpointAdjoint()), "dopri5_adjoint": case(diffrax.BacksolveAdjoint())}


def main():
    parser = timing.options(__doc__)
    parser.add_argument("--warm", type=int, default=20, help="iterations of training before the one measured")
    args = parser.parse_args()
    cases = {"torchdiffeq": torch_cases, "diffrax": diffrax_cases}[args.peer](args.warm)
    timing.serve({"bench": "latent_ode", **timing.versions(args.peer), "spirals": model.SPIRALS, "warm": args.warm},
                 timing.choose(cases, args.cases), args, warm=3)


if __name__ == "__main__":
    main()
