// WRITE SAME, UNMAP and GET LBA STATUS through the device server, on memory and on a file.
#include "tests/support/temp_dir.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

scsi::CdbBytes write_same_10(std::uint32_t lba, std::uint16_t blocks, std::uint8_t flags = 0) {
  scsi::CdbBytes cdb{0x41, flags};
  put(cdb, 2, 4, lba);
  put(cdb, 7, 2, blocks);
  return cdb;
}
scsi::CdbBytes write_same_16(std::uint64_t lba, std::uint32_t blocks, std::uint8_t flags = 0) {
  scsi::CdbBytes cdb{0x93, flags};
  put(cdb, 2, 8, lba);
  put(cdb, 10, 4, blocks);
  return cdb;
}
constexpr std::uint8_t anchor_bit = 0x10, unmap_bit = 0x08, ndob_bit = 0x01;

struct Range {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};
Bytes unmap_list(const std::vector<Range>& ranges) {
  Bytes list(8 + 16 * ranges.size());
  base::store_be16(list, 0, static_cast<std::uint16_t>(list.size() - 2));
  base::store_be16(list, 2, static_cast<std::uint16_t>(16 * ranges.size()));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::store_be64(list, 8 + 16 * i, ranges[i].lba);
    base::store_be32(list, 16 + 16 * i, ranges[i].blocks);
  }
  return list;
}
scsi::CdbBytes unmap(std::size_t list_length) {
  scsi::CdbBytes cdb{0x42};
  put(cdb, 7, 2, list_length);
  return cdb;
}
Answer unmap(OneSession& world, const std::vector<Range>& ranges, std::uint16_t lun = 0) {
  const Bytes list = unmap_list(ranges);
  return world.run(unmap(list.size()), list, lun);
}

scsi::CdbBytes get_lba_status(std::uint64_t lba, std::uint32_t allocation = 8 + 16 * 64) {
  scsi::CdbBytes cdb{0x9e, 0x12};
  put(cdb, 2, 8, lba);
  put(cdb, 10, 4, allocation);
  return cdb;
}
// What GET LBA STATUS told: first block, blocks, status; checked to be without gaps from `lba` on.
struct Status {
  std::uint64_t blocks = 0;
  unsigned status = 0;
  bool operator==(const Status&) const = default;
};
std::vector<Status> status_of(const Bytes& data, std::uint64_t lba) {
  REQUIRE(data.size() >= 24);
  REQUIRE(base::load_be32(data, 0) == data.size() - 4);
  std::vector<Status> out;
  for (std::size_t at = 8; at + 16 <= data.size(); at += 16) {
    CHECK(base::load_be64(data, at) == lba);
    out.push_back({base::load_be32(data, at + 8), data[at + 12]});
    lba += out.back().blocks;
  }
  return out;
}
constexpr unsigned mapped = 0, deallocated = 1;

// LUN 3: 512-byte blocks in a file of 1 MiB, LUN 4: 4096.
struct Files : ::test::TempDir {
  std::shared_ptr<LogicalUnit> unit(const std::string& name, std::uint32_t block_bytes) {
    const auto spec = store::parse_store_spec("file:" + path(name) + ",size=1M").value();
    auto guard = store::open_guarded(spec, path(), {4096, base::ByteCount(1u << 20)}).value();
    return make_unit(20, std::move(guard), block_bytes);
  }
  World::Units units() { return {{scsi::Lun{3}, unit("a", 512)}, {scsi::Lun{4}, unit("b", 4096)}}; }
};

struct Geometry {
  std::uint16_t lun;
  std::size_t block_bytes;
  std::uint64_t capacity() const { return unit_bytes / block_bytes; }
  std::uint64_t slab() const { return 4096 / block_bytes; }
};
const Geometry geometries[] = {{0, 512}, {2, 4096}, {3, 512}, {4, 4096}};

}  // namespace

TEST_CASE("WRITE SAME writes one block everywhere, zeros and others, with UNMAP and without") {
  Files files;
  OneSession world(files.units());
  for (const Geometry& unit : geometries) {
    for (const std::uint8_t flags : {std::uint8_t{0}, unmap_bit}) {
      for (const unsigned seed : {0u, 1u}) {
        INFO("LUN " << unit.lun << " flags " << int(flags) << " seed " << seed);
        const Bytes one = seed == 0 ? Bytes(unit.block_bytes) : pattern(1, unit.block_bytes, seed);
        const Bytes old = pattern(9, unit.block_bytes, 50);
        Bytes expected = old;
        for (std::size_t i = 1; i < 8; ++i)
          std::copy(one.begin(), one.end(),
                    expected.begin() + static_cast<std::ptrdiff_t>(i * unit.block_bytes));
        REQUIRE(world.run(write_16(2, 9), old, unit.lun).good());
        const Answer ten = world.run(write_same_10(3, 7, flags), one, unit.lun);
        CHECK(ten.good());
        CHECK(ten.transfer_length == unit.block_bytes);
        CHECK(world.run(read_16(2, 9), {}, unit.lun).data == expected);
        REQUIRE(world.run(write_16(2, 9), old, unit.lun).good());
        CHECK(world.run(write_same_16(3, 7, flags), one, unit.lun).good());
        CHECK(world.run(read_16(2, 9), {}, unit.lun).data == expected);
      }
    }
  }
}

TEST_CASE("WRITE SAME(16) with NDOB takes no data and writes zeros") {
  OneSession world;
  for (const std::uint8_t flags : {ndob_bit, std::uint8_t(ndob_bit | unmap_bit)}) {
    REQUIRE(world.run(write_16(0, 4), pattern(4, 512, 1)).good());
    const Answer answer = world.run(write_same_16(1, 2, flags));
    CHECK(answer.good());
    CHECK(answer.transfer_length == 0);
    CHECK(world.run(read_16(1, 2)).data == Bytes(1024));
    CHECK(world.run(read_16(3, 1)).data != Bytes(512));
  }
  check_bad_cdb(world.run(write_same_16(0, 1, ndob_bit), Bytes(512)), byte(10));
  check_bad_cdb(world.run(write_same_10(0, 1, ndob_bit), Bytes(512)), bit(1, 0));
}

TEST_CASE("WRITE SAME refuses anchors, no blocks, too many, and another length than one block") {
  OneSession world({{scsi::Lun{3}, make_unit(13, memory(64u << 20), 512)}});
  const Bytes block(512, 1);
  CHECK(base::load_be64(world.run("12 01 B0 00 FF 00", {}, 3).data, 36) == 0xffff);
  CHECK((world.run("12 01 B0 00 FF 00", {}, 3).data[4] & 1) == 1);  // WSNZ
  CHECK(world.run(write_same_16(0, 0xffff), block, 3).good());
  check_bad_cdb(world.run(write_same_16(0, 0x10000), block, 3), byte(10));
  CHECK(world.run(read_16(0xfffe, 2), {}, 3).data.at(511) == 1);
  CHECK(world.run(read_16(0xffff, 1), {}, 3).data == Bytes(512));
  check_bad_cdb(world.run(write_same_10(0, 0), block), byte(7));
  check_bad_cdb(world.run(write_same_16(0, 0), block), byte(10));
  for (const std::uint8_t flags : {anchor_bit, std::uint8_t(anchor_bit | unmap_bit)}) {
    check_bad_cdb(world.run(write_same_10(0, 1, flags), block), bit(1, 4));
    check_bad_cdb(world.run(write_same_16(0, 1, flags), block), bit(1, 4));
  }
  for (const std::uint8_t obsolete : {0x04, 0x02}) {
    const std::uint8_t which = obsolete == 0x04 ? 2 : 1;
    check_bad_cdb(world.run(write_same_10(0, 1, obsolete), block), bit(1, which));
    check_bad_cdb(world.run(write_same_16(0, 1, obsolete), block), bit(1, which));
  }
  check_bad_cdb(world.run(write_same_10(0, 1, 0x20), block), bit(1, 7));
  check_bad_cdb(world.run(write_same_10(0, 1, unmap_bit), Bytes(256)), byte(7));
  check_bad_cdb(world.run(write_same_16(0, 1, unmap_bit), Bytes(1024)), byte(10));
  const Answer beyond = world.run(write_same_16(2047, 2), block);
  check_illegal(beyond, 0x21, 0x00);
  CHECK(beyond.sense->information == 2048);
  CHECK(world.run(read_16(0, 1)).data == Bytes(512));
}

TEST_CASE("UNMAP: what it names reads as zeros, the neighbours stay") {
  Files files;
  OneSession world(files.units());
  for (const Geometry& unit : geometries) {
    INFO("LUN " << unit.lun);
    const auto all = static_cast<std::uint32_t>(unit.capacity());
    const Bytes old = pattern(all, unit.block_bytes, 1);
    REQUIRE(world.run(write_16(0, all), old, unit.lun).good());
    // Less than a slab, several slabs, the last block, nothing, and twice the same.
    const Answer answer =
        unmap(world, {{1, 1}, {17, 40}, {all - 1, 1}, {all, 0}, {60, 2}, {60, 2}}, unit.lun);
    CHECK(answer.good());
    CHECK(answer.transfer_length == 8 + 6 * 16);
    Bytes expected = old;
    const auto zero = [&](std::size_t first, std::size_t blocks) {
      std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(first * unit.block_bytes),
                  blocks * unit.block_bytes, std::uint8_t{0});
    };
    zero(1, 1), zero(17, 40), zero(all - 1, 1), zero(60, 2);
    CHECK(world.run(read_16(0, all), {}, unit.lun).data == expected);
  }
}

TEST_CASE("UNMAP refuses anchors and lists that are wrong, and then unmaps nothing") {
  OneSession world;
  const Bytes old = pattern(2048, 512, 1);
  REQUIRE(world.run(write_16(0, 2048), old).good());
  CHECK(world.run(unmap(0)).good());
  check_bad_cdb(world.run("42 01 00 00 00 00 00 00 18 00", unmap_list({{0, 1}})), bit(1, 0));
  check_illegal(world.run(unmap(7), Bytes(7)), 0x1a, 0x00);
  check_illegal(world.run(unmap(40), unmap_list({{0, 1}})), 0x1a, 0x00);
  check_illegal(unmap(world, {{0, 1}, {2047, 2}}), 0x21, 0x00);
  // The limits are those of VPD B0h.
  const Bytes page = world.run("12 01 B0 00 FF 00").data;
  CHECK(base::load_be32(page, 20) == 1u << 20);
  CHECK(base::load_be32(page, 24) == 256);
  check_illegal(unmap(world, std::vector<Range>(257, Range{0, 1})), 0x26, 0x00);
  check_illegal(unmap(world, std::vector<Range>(256, Range{0, 2048 * 2})), 0x21, 0x00);
  OneSession large({{scsi::Lun{3}, make_unit(13, memory(1u << 30), 512)}});
  check_illegal(unmap(large, {{0, 1}, {0, 1u << 20}}, 3), 0x26, 0x00);
  CHECK(unmap(large, {{0, 1}, {1, (1u << 20) - 1}}, 3).good());
  CHECK(world.run(read_16(0, 2048)).data == old);
}

TEST_CASE("UNMAP and WRITE SAME of zeros give the room back to the file system") {
  Files files;
  OneSession world(files.units());
  for (const int lun : {3, 4}) {
    const auto file = files.path(lun == 3 ? "a" : "b");
    const std::size_t block_bytes = lun == 3 ? 512 : 4096;
    const auto all = static_cast<std::uint32_t>(unit_bytes / block_bytes);
    const auto fill = [&, l = static_cast<std::uint16_t>(lun)] {
      REQUIRE(world.run(write_16(0, all), pattern(all, block_bytes, 1), l).good());
      REQUIRE(world.run("35 00 00 00 00 00 00 00 00 00", {}, l).good());
      REQUIRE(::test::allocated_bytes(file) >= unit_bytes);
    };
    const auto left = [&] { return ::test::allocated_bytes(file); };
    const auto at = static_cast<std::uint16_t>(lun);
    fill();
    REQUIRE(unmap(world, {{0, all / 2}, {all / 2, all / 4}}, at).good());
    CHECK(left() <= unit_bytes / 4 + 8192);
    fill();
    REQUIRE(world.run(write_same_16(0, all / 2, unmap_bit), Bytes(block_bytes), at).good());
    CHECK(left() <= unit_bytes / 2 + 8192);
    REQUIRE(world.run(write_same_16(all / 2, all / 4, ndob_bit), {}, at).good());
    CHECK(left() <= unit_bytes / 4 + 8192);
  }
}

TEST_CASE("GET LBA STATUS tells what is mapped, in whole slabs, from the block asked for on") {
  Files files;
  OneSession world(files.units());
  for (const Geometry& unit : geometries) {
    INFO("LUN " << unit.lun);
    const std::uint64_t slab = unit.slab(), all = unit.capacity();
    const auto ask = [&](std::uint64_t lba, std::uint32_t allocation = 8 + 16 * 64) {
      return status_of(world.run(get_lba_status(lba, allocation), {}, unit.lun).data, lba);
    };
    using List = std::vector<Status>;
    CHECK(ask(0) == List{{all, deallocated}});
    CHECK(ask(all - 1) == List{{1, deallocated}});
    // One block into the fifth slab, and all of the seventh.
    REQUIRE(
        world.run(write_16(4 * slab + slab / 2, 1), Bytes(unit.block_bytes, 1), unit.lun).good());
    REQUIRE(
        world.run(write_16(6 * slab, static_cast<std::uint32_t>(slab)), Bytes(4096, 2), unit.lun)
            .good());
    REQUIRE(world.run("35 00 00 00 00 00 00 00 00 00", {}, unit.lun).good());
    const List expected{{4 * slab, deallocated},
                        {slab, mapped},
                        {slab, deallocated},
                        {slab, mapped},
                        {all - 7 * slab, deallocated}};
    CHECK(ask(0) == expected);
    CHECK(ask(4 * slab) == List(expected.begin() + 1, expected.end()));
    CHECK(ask(5 * slab) == List(expected.begin() + 2, expected.end()));
    // Within a slab: up to its end, then whole ones.
    if (slab > 1) CHECK(ask(4 * slab + 1).front() == Status{slab - 1, mapped});
    if (slab > 1) CHECK(ask(5 * slab - 1).front() == Status{1, mapped});
    // As many as there is room for, one at least.
    CHECK(ask(0, 8 + 16 * 2 + 15) == List(expected.begin(), expected.begin() + 2));
    CHECK(ask(0, 24) == List{expected.front()});
    CHECK(world.run(get_lba_status(0, 12), {}, unit.lun).data.size() == 12);
    // Unmapped again.
    REQUIRE(unmap(world, {{4 * slab, static_cast<std::uint32_t>(slab)}}, unit.lun).good());
    CHECK(ask(0).front() == Status{6 * slab, deallocated});
    const Answer beyond = world.run(get_lba_status(all), {}, unit.lun);
    check_illegal(beyond, 0x21, 0x00);
    CHECK(beyond.sense->information == all);
  }
}

TEST_CASE("with the write cache off, UNMAP and WRITE SAME are on the medium before they end") {
  // That a flush was asked for is seen by its failure.
  class NeverFlushes final : public store::Store {
   public:
    base::ByteCount size() const override { return base::ByteCount(unit_bytes); }
    std::string describe() const override { return "never flushes"; }
    store::StoreResult<> read(base::ByteOffset, base::ByteSpan) override { return {}; }
    store::StoreResult<> write(base::ByteOffset, base::ByteView, store::Durability) override {
      return {};
    }
    store::StoreResult<> write_zeros(base::Extent) override { return {}; }
    store::StoreResult<> flush() override {
      return base::fail(store::StoreError{store::StoreError::Kind::write_failed, 5});
    }
  };
  auto guard =
      std::make_unique<store::Guard>(std::make_unique<NeverFlushes>(), memory(1u << 20),
                                     store::GuardSettings{4096, base::ByteCount(1u << 20)});
  OneSession world({{scsi::Lun{3}, make_unit(13, std::move(guard), 512)}});
  const auto both = [&] {
    return std::vector<Answer>{unmap(world, {{0, 8}}, 3),
                               world.run(write_same_10(0, 8), Bytes(512, 1), 3),
                               world.run(write_same_16(0, 8, ndob_bit), {}, 3)};
  };
  for (const Answer& answer : both())
    CHECK(answer.good());
  world.target->units().at(scsi::Lun{3})->set_mode_parameters({false});
  for (const Answer& answer : both())
    check_sense(answer, scsi::SenseKey::medium_error, 0x0c, 0x00);
}
