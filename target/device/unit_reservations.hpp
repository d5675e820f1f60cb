// The reservations of a live unit: the newest state as an immutable snapshot, and the order in
// which changes follow each other. A change that must survive a loss of power is published after
// its commit. What a nexus may do is copied into its UnitPath, so that no command looks here.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/serial_queue.hpp"
#include "base/unique_function.hpp"
#include "target/device/reservation_journal.hpp"
#include "target/device/reservation_rules.hpp"

namespace device {

class UnitReservations {
 public:
  // Takes up what the journal has of `unit`, and keeps it there from now on. Before the unit is in
  // use; the journal outlives it.
  base::Result<void, std::string> restore(ReservationJournal& journal, std::string unit);
  bool can_persist() const { return journal_ != nullptr; }

  std::shared_ptr<const Reservations> current() const;
  ReservedBy reserved_by() const;
  RefusedRules refused(const Registrant& nexus, std::uint64_t nexus_number) const;

  // Runs `step` on the newest state once every earlier change is done, commits, publishes, then
  // calls `done`, all on `pool`. A refusal, or a failed commit (04/44/00), changes nothing. A unit
  // that RESERVE holds refuses every step.
  using Step = std::function<ReservationOutcome(const Reservations& state)>;
  using Done = base::UniqueFunction<void(base::Result<ReservationEffects, ReservationRefusal>)>;
  void change(base::Executor& pool, Step step, Done done);

  // RESERVE and RELEASE, in order with the changes; `done` runs on `pool`.
  enum class Plain : std::uint8_t { reserve, release };
  void change_plain(base::Executor& pool, Plain what, const Registrant& nexus,
                    std::uint64_t nexus_number, base::UniqueFunction<void(ReserveVerdict)> done);
  // The nexus is lost: true if the unit was reserved for it.
  bool nexus_lost(std::uint64_t nexus_number);
  // Logical unit reset ends a RESERVE; persistent reservations stay.
  void reset();

 private:
  base::Result<ReservationEffects, ReservationRefusal> apply(const Step& step);

  ReservationJournal* journal_ = nullptr;
  std::string unit_;
  base::SerialQueue changes_;
  mutable std::mutex mutex_;  // of the two below; never held while something blocks
  std::shared_ptr<const Reservations> current_ = std::make_shared<const Reservations>();
  ReservedBy reserved_by_ = 0;
};

}  // namespace device
