// What units keep, in its database: back as it was, value by value, in the next process too.
#include "target/admin/unit_database.hpp"

#include <catch2/catch.hpp>

#include "base/database.hpp"
#include "store/open.hpp"
#include "target/device/logical_unit.hpp"
#include "tests/support/temp_dir.hpp"

using admin::UnitDatabase;
using device::Keepsake;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Folder : test::TempDir {
  std::string file() const { return path("units.db"); }
  std::unique_ptr<UnitDatabase> open() const {
    auto database = UnitDatabase::open(file());
    REQUIRE(database);
    return std::move(*database);
  }
};

}  // namespace

TEST_CASE("a value is loaded as it was saved last, by the next process too") {
  Folder folder;
  Bytes every_byte(256);
  for (std::size_t i = 0; i < every_byte.size(); ++i)
    every_byte[i] = static_cast<std::uint8_t>(i);
  CHECK(folder.open()->load("a", Keepsake::text_information)->empty());
  REQUIRE(folder.open()->save("a", Keepsake::text_information, Bytes{1, 2}));
  REQUIRE(folder.open()->save("a", Keepsake::text_information, every_byte));
  CHECK(folder.open()->load("a", Keepsake::text_information).value() == every_byte);
  REQUIRE(folder.open()->save("a", Keepsake::text_information, Bytes{}));
  CHECK(folder.open()->load("a", Keepsake::text_information)->empty());
}

TEST_CASE("units and values are apart") {
  Folder folder;
  const auto database = folder.open();
  REQUIRE(database->save("a", Keepsake::text_information, Bytes{1}));
  REQUIRE(database->save("a", Keepsake::device_information, Bytes{2}));
  REQUIRE(database->save("b", Keepsake::text_information, Bytes{3}));
  CHECK(database->load("a", Keepsake::text_information).value() == Bytes{1});
  CHECK(database->load("a", Keepsake::device_information).value() == Bytes{2});
  CHECK(database->load("b", Keepsake::text_information).value() == Bytes{3});
  CHECK(database->load("b", Keepsake::mode_parameters)->empty());
}

TEST_CASE("a value that somebody spoiled is not guessed at") {
  for (const char* spoiled : {"0x", "123", "zz"}) {
    Folder folder;
    static_cast<void>(folder.open());
    auto direct = base::Database::open(folder.file());
    REQUIRE(direct);
    REQUIRE(direct->run(std::string("INSERT INTO kept VALUES ('a', 0, '") + spoiled + "')"));
    CHECK_FALSE(folder.open()->load("a", Keepsake::mode_parameters));
  }
}

TEST_CASE("a unit finds again what hosts gave it to keep, and starts with its saved parameters") {
  Folder folder;
  const auto make_unit = [] {
    scsi::UnitIdentity identity;
    identity.naa[0] = 0x60;
    const auto spec = store::parse_store_spec("memory:1M").value();
    store::GuardSettings settings;
    settings.side_bytes_max = base::ByteCount(1u << 20);
    return std::make_unique<device::LogicalUnit>(
        1, identity, store::open_guarded(spec, "/tmp", settings).value(), device::UnitShape{},
        device::LogicalUnitLimits{});
  };
  const auto database = folder.open();
  {
    const auto unit = make_unit();
    REQUIRE(unit->restore(*database));
    CHECK(unit->mode_parameters().write_cache_enabled);
    REQUIRE(unit->kept().save(Keepsake::mode_parameters, scsi::mode_select_list({false})));
    REQUIRE(unit->kept().save(Keepsake::text_information, Bytes{0x41, 0}));
  }
  const auto unit = make_unit();
  REQUIRE(unit->restore(*database));
  CHECK_FALSE(unit->mode_parameters().write_cache_enabled);
  CHECK(unit->saved_mode_parameters() == scsi::ModeParameters{false});
  CHECK(unit->kept().value(Keepsake::text_information) == Bytes{0x41, 0});
}
