// The ledger of operations: which run, how they ended, who must be told when they stop. One mutex,
// taken once or twice a command and never while data moves. It never calls back: what must run is
// returned.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "copymgr/inspection.hpp"
#include "copymgr/record_index.hpp"

namespace copymgr {

class Ledger {
 public:
  Ledger(const base::Clock& clock, const CopySettings& settings)
      : clock_(clock),
        settings_(settings),
        records_(settings.records_per_nexus_max, settings.record_lifetime) {}

  using Callbacks = std::vector<base::UniqueFunction<void()>>;
  using Operations = std::vector<OperationPtr>;

  // The operation runs, and the record that its key named before is gone; or why it may not run.
  // Refused for want of room, it keeps a record; as a duplicate it leaves the running one alone.
  std::optional<CopyFault::Kind> start(const OperationPtr& operation);
  void set_other_volumes(const OperationPtr& operation, std::vector<std::uint64_t> volume_ids);
  // Transfers have stopped: the result can be asked for, the key can be used again. Returns who
  // waits.
  Callbacks finish(const OperationPtr& operation, const scsi::CopyResult& result);
  // Everyone has been told.
  void conclude();

  // Its service action; nullopt when none runs under the key.
  std::optional<std::uint8_t> running(const OperationKey& key) const;
  std::optional<scsi::CopyResult> report(const OperationKey& key) const;
  void release(const OperationKey& key);
  void record_refusal(const OperationKey& key, std::uint8_t service_action,
                      const scsi::Sense& sense, const CopyLimits& limits = {});
  void attach_sense(const OperationKey& key, const scsi::Sense& sense);

  // Asked to stop, those that somebody attends to stop by themselves; the others are taken over,
  // and the caller finishes them.
  struct Aborting {
    bool known = false;
    base::UniqueFunction<void()> stopped_already;  // call it: `done` of an operation that had ended
    OperationPtr taken_over;
  };
  Aborting abort(const OperationKey& key, base::UniqueFunction<void()> done);
  // Records of the volume go; operations sent to it stop for `reason`. With `others_too`, those
  // that were sent elsewhere and use it stop as well.
  Operations stop_volume(std::uint64_t volume_id, StopReason reason, bool others_too);
  Operations stop_those(const std::function<bool(const Operation&)>& concerned);
  // What such a nexus has running on the volume, wherever it was sent. `waiting` is asked for each
  // of them for what is to run when its transfers have stopped.
  using Waiting = std::function<base::UniqueFunction<void()>()>;
  Operations stop_uses(std::uint64_t volume_id, const CopyManager::Whose& whose,
                       const Waiting& waiting);
  // For those that were asked to stop. One that started since waits for the pool, perhaps for the
  // very thread that is here; it finds the volume gone, or is none of a reset's business.
  void wait_until_stopped(std::uint64_t volume_id, bool others_too);
  void wait_until_concluded();

  // For an administrator: those that run, and some of those that have ended, from `finish_number`
  // on, which becomes where to go on. Empty: there are no more of them.
  std::vector<OperationFacts> look_at_running() const;
  std::vector<OperationFacts> look_at_finished(std::uint64_t& finish_number) const;
  // As abort(), of one that runs.
  Aborting abort(std::uint64_t number, base::UniqueFunction<void()> done);

  void nexus_lost(std::uint64_t nexus_number);
  void expire();

 private:
  OperationPtr find(const OperationKey& key) const;
  bool has_room_for(const Operation& operation) const;
  static void stop(const OperationPtr& operation, StopReason reason, Operations& taken_over);

  const base::Clock& clock_;
  const CopySettings& settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  RecordIndex records_;
  std::unordered_set<OperationPtr> running_;
  struct Load {
    std::uint32_t all = 0, identified = 0;
  };
  std::unordered_map<std::uint64_t, Load> load_;  // of the units that operations were sent to
  std::size_t not_concluded_ = 0;
  std::uint64_t last_number_ = 0;
};

// ESTIMATED STATUS UPDATE DELAY while an operation runs: when it ends if it goes on as it went;
// "none" while nothing is known.
std::uint32_t estimated_delay_ms(base::Duration elapsed, std::uint64_t done, std::uint64_t all);
// What a report of one that runs says.
scsi::CopyResult running_result(const Operation& operation, base::Instant now);
// What a report of an operation that ended so says (wire reference 4.2, 4.3). Sense comes later,
// from who knows it.
scsi::CopyResult result_of(const Operation& operation, const CopyOutcome& outcome);
// Of an EXTENDED COPY, running or not: what its report says instead of blocks.
void add_segments(const Operation& operation, scsi::CopyResult& result);

}  // namespace copymgr
