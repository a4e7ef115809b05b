// Prints the table of hashes; tests/bits/run builds this for every compiler, level and instruction set and compares.
#include <cinttypes>
#include <cstdio>

#include "bits/hashes.hpp"

int main() {
  for (const auto& [name, hash] : bits::table()) std::printf("%-28s %016" PRIx64 "\n", name.c_str(), hash);
}
