"""The latent ODE of torchdiffeq's examples at its own sizes: data, parameters and noise, the same for every peer."""
import math

import numpy

SPIRALS, POINTS, LATENT, OBSERVED, HIDDEN, RNN_HIDDEN, NOISE = 1000, 100, 4, 2, 20, 25, 0.3
ADAM = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
RTOL, ATOL = 1e-7, 1e-9  # odeint's defaults, which the example leaves alone

# Dense layers as [out][in] and a bias each: the field with ELU, the recognition network, the decoder with ReLU.
LAYERS = {
    "field": [(HIDDEN, LATENT), (HIDDEN, HIDDEN), (LATENT, HIDDEN)],
    "recognise": [(RNN_HIDDEN, OBSERVED + RNN_HIDDEN), (2 * LATENT, RNN_HIDDEN)],
    "decode": [(HIDDEN, LATENT), (OBSERVED, HIDDEN)],
}


def spirals():
    """Times [100], noisy observations [1000][100][2]: parts of two spirals of 500 points over 6 pi, a = 0, b = 0.3."""
    random = numpy.random.RandomState(0)
    total = 500
    angle = numpy.linspace(0.0, 6 * math.pi, total)
    inward = angle[-1] + 1 - angle
    clockwise = 0.3 * 50 / inward
    counter = 0.3 * angle
    curves = numpy.stack([
        numpy.stack([clockwise * numpy.cos(inward) - 5, clockwise * numpy.sin(inward)], 1),
        numpy.stack([counter * numpy.cos(angle) + 5, counter * numpy.sin(angle)], 1)])
    start = random.randint(POINTS, total - POINTS, SPIRALS)
    seen = curves[random.randint(0, 2, SPIRALS)[:, None], start[:, None] + numpy.arange(POINTS)]
    seen = seen + NOISE * random.standard_normal(seen.shape)
    return angle[:POINTS].astype(numpy.float32), seen.astype(numpy.float32)


def parameters():
    """{part: [W, b, W, b, ...]}, drawn as torch.nn.Linear draws: uniform within 1 / sqrt(inputs)."""
    random = numpy.random.RandomState(1)
    out = {}
    for part, layers in LAYERS.items():
        out[part] = []
        for rows, columns in layers:
            bound = 1 / math.sqrt(columns)
            out[part] += [random.uniform(-bound, bound, (rows, columns)).astype(numpy.float32),
                          random.uniform(-bound, bound, rows).astype(numpy.float32)]
    return out


def noise(iteration):
    """The standard normal draws [1000][4] of one iteration's sample of z0."""
    return numpy.random.RandomState(100 + iteration).standard_normal((SPIRALS, LATENT)).astype(numpy.float32)
