// SANITIZE and FORMAT UNIT that fail, are interrupted by a restart, or lose their unit.
#include "base/digest.hpp"
#include "tests/unit/device/operation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// Runs BLOCK ERASE (or what is given) up to its first step of erasing, and that many steps.
void start_and_step(OperationWorld& w, const scsi::CdbBytes& cdb, const Bytes& list,
                    std::size_t steps) {
  Command command;
  w.world.start(command, w.nexus, cdb, list);
  for (std::size_t i = 0; i < 3 + steps; ++i)
    w.jobs.run_one();
  REQUIRE(command.owner.finished == 1);
}

const std::string unit_name = [] {
  const auto unit = unit_on(std::make_shared<Disk>());
  return base::to_hex(unit->identity().naa);
}();

Bytes record_in(FakeMemory& memory) {
  return memory.values[{unit_name, Keepsake::operation}];
}

const Bytes twice = overwrite_list(0x82, {0x3c});

}  // namespace

TEST_CASE("a SANITIZE that fails closes the unit until another succeeds") {
  OperationWorld w;
  w.medium->writable_bytes = unit_bytes / 2;
  check_medium_error(w.finish(block_erase), 0x03);
  for (const char* cdb : {test_unit_ready, "28 00 00 00 00 00 00 00 01 00", "1A 00 08 00 FF 00",
                          "04 00 00 00 00 00", "A3 0C 00 00 00 00 00 00 01 00 00 00"}) {
    INFO(cdb);
    check_medium_error(w.run(cdb), 0x03);
  }
  CHECK(w.run("12 00 00 00 60 00").good());
  const auto told = scsi::parse_sense(w.run(request_sense).data);
  CHECK(told == scsi::sense::make(scsi::SenseKey::medium_error, {0x31, 0x03}));
  // The restricted mode: no exit, and no way into the other mode.
  check_bad_cdb(w.run(exit_failure_mode), bit(1, 4));
  check_bad_cdb(w.run(block_erase_ause), bit(1, 5));
  check_medium_error(w.run(test_unit_ready), 0x03);
  check_medium_error(w.finish(block_erase), 0x03);
  w.medium->writable_bytes = unit_bytes;
  CHECK(w.finish(block_erase).good());
  CHECK(w.run(test_unit_ready).good());
}

TEST_CASE("after a failure in the unrestricted mode EXIT FAILURE MODE opens the unit") {
  OperationWorld w;
  w.medium->fail_flushes = true;
  check_medium_error(w.finish(block_erase_ause), 0x03);
  check_medium_error(w.run(test_unit_ready), 0x03);
  CHECK(w.finish(exit_failure_mode).good());
  CHECK(w.run(test_unit_ready).good());
  w.medium->fail_flushes = false;
  // Copies find the unit again.
  w.world.fill(0, pattern(8, 512, 1));
  CHECK(w.world.make_token({{0, 8}}).size() == 512);
}

TEST_CASE("a failure with IMMED is told to whom asks later") {
  OperationWorld w;
  w.medium->writable_bytes = 0;
  CHECK(w.finish(block_erase_immed).good());
  check_medium_error(w.run(test_unit_ready), 0x03);
}

TEST_CASE("a restart goes on from the last mark, and the unit is not ready before the end") {
  const auto medium = std::make_shared<Disk>();
  FakeMemory memory;
  // Marks come every fourth step and after each pass.
  for (const std::size_t steps : {std::size_t{0}, std::size_t{1}, std::size_t{6}, steps_a_pass,
                                  steps_a_pass + 7, 2 * steps_a_pass - 1}) {
    INFO(steps);
    {
      OperationWorld w(medium, &memory);
      w.fill(0x11);
      start_and_step(w, overwrite_cdb(twice, 0x81), twice, steps);
      CHECK_FALSE(w.all(0x3c));
    }
    CHECK_FALSE(record_in(memory).empty());
    OperationWorld w(medium, &memory);
    check_sanitizing(w.run(test_unit_ready));
    check_sanitizing(w.run("28 00 00 00 00 00 00 00 01 00"));
    const std::size_t marked = steps / 4 * 4;
    CHECK(*w.run(test_unit_ready).sense->progress == marked * 65536 / (2 * steps_a_pass));
    std::size_t left = 0;
    for (; w.jobs.waiting() != 0; ++left)
      w.jobs.run_one();
    CHECK(left == 3 + 2 * steps_a_pass - marked);
    CHECK(w.all(0x3c));
    CHECK(w.run(test_unit_ready).good());
    CHECK(record_in(memory).empty());
  }
  // Nothing is done once more.
  OperationWorld w(medium, &memory);
  CHECK(w.jobs.waiting() == 0);
  CHECK(w.run(test_unit_ready).good());
}

TEST_CASE("a failure is remembered over a restart, with its mode") {
  for (const bool unrestricted : {false, true}) {
    INFO(unrestricted);
    const auto medium = std::make_shared<Disk>();
    FakeMemory memory;
    {
      OperationWorld w(medium, &memory);
      w.medium->writable_bytes = 0;
      check_medium_error(w.finish(unrestricted ? block_erase_ause : block_erase), 0x03);
    }
    medium->writable_bytes = unit_bytes;
    OperationWorld w(medium, &memory);
    CHECK(w.jobs.waiting() == 0);
    check_medium_error(w.run(test_unit_ready), 0x03);
    if (unrestricted) {
      memory.broken = true;
      check_sense(w.finish(exit_failure_mode), scsi::SenseKey::hardware_error, 0x44, 0x00);
      check_medium_error(w.run(test_unit_ready), 0x03);
      memory.broken = false;
      CHECK(w.finish(exit_failure_mode).good());
      CHECK(w.run(test_unit_ready).good());
      CHECK(record_in(memory).empty());
    } else {
      check_bad_cdb(w.run(exit_failure_mode), bit(1, 4));
    }
  }
}

TEST_CASE("what was begun on one store is not done to another, nor forgotten") {
  const auto medium = std::make_shared<Disk>();
  FakeMemory memory;
  {
    OperationWorld w(medium, &memory);
    start_and_step(w, overwrite_cdb(twice, 0x81), twice, 1);
  }
  const auto other = std::make_shared<Disk>();
  SECTION("another name") {
    other->name = "file /srv/b.img";
  }
  SECTION("another size") {
    other->bytes.resize(2 * unit_bytes, 0x22);
  }
  std::fill(other->bytes.begin(), other->bytes.end(), 0x22);
  OperationWorld w(other, &memory);
  CHECK(w.jobs.waiting() == 0);
  CHECK(other->bytes == Bytes(other->bytes.size(), 0x22));
  check_medium_error(w.run(test_unit_ready), 0x03);
}

TEST_CASE("what cannot be remembered is not begun") {
  FakeMemory memory;
  OperationWorld w(std::make_shared<Disk>(), &memory);
  w.fill(0x11);
  memory.broken = true;
  for (const char* cdb : {block_erase, block_erase_immed, "04 10 00 00 00 00"}) {
    INFO(cdb);
    const Answer answer =
        w.finish(cdb, cdb[1] == '4' && cdb[0] == '0' ? hex("00 84 00 00") : Bytes{});
    check_sense(answer, scsi::SenseKey::hardware_error, 0x44, 0x00);
    CHECK(w.run(test_unit_ready).good());
    CHECK(w.all(0x11));
  }
}

TEST_CASE("a record that stays keeps the unit closed: after a restart it would erase new data") {
  const auto medium = std::make_shared<Disk>();
  FakeMemory memory;
  {
    OperationWorld w(medium, &memory);
    Command command;
    w.world.start(command, w.nexus, cdb_of(block_erase), {});
    w.jobs.run_one();
    memory.broken = true;
    w.jobs.run_all();
    check_medium_error(command.owner.answer, 0x03);
    check_medium_error(w.run(test_unit_ready), 0x03);
    memory.broken = false;
  }
  OperationWorld w(medium, &memory);
  check_sanitizing(w.run(test_unit_ready));
  w.jobs.run_all();
  CHECK(w.run(test_unit_ready).good());
}

TEST_CASE("a unit that is removed stops being erased, and goes on after a restart") {
  const auto medium = std::make_shared<Disk>();
  FakeMemory memory;
  {
    OperationWorld w(medium, &memory);
    w.fill(0x11);
    start_and_step(w, overwrite_cdb(twice, 0x81), twice, 5);
    base::InlineExecutor here;
    w.world.target->remove_unit({0}, here);
    const Bytes as_it_was = medium->bytes;
    w.jobs.run_all();
    CHECK(medium->bytes == as_it_was);
    CHECK_FALSE(record_in(memory).empty());
  }
  OperationWorld w(medium, &memory);
  check_sanitizing(w.run(test_unit_ready));
  w.jobs.run_all();
  CHECK(w.all(0x3c));
}

TEST_CASE("the record of an operation survives a round trip; anything else is none") {
  OperationRecord record;
  record.failed = true;
  record.plan = {OperationPlan::Kind::sanitize, true, 31, true, {1, 2, 3}};
  record.position = {30, base::ByteCount(0x123456789a)};
  record.store = "file /srv/a.img";
  record.size = base::ByteCount(1ull << 40);
  const Bytes bytes = encode(record);
  CHECK(decode_operation(bytes) == record);
  CHECK(decode_operation(encode({})) == OperationRecord{});
  for (std::size_t i = 0; i < 24 + 3; ++i)
    CHECK_FALSE(decode_operation(base::ByteView(bytes).first(i)));
  Bytes newer = bytes, beyond = bytes, pass = bytes;
  newer[0] = 2;
  beyond[4] = 1;  // further than the store is long
  pass[3] = 31;   // behind the last pass
  for (const Bytes& bad : {newer, beyond, pass})
    CHECK_FALSE(decode_operation(bad));
  FakeMemory memory;
  memory.values[{unit_name, Keepsake::operation}] = newer;
  CHECK_FALSE(unit_on(std::make_shared<Disk>())->restore(memory));
}

TEST_CASE("progress is in 65536ths of all passes and never says that all is done") {
  const base::ByteCount size(1000);
  OperationPlan plan;
  plan.passes = 4;
  CHECK(progress_of(plan, {0, base::ByteCount(0)}, size) == 0);
  CHECK(progress_of(plan, {0, base::ByteCount(500)}, size) == 8192);
  CHECK(progress_of(plan, {3, base::ByteCount(0)}, size) == 49152);
  CHECK(progress_of(plan, {3, size}, size) == 65535);
}
