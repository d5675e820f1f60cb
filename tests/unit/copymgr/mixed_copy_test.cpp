// Copies between blocks of 512 and of 4096 bytes: what is told of a part is told in whole blocks of
// the destination and is true, wherever a copy ends, and stores that need more refuse before.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;

namespace {

constexpr std::uint64_t block = 4096;

struct MixedWorld {
  explicit MixedWorld(CopySettings settings = CopyWorld::small_steps(),
                      scsi::RodType type = scsi::RodType::point_in_time_default)
      : world(settings) {
    large.volume.block_length = {block};
    large.volume.capacity = base::BlockCount(8);
    for (TestVolume* each : {&small, &large}) {
      each->volume.limits.mixed_block_lengths = MixedBlockLengths::convert;
      each->volume.limits.rod_types.insert(scsi::RodType::access_upon_reference);
    }
    for (TestVolume* each : {&small, &large}) {
      each->faults->lends = false;
      world.manager.attach(each->volume);
    }
    // 5 + 15 blocks: a block of the destination is made of two ranges, the third one only in part.
    wanted = small.read(40, 5);
    const Bytes rest = small.read(4, 15);
    wanted.insert(wanted.end(), rest.begin(), rest.end());
    wanted.resize(3 * block);
    token = populate(1, type, {range(40, 5), range(4, 15)});
  }
  scsi::RodTokenBytes populate(std::uint64_t volume, scsi::RodType type,
                               std::vector<base::BlockRange> ranges) {
    world.manager.populate_token(key(volume, 0x9000), {0, type, std::move(ranges)},
                                 [](CopyOutcome) {});
    return world.manager.report(key(volume, 0x9000)).value().token.value();
  }
  Bytes written(std::uint64_t blocks) const {
    Bytes bytes(blocks * block);
    (void)large.guard->read(base::ByteOffset(2 * block), bytes).has_value();
    return bytes;
  }
  bool is_prefix(std::uint64_t blocks) const {
    return written(blocks) ==
           Bytes(wanted.begin(), wanted.begin() + static_cast<long>(blocks * block));
  }

  TestVolume small{1, 64}, large{2, 64};
  CopyWorld world;
  Bytes wanted;
  scsi::RodTokenBytes token;
};

}  // namespace

TEST_CASE(
    "each write of a converting copy fails once: whole blocks are told, and the rest goes on") {
  const auto type =
      GENERATE(scsi::RodType::point_in_time_default, scsi::RodType::access_upon_reference);
  int met = 0;
  std::uint64_t parts = 0;
  for (int n = 1;; ++n) {
    MixedWorld w(CopyWorld::small_steps(), type);
    w.large.faults->fail_write = n;
    const auto outcome = w.world.write(2, w.token, {range(2, 3)});
    REQUIRE(outcome);
    if (*outcome) break;
    ++met;
    REQUIRE(outcome->error().kind == Kind::destination_write_failed);
    const std::uint64_t done = outcome->error().blocks_done.value;
    REQUIRE(done < 3);
    REQUIRE(w.is_prefix(done));
    parts += done;
    REQUIRE(is_good(w.world.write(2, w.token, {range(2 + done, 3 - done)}, done), 3 - done));
    REQUIRE(w.is_prefix(3));
    CHECK(w.world.manager.report(key(2))->transfer_count_blocks == 3 - done);
  }
  CHECK(met > 6);  // and so some end within a block
  CHECK(parts > 0);
}

TEST_CASE("R6 R12: a converting copy that stops early has at least one whole block done") {
  CopySettings settings = CopyWorld::small_steps();
  settings.work_budget = base::Duration::zero();
  MixedWorld w(settings);
  const auto outcome = w.world.write(2, w.token, {range(2, 3)});
  CHECK(is_fault(outcome, Kind::stopped_early, 1));
  CHECK(w.is_prefix(1));
  CHECK(is_fault(w.world.write(2, w.token, {range(3, 2)}, 1), Kind::stopped_early, 1));
  CHECK(is_good(w.world.write(2, w.token, {range(4, 1)}, 2), 1));
  CHECK(w.is_prefix(3));
}

TEST_CASE("a store that takes 4096 bytes at once refuses parts of them before anything moves") {
  MixedWorld w;
  const auto whole = w.world.populate(1, {range(8, 8), range(24, 8)});
  const Bytes before = w.written(3);
  w.large.faults->alignment = 4096;
  CHECK(is_fault(w.world.write(2, w.token, {range(2, 3)}), Kind::mixed_block_lengths, 0));
  CHECK(w.written(3) == before);
  CHECK(is_good(w.world.write(2, whole, {range(2, 2)}), 2));
  // The source as well.
  w.large.faults->alignment = 1;
  w.small.faults->alignment = 4096;
  CHECK(is_fault(w.world.write(2, w.token, {range(2, 3)}), Kind::mixed_block_lengths, 0));
  CHECK(is_good(w.world.write(2, whole, {range(2, 2)}), 2));
  // Blocks of one length are whatever the store said they could be.
  CHECK(is_good(w.world.write(1, w.token, {range(0, 20)}), 20));
}

TEST_CASE("5.4 9.3 access upon reference, converted: every stretch is what the source holds then") {
  MixedWorld w(CopyWorld::small_steps(), scsi::RodType::access_upon_reference);
  std::uint8_t seed = 0;
  SECTION("from 512 to 4096: the last block is filled up with zeros") {
    for (std::uint64_t offset = 0; offset < 3; ++offset) {
      for (std::uint64_t count = 1; count <= 3 - offset; ++count) {
        ++seed;
        w.small.write(42 + seed % 3u, Bytes(512, seed));  // in its first range
        w.small.write(4u + seed, Bytes(512, seed));       // and in its second
        Bytes flat = w.small.read(40, 5);
        const Bytes rest = w.small.read(4, 15);
        flat.insert(flat.end(), rest.begin(), rest.end());
        flat.resize(3 * block);
        REQUIRE(is_good(w.world.write(2, w.token, {range(2, count)}, offset), count));
        const auto from = flat.begin() + static_cast<long>(offset * block);
        REQUIRE(w.written(count) == Bytes(from, from + static_cast<long>(count * block)));
      }
    }
    CHECK(is_fault(w.world.write(2, w.token, {range(2, 4)}), Kind::beyond_token, 0));
  }
  SECTION("from 4096 to 512: from within a block to within another") {
    const auto token =
        w.populate(2, scsi::RodType::access_upon_reference, {range(6, 1), range(1, 2)});
    for (std::uint64_t offset = 0; offset < 24; ++offset) {
      for (const std::uint64_t count : {1u, 5u, 8u, 13u}) {
        if (offset + count > 24) continue;
        ++seed;
        Bytes changed(3 * 512, seed);
        REQUIRE(w.large.guard->write(base::ByteOffset(6 * block + 512), changed,
                                     store::Durability::cached));
        REQUIRE(w.large.guard->write(base::ByteOffset(2 * block + 1024), changed,
                                     store::Durability::cached));
        Bytes flat(3 * block);
        const base::ByteSpan all(flat);
        REQUIRE(w.large.guard->read(base::ByteOffset(6 * block), all.first(block)));
        REQUIRE(w.large.guard->read(base::ByteOffset(block), all.subspan(block)));
        const Bytes expected(flat.begin() + static_cast<long>(offset * 512),
                             flat.begin() + static_cast<long>((offset + count) * 512));
        REQUIRE(is_good(
            w.world.write(1, token, {range(1, count - count / 2), range(20, count / 2)}, offset),
            count));
        Bytes written = w.small.read(1, count - count / 2);
        const Bytes second = w.small.read(20, count / 2);
        written.insert(written.end(), second.begin(), second.end());
        REQUIRE(written == expected);
      }
    }
  }
  CHECK(w.small.guard->counters().snapshots_live == 1);  // its addresses
}
