// Thin units that count their room: soft thresholds, a full unit, room given back; and fully
// provisioned units, which know none of it.
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/device/copy_world.hpp"
#include "tests/unit/device/fake_memory.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr std::uint32_t set_blocks = 128;  // a threshold set: 64 KiB
constexpr std::uint16_t thin_lun = 3;

std::shared_ptr<LogicalUnit> unit_of(const std::string& text, const ProvisioningShape& shape,
                                     std::uint64_t id = 20) {
  auto spec = store::parse_store_spec(text).value();
  spec.provisioning = {shape.thin, shape.counted(), shape.provisioned,
                       shape.wait_when_full.value_or(false)};
  auto guard = store::open_guarded(spec, "/tmp", {4096, base::ByteCount(1u << 20)}).value();
  UnitShape whole;
  whole.provisioning = shape;
  const Bytes array(16, 0xaa);
  return std::make_shared<LogicalUnit>(
      id, make_identity(array, "iqn.2026-11.io.copymgr:test", {static_cast<std::uint16_t>(id)}),
      std::move(guard), whole, LogicalUnitLimits{});
}

ProvisioningShape bounded(std::uint64_t sets, std::uint8_t used = 0, std::uint8_t available = 0,
                          std::optional<bool> waits = {}) {
  return {true, base::ByteCount(sets * 65536), used, available, waits};
}

Bytes unmap_list(std::uint64_t lba, std::uint32_t blocks) {
  Bytes out(24);
  out[1] = 22;
  out[3] = 16;
  base::store_be64(out, 8, lba);
  base::store_be32(out, 16, blocks);
  return out;
}
const char* const unmap_cdb = "42 00 00 00 00 00 00 00 18 00";

// LUN 3: a thin unit of 4 MiB, seen by two nexuses.
struct ThinWorld : CopyWorld {
  explicit ThinWorld(const ProvisioningShape& shape)
      : CopyWorld({{scsi::Lun{thin_lun}, unit_of("memory:4M", shape)}}),
        other(login("iqn.host:b")) {}

  LogicalUnit& unit() { return *target->units().at(scsi::Lun{thin_lun}); }
  Answer write(std::uint64_t lba, std::uint32_t blocks, unsigned seed = 1) {
    return run(write_16(lba, blocks), pattern(blocks, 512, seed), thin_lun);
  }
  Answer unmap(std::uint64_t lba, std::uint32_t blocks) {
    return run(unmap_cdb, unmap_list(lba, blocks), thin_lun);
  }
  Bytes read(std::uint64_t lba, std::uint32_t blocks) {
    return run(read_16(lba, blocks), {}, thin_lun).data;
  }
  // How often TEST UNIT READY is told of the threshold; nothing else may be pending.
  int told(Nexus& whom) {
    for (int times = 0;; ++times) {
      const Answer answer = World::run(whom, cdb_of("00"), {}, thin_lun);
      if (answer.good()) return times;
      check_sense(answer, scsi::SenseKey::unit_attention, 0x38, 0x07);
    }
  }
  struct Figures {
    std::uint64_t available, used;
    unsigned scope;
    bool operator==(const Figures&) const = default;
  };
  Figures log_page() {
    const Bytes data = run("4D 00 0C 00 00 00 00 00 1C 00", {}, thin_lun).data;
    REQUIRE(data.size() == 28);
    return {base::load_be32(data, 8), base::load_be32(data, 20), data[12]};
  }

  std::unique_ptr<Nexus> other;
};

void check_full(const Answer& answer) {
  check_sense(answer, scsi::SenseKey::data_protect, 0x27, 0x07);
}
void check_waits(const Answer& answer) {
  check_sense(answer, scsi::SenseKey::not_ready, 0x04, 0x14);
}

}  // namespace

TEST_CASE("06/38/07: the crossing write is done, then every nexus hears of it once") {
  ThinWorld world(bounded(20, 70));
  REQUIRE(world.write(0, 14 * set_blocks - 8).good());
  CHECK(world.told(*world.nexus) == 0);
  CHECK(world.told(*world.other) == 0);
  REQUIRE(world.write(14 * set_blocks - 8, 8).good());
  CHECK(world.told(*world.nexus) == 1);
  CHECK(world.log_page() == ThinWorld::Figures{6, 14, 1});
  for (std::uint32_t i = 14; i < 20; ++i)
    REQUIRE(world.write(i * set_blocks, set_blocks).good());
  CHECK(world.told(*world.nexus) == 0);
  CHECK(world.told(*world.other) == 1);
  // At the edge nothing flutters: a whole set has to go.
  REQUIRE(world.unmap(14 * set_blocks, 6 * set_blocks).good());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(world.unmap(0, 8).good());
    REQUIRE(world.write(0, 8).good());
  }
  CHECK(world.told(*world.nexus) == 0);
  REQUIRE(world.unmap(0, set_blocks).good());
  CHECK(world.log_page().used == 13);
  CHECK(world.told(*world.nexus) == 0);
  REQUIRE(world.write(0, set_blocks).good());
  CHECK(world.told(*world.nexus) == 1);
  CHECK(world.told(*world.other) == 1);
}

TEST_CASE("a threshold of what is available, and both at once") {
  ThinWorld world(bounded(20, 50, 25));  // used 10; 5 left
  REQUIRE(world.write(0, 10 * set_blocks).good());
  CHECK(world.told(*world.nexus) == 1);
  REQUIRE(world.write(10 * set_blocks, 5 * set_blocks - 8).good());
  CHECK(world.told(*world.nexus) == 0);
  REQUIRE(world.write(15 * set_blocks - 8, 8).good());
  CHECK(world.told(*world.nexus) == 1);
  CHECK(world.log_page().available == 5);
  CHECK(world.told(*world.other) == 1);  // both, unread, are one condition
}

TEST_CASE("more room takes what is available over its threshold, less brings it back") {
  ThinWorld world(bounded(20, 0, 25));
  REQUIRE(world.write(0, 15 * set_blocks).good());
  CHECK(world.told(*world.nexus) == 1);
  world.unit().guard().quota()->set_bound(base::ByteCount(40 * 65536));
  CHECK(world.log_page() == ThinWorld::Figures{25, 15, 1});
  CHECK(world.told(*world.nexus) == 0);
  world.unit().guard().quota()->set_bound(base::ByteCount(19 * 65536));
  CHECK(world.told(*world.nexus) == 1);
}

TEST_CASE("a full unit: 07/27/07 for what needs new blocks, nothing of it written") {
  ThinWorld world(bounded(4));
  REQUIRE(world.write(0, 4 * set_blocks - 8).good());
  const Bytes before = world.read(0, 6 * set_blocks);
  check_full(world.write(4 * set_blocks - 16, 24, 2));
  CHECK(world.read(0, 6 * set_blocks) == before);
  CHECK(world.write(4 * set_blocks - 16, 16, 3).good());
  CHECK(world.log_page() == ThinWorld::Figures{0, 4, 1});
  CHECK(world.write(0, 4 * set_blocks, 4).good());  // mapped: goes on
  const Bytes two = pattern(2, 512, 9);
  const std::uint64_t free_block = 5 * set_blocks;
  scsi::CdbBytes compare{0x89};
  put(compare, 2, 8, free_block);
  compare[13] = 1;
  Bytes halves(512);
  halves.insert(halves.end(), two.begin(), two.begin() + 512);
  check_full(world.run(compare, halves, thin_lun));
  scsi::CdbBytes verify = write_16(free_block, 2);
  verify[0] = 0x8e;
  check_full(world.run(verify, two, thin_lun));
  scsi::CdbBytes atomic{0x9c};
  put(atomic, 2, 8, free_block);
  put(atomic, 12, 2, 2);
  check_full(world.run(atomic, two, thin_lun));
  scsi::CdbBytes same{0x93};
  put(same, 2, 8, free_block);
  put(same, 10, 4, 2);
  check_full(world.run(same, Bytes(512, 7), thin_lun));
  CHECK(world.run(same, Bytes(512), thin_lun).good());  // zeros take nothing
  CHECK(world.read(free_block, 2) == Bytes(1024));
  REQUIRE(world.unmap(0, 8).good());
  CHECK(world.write(free_block, 2).good());
  check_full(world.write(free_block + 8, 2));
  CHECK(world.told(*world.nexus) == 0);
}

TEST_CASE("exhausted=wait: 02/04/14 until there is room, and by the admin's word either") {
  ThinWorld world(bounded(2, 0, 0, true));
  REQUIRE(world.write(0, 2 * set_blocks).good());
  check_waits(world.write(2 * set_blocks, 1));
  CHECK(world.run("00", {}, thin_lun).good());
  store::Quota& quota = *world.unit().guard().quota();
  quota.set_waits(false);
  check_full(world.write(2 * set_blocks, 1));
  quota.set_waits(true);
  check_waits(world.write(2 * set_blocks, 1));
  quota.set_bound(base::ByteCount(3 * 65536));
  CHECK(world.write(2 * set_blocks, 1).good());
  quota.set_bound(base::ByteCount(0));  // full, whatever it holds
  CHECK(world.write(2 * set_blocks, 8).good());
  check_waits(world.write(3 * set_blocks, 1));
}

TEST_CASE("copies into a full unit: WRITE USING TOKEN and EXTENDED COPY's destination") {
  for (const bool waits : {false, true}) {
    ThinWorld world(bounded(1, 0, 0, waits));
    const Bytes data = pattern(2 * set_blocks, 512, 5);
    world.fill(0, data);
    const Token token = world.make_token({{0, 2 * set_blocks}});
    const Answer answer = world.write_using(1, write_list(token, {{0, 2 * set_blocks}}), thin_lun);
    waits ? check_waits(answer) : check_full(answer);
    CHECK_FALSE(answer.sense->information);
    const Bytes record = world.record(1, thin_lun);
    const std::uint64_t good = base::load_be64(record, 16);
    CHECK(world.content(0, static_cast<std::uint32_t>(good), thin_lun) ==
          Bytes(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(good * 512)));
    CHECK(world.log_page().used <= 1);
    // Zeros need no room.
    CHECK(world.use_token(zero_token(), {{0, 4 * set_blocks}}, thin_lun).good());
    CHECK(world.log_page().used == 0);
  }
}

TEST_CASE("MODE SELECT sets thresholds, tells the other nexuses, and a reached one is told") {
  ThinWorld world(bounded(20));
  FakeMemory memory;
  REQUIRE(world.unit().restore(memory));
  const auto mode_sense = [&](const char* cdb) { return world.run(cdb, {}, thin_lun).data; };
  REQUIRE(world.write(0, 8 * set_blocks).good());
  Bytes list = mode_sense("1A 08 1C 02 FF 00");
  REQUIRE(list.size() == 4 + 32);
  CHECK(list[4 + 24] == 0x01);  // no threshold was asked for
  list[0] = list[2] = 0;
  list[4] &= 0x7f;
  list[4 + 24] = 0x81;
  list[4 + 31] = 9;
  CHECK(world.run("15 11 00 00 24 00", list, thin_lun).good());  // PF and SP
  const Answer changed = world.World::run(*world.other, cdb_of("00"), {}, thin_lun);
  check_sense(changed, scsi::SenseKey::unit_attention, 0x2a, 0x01);
  CHECK(world.told(*world.nexus) == 0);
  REQUIRE(world.write(8 * set_blocks, set_blocks).good());
  CHECK(world.told(*world.nexus) == 1);
  CHECK(world.told(*world.other) == 1);
  list[4 + 31] = 5;  // a new threshold, below what is used, is still the same one reached
  CHECK(world.run("15 10 00 00 24 00", list, thin_lun).good());
  CHECK(world.told(*world.nexus) == 0);
  list[4 + 24] = 0x01;
  CHECK(world.run("15 10 00 00 24 00", list, thin_lun).good());
  list[4 + 24] = 0x81;
  CHECK(world.run("15 10 00 00 24 00", list, thin_lun).good());
  CHECK(world.told(*world.nexus) == 1);  // enabled while beyond it
  // What was saved is there after a restart.
  const auto again = unit_of("memory:4M", bounded(20));
  REQUIRE(again->restore(memory));
  CHECK(again->mode_parameters().provisioning.used == scsi::Threshold{true, 9});
  CHECK(again->saved_mode_parameters()->provisioning.used == scsi::Threshold{true, 9});
  // And does not stand in the way of a unit that counts nothing now.
  const auto plain = unit_of("memory:4M", {});
  CHECK(plain->restore(memory));
  CHECK(plain->mode_parameters() == scsi::ModeParameters{});
}

TEST_CASE("a LUN reset brings the thresholds of the command line back, and keeps the count") {
  ThinWorld world(bounded(20, 50));
  REQUIRE(world.write(0, 9 * set_blocks).good());
  CHECK(world
            .run("15 10 00 00 24 00",
                 hex("00 00 00 00 5C 02 00 1C 00 00 00 00 00 00 00 00 00 00 00 00"
                     "00 01 00 00 00 00 00 00 01 02 00 00 00 00 00 0A"),
                 thin_lun)
            .good());
  CHECK_FALSE(world.unit().mode_parameters().provisioning.used.enabled);
  bool reset = false;
  world.nexus->manage(TaskManagementFunction::logical_unit_reset, scsi::encode_lun({thin_lun}),
                      [&](auto) { reset = true; });
  REQUIRE(reset);
  for (Nexus* each : {world.nexus.get(), world.other.get()}) {
    check_sense(world.World::run(*each, cdb_of("00"), {}, thin_lun), scsi::SenseKey::unit_attention,
                0x29, 0x03);
  }
  CHECK(world.unit().mode_parameters().provisioning.used == scsi::Threshold{true, 10});
  REQUIRE(world.write(9 * set_blocks, set_blocks).good());
  CHECK(world.told(*world.other) == 1);
}

TEST_CASE("LBPERE off: the threshold is reached in silence") {
  ThinWorld world(bounded(20, 50));
  CHECK(world
            .run("15 10 00 00 10 00", hex("00 00 00 00 01 0A 00 00 00 00 00 00 00 00 00 00"),
                 thin_lun)
            .good());
  world.World::run(*world.other, cdb_of("00"), {}, thin_lun);  // mode parameters changed
  REQUIRE(world.write(0, 12 * set_blocks).good());
  CHECK(world.told(*world.nexus) == 0);
  CHECK(world.told(*world.other) == 0);
}

TEST_CASE("a unit that counts nothing has no thresholds to show") {
  OneSession world;
  check_bad_cdb(world.run("1A 08 1C 02 FF 00"), byte(3));
  CHECK(world.run("1A 08 01 00 FF 00").data.at(4 + 7) == 0);
}

TEST_CASE("many sessions at the edge: what is acknowledged is there, no write is torn",
          "[threads]") {
  const auto unit = unit_of("memory:4M", bounded(10, 50));
  World world({{scsi::Lun{thin_lun}, unit}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0}, full{0};
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      store::Guard& guard = unit->guard();
      for (unsigned i = 0; i < 400; ++i) {
        const std::uint64_t at = (t * 16 + i % 16) * 65536 % (4u << 20);
        const Bytes data(65536, static_cast<std::uint8_t>(t * 64 + i % 64 + 1));
        Bytes before(65536), after(65536);
        (void)guard.read(base::ByteOffset(at), before);
        const auto done = guard.write(base::ByteOffset(at), data, store::Durability::cached);
        (void)guard.read(base::ByteOffset(at), after);
        if (after != (done ? data : before)) ++wrong;
        if (!done) ++full;
        if (i % 3 == 2) (void)guard.write_zeros({base::ByteOffset(at), base::ByteCount(65536)});
        if (guard.quota()->used().value > 10 * 65536) ++wrong;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(full > 0);
}

TEST_CASE("a fully provisioned unit: no LBPME, no B2h, no UNMAP, no page 0Ch, all blocks mapped") {
  ::test::TempDir dir;
  const auto thick = [&](const char* name, std::uint64_t id) {
    return unit_of("file:" + dir.path(name) + ",size=1M", {.thin = false}, id);
  };
  OneSession world({{scsi::Lun{thin_lun}, thick("a", 20)}, {scsi::Lun{4}, thick("b", 21)}});
  const auto ask = [&](const char* cdb) { return world.run(cdb, {}, thin_lun); };
  CHECK(ask("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00").data.at(14) == 0);
  CHECK(ask("12 01 00 00 FF 00").data == hex("00 00 00 0A 00 80 83 85 86 87 88 8F B0 B1"));
  check_bad_cdb(ask("12 01 B2 00 FF 00"), byte(2));
  const Bytes limits = ask("12 01 B0 00 FF 00").data;
  CHECK(Bytes(limits.begin() + 20, limits.begin() + 36) == Bytes(16));
  check_bad_cdb(ask("4D 00 4C 00 00 00 00 00 1C 00"), bit(2, 5));
  CHECK(ask("4D 00 00 00 00 00 00 00 FF 00").data == hex("00 00 00 08 00 0D 0F 11 15 18 19 2F"));
  check_bad_cdb(ask("1A 08 1C 02 FF 00"), byte(3));
  check_illegal(world.run(unmap_cdb, unmap_list(0, 8), thin_lun), 0x20, 0x00);
  CHECK(ask("A3 0C 01 42 00 00 00 00 00 FF 00 00").data == hex("00 01 00 00"));
  CHECK(world.run("A3 0C 01 42 00 00 00 00 00 FF 00 00").data.at(1) == 3);
  const auto count = [&](std::uint16_t lun) {
    return base::load_be32(world.run("A3 0C 00 00 00 00 00 00 FF FF 00 00", {}, lun).data, 0) / 8;
  };
  CHECK(count(thin_lun) + 1 == count(0));
  const Bytes map = ask("9E 12 00 00 00 00 00 00 00 00 00 00 00 FF 00 00").data;
  REQUIRE(map.size() == 24);
  CHECK(base::load_be32(map, 16) == 2048);
  CHECK(map[20] == 0);

  // Zeros are written, by any command, and the room stays.
  const Bytes old = pattern(2048, 512, 1);
  scsi::CdbBytes same{0x93};
  put(same, 10, 4, 2048);
  same[1] = 0x08;  // UNMAP
  check_bad_cdb(world.run(same, Bytes(512), thin_lun), bit(1, 3));
  same[1] = 0;
  REQUIRE(world.run(write_16(0, 2048), old, thin_lun).good());
  REQUIRE(world.run(same, Bytes(512), thin_lun).good());
  CHECK(world.run(read_16(0, 2048), {}, thin_lun).data == Bytes(2048 * 512));
  REQUIRE(world.run("35 00 00 00 00 00 00 00 00 00", {}, thin_lun).good());
  CHECK(::test::allocated_bytes(dir.path("a")) >= unit_bytes);
}

TEST_CASE("a fully provisioned unit keeps its room through copies of zeros and holes") {
  ::test::TempDir dir;
  auto thick = unit_of("file:" + dir.path("a") + ",size=1M", {.thin = false}, 20);
  auto sparse = unit_of("file:" + dir.path("b") + ",size=1M", {}, 21);
  CopyWorld world({{scsi::Lun{3}, thick}, {scsi::Lun{4}, sparse}});
  world.fill(0, pattern(2048, 512, 1), 3);
  world.fill(64, pattern(64, 512, 2), 4);
  CHECK(world.use_token(zero_token(), {{0, 1024}}, 3).good());
  CHECK(world.use_token(world.make_token({{0, 2048}}, 4), {{0, 2048}}, 3).good());
  CHECK(world.content(0, 2048, 3) == world.content(0, 2048, 4));
  REQUIRE(world.run("35 00 00 00 00 00 00 00 00 00", {}, 3).good());
  CHECK(::test::allocated_bytes(dir.path("a")) >= unit_bytes);
}

TEST_CASE("a pattern that cannot have room in every block is refused before anything is lost") {
  ThinWorld world(bounded(3));
  REQUIRE(world.write(0, 8).good());
  const Bytes overwrite{1, 0, 0, 1, 0x55}, format = hex("00 88 00 00 00 01 00 01 55");
  const Answer sanitized = world.run("48 01 00 00 00 00 00 00 05 00", overwrite, thin_lun);
  check_sense(sanitized, scsi::SenseKey::data_protect, 0x27, 0x07);
  const Answer formatted = world.run("04 10 00 00 00 00", format, thin_lun);
  check_sense(formatted, scsi::SenseKey::data_protect, 0x27, 0x07);
  CHECK(world.run("00", {}, thin_lun).good());
  CHECK(world.read(0, 8) == pattern(8, 512, 1));
  // Nothing is written by these.
  CHECK(world.run("48 02 00 00 00 00 00 00 00 00", {}, thin_lun).good());
  CHECK(world.read(0, 8) == Bytes(8 * 512));
}
