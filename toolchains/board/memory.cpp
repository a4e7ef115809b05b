// memcpy and memset as the smallest loops: newlib's are faster and take 500 bytes of flash. They may overtake the C
// library's where they are linked first.
#include <cstddef>

extern "C" {
void* memcpy(void* __restrict to, const void* __restrict from, std::size_t n);
void* memset(void* to, int value, std::size_t n);
}

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
    asm volatile("" ::: "memory");  // a loop that stays a loop
  }
  return to;
}
void* memset(void* to, int value, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    static_cast<char*>(to)[i] = static_cast<char>(value);
    asm volatile("" ::: "memory");
  }
  return to;
}
