// REPORT SUPPORTED OPERATION CODES (SPC-4 6.35), every option, against the command table.
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

scsi::CdbBytes ask(std::uint8_t options, std::uint8_t opcode = 0, std::uint16_t action = 0,
                   std::uint32_t allocation = 0x10000) {
  scsi::CdbBytes cdb{0xa3, 0x0c, options, opcode};
  put(cdb, 4, 2, action);
  put(cdb, 6, 4, allocation);
  return cdb;
}
constexpr std::uint8_t rctd = 0x80;

Bytes usage(const CommandRow& row) {
  const scsi::CdbBytes all = scsi::usage_bitmap(row.layout);
  return {all.begin(), all.begin() + row.layout.length};
}

// The one_command answer for a supported command.
Bytes supported(const CommandRow& row) {
  Bytes out{0x00, 0x03, 0x00, row.layout.length};
  const Bytes bits = usage(row);
  out.insert(out.end(), bits.begin(), bits.end());
  return out;
}
// A unit with every command there is.
struct Reported : OneSession {
  Reported() : OneSession({{scsi::Lun{7}, make_protected_unit(17, 2)}}) {}
  Answer run(const scsi::CdbBytes& cdb) { return OneSession::run(cdb, {}, 7); }
};

const Bytes not_supported{0x00, 0x01, 0x00, 0x00};
const Bytes timeouts = hex("00 0A 00 00 00 00 00 00 00 00 00 00");

}  // namespace

TEST_CASE("option 000b lists every row, in order, with its service action and length") {
  Reported world;
  const Bytes data = world.run(ask(0)).data;
  const auto rows = command_table();
  REQUIRE(data.size() == 4 + 8 * rows.size());
  CHECK(base::load_be32(data, 0) == 8 * rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const scsi::CdbLayout& layout = rows[i].layout;
    INFO(layout.name);
    Bytes expected{layout.opcode,
                   0,
                   0,
                   layout.service_action.value_or(0),
                   0,
                   static_cast<std::uint8_t>(layout.service_action ? 1 : 0),
                   0,
                   layout.length};
    CHECK(Bytes(data.begin() + static_cast<std::ptrdiff_t>(4 + 8 * i),
                data.begin() + static_cast<std::ptrdiff_t>(12 + 8 * i)) == expected);
  }
}

TEST_CASE("option 000b with RCTD puts a timeouts descriptor behind each command") {
  Reported world;
  const Bytes data = world.run(ask(rctd)).data;
  const auto rows = command_table();
  REQUIRE(data.size() == 4 + 20 * rows.size());
  CHECK(base::load_be32(data, 0) == 20 * rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = data.begin() + static_cast<std::ptrdiff_t>(4 + 20 * i);
    CHECK(at[5] == (rows[i].layout.service_action ? 0x03 : 0x02));
    CHECK(Bytes(at + 8, at + 20) == timeouts);
  }
}

TEST_CASE("options 001b, 010b and 011b tell the usage bitmap of every row") {
  Reported world;
  for (const CommandRow& row : command_table()) {
    INFO(row.layout.name);
    const std::uint8_t opcode = row.layout.opcode;
    const std::uint8_t action = row.layout.service_action.value_or(0);
    if (row.layout.service_action) {
      check_bad_cdb(world.run(ask(1, opcode)), bit(2, 2));
      CHECK(world.run(ask(2, opcode, action)).data == supported(row));
    } else {
      CHECK(world.run(ask(1, opcode)).data == supported(row));
      check_bad_cdb(world.run(ask(2, opcode)), bit(2, 2));
    }
    CHECK(world.run(ask(3, opcode, action)).data == supported(row));

    Bytes with_timeouts = supported(row);
    with_timeouts[1] = 0x83;
    with_timeouts.insert(with_timeouts.end(), timeouts.begin(), timeouts.end());
    CHECK(world.run(ask(3 | rctd, opcode, action)).data == with_timeouts);
  }
}

TEST_CASE("option 001b ignores the service action field") {
  Reported world;
  for (const std::uint16_t action : {0x0001, 0x001f, 0x0020, 0xffff}) {
    CHECK(world.run(ask(1, 0x28, action)).data == world.run(ask(1, 0x28)).data);
  }
}

TEST_CASE("what is not there is reported as not supported") {
  Reported world;
  for (const std::uint8_t option : {1, 2, 3}) {
    CHECK(world.run(ask(option, 0xff)).data == not_supported);
    CHECK(world.run(ask(option | rctd, 0xff)).data == not_supported);
  }
  for (const std::uint8_t option : {2, 3}) {
    CHECK(world.run(ask(option, 0x83, 0x1d)).data == not_supported);
    CHECK(world.run(ask(option, 0x83, 0x30)).data == not_supported);  // 10h in five bits
    CHECK(world.run(ask(option, 0x83, 0x110)).data == not_supported);
  }
  CHECK(world.run(ask(3, 0x28, 1)).data == not_supported);
}

TEST_CASE("reserved options are refused at their field, answers are cut") {
  Reported world;
  for (std::uint8_t option = 4; option < 8; ++option) {
    check_bad_cdb(world.run(ask(option, 0x28)), bit(2, 2));
  }
  const Bytes cut = world.run(ask(0, 0, 0, 4)).data;
  CHECK(cut.size() == 4);
  CHECK(base::load_be32(cut, 0) == 8 * command_table().size());
  CHECK(world.run(ask(0, 0, 0, 0)).data.empty());
}

TEST_CASE("READ(32) is told with its service action, its length, and the places of its fields") {
  Reported world;
  CHECK(world.run(ask(3, 0x7f, 0x09)).data ==
        hex("00 03 00 20"
            "7F 07 00 00 00 00 3F 18 00 09 FC 00 FF FF FF FF FF FF FF FF"
            "FF FF FF FF FF FF FF FF FF FF FF FF"));
  CHECK(world.run(ask(3, 0x7f, 0x07)).data == not_supported);
  CHECK(world.run(ask(3, 0x7f, 0x0109)).data == not_supported);
}

TEST_CASE("units without type 2 protection have no 32-byte commands") {
  OneSession world({{scsi::Lun{4}, make_protected_unit(14, 1)}});
  for (const std::uint16_t lun : {0, 4}) {
    const Bytes all = world.run(ask(0), {}, lun).data;
    CHECK(all.size() == 4 + 8 * (command_table().size() - 5));
    for (std::size_t at = 4; at < all.size(); at += 8)
      CHECK(all[at] != 0x7f);
    for (const std::uint8_t option : {1, 2, 3})
      CHECK(world.run(ask(option, 0x7f, 0x09), {}, lun).data == not_supported);
  }
}
