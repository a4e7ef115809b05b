// Runs all cases; exit code 0 when everything held. What it printed is compared with golden.txt by `compare`.
#include "check.hpp"

namespace {
int failures = 0, numbers = 0;
const char* running = "";

/// Digits of v to base 10 or 16, `least` of them at least, ended by a zero byte at `end`.
const char* digits(std::uint64_t v, unsigned base, int least, char* end) {
  *--end = 0;
  for (; v != 0 || least > 0; --least, v /= base) *--end = "0123456789abcdef"[v % base];
  return end;
}
template <class... Parts>
void say(Parts... parts) {
  (board::write(parts), ...);
  board::write("\n");
}
}  // namespace

void device::print(const char* name, const Hash& hash) {
  char text[20];
  ++numbers;
  say(running, "/", name, " ", digits(hash.value(), 16, 16, text + sizeof text));
}

void device::remark(const char* name, unsigned long number) {
  char text[24];
  say("# ", running, *running ? "/" : "", name, " ", digits(number, 10, 1, text + sizeof text));
}

void device::check(bool holds, const char* what, const char* file, int line) {
  if (holds) return;
  char text[24];
  ++failures;
  say("FAILED ", what, " at ", file, digits(static_cast<std::uint64_t>(line), 10, 1, text + sizeof text));
}

int main() {
  board::paint_stack();
#define DEVICE_RUN(name) running = #name, device::name();
  DEVICE_CASES(DEVICE_RUN)
#undef DEVICE_RUN
  running = "";
  device::remark("stack", board::stack_used());
  if (failures != 0 || numbers == 0) {
    say(numbers == 0 ? "nothing ran" : "some checks failed");
    return 1;
  }
  return 0;
}
