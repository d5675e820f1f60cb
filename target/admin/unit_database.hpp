// What hosts gave units to keep, in a database file of the state directory: one row a value.
#pragma once

#include <memory>
#include <mutex>

#include "base/database.hpp"
#include "target/device/unit_memory.hpp"

namespace admin {

class UnitDatabase final : public device::UnitMemory {
 public:
  // Opens or makes `path`. The error is one line for a person.
  static base::Result<std::unique_ptr<UnitDatabase>, std::string> open(const std::string& path);

  base::Result<void, std::string> save(const std::string& unit, device::Keepsake what,
                                       base::ByteView value) override;
  base::Result<std::vector<std::uint8_t>, std::string> load(const std::string& unit,
                                                            device::Keepsake what) override;
  // The unit is gone for good.
  base::Result<void, std::string> forget(const std::string& unit);

 private:
  explicit UnitDatabase(base::Database database) : database_(std::move(database)) {}

  std::mutex mutex_;
  base::Database database_;
};

}  // namespace admin
