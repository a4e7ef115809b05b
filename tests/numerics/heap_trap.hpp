// A trap on the heap: while one is set, every call of the allocator is counted. It defines malloc and its family for
// the whole program (glibc's own do the work), so operator new is caught too; include it in one file of a program.
// Under AddressSanitizer, whose allocator must stay, its hooks count.
#pragma once
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define REVODE_HEAP_HOOKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REVODE_HEAP_HOOKS
#endif
#endif

namespace heap {
inline bool armed = false;
inline long count = 0;
inline void called() {
  if (armed) ++count;
}
}  // namespace heap

#ifdef REVODE_HEAP_HOOKS
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*)(const volatile void*, std::size_t),
    void (*)(const volatile void*));  // GCC 12 has no header for it
namespace heap {
inline const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { called(); }, [](const volatile void*) { called(); });
}  // namespace heap
#else
#include <cerrno>
#include <cstdlib>
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) noexcept {
  heap::called();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  heap::called();
  return __libc_calloc(count, size);
}
void* realloc(void* at, std::size_t size) noexcept {
  heap::called();
  return __libc_realloc(at, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  heap::called();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** at, std::size_t alignment, std::size_t size) noexcept {
  heap::called();
  *at = __libc_memalign(alignment, size);
  return *at ? 0 : ENOMEM;
}
void free(void* at) noexcept {
  heap::called();
  __libc_free(at);
}
}
#endif

namespace heap {
/// Counts from here to the end of its scope.
class Trap {
 public:
  Trap() { count = 0, armed = true; }
  Trap(const Trap&) = delete;
  Trap& operator=(const Trap&) = delete;
  ~Trap() { armed = false; }
  long calls() const { return count; }
};
}  // namespace heap
