// Systems of many numbers, for wide registers.
#include "plain_peers/bodies.hpp"

namespace bench {
REVODE_BENCH_PEERS(Brusselator<32>);
REVODE_BENCH_PEERS(Brusselator<128>);
}  // namespace bench
