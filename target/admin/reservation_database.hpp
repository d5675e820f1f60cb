// Registrations with APTPL in a database file of the state directory: one row a unit, one a
// registration, replaced together.
#pragma once

#include <memory>
#include <mutex>

#include "base/database.hpp"
#include "target/device/reservation_journal.hpp"

namespace admin {

class ReservationDatabase final : public device::ReservationJournal {
 public:
  // Opens or makes `path`. The error is one line for a person.
  static base::Result<std::unique_ptr<ReservationDatabase>, std::string> open(
      const std::string& path);

  base::Result<void, std::string> save(const std::string& unit,
                                       const device::Reservations& state) override;
  base::Result<device::Reservations, std::string> load(const std::string& unit) override;

 private:
  explicit ReservationDatabase(base::Database database) : database_(std::move(database)) {}
  base::Result<void, std::string> insert(const std::string& unit,
                                         const device::Reservations& state);

  std::mutex mutex_;
  base::Database database_;
};

}  // namespace admin
