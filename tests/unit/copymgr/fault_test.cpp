// Each call to the medium fails once, one after the other: whatever fails, blocks_done is a true
// prefix, a retry of the rest completes the copy, and nothing is left behind.
#include <catch2/catch.hpp>

#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = CopyFault::Kind;

namespace {

struct FaultWorld {
  FaultWorld() {
    world.manager.attach(source.volume);
    world.manager.attach(destination.volume);
    source.faults->lends = false;  // so that reading is a call that can fail
    destination.faults->lends = false;
    wanted = source.read(4, 20);
    token = world.populate(1, {range(4, 20)});
    source.write(8, Bytes(8 * 512, 0x99));  // some of it now lies in the side store
  }

  // The prefix is the token's, the rest is what it was or (within the failed step) the token's too.
  bool is_true(std::uint64_t blocks_done, const Bytes& before) const {
    const Bytes now = destination.read(0, 20);
    for (std::uint64_t block = 0; block < 20; ++block) {
      const auto at = static_cast<std::ptrdiff_t>(block * 512);
      const bool is_new = std::equal(now.begin() + at, now.begin() + at + 512, wanted.begin() + at);
      const bool is_old = std::equal(now.begin() + at, now.begin() + at + 512, before.begin() + at);
      if (block < blocks_done ? !is_new : !is_new && !is_old) return false;
      if (block >= blocks_done + 2 && !is_old) return false;  // a step is two blocks
    }
    return true;
  }

  TestVolume source{1, 64}, destination{2, 64};
  CopyWorld world;
  Bytes wanted;
  scsi::RodTokenBytes token;
};

// Arms the nth failure until the copy no longer meets it; returns how many it met.
template <class Arm>
int fail_each(Arm arm, Kind expected, const std::vector<base::BlockRange>& ranges) {
  for (int n = 1;; ++n) {
    FaultWorld w;
    const Bytes before = w.destination.read(0, 20);
    arm(w, n);
    const auto outcome = w.world.write(2, w.token, ranges);
    REQUIRE(outcome);
    if (*outcome) {
      CHECK((*outcome)->value == 20);
      CHECK(w.is_true(20, before));
      return n - 1;
    }
    REQUIRE(outcome->error().kind == expected);
    const std::uint64_t done = outcome->error().blocks_done.value;
    REQUIRE(done < 20);
    REQUIRE(w.is_true(done, before));
    const auto report = w.world.manager.report(key(2));
    REQUIRE(report->transfer_count_blocks == done);
    REQUIRE(report->status == scsi::CopyOperationStatus::completed_with_errors);
    REQUIRE(is_good(w.world.write(2, w.token, {range(done, 20 - done)}, done), 20 - done));
    REQUIRE(w.is_true(20, before));
  }
}

}  // namespace

TEST_CASE("Each read of the source fails once") {
  const int met = fail_each([](FaultWorld& w, int n) { w.source.faults->fail_read = n; },
                            Kind::source_read_failed, {range(0, 20)});
  CHECK(met >= 4);
}

TEST_CASE("Each write to the destination fails once") {
  const int met = fail_each([](FaultWorld& w, int n) { w.destination.faults->fail_write = n; },
                            Kind::destination_write_failed, {range(0, 7), range(7, 13)});
  CHECK(met >= 10);
}

TEST_CASE("Each write finds the medium full once") {
  const auto arm = [](FaultWorld& w, int n) {
    w.destination.faults->fail_write = n;
    w.destination.faults->write_fault = store::StoreError::Kind::no_space;
  };
  CHECK(fail_each(arm, Kind::destination_full, {range(0, 20)}) >= 10);
}

TEST_CASE("Zeros: each write fails once") {
  for (int n = 1; n <= 5; ++n) {
    TestVolume volume(1, 32);
    CopyWorld world;
    world.manager.attach(volume.volume);
    volume.faults->fail_write = n;
    const bool full = n % 2 == 0;
    if (full) volume.faults->write_fault = store::StoreError::Kind::no_space;
    const auto outcome = world.write(1, scsi::block_device_zero_token(), {range(0, 9)});
    CHECK(is_fault(outcome, full ? Kind::destination_full : Kind::destination_write_failed,
                   static_cast<std::uint64_t>(2 * (n - 1))));
    CHECK(volume.read(0, static_cast<std::uint64_t>(2 * (n - 1))) ==
          Bytes(static_cast<std::size_t>(2 * (n - 1)) * 512));
  }
}

TEST_CASE(
    "A copy under which the snapshot is lost keeps its prefix, then meets a cancelled token") {
  for (std::uint64_t step = 1; step <= 6; ++step) {
    TestVolume source(1, 64, base::ByteCount(4096)), destination(2, 64);
    CopyWorld world;
    world.manager.attach(source.volume);
    world.manager.attach(destination.volume);
    const Bytes wanted = source.read(0, 32);
    const auto token = world.populate(1, {range(0, 32)});
    // Another host writes two chunks of the source, and there is room for one. What the step reads
    // is the first or second chunk, which nobody else may write meanwhile.
    std::uint64_t writes = 0;
    destination.faults->before_write = [&] {
      if (++writes == step) source.write(16, Bytes(16 * 512, 1));
    };
    CHECK(is_fault(world.write(2, token, {range(0, 32)}), Kind::stopped_early, 2 * step));
    CHECK(destination.read(0, 2 * step) ==
          Bytes(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(2 * step * 512)));
    destination.faults->before_write = nullptr;
    CHECK(is_token_fault(world.write(2, token, {range(0, 32)}), tokens::TokenFault::cancelled));
  }
}
