// Copy commands, and the zero token, that a unit does not have: unknown wherever a host could meet
// them.
#include <algorithm>

#include "target/device/command_table.hpp"
#include "tests/unit/device/limit_world.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("a command that is withdrawn is unknown everywhere, and sends no data") {
  for (const CommandRow& row : command_table()) {
    const std::uint8_t opcode = row.layout.opcode;
    if (opcode != 0x83 && opcode != 0x84) continue;
    INFO(row.layout.name);
    const std::uint8_t action = *row.layout.service_action;
    copymgr::CopyLimits limits;
    limits.service_actions.withdraw(row.layout);
    LimitWorld world(limits);
    scsi::CdbBytes cdb{opcode, action};
    Command command;
    command.task.owner = &command.owner;
    command.task.lun_field = scsi::encode_lun({lun});
    command.task.cdb = cdb;
    put(command.task.cdb, 10, 4, 1000);
    CHECK(world.nexus->data_out_wanted(command.task).value == 0);
    const Answer answer = world.run(cdb, {}, lun);
    check_illegal(answer, 0x24, 0x00);
    CHECK(answer.sense->field == scsi::FieldPointer{1, 4, true});
    // Other units, and its other actions, are as they were.
    CHECK_FALSE((world.run(cdb, {}, 0).sense &&
                 world.run(cdb, {}, 0).sense->field == scsi::FieldPointer{1, 4, true}));
    // REPORT SUPPORTED OPERATION CODES: that one, and all.
    scsi::CdbBytes ask{0xa3, 0x0c, 0x02, opcode, 0, action};
    put(ask, 6, 4, 0xffff);
    CHECK((world.run(ask, {}, lun).data.at(1) & 7) == 1);
    CHECK((world.run(ask, {}, 0).data.at(1) & 7) == 3);
    ask[2] = 0;
    const Bytes all = world.run(ask, {}, lun).data;
    for (std::size_t i = 4; i < all.size(); i += 8)
      CHECK_FALSE((all[i] == opcode && base::load_be16(all, i + 2) == action));
    // 8Fh: opcode, how many, the actions; then the next.
    const Bytes supported = world.descriptor(0x0001);
    std::size_t count = 0;
    for (std::size_t i = 5; i < 5u + supported.at(4); i += 2u + supported[i + 1]) {
      for (std::size_t j = 0; j < supported[i + 1]; ++j, ++count)
        CHECK_FALSE((supported[i] == opcode && supported[i + 2 + j] == action));
    }
    CHECK(count == 11);
  }
}

TEST_CASE("without tokens, without EXTENDED COPY, without both: what else goes") {
  const auto world_without = [](std::initializer_list<const scsi::CdbLayout*> commands) {
    copymgr::CopyLimits limits;
    for (const scsi::CdbLayout* command : commands)
      limits.service_actions.withdraw(*command);
    return std::make_unique<LimitWorld>(limits);
  };
  const auto third_party_copy = [](LimitWorld& world) {
    return (world.run("12 00 00 00 FF 00", {}, lun).data.at(5) & 0x08) != 0;
  };
  using namespace scsi;
  const auto xcopy = world_without({&populate_token::layout, &write_using_token::layout});
  CHECK(xcopy->descriptor(0x0000).empty());
  CHECK(xcopy->descriptor(0x0106).empty());
  // RODs inside one EXTENDED COPY, and no tokens.
  const Bytes types = xcopy->descriptor(0x0108);
  REQUIRE(types.size() == 8 + 4 * 64);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(types[8 + 64 * i + 4] == 0x80);
  CHECK(base::load_be32(types, 8) == 0x00800000);
  CHECK_FALSE(xcopy->descriptor(0x0004).empty());
  CHECK(xcopy->xcopy_of(1, 1).good());
  CHECK(third_party_copy(*xcopy));
  const auto odx = world_without(
      {&extended_copy::lid1_layout, &extended_copy::lid4_layout, &receive_copy::lid1_data_layout});
  for (const std::uint16_t type : {0x0004, 0x0008, 0x000c, 0xc001})
    CHECK(odx->descriptor(type).empty());
  CHECK_FALSE(odx->descriptor(0x0000).empty());
  CHECK(odx->populate_ranges(1).good());
  const auto neither = world_without({&populate_token::layout, &write_using_token::layout,
                                      &extended_copy::lid1_layout, &extended_copy::lid4_layout});
  CHECK_FALSE(third_party_copy(*neither));
  check_illegal(neither->run("12 01 8F 04 00 00", {}, lun), 0x24, 0x00);
  const Bytes pages = neither->run("12 01 00 00 FF 00", {}, lun).data;
  CHECK(std::count(pages.begin() + 4, pages.end(), 0x8f) == 0);
}

TEST_CASE("an operation code of which nothing is left is not supported at all") {
  copymgr::CopyLimits limits;
  for (const CommandRow& row : command_table()) {
    if (row.layout.opcode == 0x84) limits.service_actions.withdraw(row.layout);
  }
  LimitWorld world(limits);
  check_illegal(world.run(result_cdb(0x07, 1), {}, lun), 0x20, 0x00);
}

TEST_CASE("the block device zero token: taken and told of, or neither") {
  for (const bool taken : {true, false}) {
    copymgr::CopyLimits limits;
    if (!taken) limits.rod_types = tokens::populated(limits.rod_types);
    LimitWorld world(limits);
    world.fill(0, pattern(8, 512, 1), lun);
    const Bytes types = world.descriptor(0x0108);
    CHECK(types.size() == 8 + 64 * (taken ? 6u : 5u));
    const Answer answer = world.use_token(zero_token(), {{0, 8}}, lun);
    CHECK(answer.good() == taken);
    if (!taken) check_bad_list(answer, 0x23, 0x01, 16);
    CHECK((world.content(0, 8, lun) == Bytes(8 * 512)) == taken);
  }
}
