// Systems of a few numbers.
#include "plain_peers/bodies.hpp"

namespace bench {
REVODE_BENCH_PEERS(Lorenz);
REVODE_BENCH_PEERS(VanDerPol);
template void odeint_rk4<Lorenz, double>(State<Lorenz, double>&, double, long);
template void odeint_rk4<Lorenz, float>(State<Lorenz, float>&, float, long);
}  // namespace bench
