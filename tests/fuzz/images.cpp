// libFuzzer's door to the readers of images; tests/fuzz/run builds and runs it.
#include "fuzz/read_any.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_any(data, size);
  return 0;
}
