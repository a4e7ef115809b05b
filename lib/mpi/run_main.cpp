#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "revode/mpi/communicator.hpp"

namespace revode::mpi {
namespace {
struct Launcher {
  const char* size;
  const char* rank;
  const char* remedy;
};
constexpr Launcher launchers[] = {
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "use srun --mpi=pmix, or mpirun inside the job"},
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "this program is built without MPI, or with another one"},
    {"PMI_SIZE", "PMI_RANK", "this program is built without MPI, or with another one"},
};

int number(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : 0;
}

// N processes that each believe to be alone would train N times and write into each other's folder.
bool refuses_singletons(const Communicator& world) {
  for (const Launcher& l : launchers) {
    const int started = number(l.size);
    if (started <= world.size()) continue;
    if (number(l.rank) == 0) {
      const std::string message = std::to_string(started) + " ranks were started, but only " +
                                  std::to_string(world.size()) + " know of each other: " + l.remedy;
      write_line(error_line(0, world.host(), Error(Exit::misconfigured, l.size, message)));
    } else {
      // A launcher ends all ranks at the first bad exit, and no collective can order them here: the one that speaks
      // goes first.
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    return true;
  }
  return false;
}

int leave(const Communicator& world, const Error& error) {
  write_line(error_line(world.rank(), world.host(), error));
  if (world.size() > 1) world.abort(error.code());
  return static_cast<int>(error.code());
}
}  // namespace

int run_main(int argc, char** argv, const std::function<int(const Communicator&)>& body) {
  Session session(argc, argv);
  const Communicator& world = session.world();
  if (refuses_singletons(world)) return static_cast<int>(Exit::misconfigured);
  try {
    return body(world);
  } catch (const Refused& refused) {
    return static_cast<int>(refused.code());
  } catch (const Error& error) {
    return leave(world, error);
  } catch (const std::bad_alloc&) {
    return leave(world, Error(Exit::bug, "memory", "out of memory: give the job more, or use fewer ranks a node"));
  } catch (const std::exception& error) {
    return leave(world, Error(Exit::bug, "exception", error.what()));
  }
}
}  // namespace revode::mpi
