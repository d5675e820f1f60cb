#include "target/device/soft_thresholds.hpp"

#include <algorithm>
#include <limits>

namespace device {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

std::uint32_t count_of(std::uint64_t sets) {
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(sets, 1, std::numeric_limits<std::uint32_t>::max()));
}

scsi::ProvisioningParameters starting_at(const store::Quota* quota, std::uint64_t set_bytes,
                                         const ProvisioningShape& shape) {
  if (quota == nullptr) return {};
  const std::uint64_t sets = quota->bound().value / set_bytes;
  // In this order no product overflows; what is rounded away is less than a set.
  const auto share = [sets](std::uint64_t percent) {
    return sets / 100 * percent + sets % 100 * percent / 100;
  };
  scsi::ProvisioningParameters out;
  out.error_reporting = true;
  if (const std::uint64_t percent = shape.used_threshold_percent; percent != 0) {
    out.used = {true, count_of(share(percent))};
  }
  if (const std::uint64_t percent = shape.available_threshold_percent; percent != 0) {
    out.available = {true, count_of(sets - share(100 - percent))};
  }
  return out;
}

}  // namespace

SoftThresholds::SoftThresholds(store::Quota* quota, base::ByteCount set,
                               const ProvisioningShape& shape)
    : quota_(quota),
      set_bytes_(set.value),
      defaults_(starting_at(quota, set.value, shape)),
      parameters_(defaults_) {
  if (quota_ == nullptr) return;
  quota_->watch([this](store::Quota::Event event) { changed(event); });
  changed(store::Quota::Event::mark_passed);
}

SoftThresholds::~SoftThresholds() {
  if (quota_ != nullptr) quota_->watch({});
}

scsi::ProvisioningParameters SoftThresholds::parameters() const {
  const std::scoped_lock lock(mutex_);
  return parameters_;
}

void SoftThresholds::set(const scsi::ProvisioningParameters& parameters) {
  if (quota_ == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    parameters_ = parameters;
  }
  changed(store::Quota::Event::mark_passed);
}

void SoftThresholds::listen(Listener listener) {
  const std::scoped_lock lock(listener_mutex_);
  listener_ = std::move(listener);
}

std::uint64_t SoftThresholds::bytes_of(std::uint64_t sets) const {
  return sets > never / set_bytes_ ? never : sets * set_bytes_;
}

SoftThresholds::Levels SoftThresholds::levels_of_used(const scsi::Threshold& threshold) const {
  if (threshold.count == 0) return {0, 0};
  return {bytes_of(threshold.count), bytes_of(threshold.count - 1) + 1};
}

SoftThresholds::Levels SoftThresholds::levels_of_available(const scsi::Threshold& threshold,
                                                           std::uint64_t bound) const {
  const std::uint64_t left = bytes_of(threshold.count);
  const std::uint64_t one_more = bytes_of(std::uint64_t{threshold.count} + 1);
  return {left < bound ? bound - left : 0, one_more <= bound ? bound - one_more + 1 : 0};
}

// True when it is reached now and was not before.
bool SoftThresholds::look(const scsi::Threshold& threshold, const Levels& levels,
                          std::uint64_t used, bool& reached, store::Quota::Marks& marks) {
  const bool before = reached;
  reached = threshold.enabled && used >= (before ? levels.free_below : levels.reached_at);
  if (reached) {
    marks.below = std::max(marks.below, levels.free_below);
  } else if (threshold.enabled) {
    marks.at_least = std::min(marks.at_least, levels.reached_at);
  }
  return reached && !before;
}

void SoftThresholds::changed(store::Quota::Event event) {
  using Kind = ProvisioningEvent::Kind;
  bool used_now = false, available_now = false, reported = false;
  {
    const std::scoped_lock lock(mutex_);
    reported = parameters_.error_reporting;
    std::uint64_t used = 0;
    // Until the marks are set for what is there: a change meanwhile may have missed them.
    do {
      used = quota_->used().value;
      store::Quota::Marks marks;
      used_now |=
          look(parameters_.used, levels_of_used(parameters_.used), used, used_reached_, marks);
      available_now |= look(parameters_.available,
                            levels_of_available(parameters_.available, quota_->bound().value), used,
                            available_reached_, marks);
      quota_->set_marks(marks);
    } while (quota_->used().value != used);
  }
  if (used_now) tell(Kind::used_reached, reported);
  if (available_now) tell(Kind::available_reached, reported);
  if (event == store::Quota::Event::exhausted) tell(Kind::exhausted, false);
}

void SoftThresholds::tell(ProvisioningEvent::Kind kind, bool reported) {
  const std::scoped_lock lock(listener_mutex_);
  if (listener_) listener_({kind, quota_->used(), quota_->bound(), reported});
}

}  // namespace device
