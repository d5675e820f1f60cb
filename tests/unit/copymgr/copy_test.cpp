// Tokens are points in time, and writing from them puts exactly those bytes where the host wants
// them.
#include <catch2/catch.hpp>

#include "store/open.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using tokens::TokenFault;
using Kind = CopyFault::Kind;

namespace {

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("A token holds its blocks as they were, in the order the host named them") {
  TestVolume source(1, 64), destination(2, 64);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const Bytes wanted = joined(source.read(40, 5), source.read(3, 7));
  const auto token = world.populate(1, {range(40, 5), range(3, 7)});
  CHECK(is_good(world.populated, 12));
  source.write(0, Bytes(64 * 512, 0xee));
  CHECK(is_good(world.write(2, token, {range(20, 4), range(10, 8)}), 12));
  CHECK(joined(destination.read(20, 4), destination.read(10, 8)) == wanted);
  CHECK(source.all() == Bytes(64 * 512, 0xee));
  CHECK(world.manager.counters().bytes_copied == 12 * 512);
  CHECK(world.manager.counters().bytes_requested == 12 * 512);
}

TEST_CASE("3.2 OFFSET INTO ROD counts destination blocks from the start of the token") {
  TestVolume volume(1, 64);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const Bytes wanted = joined(volume.read(43, 2), volume.read(3, 4));
  const auto token = world.populate(1, {range(40, 5), range(3, 7)});
  CHECK(is_good(world.write(1, token, {range(20, 6)}, 3), 6));
  CHECK(volume.read(20, 6) == wanted);
}

TEST_CASE("2.2 the token's fields, the record, and the row of zero blocks") {
  TestVolume source(1, 64);
  source.volume.creator_descriptor[4] = 0x11;
  source.volume.device_specific[2] = 0x22;
  source.volume.target_descriptor[127] = 0x33;
  CopyWorld world;
  world.manager.attach(source.volume);
  const auto token = world.populate(1, {range(0, 3), range(9, 1)});
  CHECK(scsi::rod_type_of(token) == scsi::RodType::point_in_time_default);
  CHECK(scsi::rod_token::bytes_represented_low.read(token) == 4 * 512);
  CHECK(token[16 + 4] == 0x11);
  CHECK(token[96 + 2] == 0x22);
  CHECK(token[255] == 0x33);
  const auto report = world.manager.report(key(1, 0x9000));
  REQUIRE(report);
  CHECK(report->response_to_service_action == 0x10);
  CHECK(report->status == scsi::CopyOperationStatus::completed);
  CHECK(report->transfer_count_blocks == 4);

  (void)world.populate(1, {});
  CHECK(is_good(world.populated, 0));
  CHECK_FALSE(world.manager.report(key(1, 0x9000))->token);
  CHECK(world.manager.token_counters().created == 1);
  CHECK(is_good(world.write(1, token, {range(60, 4)}), 4));  // 2.2: reusing the id harms no token
}

TEST_CASE("9.3 a copy within a volume is as of POPULATE TOKEN, however it overlaps") {
  for (std::uint64_t from = 0; from <= 24; from += 3) {
    for (std::uint64_t to = 0; to <= 24; to += 2) {
      TestVolume volume(1, 48);
      CopyWorld world;
      world.manager.attach(volume.volume);
      const Bytes wanted = volume.read(from, 24);
      const auto token = world.populate(1, {range(from, 24)});
      REQUIRE(is_good(world.write(1, token, {range(to, 24)}), 24));
      REQUIRE(volume.read(to, 24) == wanted);
      // The token is still what it was.
      REQUIRE(is_good(world.write(1, token, {range(24, 24)}), 24));
      REQUIRE(volume.read(24, 24) == wanted);
    }
  }
}

TEST_CASE("5.5 the zero token writes zeros, whatever the offset") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const Bytes before = volume.all();
  const auto zeros = scsi::block_device_zero_token();
  CHECK(is_good(world.write(1, zeros, {range(20, 5), range(2, 3)}, ~0ull, true), 8));
  CHECK(volume.read(20, 5) == Bytes(5 * 512));
  CHECK(volume.read(2, 3) == Bytes(3 * 512));
  CHECK(Bytes(before.begin(), before.begin() + 1024) == volume.read(0, 2));
  CHECK(world.manager.counters().bytes_zeroed == 8 * 512);
  auto wrong = zeros;
  wrong[7] = 0;
  CHECK(is_token_fault(world.write(1, wrong, {range(0, 1)}), TokenFault::invalid_length));
}

TEST_CASE("5.5 zeros written over a source leave its token whole") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const Bytes wanted = volume.read(0, 8);
  const auto token = world.populate(1, {range(0, 8)});
  CHECK(is_good(world.write(1, scsi::block_device_zero_token(), {range(0, 16)}), 16));
  CHECK(is_good(world.write(1, token, {range(16, 8)}), 8));
  CHECK(volume.read(16, 8) == wanted);
}

TEST_CASE("3.5 DEL_TKN deletes only when all is written") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const auto token = world.populate(1, {range(0, 8)});
  CHECK(is_fault(world.write(1, token, {range(8, 9)}, 0, true), Kind::beyond_token, 0));
  volume.faults->fail_write = 1;
  CHECK(is_fault(world.write(1, token, {range(8, 8)}, 0, true), Kind::destination_write_failed, 0));
  CHECK(is_good(world.write(1, token, {range(8, 8)}, 0, true), 8));
  CHECK(is_token_fault(world.write(1, token, {range(8, 8)}), TokenFault::deleted));
  CHECK(volume.guard->counters().snapshots_live == 0);
}

TEST_CASE("3.3 rows 12 to 14 and R21: refused before a block moves, and the record is kept") {
  TestVolume source(1, 32), destination(2, 32), other(3, 32);
  other.volume.block_length = {4096};
  CopyWorld world;
  for (const auto* v : {&source, &destination, &other})
    world.manager.attach(v->volume);
  const auto token = world.populate(1, {range(0, 8)});
  const Bytes before = destination.all();
  CHECK(is_fault(world.write(2, token, {range(0, 1)}, 8), Kind::offset_beyond_token, 0));
  CHECK(is_fault(world.write(2, token, {range(0, 1)}, ~0ull), Kind::offset_beyond_token, 0));
  CHECK(is_fault(world.write(2, token, {range(0, 2), range(9, 6)}, 1), Kind::beyond_token, 0));
  CHECK(is_fault(world.write(3, token, {range(0, 1)}), Kind::mixed_block_lengths, 0));
  auto forged = token;
  forged[511] ^= 1;
  CHECK(is_token_fault(world.write(2, forged, {range(0, 1)}), TokenFault::corrupt));
  CHECK(world.manager.report(key(2))->status == scsi::CopyOperationStatus::completed_with_errors);
  CHECK(is_fault(world.write(9, token, {range(0, 1)}), Kind::volume_gone, 0));
  CHECK(is_good(world.write(2, token, {}, 99), 0));
  CHECK(destination.all() == before);
  CHECK(world.manager.counters().refused == 6);
  CHECK(world.manager.counters().write_using_token == 7);
}

TEST_CASE("7.1 and 7.2 through the manager: expiry by the clock, a use restarts it") {
  TestVolume volume(1, 32);
  CopyWorld world;
  world.manager.attach(volume.volume);
  const auto token = world.populate(1, {range(0, 8)}, 10);
  world.clock.advance(9s);
  CHECK(is_good(world.write(1, token, {range(8, 8)}), 8));
  world.clock.advance(9s);
  world.manager.expire();
  CHECK(volume.guard->counters().snapshots_live == 1);
  world.clock.advance(1s);
  world.manager.expire();
  CHECK(volume.guard->counters().snapshots_live == 0);
  CHECK(is_token_fault(world.write(1, token, {range(8, 8)}), TokenFault::expired));
}

TEST_CASE("7.2 a snapshot the guard cannot keep cancels its token, never gives later data") {
  TestVolume volume(1, 32, base::ByteCount(4096));  // room for one saved chunk
  CopyWorld world;
  world.manager.attach(volume.volume);
  const auto kept = world.populate(1, {range(24, 8)});
  const auto token = world.populate(1, {range(0, 16)});
  volume.write(0, Bytes(16 * 512, 0xdd));
  CHECK(is_token_fault(world.write(1, token, {range(16, 8)}), TokenFault::cancelled));
  CHECK(world.manager.token_counters().cancelled == 1);
  CHECK(is_good(world.write(1, kept, {range(16, 8)}), 8));
}

TEST_CASE("A copy that destroys its own source for want of room ends truthfully") {
  TestVolume volume(1, 64, base::ByteCount(4096));
  CopyWorld world;
  world.manager.attach(volume.volume);
  const Bytes before = volume.all();
  const auto token = world.populate(1, {range(0, 32)});
  // Blocks 8-39 from 0-31: the first chunk overwritten is saved, the second finds no room.
  const auto outcome = world.write(1, token, {range(8, 32)});
  REQUIRE(is_fault(outcome, Kind::stopped_early, 8));
  const Bytes wanted(before.begin(), before.begin() + 8 * 512);
  CHECK(volume.read(8, 8) == wanted);
  CHECK(is_token_fault(world.write(1, token, {range(16, 24)}, 8), TokenFault::cancelled));
}

TEST_CASE("7.2 detaching the source cancels its tokens, and only those") {
  TestVolume source(1, 32), destination(2, 32);
  CopyWorld world;
  world.manager.attach(source.volume);
  world.manager.attach(destination.volume);
  const auto gone = world.populate(1, {range(0, 8)}), stays = world.populate(2, {range(0, 8)});
  world.manager.detach(1);
  CHECK(source.guard->counters().snapshots_live == 0);
  CHECK(is_token_fault(world.write(2, gone, {range(8, 8)}), TokenFault::cancelled));
  CHECK(is_good(world.write(2, stays, {range(8, 8)}), 8));
  CHECK(is_fault(world.write(1, stays, {range(8, 8)}), Kind::volume_gone, 0));
  world.manager.detach(1);
  world.manager.attach(source.volume);
  CHECK(is_good(world.write(1, stays, {range(8, 8)}), 8));
}

TEST_CASE("Files: shared blocks or copies in the kernel, and odd ranges by either") {
  const ::test::TempDir folder;
  {
    std::vector<std::unique_ptr<store::Guard>> guards;
    CopySettings settings;
    settings.step_bytes = base::ByteCount(256 << 10);
    CopyWorld world(settings);
    for (std::uint64_t id = 1; id <= 2; ++id) {
      const auto spec = store::parse_store_spec("file:" + folder.path() + "/" + std::to_string(id) +
                                                ".img,size=2M");
      REQUIRE(spec);
      auto guard = store::open_guarded(*spec, folder.path(), {});
      REQUIRE(guard);
      guards.push_back(std::move(*guard));
      Volume volume;
      volume.id = id;
      volume.guard = guards.back().get();
      volume.capacity = base::BlockCount(4096);
      world.manager.attach(volume);
    }
    Bytes old(1 << 20, 0x5a);
    for (std::size_t i = 0; i < old.size(); i += 100)
      old[i] = static_cast<std::uint8_t>(i >> 8);
    REQUIRE(guards[0]->write(base::ByteOffset(0), old, store::Durability::cached));
    const auto token = world.populate(1, {range(0, 4096)});
    REQUIRE(guards[0]->write(base::ByteOffset(4096), Bytes(300'000, 1), store::Durability::cached));
    CHECK(is_good(world.write(2, token, {range(0, 4096)}), 4096));
    Bytes got(2 << 20);
    REQUIRE(guards[1]->read(base::ByteOffset(0), got));
    Bytes wanted = old;
    wanted.resize(2 << 20);
    CHECK(got == wanted);
    CHECK(is_good(world.write(1, token, {range(1, 1001), range(3001, 100)}, 77), 1101));
    REQUIRE(guards[0]->read(base::ByteOffset(0), got));
    CHECK(std::equal(got.begin() + 512, got.begin() + 512 * 1002, wanted.begin() + 512 * 77));
    const auto c = world.manager.counters();
    CHECK(c.bytes_cloned + c.bytes_copied_in_kernel + c.bytes_copied == (4096 + 1101) * 512);
    CHECK(c.bytes_copied_in_kernel + c.bytes_cloned > 0);
  }
}
