#include "target/device/unit_reservations.hpp"

#include "base/log.hpp"

namespace device {
namespace {

// Two states that the journal cannot tell apart need no second commit.
bool is_same_in_journal(const Reservations& a, const Reservations& b) {
  if (!a.persist && !b.persist) return true;
  return a.persist == b.persist && a.registrations == b.registrations && a.held == b.held;
}

}  // namespace

base::Result<void, std::string> UnitReservations::restore(ReservationJournal& journal,
                                                          std::string unit) {
  auto loaded = journal.load(unit);
  if (!loaded) return base::fail(loaded.error());
  journal_ = &journal;
  unit_ = std::move(unit);
  const std::scoped_lock lock(mutex_);
  current_ = std::make_shared<const Reservations>(std::move(*loaded));
  return {};
}

std::shared_ptr<const Reservations> UnitReservations::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

ReservedBy UnitReservations::reserved_by() const {
  const std::scoped_lock lock(mutex_);
  return reserved_by_;
}

RefusedRules UnitReservations::refused(const Registrant& nexus, std::uint64_t nexus_number) const {
  const std::scoped_lock lock(mutex_);
  return refused_rules(*current_, reserved_by_, nexus, nexus_number);
}

base::Result<ReservationEffects, ReservationRefusal> UnitReservations::apply(const Step& step) {
  if (reserved_by() != 0) return base::fail(ReservationRefusal{});
  const auto before = current();
  ReservationOutcome outcome = step(*before);
  if (!outcome) return base::fail(outcome.error());
  if (journal_ != nullptr && !is_same_in_journal(*before, outcome->state)) {
    if (const auto saved = journal_->save(unit_, outcome->state); !saved) {
      base::log::error("reservations of unit {}: {}", unit_, saved.error());
      return base::fail(ReservationRefusal{
          scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure)});
    }
  }
  const std::scoped_lock lock(mutex_);
  current_ = std::make_shared<const Reservations>(std::move(outcome->state));
  return std::move(outcome->effects);
}

void UnitReservations::change(base::Executor& pool, Step step, Done done) {
  changes_.post(pool, [this, step = std::move(step), done = std::move(done)]() mutable {
    done(apply(step));
  });
}

void UnitReservations::change_plain(base::Executor& pool, Plain what, const Registrant& nexus,
                                    std::uint64_t nexus_number,
                                    base::UniqueFunction<void(ReserveVerdict)> done) {
  changes_.post(pool, [this, what, nexus, nexus_number, done = std::move(done)]() mutable {
    ReserveVerdict verdict = ReserveVerdict::conflict;
    {
      const std::scoped_lock lock(mutex_);
      const bool reserves = what == Plain::reserve;
      verdict =
          (reserves ? judge_reserve : judge_release)(*current_, reserved_by_, nexus, nexus_number);
      if (verdict == ReserveVerdict::done) reserved_by_ = reserves ? nexus_number : 0;
    }
    done(verdict);
  });
}

bool UnitReservations::nexus_lost(std::uint64_t nexus_number) {
  const std::scoped_lock lock(mutex_);
  if (reserved_by_ != nexus_number) return false;
  reserved_by_ = 0;
  return true;
}

void UnitReservations::reset() {
  const std::scoped_lock lock(mutex_);
  reserved_by_ = 0;
}

}  // namespace device
