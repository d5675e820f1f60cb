// A memory of units for tests: keeps values until it is told to break.
#pragma once

#include <map>

#include "tests/unit/device/device_world.hpp"

namespace device::test {

class FakeMemory final : public UnitMemory {
 public:
  base::Result<void, std::string> save(const std::string& unit, Keepsake what,
                                       base::ByteView value) override {
    if (broken) return base::fail(std::string("the disk is full"));
    values[{unit, what}] = Bytes(value.begin(), value.end());
    return {};
  }
  base::Result<Bytes, std::string> load(const std::string& unit, Keepsake what) override {
    if (broken) return base::fail(std::string("the disk is broken"));
    return values[{unit, what}];
  }
  std::map<std::pair<std::string, Keepsake>, Bytes> values;
  bool broken = false;
};

// A session to units that remember.
struct Remembering : OneSession {
  explicit Remembering(FakeMemory& memory) {
    for (const auto& [lun, unit] : target->units())
      REQUIRE(unit->restore(memory));
  }
};

}  // namespace device::test
