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
  auto door = std::make_shared<NexusDoor>(NexusDoor{home, &nexus});
  const std::scoped_lock lock(mutex_);
  doors_.push_back(door);
  return door;
}

void NexusRegistry::remove(const std::shared_ptr<NexusDoor>& door) {
  door->nexus = nullptr;
  const std::scoped_lock lock(mutex_);
  std::erase(doors_, door);
}

void NexusRegistry::tell_all(const TaskSetEvent& event, base::Executor& home,
                             base::UniqueFunction<void()> done) {
  std::vector<std::shared_ptr<NexusDoor>> doors;
  {
    const std::scoped_lock lock(mutex_);
    doors = doors_;
  }
  const auto countdown =
      std::shared_ptr<Countdown>(new Countdown{doors.size(), home, std::move(done)});
  for (const auto& door : doors) {
    door->home.post([door, event, countdown] {
      if (door->nexus == nullptr) return countdown->one_less();
      door->nexus->suffer(event, [countdown] { countdown->one_less(); });
    });
  }
}

}  // namespace device
