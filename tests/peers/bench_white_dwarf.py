#!/usr/bin/env python3
"""One training gradient of the white dwarf of McCallum and Foster: a network 3-10-2 of (t, y) in double over 1000 Euler
steps, mean squared error of all of them. torch: a loop over the steps and backpropagation, the field's fastest form of
it, with square-root checkpoints beside it; torchdiffeq: its fixed-step Euler; diffrax: Euler with recursive
checkpoints, and backpropagation through a scan that keeps everything."""
import timing

timing.best_configuration()

import math

import numpy

STEPS, END, HIDDEN = 1000, 5.0, 10
START, WANTED = (1.0, 0.0), (0.6, -0.1)


def weights():
    """W1, b1, W2, b2, the same for every peer."""
    draw = numpy.random.RandomState(0).normal
    return [0.5 * draw(size=s) for s in ((HIDDEN, 3), HIDDEN, (2, HIDDEN), 2)]


def torch_cases():
    import torch
    import torchdiffeq
    from torch.utils.checkpoint import checkpoint

    torch.set_default_dtype(torch.float64)
    theta = [torch.from_numpy(w).requires_grad_() for w in weights()]
    start, wanted, h = torch.tensor(START), torch.tensor(WANTED), END / STEPS
    times = torch.linspace(0, END, STEPS + 1)
    evaluations = [0]

    def field(t, y):
        evaluations[0] += 1
        w1, b1, w2, b2 = theta
        x = torch.cat((t.reshape(1), y))
        return torch.addmv(b2, w2, torch.tanh(torch.addmv(b1, w1, x)))

    def segment(first, y, count):
        states = []
        for n in range(first, first + count):
            y = y + h * field(times[n], y)
            states.append(y)
        return torch.stack(states)

    def loop():
        return segment(0, start, STEPS)

    def checkpointed():
        count = math.isqrt(STEPS)
        y, all_states = start.clone().requires_grad_(), []
        for first in range(0, STEPS, count):
            all_states.append(checkpoint(segment, first, y, min(count, STEPS - first), use_reentrant=False))
            y = all_states[-1][-1]
        return torch.cat(all_states)

    def case(solve):
        def run():
            evaluations[0] = 0
            for w in theta:
                w.grad = None
            loss = ((solve() - wanted) ** 2).mean()
            forward = evaluations[0]
            loss.backward()
            return {"nfe": forward, "loss": float(loss)}
        return run

    return {"backprop": case(loop), "checkpoints": case(checkpointed),
            "torchdiffeq": case(lambda: torchdiffeq.odeint(field, start, times, method="euler")[1:])}


def diffrax_cases():
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    theta, start, wanted = [jnp.array(w) for w in weights()], jnp.array(START), jnp.array(WANTED)
    times = jnp.linspace(0, END, STEPS + 1)

    def field(t, y, theta):
        w1, b1, w2, b2 = theta
        return w2 @ jnp.tanh(w1 @ jnp.concatenate((jnp.reshape(t, (1,)), y)) + b1) + b2

    def by_diffrax(theta):
        solution = diffrax.diffeqsolve(diffrax.ODETerm(field), diffrax.Euler(), 0.0, END, END / STEPS, start, theta,
                                       saveat=diffrax.SaveAt(ts=times[1:]), max_steps=STEPS + 1,
                                       adjoint=diffrax.RecursiveCheckpointAdjoint())
        return ((solution.ys - wanted) ** 2).mean()

    def by_scan(theta):
        def step(y, t):
            y = y + END / STEPS * field(t, y, theta)
            return y, y
        return ((jax.lax.scan(step, start, times[:-1])[1] - wanted) ** 2).mean()

    def case(loss):
        gradient = jax.jit(jax.value_and_grad(loss))

        def run():
            value, _ = jax.block_until_ready(gradient(theta))
            return {"nfe": STEPS, "loss": float(value)}
        return run

    return {"diffrax": case(by_diffrax), "jax_scan": case(by_scan)}


def main():
    args = timing.options(__doc__).parse_args()
    cases = {"torchdiffeq": torch_cases, "diffrax": diffrax_cases}[args.peer]()
    timing.serve({"bench": "white_dwarf", **timing.versions(args.peer)}, timing.choose(cases, args.cases), args)


if __name__ == "__main__":
    main()
