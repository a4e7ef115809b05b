// Order conditions of any order, from the rooted trees themselves (Hairer, Norsett, Wanner, Solving ODEs I, II.2 and
// II.6): sum_i b_i Phi_i(t) = 1 / gamma(t) for steps, x^|t| / gamma(t) at x inside of them. In long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "revode/tableau.hpp"

namespace {
using namespace revode;
using T = long double;

struct Tree {
  int order;
  T gamma;
  std::vector<std::size_t> children;  // in the list of trees, the latest first
};
/// The trees of up to `most` vertices, by order: a root over every multiset of earlier trees.
std::vector<Tree> rooted_trees(int most) {
  std::vector<Tree> trees{{1, 1, {}}};
  for (int order = 2; order <= most; ++order) {
    const std::size_t known = trees.size();
    Tree next{order, static_cast<T>(order), {}};
    const std::function<void(int, std::size_t)> grow = [&](int left, std::size_t below) {
      if (left == 0) trees.push_back(next);
      for (std::size_t k = 0; left > 0 && k < below; ++k) {
        if (trees[k].order > left) break;
        const T gamma = next.gamma;
        next.children.push_back(k);
        next.gamma *= trees[k].gamma;
        grow(left - trees[k].order, k + 1);
        next.children.pop_back();
        next.gamma = gamma;
      }
    };
    grow(order - 1, known);
  }
  return trees;
}
using Weights = std::vector<T>;  // one a stage
/// Phi of every tree: the product over its children of A Phi(child).
std::vector<Weights> elementary(const std::vector<Tree>& trees, const Tableau<T>& m) {
  std::vector<Weights> phi;
  for (const Tree& tree : trees) {
    Weights product(static_cast<std::size_t>(m.stages), 1);
    for (const std::size_t child : tree.children)
      for (int i = 0; i < m.stages; ++i) {
        T sum = 0;
        for (int j = 0; j < i; ++j) sum += m.A(i, j) * phi[child][static_cast<std::size_t>(j)];
        product[static_cast<std::size_t>(i)] *= sum;
      }
    phi.push_back(product);
  }
  return phi;
}

/// The largest defects of weights b at x, of orders 1 (at [1]) to 9.
std::vector<T> defects(const Tableau<T>& m, const Weights& b, T x = 1) {
  static const std::vector<Tree> trees = rooted_trees(9);
  const std::vector<Weights> phi = elementary(trees, m);
  std::vector<T> worst(10, 0);
  for (std::size_t k = 0; k < trees.size(); ++k) {
    T sum = 0;
    for (std::size_t i = 0; i < b.size(); ++i) sum += b[i] * phi[k][i];
    const auto order = static_cast<std::size_t>(trees[k].order);
    worst[order] = std::max(worst[order], std::abs(sum - std::pow(x, static_cast<T>(order)) / trees[k].gamma));
  }
  return worst;
}
int order_of(const Tableau<T>& m, const T* b, T tolerance) {
  const std::vector<T> worst = defects(m, Weights(b, b + m.stages));
  int order = 0;
  while (order < 9 && worst[static_cast<std::size_t>(order) + 1] <= tolerance) ++order;
  return order;
}
/// Tsitouras' 16 digits leave defects of 1.05e-14, constants of EES are doubles. Prince and Dormand's quotients leave
/// 6.5e-18 (in exact arithmetic); sums of 13 terms up to 3 round by less than as much again.
T published(const Tableau<T>& m) {
  return m.order == 8 ? 1.3e-17L : 2e-14L;
}

TEST(OrderConditions, TreesAreCounted) {
  // Cayley's numbers, 1 to 9 vertices.
  const long counts[] = {1, 1, 2, 4, 9, 20, 48, 115, 286};
  const std::vector<Tree> trees = rooted_trees(9);
  for (int order = 1; order <= 9; ++order)
    EXPECT_EQ(std::count_if(trees.begin(), trees.end(), [&](const Tree& t) { return t.order == order; }),
              counts[order - 1]);
}

TEST(OrderConditions, OrdersAreExact) {
  for (const Tableau<T>* m : tableau::all<T>) {
    EXPECT_EQ(order_of(*m, m->b, published(*m)), m->order) << m->name;
    if (!m->b_hat) continue;
    EXPECT_EQ(order_of(*m, m->b_hat, published(*m)), m->embedded_order) << m->name;
  }
}

/// Every figure of the largest method that is not 0 is seen, at a change of its last of 10 digits.
TEST(OrderConditions, AWrongFigureIsFound) {
  const Tableau<T>& m = tableau::dormand_prince8<T>;
  Weights a(m.a, m.a + m.stages * (m.stages - 1) / 2), b(m.b, m.b + m.stages);
  Tableau<T> wrong = m;
  wrong.a = a.data(), wrong.b = b.data();
  for (Weights* figures : {&a, &b})
    for (T& figure : *figures) {
      const T right = figure;
      if (right == 0) continue;
      figure *= 1 + 1e-10L;
      EXPECT_LT(order_of(wrong, wrong.b, published(m)), m.order) << right;
      figure = right;
    }
  EXPECT_EQ(order_of(wrong, wrong.b, published(m)), m.order);
}

Weights inside(const Tableau<T>& m, T x) {
  Weights b;
  for (int i = 0; i < m.stages; ++i) b.push_back(m.weight(i, x));
  return b;
}
TEST(OrderConditions, ContinuousExtensionsAreOfOrderFour) {
  int extensions = 0;
  for (const Tableau<T>* m : tableau::all<T>) {
    if (!m->bulge) continue;
    ++extensions;
    for (const T x : {.1L, .25L, .5L, .7L, .9L, 1.L}) {
      const std::vector<T> worst = defects(*m, inside(*m, x), x);
      // The figures of x^4 have 16 digits more or less and reach 47, beside those of the step itself.
      for (std::size_t order = 1; order <= 4; ++order)
        EXPECT_LE(worst[order], published(*m)) << m->name << " at " << static_cast<double>(x);
      const bool end = x >= 1;
      EXPECT_EQ(worst[5] <= published(*m), end) << m->name << " at " << static_cast<double>(x);
    }
  }
  EXPECT_EQ(extensions, 2);
}
template <class S>
void expect_ends(const Tableau<S>& m) {
  for (int i = 0; i < m.stages; ++i) {
    EXPECT_EQ(m.weight(i, 0), 0) << m.name;
    EXPECT_EQ(m.weight(i, 1), m.b[i]) << m.name;
  }
}
/// The solution inside meets the step's ends bit for bit, and their slopes.
TEST(OrderConditions, ContinuousExtensionsMeetTheStep) {
  for (const Tableau<float>* m : tableau::all<float>)
    if (m->bulge) expect_ends(*m);
  for (const Tableau<double>* m : tableau::all<double>)
    if (m->bulge) expect_ends(*m);
  const T e = 1e-6L;  // e^2 times third derivatives of up to 1200, over 6: 2e-10; rounding 50 x 1e-19 / e
  for (const Tableau<T>* m : tableau::all<T>)
    for (int i = 0; m->bulge && i < m->stages; ++i) {
      const auto slope = [&](T x) { return (m->weight(i, x + e) - m->weight(i, x - e)) / (2 * e); };
      EXPECT_NEAR(static_cast<double>(slope(0)), i == 0, 1e-9) << m->name;
      EXPECT_NEAR(static_cast<double>(slope(1)), i == m->stages - 1, 1e-9) << m->name;
    }
}
}  // namespace
