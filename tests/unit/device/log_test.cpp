// LOG SENSE and LOG SELECT through the device server: live numbers, resets, who is told.
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const windows_asks = "4D 00 0C 00 00 00 00 00 1C 00";
const char* const statistics = "4D 00 59 00 00 00 00 00 FF 00";

struct Provisioning {
  std::uint64_t available, used;
};
Provisioning provisioning(OneSession& world, std::uint16_t lun = 0) {
  const Bytes data = world.run(windows_asks, {}, lun).data;
  REQUIRE(data.size() == 28);
  return {base::load_be32(data, 8), base::load_be32(data, 20)};
}

Bytes application_list(std::uint16_t code, std::uint8_t fill) {
  Bytes out = hex("0F 00 01 00 00 00 83 FC");
  base::store_be16(out, 4, code);
  out.resize(8 + 0xfc, fill);
  return out;
}
const char* const write_application = "4C 00 40 00 00 00 00 01 04 00";

Bytes application_bytes(OneSession& world, std::uint16_t code) {
  scsi::CdbBytes cdb = cdb_of("4D 00 4F 00 00 00 00 FF FF 00");
  put(cdb, 5, 2, code);
  const Bytes data = world.run(cdb).data;
  REQUIRE(data.size() >= 8 + 0xfc);
  CHECK(base::load_be16(data, 4) == code);
  return {data.begin() + 8, data.begin() + 8 + 0xfc};
}

}  // namespace

TEST_CASE("D.2: page 0Ch follows what is written and unmapped, in threshold sets of B2h") {
  OneSession world;
  for (const std::uint16_t lun : {0, 2}) {
    const std::uint64_t block_bytes = lun == 0 ? 512 : 4096;
    const Bytes b2 = world.run("12 01 B2 00 FF 00", {}, lun).data;
    const std::uint64_t set_bytes = block_bytes << b2[4];
    CHECK(set_bytes == 65536);
    const std::uint64_t sets = unit_bytes / set_bytes;
    CHECK(provisioning(world, lun).used == 0);
    CHECK(provisioning(world, lun).available == sets);

    world.run(write_16(0, 8), pattern(8, block_bytes, 1), lun);
    CHECK(provisioning(world, lun).used == 1);
    CHECK(provisioning(world, lun).available == sets - 1);
    const auto blocks = static_cast<std::uint32_t>(3 * set_bytes / block_bytes);
    world.run(write_16(0, blocks), pattern(blocks, block_bytes, 1), lun);
    CHECK(provisioning(world, lun).used == 3);
    CHECK(provisioning(world, lun).available == sets - 3);

    Bytes unmap = hex("00 16 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    base::store_be32(unmap, 16, blocks);
    CHECK(world.run("42 00 00 00 00 00 00 00 18 00", unmap, lun).good());
    CHECK(provisioning(world, lun).used == 0);
  }
}

TEST_CASE("D.2: PC 00b and 01b tell the same") {
  OneSession world;
  CHECK(world.run(windows_asks).data == world.run("4D 00 4C 00 00 00 00 00 1C 00").data);
}

TEST_CASE("every listed page answers with its code, DS and length; no other does") {
  OneSession world;
  const Bytes list = world.run("4D 00 00 00 00 00 00 00 FF 00").data;
  CHECK(list == hex("00 00 00 09 00 0C 0D 0F 11 15 18 19 2F"));
  CHECK(world.run("4D 00 00 FF 00 00 00 00 FF 00").data ==
        hex("40 FF 00 14 00 00 00 FF 0C 00 0D 00 0F 00 11 00 15 00 18 00 19 00 2F 00"));
  for (unsigned code = 0; code < 0x40; ++code) {
    INFO("page " << code);
    scsi::CdbBytes cdb = cdb_of("4D 00 00 00 00 00 00 FF FF 00");
    cdb[2] = static_cast<std::uint8_t>(code | 0x40);
    const Answer answer = world.run(cdb);
    if (std::find(list.begin() + 4, list.end(), code) == list.end()) {
      check_bad_cdb(answer, bit(2, 5));
      continue;
    }
    REQUIRE(answer.data.size() >= 4);
    CHECK(answer.data[0] == (code | (code == 0 ? 0 : 0x80)));
    CHECK(base::load_be16(answer.data, 2) == answer.data.size() - 4);
    cdb[3] = 0xff;
    CHECK(world.run(cdb).good());
    cdb[3] = 0x01;
    check_bad_cdb(world.run(cdb), byte(3));
  }
}

TEST_CASE("LOG SENSE: SP and PPC are refused, answers are cut, the pointer must find something") {
  OneSession world;
  check_bad_cdb(world.run("4D 01 0C 00 00 00 00 00 1C 00"), bit(1, 0));
  check_bad_cdb(world.run("4D 02 0C 00 00 00 00 00 1C 00"), bit(1, 1));
  CHECK(world.run("4D 00 0C 00 00 00 00 00 04 00").data == hex("8C 00 00 18"));
  CHECK(world.run("4D 00 0C 00 00 00 00 00 00 00").good());
  const Bytes second = world.run("4D 00 0C 00 00 00 02 00 1C 00").data;
  CHECK(Bytes(second.begin(), second.begin() + 6) == hex("8C 00 00 0C 00 02"));
  check_bad_cdb(world.run("4D 00 0C 00 00 00 03 00 1C 00"), byte(5));
  check_bad_cdb(world.run("4D 00 00 00 00 00 01 00 1C 00"), byte(5));
}

TEST_CASE("page 19h counts what was read and written, and forgets it by PCR") {
  OneSession world;
  world.run(write_16(0, 4), pattern(4, 512, 1));
  world.run(write_16(4, 4), pattern(4, 512, 1));
  world.run(read_16(0, 3));
  const auto at = [&](std::size_t n) {
    return base::load_be64(world.run(statistics).data, 8 + 8 * n);
  };
  CHECK(at(0) == 1);  // reads
  CHECK(at(1) == 2);  // writes
  CHECK(at(2) == 8);  // blocks received
  CHECK(at(3) == 3);  // blocks transmitted
  CHECK(world.run("4C 02 59 00 00 00 00 00 00 00").good());
  for (std::size_t n = 0; n < 8; ++n)
    CHECK(at(n) == 0);
  world.run(read_16(0, 3));
  CHECK(at(0) == 1);
  CHECK(world.run("4C 02 40 00 00 00 00 00 00 00").good());  // all pages
  CHECK(at(0) == 0);
  // The other units keep theirs.
  world.run(read_16(0, 3), {}, 1);
  CHECK(world.run("4C 02 40 00 00 00 00 00 00 00").good());
  CHECK(base::load_be64(world.run(statistics, {}, 1).data, 8) == 1);
}

TEST_CASE("page 15h tells the minutes since power on") {
  OneSession world;
  world.clock.advance(std::chrono::minutes(150));
  CHECK(base::load_be32(world.run("4D 00 55 00 00 00 00 00 FF 00").data, 8) == 150);
}

TEST_CASE("what one host leaves in the Application Client page another reads, until PCR") {
  OneSession world;
  CHECK(world.run("4D 00 4F 00 00 00 00 FF FF 00").data.size() == 4 + 64 * 256);
  CHECK(application_bytes(world, 5) == Bytes(0xfc, 0));
  const Answer answer = world.run(write_application, application_list(5, 0xab));
  CHECK(answer.good());
  CHECK(answer.transfer_length == 0x104);
  CHECK(application_bytes(world, 5) == Bytes(0xfc, 0xab));
  CHECK(application_bytes(world, 6) == Bytes(0xfc, 0));
  CHECK(world.run("4C 02 4F 00 00 00 00 00 00 00").good());
  CHECK(application_bytes(world, 5) == Bytes(0xfc, 0));
}

TEST_CASE("LOG SELECT refuses what cannot be reset or saved, and changes nothing") {
  OneSession world;
  world.run(write_application, application_list(5, 0xab));
  check_bad_cdb(world.run("4C 01 40 00 00 00 00 00 00 00"), bit(1, 0));
  check_bad_cdb(world.run("4C 02 4D 00 00 00 00 00 00 00"), bit(2, 5));  // never reset
  check_bad_cdb(world.run("4C 02 7E 00 00 00 00 00 00 00"), bit(2, 5));  // no such page
  check_bad_cdb(world.run("4C 02 40 01 00 00 00 00 00 00"), byte(3));
  check_bad_cdb(world.run("4C 02 40 00 00 00 00 01 04 00", application_list(5, 0)), byte(7));
  check_bad_cdb(world.run("4C 00 4F 00 00 00 00 01 04 00", application_list(5, 0)), bit(2, 5));
  check_bad_cdb(world.run("4C 00 40 01 00 00 00 01 04 00", application_list(5, 0)), byte(3));
  check_illegal(world.run(write_application, application_list(0x40, 0)), 0x26, 0x00);
  check_illegal(world.run("4C 00 40 00 00 00 00 01 03 00", application_list(5, 0)), 0x1a, 0x00);
  check_illegal(world.run(write_application, Bytes(100)), 0x1a, 0x00);
  CHECK(world.run("4C 00 40 00 00 00 00 00 00 00").good());  // nothing to do
  CHECK(application_bytes(world, 5) == Bytes(0xfc, 0xab));
}

TEST_CASE("a changed log is told to the other nexuses of that unit, once") {
  OneSession world;
  const auto other = world.login("iqn.host:b");
  const char* const ready = "00 00 00 00 00 00";
  for (const bool reset : {false, true}) {
    if (reset) {
      CHECK(world.run("4C 02 40 00 00 00 00 00 00 00").good());
    } else {
      CHECK(world.run(write_application, application_list(5, 0xab)).good());
    }
    CHECK(world.run(ready).good());
    check_sense(world.World::run(*other, cdb_of(ready)), scsi::SenseKey::unit_attention, 0x2a,
                0x02);
    CHECK(world.World::run(*other, cdb_of(ready)).good());
    CHECK(world.World::run(*other, cdb_of(ready), {}, 1).good());
  }
}
