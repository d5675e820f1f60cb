// The ledger's members: each is one look at, or one change of, the operations and their records
// under the mutex.
#include "copymgr/ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "copymgr/names.hpp"

namespace copymgr {
namespace {

bool uses(const Operation& operation, std::uint64_t volume_id) {
  const auto& ids = operation.other_volume_ids;
  return std::find(ids.begin(), ids.end(), volume_id) != ids.end();
}

void note_end(const Operation& operation, const scsi::CopyResult& result) {
  if (!base::log::wanted(base::log::Level::debug)) return;
  const std::string command = command_of(operation.service_action);
  const Nexus& nexus = operation.key.nexus;
  const std::string list =
      operation.identified ? fmt::format("{:#010x}", operation.key.list_identifier) : "none";
  const MovedBytes moved = operation.moved.reading();
  const std::string how = to_text(moved);
  const std::string not_cloned = reasons_in(moved.not_cloned);
  const std::string not_in_kernel = reasons_in(moved.not_copied_in_kernel);
  base::log::event(
      base::log::Level::debug, "copy.ended",
      {{"operation", operation.number},
       {"command", command},
       {"list_identifier", list},
       {"initiator", nexus.initiator_name},
       {"target", nexus.target_name},
       {"unit", operation.key.volume_id},
       {"bytes_asked", operation.bytes_asked.load()},
       {"bytes_cloned", moved.bytes_cloned},
       {"bytes_copied_in_kernel", moved.bytes_copied_in_kernel},
       {"bytes_copied", moved.bytes_copied},
       {"bytes_zeroed", moved.bytes_zeroed},
       {"bytes_pulled", moved.bytes_pulled},
       {"not_cloned_because", not_cloned},
       {"not_copied_in_kernel_because", not_in_kernel},
       {"state", word_of(result.status)}},
      fmt::format("{} {} of {}, list {}: {}{}{}", command, operation.number, nexus.initiator_name,
                  list, word_of(result.status), how.empty() ? "" : "; ", how));
}

}  // namespace

scsi::CopyResult running_result(const Operation& operation, base::Instant now) {
  scsi::CopyResult result;
  result.response_to_service_action = operation.service_action;
  result.status = operation.manner.in_background
                      ? scsi::CopyOperationStatus::in_progress_background
                      : scsi::CopyOperationStatus::in_progress_foreground;
  result.operation_counter = operation.steps;
  const std::uint64_t done =
      operation.bytes_done != 0 ? operation.bytes_done : operation.blocks_done;
  result.estimated_status_update_delay_ms =
      estimated_delay_ms(now - operation.started_at, done, operation.all_of_it);
  result.transfer_count_blocks = operation.blocks_done;
  add_segments(operation, result);
  return result;
}

bool Ledger::has_room_for(const Operation& operation) const {
  if (running_.size() >= settings_.operations_max) return false;
  const auto found = load_.find(operation.key.volume_id);
  const Load load = found == load_.end() ? Load() : found->second;
  const CopyLimits& limits = operation.limits;
  return load.all < limits.total_concurrent_copies &&
         (!operation.identified || load.identified < limits.maximum_identified_concurrent_copies);
}

std::optional<CopyFault::Kind> Ledger::start(const OperationPtr& operation) {
  const std::scoped_lock lock(mutex_);
  const base::Instant now = clock_.now();
  operation->number = ++last_number_;
  if (operation->identified) {
    const OperationPtr before = records_.find(operation->key, now);
    if (before != nullptr && before->running) return CopyFault::Kind::list_identifier_in_use;
    records_.insert(operation);
  }
  if (!has_room_for(*operation)) {
    const CopyFault fault{CopyFault::Kind::too_many_operations};
    operation->result = result_of(*operation, base::fail(fault));
    operation->running = false;
    if (operation->kept) records_.finished(operation, now);
    return fault.kind;
  }
  running_.insert(operation);
  Load& load = load_[operation->key.volume_id];
  ++load.all;
  load.identified += operation->identified ? 1 : 0;
  ++not_concluded_;
  return std::nullopt;
}

void Ledger::set_other_volumes(const OperationPtr& operation,
                               std::vector<std::uint64_t> volume_ids) {
  const std::scoped_lock lock(mutex_);
  operation->other_volume_ids = std::move(volume_ids);
}

Ledger::Callbacks Ledger::finish(const OperationPtr& operation, const scsi::CopyResult& result) {
  note_end(*operation, result);
  const std::scoped_lock lock(mutex_);
  operation->result = result;
  operation->running = false;
  running_.erase(operation);
  const auto load = load_.find(operation->key.volume_id);
  load->second.identified -= operation->identified ? 1 : 0;
  if (--load->second.all == 0) load_.erase(load);
  const bool unwanted = !operation->kept_when_good && !result.has_tokens() &&
                        result.status == scsi::CopyOperationStatus::completed;
  if (operation->kept) records_.finished(operation, clock_.now());
  if (unwanted) records_.erase(operation);
  changed_.notify_all();
  return std::move(operation->at_stop);
}

// Notifies under the lock: who waits may destroy the ledger as soon as it can take it.
void Ledger::conclude() {
  const std::scoped_lock lock(mutex_);
  --not_concluded_;
  changed_.notify_all();
}

std::optional<std::uint8_t> Ledger::running(const OperationKey& key) const {
  const std::scoped_lock lock(mutex_);
  const OperationPtr operation = records_.find(key, clock_.now());
  if (operation == nullptr || !operation->running) return std::nullopt;
  return operation->service_action;
}

OperationPtr Ledger::find(const OperationKey& key) const {
  const base::Instant now = clock_.now();
  OperationPtr operation = records_.find(key, now);
  if (operation == nullptr && settings_.relaxed_nexus_matching) {
    operation = records_.find_by_names(key, now);
  }
  return operation;
}

std::optional<scsi::CopyResult> Ledger::report(const OperationKey& key) const {
  const std::scoped_lock lock(mutex_);
  const OperationPtr operation = find(key);
  if (operation == nullptr) return std::nullopt;
  return operation->running ? running_result(*operation, clock_.now()) : operation->result;
}

void Ledger::release(const OperationKey& key) {
  const std::scoped_lock lock(mutex_);
  const OperationPtr operation = find(key);
  if (operation != nullptr && !operation->running) records_.erase(operation);
}

void Ledger::record_refusal(const OperationKey& key, std::uint8_t service_action,
                            const scsi::Sense& sense, const CopyLimits& limits) {
  const std::scoped_lock lock(mutex_);
  const base::Instant now = clock_.now();
  const OperationPtr before = records_.find(key, now);
  if (before != nullptr && before->running) return;
  const auto operation = std::make_shared<Operation>(key, service_action, now, CopyManager::Done());
  operation->limits = limits;
  operation->number = ++last_number_;
  operation->result.response_to_service_action = service_action;
  operation->result.status = scsi::CopyOperationStatus::completed_with_errors;
  operation->result.completion_status = scsi::Status::check_condition;
  operation->result.sense = sense;
  records_.insert(operation);
  operation->running = false;
  records_.finished(operation, now);
}

// A terminated operation has no sense (4.3), and a duplicate's sense is not that of the operation
// it met.
void Ledger::attach_sense(const OperationKey& key, const scsi::Sense& sense) {
  const std::scoped_lock lock(mutex_);
  const OperationPtr operation = records_.find(key, clock_.now());
  if (operation == nullptr || operation->running) return;
  scsi::CopyResult& result = operation->result;
  if (result.completion_status == scsi::Status::check_condition && !result.sense) {
    result.sense = sense;
  }
}

void Ledger::stop(const OperationPtr& operation, StopReason reason, Operations& taken_over) {
  StopReason none = StopReason::none;
  operation->stop.compare_exchange_strong(none, reason);  // the first reason counts
  if (operation->attend()) taken_over.push_back(operation);
}

Ledger::Aborting Ledger::abort(const OperationKey& key, base::UniqueFunction<void()> done) {
  const std::scoped_lock lock(mutex_);
  const OperationPtr operation = records_.find(key, clock_.now());
  if (operation == nullptr) return {};
  if (!operation->running) return {true, std::move(done), nullptr};
  operation->at_stop.push_back(std::move(done));
  Operations taken_over;
  stop(operation, StopReason::aborted, taken_over);
  return {true, {}, taken_over.empty() ? nullptr : taken_over.front()};
}

Ledger::Operations Ledger::stop_volume(std::uint64_t volume_id, StopReason reason,
                                       bool others_too) {
  const std::scoped_lock lock(mutex_);
  records_.erase_finished_of_volume(volume_id);
  Operations taken_over;
  for (const OperationPtr& operation : running_) {
    if (operation->key.volume_id == volume_id) {
      records_.erase(operation);
      stop(operation, reason, taken_over);
    } else if (others_too && uses(*operation, volume_id)) {
      stop(operation, StopReason::source_gone, taken_over);
    }
  }
  return taken_over;
}

Ledger::Operations Ledger::stop_those(const std::function<bool(const Operation&)>& concerned) {
  const std::scoped_lock lock(mutex_);
  Operations taken_over;
  for (const OperationPtr& operation : running_) {
    if (concerned(*operation)) stop(operation, StopReason::aborted, taken_over);
  }
  return taken_over;
}

Ledger::Operations Ledger::stop_uses(std::uint64_t volume_id, const CopyManager::Whose& whose,
                                     const Waiting& waiting) {
  const std::scoped_lock lock(mutex_);
  Operations taken_over;
  for (const OperationPtr& operation : running_) {
    const bool concerned = operation->key.volume_id == volume_id || uses(*operation, volume_id);
    if (!concerned || !whose(operation->key.nexus)) continue;
    operation->at_stop.push_back(waiting());
    stop(operation, StopReason::aborted, taken_over);
  }
  return taken_over;
}

void Ledger::wait_until_stopped(std::uint64_t volume_id, bool others_too) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, volume_id, others_too] {
    return std::none_of(running_.begin(), running_.end(), [&](const OperationPtr& operation) {
      return operation->stop != StopReason::none &&
             (operation->key.volume_id == volume_id || (others_too && uses(*operation, volume_id)));
    });
  });
}

void Ledger::wait_until_concluded() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return not_concluded_ == 0; });
}

void Ledger::nexus_lost(std::uint64_t nexus_number) {
  const std::scoped_lock lock(mutex_);
  records_.erase_finished_of_nexus(nexus_number);
  for (const OperationPtr& operation : running_) {
    if (operation->key.nexus.number == nexus_number) records_.erase(operation);
  }
}

void Ledger::expire() {
  const std::scoped_lock lock(mutex_);
  records_.expire(clock_.now());
}

}  // namespace copymgr
