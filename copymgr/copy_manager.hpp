// The copy manager: makes tokens that stand for points in time of volumes, writes volumes from
// tokens and from each other, keeps the result of each operation for the host that asks. Knows
// volumes, ranges and tokens; no CDB, no PDU.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/extent.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "copymgr/copy_limits.hpp"
#include "copymgr/rod_request.hpp"
#include "copymgr/segment_plan.hpp"
#include "scsi/copy_results.hpp"
#include "scsi/rod_token.hpp"
#include "scsi/token_parameters.hpp"
#include "store/guard.hpp"
#include "tokens/token_table.hpp"

namespace copymgr {

// A logical unit as the copy manager sees it: blocks in a guarded store, and what its tokens say of
// it.
struct Volume {
  std::uint64_t id = 0;  // unique in this process
  store::Guard* guard = nullptr;
  base::BlockLength block_length;
  base::BlockCount capacity;                          // when it was attached
  std::array<std::uint8_t, 32> creator_descriptor{};  // bytes 16-47 of a token
  std::array<std::uint8_t, 32> device_specific{};     // bytes 96-127
  std::array<std::uint8_t, 128> target_descriptor{};  // bytes 128-255
  CopyLimits limits = {};                             // when it was attached; see set_limits()
};

// Who asks. Result records are looked up by the exact nexus first; with relaxed matching also by
// another nexus of the same initiator to the same target (MPIO; windows-host R19).
struct Nexus {
  std::uint64_t number = 0;  // unique for each session of this process
  std::string initiator_name;
  std::string target_name;
  // With the names: the initiator port and the target port, which outlive the session.
  std::uint64_t isid = 0;
  std::uint16_t target_port = 0;
};

struct OperationKey {
  Nexus nexus;
  std::uint64_t volume_id = 0;
  std::uint32_t list_identifier = 0;
};

// How an operation ended otherwise than well; translated to sense in target/device/copy_sense.
struct CopyFault {
  enum class Kind {
    token,                // see token_fault
    mixed_block_lengths,  // source and destination differ (R21)
    not_authorized,       // the token's source does not let this nexus use it
    source_reserved,      // against this nexus
    offset_beyond_token,  // OFFSET INTO ROD outside the token
    beyond_token,         // more blocks asked than the token has left; nothing moved
    // blocks_done (never 0) are written and good (R6, R12): the work budget is used up, or the
    // point in time was lost or detached meanwhile. Then token_fault is cancelled, and the next
    // request meets that fault itself.
    stopped_early,
    aborted,  // COPY OPERATION ABORT or the stop token
    source_read_failed,
    destination_write_failed,
    destination_full,
    destination_waits,    // the same, but room will come
    creator_unreachable,  // another member of the group made the token, and does not answer
    list_identifier_in_use,
    too_many_operations,
    token_not_kept,  // the journal could not write it down: it does not exist
    volume_gone,
    segment_failed,  // of an EXTENDED COPY, see `segment`
  };
  Kind kind = Kind::aborted;
  tokens::TokenFault token_fault = tokens::TokenFault::unknown;
  base::BlockCount blocks_done;  // contiguous from the start of the request
  std::optional<SegmentFault> segment;
  // Where the token of `token_fault` stands in the parameter list, if not in WRITE USING TOKEN's.
  std::optional<std::uint16_t> token_at = {};
};
using CopyOutcome = base::Result<base::BlockCount, CopyFault>;  // blocks represented or written

// What a token stands for, to who decides about its use.
struct TokenOrigin {
  const Nexus& made_by;
  const Volume& source;
  TokenUse use;  // that the source allows now
};
// Why the nexus that shows the token may not use it; nullopt: it may.
using TokenGate = std::function<std::optional<CopyFault>(const TokenOrigin&)>;
// How the host wants an operation run.
struct Manner {
  bool in_background = false;  // IMMED: the host has its status before the outcome
  // What a fault is told as; the record has it from the moment that it can be asked for.
  scsi::Sense (*sense_of)(const CopyFault& fault) = nullptr;
  const void* asked_by = nullptr;  // whose end stops it, for stop_asked_by()
  // The unit written by a WRITE USING TOKEN has no write cache (WCE=0): what is told to be written
  // is durable. (Of an EXTENDED COPY each segment says so of its own.)
  bool durable = false;
};

// One EXTENDED COPY: its segments in their order. One that cannot be done ends the operation there,
// after those before it.
struct ExtendedCopyRequest {
  std::uint8_t service_action = scsi::extended_copy_lid1_service_action;
  scsi::ListIdUsage list_id_usage = scsi::ListIdUsage::hold;
  Manner manner;
  std::vector<PlannedSegment> segments;
  std::vector<RodRequest> rods = {};  // those that the segments count
};

// Of all units together.
struct CopySettings {
  tokens::TokenLimits tokens;
  std::optional<tokens::TokenKey> token_key;  // nullopt: one at random
  // How many slices of background operations the pool has at a time; the others wait their turn.
  std::uint32_t background_slices_at_once = 1;
  std::uint32_t operations_max = 255;         // running at once
  std::uint32_t records_per_nexus_max = 256;  // results kept for RECEIVE ROD TOKEN INFORMATION
  base::Duration record_lifetime = std::chrono::seconds(120);
  base::Duration work_budget = std::chrono::seconds(4);  // of one WRITE USING TOKEN in foreground
  bool relaxed_nexus_matching = true;
  // One step of a copy: what is written between two looks at the stop flag and the budget. Larger
  // where a step costs little: shared blocks, and zeros.
  base::ByteCount step_bytes{8ull << 20};
  base::ByteCount cheap_step_bytes{64ull << 20};
  base::Duration slice = std::chrono::milliseconds(20);  // then the pool thread is given back
};

// Why bytes went the longer way.
enum class ShortCutObstacle : std::uint8_t {
  not_aligned,         // to 4096 bytes, below which no file system shares blocks
  not_files,           // one of the stores is none
  other_file_system,   // source and destination are on two
  file_system_cannot,  // or the device
  failed,              // it could in general, and did not this time
};
inline constexpr std::size_t short_cut_obstacles = 5;
using ObstacleCounts = std::array<std::uint64_t, short_cut_obstacles>;

// What moved how; bytes.
struct MovedBytes {
  std::uint64_t bytes_cloned = 0, bytes_copied_in_kernel = 0, bytes_copied = 0, bytes_zeroed = 0;
  std::uint64_t bytes_pulled = 0;  // from other members of the group
  // Of what was copied instead: why its blocks could not be shared, and of what was copied by hand,
  // why the kernel could not.
  ObstacleCounts not_cloned{}, not_copied_in_kernel{};

  bool operator==(const MovedBytes&) const = default;
};

// Of all operations together, since start.
struct CopyCounters : MovedBytes {
  std::uint64_t populate_token = 0, write_using_token = 0, extended_copy = 0;
  std::uint64_t refused = 0, stopped_early = 0;
  std::uint64_t bytes_requested = 0;
};

struct TokenFacts;
struct OperationFacts;
class Peers;
class ServedToken;

class CopyManager {
 public:
  // `pool` runs what blocks (moving data). All references outlive the copy manager, which finishes
  // running operations (stopping them) in its destructor. Without a journal (null) tokens end with
  // the process.
  CopyManager(const base::Clock& clock, base::Randomness& randomness, base::Executor& pool,
              CopySettings settings, tokens::TokenJournal* journal = nullptr);
  ~CopyManager();

  // Once, when every volume is attached and nothing has been done with it yet: tokens of an earlier
  // process live on if what they stand for can still be had, else they are cancelled.
  void restore_tokens();
  // The process is about to end, and nobody starts operations any more: those that run are stopped,
  // and tokens live on in the next one, whatever becomes of this object and its volumes.
  void leave_to_next_process();

  const base::Clock& clock() const;

  void attach(const Volume& volume);
  // Tokens of the volume become cancelled; running operations on it are stopped and waited for.
  void detach(std::uint64_t volume_id);

  // The volume has another capacity; tokens made from now on say so, those made before keep what
  // they say (wire reference 9.7). Its guard has lost the points in time of what was cut off, which
  // cancels their tokens.
  void resized(const Volume& volume);
  // What starts from now on is held to these limits, and so are uses of the volume's tokens. What
  // has started goes on under those with which it did.
  void set_limits(std::uint64_t volume_id, const CopyLimits& limits);
  // The medium of the volume is out: operations that use it are aborted and waited for (so never
  // call it from within one), its tokens become cancelled; records stay. Nobody starts operations
  // on it any more.
  void medium_removed(std::uint64_t volume_id);

  // Once, before the first command: the members of its group, which outlive the copy manager.
  void meet(Peers& peers);
  bool in_group() const;
  // This array is in this group now, or in none; its peers know it already. What is open to members
  // of the group before ends.
  void group_changed();
  // The member of the group that made a token, by its name here or its designator; nullopt: none.
  std::optional<std::string> member_that_made(const scsi::RodTokenBytes& token) const;
  // Tokens that other members have open now.
  std::size_t tokens_served() const;
  // Another member opens a token of this array (served_token.hpp). `proven` says whether it knows
  // the bytes; of a token of which it does not, nothing is told. `done` runs once, inside the call
  // or on the pool.
  using TokenServed =
      base::UniqueFunction<void(base::Result<std::shared_ptr<ServedToken>, tokens::TokenFault>)>;
  void serve_token(std::uint64_t identifier,
                   const std::function<bool(const scsi::RodTokenBytes&)>& proven, TokenServed done);

  // The service action of the operation that runs under this key. 05/00/16 comes before the
  // parameter checks: a host asks this first.
  std::optional<std::uint8_t> running(const OperationKey& key) const;

  // `done` runs once: inside the call, on the pool or on the journal's thread. With a token the
  // record under `key` holds it. Zero blocks asked: success, no token (wire reference 2.2 row 16).
  // The three that start an operation return false when it was refused, which `done` was told
  // inside the call.
  using Done = base::UniqueFunction<void(CopyOutcome)>;
  bool populate_token(const OperationKey& key, const scsi::PopulateToken& request, Done done,
                      const Manner& manner = {});

  // Checks everything that can be known before the first block moves, moves on the pool. `gate` is
  // asked inside the call, once, about a token whose bytes are right; an empty one lets all pass.
  bool write_using_token(const OperationKey& key, const scsi::WriteUsingToken& request, Done done,
                         const TokenGate& gate = {}, const Manner& manner = {});

  // The ROD behind a token that an EXTENDED COPY brings to this volume. What write_using_token()
  // would refuse a token for is refused here; the token is in use as long as what is returned is.
  base::Result<TokenRod, CopyFault> use_token(std::uint64_t volume_id,
                                              const scsi::RodTokenBytes& token,
                                              const TokenGate& gate = {});

  // Each segment copies what its source holds when its turn comes: blocks that it writes of its own
  // source are read as they were before, and those of a segment before it as that one left them.
  // An operation without a list identifier (ListIdUsage::none) has no record; the identifier of
  // `key` then means nothing.
  // The tokens that its RODs ask for are in the record of a good end only.
  bool extended_copy(const OperationKey& key, ExtendedCopyRequest request, Done done);

  // Keeps a record for a command that was refused after its list identifier was read (R8), or
  // completes the record of an operation with the sense its fault became.
  void record_refusal(const OperationKey& key, std::uint8_t service_action,
                      const scsi::Sense& sense);
  void attach_sense(const OperationKey& key, const scsi::Sense& sense);

  // The record of an operation, running or finished; nullopt when unknown (05/24/00). `release`:
  // the host has taken everything (all of the token descriptors, or ALLOCATION LENGTH 0), drop a
  // finished record.
  std::optional<scsi::CopyResult> report(const OperationKey& key) const;
  void release(const OperationKey& key);

  // The living tokens that this initiator made through this target, in any session.
  std::vector<scsi::RodTokenBytes> tokens_of(const Nexus& nexus) const;

  // COPY OPERATION ABORT. False when the identifier is unknown; `done` runs when transfers have
  // stopped.
  bool abort(const OperationKey& key, base::UniqueFunction<void()> done);
  // What a task asked for stops as by COPY OPERATION ABORT; a list identifier is not needed for it.
  void stop_asked_by(const void* asked_by);
  // The same of all that such a nexus has running on a unit (PREEMPT AND ABORT), wherever it was
  // sent: a command to another unit may write this one; and although its session may be over.
  // `done` runs once, inside the call or on any thread, when transfers have stopped.
  using Whose = std::function<bool(const Nexus& nexus)>;
  void stop_uses(std::uint64_t volume_id, const Whose& whose, base::UniqueFunction<void()> done);
  // I_T nexus loss: operations continue, their records become unreadable. Logical unit reset:
  // operations are aborted and records dropped; returns when transfers have stopped, at most one
  // step later (so never call it from within one). Tokens survive both.
  void nexus_lost(std::uint64_t nexus_number);
  void volume_reset(std::uint64_t volume_id);

  // Expires tokens and old records; the daemon calls it every second.
  void expire();

  // For an administrator (inspection.hpp), who sees all of every nexus. Copied out a few at a time,
  // so hosts do not wait for it. The oldest first.
  std::vector<TokenFacts> tokens(bool dead_too) const;
  std::vector<OperationFacts> operations() const;
  // COPY OPERATION ABORT of one that runs, also of one without a list identifier. False when none
  // does; else `done` runs when transfers have stopped.
  bool abort_numbered(std::uint64_t number, base::UniqueFunction<void()> done);

  CopyCounters counters() const;
  tokens::TokenCounters token_counters() const;
  tokens::TokenTable& token_table();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace copymgr
