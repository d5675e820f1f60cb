#include "store/quota.hpp"

namespace store {

base::ByteCount Quota::available() const {
  const std::uint64_t used = used_.load(), bound = this->bound().value;
  return base::ByteCount(used < bound ? bound - used : 0);
}

void Quota::set_bound(base::ByteCount bound) {
  const std::uint64_t before = this->bound().value;
  bound_ = rounded_up(bound.value);
  bound_changed(before);
}

void Quota::set_whole(base::ByteCount room) {
  const std::uint64_t before = bound().value;
  whole_ = rounded_up(room.value);
  bound_changed(before);
}

void Quota::bound_changed(std::uint64_t before) {
  if (bound().value > before) exhausted_ = false;
  // Marks may stand at other places now, wherever the count is.
  tell(Event::mark_passed);
}

bool Quota::take(base::ByteCount room) {
  std::uint64_t used = used_.load();
  do {
    const std::uint64_t bound = this->bound().value;
    if (used > bound || room.value > bound - used) {
      if (!exhausted_.exchange(true)) tell(Event::exhausted);
      return false;
    }
  } while (!used_.compare_exchange_weak(used, used + room.value));
  look(used + room.value);
  return true;
}

void Quota::give_back(base::ByteCount room) {
  if (room.value == 0) return;
  const std::uint64_t used = used_.fetch_sub(room.value) - room.value;
  if (exhausted_.load() && available().value > bound().value / 100) exhausted_ = false;
  look(used);
}

void Quota::set_marks(const Marks& marks) {
  at_least_ = marks.at_least;
  below_ = marks.below;
}

void Quota::look(std::uint64_t used) {
  if (used >= at_least_.load() || used < below_.load()) tell(Event::mark_passed);
}

void Quota::watch(Watcher watcher) {
  const std::scoped_lock lock(mutex_);
  watcher_ = std::move(watcher);
}

void Quota::tell(Event event) {
  const std::scoped_lock lock(mutex_);
  if (watcher_) watcher_(event);
}

}  // namespace store
