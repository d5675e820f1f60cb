// A volume while it is attached, and the tokens that hold points in time of it; shared by the copy
// manager, running operations and the tokens' RODs.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "copymgr/copy_manager.hpp"

namespace copymgr {

class AttachedVolume {
 public:
  explicit AttachedVolume(const Volume& volume) : volume_(volume) {}

  const Volume& operator*() const { return volume_; }
  const Volume* operator->() const { return &volume_; }

  // From then on no operation may begin to use it.
  void set_gone() { gone_ = true; }
  bool gone() const { return gone_; }

  void add_token(std::uint64_t identifier) {
    const std::scoped_lock lock(mutex_);
    tokens_.insert(identifier);
  }
  void remove_token(std::uint64_t identifier) {
    const std::scoped_lock lock(mutex_);
    tokens_.erase(identifier);
  }
  std::unordered_set<std::uint64_t> tokens() const {
    const std::scoped_lock lock(mutex_);
    return tokens_;
  }

 private:
  const Volume volume_;
  std::atomic<bool> gone_{false};
  mutable std::mutex mutex_;
  std::unordered_set<std::uint64_t> tokens_;
};

using AttachedVolumePtr = std::shared_ptr<AttachedVolume>;

}  // namespace copymgr
