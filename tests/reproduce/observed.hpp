// A solve seen at given times, and rows of the Jacobian of what is seen: every lane carries the same trajectory and a
// cotangent of its own, so that one walk back gives `lanes` rows.
#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "revode/solve.hpp"

namespace reproduce {
using Eigen::VectorXd;
using revode::Arena;

/// Rows of `columns` numbers out of a file of nothing else.
inline std::vector<std::vector<double>> read_table(const std::string& file, std::size_t columns) {
  std::ifstream in(file);
  std::vector<std::vector<double>> rows;
  std::vector<double> row(columns);
  for (;;) {
    for (double& v : row) in >> v;
    if (!in) break;
    rows.push_back(row);
  }
  if (rows.empty()) give_up("no numbers in " + file);
  return rows;
}

/// By how much a residual changes with the state at one of the times.
struct Row {
  std::size_t time;
  VectorXd by_state;  // [rows]
};

class Observed {
 public:
  /// `steps` equal steps between neighbouring times.
  Observed(const revode::Map<double>& field, const revode::Plan<double>& plan, std::vector<double> times, long steps)
      : times_(std::move(times)),
        steps_(steps),
        params_(static_cast<std::size_t>(field.shape({}).params)),
        bytes_(revode::Solve<double>::bytes(field, plan, lanes)) {
    Arena arena = bytes_.arena();
    expect(solve_.init(arena, field, plan, lanes));
  }
  /// States at the times; false when the solve failed.
  bool run(const VectorXd& theta, const VectorXd& y0, std::vector<VectorXd>& states) {
    states.clear();
    if (!begin(theta, y0, times_.size())) return false;
    do {
      if (solve_->n() % steps_ == 0) states.push_back(state());
    } while (solve_->advance());
    return solve_->status() == revode::Status::ok;
  }
  /// The rows' derivatives by (theta, y0), into J[rows][params + rows of y0].
  bool jacobian(const VectorXd& theta, const VectorXd& y0, const std::vector<Row>& rows, Eigen::MatrixXd& J) {
    const auto width = static_cast<Eigen::Index>(params_) + y0.size();
    J.resize(static_cast<Eigen::Index>(rows.size()), width);
    for (std::size_t first = 0; first < rows.size(); first += lanes)
      if (!tile(theta, y0, rows, first, J)) return false;
    return true;
  }
  /// Every state on the way, for a picture: (t, state) a step.
  bool walk(const VectorXd& theta, const VectorXd& y0, std::vector<std::pair<double, VectorXd>>& all) {
    all.clear();
    if (!begin(theta, y0, times_.size())) return false;
    do {
      all.emplace_back(solve_->t(solve_->n()), state());
    } while (solve_->advance());
    return solve_->status() == revode::Status::ok;
  }
  std::size_t bytes() const { return bytes_.size(); }

 private:
  static constexpr std::size_t lanes = 64;

  /// A solve to the last of the first `times` times.
  bool begin(const VectorXd& theta, const VectorXd& y0, std::size_t times) {
    start_.resize(static_cast<std::size_t>(y0.size()) * lanes);
    for (std::size_t i = 0; i < start_.size(); ++i) start_[i] = y0[static_cast<Eigen::Index>(i / lanes)];
    return solve_->begin({0, 0, steps_, times_.data(), static_cast<long>(times)}, theta.data(), start_.data()) ==
           revode::Status::ok;
  }
  VectorXd state() const {
    VectorXd y(static_cast<Eigen::Index>(solve_->size() / lanes));
    for (Eigen::Index i = 0; i < y.size(); ++i) y[i] = solve_->y()[static_cast<std::size_t>(i) * lanes];
    return y;
  }
  bool tile(const VectorXd& theta, const VectorXd& y0, const std::vector<Row>& rows, std::size_t first,
            Eigen::MatrixXd& J) {
    const std::size_t count = std::min(lanes, rows.size() - first);
    std::size_t last = 1;  // nothing is asked of what comes after
    for (std::size_t l = 0; l < count; ++l) last = std::max(last, rows[first + l].time);
    if (!begin(theta, y0, last + 1)) return false;
    while (solve_->advance()) {
    }
    std::vector<double> theta_bar(params_ * lanes), y0_bar(start_.size());
    if (solve_->turn({theta_bar.data(), 1, 0}) != revode::Status::ok) return false;
    do {
      for (std::size_t l = 0; l < count; ++l) {
        const Row& row = rows[first + l];
        if (solve_->n() != static_cast<long>(row.time) * steps_) continue;
        for (Eigen::Index i = 0; i < y0.size(); ++i)
          solve_->y_bar()[static_cast<std::size_t>(i) * lanes + l] += row.by_state[i];
      }
    } while (solve_->retreat());
    if (solve_->finish(y0_bar.data()) != revode::Status::ok) return false;
    for (std::size_t l = 0; l < count; ++l) {
      auto of = J.row(static_cast<Eigen::Index>(first + l));
      for (std::size_t i = 0; i < params_; ++i) of[static_cast<Eigen::Index>(i)] = theta_bar[i * lanes + l];
      for (Eigen::Index i = 0; i < y0.size(); ++i)
        of[static_cast<Eigen::Index>(params_) + i] = y0_bar[static_cast<std::size_t>(i) * lanes + l];
    }
    return true;
  }

  std::vector<double> times_, start_;
  long steps_;
  std::size_t params_;
  Bytes bytes_;
  revode::Solve<double> solve_;
};
}  // namespace reproduce
