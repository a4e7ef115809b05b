#include "revode/number.hpp"
#include "scalars.hpp"

#include <string.h>

namespace revode {
namespace {
template <class T>
struct UnsignedOf {
  using type = std::uint64_t;
};
template <>
struct UnsignedOf<float> {
  using type = std::uint32_t;
};
template <class T>
using Unsigned = typename UnsignedOf<T>::type;
constexpr std::size_t chunk = 32;  // elements whose bits travel together
}  // namespace

template <class T>
void Real<T>::load(int, std::size_t n, Word* a, const T* x) {
  memcpy(a, x, n * sizeof(T));
}
template <class T>
void Real<T>::value(int, std::size_t n, T* x, const Word* a) const {
  memcpy(x, a, n * sizeof(T));
}
template <class T>
void Real<T>::add(int, std::size_t n, Word* a, const T* increment) {
  for (std::size_t i = 0; i < n; ++i) a[i] += increment[i];
}
template <class T>
void Real<T>::subtract(int, std::size_t n, Word* a, const T* increment) {
  for (std::size_t i = 0; i < n; ++i) a[i] -= increment[i];
}
template <class T>
void Real<T>::relax(std::size_t n, Word* a, int s, const Word* x, T m, int, BitLog*) {
  const T factor = static_cast<T>(s) * m;
  for (std::size_t i = 0; i < n; ++i) {
    const T distance = factor * (a[i] - x[i]);
    a[i] = x[i] + distance;
  }
}
template <class T>
void Real<T>::unrelax(std::size_t n, Word* a, int s, const Word* x, T m, int, BitLog*) {
  relax(n, a, s, x, 1 / m, 0, nullptr);
}
template <class T>
bool Real<T>::guard(int, std::size_t, const Word*) {
  return true;  // a float that left its range stays non-finite: the walk looks once, at its end
}

template <class T>
void Fixed<T>::load(int r, std::size_t n, Word* a, const T* x) {
  bad |= !kernel::quantise(n, up[r], x, a);
}
template <class T>
void Fixed<T>::value(int r, std::size_t n, T* x, const Word* a) const {
  kernel::dequantise(n, unit[r], a, x);
}
template <class T>
void Fixed<T>::add(int r, std::size_t n, Word* a, const T* increment) {
  bad |= !kernel::quantise_add(n, up[r], increment, a);
}
template <class T>
void Fixed<T>::subtract(int r, std::size_t n, Word* a, const T* increment) {
  bad |= !kernel::quantise_subtract(n, up[r], increment, a);
}
template <class T>
void Fixed<T>::relax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log) {
  using U = Unsigned<T>;
  const auto place = [&](std::size_t i, Word d) {
    a[i] =
        static_cast<Word>(s < 0 ? static_cast<U>(x[i]) - static_cast<U>(d) : static_cast<U>(x[i]) + static_cast<U>(d));
  };
  const auto distance = [&](std::size_t i) { return static_cast<Word>(static_cast<U>(a[i]) - static_cast<U>(x[i])); };
  if (!(m < 1)) {
    for (std::size_t i = 0; i < n; ++i) place(i, distance(i));
    return;
  }
  for (std::size_t from = 0; from < n; from += chunk) {
    const std::size_t count = n - from < chunk ? n - from : chunk;
    std::uint32_t dropped = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const Word e = static_cast<Word>(static_cast<U>(distance(from + j)) + static_cast<U>(offset));
      dropped |= static_cast<std::uint32_t>(e & 1) << j;
      place(from + j, e >> 1);
    }
    if (log) log->push(dropped, static_cast<int>(count));
  }
}
template <class T>
void Fixed<T>::unrelax(std::size_t n, Word* a, int s, const Word* x, T m, int offset, BitLog* log) {
  using U = Unsigned<T>;
  const auto distance = [&](std::size_t i) {
    return s < 0 ? static_cast<U>(x[i]) - static_cast<U>(a[i]) : static_cast<U>(a[i]) - static_cast<U>(x[i]);
  };
  if (!(m < 1)) {
    for (std::size_t i = 0; i < n; ++i) a[i] = static_cast<Word>(static_cast<U>(x[i]) + distance(i));
    return;
  }
  for (std::size_t end = n; end > 0;) {
    const std::size_t from = (end - 1) / chunk * chunk, count = end - from;
    const std::uint32_t dropped = log->pop(static_cast<int>(count));
    for (std::size_t j = 0; j < count; ++j) {
      const U bit = (dropped >> j) & 1u;
      const U d = (distance(from + j) << 1) + bit - static_cast<U>(offset);
      a[from + j] = static_cast<Word>(static_cast<U>(x[from + j]) + d);
    }
    end = from;
  }
}
template <class T>
int Fixed<T>::halvings(std::size_t n, const Word* a, const Word* x, Word above) {
  using U = Unsigned<T>;
  U most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Word d = static_cast<Word>(static_cast<U>(a[i]) - static_cast<U>(x[i]));
    const U size = d < 0 ? U(0) - static_cast<U>(d) : static_cast<U>(d);
    if (size > most) most = size;
  }
  int times = 0;
  for (U bound = static_cast<U>(above); most >> times > bound && times < 14; ++times) {
  }
  return times > 0 ? times + 1 : 0;
}
template <class T>
void Fixed<T>::halve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log) {
  using U = Unsigned<T>;
  for (std::size_t i = 0; i < n; ++i) {
    const U half = U(1) << (times - 1), e = static_cast<U>(a[i]) - static_cast<U>(x[i]) + half;
    const U d = static_cast<U>(static_cast<Word>(e) >> times);
    a[i] = static_cast<Word>(s < 0 ? static_cast<U>(x[i]) - d : static_cast<U>(x[i]) + d);
    if (log) log->push(static_cast<std::uint32_t>(e & ((U(1) << times) - 1)), times);
  }
}
template <class T>
void Fixed<T>::unhalve(std::size_t n, Word* a, int s, const Word* x, int times, BitLog* log) {
  using U = Unsigned<T>;
  for (std::size_t i = n; i-- > 0;) {
    const U half = U(1) << (times - 1), dropped = log->pop(times);
    const U d = s < 0 ? static_cast<U>(x[i]) - static_cast<U>(a[i]) : static_cast<U>(a[i]) - static_cast<U>(x[i]);
    a[i] = static_cast<Word>(static_cast<U>(x[i]) + ((d << times) | dropped) - half);
  }
}
template <class T>
bool Fixed<T>::guard(int, std::size_t n, const Word* a) {
  bad |= !kernel::in_range<T>(n, a);
  return !bad;
}

template struct Real<float>;
REVODE_DOUBLE(template struct Real<double>;)
template struct Fixed<float>;
REVODE_DOUBLE(template struct Fixed<double>;)
}  // namespace revode
