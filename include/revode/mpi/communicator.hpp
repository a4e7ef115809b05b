/// Ranks: who am I, how many are we, and how do we leave together. No mpi.h in sight: without MPI all of this serves
/// one rank.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "revode/mpi/error.hpp"

namespace revode::mpi {
/// A group of ranks with a message space of its own. Everything here is collective unless said. Throws Error where MPI
/// fails.
class Communicator {
 public:
  /// The ranks of a simulation's own communicator, given as its Fortran handle (MPI_Comm_c2f). MPI is already
  /// initialised.
  static Communicator adopt(int fortran_handle);
  /// All ranks of the program. MPI is already initialised: see Session.
  static Communicator world();
  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&&) = delete;
  ~Communicator();

  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& host() const { return host_; }  ///< this rank's host; not collective
  int handle() const { return handle_; }             ///< Fortran handle

  void barrier() const;
  void broadcast(void* data, std::size_t bytes, int root = 0) const;
  void broadcast(std::string& text, int root = 0) const;
  /// One value of each rank, in rank order, on every rank.
  template <class T>
  std::vector<T> gather(const T& mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<T> all(static_cast<std::size_t>(size_));
    gather_bytes(&mine, all.data(), sizeof(T));
    return all;
  }
  /// The ranks that give the same colour, in the same order.
  Communicator split(int colour) const;
  /// Ends all ranks at once, this program included. Not collective: the way out when one rank alone fails.
  [[noreturn]] void abort(Exit code) const;

 private:
  explicit Communicator(int own_handle);
  void gather_bytes(const void* mine, void* all, std::size_t bytes) const;
  int handle_, rank_, size_;
  std::string host_;
};

/// MPI from here to the end of the scope. Leaving by an exception ends all ranks instead of waiting for them for ever.
class Session {
 public:
  Session(int& argc, char**& argv);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  const Communicator& world() const { return *world_; }

 private:
  std::optional<Communicator> world_;
};

/// Every rank brings an error or null. If any brought one, rank 0 prints that of the lowest such rank, once, and every
/// rank throws Refused with its code.
void agree(const Communicator& ranks, const Error* mine);

/// Runs `body` on every rank and agrees on how it went: for work that may fail on some or on all ranks alike (reading a
/// configuration, opening files). `body` must not communicate. Returns what `body` returns.
template <class Body>
auto together(const Communicator& ranks, Body&& body) {
  using Result = std::invoke_result_t<Body>;
  std::optional<Error> error;
  const auto attempt = [&](auto&& work) {
    try {
      work();
    } catch (const Error& e) {
      error = e;
    } catch (const std::exception& e) {
      error.emplace(Exit::bug, "exception", e.what());
    }
    agree(ranks, error ? &*error : nullptr);
  };
  if constexpr (std::is_void_v<Result>) {
    attempt(body);
  } else {
    std::optional<Result> result;
    attempt([&] { result.emplace(body()); });
    return std::move(*result);
  }
}

/// The main of a data-parallel program: starts MPI, refuses ranks that do not know of each other (78), runs `body`, and
/// returns its exit code. An exception on one rank prints one error line and ends all ranks with its code.
int run_main(int argc, char** argv, const std::function<int(const Communicator&)>& body);
}  // namespace revode::mpi
