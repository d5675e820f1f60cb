// Reservations in their database: back as they were, unit by unit, or not at all.
#include "target/admin/reservation_database.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.hpp"

using namespace device;
using admin::ReservationDatabase;
using scsi::ReservationType;

namespace {

struct Folder : test::TempDir {
  std::unique_ptr<ReservationDatabase> open() const {
    auto database = ReservationDatabase::open(path("reservations.db"));
    REQUIRE(database);
    return std::move(*database);
  }
};

Reservations sample(std::optional<ReservationType> type) {
  Reservations out;
  out.persist = true;
  // The widest values: 64 bits of key, 48 of ISID, 16 of port.
  out.registrations = {{{{"iqn.host:b", 0xffffffffffff}, 0xffff}, UINT64_MAX},
                       {{{"iqn.host:a", 1}, 1}, 1},
                       {{{"iqn.host:a", 1}, 2}, 0x8000000000000000}};
  if (!type) return out;
  const bool all = is_all_registrants(*type);
  out.held = Reservation{*type, all ? Registrant{} : out.registrations[1].nexus};
  return out;
}

}  // namespace

TEST_CASE("a state of every type is loaded as it was saved, by the next process too") {
  Folder folder;
  std::vector<std::optional<ReservationType>> types(scsi::reservation_types.begin(),
                                                    scsi::reservation_types.end());
  types.push_back(std::nullopt);
  for (const auto& type : types) {
    REQUIRE(folder.open()->save("unit", sample(type)));
    const auto loaded = folder.open()->load("unit");
    REQUIRE(loaded);
    CHECK(*loaded == sample(type));
  }
}

TEST_CASE("PRGENERATION is not kept, a state without APTPL leaves nothing behind") {
  Folder folder;
  const auto database = folder.open();
  Reservations state = sample(ReservationType::write_exclusive);
  state.generation = 77;
  REQUIRE(database->save("unit", state));
  CHECK(database->load("unit")->generation == 0);
  state.persist = false;
  REQUIRE(database->save("unit", state));
  CHECK(*database->load("unit") == Reservations{});
  REQUIRE(database->save("unit", sample(std::nullopt)));
  CHECK(*database->load("unit") == sample(std::nullopt));
}

TEST_CASE("units do not touch each other") {
  Folder folder;
  const auto database = folder.open();
  REQUIRE(database->save("one", sample(ReservationType::exclusive_access)));
  REQUIRE(database->save("two", sample(std::nullopt)));
  REQUIRE(database->save("two", {}));
  CHECK(*database->load("one") == sample(ReservationType::exclusive_access));
  CHECK(*database->load("two") == Reservations{});
  CHECK(*database->load("three") == Reservations{});
}

TEST_CASE("a save that fails says so and leaves the old state") {
  Folder folder;
  const auto database = folder.open();
  REQUIRE(database->save("unit", sample(std::nullopt)));
  auto other = base::Database::open(folder.path() + "/reservations.db");
  REQUIRE(other);
  {
    auto busy = base::Transaction::begin(*other);  // somebody else writes
    REQUIRE(busy);
    CHECK_FALSE(database->save("unit", sample(ReservationType::exclusive_access)));
  }
  CHECK(*database->load("unit") == sample(std::nullopt));
  CHECK(database->save("unit", sample(ReservationType::exclusive_access)));
}

TEST_CASE("rows that make no sense are refused, not guessed at") {
  Folder folder;
  const auto database = folder.open();
  auto other = base::Database::open(folder.path() + "/reservations.db");
  REQUIRE(other);
  REQUIRE(database->save("unit", sample(ReservationType::write_exclusive)));
  REQUIRE(other->run("UPDATE units SET type = 2"));
  CHECK_FALSE(database->load("unit"));
  REQUIRE(database->save("unit", sample(ReservationType::write_exclusive)));
  REQUIRE(other->run("UPDATE registrations SET holds = 0"));
  CHECK_FALSE(database->load("unit"));
}
