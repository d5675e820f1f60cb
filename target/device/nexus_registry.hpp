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

class Nexus;

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

  bool concerns(std::uint64_t unit_id) const {
    return std::find(unit_ids.begin(), unit_ids.end(), unit_id) != unit_ids.end();
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
