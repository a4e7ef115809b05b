/// Status: what can go wrong, once, as a list; the enum here and the sentences in lib/status/ are two expansions of it.
/// Arguments are validated where an object is made; steps run blind and report once. Nothing prints, throws or aborts.
#pragma once

#define REVODE_STATUS(X)                                                                                               \
  X(ok, "no error")                                                                                                    \
  X(bad_argument, "an argument is out of its documented range")                                                        \
  X(arena_too_small, "the arena holds fewer bytes than bytes() asks for, or is not aligned to REVODE_ALIGN")           \
  X(not_reversible, "this method cannot be undone: choose the stored or the checkpointed way")                         \
  X(unsupported, "this map has no tangents, or this combination of method, number and way does not exist")             \
  X(not_finite, "a state or a gradient is not finite")                                                                 \
  X(range, "a state left the fixed-point range: use fewer fraction bits or more damping")                              \
  X(capacity, "a fixed-capacity store (states, slots or bit log) is full: give it more bytes")                         \
  X(irreversible,                                                                                                      \
    "the walk back did not end at the state the walk forward began with: the field is not deterministic")              \
  X(callback_failed, "a user's function returned non-zero")                                                            \
  X(drift,                                                                                                             \
    "the walk back in floats missed a kept state by more than the drift bound: restore more often or reverse exactly") \
  X(grazing, "an event's function met zero at no finite speed: its time has no derivative")                            \
  X(too_many_steps, "the step control needs more steps than its plan allows: loosen the tolerances or allow more")     \
  X(step_underflow,                                                                                                    \
    "the step control shrank a step below what the time can resolve: the field may be stiff or singular")

namespace revode {
enum class [[nodiscard]] Status : int{
#define REVODE_STATUS_NAME(name, sentence) name,
    REVODE_STATUS(REVODE_STATUS_NAME)
#undef REVODE_STATUS_NAME
};

/// The sentence of a status; lives in an object of its own, so that a device which never asks never links the text.
const char* sentence(Status status);

/// Keeps the first failure.
inline void fail(Status* sticky, Status why) {
  if (sticky && *sticky == Status::ok) *sticky = why;
}
}  // namespace revode
