// COMPARE AND WRITE, ORWRITE and WRITE ATOMIC through the device server. That nothing gets in
// between is shown in tests/unit/store/indivisible_test.cpp and torn_test.cpp.
#include <thread>

#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

scsi::CdbBytes compare_and_write(std::uint64_t lba, std::uint8_t blocks, std::uint8_t flags = 0) {
  scsi::CdbBytes cdb{0x89, flags};
  put(cdb, 2, 8, lba);
  cdb[13] = blocks;
  return cdb;
}
scsi::CdbBytes orwrite(std::uint64_t lba, std::uint32_t blocks, std::uint8_t flags = 0) {
  scsi::CdbBytes cdb{0x8b, flags};
  put(cdb, 2, 8, lba);
  put(cdb, 10, 4, blocks);
  return cdb;
}
scsi::CdbBytes write_atomic(std::uint64_t lba, std::uint16_t blocks, std::uint8_t flags = 0) {
  scsi::CdbBytes cdb{0x9c, flags};
  put(cdb, 2, 8, lba);
  put(cdb, 12, 2, blocks);
  return cdb;
}

Bytes operator+(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

struct Geometry {
  std::uint16_t lun;
  std::size_t block_bytes;
  std::uint64_t capacity() const { return unit_bytes / block_bytes; }
};
const Geometry geometries[] = {{0, 512}, {2, 4096}};

}  // namespace

TEST_CASE("COMPARE AND WRITE writes if the blocks are as expected, else tells where they differ") {
  for (const Geometry& unit : geometries) {
    for (const std::uint8_t flags : {0x00, 0x08, 0x18}) {
      OneSession world;
      const Bytes old = pattern(4, unit.block_bytes, 1);
      const Bytes fresh = pattern(4, unit.block_bytes, 2);
      REQUIRE(world.run(write_16(6, 4), old, unit.lun).good());
      for (const std::size_t at : {std::size_t{0}, unit.block_bytes, old.size() - 1}) {
        Bytes expected = old;
        expected[at] ^= 0xff;
        const Answer answer = world.run(compare_and_write(6, 4, flags), expected + fresh, unit.lun);
        check_sense(answer, scsi::SenseKey::miscompare, 0x1d, 0x00);
        CHECK(answer.sense->information == at);
        CHECK(world.run(read_16(6, 4), {}, unit.lun).data == old);
      }
      const Answer done = world.run(compare_and_write(6, 4, flags), old + fresh, unit.lun);
      CHECK(done.good());
      CHECK(done.transfer_length == 8 * unit.block_bytes);
      CHECK(world.run(read_16(6, 4), {}, unit.lun).data == fresh);
      CHECK(world.run(read_16(5, 1), {}, unit.lun).data == Bytes(unit.block_bytes));
      CHECK(world.run(read_16(10, 1), {}, unit.lun).data == Bytes(unit.block_bytes));
    }
  }
}

TEST_CASE("COMPARE AND WRITE of MAXIMUM COMPARE AND WRITE LENGTH and no more") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const Bytes page = world.run("12 01 B0 00 FF 00", {}, unit.lun).data;
    CHECK(page.at(5) == 255);
    const Bytes zeros(255 * unit.block_bytes);
    const Bytes fresh = pattern(255, unit.block_bytes, 3);
    CHECK(world.run(compare_and_write(1, 255), zeros + fresh, unit.lun).good());
    CHECK(world.run(read_16(1, 255), {}, unit.lun).data == fresh);
  }
  LogicalUnitLimits limits;
  limits.maximum_transfer = base::ByteCount(16 * 512);
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512, limits)}});
  CHECK(world.run("12 01 B0 00 FF 00", {}, 3).data.at(5) == 8);
  CHECK(world.run(compare_and_write(0, 8), Bytes(16 * 512), 3).good());
  check_bad_cdb(world.run(compare_and_write(0, 9), Bytes(18 * 512), 3), byte(13));
}

TEST_CASE("COMPARE AND WRITE refuses what it must not do in part") {
  OneSession world;
  // Announced more or less than both halves.
  check_bad_cdb(world.run(compare_and_write(0, 1), Bytes(4 * 512)), byte(13));
  check_bad_cdb(world.run(compare_and_write(0, 3), Bytes(4 * 512)), byte(13));
  check_bad_cdb(world.run(compare_and_write(0, 1), Bytes(2 * 512 - 1)), byte(13));
  check_bad_cdb(world.run(compare_and_write(0, 0), Bytes(2 * 512)), byte(13));
  check_bad_cdb(world.run(compare_and_write(0, 1, 0x20), Bytes(2 * 512)), bit(1, 7));
  const Answer beyond = world.run(compare_and_write(2047, 2), Bytes(4 * 512));
  check_illegal(beyond, 0x21, 0x00);
  CHECK(beyond.sense->information == 2048);
  CHECK(world.run(compare_and_write(2048, 0)).good());
  CHECK(world.run(compare_and_write(0, 0)).good());
}

TEST_CASE("ORWRITE keeps the bits that are set") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const Bytes old = pattern(3, unit.block_bytes, 1);
    const Bytes bits = pattern(3, unit.block_bytes, 77);
    REQUIRE(world.run(write_16(2, 3), old, unit.lun).good());
    const Answer done = world.run(orwrite(2, 3, 0x18), bits, unit.lun);
    CHECK(done.good());
    CHECK(done.transfer_length == bits.size());
    Bytes expected(old.size());
    std::transform(old.begin(), old.end(), bits.begin(), expected.begin(), std::bit_or<>());
    CHECK(world.run(read_16(2, 3), {}, unit.lun).data == expected);
    CHECK(world.run(orwrite(0, 0), {}, unit.lun).good());
    check_illegal(world.run(orwrite(unit.capacity(), 1), Bytes(unit.block_bytes), unit.lun), 0x21,
                  0x00);
    check_bad_cdb(world.run(orwrite(0, 1, 0xe0), Bytes(unit.block_bytes), unit.lun), bit(1, 7));
    check_bad_cdb(world.run(orwrite(0, 2), Bytes(unit.block_bytes), unit.lun), byte(10));
  }
}

TEST_CASE("WRITE ATOMIC writes whole or not at all, up to the limit of VPD B0h") {
  for (const Geometry& unit : geometries) {
    OneSession world;
    const Bytes page = world.run("12 01 B0 00 FF 00", {}, unit.lun).data;
    REQUIRE(base::load_be32(page, 44) != 0);
    // No alignment, no granularity, no boundaries.
    CHECK(Bytes(page.begin() + 48, page.end()) == Bytes(16));
    const auto most = static_cast<std::uint16_t>(
        std::min<std::uint64_t>(base::load_be32(page, 44), unit.capacity()));
    const Bytes data = pattern(most, unit.block_bytes, 4);
    const Answer done = world.run(write_atomic(0, most, 0x18), data, unit.lun);
    CHECK(done.good());
    CHECK(done.transfer_length == data.size());
    CHECK(world.run(read_16(0, most), {}, unit.lun).data == data);

    const Bytes zeros(unit.block_bytes);
    check_bad_cdb(world.run(write_atomic(0, 2), zeros, unit.lun), byte(12));
    check_bad_cdb(world.run(write_atomic(0, 1, 0x20), zeros, unit.lun), bit(1, 7));
    check_illegal(world.run(write_atomic(unit.capacity(), 1), zeros, unit.lun), 0x21, 0x00);
    scsi::CdbBytes boundary = write_atomic(0, 1);
    boundary[11] = 8;
    check_bad_cdb(world.run(boundary, zeros, unit.lun), byte(10));
    CHECK(world.run(write_atomic(0, 0), {}, unit.lun).good());
    CHECK(world.run(read_16(0, most), {}, unit.lun).data == data);
  }
  OneSession world;
  check_bad_cdb(world.run(write_atomic(0, 257), Bytes(257 * 512)), byte(12));
}

TEST_CASE("a token made before keeps its blocks as they were, whatever then changes them") {
  CopyWorld world;
  const Bytes old = pattern(64, 512, 1);
  REQUIRE(world.run(write_16(0, 64), old).good());
  const Token token = world.make_token({{0, 64}});
  const Bytes first(old.begin(), old.begin() + 512);
  REQUIRE(world.run(compare_and_write(0, 1), first + Bytes(512, 9)).good());
  REQUIRE(world.run(orwrite(8, 8), Bytes(8 * 512, 0xff)).good());
  REQUIRE(world.run(write_atomic(16, 8), Bytes(8 * 512, 3)).good());
  REQUIRE(world.run("2E 02 00 00 00 18 00 00 08 00", Bytes(8 * 512, 4)).good());
  REQUIRE(world.run("41 00 00 00 00 20 00 00 08 00", Bytes(512, 5)).good());
  REQUIRE(world
              .run("42 00 00 00 00 00 00 00 18 00",
                   hex("00 16 00 10 00 00 00 00"
                       "00 00 00 00 00 00 00 28 00 00 00 18 00 00 00 00"))
              .good());
  CHECK(world.run(read_16(0, 1)).data == Bytes(512, 9));
  CHECK(world.run(read_16(0x28, 0x18)).data == Bytes(0x18 * 512));
  REQUIRE(world.use_token(token, {{256, 64}}).good());
  CHECK(world.run(read_16(256, 64)).data == old);
}
