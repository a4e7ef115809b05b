/// Leaving in good order: a signal asks, the allreduce carries the vote, all ranks stop after the same iteration.
#pragma once
#include <csignal>

#include "revode/mpi/communicator.hpp"

namespace revode::mpi {
/// While it lives, SIGUSR1, SIGTERM and SIGINT only set a flag. One object at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  bool requested() const;  ///< hand this to TreeAllreduce::finish, and stop when that says so
  int signal() const;      ///< the last one received, or 0

 private:
  struct sigaction before_[3];
};

/// Ends this process with exit code 76 and a line naming rank and place where a collective does not return in time.
/// Without it a stopped rank or a cut cable hangs a job until its time limit. One object at a time; uses SIGALRM.
class Watchdog {
 public:
  /// `seconds` <= 0 switches it off.
  Watchdog(const Communicator& ranks, double seconds);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Armed while it lives: `auto watch = dog.watch("allreduce iteration", k);`
  class Watch {
   public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class Watchdog;
    Watch(const Watchdog& dog, const char* place, long number);
    bool armed_;
  };
  [[nodiscard]] Watch watch(const char* place, long number) const { return Watch(*this, place, number); }

 private:
  double seconds_;
  int rank_;
  std::string host_;
  struct sigaction before_;
};
}  // namespace revode::mpi
