// Levenberg-Marquardt on the host: least squares of a few dozen parameters (More 1978; damping after Nielsen 1999).
#pragma once
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>

namespace reproduce {
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Residuals r(p), and their Jacobian where J is not null. False: p cannot be solved for (a state left its range).
using Residuals = std::function<bool(const VectorXd& p, VectorXd& r, MatrixXd* J)>;

struct Minimum {
  VectorXd p, r;
  int iterations = 0;      ///< Jacobians asked for
  bool converged = false;  ///< no step changes the sum of squares or the parameters any more
};

inline Minimum least_squares(const Residuals& residuals, const VectorXd& start, int most = 200,
                             double tolerance = 1e-13) {
  Minimum m;
  m.p = start;
  MatrixXd J;
  if (!residuals(m.p, m.r, &J)) return m;
  VectorXd scale = J.colwise().norm().cwiseMax(1e-12).transpose();
  double damping = 1e-3, growth = 2;
  for (m.iterations = 1; m.iterations < most && !m.converged; ++m.iterations) {
    scale = scale.cwiseMax(J.colwise().norm().transpose());
    for (;;) {  // min |J s + r|^2 + damping |D s|^2 by QR
      const auto n = J.cols();
      MatrixXd A(J.rows() + n, n);
      VectorXd b = VectorXd::Zero(J.rows() + n);
      A << J, MatrixXd((scale * std::sqrt(damping)).asDiagonal());
      b.head(J.rows()) = -m.r;
      const VectorXd s = A.colPivHouseholderQr().solve(b), p = m.p + s;
      const double now = m.r.squaredNorm(), promised = now - (J * s + m.r).squaredNorm();
      VectorXd r;
      const double gained = residuals(p, r, nullptr) ? now - r.squaredNorm() : -now;
      m.converged = promised < tolerance * now || scale.cwiseProduct(s).norm() < 1e-10 * scale.cwiseProduct(m.p).norm();
      if (gained > 0) {
        const double quality = gained / promised;
        m.p = p, m.r = r;
        damping *= std::max(1. / 3, 1 - std::pow(2 * quality - 1, 3)), growth = 2;
        break;
      }
      if (m.converged) return m;
      damping *= growth, growth *= 2;
    }
    if (!residuals(m.p, m.r, &J)) return m;
  }
  return m;
}

/// The largest |J - J of central differences|, over the largest entry of its column (or a thousandth of J's).
inline double jacobian_error(const Residuals& residuals, const VectorXd& p, double relative_step = 1e-5) {
  VectorXd r, plus, minus;
  MatrixXd J;
  if (!residuals(p, r, &J)) return 1;
  double worst = 0;
  for (Eigen::Index i = 0; i < p.size(); ++i) {
    const double e = relative_step * std::max(1e-2, std::abs(p[i]));
    VectorXd moved = p;
    moved[i] = p[i] + e;
    if (!residuals(moved, plus, nullptr)) return 1;
    moved[i] = p[i] - e;
    if (!residuals(moved, minus, nullptr)) return 1;
    const VectorXd difference = (plus - minus) / (2 * e);
    worst = std::max(worst, (J.col(i) - difference).cwiseAbs().maxCoeff() /
                                std::max(difference.cwiseAbs().maxCoeff(), 1e-3 * J.cwiseAbs().maxCoeff()));
  }
  return worst;
}
}  // namespace reproduce
