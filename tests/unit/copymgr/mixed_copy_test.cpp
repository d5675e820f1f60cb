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
  explicit MixedWorld(CopySettings settings = CopyWorld::small_steps()) : world(settings) {
    large.volume.block_length = {block};
    large.volume.capacity = base::BlockCount(8);
    large.volume.limits.mixed_block_lengths = MixedBlockLengths::convert;
    for (TestVolume* each : {&small, &large}) {
      each->faults->lends = false;
      world.manager.attach(each->volume);
    }
    // 5 + 15 blocks: a block of the destination is made of two ranges, the third one only in part.
    wanted = small.read(40, 5);
    const Bytes rest = small.read(4, 15);
    wanted.insert(wanted.end(), rest.begin(), rest.end());
    wanted.resize(3 * block);
    token = world.populate(1, {range(40, 5), range(4, 15)});
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
  int met = 0;
  std::uint64_t parts = 0;
  for (int n = 1;; ++n) {
    MixedWorld w;
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
