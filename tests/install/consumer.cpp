// A stranger's C++ program: exact bytes of an object, a known answer of the random numbers, and text from the archive.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <revode/arena.hpp>
#include <revode/random.hpp>
#include <revode/status.hpp>

namespace {
struct Pair {
  float* a = nullptr;   // [3]
  double* b = nullptr;  // [5]
  constexpr void place(revode::Arena& arena) {
    a = arena.take<float>(3);
    b = arena.take<double>(5);
  }
};

constexpr std::size_t bytes_of_pair() {
  revode::Arena arena;
  Pair().place(arena);
  return arena.bytes();
}

constexpr std::size_t bytes = bytes_of_pair();
static_assert(bytes == REVODE_ALIGN + 5 * sizeof(double));
alignas(REVODE_ALIGN) std::byte memory[bytes];

bool check(const char* what, bool holds) {
  std::printf("%s: %s\n", what, holds ? "ok" : "wrong");
  return holds;
}
}  // namespace

int main() {
  revode::Arena whole(memory, bytes), short_of_one(memory, bytes - 1);
  Pair pair;
  pair.place(whole);
  Pair().place(short_of_one);
  bool ok = check("computed bytes suffice, one fewer do not", whole.ok() && !short_of_one.ok() && pair.b != nullptr);
  // The published known answer of Philox4x32-10 for counter 0 and key 0 (Random123, kat_vectors).
  ok &= check("philox", revode::philox({{0, 0, 0, 0}}, 0, 0).word[0] == 0x6627e8d5u);
  ok &= check("sentence", std::strcmp(revode::sentence(revode::Status::ok), "no error") == 0);
  return ok ? 0 : 1;
}
