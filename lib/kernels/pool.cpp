// Pooling, and the loss of a classifier: rows are walked, lanes travel in packs.
#include "revode/image_kernels.hpp"
#include "revode/impl/elementary.hpp"
#include "scalars.hpp"
#include "sweep.hpp"

namespace revode::kernel {
namespace {
/// f(row of y, first row of the window in x, rows from line to line) for every window.
template <class F>
REVODE_INLINE void windows(const Pooling& p, const F& f) {
  const Index width_ = p.width, plane = static_cast<Index>(p.height) * width_;
  Index to = 0;
  for (Index c = 0; c < p.channels; ++c)
    for (Index i = 0; i < p.out_height(); ++i)
      for (Index j = 0; j < p.out_width(); ++j) f(to++, c * plane + i * p.stride * width_ + j * p.stride);
}
/// f(row of x) for every row of a window.
template <class F>
REVODE_INLINE void window(const Pooling& p, Index first, const F& f) {
  for (Index i = 0; i < p.window_height; ++i)
    for (Index j = 0; j < p.window_width; ++j) f(first + i * p.width + j);
}
template <class T>
T part(const Pooling& p) {
  return T(1) / static_cast<T>(p.window_height * p.window_width);
}
}  // namespace

template <class T>
void pool_average(const Pooling& p, int lanes, const T* x, T* y) {
  const T by = part<T>(p);
  windows(p, [&](Index to, Index first) REVODE_INLINED {
    sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t l) REVODE_INLINED {
      using O = On<T, W>;
      auto sum = O::all(T(0));
      window(p, first, [&](Index row) REVODE_INLINED { sum = sum + O::load(x + row * lanes + l); });
      O::store(y + to * lanes + l, sum * by);
    });
  });
}

template <class T>
void pool_average_vjp(const Pooling& p, int lanes, const T* y_bar, T* x_bar) {
  const T by = part<T>(p);
  windows(p, [&](Index from, Index first) REVODE_INLINED {
    sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t l) REVODE_INLINED {
      using O = On<T, W>;
      const auto v = O::load(y_bar + from * lanes + l);
      window(p, first, [&](Index row) REVODE_INLINED {
        O::store(x_bar + row * lanes + l, O::fma(O::all(by), v, O::load(x_bar + row * lanes + l)));
      });
    });
  });
}

template <class T>
void pool_max(const Pooling& p, int lanes, const T* x, T* y) {
  windows(p, [&](Index to, Index first) REVODE_INLINED {
    sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t l) REVODE_INLINED {
      using O = On<T, W>;
      auto most = O::load(x + first * lanes + l);
      window(p, first, [&](Index row) REVODE_INLINED {
        const auto v = O::load(x + row * lanes + l);
        most = v > most ? v : most;
      });
      O::store(y + to * lanes + l, most);
    });
  });
}

template <class T>
void pool_max_vjp(const Pooling& p, int lanes, const T* x, const T* y, const T* y_bar, T* x_bar) {
  windows(p, [&](Index from, Index first) REVODE_INLINED {
    sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t l) REVODE_INLINED {
      using O = On<T, W>;
      const auto most = O::load(y + from * lanes + l), zero = O::all(T(0));
      auto left = O::load(y_bar + from * lanes + l);  // what no pixel has taken yet
      window(p, first, [&](Index row) REVODE_INLINED {
        const auto v = O::load(x + row * lanes + l), taken = v == most ? left : zero;
        left = v == most ? zero : left;
        O::store(x_bar + row * lanes + l, O::load(x_bar + row * lanes + l) + taken);
      });
    });
  });
}

template <class T>
void softmax_loss(int classes, int lanes, const T* y, const int* label, T* loss, T* y_bar) {
  const Index n = lanes;
  sweep<T>(static_cast<std::size_t>(lanes), [&]<int W>(std::size_t lane) REVODE_INLINED {
    using O = On<T, W>;
    using E = Elementary<T, W>;
    const Index l = static_cast<Index>(lane);
    auto most = O::load(y + l);
    for (Index c = 1; c < classes; ++c) {
      const auto v = O::load(y + c * n + l);
      most = v > most ? v : most;
    }
    auto sum = O::all(T(0));
    for (Index c = 0; c < classes; ++c) {
      const auto e = E::exp(O::load(y + c * n + l) - most);
      if (y_bar) O::store(y_bar + c * n + l, e);
      sum = sum + e;
    }
    O::store(loss + l, E::log(sum) + most);
    const auto scale = T(1) / sum;
    for (Index c = 0; y_bar && c < classes; ++c) O::store(y_bar + c * n + l, O::load(y_bar + c * n + l) * scale);
  });
  for (Index l = 0; l < n; ++l) {
    if (label[l] >= 0) {
      loss[l] -= y[label[l] * n + l];
      if (y_bar) y_bar[label[l] * n + l] -= 1;
    } else {
      loss[l] = 0;
      for (Index c = 0; y_bar && c < classes; ++c) y_bar[c * n + l] = 0;
    }
  }
}

#define REVODE_INSTANTIATE(T)                                                           \
  template void pool_average<T>(const Pooling&, int, const T*, T*);                     \
  template void pool_average_vjp<T>(const Pooling&, int, const T*, T*);                 \
  template void pool_max<T>(const Pooling&, int, const T*, T*);                         \
  template void pool_max_vjp<T>(const Pooling&, int, const T*, const T*, const T*, T*); \
  template void softmax_loss<T>(int, int, const T*, const int*, T*, T*);
REVODE_INSTANTIATE(float)
REVODE_DOUBLE(REVODE_INSTANTIATE(double))
}  // namespace revode::kernel
