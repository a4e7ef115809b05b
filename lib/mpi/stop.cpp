#include "revode/mpi/stop.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace revode::mpi {
namespace {
constexpr int stop_signals[] = {SIGUSR1, SIGTERM, SIGINT};
volatile std::sig_atomic_t received = 0;

void note(int signal) {
  received = signal;
}

struct sigaction install(int signal, void (*handler)(int)) {
  struct sigaction action {
  }, before{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, &before);
  return before;
}

char stall_line[512];  // written while no timer runs, so that the handler has nothing to format

// A launcher that ends the job sends SIGTERM and, seconds later, SIGKILL: the rank at fault has spoken, this one keeps
// silent.
constexpr unsigned grace_seconds = 5;
volatile std::sig_atomic_t grace_given = 0;

void stalled(int) {
  if (received == SIGTERM && !grace_given) {
    grace_given = 1;
    alarm(grace_seconds);
    return;
  }
  if (::write(STDERR_FILENO, stall_line, std::strlen(stall_line)) < 0) {
    // nobody is left to tell
  }
  _exit(static_cast<int>(Exit::stalled));
}

void set_timer(double seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = static_cast<suseconds_t>(std::fmod(seconds, 1.0) * 1e6);
  setitimer(ITIMER_REAL, &timer, nullptr);
}
}  // namespace

StopSignals::StopSignals() {
  received = 0;
  for (std::size_t i = 0; i < std::size(stop_signals); ++i) before_[i] = install(stop_signals[i], note);
}
StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < std::size(stop_signals); ++i) sigaction(stop_signals[i], &before_[i], nullptr);
}
bool StopSignals::requested() const {
  return received != 0;
}
int StopSignals::signal() const {
  return received;
}

Watchdog::Watchdog(const Communicator& ranks, double seconds)
    : seconds_(seconds), rank_(ranks.rank()), host_(ranks.host()), before_(install(SIGALRM, stalled)) {}
Watchdog::~Watchdog() {
  sigaction(SIGALRM, &before_, nullptr);
}

Watchdog::Watch::Watch(const Watchdog& dog, const char* place, long number) : armed_(dog.seconds_ > 0) {
  if (!armed_) return;
  std::snprintf(
      stall_line, sizeof stall_line,
      "error rank=%d host=%s what=stall where=\"%s %ld\" msg=\"no answer from another rank for %g s: look for a "
      "stopped process or a cut network\"\n",
      dog.rank_, dog.host_.c_str(), place, number, dog.seconds_);
  set_timer(dog.seconds_);
}
Watchdog::Watch::~Watch() {
  if (armed_) set_timer(0);
}
}  // namespace revode::mpi
