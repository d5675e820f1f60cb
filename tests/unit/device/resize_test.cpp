// Resizing a unit while hosts use it: who is told, what they read, what becomes of commands and
// tokens that reach into what is cut off, what is kept for the next start.
#include "target/device/unit_sizes.hpp"
#include "tests/unit/device/copy_world.hpp"
#include "tests/unit/device/fake_memory.hpp"

using namespace device;
using namespace device::test;

namespace {

const char* const ready = "00 00 00 00 00 00";
const char* const capacity_16 = "9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00";

struct ResizeWorld : CopyWorld {
  ResizeWorld() : other(login("iqn.host:b")) {}
  bool resize(std::uint64_t bytes, std::uint16_t lun = 0) {
    return target->resize_unit({lun}, base::ByteCount(bytes), home).has_value();
  }
  // Takes the attention that a resize leaves.
  void take_attention(Nexus& of, std::uint16_t lun = 0) {
    check_sense(World::run(of, cdb_of(ready), {}, lun), scsi::SenseKey::unit_attention, 0x2a, 0x09);
  }
  void take_attentions() {
    take_attention(*nexus);
    take_attention(*other);
  }
  std::uint64_t last_lba() { return base::load_be64(run(capacity_16).data, 0); }

  std::unique_ptr<Nexus> other;
};

}  // namespace

TEST_CASE("every nexus is told once that the capacity has changed, and of no other unit") {
  ResizeWorld world;
  REQUIRE(world.resize(2 * unit_bytes));
  REQUIRE(world.resize(4 * unit_bytes));
  for (Nexus* nexus : {world.nexus.get(), world.other.get()}) {
    world.take_attention(*nexus);
    CHECK(world.World::run(*nexus, cdb_of(ready)).good());
    CHECK(world.World::run(*nexus, cdb_of(ready), {}, 1).good());
  }
  REQUIRE(world.resize(4 * unit_bytes));  // as it is
  CHECK(world.run(ready).good());
}

TEST_CASE("a unit that has grown says so everywhere, and has zeros behind its old end") {
  ResizeWorld world;
  world.fill(unit_bytes / 512 - 4, pattern(4, 512, 1));
  check_illegal(world.run(read_16(unit_bytes / 512, 4)), 0x21, 0x00);
  REQUIRE(world.resize(2 * unit_bytes));
  world.take_attentions();
  CHECK(world.last_lba() == 2 * unit_bytes / 512 - 1);
  CHECK(base::load_be32(world.run("25 00 00 00 00 00 00 00 00 00").data, 0) ==
        2 * unit_bytes / 512 - 1);
  CHECK(base::load_be32(world.run("1A 00 3F 00 C0 00").data, 4) == 2 * unit_bytes / 512);
  CHECK(world.content(unit_bytes / 512 - 4, 4) == pattern(4, 512, 1));
  CHECK(world.content(unit_bytes / 512, 4) == Bytes(4 * 512));
  world.fill(2 * unit_bytes / 512 - 4, pattern(4, 512, 2));
  CHECK(world.content(2 * unit_bytes / 512 - 4, 4) == pattern(4, 512, 2));
  check_illegal(world.run(read_16(2 * unit_bytes / 512 - 3, 4)), 0x21, 0x00);
}

TEST_CASE("behind the end of a shrunk unit there is nothing, and nothing comes back") {
  ResizeWorld world;
  const std::uint64_t half = unit_bytes / 2 / 512;
  world.fill(half - 4, pattern(8, 512, 3));
  REQUIRE(world.resize(unit_bytes / 2));
  world.take_attentions();
  CHECK(world.last_lba() == half - 1);
  CHECK(world.content(half - 4, 4) == pattern(4, 512, 3));
  const Answer beyond = world.run(write_16(half - 2, 4), pattern(4, 512, 4));
  check_illegal(beyond, 0x21, 0x00);
  CHECK(beyond.sense->information == half);
  check_illegal(world.run(read_16(half, 1)), 0x21, 0x00);
  CHECK(world.content(half - 4, 4) == pattern(4, 512, 3));
  REQUIRE(world.resize(unit_bytes));
  world.take_attentions();
  CHECK(world.content(half, 4) == Bytes(4 * 512));
}

// The data of a command is asked for before it runs: it must not run without it.
TEST_CASE("a write of blocks that come to be while its data comes writes that data, or fails") {
  ResizeWorld world;
  for (const char* opcode : {"8A", "8E", "8B", "9C", "89"}) {
    INFO(opcode);
    scsi::CdbBytes cdb = cdb_of(opcode);
    const bool twice = cdb[0] == 0x89;
    put(cdb, 2, 8, unit_bytes / 512);
    cdb[13] = 1;
    Task asked;
    asked.cdb = cdb;
    CHECK(world.nexus->data_out_wanted(asked).value == (twice ? 1024 : 512));
  }
}

TEST_CASE("a command that waits for the pool while its blocks are cut off touches none of them") {
  base::ManualExecutor pool;
  World world({}, {}, &pool);
  const auto nexus = world.login("iqn.host:a");
  Command write;
  // FUA: goes to the pool.
  scsi::CdbBytes cdb = write_16(unit_bytes / 512 - 4, 4);
  cdb[1] = 0x08;
  world.start(write, *nexus, cdb, pattern(4, 512, 1));
  CHECK(write.owner.finished == 0);
  const auto unit = world.target->units().at({0});
  REQUIRE(unit->resize(base::ByteCount(unit_bytes / 2)));
  CHECK(pool.run() != 0);
  REQUIRE(write.owner.finished == 1);
  check_illegal(write.owner.answer, 0x21, 0x00);
  REQUIRE(unit->resize(base::ByteCount(unit_bytes)));
  CHECK(world.run(*nexus, read_16(unit_bytes / 512 - 4, 4)).data == Bytes(4 * 512));
}

TEST_CASE("tokens that reach into what is cut off are cancelled, the others live") {
  ResizeWorld world;
  const std::uint64_t half = unit_bytes / 2 / 512;
  world.fill(0, pattern(4, 512, 6));
  const Token below = world.make_token({{0, 4}, {half - 4, 4}});
  const Token across = world.make_token({{0, 4}, {half - 4, 5}});
  const Token grown_before = world.make_token({{8, 4}});
  REQUIRE(world.resize(unit_bytes / 2));
  world.take_attentions();
  world.fill(0, pattern(4, 512, 7));
  check_illegal(world.use_token(across, {{0, 4}}, 1), 0x23, 0x08);
  REQUIRE(world.use_token(below, {{0, 4}}, 1).good());
  CHECK(world.content(0, 4, 1) == pattern(4, 512, 6));
  REQUIRE(world.resize(unit_bytes));
  world.take_attentions();
  check_illegal(world.use_token(across, {{0, 4}}, 1), 0x23, 0x08);  // for ever
  CHECK(world.use_token(grown_before, {{0, 4}}, 1).good());
}

TEST_CASE("a token keeps the capacity of its time, a new one has that of now") {
  ResizeWorld world;
  const auto capacity_in = [](const Token& token) {  // READ CAPACITY(16) from byte 8 on
    return Bytes(token.begin() + 96, token.begin() + 128);
  };
  const Token before = world.make_token({{0, 4}});
  const Bytes read_before = world.run(capacity_16).data;
  CHECK(capacity_in(before) == capacity_in(world.make_token({{0, 4}})));
  REQUIRE(world.resize(2 * unit_bytes));
  world.take_attentions();
  REQUIRE(world.use_token(before, {{4, 4}}, 1).good());
  const std::uint64_t end = 2 * unit_bytes / 512;
  REQUIRE(world.use_token(world.make_token({{end - 4, 4}}), {{8, 4}}, 1).good());
  // Into what is new.
  CHECK(world.use_token(before, {{end - 4, 4}}).good());
}

TEST_CASE("the size is kept for the next start; a store that cannot be resized keeps the old one") {
  FakeMemory memory;
  ResizeWorld world;
  const auto unit = world.target->units().at({0});
  REQUIRE(unit->restore(memory));
  const auto kept = [&] { return decode_sizes(unit->kept().value(Keepsake::sizes)); };
  CHECK(kept().empty());
  REQUIRE(world.resize(2 * unit_bytes));
  CHECK(kept() == std::vector{base::ByteCount(2 * unit_bytes)});
  world.take_attentions();
  // No memory has so much.
  CHECK_FALSE(world.resize(std::uint64_t{1} << 60));
  CHECK(kept() == std::vector{base::ByteCount(2 * unit_bytes)});
  CHECK(world.run(ready).good());
  CHECK(world.last_lba() == 2 * unit_bytes / 512 - 1);
  memory.broken = true;
  CHECK_FALSE(world.resize(unit_bytes));
  memory.broken = false;
  CHECK(world.run(ready).good());
  CHECK(world.last_lba() == 2 * unit_bytes / 512 - 1);
}

TEST_CASE("while it is under way both sizes are kept") {
  struct Watching final : UnitMemory {
    base::Result<void, std::string> save(const std::string&, Keepsake what,
                                         base::ByteView value) override {
      if (what == Keepsake::sizes) saved.push_back(decode_sizes(value));
      return {};
    }
    base::Result<Bytes, std::string> load(const std::string&, Keepsake) override { return Bytes(); }
    std::vector<std::vector<base::ByteCount>> saved;
  } memory;
  ResizeWorld world;
  REQUIRE(world.target->units().at({0})->restore(memory));
  REQUIRE(world.resize(unit_bytes / 2));
  const base::ByteCount old_size(unit_bytes), new_size(unit_bytes / 2);
  CHECK(memory.saved ==
        std::vector<std::vector<base::ByteCount>>{{old_size, new_size}, {new_size}});
}
