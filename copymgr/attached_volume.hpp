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
  explicit AttachedVolume(const Volume& volume)
      : volume_(volume),
        alignment_bytes_(volume.guard == nullptr ? 1 : volume.guard->alignment_bytes()),
        device_specific_(volume.device_specific),
        limits_(volume.limits) {}

  const Volume& operator*() const { return volume_; }
  const Volume* operator->() const { return &volume_; }

  // Of its store; for those too that have not named it, and so may not ask its guard: it may go.
  std::uint32_t alignment_bytes() const { return alignment_bytes_; }

  // From then on no operation may begin to use it.
  void set_gone() { gone_ = true; }
  bool gone() const { return gone_; }

  // Bytes 96-127 of new tokens: they change with the capacity.
  std::array<std::uint8_t, 32> device_specific() const {
    const std::scoped_lock lock(mutex_);
    return device_specific_;
  }
  void set_device_specific(const std::array<std::uint8_t, 32>& bytes) {
    const std::scoped_lock lock(mutex_);
    device_specific_ = bytes;
  }

  // As they are now.
  CopyLimits limits() const {
    const std::scoped_lock lock(mutex_);
    return limits_;
  }
  void set_limits(const CopyLimits& limits) {
    const std::scoped_lock lock(mutex_);
    limits_ = limits;
  }

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
  const std::uint32_t alignment_bytes_;
  std::atomic<bool> gone_{false};
  mutable std::mutex mutex_;
  std::array<std::uint8_t, 32> device_specific_;
  CopyLimits limits_;
  std::unordered_set<std::uint64_t> tokens_;
};

using AttachedVolumePtr = std::shared_ptr<AttachedVolume>;

}  // namespace copymgr
