#include "target/admin/reservation_database.hpp"

#include <fmt/format.h>

namespace admin {
namespace {

using base::fail;
using device::Registration;
using device::Reservations;

// Keys and ISIDs have 64 and 48 bits: a key is stored as the signed integer of the same bits.
constexpr const char* schema = R"(
  CREATE TABLE IF NOT EXISTS units (
    unit TEXT PRIMARY KEY,
    type INTEGER  -- of the reservation; NULL: none is held
  );
  CREATE TABLE IF NOT EXISTS registrations (
    unit TEXT NOT NULL REFERENCES units (unit) ON DELETE CASCADE,
    place INTEGER NOT NULL,  -- in the order of registering
    initiator_name TEXT NOT NULL,
    isid INTEGER NOT NULL,
    target_port INTEGER NOT NULL,
    key INTEGER NOT NULL,
    holds INTEGER NOT NULL,
    PRIMARY KEY (unit, place)
  );
)";

bool is_the_holder(const Reservations& state, const device::Registrant& nexus) {
  return state.held && state.held->holder == nexus;
}

// Reads every row of a statement; `take` gets each.
template <class Take>
base::Result<void, std::string> for_each_row(base::Statement& statement, Take take) {
  for (;;) {
    const auto row = statement.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    take(statement);
  }
}

Registration registration_in(const base::Statement& row) {
  return {{{row.text(0), static_cast<std::uint64_t>(row.integer(1))},
           static_cast<std::uint16_t>(row.integer(2))},
          static_cast<std::uint64_t>(row.integer(3))};
}

}  // namespace

base::Result<std::unique_ptr<ReservationDatabase>, std::string> ReservationDatabase::open(
    const std::string& path) {
  auto database = base::Database::open(path);
  if (!database) return fail(database.error());
  if (const auto made = database->run(schema); !made) {
    return fail(fmt::format("cannot use {}: {}", path, made.error()));
  }
  return std::unique_ptr<ReservationDatabase>(new ReservationDatabase(std::move(*database)));
}

base::Result<void, std::string> ReservationDatabase::insert(const std::string& unit,
                                                            const Reservations& state) {
  auto add_unit = database_.prepare("INSERT INTO units VALUES (?, ?)");
  auto add = database_.prepare("INSERT INTO registrations VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!add_unit) return fail(add_unit.error());
  if (!add) return fail(add.error());
  add_unit->bind(1, unit);
  if (state.held) {
    add_unit->bind(2, static_cast<std::int64_t>(state.held->type));
  } else {
    add_unit->bind_null(2);
  }
  if (const auto done = add_unit->step(); !done) return fail(done.error());
  std::int64_t place = 0;
  for (const Registration& each : state.registrations) {
    add->bind(1, unit).bind(2, place++).bind(3, each.nexus.initiator.name);
    add->bind(4, static_cast<std::int64_t>(each.nexus.initiator.isid));
    add->bind(5, each.nexus.target_port).bind(6, static_cast<std::int64_t>(each.key));
    add->bind(7, is_the_holder(state, each.nexus));
    if (const auto done = add->step(); !done) return fail(done.error());
  }
  return {};
}

base::Result<void, std::string> ReservationDatabase::save(const std::string& unit,
                                                          const Reservations& state) {
  const std::scoped_lock lock(mutex_);
  auto transaction = base::Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  {
    auto forget = database_.prepare("DELETE FROM units WHERE unit = ?");
    if (!forget) return fail(forget.error());
    if (const auto done = forget->bind(1, unit).step(); !done) return fail(done.error());
    if (state.persist) {
      if (const auto done = insert(unit, state); !done) return done;
    }
  }
  return transaction->commit();
}

base::Result<Reservations, std::string> ReservationDatabase::load(const std::string& unit) {
  const std::scoped_lock lock(mutex_);
  auto find = database_.prepare("SELECT type FROM units WHERE unit = ?");
  auto list = database_.prepare(
      "SELECT initiator_name, isid, target_port, key, holds FROM registrations "
      "WHERE unit = ? ORDER BY place");
  if (!find) return fail(find.error());
  if (!list) return fail(list.error());
  Reservations out;
  bool sound = true;
  const auto found = for_each_row(find->bind(1, unit), [&](const base::Statement& row) {
    out.persist = true;
    if (row.is_null(0)) return;
    const auto type = scsi::reservation_type(static_cast<std::uint64_t>(row.integer(0)));
    sound = type.has_value();
    if (type) out.held = device::Reservation{*type, {}};
  });
  if (!found) return fail(found.error());
  const auto listed = for_each_row(list->bind(1, unit), [&](const base::Statement& row) {
    out.registrations.push_back(registration_in(row));
    if (row.integer(4) != 0 && out.held) out.held->holder = out.registrations.back().nexus;
  });
  if (!listed) return fail(listed.error());
  const bool held_by_one = out.held && !device::is_all_registrants(out.held->type);
  if (held_by_one && out.find(out.held->holder) == nullptr) sound = false;
  if (!sound) return fail(fmt::format("the reservations of unit {} make no sense", unit));
  return out;
}

}  // namespace admin
