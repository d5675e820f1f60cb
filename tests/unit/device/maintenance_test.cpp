// Timestamp, identifying information, task management functions, diagnostics and buffers through
// the device server.
#include "base/digest.hpp"
#include "store/memory_store.hpp"
#include "tests/unit/device/fake_memory.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const ready = "00 00 00 00 00 00";

void check_told_once(World& world, Nexus& other, std::uint8_t code, std::uint8_t qualifier) {
  check_sense(world.run(other, cdb_of(ready)), scsi::SenseKey::unit_attention, code, qualifier);
  CHECK(world.run(other, cdb_of(ready)).good());
  CHECK(world.run(other, cdb_of(ready), {}, 1).good());
}
void check_bad_list(const Answer& answer, std::uint16_t at) {
  check_illegal(answer, 0x26, 0x00);
  CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
  CHECK(answer.sense->field == byte(at));
}

}  // namespace

TEST_CASE("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS says what manage() does") {
  OneSession world;
  CHECK(world.run("A3 0D 00 00 00 00 00 00 00 40 00 00").data == hex("DA 00 00 00"));
  CHECK(world.run("A3 0D 80 00 00 00 00 00 00 40 00 00").data ==
        hex("DA 00 00 0C 00 00 00 00 00 00 00 00 00 00 00 00"));
  CHECK(world.run("A3 0D 80 00 00 00 00 00 00 04 00 00").data == hex("DA 00 00 0C"));
  Owner owner;
  world.nexus->set_owner(&owner);
  using enum TaskManagementFunction;
  struct Told {
    TaskManagementFunction function;
    bool supported;
  };
  for (const Told& each : {Told{abort_task_set, true},
                           {clear_aca, false},
                           {clear_task_set, true},
                           {logical_unit_reset, true},
                           {target_warm_reset, true}}) {
    std::optional<TaskManagementResponse> response;
    world.nexus->manage(each.function, 0, [&](TaskManagementResponse r) { response = r; });
    CHECK((response == TaskManagementResponse::function_complete) == each.supported);
  }
}

TEST_CASE("the timestamp starts at zero, runs by the clock, and shows what a host set") {
  OneSession world;
  const char* const report = "A3 0F 00 00 00 00 00 00 00 0C 00 00";
  const auto other = world.login("iqn.host:b");
  CHECK(world.run(report).data == hex("00 0A 00 00 00 00 00 00 00 00 00 00"));
  world.clock.advance(1500ms);
  CHECK(world.run(report).data == hex("00 0A 00 00 00 00 00 00 05 DC 00 00"));
  const Bytes list = hex("00 00 00 00 01 02 03 04 05 06 00 00");
  const Answer answer = world.run("A4 0F 00 00 00 00 00 00 00 0C 00 00", list);
  CHECK(answer.good());
  CHECK(answer.transfer_length == 12);
  world.clock.advance(2ms);
  CHECK(world.run(report).data == hex("00 0A 02 00 01 02 03 04 05 08 00 00"));
  check_told_once(world, *other, 0x2a, 0x10);
  CHECK(world.run(report, {}, 1).data[2] == 0x00);  // of one unit
  CHECK(world.run("A3 0F 00 00 00 00 00 00 00 02 00 00").data == hex("00 0A"));
}

TEST_CASE("SET TIMESTAMP takes its whole list or none; 48 bits wrap") {
  OneSession world;
  const char* const report = "A3 0F 00 00 00 00 00 00 00 0C 00 00";
  CHECK(world.run("A4 0F 00 00 00 00 00 00 00 00 00 00").good());
  const Bytes list = hex("00 00 00 00 FF FF FF FF FF FF 00 00");
  check_illegal(world.run("A4 0F 00 00 00 00 00 00 00 0B 00 00", list), 0x1a, 0x00);
  check_illegal(world.run("A4 0F 00 00 00 00 00 00 00 0D 00 00", list), 0x1a, 0x00);
  check_illegal(world.run("A4 0F 00 00 00 00 00 00 00 0C 00 00", Bytes(11)), 0x1a, 0x00);
  CHECK(world.run(report).data == hex("00 0A 00 00 00 00 00 00 00 00 00 00"));
  CHECK(world.run("A4 0F 00 00 00 00 00 00 00 0C 00 00", list).good());
  world.clock.advance(1ms);
  CHECK(world.run(report).data == hex("00 0A 02 00 00 00 00 00 00 00 00 00"));
}

TEST_CASE("identifying information is there after a restart, of the unit it was given to") {
  FakeMemory memory;
  const Bytes name = hex("64 69 73 6B 00"), number = hex("12 34");
  {
    Remembering world(memory);
    const auto other = world.login("iqn.host:b");
    CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 04 00").data == hex("00 00 00 00"));
    CHECK(world.run("A4 06 00 00 00 00 00 00 00 05 04 00", name).good());
    check_told_once(world, *other, 0x3f, 0x05);
    CHECK(world.run("A4 06 00 00 00 00 00 00 00 02 00 00", number).good());
  }
  Remembering world(memory);
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 04 00").data == hex("00 00 00 05 64 69 73 6B 00"));
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 00 00").data == hex("00 00 00 02 12 34"));
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 05 04 00").data == hex("00 00 00 05 64"));
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 04 00", {}, 1).data == hex("00 00 00 00"));
  CHECK(world.run("A4 06 00 00 00 00 00 00 00 00 04 00").good());  // taken away
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 04 00").data == hex("00 00 00 00"));
  // Both kinds, and how long they can be.
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF FE 00").data ==
        hex("00 00 00 08 00 00 02 00 04 00 02 00"));
}

TEST_CASE("identifying information: what is refused, and changes nothing") {
  FakeMemory memory;
  Remembering world(memory);
  const Bytes good = hex("41 00");
  CHECK(world.run("A4 06 00 00 00 00 00 00 00 02 04 00", good).good());
  check_bad_cdb(world.run("A3 05 00 00 00 00 00 00 00 FF 02 00"), bit(10, 7));
  check_bad_cdb(world.run("A4 06 00 00 00 00 00 00 00 02 FE 00", good), bit(10, 7));
  check_bad_cdb(world.run("A4 06 00 00 00 00 00 00 02 01 04 00", Bytes(0x201)), byte(6));
  check_bad_list(world.run("A4 06 00 00 00 00 00 00 00 02 04 00", hex("41 42")), 1);
  check_illegal(world.run("A4 06 00 00 00 00 00 00 00 03 04 00", good), 0x1a, 0x00);
  memory.broken = true;
  check_sense(world.run("A4 06 00 00 00 00 00 00 00 02 04 00", hex("42 00")),
              scsi::SenseKey::hardware_error, 0x44, 0x00);
  CHECK(world.run("A3 05 00 00 00 00 00 00 00 FF 04 00").data == hex("00 00 00 02 41 00"));
  Bytes longest(0x200, 0x41);
  longest.back() = 0;
  memory.broken = false;
  CHECK(world.run("A4 06 00 00 00 00 00 00 02 00 04 00", longest).good());
  CHECK(world.run("A3 05 00 00 00 00 00 00 FF FF 04 00").data.size() == 4 + 0x200);
}

TEST_CASE("SEND DIAGNOSTIC tests the store in the foreground, and takes the page that there is") {
  OneSession world;
  CHECK(world.run("1D 04 00 00 00 00").good());  // SELFTEST
  CHECK(world.run("1D 07 00 00 00 00").good());  // with DEVOFFL and UNITOFFL
  CHECK(world.run("1D A0 00 00 00 00").good());  // foreground short
  CHECK(world.run("1D C0 00 00 00 00").good());  // foreground extended
  CHECK(world.run("1D 00 00 00 00 00").good());
  CHECK(world.run("1D 10 00 00 04 00", hex("00 00 00 00")).good());
  for (const char* background : {"1D 20 00 00 00 00", "1D 40 00 00 00 00", "1D 80 00 00 00 00",
                                 "1D E0 00 00 00 00", "1D A4 00 00 00 00"}) {
    check_bad_cdb(world.run(background), bit(1, 7));
  }
  check_bad_cdb(world.run("1D 14 00 00 04 00", hex("00 00 00 00")), byte(3));
  check_bad_cdb(world.run("1D 00 00 00 04 00", hex("00 00 00 00")), bit(1, 4));
  check_bad_list(world.run("1D 10 00 00 04 00", hex("40 00 00 00")), 0);
  check_bad_list(world.run("1D 10 00 00 04 00", hex("00 00 00 01")), 2);
  check_illegal(world.run("1D 10 00 00 03 00", hex("00 00 00")), 0x1a, 0x00);
  check_illegal(world.run("1D 10 00 00 05 00", hex("00 00 00 00 00")), 0x1a, 0x00);
  check_illegal(world.run("1D 10 00 00 04 00", hex("00 00")), 0x1a, 0x00);
}

namespace {

// A store whose blocks cannot be read.
class Unreadable final : public store::Store {
 public:
  base::ByteCount size() const override { return base::ByteCount(unit_bytes); }
  std::string describe() const override { return "unreadable"; }
  store::StoreResult<> read(base::ByteOffset, base::ByteSpan) override {
    return base::fail(store::StoreError{store::StoreError::Kind::read_failed, 0});
  }
  store::StoreResult<> write(base::ByteOffset, base::ByteView, store::Durability) override {
    return {};
  }
  store::StoreResult<> write_zeros(base::Extent) override { return {}; }
  store::StoreResult<> flush() override { return {}; }
};

}  // namespace

TEST_CASE("a self-test of a unit that cannot be read fails") {
  auto side = store::MemoryStore::open(base::ByteCount(1u << 20));
  REQUIRE(side);
  store::GuardSettings settings;
  settings.side_bytes_max = base::ByteCount(1u << 20);
  auto guard =
      std::make_unique<store::Guard>(std::make_unique<Unreadable>(), std::move(*side), settings);
  OneSession world({{scsi::Lun{3}, make_unit(13, std::move(guard), 512)}});
  check_sense(world.run("1D 04 00 00 00 00", {}, 3), scsi::SenseKey::hardware_error, 0x3e, 0x03);
}

TEST_CASE("RECEIVE DIAGNOSTIC RESULTS lists itself") {
  OneSession world;
  CHECK(world.run("1C 01 00 00 FF 00").data == hex("00 00 00 01 00"));
  CHECK(world.run("1C 00 00 00 FF 00").data == hex("00 00 00 01 00"));
  CHECK(world.run("1C 01 00 00 04 00").data == hex("00 00 00 01"));
  check_bad_cdb(world.run("1C 01 40 00 FF 00"), byte(2));
}

TEST_CASE("the data buffer: what one host writes another reads, anywhere in it") {
  OneSession world;
  const auto other = world.login("iqn.host:b");
  CHECK(world.run("3C 03 00 00 00 00 00 00 04 00").data == hex("00 01 00 00"));
  CHECK(world.run("3C 03 01 00 00 00 00 00 04 00").data == hex("00 00 00 00"));
  CHECK(world.run("3C 02 00 00 00 00 00 00 03 00").data == hex("00 00 00"));
  const Answer written = world.run("3B 02 00 00 FF FD 00 00 03 00", hex("AA BB CC"));
  CHECK(written.good());
  CHECK(written.transfer_length == 3);
  CHECK(world.World::run(*other, cdb_of("3C 02 00 00 FF FE 00 00 FF 00")).data == hex("BB CC"));
  CHECK(world.run("3C 02 00 00 FF FC 00 00 02 00").data == hex("00 AA"));
  CHECK(world.run("3C 02 00 00 FF FC 00 00 02 00", {}, 1).data == hex("00 00"));
  CHECK(world.run("3C 02 00 00 00 00 FF FF FF 00").data.size() == 65536);
  CHECK(world.run("3B 02 00 00 00 00 00 00 00 00").good());
}

TEST_CASE("the echo buffer is a nexus's own, and cannot be read before it is written") {
  OneSession world;
  const auto other = world.login("iqn.host:b");
  CHECK(world.run("3C 0B 00 00 00 00 00 00 04 00").data == hex("01 00 10 00"));
  check_illegal(world.run("3C 0A 00 00 00 00 00 00 FF 00"), 0x2c, 0x00);
  CHECK(world.run("3B 0A 00 00 00 00 00 00 03 00", hex("01 02 03")).good());
  CHECK(world.run("3C 0A 00 00 00 00 00 00 FF 00").data == hex("01 02 03"));
  CHECK(world.run("3C 0A 00 00 00 00 00 00 02 00").data == hex("01 02"));
  check_illegal(world.World::run(*other, cdb_of("3C 0A 00 00 00 00 00 00 FF 00")), 0x2c, 0x00);
  check_illegal(world.run("3C 0A 00 00 00 00 00 00 FF 00", {}, 1), 0x2c, 0x00);
  CHECK(world.run("3B 0A 00 00 00 00 00 10 00 00", Bytes(4096, 7)).good());
  CHECK(world.run("3C 0A 00 00 00 00 00 FF FF 00").data == Bytes(4096, 7));
}

TEST_CASE("buffers: modes, places and lengths that are not there") {
  OneSession world;
  CHECK(world.run("3B 02 00 00 00 00 00 00 02 00", hex("AA BB")).good());
  for (unsigned mode = 0; mode < 0x20; ++mode) {
    INFO("mode " << mode);
    scsi::CdbBytes read = cdb_of("3C 00 00 00 00 00 00 00 04 00");
    scsi::CdbBytes write = cdb_of("3B 00 00 00 00 00 00 00 02 00");
    read[1] = write[1] = static_cast<std::uint8_t>(mode);
    const bool reads = mode == 0x02 || mode == 0x03 || mode == 0x0a || mode == 0x0b;
    if (!reads) check_bad_cdb(world.run(read), bit(1, 4));
    if (mode != 0x02 && mode != 0x0a) check_bad_cdb(world.run(write, hex("11 22")), bit(1, 4));
  }
  check_bad_cdb(world.run("3C 02 01 00 00 00 00 00 04 00"), byte(2));
  check_bad_cdb(world.run("3C 02 00 01 00 00 00 00 04 00"), byte(3));
  check_bad_cdb(world.run("3B 02 01 00 00 00 00 00 02 00", hex("11 22")), byte(2));
  check_bad_cdb(world.run("3B 02 00 01 00 00 00 00 02 00", hex("11 22")), byte(3));
  check_bad_cdb(world.run("3B 02 00 00 FF FF 00 00 02 00", hex("11 22")), byte(6));
  check_bad_cdb(world.run("3B 02 00 00 00 00 01 00 01 00", Bytes(65537)), byte(6));
  check_bad_cdb(world.run("3B 0A 00 00 00 00 00 10 01 00", Bytes(4097)), byte(6));
  check_illegal(world.run("3B 02 00 00 00 00 00 00 02 00", hex("11")), 0x1a, 0x00);
  CHECK(world.run("3C 02 00 00 00 00 00 00 02 00").data == hex("AA BB"));
}
