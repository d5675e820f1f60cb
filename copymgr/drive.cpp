// Operations from their first step to their end.
#include <utility>

#include "copymgr/state.hpp"

namespace copymgr {

OperationPtr CopyManager::State::start(const OperationKey& key, std::uint8_t service_action,
                                       Done done, const Manner& manner) {
  return start(
      std::make_shared<Operation>(key, service_action, clock.now(), std::move(done), manner));
}

OperationPtr CopyManager::State::start(OperationPtr operation) {
  operation->limits = limits_of(operation->key.volume_id);
  operation->moved.add_up_in(meters.moved);
  if (const auto fault = ledger.start(operation)) {
    ++meters.refused;
    std::exchange(operation->done, {})(base::fail(CopyFault{*fault}));
    return nullptr;
  }
  return operation;
}

void CopyManager::State::end(const OperationPtr& operation, CopyOutcome outcome,
                             std::optional<scsi::RodTokenBytes> token) {
  if (!outcome && outcome.error().kind == CopyFault::Kind::stopped_early) ++meters.stopped_early;
  // The lease first: a host that has its status may use, or miss, the token at once. What it is
  // told has gone does not come back after a restart.
  bool wait = false;
  Tokens tokens;
  if (outcome && operation->run) {
    wait = operation->run->succeeded();
    for (WantedToken& wanted : operation->run->wanted_tokens(operation->key.nexus)) {
      const std::uint16_t cscd_id = wanted.cscd_id;
      tokens.push_back({cscd_id, make_token(std::move(wanted))});
    }
  }
  operation->run.reset();
  operation->waiting = {};
  if (!wait && tokens.empty()) return tell(operation, outcome, token, {});
  table.when_kept([this, operation, outcome, tokens = std::move(tokens)](bool kept) mutable {
    if (kept || tokens.empty()) return tell(operation, outcome, std::nullopt, std::move(tokens));
    for (const scsi::CopyResult::RodCscdToken& each : tokens)
      table.cancel(scsi::identifier_of(each.token));
    tell(operation, base::fail(CopyFault{CopyFault::Kind::token_not_kept}), std::nullopt, {});
  });
}

void CopyManager::State::tell(const OperationPtr& operation, const CopyOutcome& outcome,
                              const std::optional<scsi::RodTokenBytes>& token, Tokens tokens) {
  scsi::CopyResult result = result_of(*operation, outcome);
  result.token = token;
  result.rod_cscd_tokens = std::move(tokens);
  if (result.completion_status == scsi::Status::check_condition && operation->manner.sense_of) {
    result.sense = operation->manner.sense_of(outcome.error());
  }
  Done done = std::move(operation->done);
  auto waiting = ledger.finish(operation, result);
  done(outcome);
  for (auto& stopped : waiting)
    stopped();
  ledger.conclude();
}

bool CopyManager::State::end_refused(const OperationPtr& operation, CopyFault fault) {
  ++meters.refused;
  end(operation, base::fail(fault));
  return false;
}

// From leave() on anyone may end the operation, and then the copy manager may be gone: nothing of
// it is touched here any more, and by the posted work only if it may attend.
void CopyManager::State::hand_on(const OperationPtr& operation) {
  const std::shared_ptr<BackgroundTurns> turns =
      operation->manner.in_background ? background : nullptr;
  const auto own = operation->run != nullptr ? operation->run->executor() : nullptr;
  base::Executor& executor = own != nullptr     ? *own
                             : turns != nullptr ? static_cast<base::Executor&>(*turns)
                                                : pool;
  if (!operation->leave()) return end_stopped({operation});
  executor.post([this, operation] {
    if (operation->attend()) drive(operation);
  });
}

// A pool thread is given back after a slice, so that many copies share few threads and none of them
// keeps a cold read waiting for seconds.
void CopyManager::State::drive(const OperationPtr& operation) {
  const base::Instant begun = clock.now();
  do {
    if (hold_still(operation)) return;
    if (auto outcome = advance(*operation)) return end(operation, settled(*operation, *outcome));
  } while (clock.now() - begun < settings.slice);
  hand_on(operation);
}

namespace {

// Where the guard posts the wait for the writes that are under way. Nobody attends to the operation
// until that runs; who takes it over meanwhile drops the wait, and the snapshot with it.
class WaitingPool final : public base::Executor {
 public:
  using EndStopped = std::function<void(const OperationPtr&)>;
  WaitingPool(const OperationPtr& operation, base::Executor& pool, EndStopped end_stopped)
      : operation_(operation), pool_(pool), end_stopped_(std::move(end_stopped)) {}

  void post(base::Work work) override {
    operation_->waiting = std::move(work);
    if (!operation_->leave()) return end_stopped_(operation_);
    pool_.post([operation = operation_] {
      if (operation->attend()) std::exchange(operation->waiting, {})();
    });
  }

 private:
  const OperationPtr operation_;
  base::Executor& pool_;
  const EndStopped end_stopped_;
};

}  // namespace

// The guard and the copy manager may be gone once the guard has posted: see hand_on().
void CopyManager::State::take_snapshot(const OperationPtr& operation, store::Guard& guard,
                                       std::vector<base::Extent> extents,
                                       base::UniqueFunction<void()> on_lost,
                                       store::Guard::Protected done, store::Keep keep,
                                       store::Lifetime lifetime) {
  WaitingPool waiting(operation, pool,
                      [this](const OperationPtr& stopped) { end_stopped({stopped}); });
  guard.protect(std::move(extents), waiting, std::move(on_lost), std::move(done), keep, lifetime);
}

bool CopyManager::State::hold_still(const OperationPtr& operation) {
  auto wanted = operation->run->wanted();
  if (!wanted || operation->stop != StopReason::none) return false;
  take_snapshot(
      operation, *wanted->guard, std::move(wanted->extents), std::move(wanted->on_lost),
      [this, operation](std::shared_ptr<store::Snapshot> snapshot) {
        operation->run->hold(std::move(snapshot));
        hand_on(operation);
      },
      wanted->keep, wanted->lifetime);
  return true;
}

namespace {

CopyFault stopped(const Operation& operation) {
  const base::BlockCount blocks_done(operation.blocks_done);
  switch (operation.stop.load()) {
    case StopReason::volume_gone:
      return {CopyFault::Kind::volume_gone, {}, blocks_done};
    case StopReason::source_gone:
      return operation.run->volume_lost(blocks_done);
    case StopReason::none:
    case StopReason::aborted:
      return {CopyFault::Kind::aborted, {}, blocks_done};
  }
  return {CopyFault::Kind::aborted, {}, blocks_done};
}

// Segments count as processed up to the first that is not durable.
std::optional<CopyFault> settle(Operation& operation) {
  const auto unsettled = operation.run->settle();
  if (unsettled && unsettled->segment) operation.segments_processed = unsettled->segment->segment;
  return unsettled;
}

}  // namespace

std::optional<CopyOutcome> CopyManager::State::advance(Operation& operation) {
  Run& run = *operation.run;
  base::BlockCount done(operation.blocks_done);
  if (run.done()) return CopyOutcome(done);
  if (operation.stop != StopReason::none) return CopyOutcome(base::fail(stopped(operation)));
  const bool has_budget = run.may_stop_early() && !operation.manner.in_background;
  if (has_budget && done.value != 0 && clock.now() - operation.started_at >= settings.work_budget) {
    return CopyOutcome(base::fail(CopyFault{CopyFault::Kind::stopped_early, {}, done}));
  }
  Run::Stepped stepped = run.step();
  done += stepped.blocks;
  operation.blocks_done = done.value;
  operation.bytes_done += stepped.bytes.value;
  operation.segments_processed += stepped.segment_ended ? 1 : 0;
  if (!stepped.fault) {
    ++operation.steps;
    // Here, where it may take its time: who takes the operation over finds it done.
    const auto unsettled = run.done() ? settle(operation) : std::nullopt;
    return unsettled ? std::optional(CopyOutcome(base::fail(*unsettled))) : std::nullopt;
  }
  if (run.source_lost()) return CopyOutcome(base::fail(run.volume_lost(done)));
  stepped.fault->blocks_done = done;
  return CopyOutcome(base::fail(*stepped.fault));
}

// Of what was aborted nothing is said to be good.
CopyOutcome CopyManager::State::settled(Operation& operation, CopyOutcome outcome) {
  using Kind = CopyFault::Kind;
  const bool told = outcome || (outcome.error().kind != Kind::aborted &&
                                outcome.error().kind != Kind::volume_gone);
  if (!told || operation.run == nullptr) return outcome;
  const auto unsettled = settle(operation);
  return unsettled ? CopyOutcome(base::fail(*unsettled)) : outcome;
}

void CopyManager::State::end_stopped(const std::vector<OperationPtr>& taken_over) {
  for (const OperationPtr& operation : taken_over) {
    const base::BlockCount done(operation->blocks_done);
    const bool complete = operation->run != nullptr && operation->run->done();
    const CopyOutcome outcome =
        complete ? CopyOutcome(done) : CopyOutcome(base::fail(stopped(*operation)));
    end(operation, settled(*operation, outcome));
  }
}

}  // namespace copymgr
