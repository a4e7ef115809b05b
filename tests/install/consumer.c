/* A stranger's C program, linked by a C compiler alone: a damped oscillator x'' = -k x - c x' with its own derivative,
 * in exactly the bytes that were asked for. The solution is checked against the closed form, the gradient against
 * differences of the solution. */
#include <math.h>
#include <revode.h>
#include <stdio.h>

enum { steps = 100 };

static _Alignas(REVODE_MEMORY_ALIGN) unsigned char memory[65536];

static int rhs(double t, const double* y, const double* theta, double* dydt, double* tape, void* user_data) {
  (void)t, (void)tape, (void)user_data;
  dydt[0] = y[1];
  dydt[1] = -theta[0] * y[0] - theta[1] * y[1];
  return 0;
}

static int vjp(double t, const double* y, const double* theta, double* tape, const double* w, double* y_bar,
               double* theta_bar, void* user_data) {
  (void)t, (void)tape, (void)user_data;
  y_bar[0] -= theta[0] * w[1];
  y_bar[1] += w[0] - theta[1] * w[1];
  if (theta_bar) {
    theta_bar[0] -= y[0] * w[1];
    theta_bar[1] -= y[1] * w[1];
  }
  return 0;
}

static int check(const char* what, double value, double expected, double tolerance) {
  const int ok = fabs(value - expected) <= tolerance;
  printf("%s: %.9f, expected %.9f: %s\n", what, value, expected, ok ? "ok" : "wrong");
  return ok;
}

/* x at t = 2. */
static double end(revode_solver* solver, const double* theta) {
  const double y0[2] = {1, 0};
  double y1[2];
  return revode_forward(solver, theta, 0, 2, steps, y0, y1) == REVODE_OK ? y1[0] : NAN;
}

int main(void) {
  const revode_field field = {.size = sizeof field, .dim = 2, .params = 2, .lanes = 1, .rhs = rhs, .vjp = vjp};
  const revode_plan plan = {.size = sizeof plan,
                            .method = REVODE_MCCALLUM_FOSTER,
                            .base = REVODE_RK4,
                            .way = REVODE_REVERSED,
                            .arithmetic = REVODE_FIXED};
  const double theta[2] = {4, 0.5}, x_bar[2] = {1, 0};
  double y0_bar[2] = {0, 0}, theta_bar[2] = {0, 0};
  size_t bytes = 0;
  revode_solver* solver = NULL;

  if (revode_version() != REVODE_VERSION) return printf("header and library differ\n"), 1;
  if (revode_solver_bytes(&field, &plan, &bytes) != REVODE_OK || bytes > sizeof memory) return 1;
  if (revode_solver_init(memory, bytes - 1, &field, &plan, &solver) != REVODE_ARENA_TOO_SMALL || solver)
    return printf("one byte fewer was not refused\n"), 1;
  const int status = revode_solver_init(memory, bytes, &field, &plan, &solver);
  if (status != REVODE_OK) return printf("init: %s\n", revode_sentence(status)), 1;

  /* Under-damped: x(t) = exp(-c t / 2) (cos w t + c / (2 w) sin w t). RK4 with h = 0.02: w h = 0.04, so that 100 steps
   * err by about 100 (w h)^5 / 120 = 1e-7. */
  const double w = sqrt(theta[0] - theta[1] * theta[1] / 4), c = theta[1];
  int ok = check("x(2)", end(solver, theta), exp(-c) * (cos(2 * w) + c / (2 * w) * sin(2 * w)), 1e-7);
  if (revode_backward(solver, x_bar, y0_bar, theta_bar) != REVODE_OK) return printf("backward failed\n"), 1;

  /* Central differences with step e = 1e-4: truncation e^2 = 1e-8, rounding of states to 2^-44 in each of 100 steps
   * divided by 2 e: below 100 * 6e-14 / 2e-4 = 3e-8. */
  for (int i = 0; i < 2; ++i) {
    const double e = 1e-4;
    double up[2] = {theta[0], theta[1]}, down[2] = {theta[0], theta[1]};
    up[i] += e;
    down[i] -= e;
    ok &= check(i ? "dx/dc" : "dx/dk", theta_bar[i], (end(solver, up) - end(solver, down)) / (2 * e), 4e-8);
  }
  return ok ? 0 : 1;
}
