#include "target/device/nexus_registry.hpp"

#include <atomic>

#include "target/device/nexus.hpp"

namespace device {
namespace {

// Runs `done` on `home` when the last of several has ended.
struct Countdown {
  std::atomic<std::size_t> left;
  base::Executor& home;
  base::UniqueFunction<void()> done;

  void one_less() {
    if (left.fetch_sub(1) == 1) home.post(std::move(done));
  }
};

}  // namespace

std::shared_ptr<NexusDoor> NexusRegistry::add(Nexus& nexus, base::Executor& home) {
  auto door = std::shared_ptr<NexusDoor>(
      new NexusDoor{home, &nexus, registrant_of(nexus.identity()).initiator});
  const std::scoped_lock lock(mutex_);
  doors_.push_back(door);
  return door;
}

void NexusRegistry::remove(const std::shared_ptr<NexusDoor>& door) {
  door->nexus = nullptr;
  const std::scoped_lock lock(mutex_);
  std::erase(doors_, door);
}

void NexusRegistry::visit_all(Visit visit, base::Executor& home,
                              base::UniqueFunction<void()> done) {
  const std::scoped_lock lock(mutex_);
  const auto doors = doors_;
  if (doors.empty()) return home.post(std::move(done));
  const auto countdown =
      std::shared_ptr<Countdown>(new Countdown{doors.size(), home, std::move(done)});
  const auto shared_visit = std::make_shared<const Visit>(std::move(visit));
  for (const auto& door : doors) {
    door->home.post([door, shared_visit, countdown] {
      if (door->nexus == nullptr) return countdown->one_less();
      (*shared_visit)(*door->nexus, [countdown] { countdown->one_less(); });
    });
  }
}

void NexusRegistry::visit_all(Visit visit) {
  const std::scoped_lock lock(mutex_);
  const auto doors = doors_;
  const auto shared_visit = std::make_shared<const Visit>(std::move(visit));
  for (const auto& door : doors) {
    door->home.post([door, shared_visit] {
      if (door->nexus != nullptr) (*shared_visit)(*door->nexus, [] {});
    });
  }
}

void NexusRegistry::tell_all(const TaskSetEvent& event, base::Executor& home,
                             base::UniqueFunction<void()> done) {
  visit_all(
      [event](Nexus& nexus, base::UniqueFunction<void()> visited) {
        nexus.suffer(event, std::move(visited));
      },
      home, std::move(done));
}

std::vector<scsi::InitiatorPort> NexusRegistry::initiator_ports() const {
  const std::scoped_lock lock(mutex_);
  std::vector<scsi::InitiatorPort> out;
  for (const auto& door : doors_)
    out.push_back(door->initiator);
  return out;
}

}  // namespace device
