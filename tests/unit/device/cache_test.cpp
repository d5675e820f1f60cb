// What the device server asks of a store: durability of writes, flushes, and errors that become
// sense.
#include <utility>

#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// Memory that tells what it was asked for and fails on demand. Never lends and never answers at
// once, so every call shows.
class RecordingStore final : public store::Store {
 public:
  base::ByteCount size() const override { return base::ByteCount(bytes_.size()); }
  std::string describe() const override { return "recording"; }
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    calls.push_back("read");
    if (fail_reads) return base::fail(*fail_reads);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at.value), into.size(), into.begin());
    return {};
  }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView from,
                             store::Durability durability) override {
    calls.push_back(durability == store::Durability::durable ? "write durable" : "write cached");
    if (fail_writes) return base::fail(*fail_writes);
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at.value));
    return {};
  }
  store::StoreResult<> write_zeros(base::Extent) override { return {}; }
  store::StoreResult<> flush() override {
    calls.push_back("flush");
    if (fail_flushes) return base::fail(*fail_flushes);
    return {};
  }

  std::vector<std::string> take_calls() { return std::exchange(calls, {}); }
  std::vector<std::string> calls;
  std::optional<store::StoreError> fail_reads, fail_writes, fail_flushes;

 private:
  Bytes bytes_ = Bytes(64 * 512);
};

using Calls = std::vector<std::string>;

// A session whose LUN 0 is a recording store under a guard.
struct RecordedWorld {
  RecordingStore& store;
  OneSession session;

  explicit RecordedWorld(std::unique_ptr<RecordingStore> owned = std::make_unique<RecordingStore>())
      : store(*owned), session({{scsi::Lun{0}, unit_over(std::move(owned))}}) {}

  static std::shared_ptr<LogicalUnit> unit_over(std::unique_ptr<store::Store> inner) {
    const store::GuardSettings settings{4096, base::ByteCount(1u << 20)};
    auto guard = std::make_unique<store::Guard>(std::move(inner), memory(1u << 20), settings);
    return make_unit(10, std::move(guard), 512);
  }
  Answer run(std::string_view cdb, const Bytes& data = {}) { return session.run(cdb, data); }
  void set_write_cache(bool on) {
    Bytes list = hex("00 00 00 00 08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    list[6] = on ? 0x04 : 0x00;
    CHECK(run("15 10 00 00 18 00", list).good());
  }
};

const char* const write_cached = "2A 00 00 00 00 00 00 00 01 00";
const char* const write_fua = "2A 08 00 00 00 00 00 00 01 00";

}  // namespace

TEST_CASE("a WRITE is cached, with FUA durable, in every form that has FUA") {
  RecordedWorld world;
  const Bytes block(512, 1);
  CHECK(world.run(write_cached, block).good());
  CHECK(world.run("0A 00 00 00 01 00", block).good());
  CHECK(world.store.take_calls() == Calls{"write cached", "write cached"});
  CHECK(world.run(write_fua, block).good());
  CHECK(world.run("AA 08 00 00 00 00 00 00 00 01 00 00", block).good());
  CHECK(world.run("8A 08 00 00 00 00 00 00 00 00 00 00 00 01 00 00", block).good());
  CHECK(world.store.take_calls() == Calls{"write durable", "write durable", "write durable"});
}

TEST_CASE("without write cache every WRITE is durable") {
  RecordedWorld world;
  world.set_write_cache(false);
  CHECK(world.run(write_cached, Bytes(512)).good());
  CHECK(world.run("0A 00 00 00 01 00", Bytes(512)).good());
  CHECK(world.store.take_calls() == Calls{"write durable", "write durable"});
  world.set_write_cache(true);
  CHECK(world.run(write_cached, Bytes(512)).good());
  CHECK(world.store.take_calls() == Calls{"write cached"});
}

TEST_CASE("without write cache copies are durable when GOOD is told, in background when they end") {
  RecordedWorld world;
  Bytes zeros(552);  // WRITE USING TOKEN: the zero token, 8 blocks at 16
  base::store_be(zeros, 0, 2, 0x0226);
  base::store_be(zeros, 16, 8, 0xffff0001000001f8);
  base::store_be(zeros, 534, 2, 16);
  base::store_be(zeros, 536, 8, 16);
  base::store_be(zeros, 544, 4, 8);
  Bytes copy =
      hex("07 00 00 00 00 00 00 00 00 00 00 1C 00 00 00 00"  // LID1: block 0 to 40
          "02 00 00 18 FF FF FF FF 00 00 00 01 00 00 00 00 00 00 00 00");
  copy.resize(44);
  copy[43] = 40;
  const char* const token_cdb = "83 11 00 00 00 00 00 00 00 09 00 00 02 28 00 00";
  const char* const copy_cdb = "83 00 00 00 00 00 00 00 00 00 00 00 00 2C 00 00";
  CHECK(world.run(write_cached, Bytes(512, 1)).good());
  CHECK(world.store.take_calls() == Calls{"write cached"});
  CHECK(world.run(token_cdb, zeros).good());
  CHECK(world.store.take_calls().empty());  // zeros: they are not recorded
  CHECK(world.run(copy_cdb, copy).good());
  CHECK(world.store.take_calls() == Calls{"read", "write cached"});
  world.set_write_cache(false);
  CHECK(world.run(token_cdb, zeros).good());
  CHECK(world.store.take_calls() == Calls{"flush"});
  CHECK(world.run(copy_cdb, copy).good());
  CHECK(world.store.take_calls() == Calls{"read", "write cached", "flush"});
  zeros[2] = 0x01;  // IMMED
  CHECK(world.run(token_cdb, zeros).good());
  CHECK(world.store.take_calls() == Calls{"flush"});
  zeros[2] = 0x00;
  world.store.fail_flushes = store::StoreError{store::StoreError::Kind::write_failed};
  check_sense(world.run(token_cdb, zeros), scsi::SenseKey::medium_error, 0x0c, 0x00);
  check_sense(world.run(copy_cdb, copy), scsi::SenseKey::copy_aborted, 0x0d, 0x01);
}

TEST_CASE("a READ with FUA flushes first; a failed flush is told, nothing is read") {
  RecordedWorld world;
  CHECK(world.run("28 00 00 00 00 00 00 00 01 00").data.size() == 512);
  CHECK(world.store.take_calls() == Calls{"read"});
  CHECK(world.run("28 08 00 00 00 00 00 00 01 00").data.size() == 512);
  CHECK(world.store.take_calls() == Calls{"flush", "read"});
  world.store.fail_flushes = store::StoreError{store::StoreError::Kind::write_failed};
  check_sense(world.run("28 08 00 00 00 00 00 00 01 00"), scsi::SenseKey::medium_error, 0x0c, 0x00);
  CHECK(world.store.take_calls() == Calls{"flush"});
}

TEST_CASE("SYNCHRONIZE CACHE flushes, both forms, with and without IMMED") {
  RecordedWorld world;
  for (const char* cdb : {"35", "35 02", "91", "91 02"})
    CHECK(world.run(cdb).good());
  CHECK(world.store.take_calls() == Calls(4, "flush"));
}

TEST_CASE("a stop flushes first, with NO_FLUSH it does not; a start never does") {
  RecordedWorld world;
  CHECK(world.run("1B 00 00 00 00 00").good());
  CHECK(world.store.take_calls() == Calls{"flush"});
  CHECK(world.run("1B 00 00 00 01 00").good());
  CHECK(world.run("1B 00 00 00 04 00").good());
  CHECK(world.store.take_calls().empty());
  check_sense(world.run("00"), scsi::SenseKey::not_ready, 0x04, 0x02);
  CHECK(world.run("1B 00 00 00 01 00").good());

  world.store.fail_flushes = store::StoreError{store::StoreError::Kind::write_failed};
  check_sense(world.run("1B 00 00 00 00 00"), scsi::SenseKey::medium_error, 0x0c, 0x00);
  CHECK(world.run("00").good());  // it did not stop
}

TEST_CASE("each error of a store becomes its sense") {
  using Kind = store::StoreError::Kind;
  using Key = scsi::SenseKey;
  struct Row {
    Kind kind;
    Key read_key;
    scsi::AdditionalSense read;
    Key write_key;
    scsi::AdditionalSense write;
  };
  const Row rows[] = {
      {Kind::read_failed, Key::medium_error, {0x11, 0x00}, Key::medium_error, {0x0c, 0x00}},
      {Kind::write_failed, Key::medium_error, {0x11, 0x00}, Key::medium_error, {0x0c, 0x00}},
      {Kind::no_space, Key::data_protect, {0x27, 0x07}, Key::data_protect, {0x27, 0x07}},
      {Kind::not_supported, Key::hardware_error, {0x44, 0x00}, Key::hardware_error, {0x44, 0x00}},
      {Kind::out_of_range, Key::illegal_request, {0x21, 0x00}, Key::illegal_request, {0x21, 0x00}},
  };
  RecordedWorld world;
  for (const Row& row : rows) {
    INFO("error kind " << static_cast<int>(row.kind));
    world.store.fail_reads = world.store.fail_writes = world.store.fail_flushes =
        store::StoreError{row.kind};
    check_sense(world.run("28 00 00 00 00 00 00 00 01 00"), row.read_key, row.read.code,
                row.read.qualifier);
    for (const char* cdb : {write_cached, write_fua}) {
      check_sense(world.run(cdb, Bytes(512)), row.write_key, row.write.code, row.write.qualifier);
    }
    check_sense(world.run("35"), row.write_key, row.write.code, row.write.qualifier);
  }
}
