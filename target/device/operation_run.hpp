// Carries out the operation that has begun on a unit (unit_operation.hpp), on the pool, a step at a
// time: makes the unit quiet, erases, keeps a mark of where it is, and tells the outcome.
//
// Quiet means: copies that use the unit are stopped and its tokens cancelled; every command that
// ran when the operation began has ended; no point in time of the unit is left. So what was
// acknowledged before is erased, and what the unit held can be read nowhere.
#pragma once

#include <memory>
#include <optional>

#include "base/executor.hpp"
#include "store/store.hpp"
#include "target/device/logical_unit.hpp"
#include "target/device/operation_watch.hpp"

namespace device {

class TargetDevice;

class OperationRun : public std::enable_shared_from_this<OperationRun> {
 public:
  // The target has the unit until it halts the operation. `watch` is told once it is certain that
  // all will be done even over a restart, with `at_start`, else of the end; null: nobody waits.
  OperationRun(TargetDevice& target, const std::shared_ptr<LogicalUnit>& unit, base::Executor& pool,
               std::shared_ptr<OperationWatch> watch, bool at_start);

  void start();

 private:
  using Stage = void (OperationRun::*)(LogicalUnit& unit);

  void post(Stage stage);
  void make_quiet(LogicalUnit& unit);
  void forget_past(LogicalUnit& unit);
  void step(LogicalUnit& unit);
  store::StoreResult<> erase(LogicalUnit& unit, base::Extent piece);
  store::StoreResult<> mark(LogicalUnit& unit, const OperationPosition& position,
                            base::ByteCount step);
  void end(LogicalUnit& unit, const store::StoreResult<>& done);
  void tell(std::optional<scsi::Sense> outcome);

  TargetDevice& target_;
  const std::weak_ptr<LogicalUnit> unit_;
  base::Executor& pool_;
  std::shared_ptr<OperationWatch> watch_;
  const bool at_start_;
  base::ByteCount since_mark_;
};

}  // namespace device
