// What hosts tell a unit to keep for ever: saved mode parameters, identifying information. The
// device room only knows the interface; the array gives it a database.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace device {

enum class Keepsake : std::uint8_t {
  mode_parameters,
  device_information,
  text_information,
  operation,  // that is under way or has failed, see operation_plan.hpp
  sizes,      // see unit_sizes.hpp
};
inline constexpr std::size_t keepsakes = 5;

class UnitMemory {
 public:
  virtual ~UnitMemory() = default;

  // `unit`: the unit's identity, the same after every restart. Both are callable from any thread
  // and may block; the errors are one line for the log.
  //
  // Durable, and whole, once it returns; after an error the old value stands.
  virtual base::Result<void, std::string> save(const std::string& unit, Keepsake what,
                                               base::ByteView value) = 0;
  // Empty when nothing was saved.
  virtual base::Result<std::vector<std::uint8_t>, std::string> load(const std::string& unit,
                                                                    Keepsake what) = 0;
};

// One unit's values, read without blocking. Callable from any thread.
class KeptValues {
 public:
  // Once, before the first command; without it nothing can be saved. `memory` outlives this.
  base::Result<void, std::string> restore(UnitMemory& memory, std::string unit);

  bool can_save() const { return memory_ != nullptr; }
  std::vector<std::uint8_t> value(Keepsake what) const;
  // May block. False: the old value stands, and why is in the log.
  bool save(Keepsake what, std::vector<std::uint8_t> value);

 private:
  UnitMemory* memory_ = nullptr;
  std::string unit_;
  std::mutex saving_;  // one save at a time, so that value() and the memory agree
  mutable std::mutex mutex_;
  std::array<std::vector<std::uint8_t>, keepsakes> values_;
};

}  // namespace device
