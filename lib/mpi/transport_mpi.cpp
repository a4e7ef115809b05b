#ifdef REVODE_HAVE_MPI
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "revode/mpi/error.hpp"
#include "transport.hpp"

namespace revode::mpi::transport {
namespace {
void check(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw Error(Exit::bug, call, std::string(text, static_cast<std::size_t>(length)) + ": see the other ranks' output");
}

MPI_Comm of(Handle ranks) {
  return MPI_Comm_f2c(ranks);
}
int count(std::size_t words) {
  return static_cast<int>(words);
}

Handle ready(MPI_Comm fresh) {
  check(MPI_Comm_set_errhandler(fresh, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_set_name(fresh, "revode"), "MPI_Comm_set_name");
  return MPI_Comm_c2f(fresh);
}
}  // namespace

void start(int& argc, char**& argv) {
  // A program started without mpirun needs no daemon: 10 ms instead of 100 to 450. It has no effect under a launcher.
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  int provided = 0;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
}
void stop() {
  MPI_Finalize();
}

Handle world() {
  return duplicate(MPI_Comm_c2f(MPI_COMM_WORLD));
}
Handle duplicate(Handle ranks) {
  MPI_Comm fresh = MPI_COMM_NULL;
  check(MPI_Comm_dup(of(ranks), &fresh), "MPI_Comm_dup");
  return ready(fresh);
}
Handle split(Handle ranks, int colour, int key) {
  MPI_Comm fresh = MPI_COMM_NULL;
  check(MPI_Comm_split(of(ranks), colour, key, &fresh), "MPI_Comm_split");
  return ready(fresh);
}
void release(Handle ranks) noexcept {
  MPI_Comm own = of(ranks);
  MPI_Comm_free(&own);
}
int rank(Handle ranks) {
  int value = 0;
  check(MPI_Comm_rank(of(ranks), &value), "MPI_Comm_rank");
  return value;
}
int size(Handle ranks) {
  int value = 0;
  check(MPI_Comm_size(of(ranks), &value), "MPI_Comm_size");
  return value;
}

void barrier(Handle ranks) {
  check(MPI_Barrier(of(ranks)), "MPI_Barrier");
}

void broadcast(Handle ranks, void* data, std::size_t bytes, int root) {
  constexpr std::size_t piece = std::size_t{1} << 30;  // a count is an int
  for (std::size_t at = 0; at < bytes; at += piece) {
    const int part = count(std::min(piece, bytes - at));
    check(MPI_Bcast(static_cast<std::byte*>(data) + at, part, MPI_BYTE, root, of(ranks)), "MPI_Bcast");
  }
}

void gather(Handle ranks, const void* mine, void* all, std::size_t bytes) {
  check(MPI_Allgather(mine, count(bytes), MPI_BYTE, all, count(bytes), MPI_BYTE, of(ranks)), "MPI_Allgather");
}

void abort(Handle ranks, int code) {
  std::fflush(nullptr);
  MPI_Abort(of(ranks), code);
  std::_Exit(code);
}

void exchange(Handle ranks, int peer, const void* out, std::size_t out_words, void* in, std::size_t in_words) {
  check(MPI_Sendrecv(out, count(out_words), MPI_UINT64_T, peer, 0, in, count(in_words), MPI_UINT64_T, peer, 0,
                     of(ranks), MPI_STATUS_IGNORE),
        "MPI_Sendrecv");
}

void gather_slices(Handle ranks, std::byte* data, const std::vector<std::size_t>& begin) {
  std::vector<int> counts, places;
  for (std::size_t r = 0; r + 1 < begin.size(); ++r) {
    counts.push_back(count(begin[r + 1] - begin[r]));
    places.push_back(count(begin[r]));
  }
  check(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, counts.data(), places.data(), MPI_UINT64_T, of(ranks)),
        "MPI_Allgatherv");
}

void transfer(Handle ranks, const std::vector<Message>& messages) {
  std::vector<MPI_Request> requests(messages.size(), MPI_REQUEST_NULL);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& m = messages[i];
    check(m.out ? MPI_Isend(m.data, count(m.words), MPI_UINT64_T, m.peer, 1, of(ranks), &requests[i])
                : MPI_Irecv(m.data, count(m.words), MPI_UINT64_T, m.peer, 1, of(ranks), &requests[i]),
          m.out ? "MPI_Isend" : "MPI_Irecv");
  }
  check(MPI_Waitall(count(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}
}  // namespace revode::mpi::transport
#endif
