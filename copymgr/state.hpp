// The inside of the copy manager. Members that a host waits for check everything first
// (populate.cpp, write.cpp); drive.cpp moves data on the pool and ends operations.
#pragma once

#include <unordered_map>

#include "copymgr/attached_volume.hpp"
#include "copymgr/background_turns.hpp"
#include "copymgr/ledger.hpp"
#include "copymgr/loss_link.hpp"
#include "copymgr/meters.hpp"
#include "copymgr/peers.hpp"
#include "copymgr/served_token.hpp"

namespace copymgr {

struct CopyManager::State {
  State(const base::Clock& clock_used, base::Randomness& randomness, base::Executor& pool_used,
        CopySettings settings_used, tokens::TokenJournal* journal_used)
      : clock(clock_used),
        pool(pool_used),
        settings(settings_used),
        journal(journal_used),
        table(clock_used, randomness, settings_used.tokens, settings_used.token_key, journal_used),
        ledger(clock_used, settings),
        background(std::make_shared<BackgroundTurns>(pool_used,
                                                     settings_used.background_slices_at_once)) {}

  AttachedVolumePtr find_volume(std::uint64_t id) const;
  // Of a volume that is not there: the defaults.
  CopyLimits limits_of(std::uint64_t volume_id) const;
  std::vector<AttachedVolumePtr> all_volumes() const;
  // Of a token of the volume that an earlier process left; nullptr when it cannot be had any more
  // (restore.cpp).
  std::shared_ptr<tokens::Rod> restore_rod(const tokens::KeptToken& token,
                                           const AttachedVolumePtr& volume);

  // Nullptr when the operation may not run; `done` has been told why.
  OperationPtr start(const OperationKey& key, std::uint8_t service_action, Done done,
                     const Manner& manner);
  OperationPtr start(OperationPtr operation);
  // The end of every operation that has started: the lease ends, the record is complete, then
  // everybody is told. By who attends to it.
  void end(const OperationPtr& operation, CopyOutcome outcome,
           std::optional<scsi::RodTokenBytes> token = std::nullopt);
  using Tokens = std::vector<scsi::CopyResult::RodCscdToken>;  // of an EXTENDED COPY
  void tell(const OperationPtr& operation, const CopyOutcome& outcome,
            const std::optional<scsi::RodTokenBytes>& token, Tokens tokens);
  // False, for who must return that.
  bool end_refused(const OperationPtr& operation, CopyFault fault);

  // Guard::protect() for an operation that can be stopped while it waits; then `done` never runs.
  void take_snapshot(const OperationPtr& operation, store::Guard& guard,
                     std::vector<base::Extent> extents, base::UniqueFunction<void()> on_lost,
                     store::Guard::Protected done, store::Keep keep = store::Keep::copies,
                     store::Lifetime lifetime = store::Lifetime::process);
  void protect(const OperationPtr& operation, const AttachedVolumePtr& volume,
               const scsi::PopulateToken& request);
  void issue_token(const OperationPtr& operation, const AttachedVolumePtr& volume,
                   const scsi::PopulateToken& request, scsi::RodType type,
                   const std::shared_ptr<LossLink>& link,
                   std::shared_ptr<store::Snapshot> snapshot);
  void token_kept(const OperationPtr& operation, base::BlockCount blocks,
                  const scsi::RodTokenBytes& token, bool kept);

  // The token lives from now on.
  scsi::RodTokenBytes make_token(WantedToken wanted);
  // Of a token that a command brings to this volume, and that may be used. Its ROD is a VolumeRod.
  // `limits`: of the volume, when the command was accepted.
  base::Result<tokens::Lease, CopyFault> lease_for(const scsi::RodTokenBytes& token,
                                                   const Volume& receiving,
                                                   const CopyLimits& limits, const TokenGate& gate);

  base::Result<std::unique_ptr<Run>, CopyFault> prepare(const OperationPtr& operation,
                                                        const scsi::WriteUsingToken& request,
                                                        const TokenGate& gate);
  base::Result<std::unique_ptr<Run>, CopyFault> prepare_copy(const OperationPtr& operation,
                                                             const Volume& destination,
                                                             const scsi::WriteUsingToken& request,
                                                             const TokenGate& gate);

  // Of a token of another member of the group; nullptr: it is none, or the unit takes none.
  base::Result<std::unique_ptr<Run>, CopyFault> prepare_pull(const OperationPtr& operation,
                                                             const Volume& destination,
                                                             const scsi::WriteUsingToken& request);
  std::unique_ptr<Run> prepare(const OperationPtr& operation, ExtendedCopyRequest request);

  // To the pool, for the next slice of work; of a background operation when it is its turn.
  void hand_on(const OperationPtr& operation);
  void drive(const OperationPtr& operation);
  // True when the next step waits for a point in time; then the operation goes on by itself.
  bool hold_still(const OperationPtr& operation);
  // One step, or how the operation ends.
  std::optional<CopyOutcome> advance(Operation& operation);
  // The outcome, once what it tells to be written is as durable as the unit's own writes.
  static CopyOutcome settled(Operation& operation, CopyOutcome outcome);
  void end_stopped(const std::vector<OperationPtr>& taken_over);

  const base::Clock& clock;
  base::Executor& pool;
  const CopySettings settings;
  tokens::TokenJournal* const journal;  // null: tokens end with the process
  Meters meters;
  tokens::TokenTable table;
  const std::shared_ptr<TableDoor> door = std::make_shared<TableDoor>(table);
  Ledger ledger;
  const std::shared_ptr<BackgroundTurns> background;
  Peers* peers = nullptr;  // set once; null: never in a group
  ServedTokens served;

  mutable std::mutex volumes_mutex;
  std::unordered_map<std::uint64_t, AttachedVolumePtr> volumes;
};

}  // namespace copymgr
