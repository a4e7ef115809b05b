#include "revode/mpi/communicator.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <utility>

#include "transport.hpp"

namespace revode::mpi {
namespace {
constexpr int no_handle = -1;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}
}  // namespace

Communicator::Communicator(int own_handle)
    : handle_(own_handle), rank_(transport::rank(own_handle)), size_(transport::size(own_handle)), host_(host_name()) {}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, no_handle)),
      rank_(other.rank_),
      size_(other.size_),
      host_(std::move(other.host_)) {}

Communicator::~Communicator() {
  if (handle_ == no_handle || std::uncaught_exceptions() > 0) return;  // releasing is collective, an exception is not
  transport::release(handle_);
}

Communicator Communicator::world() {
  return Communicator(transport::world());
}
Communicator Communicator::adopt(int fortran_handle) {
  return Communicator(transport::duplicate(fortran_handle));
}
Communicator Communicator::split(int colour) const {
  return Communicator(transport::split(handle_, colour, rank_));
}

void Communicator::barrier() const {
  transport::barrier(handle_);
}
void Communicator::broadcast(void* data, std::size_t bytes, int root) const {
  transport::broadcast(handle_, data, bytes, root);
}
void Communicator::broadcast(std::string& text, int root) const {
  auto bytes = text.size();
  broadcast(&bytes, sizeof bytes, root);
  text.resize(bytes);
  broadcast(text.data(), bytes, root);
}
void Communicator::gather_bytes(const void* mine, void* all, std::size_t bytes) const {
  transport::gather(handle_, mine, all, bytes);
}
void Communicator::abort(Exit code) const {
  transport::abort(handle_, static_cast<int>(code));
}

Session::Session(int& argc, char**& argv) {
  transport::start(argc, argv);
  world_.emplace(Communicator::world());
}

Session::~Session() {
  if (std::uncaught_exceptions() >
      0) {  // the other ranks may wait for us in a collective: MPI_Finalize would wait for them
    write_line(error_line(world_->rank(), world_->host(), Error(Exit::bug, "Session", "left by an exception")));
    world_->abort(Exit::bug);
  }
  // A launcher sends SIGTERM to all when the first rank has left with a code other than 0: too late to change this
  // one's.
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGUSR1, SIG_IGN);
  world_.reset();
  transport::stop();
}

void agree(const Communicator& ranks, const Error* mine) {
  const auto codes = ranks.gather(mine ? static_cast<int>(mine->code()) : 0);
  int first = 0;
  while (first < ranks.size() && codes[static_cast<std::size_t>(first)] == 0) ++first;
  if (first == ranks.size()) return;

  std::string line = mine ? error_line(ranks.rank(), ranks.host(), *mine) : "";
  ranks.broadcast(line, first);
  if (ranks.rank() == 0) write_line(line);
  ranks.barrier();  // a launcher ends all ranks at the first bad exit: rank 0 speaks before anyone leaves
  throw Refused(static_cast<Exit>(codes[static_cast<std::size_t>(first)]));
}
}  // namespace revode::mpi
