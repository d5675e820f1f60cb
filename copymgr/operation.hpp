// One POPULATE TOKEN, WRITE USING TOKEN or EXTENDED COPY, running or finished: its progress, its
// result, and who attends to it. At any time at most one thread attends to a running operation;
// while its next work is queued on the pool nobody does, and then whoever wants it stopped takes it
// over instead of waiting for the pool: he may be the pool's only thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "copymgr/meters.hpp"
#include "copymgr/run.hpp"

namespace copymgr {

enum class StopReason : std::uint8_t { none, aborted, volume_gone, source_gone };

inline constexpr std::uint8_t populate_token_service_action = 0x10;
inline constexpr std::uint8_t write_using_token_service_action = 0x11;

struct Operation {
  Operation(OperationKey key_used, std::uint8_t action, base::Instant now,
            CopyManager::Done done_used, const Manner& manner_used = {})
      : key(std::move(key_used)),
        service_action(action),
        started_at(now),
        manner(manner_used),
        done(std::move(done_used)) {}

  // True for exactly one caller after each leave().
  bool attend() { return unattended.exchange(false); }
  // False when it was asked to stop before: the caller attends to it still, and ends it, since who
  // asked waits.
  [[nodiscard]] bool leave() {
    unattended = true;
    return stop == StopReason::none || !attend();
  }

  const OperationKey key;
  const std::uint8_t service_action;
  const base::Instant started_at;
  const Manner manner;

  std::atomic<std::uint64_t> blocks_done{0};  // contiguous from the start of the request
  std::atomic<std::uint64_t> bytes_done{0};   // of an EXTENDED COPY, all segments together
  std::atomic<std::uint64_t> all_of_it{0};    // of what is counted above; 0: not known
  std::atomic<std::uint64_t> bytes_asked{0};  // 0: not known yet
  MoveMeter moved;                            // adds up in the array's
  std::atomic<std::uint16_t> segments_processed{0};
  std::atomic<std::uint16_t> steps{0};
  std::atomic<StopReason> stop{StopReason::none};
  std::atomic<bool> unattended{false};

  // Touched only by who attends.
  CopyManager::Done done;
  std::unique_ptr<Run> run;
  base::UniqueFunction<void()> waiting;  // for writes under way; it holds what they must not change

  // Set before the start.
  CopyLimits limits;           // of the unit that it was sent to
  bool identified = true;      // false: it has no list identifier, so nobody can ask
  bool kept_when_good = true;  // its record

  // Guarded by the ledger's mutex.
  // Units that it uses besides that of its key: the source of a WRITE USING TOKEN once the token is
  // known, all of an EXTENDED COPY.
  std::vector<std::uint64_t> other_volume_ids;
  std::uint64_t number = 0;  // unique in this process: what an administrator calls it by
  bool running = true;
  bool kept = false;  // in the index of records
  base::Instant finished_at;
  std::uint64_t finish_number = 0;
  scsi::CopyResult result;
  std::vector<base::UniqueFunction<void()>> at_stop;
};

using OperationPtr = std::shared_ptr<Operation>;

}  // namespace copymgr
