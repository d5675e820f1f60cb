// Operations from their first step to their end.
#include <utility>

#include "copymgr/state.hpp"

namespace copymgr {

OperationPtr CopyManager::State::start(const OperationKey& key, std::uint8_t service_action,
                                       Done done) {
  auto operation = std::make_shared<Operation>(key, service_action, clock.now(), std::move(done));
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
  // The lease first: a host that has its status may use, or miss, the token at once.
  if (outcome && operation->run) operation->run->succeeded();
  operation->run.reset();
  scsi::CopyResult result = result_of(*operation, outcome);
  result.token = token;
  Done done = std::move(operation->done);
  auto waiting = ledger.finish(operation, result);
  done(outcome);
  for (auto& stopped : waiting)
    stopped();
  ledger.conclude();
}

void CopyManager::State::end_refused(const OperationPtr& operation, CopyFault fault) {
  ++meters.refused;
  end(operation, base::fail(fault));
}

// From leave() on anyone may end the operation, and then the copy manager may be gone: nothing of
// it is touched here any more, and by the posted work only if it may attend.
void CopyManager::State::hand_on(const OperationPtr& operation) {
  base::Executor& executor = pool;
  operation->leave();
  executor.post([this, operation] {
    if (operation->attend()) drive(operation);
  });
}

// A pool thread is given back after a slice, so that many copies share few threads and none of them
// keeps a cold read waiting for seconds.
void CopyManager::State::drive(const OperationPtr& operation) {
  const base::Instant begun = clock.now();
  do {
    if (auto outcome = advance(*operation)) return end(operation, *outcome);
  } while (clock.now() - begun < settings.slice);
  hand_on(operation);
}

namespace {

// A prefix that is written and good is told as such (R6): the next request meets the reason itself.
CopyFault source_ended(base::BlockCount blocks_done) {
  if (blocks_done.value != 0) {
    return {CopyFault::Kind::stopped_early, tokens::TokenFault::cancelled, blocks_done};
  }
  return {CopyFault::Kind::token, tokens::TokenFault::cancelled, blocks_done};
}

CopyFault stopped(StopReason reason, base::BlockCount blocks_done) {
  switch (reason) {
    case StopReason::volume_gone:
      return {CopyFault::Kind::volume_gone, {}, blocks_done};
    case StopReason::source_gone:
      return source_ended(blocks_done);
    case StopReason::none:
    case StopReason::aborted:
      return {CopyFault::Kind::aborted, {}, blocks_done};
  }
  return {CopyFault::Kind::aborted, {}, blocks_done};
}

}  // namespace

std::optional<CopyOutcome> CopyManager::State::advance(Operation& operation) {
  WriteRun& run = *operation.run;
  base::BlockCount done(operation.blocks_done);
  if (run.done()) return CopyOutcome(done);
  if (const StopReason reason = operation.stop; reason != StopReason::none) {
    return CopyOutcome(base::fail(stopped(reason, done)));
  }
  if (done.value != 0 && clock.now() - operation.started_at >= settings.work_budget) {
    return CopyOutcome(base::fail(CopyFault{CopyFault::Kind::stopped_early, {}, done}));
  }
  const WriteRun::Stepped stepped = run.step();
  done += stepped.blocks;
  operation.blocks_done = done.value;
  if (!stepped.fault) {
    ++operation.steps;
    return std::nullopt;
  }
  if (run.source_lost()) return CopyOutcome(base::fail(source_ended(done)));
  return CopyOutcome(base::fail(CopyFault{*stepped.fault, {}, done}));
}

void CopyManager::State::end_stopped(const std::vector<OperationPtr>& taken_over) {
  for (const OperationPtr& operation : taken_over) {
    const base::BlockCount done(operation->blocks_done);
    const bool complete = operation->run->done();
    end(operation,
        complete ? CopyOutcome(done) : CopyOutcome(base::fail(stopped(operation->stop, done))));
  }
}

}  // namespace copymgr
