// FORMAT UNIT (SBC-4 5.4): what it leaves, how it is told meanwhile and when it fails.
#include "tests/unit/device/operation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const format = "04 00 00 00 00 00";
const char* const format_with_list = "04 10 00 00 00 00";
const char* const format_with_long_list = "04 30 00 00 00 00";
const Bytes immed = hex("00 02 00 00");

void check_formatting(const Answer& answer) {
  check_sense(answer, scsi::SenseKey::not_ready, 0x04, 0x04);
  CHECK(answer.sense->progress);
}

}  // namespace

TEST_CASE("FORMAT UNIT without a pattern leaves zeros and no mapped block") {
  OneSession world;
  for (const std::uint16_t lun : {0, 2}) {
    const std::size_t block_bytes = lun == 2 ? 4096 : 512;
    const auto blocks = static_cast<std::uint32_t>(unit_bytes / block_bytes);
    const std::pair<const char*, Bytes> ways[] = {
        {format, {}},
        {format_with_list, immed},
        {format_with_long_list, hex("00 F0 00 00 00 00 00 00")},
        {format_with_list, hex("00 88 00 00 00 00 00 00")}};
    for (const auto& [cdb, list] : ways) {
      INFO(lun << " " << cdb);
      REQUIRE(world.run(write_16(0, blocks), pattern(blocks, block_bytes, 1), lun).good());
      const Answer answer = world.run(cdb, list, lun);
      CHECK(answer.good());
      CHECK(answer.transfer_length == list.size());
      CHECK(world.run(read_16(0, blocks), {}, lun).data == Bytes(unit_bytes));
      const Bytes status = world.run("9E 12 0000000000000000 00000100 00 00", {}, lun).data;
      REQUIRE(status.size() == 24);
      CHECK(status[20] == 0x01);
    }
  }
}

TEST_CASE("FORMAT UNIT with a pattern leaves it in every block") {
  OneSession world;
  CHECK(world.run(format_with_list, hex("00 88 00 00 00 01 00 03 0A 0B 0C")).good());
  Bytes expected(512);
  for (std::size_t i = 0; i < 512; ++i)
    expected[i] = static_cast<std::uint8_t>(0x0a + i % 3);
  for (const std::uint64_t lba : {0, 1, 777, 2047}) {
    INFO(lba);
    CHECK(world.run(read_16(lba, 1)).data == expected);
  }
}

TEST_CASE("a bad FORMAT UNIT is refused with its field, and loses nothing") {
  OneSession world;
  const Bytes data = pattern(8, 512, 3);
  REQUIRE(world.run(write_16(0, 8), data).good());
  check_bad_cdb(world.run("04 80 00 00 00 00"), bit(1, 7));  // FMTPINFO
  check_bad_cdb(world.run("04 50 00 00 00 00", hex("00 00 00 00")), bit(1, 7));
  check_bad_cdb(world.run("04 01 00 00 00 00"), bit(1, 2));
  check_bad_cdb(world.run("04 00 00 00 01 00"), bit(4, 0));  // FFMT
  check_bad_list(world.run(format_with_list, hex("00 00 00 08 0000000000000000")), 0x26, 0x00, 2);
  check_bad_list(world.run(format_with_long_list, hex("00 00 00 00 00 00 00 08")), 0x26, 0x00, 4);
  check_illegal(world.run(format_with_list, hex("00 00")), 0x1a, 0x00);
  check_illegal(world.run(format_with_list), 0x1a, 0x00);
  CHECK(world.run(read_16(0, 8)).data == data);
}

TEST_CASE("while it runs every command is kept out, with the progress") {
  OperationWorld w;
  Command command;
  w.world.start(command, w.nexus, cdb_of(format_with_list), immed);
  w.jobs.run_one();
  CHECK(command.owner.finished == 1);
  CHECK(command.owner.answer.good());
  for (const char* cdb : {test_unit_ready, format, block_erase, "28 00 00 00 00 00 00 00 01 00",
                          "1A 00 08 00 FF 00", exit_failure_mode}) {
    INFO(cdb);
    check_formatting(w.run(cdb));
  }
  w.jobs.run_one();
  w.jobs.run_one();
  w.jobs.run_one();  // half of the zeros
  const auto told = scsi::parse_sense(w.run(request_sense).data);
  CHECK(told == scsi::sense::in_progress(scsi::asc::format_in_progress, 32768));
  CHECK(w.run("12 00 00 00 60 00").good());
  w.jobs.run_all();
  CHECK(w.run(test_unit_ready).good());
}

TEST_CASE("a FORMAT UNIT that fails leaves a corrupted medium until it is formatted or sanitized") {
  for (const char* cure : {format, block_erase, block_erase_ause}) {
    INFO(cure);
    const auto medium = std::make_shared<Disk>();
    FakeMemory memory;
    {
      OperationWorld w(medium, &memory);
      w.medium->writable_bytes = 0;
      check_medium_error(w.finish(format), 0x01);
      check_medium_error(w.run(test_unit_ready), 0x00);
      check_medium_error(w.run("28 00 00 00 00 00 00 00 01 00"), 0x00);
      // What needs no medium goes on.
      CHECK(w.run("1A 00 08 00 FF 00").good());
      CHECK(w.run("12 00 00 00 60 00").good());
      const auto told = scsi::parse_sense(w.run(request_sense).data);
      CHECK(told == scsi::sense::make(scsi::SenseKey::medium_error, {0x31, 0x00}));
    }
    OperationWorld w(medium, &memory);
    check_medium_error(w.run(test_unit_ready), 0x00);
    w.medium->writable_bytes = unit_bytes;
    CHECK(w.finish(cure).good());
    CHECK(w.run(test_unit_ready).good());
  }
}

TEST_CASE("a restart goes on with the format") {
  const auto medium = std::make_shared<Disk>();
  FakeMemory memory;
  {
    OperationWorld w(medium, &memory);
    w.fill(0x11);
    Command command;
    w.world.start(command, w.nexus, cdb_of(format_with_list), hex("00 8A 00 00 00 01 00 01 E7"));
    // Quiet, asked, forgotten; six steps.
    for (int i = 0; i < 9; ++i)
      w.jobs.run_one();
    CHECK(medium->bytes[6 * step_bytes - 1] == 0xe7);
    CHECK(medium->bytes[6 * step_bytes] == 0x11);
  }
  OperationWorld w(medium, &memory);
  check_formatting(w.run(test_unit_ready));
  w.jobs.run_all();
  CHECK(w.all(0xe7));
  CHECK(w.run(test_unit_ready).good());
}

TEST_CASE("a FORMAT UNIT that is aborted before its first step goes on without its command") {
  FakeMemory memory;
  OperationWorld w(std::make_shared<Disk>(), &memory);
  w.fill(0x11);
  Command command;
  w.world.start(command, w.nexus, cdb_of(format), {});
  REQUIRE(command.owner.finished == 0);
  w.nexus.stop(command.task);
  CHECK(command.owner.finished == 1);
  check_formatting(w.run(test_unit_ready));
  w.jobs.run_all();
  CHECK(w.all(0));
}

TEST_CASE("FORMAT UNIT saves the mode parameters unless DSP keeps it from that") {
  FakeMemory memory;
  OperationWorld w(std::make_shared<Disk>(), &memory);
  const auto saved = [&] { return w.unit().saved_mode_parameters()->write_cache_enabled; };
  // MODE SELECT without SP: WCE off.
  Bytes list = hex("00 00 00 00 08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  REQUIRE(w.finish("15 10 00 00 18 00", list).good());
  REQUIRE(saved());
  CHECK(w.finish(format_with_list, hex("00 84 00 00")).good());
  CHECK(saved());
  CHECK(w.finish(format_with_list, hex("00 80 00 00")).good());
  CHECK_FALSE(saved());
}
