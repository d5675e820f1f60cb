// Sessions are ended outside the lock: a logout is a call into the kernel.
#include "copymgr/kept_sessions.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace copymgr {

void KeptSessions::keep(std::unique_ptr<store::RemoteUnit> unit,
                        std::shared_ptr<const GroupView> group) {
  if (unit->is_lost()) return;
  unit->set_stopped({});
  Kept longest_idle;
  const std::scoped_lock lock(mutex_);
  kept_.push_back({std::move(unit), std::move(group), clock_.now()});
  if (kept_.size() <= most_) return;
  longest_idle = std::move(kept_.front());
  kept_.erase(kept_.begin());
}

std::unique_ptr<store::RemoteUnit> KeptSessions::take(
    const std::shared_ptr<const GroupView>& group) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::find_if(kept_.rbegin(), kept_.rend(),
                               [&](const Kept& each) { return each.group == group; });
  if (at == kept_.rend()) return nullptr;
  auto out = std::move(at->unit);
  kept_.erase(std::next(at).base());
  return out;
}

void KeptSessions::end_idle(base::Instant now) {
  std::vector<Kept> idle;
  const std::scoped_lock lock(mutex_);
  const auto first_good = std::find_if(
      kept_.begin(), kept_.end(), [&](const Kept& each) { return now - each.since < idle_max; });
  idle.assign(std::make_move_iterator(kept_.begin()), std::make_move_iterator(first_good));
  kept_.erase(kept_.begin(), first_good);
}

std::size_t KeptSessions::count() const {
  const std::scoped_lock lock(mutex_);
  return kept_.size();
}

}  // namespace copymgr
