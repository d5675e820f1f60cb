// MODE SENSE, MODE SELECT, INQUIRY pages and REPORT LUNS through the device server.
#include <algorithm>
#include <functional>

#include "base/digest.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"
#include "tests/unit/device/fake_memory.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const caching_off =
    "00 00 00 00 08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";

Bytes caching_page(OneSession& world, const char* cdb) {
  const Bytes data = world.run(cdb).data;
  REQUIRE(data.size() >= 24);
  return {data.end() - 20, data.end()};
}

}  // namespace

TEST_CASE("D 10, 12, 15: MODE SENSE as Windows sends it") {
  OneSession world;
  const Bytes caching = world.run("1A 00 08 00 C0 00").data;
  CHECK(Bytes(caching.begin(), caching.begin() + 15) ==
        hex("1F 00 10 08 00 00 08 00 00 00 02 00 08 12 04"));
  const Bytes all = world.run("1A 00 3F 00 C0 00").data;
  CHECK(all.size() <= 192);
  CHECK((all[2] & 0x80) == 0);  // not write protected
  CHECK((all[2] & 0x10) != 0);  // DPOFUA
  CHECK(world.run("1A 08 0A 00 C0 00").data.size() == 4 + 12);
}

TEST_CASE("MODE SENSE is cut to the allocation length, its own length is not") {
  OneSession world;
  const Bytes cut = world.run("1A 00 3F 00 04 00").data;
  CHECK(cut.size() == 4);
  CHECK(cut[0] == world.run("1A 00 3F 00 C0 00").data.size() - 1);
  CHECK(world.run("5A 00 3F 00 00 00 00 00 00 00").data.empty());
}

TEST_CASE("MODE SENSE refuses saved values, unknown pages and subpages") {
  OneSession world;
  check_illegal(world.run("1A 00 C8 00 C0 00"), 0x39, 0x00);
  check_bad_cdb(world.run("1A 00 03 00 C0 00"), bit(2, 5));
  check_bad_cdb(world.run("1A 00 08 01 C0 00"), byte(3));
  check_bad_cdb(world.run("5A 00 04 00 00 00 00 00 C0 00"), bit(2, 5));
  check_bad_cdb(world.run("1A 00 3F 01 C0 00"), byte(3));
  CHECK(world.run("1A 00 3F FF C0 00").good());
}

TEST_CASE("MODE SELECT of WCE shows in both MODE SENSE forms, defaults stay") {
  OneSession world;
  const Answer answer = world.run("15 10 00 00 18 00", hex(caching_off));
  CHECK(answer.good());
  CHECK(answer.transfer_length == 24);
  CHECK(caching_page(world, "1A 00 08 00 C0 00")[2] == 0x00);
  CHECK(caching_page(world, "5A 00 08 00 00 00 00 00 C0 00")[2] == 0x00);
  CHECK(caching_page(world, "1A 00 88 00 C0 00")[2] == 0x04);
  CHECK(caching_page(world, "1A 00 48 00 C0 00")[2] == 0x04);
  // Only this unit.
  CHECK(world.run("1A 08 08 00 C0 00", {}, 1).data[6] == 0x04);

  const Bytes on =
      hex("00 00 00 00 00 00 00 00 08 12 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  CHECK(world.run("55 10 00 00 00 00 00 00 1C 00", on).good());
  CHECK(caching_page(world, "1A 00 08 00 C0 00")[2] == 0x04);
}

TEST_CASE("MODE SELECT: PF is needed, SP is refused, an empty list is good, a cut one is not") {
  OneSession world;
  check_bad_cdb(world.run("15 00 00 00 18 00", hex(caching_off)), bit(1, 4));
  check_bad_cdb(world.run("15 11 00 00 18 00", hex(caching_off)), bit(1, 0));
  CHECK(world.run("15 10 00 00 00 00").good());
  check_illegal(world.run("15 10 00 00 10 00", hex(caching_off)), 0x1a, 0x00);
  check_illegal(world.run("15 10 00 00 18 00", hex("00 00 00 00 08 12")), 0x1a, 0x00);
  CHECK(caching_page(world, "1A 00 08 00 C0 00")[2] == 0x04);
}

TEST_CASE("R1: VPD 00h is strictly ascending and every listed page answers with its code") {
  OneSession world;
  const Bytes list = world.run("12 01 00 00 FF 00").data;
  REQUIRE(list.size() == 4u + list[3]);
  const Bytes codes(list.begin() + 4, list.end());
  CHECK(codes.front() == 0x00);
  CHECK(std::adjacent_find(codes.begin(), codes.end(), std::greater_equal<>()) == codes.end());
  for (const std::uint8_t needed : {0x80, 0x83, 0x85, 0x86, 0x87, 0x88, 0x8f, 0xb0, 0xb1, 0xb2}) {
    CHECK(std::binary_search(codes.begin(), codes.end(), needed));
  }
  for (int code = 0; code < 256; ++code) {
    scsi::CdbBytes cdb = cdb_of("12 01 00 04 00 00");
    cdb[2] = static_cast<std::uint8_t>(code);
    const Answer answer = world.run(cdb);
    if (!std::binary_search(codes.begin(), codes.end(), cdb[2])) {
      check_bad_cdb(answer, byte(2));
      continue;
    }
    REQUIRE(answer.data.size() >= 4);
    CHECK(answer.data[0] == 0x00);
    CHECK(answer.data[1] == code);
    CHECK(base::load_be16(answer.data, 2) == answer.data.size() - 4);
  }
}

TEST_CASE("standard INQUIRY is cut to the allocation length; a page code without EVPD is refused") {
  OneSession world;
  CHECK(world.run("12 00 00 00 24 00").data.size() == 36);
  CHECK(world.run("12 00 00 00 00 00").data.empty());
  CHECK(world.run("12 00 00 FF FF 00").data.size() == 96);
  check_bad_cdb(world.run("12 00 80 00 FF 00"), byte(2));
}

TEST_CASE("units of one target have different identities, the same after a restart") {
  OneSession first, second;
  for (const char* page : {"12 01 80 00 FF 00", "12 01 83 00 FF 00"}) {
    CHECK(first.run(page, {}, 0).data != first.run(page, {}, 1).data);
    CHECK(first.run(page, {}, 0).data == second.run(page, {}, 0).data);
  }
}

TEST_CASE("VPD B0h prints the limit that READ and WRITE obey, in blocks of the unit") {
  OneSession world;
  CHECK(base::load_be32(world.run("12 01 B0 00 FF 00").data, 8) == (8u << 20) / 512);
  CHECK(base::load_be32(world.run("12 01 B0 00 FF 00", {}, 2).data, 8) == (8u << 20) / 4096);
}

TEST_CASE("VPD 8Fh says the same as the unit's limits and the command table") {
  LogicalUnitLimits limits;
  limits.copies.maximum_range_descriptors = 7;
  limits.copies.maximum_inactivity_timeout_seconds = 777;
  limits.copies.default_inactivity_timeout_seconds = 33;
  limits.copies.maximum_token_transfer = base::ByteCount(8 * 4096);
  limits.copies.optimal_transfer = base::ByteCount(4 * 4096);
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 4096, limits)}});
  const Bytes page = world.run("12 01 8F 04 00 00", {}, 3).data;
  const auto told = scsi::windows_reads(page);
  REQUIRE(told);
  CHECK(told->maximum_range_descriptors == 7);
  CHECK(told->maximum_inactivity_timeout_seconds == 777);
  CHECK(told->default_inactivity_timeout_seconds == 33);
  CHECK(told->maximum_token_transfer_size == base::BlockCount(8));
  CHECK(told->optimal_transfer_count == base::BlockCount(4));

  // Descriptor 0001h follows the 36 bytes of 0000h.
  Bytes expected;
  for (const std::uint8_t opcode : {0x83, 0x84}) {
    Bytes actions;
    for (const CommandRow& row : command_table()) {
      if (row.layout.opcode == opcode) actions.push_back(*row.layout.service_action);
    }
    expected.push_back(opcode);
    expected.push_back(static_cast<std::uint8_t>(actions.size()));
    expected.insert(expected.end(), actions.begin(), actions.end());
  }
  REQUIRE(base::load_be16(page, 40) == 0x0001);
  REQUIRE(page[44] == expected.size());
  CHECK(Bytes(page.begin() + 45, page.begin() + 45 + page[44]) == expected);
}

TEST_CASE("REPORT LUNS: selections, and an allocation below 16 is refused") {
  OneSession world;
  CHECK(world.run("A0 00 00 00 00 00 00 00 00 10 00 00").data ==
        hex("00 00 00 18 00 00 00 00 00 00 00 00 00 00 00 00"));
  CHECK(world.run("A0 00 01 00 00 00 00 00 00 40 00 00").data == Bytes(8));
  CHECK(world.run("A0 00 02 00 00 00 00 00 00 40 00 00").data.size() == 32);
  CHECK(world.run("A0 00 10 00 00 00 00 00 00 40 00 00").data == Bytes(8));
  CHECK(world.run("A0 00 11 00 00 00 00 00 00 40 00 00").data ==
        world.run("A0 00 00 00 00 00 00 00 00 40 00 00").data);
  CHECK(world.run("A0 00 12 00 00 00 00 00 00 40 00 00").data == Bytes(8));
  check_bad_cdb(world.run("A0 00 0F 00 00 00 00 00 00 40 00 00"), byte(2));
  check_bad_cdb(world.run("A0 00 13 00 00 00 00 00 00 40 00 00"), byte(2));
  check_bad_cdb(world.run("A0 00 03 00 00 00 00 00 00 40 00 00"), byte(2));
  check_bad_cdb(world.run("A0 00 00 00 00 00 00 00 00 0F 00 00"), byte(6));
}

namespace {

std::uint8_t wce(OneSession& world, const char* cdb, std::uint16_t lun = 0) {
  const Answer answer = world.run(cdb, {}, lun);
  REQUIRE(answer.data.size() == 4 + 20);
  return answer.data[4 + 2];
}
const char* const current = "1A 08 08 00 C0 00";
const char* const saved = "1A 08 C8 00 C0 00";
const char* const defaults = "1A 08 88 00 C0 00";

}  // namespace

TEST_CASE("MODE SELECT with SP is there after a restart, without it is not") {
  FakeMemory memory;
  {
    Remembering world(memory);
    CHECK(world.run("1A 08 08 00 C0 00").data[4] == 0x88);  // PS
    CHECK(wce(world, saved) == 0x04);
    CHECK(world.run("15 10 00 00 18 00", hex(caching_off)).good());
    CHECK(wce(world, current) == 0x00);
    CHECK(wce(world, saved) == 0x04);
  }
  {
    Remembering world(memory);
    CHECK(wce(world, current) == 0x04);
    CHECK(world.run("15 11 00 00 18 00", hex(caching_off)).good());
    CHECK(wce(world, current) == 0x00);
    CHECK(wce(world, saved) == 0x00);
    CHECK(wce(world, defaults) == 0x04);
    CHECK(wce(world, saved, 1) == 0x04);
  }
  Remembering world(memory);
  CHECK(wce(world, current) == 0x00);
  CHECK(wce(world, saved) == 0x00);
  CHECK(wce(world, current, 1) == 0x04);
  // An empty list with SP saves what is current.
  const Bytes on = hex("00 00 00 00 08 12 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  CHECK(world.run("15 10 00 00 18 00", on).good());
  CHECK(wce(world, saved) == 0x00);
  CHECK(world.run("15 11 00 00 00 00").good());
  CHECK(wce(world, saved) == 0x04);
}

TEST_CASE("a reset brings the saved mode parameters back") {
  FakeMemory memory;
  Remembering world(memory);
  CHECK(world.run("15 11 00 00 18 00", hex(caching_off)).good());
  const Bytes on = hex("00 00 00 00 08 12 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  CHECK(world.run("15 10 00 00 18 00", on).good());
  CHECK(wce(world, current) == 0x04);
  Owner owner;
  world.nexus->set_owner(&owner);
  std::optional<TaskManagementResponse> response;
  world.nexus->manage(TaskManagementFunction::logical_unit_reset, 0,
                      [&](TaskManagementResponse r) { response = r; });
  CHECK(response == TaskManagementResponse::function_complete);
  check_sense(world.run("00"), scsi::SenseKey::unit_attention, 0x29, 0x03);
  CHECK(wce(world, current) == 0x00);
}

TEST_CASE("what cannot be saved changes nothing; what is saved and spoiled is not guessed at") {
  FakeMemory memory;
  Remembering world(memory);
  memory.broken = true;
  check_sense(world.run("15 11 00 00 18 00", hex(caching_off)), scsi::SenseKey::hardware_error,
              0x44, 0x00);
  CHECK(wce(world, current) == 0x04);
  CHECK(wce(world, saved) == 0x04);
  CHECK_FALSE(world.target->units().begin()->second->restore(memory));
  memory.broken = false;
  for (auto& [key, value] : memory.values)
    value = hex("00 00 00 00 08 13 00");
  memory.values[{base::to_hex(world.target->units().begin()->second->identity().naa),
                 Keepsake::mode_parameters}] = hex("00 00 00 00 08 13 00");
  CHECK_FALSE(world.target->units().begin()->second->restore(memory));
}
