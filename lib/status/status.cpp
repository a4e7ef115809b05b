#include "revode/status.hpp"

namespace revode {
const char* sentence(Status status) {
  switch (status) {
#define REVODE_STATUS_TEXT(name, text) \
  case Status::name:                   \
    return text;
    REVODE_STATUS(REVODE_STATUS_TEXT)
#undef REVODE_STATUS_TEXT
  }
  return "unknown status";
}
}  // namespace revode
