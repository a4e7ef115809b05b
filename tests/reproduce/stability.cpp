// Linear stability: the library's own step on y' = mu y, h = 1. A step of a word on registers that hold complex numbers
// is a matrix; stepping each register's unit vector gives its columns, and its spectral radius says whether mu is in
// the region. `extents`: one line a method; `regions`: the radius over a grid of mu for the pictures.
#include <complex>
#include <cstring>
#include <limits>

#include "experiment.hpp"
#include "revode/automatic.hpp"
#include "revode/impl/flow_impl.hpp"

namespace {
using namespace experiment;
using T = double;
using Complex = std::complex<T>;

/// mu travels in the state, so each lane has its own.
struct Linear {
  static constexpr int dim = 4, params = 0;
  template <class S>
  constexpr void operator()(S, const S* y, const S*, S* dy) const {
    dy[0] = y[2] * y[0] - y[3] * y[1];
    dy[1] = y[2] * y[1] + y[3] * y[0];
    dy[2] = dy[3] = S(0.);
  }
};
/// q'' = mu^2 q, for words of positions and velocities.
struct Squared {
  static constexpr int dim = 4, params = 0;
  template <class S>
  constexpr void operator()(S t, const S* y, const S* p, S* dy) const {
    S once[4];
    Linear{}(t, y, p, once);
    once[2] = y[2], once[3] = y[3];
    Linear{}(t, once, p, dy);
  }
};
constexpr Automatic<T, Linear> linear;
constexpr Automatic<T, Squared> squared;

class Stepper {
 public:
  static constexpr std::size_t lanes = 64;
  Stepper(const Method<T>& method, T damping)
      : field_(method.read == 2 ? static_cast<const Map<T>&>(squared) : linear),
        damping_(damping),
        bytes_(measured(method)),
        y0_(4 * lanes * static_cast<std::size_t>(method.read)) {
    Arena arena = bytes_.arena();
    flow_.place(arena, field_, method, lanes, false, false);
    flow_.init(nullptr, {0, 0});
  }
  /// The step's matrix [registers][registers] for each of mu[lanes].
  void matrix(const Complex* mu, Complex (*m)[2][2]) {
    for (std::size_t l = 0; l < lanes; ++l) y0_[2 * lanes + l] = mu[l].real(), y0_[3 * lanes + l] = mu[l].imag();
    flow_.lift(0, y0_.data());
    const std::vector<T> zero(flow_.state, flow_.state + flow_.words());
    for (int column = 0; column < registers(); ++column) {
      std::copy(zero.begin(), zero.end(), flow_.state);
      for (std::size_t l = 0; l < lanes; ++l) *at(column, 0, l) = 1;
      flow_.moved();
      flow_.step({0, 0, 1, 1, damping_, 0}, nullptr);
      for (int row = 0; row < registers(); ++row)
        for (std::size_t l = 0; l < lanes; ++l) m[l][row][column] = {*at(row, 0, l), *at(row, 1, l)};
    }
  }
  void radii(const Complex* mu, T* radius) {
    Complex m[lanes][2][2];
    matrix(mu, m);
    for (std::size_t l = 0; l < lanes; ++l)
      radius[l] = registers() == 1
                      ? std::abs(m[l][0][0])
                      : spectral(m[l][0][0] + m[l][1][1], m[l][0][0] * m[l][1][1] - m[l][0][1] * m[l][1][0]);
  }
  /// Of the matrix of this trace and determinant.
  static T spectral(Complex trace, Complex det) {
    const Complex root = std::sqrt(trace * trace / 4. - det);
    return std::max(std::abs(trace / 2. + root), std::abs(trace / 2. - root));
  }
  int registers() const { return flow_.method().registers; }

 private:
  std::size_t measured(const Method<T>& method) {
    Arena arena;
    Flow<Real<T>> flow;
    flow.place(arena, field_, method, lanes, false, false);
    return arena.bytes();
  }
  T* at(int r, std::size_t row, std::size_t lane) {
    return flow_.state + static_cast<std::size_t>(r) * flow_.size() + row * lanes + lane;
  }
  const Map<T>& field_;
  T damping_;
  Bytes bytes_;
  std::vector<T> y0_;
  Flow<Real<T>> flow_;
};

/// Walks mu = x direction from 0 until the radius passes 1, then halves: the part of the axis that touches 0.
T extent(Stepper& s, Complex direction) {
  const T slack = 1e-11;  // rounding of a radius near a double eigenvalue, where square roots amplify it
  Complex mu[Stepper::lanes];
  T radius[Stepper::lanes];
  const T pace = 1e-4;
  for (T x = 0; x < 6; x += pace * Stepper::lanes) {
    for (std::size_t l = 0; l < Stepper::lanes; ++l) mu[l] = (x + pace * static_cast<T>(l + 1)) * direction;
    s.radii(mu, radius);
    for (std::size_t l = 0; l < Stepper::lanes; ++l) {
      if (radius[l] <= 1 + slack) continue;
      T low = x + pace * static_cast<T>(l), high = low + pace;
      for (int i = 0; i < 6; ++i) {  // each round cuts the interval into as many parts as there are lanes
        const T part = (high - low) / Stepper::lanes;
        for (std::size_t j = 0; j < Stepper::lanes; ++j) mu[j] = (low + part * static_cast<T>(j + 1)) * direction;
        s.radii(mu, radius);
        std::size_t j = 0;
        while (j + 1 < Stepper::lanes && radius[j] <= 1 + slack) ++j;
        low += part * static_cast<T>(j), high = low + part;
      }
      return low;
    }
  }
  return std::numeric_limits<T>::infinity();
}

/// Calls visit(mu[lanes], weight[lanes]) over midpoints of the cells of -5 < Re mu < 0, 0 < Im mu < 4.8, finer near the
/// axis.
template <class Visit>
void over_half_plane(Visit visit) {
  Complex mu[Stepper::lanes];
  T weight[Stepper::lanes];
  std::size_t l = 0;
  const struct { T from, to, pace; } bands[] = {{-5, -.5, .02}, {-.5, 0, .001}};
  const T dy = .0075;  // 640 rows: every band is a multiple of the lanes
  for (const auto& band : bands)
    for (long i = 0; i < std::lround((band.to - band.from) / band.pace); ++i)
      for (long j = 0; j < 640; ++j) {
        mu[l] = {band.from + (static_cast<T>(i) + .5) * band.pace, (static_cast<T>(j) + .5) * dy};
        weight[l] = 2 * band.pace * dy;
        if (++l == Stepper::lanes) visit(mu, weight), l = 0;
      }
}
/// The area of the region in Re mu < 0 and, for McCallum and Foster's, the largest difference of a radius from that of
/// trace 1 + R(mu) + lambda R(-mu) - R(mu) R(-mu) and determinant lambda, R being the base's own step.
void survey(Stepper& s, const Tableau<T>* base, T lambda, T& area, T& apart) {
  area = apart = 0;
  Stepper alone(runge_kutta(base ? *base : tableau::euler<T>), 1);
  over_half_plane([&](const Complex* mu, const T* weight) {
    T radius[Stepper::lanes];
    s.radii(mu, radius);
    for (std::size_t l = 0; l < Stepper::lanes; ++l) area += radius[l] <= 1 ? weight[l] : 0;
    if (!base) return;
    Complex back[Stepper::lanes], there[Stepper::lanes][2][2], here[Stepper::lanes][2][2];
    for (std::size_t l = 0; l < Stepper::lanes; ++l) back[l] = -mu[l];
    alone.matrix(mu, there), alone.matrix(back, here);
    for (std::size_t l = 0; l < Stepper::lanes; ++l) {
      const Complex p = there[l][0][0], q = here[l][0][0];
      const T closed = Stepper::spectral(1. + p + lambda * q - p * q, lambda);
      apart = std::max(apart, std::abs(radius[l] - closed) / closed);
    }
  });
}

void line(const char* family, const Method<T>& method, T lambda) {
  Stepper s(method, lambda);
  const bool coupled = std::strcmp(family, "mccallum_foster") == 0;
  T area = 0, apart = 0;
  survey(s, coupled ? &method.base : nullptr, lambda, area, apart);
  std::printf("%s,%s,%.4f,%.6f,%.6f,%.4f,%.1e\n", family, method.base.name, lambda, extent(s, -1),
              extent(s, Complex(0, 1)), area, apart);
}
const Tableau<T>* const coupled_bases[] = {&tableau::euler<T>, &tableau::midpoint<T>,        &tableau::ralston3<T>,
                                           &tableau::rk4<T>,   &tableau::dormand_prince5<T>, &tableau::tsitouras5<T>};
void extents() {
  std::puts("family,base,lambda,real,imaginary,area,closed_form");
  for (const Tableau<T>* base : tableau::all<T>) line("runge_kutta", runge_kutta(*base), 1);
  for (const T lambda : {.999, .99, .95, .9, .875, .8, std::sqrt(.5), .5, .25, .125})
    for (const Tableau<T>* base : coupled_bases) line("mccallum_foster", mccallum_foster(*base), lambda);
  for (const T eta : {1., .95, .9, .8, .7, .6}) line("alf", alf<T>(), 2 * eta - 1);
  line("reversible_heun", reversible_heun<T>(), 1);
  line("leapfrog", leapfrog<T>(), 1);
  line("verlet", verlet<T>(), 1);
  line("symplectic_euler", symplectic_euler<T>(), 1);
}

/// A block of the pictures: Re mu, Im mu, radius over the upper half plane; blank lines as gnuplot's grids want them.
void region(const char* name, const Method<T>& method, T lambda) {
  Stepper s(method, lambda);
  std::printf("\n\n# %s\n", name);
  const auto column = [&](T x) {
    Complex mu[Stepper::lanes];
    T radius[Stepper::lanes];
    for (std::size_t l = 0; l < Stepper::lanes; ++l) mu[l] = {x, .075 * static_cast<T>(l)};
    s.radii(mu, radius);
    for (std::size_t l = 0; l < Stepper::lanes; ++l)
      std::printf("%.3f %.3f %.4f\n", mu[l].real(), mu[l].imag(), std::min(radius[l], 9.));
    std::puts("");
  };
  for (int i = 0; i < 45; ++i) column(-5 + .1 * i);
  for (int i = 0; i < 140; ++i) column(-.5 + .005 * i);  // regions of lambda near 1 are slivers along the axis
  for (int i = 0; i <= 8; ++i) column(.2 + .1 * i);
}
void regions() {
  for (const Tableau<T>* base : coupled_bases) region(base->name, runge_kutta(*base), 1);
  for (const Tableau<T>* base : {&tableau::ees25<T>, &tableau::ees27<T>}) region(base->name, runge_kutta(*base), 1);
  char name[64];
  for (const T lambda : {.8, .99})
    for (const Tableau<T>* base :
         {&tableau::euler<T>, &tableau::midpoint<T>, &tableau::ralston3<T>, &tableau::rk4<T>}) {
      std::snprintf(name, sizeof name, "%s %g", base->name, lambda);
      region(name, mccallum_foster(*base), lambda);
    }
  for (const T eta : {.9, .8, .7}) {
    std::snprintf(name, sizeof name, "alf %g", eta);
    region(name, alf<T>(), 2 * eta - 1);
  }
}
}  // namespace

int main(int argc, char** argv) {
  argc > 1 && std::strcmp(argv[1], "regions") == 0 ? regions() : extents();
}
