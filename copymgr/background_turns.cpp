#include "copymgr/background_turns.hpp"

namespace copymgr {

void BackgroundTurns::post(base::Work slice) {
  {
    const std::scoped_lock lock(mutex_);
    if (running_ == at_once_) return waiting_.push_back(std::move(slice));
    ++running_;
  }
  begin(std::move(slice));
}

void BackgroundTurns::begin(base::Work slice) {
  pool_.post([self = shared_from_this(), slice = std::move(slice)]() mutable {
    slice();
    slice = {};  // what it holds goes before the next begins
    self->next();
  });
}

// The turn passes on; an operation that posted its next slice meanwhile stands behind the others.
void BackgroundTurns::next() {
  base::Work slice;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      --running_;
      return;
    }
    slice = std::move(waiting_.front());
    waiting_.pop_front();
  }
  begin(std::move(slice));
}

}  // namespace copymgr
