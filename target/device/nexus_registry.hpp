// The nexuses of one target, so that task management of one can reach the tasks of all. Each nexus
// is only ever touched on its own worker's thread; the door is how others knock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/executor.hpp"
#include "base/unique_function.hpp"
#include "scsi/transport_id.hpp"

namespace device {

class LogicalUnit;
class Nexus;
class Task;

struct NexusDoor {
  base::Executor& home;
  Nexus* nexus;  // null once the nexus is gone; read and written on `home` only
  const scsi::InitiatorPort initiator;
};

// CLEAR TASK SET or a reset, as every nexus of the target meets it. A reset of the whole target
// concerns the units that its initiator sees: masking keeps the others out of its reach.
struct TaskSetEvent {
  enum class Kind : std::uint8_t { clear_task_set, reset, cold_reset };
  Kind kind = Kind::reset;
  std::vector<std::uint64_t> unit_ids;  // the units concerned
  std::uint64_t caused_by = 0;          // the number of the nexus that asked
  // Those of them whose TAS was one: other nexuses are told by TASK ABORTED.
  std::vector<std::uint64_t> telling_units = {};
  const Task* spared = nullptr;  // of the nexus that caused it

  void add(const LogicalUnit& unit);
  bool concerns(std::uint64_t unit_id) const { return is_in(unit_ids, unit_id); }
  bool tells(std::uint64_t unit_id) const { return is_in(telling_units, unit_id); }

 private:
  static bool is_in(const std::vector<std::uint64_t>& ids, std::uint64_t id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }
};

class NexusRegistry {
 public:
  std::shared_ptr<NexusDoor> add(Nexus& nexus, base::Executor& home);
  // On the nexus's own thread.
  void remove(const std::shared_ptr<NexusDoor>& door);

  // Calls `visit` for every nexus, on that nexus's thread; `done` runs on `home` when all have
  // called their `visited`.
  using Visit = std::function<void(Nexus& nexus, base::UniqueFunction<void()> visited)>;
  void visit_all(Visit visit, base::Executor& home, base::UniqueFunction<void()> done);
  // For one who does not wait: a nexus that is going away.
  void visit_all(Visit visit);
  // Lets every nexus suffer `event`.
  void tell_all(const TaskSetEvent& event, base::Executor& home, base::UniqueFunction<void()> done);

  // The initiator ports that are logged in now.
  std::vector<scsi::InitiatorPort> initiator_ports() const;

 private:
  // Held while visits are posted, so that a nexus that goes away meets those on its way before its
  // door is taken out: nobody waits for a visit that never comes. An inline executor visits, and
  // may come back here, inside post.
  mutable std::recursive_mutex mutex_;
  std::vector<std::shared_ptr<NexusDoor>> doors_;
};

}  // namespace device
