// The operations that can be asked about, by exact key and, for hosts that ask on another path, by
// the names of both ends. Bounded per nexus; each finished record lives for a fixed time. No lock:
// the ledger has it.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "copymgr/operation.hpp"

namespace copymgr {

class RecordIndex {
 public:
  RecordIndex(std::uint32_t per_nexus_max, base::Duration lifetime)
      : per_nexus_max_(per_nexus_max), lifetime_(lifetime) {}

  // Takes the place of the record under the same key.
  void insert(const OperationPtr& operation);
  // From now on it ages, and counts against its nexus, and what its unit keeps for that: beyond
  // either bound the oldest finished one goes.
  void finished(const OperationPtr& operation, base::Instant now);
  void erase(const OperationPtr& operation);

  OperationPtr find(const OperationKey& key, base::Instant now) const;
  // The newest under any nexus between the same two names.
  OperationPtr find_by_names(const OperationKey& key, base::Instant now) const;

  // At most so many finished ones, from this finish number on.
  std::vector<OperationPtr> finished_from(std::uint64_t finish_number, std::size_t most,
                                          base::Instant now) const;

  void erase_finished_of_nexus(std::uint64_t nexus_number);
  void erase_finished_of_volume(std::uint64_t volume_id);
  void expire(base::Instant now);
  std::size_t size() const { return by_key_.size(); }

 private:
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>;
  using Path = std::pair<std::uint64_t, std::uint64_t>;  // a nexus and a unit
  using Names = std::tuple<std::string, std::string, std::uint64_t, std::uint32_t>;
  using InOrder = std::map<std::uint64_t, OperationPtr>;  // by finish number: oldest first

  bool is_alive(const Operation& operation, base::Instant now) const {
    return operation.running || now - operation.finished_at < lifetime_;
  }

  const std::uint32_t per_nexus_max_;
  const base::Duration lifetime_;
  std::uint64_t next_finish_number_ = 0;
  std::map<Key, OperationPtr> by_key_;
  std::map<Names, std::vector<OperationPtr>> by_names_;  // oldest first
  std::unordered_map<std::uint64_t, InOrder> finished_by_nexus_;
  std::map<Path, InOrder> finished_by_path_;
  InOrder finished_;
};

}  // namespace copymgr
