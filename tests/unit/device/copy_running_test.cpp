// Copies that take time: reports while they run, duplicates, aborts, stores that fail half way, the
// work budget.
#include <algorithm>
#include <functional>

#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// Memory that fails writes from a place on, and tells of each write.
class FailingStore final : public store::Store {
 public:
  base::ByteCount size() const override { return base::ByteCount(bytes_.size()); }
  std::string describe() const override { return "failing"; }
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    if (fail_reads) return base::fail(store::StoreError{store::StoreError::Kind::read_failed});
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at.value), into.size(), into.begin());
    return {};
  }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView from, store::Durability) override {
    if (before_write) before_write();
    if (at.value + from.size() > writable_bytes) return base::fail(store::StoreError{fault});
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at.value));
    return {};
  }
  store::StoreResult<> write_zeros(base::Extent extent) override {
    return write(extent.offset, Bytes(extent.length.value), store::Durability::cached);
  }
  store::StoreResult<> flush() override { return {}; }

  bool fail_reads = false;
  std::function<void()> before_write;
  std::uint64_t writable_bytes = unit_bytes;
  store::StoreError::Kind fault = store::StoreError::Kind::write_failed;

 private:
  Bytes bytes_ = Bytes(unit_bytes);
};

// LUN 4 is a failing store; copies go in steps of eight blocks.
struct FailingWorld {
  FailingStore& store;
  CopyWorld copy;

  explicit FailingWorld(std::unique_ptr<FailingStore> owned = std::make_unique<FailingStore>())
      : store(*owned), copy({{scsi::Lun{4}, unit_over(std::move(owned))}}, settings()) {}

  static copymgr::CopySettings settings() {
    copymgr::CopySettings out;
    out.step_bytes = out.cheap_step_bytes = base::ByteCount(8 * 512);
    return out;
  }
  static std::shared_ptr<LogicalUnit> unit_over(std::unique_ptr<store::Store> inner) {
    const store::GuardSettings settings{4096, base::ByteCount(1u << 20)};
    return make_unit(
        14, std::make_unique<store::Guard>(std::move(inner), memory(1u << 20), settings), 512);
  }
};

// A session whose pool works only when told.
struct SlowWorld {
  base::ManualExecutor pool;
  CopyWorld copy{{}, {}, &pool};
};

}  // namespace

TEST_CASE(
    "a running copy is reported as in progress in foreground, its record cannot be released") {
  SlowWorld slow;
  CopyWorld& world = slow.copy;
  const Token token = world.make_token({{0, 8}});
  Command write;
  const Bytes list = write_list(token, {{100, 8}});
  world.start(write, *world.nexus, token_cdb(0x11, 1, list.size()), list);
  REQUIRE(write.owner.finished == 0);
  for (const std::uint32_t allocation : {0u, 805u, 805u}) {
    const Answer answer = world.information(1, 0, allocation);
    CHECK(answer.good());
    if (allocation == 0) continue;
    CHECK(answer.data == hex("00 00 00 20  11 11 00 00  FF FF FF FF  00 00 00 F1"
                             "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"));
  }
  slow.pool.run();
  REQUIRE(write.owner.finished == 1);
  CHECK(write.owner.answer.good());
  CHECK(world.record(1)[5] == 0x01);
}

TEST_CASE("2.2 3.3 row 15: an identifier that is running is 05/00/16, before any parameter check") {
  SlowWorld slow;
  CopyWorld& world = slow.copy;
  const Token token = world.make_token({{0, 8}});
  Command write;
  const Bytes list = write_list(token, {{100, 8}});
  world.start(write, *world.nexus, token_cdb(0x11, 1, list.size()), list);
  for (const Answer& answer :
       {world.populate(1, populate_list({{0, 8}})), world.populate(1, Bytes(15)),
        world.write_using(1, list), world.write_using(1, Bytes(600, 0xff))}) {
    check_illegal(answer, 0x00, 0x16);
  }
  // Other identifiers, units and initiators are free.
  const auto other = world.login("iqn.host:b");
  const Bytes populate = populate_list({{0, 8}});
  CHECK(world.World::run(*other, token_cdb(0x10, 1, populate.size()), populate).good());
  CHECK(world.populate(1, populate, 1).good());
  slow.pool.run();
  CHECK(write.owner.answer.good());
  const Bytes data = world.record(1);
  CHECK(data[4] == 0x11);
  CHECK(data[5] == 0x01);
  CHECK(world.content(100, 8) == world.content(0, 8));
}

TEST_CASE(
    "7.6 COPY OPERATION ABORT ends a running copy with 0A/2F/02 and a record 60h without sense") {
  SlowWorld slow;
  CopyWorld& world = slow.copy;
  const Token token = world.make_token({{0, 8}});
  Command write;
  const Bytes list = write_list(token, {{100, 8}});
  world.start(write, *world.nexus, token_cdb(0x11, 1, list.size()), list);
  Command abort;
  world.start(abort, *world.nexus, abort_cdb(1), {});
  slow.pool.run();
  REQUIRE(write.owner.finished == 1);
  REQUIRE(abort.owner.finished == 1);
  check_sense(write.owner.answer, scsi::SenseKey::copy_aborted, 0x2f, 0x02);
  CHECK(abort.owner.answer.good());
  const Bytes data = world.record(1);
  REQUIRE(data.size() == 36);
  CHECK(data[4] == 0x11);
  CHECK(data[5] == 0x60);
  CHECK(data[12] == 0x40);
  CHECK(data[13] == 0);
  CHECK(world.run(abort_cdb(1)).good());  // finished: nothing to abort
  Command again;                          // the token survives, the identifier is free
  world.start(again, *world.nexus, token_cdb(0x11, 1, list.size()), list);
  slow.pool.run();
  CHECK(again.owner.answer.good());
}

TEST_CASE("a destination that fails: sense, and the contiguous blocks that are good") {
  using Kind = store::StoreError::Kind;
  using Key = scsi::SenseKey;
  struct Row {
    Kind fault;
    Key key;
    scsi::AdditionalSense additional;
  };
  for (const Row& row : {Row{Kind::write_failed, Key::medium_error, {0x0c, 0x00}},
                         Row{Kind::no_space, Key::data_protect, {0x27, 0x07}}}) {
    FailingWorld world;
    const Bytes data = pattern(64, 512, 1);
    world.copy.fill(0, data);
    const Token token = world.copy.make_token({{0, 64}});
    world.store.writable_bytes = 24 * 512;
    world.store.fault = row.fault;
    const Answer answer = world.copy.write_using(1, write_list(token, {{0, 64}}), 4);
    check_sense(answer, row.key, row.additional.code, row.additional.qualifier);
    CHECK_FALSE(answer.sense->information);  // Windows reads it as blocks done
    const Bytes record = world.copy.record(1, 4);
    REQUIRE(record.size() == 36 + 20);
    CHECK(record[5] == 0x02);
    CHECK(record[12] == 0x02);
    CHECK(base::load_be64(record, 16) == 24);
    CHECK(world.copy.content(0, 24, 4) == Bytes(data.begin(), data.begin() + 24 * 512));
  }
}

TEST_CASE("a source that cannot be read ends the copy with 0A/0D/01") {
  FailingWorld world;
  const Token token = world.copy.make_token({{0, 8}}, 4);
  world.store.fail_reads = true;
  check_sense(world.copy.use_token(token, {{0, 8}}, 1), scsi::SenseKey::copy_aborted, 0x0d, 0x01);
}

TEST_CASE("R6 R12: a copy beyond its work budget stops early and tells the good blocks") {
  FailingWorld world;
  const Bytes data = pattern(64, 512, 2);
  world.copy.fill(0, data);
  const Token token = world.copy.make_token({{0, 64}});
  world.store.before_write = [&] { world.copy.clock.advance(3s); };
  const Answer answer = world.copy.write_using(1, write_list(token, {{0, 64}}), 4);
  check_sense(answer, scsi::SenseKey::copy_aborted, 0x0d, 0x04);
  REQUIRE(answer.sense->information);
  const std::uint64_t done = *answer.sense->information;
  CHECK(done >= 8);
  CHECK(done < 64);
  CHECK(done % 8 == 0);
  CHECK(scsi::to_fixed_format(*answer.sense)[0] == 0xf0);
  world.store.before_write = {};

  const Bytes record = world.copy.record(1, 4);
  CHECK(record[5] == 0x03);
  CHECK(record[12] == 0x02);
  CHECK(base::load_be64(record, 16) == done);

  // The host goes on from there, as Windows does.
  const auto rest = static_cast<std::uint32_t>(64 - done);
  CHECK(world.copy.use_token(token, {{done, rest}}, 4, done).good());
  CHECK(world.copy.content(0, 64, 4) == data);
}
