// The indexes over operations: by key, by names, by age and by nexus, kept in step.
#include "copymgr/record_index.hpp"

#include <algorithm>

namespace copymgr {
namespace {

auto key_of(const OperationKey& key) {
  return std::tuple(key.nexus.number, key.volume_id, key.list_identifier);
}

auto path_of(const OperationKey& key) {
  return std::pair(key.nexus.number, key.volume_id);
}

auto names_of(const OperationKey& key) {
  return std::tuple(key.nexus.initiator_name, key.nexus.target_name, key.volume_id,
                    key.list_identifier);
}

}  // namespace

void RecordIndex::insert(const OperationPtr& operation) {
  OperationPtr& place = by_key_[key_of(operation->key)];
  if (place != nullptr) {
    erase(OperationPtr(place));
    by_key_[key_of(operation->key)] = operation;
  } else {
    place = operation;
  }
  by_names_[names_of(operation->key)].push_back(operation);
  operation->kept = true;
}

void RecordIndex::finished(const OperationPtr& operation, base::Instant now) {
  operation->finished_at = now;
  operation->finish_number = next_finish_number_++;
  InOrder& of_nexus = finished_by_nexus_[operation->key.nexus.number];
  of_nexus.emplace(operation->finish_number, operation);
  finished_.emplace(operation->finish_number, operation);
  InOrder& of_path = finished_by_path_[path_of(operation->key)];
  of_path.emplace(operation->finish_number, operation);
  const bool path_is_full = of_path.size() > operation->limits.list_identifiers;
  if (path_is_full) erase(OperationPtr(of_path.begin()->second));
  if (of_nexus.size() > per_nexus_max_) erase(OperationPtr(of_nexus.begin()->second));
}

void RecordIndex::erase(const OperationPtr& operation) {
  if (!operation->kept) return;
  operation->kept = false;
  by_key_.erase(key_of(operation->key));
  const auto names = by_names_.find(names_of(operation->key));
  std::erase(names->second, operation);
  if (names->second.empty()) by_names_.erase(names);
  if (operation->running) return;
  finished_.erase(operation->finish_number);
  const auto of_nexus = finished_by_nexus_.find(operation->key.nexus.number);
  of_nexus->second.erase(operation->finish_number);
  if (of_nexus->second.empty()) finished_by_nexus_.erase(of_nexus);
  const auto of_path = finished_by_path_.find(path_of(operation->key));
  of_path->second.erase(operation->finish_number);
  if (of_path->second.empty()) finished_by_path_.erase(of_path);
}

OperationPtr RecordIndex::find(const OperationKey& key, base::Instant now) const {
  const auto found = by_key_.find(key_of(key));
  return found != by_key_.end() && is_alive(*found->second, now) ? found->second : nullptr;
}

OperationPtr RecordIndex::find_by_names(const OperationKey& key, base::Instant now) const {
  const auto found = by_names_.find(names_of(key));
  if (found == by_names_.end()) return nullptr;
  const auto newest = std::find_if(
      found->second.rbegin(), found->second.rend(),
      [this, now](const OperationPtr& operation) { return is_alive(*operation, now); });
  return newest == found->second.rend() ? nullptr : *newest;
}

std::vector<OperationPtr> RecordIndex::finished_from(std::uint64_t finish_number, std::size_t most,
                                                     base::Instant now) const {
  std::vector<OperationPtr> out;
  for (auto at = finished_.lower_bound(finish_number); at != finished_.end() && out.size() < most;
       ++at) {
    if (is_alive(*at->second, now)) out.push_back(at->second);
  }
  return out;
}

void RecordIndex::erase_finished_of_nexus(std::uint64_t nexus_number) {
  const auto found = finished_by_nexus_.find(nexus_number);
  if (found == finished_by_nexus_.end()) return;
  for (const auto& [number, operation] : InOrder(found->second))
    erase(operation);
}

void RecordIndex::erase_finished_of_volume(std::uint64_t volume_id) {
  for (const auto& [number, operation] : InOrder(finished_)) {
    if (operation->key.volume_id == volume_id) erase(operation);
  }
}

void RecordIndex::expire(base::Instant now) {
  while (!finished_.empty() && !is_alive(*finished_.begin()->second, now)) {
    erase(OperationPtr(finished_.begin()->second));
  }
}

}  // namespace copymgr
