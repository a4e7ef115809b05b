/* revode's C interface, C11 and C++: solve y' = f(t, y; theta) for a right-hand side of your own and get the gradient
 * of the numerical solution, in memory that you provide. Link with  cc prog.c -lrevode -lm.
 *
 *   revode_field field = {.size = sizeof field, .dim = 2, .params = 1, .lanes = 1, .rhs = rhs, .vjp = vjp};
 *   revode_plan plan = {.size = sizeof plan, .method = REVODE_MCCALLUM_FOSTER, .base = REVODE_RK4,
 *                       .way = REVODE_REVERSED, .arithmetic = REVODE_FIXED};
 *   revode_solver_bytes(&field, &plan, &bytes);                       exact, and the same for any number of steps
 *   revode_solver_init(memory, bytes, &field, &plan, &solver);        the solver lives in memory: nothing to free
 *   revode_forward(solver, theta, t0, t1, steps, y0, y1);
 *   revode_backward(solver, y1_bar, y0_bar, theta_bar);               adds: set the two to zero first
 *
 * revode_... computes in double, revodef_... in float. `lanes` samples are solved side by side in one tile: every array
 * of n rows is [n][lanes], lanes innermost, except theta[params]. A function returns a status, 0 when all is well, and
 * prints, throws or allocates nothing. Solvers share nothing: use each from one thread at a time. */
#ifndef REVODE_H
#define REVODE_H
#include <stddef.h>

#define REVODE_VERSION_MAJOR 0
#define REVODE_VERSION_MINOR 1
#define REVODE_VERSION_PATCH 0
#define REVODE_VERSION (REVODE_VERSION_MAJOR * 10000 + REVODE_VERSION_MINOR * 100 + REVODE_VERSION_PATCH)

/* Alignment of a solver's memory: static _Alignas(REVODE_MEMORY_ALIGN) unsigned char memory[...], or
 * aligned_alloc(REVODE_MEMORY_ALIGN, bytes rounded up to a multiple of it). */
#define REVODE_MEMORY_ALIGN 64

#ifdef __cplusplus
extern "C" {
#endif

enum revode_status {
  REVODE_OK,
  REVODE_BAD_ARGUMENT,
  REVODE_ARENA_TOO_SMALL,
  REVODE_NOT_REVERSIBLE,
  REVODE_UNSUPPORTED,
  REVODE_NOT_FINITE,
  REVODE_RANGE,
  REVODE_CAPACITY,
  REVODE_IRREVERSIBLE,
  REVODE_CALLBACK_FAILED,
  REVODE_DRIFT,
  REVODE_GRAZING,
  REVODE_TOO_MANY_STEPS,
  REVODE_STEP_UNDERFLOW
};

enum revode_method {
  REVODE_RUNGE_KUTTA,     /* the base tableau itself: stored or checkpointed */
  REVODE_MCCALLUM_FOSTER, /* the reversible method over the base tableau, of its order; twice its evaluations */
  REVODE_ALF, /* asynchronous leapfrog, order 2, one evaluation a step; needs no base, nor do the following */
  REVODE_REVERSIBLE_HEUN, /* order 2, one evaluation a step */
  REVODE_LEAPFROG,        /* explicit midpoint over half steps, order 2, two evaluations a step */
  REVODE_VERLET, /* q'' = rhs(t, q): y holds 2 dim rows, positions and then velocities; order 2, one evaluation */
  REVODE_SYMPLECTIC_EULER, /* the same of order 1 */
  REVODE_LOW_STORAGE       /* the base tableau in Williamson's form: euler, midpoint, heun, ees25, ees27; in reals */
};

enum revode_base {
  REVODE_EULER,
  REVODE_MIDPOINT,
  REVODE_HEUN,
  REVODE_RALSTON3,
  REVODE_RK4,
  REVODE_THREE_EIGHTHS,
  REVODE_BOGACKI_SHAMPINE,
  REVODE_DORMAND_PRINCE5,
  REVODE_TSITOURAS5,
  REVODE_EES25,
  REVODE_EES27,
  REVODE_FEHLBERG12,
  REVODE_CASH_KARP,
  REVODE_DORMAND_PRINCE8
};

enum revode_way {
  REVODE_STORED,       /* every state kept: at most stored_steps of them */
  REVODE_CHECKPOINTED, /* `slots` states kept, the rest computed again */
  REVODE_REVERSED,     /* nothing kept: steps are undone, exactly in fixed point, with rounding's drift in floats */
  REVODE_TAPED         /* runge_kutta in floats with a tape of log_bits of what it takes to walk it back exactly */
};

enum revode_arithmetic { REVODE_REAL, REVODE_FIXED };

/* How to solve and how to come back. Zero means "not needed" from stored_steps on; the enums are always asked for. */
typedef struct revode_plan {
  size_t size;          /* sizeof(revode_plan) */
  int method;           /* enum revode_method */
  int base;             /* enum revode_base */
  int way;              /* enum revode_way */
  int arithmetic;       /* enum revode_arithmetic; exact reversal is REVODE_FIXED, a tape REVODE_REAL */
  long stored_steps;    /* stored: most steps of a run */
  int keep_stages;      /* stored: non-zero keeps stages and tapes too, so that the way back calls rhs no more */
  int slots;            /* checkpointed: states kept; reversed, taped: restore points, for a full log or for drift */
  int halve_every;      /* K of damped dynamics, at most ln 2 / (h |mu|), mu the most negative eigenvalue; 0: never */
  size_t log_bits;      /* reversed with K: dim * lanes bits every K steps; fewer need slots */
  int fraction_bits[2]; /* of y, 0: 44 (float: 24), range 2^(62 - bits) (float: 30); of the second register, 0: as y */
  double halve_above; /* fixed: halve where the copies of the state part by more; the log must hold 15 bits a scalar and
                         48; 0: never */
  double lambda;      /* reals: damping of every step, McCallum and Foster's lambda, 2 eta - 1 of ALF; 0: none, 1 */
  long restore_every; /* reversed in floats: steps between restore points; 0: none */
  double drift_bound; /* reversed in floats: most drift, beyond it REVODE_DRIFT; 0: any */
  double rtol, atol;  /* of step control; both 0: the equal steps that are asked for */
  long most_steps;    /* step control: accepted steps of a run, 2 bits each; 0: 4096 */
} revode_plan;

/* What a solver has done since the last forward or begin. */
typedef struct revode_counts {
  size_t size; /* sizeof(revode_counts), set before the call */
  long steps, recomputed, evaluations_forward, evaluations_backward, vjps;
  long rejected;     /* steps that step control took back */
  size_t tape_bits;  /* most that the tape has held */
  double drift;      /* reversed in floats: largest |x - kept| / (1 + |kept|) at restore points and the beginning */
  double separation; /* largest |y - z| at the end, of methods with two copies of the state */
} revode_counts;

/* The sentence of a status; of any other number "unknown status". */
const char* revode_sentence(int status);
/* REVODE_VERSION of the library that was linked. */
int revode_version(void);

/* Everything below exists twice, as revode_... with real = double and as revodef_... with real = float.
 *
 * rhs writes dydt[dim][lanes] = f(t, y[dim][lanes]; theta[params]) and may leave tape[tape][lanes] for vjp. Equal
 * arguments must give equal bits. vjp is told the t, y, theta and tape of that evaluation and w[dim][lanes], and ADDS
 * (df/dy)' w to y_bar[dim][lanes] and, where theta_bar is not null, (df/dtheta)' w, each sample its own, to
 * theta_bar[params][lanes]. It may overwrite tape. Either returns 0, or anything else to end the solve with
 * REVODE_CALLBACK_FAILED. */
#define REVODE_TYPES(revode, real)                                                                                \
  typedef int (*revode##_rhs)(real t, const real* y, const real* theta, real* dydt, real* tape, void* user_data); \
  typedef int (*revode##_vjp)(real t, const real* y, const real* theta, real* tape, const real* w, real* y_bar,   \
                              real* theta_bar, void* user_data);                                                  \
  typedef struct revode##_field {                                                                                 \
    size_t size; /* sizeof(revode_field) */                                                                       \
    int dim;     /* rows of y */                                                                                  \
    int params;  /* scalars of theta, may be 0 */                                                                 \
    int lanes;   /* samples side by side: 1, or as many as rhs and vjp handle */                                  \
    int tape;    /* scalars a sample that rhs leaves for vjp, may be 0 */                                         \
    revode##_rhs rhs;                                                                                             \
    revode##_vjp vjp;                                                                                             \
    void* user_data; /* passed on */                                                                              \
  } revode##_field;                                                                                               \
  typedef struct revode##_solver revode##_solver;

/* bytes, init: the field is copied; REVODE_BAD_ARGUMENT, REVODE_NOT_REVERSIBLE and REVODE_UNSUPPORTED where field and
 * plan do not exist, REVODE_CAPACITY where log_bits cannot hold one event; init also REVODE_ARENA_TOO_SMALL for fewer
 * bytes or a wrong alignment, and then *solver is null. Memory stays where it is.
 *
 * forward: `steps` equal steps (with tolerances: as many as they ask for, `steps` is not read) from y0[dim][lanes] at
 * t0 to y1 (null: not wanted; may be y0) at t1, which may be smaller than t0. theta stays unchanged until the way back
 * is done. backward: after forward, once: dL/dy1 in y1_bar[dim][lanes]; adds dL/dy0 to y0_bar[dim][lanes] and dL/dtheta
 * to theta_bar[params][lanes], each null: not wanted.
 *
 * The same two walks, step by step, for losses along the way. begin stands at step 0; advance goes one step on, retreat
 * one step back; *moved is 0 at the end of the way. y(solver)[dim][lanes] is the state at step n(solver), to be read
 * until the solver moves again. turn begins the way back, from any step; then y_bar(solver)[dim][lanes] is the
 * cotangent at that step, to which to add. finish, at step 0, adds to y0_bar and checks the walk. y and y_bar are null,
 * and n is -1, before begin. */
#define REVODE_FUNCTIONS(revode, real)                                                                           \
  int revode##_solver_bytes(const revode##_field* field, const revode_plan* plan, size_t* bytes);                \
  int revode##_solver_init(void* memory, size_t bytes, const revode##_field* field, const revode_plan* plan,     \
                           revode##_solver** solver);                                                            \
  int revode##_forward(revode##_solver* solver, const real* theta, real t0, real t1, long steps, const real* y0, \
                       real* y1);                                                                                \
  int revode##_backward(revode##_solver* solver, const real* y1_bar, real* y0_bar, real* theta_bar);             \
  int revode##_begin(revode##_solver* solver, const real* theta, real t0, real t1, long steps, const real* y0);  \
  int revode##_advance(revode##_solver* solver, int* moved);                                                     \
  int revode##_turn(revode##_solver* solver, real* theta_bar);                                                   \
  int revode##_retreat(revode##_solver* solver, int* moved);                                                     \
  int revode##_finish(revode##_solver* solver, real* y0_bar);                                                    \
  long revode##_n(const revode##_solver* solver);                                                                \
  const real* revode##_y(const revode##_solver* solver);                                                         \
  real* revode##_y_bar(revode##_solver* solver);                                                                 \
  int revode##_accounting(const revode##_solver* solver, revode_counts* counts);                                 \
  /* sum[r] over the lanes of rows[count][lanes], in a tree that is the same everywhere */                       \
  int revode##_sum_lanes(int count, int lanes, const real* rows, real* sum);

REVODE_TYPES(revode, double)
REVODE_TYPES(revodef, float)
REVODE_FUNCTIONS(revode, double)
REVODE_FUNCTIONS(revodef, float)

#ifdef __cplusplus
}
#endif
#endif
