"""The classical Runge-Kutta method for diffrax, which lacks it. No error estimate, so it serves equal steps only."""
import diffrax
import numpy


class Rk4(diffrax.AbstractERK):
    tableau = diffrax.ButcherTableau(
        c=numpy.array([0.5, 0.5, 1.0]), b_sol=numpy.array([1 / 6, 1 / 3, 1 / 3, 1 / 6]), b_error=numpy.zeros(4),
        a_lower=(numpy.array([0.5]), numpy.array([0.0, 0.5]), numpy.array([0.0, 0.0, 1.0])))
    interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

    def order(self, terms):
        return 4
