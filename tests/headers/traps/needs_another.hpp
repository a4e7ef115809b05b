// Uses a name whose header it does not include.
#pragma once
inline std::size_t three() {
  return 3;
}
