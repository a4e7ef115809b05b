// Two classic fits by least squares, rows of the Jacobian from the exact reversal of the solve:
//   reproduce_fits sir|lotka_volterra DATA FOLDER
// DATA: a line an observation, time and what was seen. Writes NAME_fit.csv (a line a way) and NAME_curve.csv.
#include <cmath>
#include <string_view>

#include "least_squares.hpp"
#include "observed.hpp"
#include "revode/automatic.hpp"

namespace {
using namespace reproduce;
using namespace revode;

/// Susceptible and infected of 763 boys; a boy in bed is infected. p = (beta, gamma, I0).
struct Sir {
  static constexpr int dim = 2, params = 2;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    const S infections = p[0] * y[0] * y[1] / 763.;
    dy[0] = -infections;
    dy[1] = infections - p[1] * y[1];
  }
  static constexpr const char* name = "sir";
  static constexpr const char* header = "beta,gamma,I0";
  static constexpr bool logarithmic = false;
  static constexpr int seen[] = {1};
  static VectorXd guess() { return VectorXd{{1, .2, 1}}; }
  static VectorXd y0(const VectorXd& p) { return VectorXd{{763 - p[2], p[2]}}; }
  static MatrixXd by_p() {  // d (theta, y0) / d p
    return MatrixXd{{1, 0, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}};
  }
};

/// Hare and lynx, thousands of pelts. p = (alpha, beta, gamma, delta, hare0, lynx0).
struct LotkaVolterra {
  static constexpr int dim = 2, params = 4;
  template <class S>
  constexpr void operator()(S, const S* y, const S* p, S* dy) const {
    dy[0] = p[0] * y[0] - p[1] * y[0] * y[1];
    dy[1] = p[3] * y[0] * y[1] - p[2] * y[1];
  }
  static constexpr const char* name = "lotka_volterra";
  static constexpr const char* header = "alpha,beta,gamma,delta,hare0,lynx0";
  static constexpr bool logarithmic = true;
  static constexpr int seen[] = {0, 1};
  static VectorXd guess() { return VectorXd{{.5, .02, .7, .02, 30, 4}}; }
  static VectorXd y0(const VectorXd& p) { return p.tail(2); }
  static MatrixXd by_p() { return MatrixXd::Identity(6, 6); }
};

template <class Model>
class Fit {
 public:
  Fit(const Plan<double>& plan, const std::vector<std::vector<double>>& data)
      : data_(data), observed_(field, plan, times(data), steps) {}

  bool operator()(const VectorXd& p, VectorXd& r, MatrixXd* J) {
    const VectorXd theta = p.head(Model::params), y0 = Model::y0(p);
    std::vector<VectorXd> states;
    if (!observed_.run(theta, y0, states)) return false;
    std::vector<Row> rows;
    r.resize(static_cast<Eigen::Index>(data_.size() * std::size(Model::seen)));
    for (std::size_t k = 0; k < data_.size(); ++k)
      for (std::size_t i = 0; i < std::size(Model::seen); ++i) {
        const double y = states[k][Model::seen[i]], seen = data_[k][1 + i];
        if (Model::logarithmic && !(y > 0)) return false;
        r[static_cast<Eigen::Index>(rows.size())] = Model::logarithmic ? std::log(y / seen) : y - seen;
        rows.push_back({k, VectorXd::Unit(Model::dim, Model::seen[i]) * (Model::logarithmic ? 1 / y : 1)});
      }
    if (!J) return true;
    MatrixXd by_theta_y0;
    if (!observed_.jacobian(theta, y0, rows, by_theta_y0)) return false;
    *J = by_theta_y0 * Model::by_p();
    return true;
  }
  std::size_t bytes() const { return observed_.bytes(); }
  void curve(const VectorXd& p, const std::string& file) {
    std::vector<std::pair<double, VectorXd>> all;
    if (!observed_.walk(p.head(Model::params), Model::y0(p), all)) give_up("the fitted parameters do not solve");
    std::ofstream out(file);
    out << "t,y0,y1\n";
    for (const auto& [t, y] : all) out << t << ',' << y[0] << ',' << y[1] << '\n';
  }

 private:
  static constexpr Automatic<double, Model> field{};
  static constexpr long steps = 50;
  static std::vector<double> times(const std::vector<std::vector<double>>& data) {
    std::vector<double> t;
    t.reserve(data.size());
    for (const auto& row : data) t.push_back(row[0]);
    return t;
  }
  std::vector<std::vector<double>> data_;
  Observed observed_;
};

/// Ways to the same minimum: a line here is a line of the table.
std::vector<std::pair<const char*, Plan<double>>> ways(long steps) {
  Plan<double> reversed, stored;
  stored.method = runge_kutta(tableau::rk4<double>);
  stored.way = Way::stored, stored.arithmetic = Arithmetic::real, stored.stored_steps = steps;
  Plan<double> taped = stored;
  taped.way = Way::taped, taped.stored_steps = 0, taped.slots = 8, taped.log_bits = 1 << 20;
  return {{"McCallum-Foster over RK4; exact reversal", reversed}, {"RK4; stored", stored}, {"RK4; taped", taped}};
}

template <class Model>
int fit(const std::string& data_file, const std::string& folder) {
  const auto data = read_table(data_file, 1 + std::size(Model::seen));
  std::ofstream out(folder + "/" + Model::name + "_fit.csv");
  out.precision(10);
  out << "way,bytes,iterations,converged,jacobian_error,rmse," << Model::header << '\n';
  bool drawn = false;
  for (const auto& [name, plan] : ways(50 * static_cast<long>(data.size()))) {
    Fit<Model> of(plan, data);
    const Residuals residuals = std::ref(of);
    const Minimum m = least_squares(residuals, Model::guess());
    out << name << ',' << of.bytes() << ',' << m.iterations << ',' << m.converged << ','
        << jacobian_error(residuals, m.p) << ',' << std::sqrt(m.r.squaredNorm() / static_cast<double>(m.r.size()));
    for (const double p : m.p) out << ',' << p;
    out << '\n';
    if (!drawn) of.curve(m.p, folder + "/" + Model::name + "_curve.csv");
    drawn = true;
  }
  return out.good() ? 0 : 1;
}
}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 4 ? argv[1] : "";
  if (what == "sir") return fit<Sir>(argv[2], argv[3]);
  if (what == "lotka_volterra") return fit<LotkaVolterra>(argv[2], argv[3]);
  std::cerr << "usage: reproduce_fits sir|lotka_volterra DATA FOLDER\n";
  return 2;
}
