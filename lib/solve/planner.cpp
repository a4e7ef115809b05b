#include "revode/planner.hpp"
#include "scalars.hpp"

namespace revode {
namespace {
/// Of pull(): the low storage form goes forwards and back; else letters before the last are run again for their
/// arguments, then each is arranged for its transpose.
template <class T>
long pull_evaluations(const Method<T>& m) {
  if (m.low_storage) return 2 * m.evaluations() - 1;
  long count = 0;
  int arranged = -1;
  for (int i = 0; i + 1 < m.letters; ++i)
    if (m.evaluations(m.word[i]) > 0) count += m.evaluations(m.word[i]), arranged = i;
  for (int i = m.letters; i-- > 0;) {
    const bool owed = m.shares_ends() && i == 0;
    if (m.evaluations(m.word[i]) > 0 && arranged != i && !owed) count += m.evaluations(m.word[i]), arranged = i;
  }
  return count;
}
/// Steps run again in reversing `steps` with that many states: r N - C(c + r, c + 1), of N steps and the last state's
/// loss, less the way forward itself. No step is run more than r times.
struct Binomial {
  long recomputed, most;
};
Binomial binomial(long steps, long slots) {
  const double n = static_cast<double>(steps) + 1, c = static_cast<double>(slots);
  double reach = 1, next = 0, r = 0;  // C(c + r, c), C(c + r, c + 1)
  while (reach < n) {
    r += 1;
    next += reach;
    reach = reach * (c + r) / r;
  }
  return {static_cast<long>(r * n - next) - steps, static_cast<long>(r)};
}
/// Adams' first steps are those of its base, and which steps checkpoints run again is not counted.
template <class T>
Cost adams_cost(const Plan<T>& p, long steps) {
  const long first = steps < p.method.past() ? steps : p.method.past(), more = p.method.base.advancing() - 2;
  Cost c;
  c.evaluations_forward = 2 * steps + more * first;
  if (p.way == Way::none) return c;
  const Binomial again = p.way == Way::checkpointed ? binomial(steps, p.slots) : Binomial{0, 0};
  c.vjps = c.evaluations_forward, c.recomputed = again.recomputed;
  c.evaluations_backward = c.evaluations_forward + 2 * again.recomputed + more * first * again.most;
  return c;
}
/// What a log that holds less than all rows runs again: all segments but the last.
struct Segments {
  long closed, steps;
};
template <class T>
Segments segments(const Plan<T>& p, long steps, std::size_t rows) {
  if (p.halve_every == 0) return {0, 0};
  const auto held = static_cast<long>(p.log_bits / rows), events = steps / p.halve_every;
  if (events <= held) return {0, 0};
  const long closed = (events - 1) / held;
  return {closed, p.halve_every * (closed * held + 1) - 1};
}
}  // namespace

template <class T>
Cost cost(const Plan<T>& p, long steps, std::size_t rows) {
  const Method<T>& m = p.method;
  if (m.multistep > 0) return adams_cost(p, steps);
  const long ends = m.shares_ends() ? 1 : 0, lift = m.lifts() && m.lift.field ? 1 : 0, step = m.evaluations();
  Cost c;
  c.evaluations_forward = lift + (p.keep_stages ? (step + ends) * steps : ends + step * steps);
  c.vjps = lift + ends + step * steps;
  c.evaluations_backward = lift;
  if (p.way == Way::none) return c.vjps = c.evaluations_backward = 0, c;
  if (p.way == Way::reversed && bijective(m) && p.arithmetic == Arithmetic::fixed) {
    const Segments again = segments(p, steps, rows);
    c.recomputed = again.steps;
    c.evaluations_backward += step * (steps + c.recomputed) + ends * again.closed;
  } else if (p.way == Way::reversed && bijective(m)) {  // the beginning and restore points are recalled
    c.evaluations_backward += step * steps + ends * (1 + (p.restore_every ? (steps - 1) / p.restore_every : 0));
  } else if (p.way == Way::reversed) {
    c.evaluations_backward += (step + pull_evaluations(m)) * steps;
  } else if (p.way == Way::taped) {  // the slope at a node serves the steps and predictions on both its sides
    const bool again = p.predictor == Predictor::runge_kutta;
    c.evaluations_forward += again ? (step - 1) * steps + 1 : 0;
    c.evaluations_backward += (again ? 2 * step - 1 : step) * steps;
  } else {
    if (p.way == Way::checkpointed) c.recomputed = binomial(steps, p.slots).recomputed;
    const long sweeps = c.recomputed < steps ? c.recomputed : steps;
    c.evaluations_backward +=
        (p.keep_stages ? 0 : pull_evaluations(m) * steps) + step * c.recomputed + ends * (1 + sweeps);
  }
  return c;
}

namespace {
template <class T>
class Offers {
 public:
  Offers(const Need<T>& need, Offer<T>* offers) : need_(need), offers_(offers) {
    const Shape s = need.field->shape({need.lanes, 0});
    rows_ = static_cast<std::size_t>(s.out) * static_cast<std::size_t>(need.lanes);
  }
  /// Bytes of a plan; 0 where the budget does not hold it.
  std::size_t bytes(const Plan<T>& p) const {
    const std::size_t b = Solve<T>::bytes(*need_.field, p, need_.lanes);
    return b <= need_.budget ? b : 0;
  }
  /// In order of work. False when the budget does not hold it.
  bool add(const Plan<T>& p, bool contracting, bool estimated = false) {
    const std::size_t taken = bytes(p);
    if (taken == 0 || count == most_offers) return false;
    const Offer<T> offer{p, taken, cost(p, need_.steps, rows_), contracting, estimated};
    int at = count++;
    for (; at > 0 && offers_[at - 1].cost.work() > offer.cost.work(); --at) offers_[at] = offers_[at - 1];
    offers_[at] = offer;
    return true;
  }
  Plan<T> ordinary(Way way) const { return recalling(runge_kutta(need_.base), way); }
  Plan<T> recalling(const Method<T>& method, Way way) const {
    Plan<T> p;
    p.method = method, p.way = way, p.arithmetic = Arithmetic::real;
    return p;
  }
  void add_stored() {
    Plan<T> p = ordinary(Way::stored);
    p.stored_steps = need_.steps;
    add(p, true);
    p.keep_stages = true;
    add(p, true);
  }
  /// As many states as fit: fewer steps are run again.
  void add_checkpointed(const Method<T>& method) {
    Plan<T> p = recalling(method, Way::checkpointed);
    int least = 0, most = static_cast<int>(need_.steps < 1000000 ? need_.steps : 1000000) + 1;
    while (most - least > 1) {
      p.slots = least + (most - least) / 2;
      (bytes(p) ? least : most) = p.slots;
    }
    p.slots = least;
    if (least > 0) add(p, true);
  }
  void add_taped() {
    Plan<T> p = ordinary(Way::taped);
    p.log_bits = static_cast<std::size_t>(need_.steps) * rows_ * tape_bits_a_scalar<T>;
    add(p, true, true);
  }
  void add_exact(const Method<T>& method) {
    Plan<T> p;
    p.method = method;
    for (int r = 0; r < 2; ++r) p.fraction_bits[r] = need_.fraction_bits[r];
    add(p, false);
    p.halve_every = need_.halve_every;
    if (p.halve_every < 1 || !dampable(method)) return;
    p.log_bits = p.log_bits_for(need_.steps, static_cast<int>(rows_) / need_.lanes, need_.lanes);
    if (p.log_bits < rows_) p.log_bits = rows_;
    if (add(p, true)) return;
    // Segments: of the splits into log and restore points, the largest log that fits.
    const auto events = static_cast<std::size_t>(need_.steps / p.halve_every);
    for (std::size_t held = events / 2; held > 0; held /= 2) {
      p.log_bits = held * rows_, p.slots = static_cast<int>((events + held - 1) / held);
      if (add(p, true)) return;
    }
  }
  int count = 0;

 private:
  const Need<T>& need_;
  Offer<T>* offers_;
  std::size_t rows_ = 0;
};
}  // namespace

template <class T>
int plan_ways(const Need<T>& need, Offer<T>* offers) {
  Offers<T> list(need, offers);
  list.add_stored();
  list.add_checkpointed(runge_kutta(need.base));
  if (two_registers(need.base).exists) list.add_checkpointed(low_storage(need.base));
  list.add_taped();
  list.add_exact(mccallum_foster(need.base));
  if (need.base.order == 2) list.add_exact(alf<T>());
  return list.count;
}

template <class T>
Status choose_way(const Need<T>& need, Offer<T>& offer) {
  Offer<T> offers[most_offers];
  const int count = plan_ways(need, offers);
  for (int i = 0; i < count; ++i)
    if (offers[i].contracting && !offers[i].estimated) return offer = offers[i], Status::ok;
  return Status::capacity;
}

template Cost cost<float>(const Plan<float>&, long, std::size_t);
REVODE_DOUBLE(template Cost cost<double>(const Plan<double>&, long, std::size_t);)
template int plan_ways<float>(const Need<float>&, Offer<float>*);
REVODE_DOUBLE(template int plan_ways<double>(const Need<double>&, Offer<double>*);)
template Status choose_way<float>(const Need<float>&, Offer<float>&);
REVODE_DOUBLE(template Status choose_way<double>(const Need<double>&, Offer<double>&);)
}  // namespace revode
