/// Williamson's form of an explicit Runge-Kutta method (J. Comput. Phys. 35 (1980)), which holds one sum of slopes in
/// the place of all of them:
///
///   Q_i = A_i Q_{i-1} + k_i,  Y_{i+1} = Y_i + h B_i Q_i,  k_i = f(t + c_i h, Y_i),  A_1 = 0,  Y_{s+1} = y1
///
/// With the weights b as row s + 1 of the tableau, a_{i+1,j} - a_{i,j} = B_i A_i .. A_{j+1}: j = i and j = i - 1 give B
/// and A, the others are the conditions on a tableau to have such a form. EES(2,5) and EES(2,7) have one, all methods
/// of two stages with b_2 != 0, and some of three; RK4 has none.
#pragma once
#include "revode/scalar.hpp"
#include "revode/tableaus/form.hpp"

namespace revode {
template <class T>
struct TwoRegisters {
  bool exists = true;
  T A[max_stages]{}, B[max_stages]{};
};
/// Where some A_i or B_i is 0, Q_{i-1} cannot be had from Q_i or is not needed: such forms are left out.
template <class T>
constexpr TwoRegisters<T> two_registers(const Tableau<T>& m) {
  constexpr T rounding = sizeof(T) == 4 ? T(0x1p-18) : T(0x1p-46);
  const int s = m.advancing();
  const auto rise = [&](int i, int j) { return (i + 1 < s ? m.A(i + 1, j) : m.b[j]) - (j < i ? m.A(i, j) : T(0)); };
  TwoRegisters<T> form;
  for (int i = 0; i < s; ++i) {
    form.B[i] = rise(i, i);
    form.exists &= magnitude(form.B[i]) > rounding;
    if (i == 0 || !form.exists) continue;
    form.A[i] = rise(i, i - 1) / form.B[i];
    form.exists &= magnitude(form.A[i]) > rounding;
    T product = form.B[i] * form.A[i];
    for (int j = i - 2; j >= 0; --j) {
      product *= form.A[j + 1];
      form.exists &= magnitude(product - rise(i, j)) < rounding;
    }
  }
  return form;
}
}  // namespace revode
