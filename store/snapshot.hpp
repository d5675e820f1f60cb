// The Snapshot a guard hands out: a handle on its record.
#pragma once

#include <memory>
#include <utility>

#include "store/guard_state.hpp"

namespace store {

class GuardSnapshot final : public Snapshot {
 public:
  GuardSnapshot(std::shared_ptr<GuardState> state, RecordPtr record)
      : state_(std::move(state)), record_(std::move(record)) {}
  ~GuardSnapshot() override { state_->drop(*record_); }

  const std::vector<base::Extent>& extents() const override { return record_->extents; }
  bool lost() const override { return record_->lost; }
  std::uint64_t kept_as() const override { return record_->kept ? record_->kept->sequence : 0; }
  base::ByteCount side_bytes() const override { return state_->side_bytes_of(*record_); }
  StoreResult<> visit(base::Extent extent, const Move& move) override;

  SnapshotRecord& record() { return *record_; }

 private:
  StoreResult<base::ByteCount> visit_next(base::Extent rest, const Move& move);
  StoreResult<base::ByteCount> visit_saved(base::Extent rest, SlotRun slots, const Move& move);
  StoreResult<base::ByteCount> visit_unsaved(base::Extent rest, std::uint64_t end,
                                             const Move& move);

  const std::shared_ptr<GuardState> state_;
  const RecordPtr record_;
};

}  // namespace store
