// Where registrations with APTPL survive a loss of power. The device room only knows this; the
// array gives it a database.
#pragma once

#include <string>

#include "base/result.hpp"
#include "target/device/reservations.hpp"

namespace device {

class ReservationJournal {
 public:
  virtual ~ReservationJournal() = default;

  // `unit`: the unit's identity, the same after every restart. Both are callable from any thread
  // and may block; the errors are one line for the log.
  //
  // Durable, and whole, once it returns; after an error the old state stands. A state without
  // `persist` leaves nothing behind. PRGENERATION is not kept.
  virtual base::Result<void, std::string> save(const std::string& unit,
                                               const Reservations& state) = 0;
  // What was saved last; an empty state if nothing.
  virtual base::Result<Reservations, std::string> load(const std::string& unit) = 0;
};

}  // namespace device
