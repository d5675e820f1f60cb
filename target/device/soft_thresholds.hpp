// The soft thresholds of a thin unit (SBC-4 4.7.3.7): watches what the unit takes of its room and
// tells, once a crossing, that a threshold was reached, and once that there is no room left.
//
// A threshold stands at a number of threshold sets. It is reached when that many are used (or no
// more are available), and can be reached again after one set less was used (or one more was
// available): a host that maps and unmaps one block at the edge raises one event.
#pragma once

#include <functional>
#include <mutex>

#include "scsi/provisioning_page.hpp"
#include "store/quota.hpp"
#include "target/device/unit_shape.hpp"

namespace device {

struct ProvisioningEvent {
  enum class Kind { used_reached, available_reached, exhausted };
  Kind kind = Kind::exhausted;
  base::ByteCount used, bound;
  bool reported = false;  // to hosts, by a unit attention (LBPERE)
};

class SoftThresholds {
 public:
  // `quota`, of the unit's store, outlives this; null: nothing is counted, nothing ever happens.
  // The thresholds start at the percentages of `shape`, to whole sets, never later than asked.
  SoftThresholds(store::Quota* quota, base::ByteCount set, const ProvisioningShape& shape);
  ~SoftThresholds();
  SoftThresholds(const SoftThresholds&) = delete;
  SoftThresholds& operator=(const SoftThresholds&) = delete;

  bool counts() const { return quota_ != nullptr; }
  store::Quota* quota() const { return quota_; }

  const scsi::ProvisioningParameters& defaults() const { return defaults_; }
  scsi::ProvisioningParameters parameters() const;
  // A threshold that is enabled while its resource is beyond it is reached now.
  void set(const scsi::ProvisioningParameters& parameters);

  // One listener; an empty one ends it: it is not called any more once this returns. It is called
  // by whoever crossed the threshold, with locks of the store held: it may write to no store.
  using Listener = std::function<void(const ProvisioningEvent& event)>;
  void listen(Listener listener);

 private:
  void changed(store::Quota::Event event);
  void tell(ProvisioningEvent::Kind kind, bool reported);
  // What of the used bytes reaches a threshold, and below what it can be reached again.
  struct Levels {
    std::uint64_t reached_at = 0, free_below = 0;
  };
  Levels levels_of_used(const scsi::Threshold& threshold) const;
  Levels levels_of_available(const scsi::Threshold& threshold, std::uint64_t bound) const;
  std::uint64_t bytes_of(std::uint64_t sets) const;
  static bool look(const scsi::Threshold& threshold, const Levels& levels, std::uint64_t used,
                   bool& reached, store::Quota::Marks& marks);

  store::Quota* const quota_;
  const std::uint64_t set_bytes_;
  const scsi::ProvisioningParameters defaults_;
  mutable std::mutex mutex_;  // the parameters, and what was reached
  scsi::ProvisioningParameters parameters_;
  bool used_reached_ = false, available_reached_ = false;
  std::mutex listener_mutex_;  // the listener, and while it runs
  Listener listener_;
};

}  // namespace device
