// SANITIZE (SBC-4 4.11, 5.30): what it leaves, what it keeps out, what dies with the data.
#include "scsi/format_parameters.hpp"
#include "target/device/command_table.hpp"
#include "tests/unit/device/operation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// Commands that a unit answers whatever is under way on it.
bool always_runs(std::uint8_t opcode) {
  return opcode == 0x03 || opcode == 0x12 || opcode == 0xa0;
}

}  // namespace

TEST_CASE("BLOCK ERASE and CRYPTOGRAPHIC ERASE leave zeros and no mapped block") {
  OneSession world;
  for (const std::uint16_t lun : {0, 2}) {
    const std::size_t block_bytes = lun == 2 ? 4096 : 512;
    const auto blocks = static_cast<std::uint32_t>(unit_bytes / block_bytes);
    for (const char* erase : {block_erase, "48 03 00 00 00 00 00 00 00 00", block_erase_immed}) {
      INFO(lun << " " << erase);
      REQUIRE(world.run(write_16(0, blocks), pattern(blocks, block_bytes, 1), lun).good());
      CHECK(world.run(erase, {}, lun).good());
      CHECK(world.run(read_16(0, blocks), {}, lun).data == Bytes(unit_bytes));
      // GET LBA STATUS: one descriptor over everything, deallocated.
      const Bytes status = world.run("9E 12 0000000000000000 00000100 00 00", {}, lun).data;
      REQUIRE(status.size() == 24);
      CHECK(base::load_be32(status, 16) == blocks);
      CHECK(status[20] == 0x01);
    }
  }
}

TEST_CASE("OVERWRITE leaves the pattern, from the start of each block") {
  OneSession world;
  for (const std::uint16_t lun : {0, 2}) {
    const std::size_t block_bytes = lun == 2 ? 4096 : 512;
    const auto blocks = static_cast<std::uint32_t>(unit_bytes / block_bytes);
    Bytes whole(block_bytes);
    for (std::size_t i = 0; i < block_bytes; ++i)
      whole[i] = static_cast<std::uint8_t>(i * 13);
    for (const Bytes& given : {whole, Bytes{0xaa}, Bytes{1, 2, 3}, Bytes(block_bytes - 1, 0x5a)}) {
      // 1 pass, 2 passes, 2 and 3 with INVERT: the last always leaves the pattern as given.
      for (const std::uint8_t options : {0x01, 0x02, 0x82, 0x83}) {
        INFO(lun << " " << given.size() << " " << int{options});
        REQUIRE(world.run(write_16(0, 8), pattern(8, block_bytes, 9), lun).good());
        const Bytes list = overwrite_list(options, given);
        CHECK(world.run(overwrite_cdb(list), list, lun).good());
        Bytes block;
        while (block.size() < block_bytes)
          block.push_back(given[block.size() % given.size()]);
        Bytes expected;
        for (std::uint32_t i = 0; i < blocks; ++i)
          expected.insert(expected.end(), block.begin(), block.end());
        CHECK(world.run(read_16(0, blocks), {}, lun).data == expected);
      }
    }
  }
}

TEST_CASE("with INVERT the pattern alternates, so that the last pass leaves it as given") {
  OperationWorld w;
  const Bytes list = overwrite_list(0x83, {0x0f});
  Command command;
  w.world.start(command, w.nexus, overwrite_cdb(list), list);
  w.jobs.run_one();  // quiet
  w.jobs.run_one();  // every nexus has been asked
  w.jobs.run_one();  // the past is forgotten
  for (const std::uint8_t byte : {0x0f, 0xf0, 0x0f}) {
    CHECK_FALSE(w.all(byte));
    for (std::size_t i = 0; i < steps_a_pass; ++i)
      w.jobs.run_one();
    CHECK(w.all(byte));
  }
  CHECK(command.owner.finished == 1);
  CHECK(command.owner.answer.good());
  CHECK(w.jobs.waiting() == 0);
}

TEST_CASE("a bad SANITIZE is refused with its field, and erases nothing") {
  OneSession world;
  const Bytes data = pattern(8, 512, 3);
  REQUIRE(world.run(write_16(0, 8), data).good());
  for (const char* action : {"02", "03", "1F"}) {
    INFO(action);
    check_bad_cdb(world.run(std::string("48 ") + action + " 00 00 00 00 00 00 08 00", Bytes(8)),
                  byte(7));
  }
  check_bad_cdb(world.run("48 01 00 00 00 00 00 00 04 00", Bytes(4)), byte(7));
  check_bad_cdb(world.run("48 01 00 00 00 00 00 02 05 00", Bytes(0x205)), byte(7));
  check_bad_cdb(world.run("48 42 00 00 00 00 00 00 00 00"), bit(1, 6));  // ZNR
  check_bad_cdb(world.run("48 02 00 00 00 00 01 00 00 00"), bit(6, 0));
  check_bad_cdb(world.run("48 04 00 00 00 00 00 00 00 00"), bit(1, 4));
  const Bytes no_count = overwrite_list(0, {1});
  const Answer answer = world.run(overwrite_cdb(no_count), no_count);
  check_illegal(answer, 0x26, 0x00);
  CHECK(answer.sense->field == bit(0, 4));
  // The initiator announced less than the CDB.
  check_illegal(world.run("48 01 00 00 00 00 00 00 08 00", hex("01 00 00 04")), 0x1a, 0x00);
  CHECK(world.run(read_16(0, 8)).data == data);
  CHECK(world.run(exit_failure_mode).good());
  CHECK(world.run(read_16(0, 8)).data == data);
}

TEST_CASE("while it runs every command is kept out, with the progress, from every nexus") {
  OperationWorld w;
  const auto other = w.world.login("iqn.host:b");
  const Bytes list = overwrite_list(2, {0x77});
  Command immed;
  w.world.start(immed, w.nexus, overwrite_cdb(list, 0x81), list);
  w.jobs.run_one();
  CHECK(immed.owner.finished == 1);  // IMMED
  CHECK(immed.owner.answer.good());
  w.jobs.run_one();
  w.jobs.run_one();
  std::uint16_t last = 0;
  for (std::size_t i = 0; i + 1 < 2 * steps_a_pass; ++i) {
    w.jobs.run_one();
    for (Nexus* nexus : {&w.nexus, other.get()}) {
      const Answer answer = w.world.World::run(*nexus, cdb_of(test_unit_ready));
      check_sanitizing(answer);
      CHECK(*answer.sense->progress == (i + 1) * 65536 / (2 * steps_a_pass));
      CHECK(*answer.sense->progress >= last);
      last = *answer.sense->progress;
    }
    const Bytes told = w.run(request_sense).data;
    const auto sense = scsi::parse_sense(told);
    REQUIRE(sense);
    CHECK(*sense == scsi::sense::in_progress(scsi::asc::sanitize_in_progress, last));
  }
  for (const CommandRow& row : command_table()) {
    if (row.layout.has_variable_length()) continue;  // no unit here has them
    INFO(row.layout.name);
    const scsi::CdbBytes cdb = scsi::make_cdb(row.layout);
    const Answer answer = w.world.World::run(*other, cdb);
    if (always_runs(row.layout.opcode)) {
      CHECK((answer.good() || answer.sense->key == scsi::SenseKey::illegal_request));
    } else {
      check_sanitizing(answer);
    }
  }
  // Other units go on.
  CHECK(w.run("28 00 00 00 00 00 00 00 01 00", {}, 1).good());
  w.jobs.run_all();
  CHECK(w.run(test_unit_ready).good());
  CHECK(w.world.World::run(*other, cdb_of(test_unit_ready)).good());  // nothing to be told
  CHECK(scsi::parse_sense(w.run(request_sense).data) == scsi::Sense{});
  CHECK(w.all(0x77));
}

TEST_CASE("without IMMED the command ends with the operation") {
  OperationWorld w;
  w.fill(0x11);
  Command command, second;
  w.world.start(command, w.nexus, cdb_of(block_erase), {});
  w.world.start(second, w.nexus, cdb_of(block_erase), {});
  REQUIRE(second.owner.finished == 1);
  check_sanitizing(second.owner.answer);
  while (w.jobs.waiting() != 0) {
    CHECK(command.owner.finished == 0);
    w.jobs.run_one();
  }
  REQUIRE(command.owner.finished == 1);
  CHECK(command.owner.answer.good());
  CHECK(w.all(0));
}

TEST_CASE("what ends the command does not end the operation") {
  OperationWorld w;
  w.fill(0x11);
  Command command;
  w.world.start(command, w.nexus, cdb_of(block_erase), {});
  w.jobs.run_one();
  SECTION("ABORT TASK, or a session that goes away") {
    w.nexus.stop(command.task);
    CHECK(command.owner.finished == 1);
    w.jobs.run_all();
    CHECK(command.owner.finished == 1);
  }
  SECTION("LOGICAL UNIT RESET and TARGET COLD RESET") {
    w.nexus.set_owner(&command.owner);
    int done = 0;
    for (const auto function :
         {TaskManagementFunction::logical_unit_reset, TaskManagementFunction::target_cold_reset}) {
      w.nexus.manage(function, 0, [&](TaskManagementResponse) { ++done; });
      w.jobs.run_last();
      check_sense(w.run(test_unit_ready), scsi::SenseKey::unit_attention, 0x29, 0x03);
      check_sanitizing(w.run(test_unit_ready));
    }
    w.jobs.run_all();
    CHECK(done == 2);
  }
  CHECK(w.run(test_unit_ready).good());
  CHECK(w.all(0));
}

TEST_CASE("commands that run when it begins end first, whoever sent them") {
  OperationWorld w;
  const auto other = w.world.login("iqn.host:b");
  // COMPARE AND WRITE is on its way to the pool.
  Bytes data(1024);
  std::fill_n(data.begin() + 512, 512, 0x99);
  Command late;
  w.world.start(late, *other, cdb_of("89 00 0000000000000000 000000 01 00 00"), data);
  REQUIRE(w.jobs.waiting() == 1);
  Command command;
  w.world.start(command, w.nexus, cdb_of(block_erase), {});
  REQUIRE(w.jobs.waiting() == 2);
  w.jobs.run_last();  // asks every nexus, and waits
  REQUIRE(w.jobs.waiting() == 1);
  CHECK(late.owner.finished == 0);
  check_sanitizing(w.run(test_unit_ready));
  w.jobs.run_one();
  CHECK(late.owner.finished == 1);
  CHECK(late.owner.answer.good());
  CHECK(w.medium->bytes[0] == 0x99);
  w.jobs.run_all();
  CHECK(command.owner.answer.good());
  CHECK(w.all(0));
}

TEST_CASE("tokens of the unit die with it, and nothing of what they held is kept") {
  CopyWorld world;
  world.fill(0, pattern(64, 512, 5));
  const Token untouched = world.make_token({{0, 64}}), saved = world.make_token({{0, 64}});
  const Token other = world.make_token({{0, 8}}, 1);
  world.fill(0, pattern(64, 512, 6));  // now the side store has what the tokens stand for
  store::Guard& guard = world.target->units().at({0})->guard();
  REQUIRE(guard.counters().side_bytes_in_use.value != 0);
  REQUIRE(world.run(block_erase).good());
  CHECK(guard.counters().snapshots_live == 0);
  CHECK(guard.counters().side_bytes_in_use.value == 0);
  for (const Token& token : {untouched, saved}) {
    check_illegal(world.use_token(token, {{0, 64}}, 1), 0x23, 0x08);
    check_illegal(world.use_token(token, {{0, 64}}, 0), 0x23, 0x08);
  }
  CHECK(world.content(0, 64, 1) == Bytes(64 * 512));
  // Those of other units live, and the erased unit makes and takes tokens again.
  CHECK(world.use_token(other, {{0, 8}}, 0).good());
  world.fill(0, pattern(8, 512, 7));
  const Token later = world.make_token({{0, 8}});
  CHECK(world.use_token(later, {{100, 8}}, 1).good());
  CHECK(world.content(100, 8, 1) == pattern(8, 512, 7));
}

TEST_CASE("a point in time that somebody still holds shows nothing any more") {
  OperationWorld w;
  w.fill(0x44);
  std::shared_ptr<store::Snapshot> held;
  int lost = 0;
  w.unit().guard().protect(
      {{base::ByteOffset(0), base::ByteCount(unit_bytes)}}, w.jobs, [&lost] { ++lost; },
      [&held](std::shared_ptr<store::Snapshot> taken) { held = std::move(taken); });
  REQUIRE(held);
  REQUIRE(w.finish(write_16(0, 8), Bytes(8 * 512, 0x45)).good());  // the old chunk is saved
  CHECK(w.finish(block_erase).good());
  CHECK(lost == 1);
  CHECK(held->lost());
  CHECK_FALSE(held->visit({base::ByteOffset(0), base::ByteCount(4096)},
                          [](store::Piece, base::ByteCount) { return store::StoreResult<>(); }));
}

TEST_CASE("a copy that reads the unit, or writes it, is stopped") {
  for (const bool reads : {true, false}) {
    INFO(reads);
    OperationWorld w;
    w.fill(0x44);
    REQUIRE(w.run("0A 00 00 00 08 00", Bytes(8 * 512, 0x55), 1).good());
    const Token token = w.world.make_token({{0, 8}}, reads ? 0 : 1);
    Command copy;
    const Bytes list = write_list(token, {{100, 8}});
    w.world.start(copy, w.nexus, token_cdb(0x11, 7, list.size()), list,
                  scsi::encode_lun({static_cast<std::uint16_t>(reads ? 1 : 0)}));
    REQUIRE(w.jobs.waiting() == 1);
    Command command;
    w.world.start(command, w.nexus, cdb_of(block_erase), {});
    w.jobs.run_last();
    CHECK(copy.owner.finished == 1);
    CHECK_FALSE(copy.owner.answer.good());
    w.jobs.run_all();
    CHECK(command.owner.answer.good());
    CHECK(w.all(0));
    CHECK(w.world.content(100, 8, 1) == Bytes(8 * 512));
  }
}

TEST_CASE("EXTENDED COPY through another unit finds a unit that is not ready") {
  OperationWorld w;
  CHECK(w.unit().operation().idle());
  REQUIRE_FALSE(w.unit().operation().begin({}));
  CHECK_FALSE(w.unit().operation().idle());
}

TEST_CASE("SANITIZE is for the holder of the reservation only") {
  World world;
  const auto a = world.login("iqn.host:a"), b = world.login("iqn.host:b");
  REQUIRE(world.run(*a, cdb_of("16 00 00 00 00 00")).good());  // RESERVE
  for (const char* cdb : {block_erase, exit_failure_mode, "04 00 00 00 00 00"}) {
    INFO(cdb);
    CHECK(world.run(*b, cdb_of(cdb)).status == scsi::Status::reservation_conflict);
    CHECK(world.run(*a, cdb_of(cdb)).good());
  }
}
