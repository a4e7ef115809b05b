// What the layer asks of MPI: the only interface with two bodies, transport_mpi.cpp and transport_alone.cpp.
// Communicators are Fortran handles, so that nothing above needs mpi.h; words have 8 bytes, so that counts fit an int
// up to 16 GB. MPI's errors become Error.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace revode::mpi::transport {
using Handle = int;
inline constexpr std::size_t word_bytes = 8;

void start(int& argc, char**& argv);
void stop();
Handle world();               // a duplicate
Handle duplicate(Handle of);  // of someone else's communicator
Handle split(Handle of, int colour, int key);
void release(Handle ranks) noexcept;
int rank(Handle ranks);
int size(Handle ranks);

void barrier(Handle ranks);
void broadcast(Handle ranks, void* data, std::size_t bytes, int root);
void gather(Handle ranks, const void* mine, void* all, std::size_t bytes);  // on every rank
[[noreturn]] void abort(Handle ranks, int code);

// Sends to a peer and receives from it.
void exchange(Handle ranks, int peer, const void* out, std::size_t out_words, void* in, std::size_t in_words);
// In place: rank r brings words [begin[r], begin[r + 1]) of `data`, every rank ends with all of them.
void gather_slices(Handle ranks, std::byte* data, const std::vector<std::size_t>& begin);

struct Message {
  int peer;
  void* data;
  std::size_t words;
  bool out;
};
// Posts all messages, waits for all. Messages between two ranks arrive in the order of the list.
void transfer(Handle ranks, const std::vector<Message>& messages);
}  // namespace revode::mpi::transport
