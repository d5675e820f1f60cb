// RODs of an EXTENDED COPY by their ROD type (wire reference 5.4, 8.3): what segments read of them
// and what becomes of their tokens, when their blocks change.
#include "copymgr/inspection.hpp"
#include "copymgr/joined_snapshot.hpp"
#include "tests/unit/copymgr/rod_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;
using tokens::TokenFault;
using enum scsi::RodType;

TEST_CASE("5.4 R_TOKEN: the token has the type of its ROD, and keeps what that keeps") {
  const auto type = GENERATE(point_in_time_default, point_in_time_change_vulnerable,
                             point_in_time_persistent, access_upon_reference);
  const bool two_segments = GENERATE(false, true);
  RodWorld w;
  for (TestVolume* each : {&w.a, &w.c}) {
    each->volume.limits.rod_types.insert(access_upon_reference);
    w.world.manager.attach(each->volume);
  }
  const Bytes old = together(w.a.read(4, 2), w.a.read(8, 2));
  w.add_rod(1, true).type = type;
  if (two_segments) {
    CHECK(is_good(w.copy({populate({range(4, 2)}), populate({range(8, 2)})}), 0));
  } else {
    CHECK(is_good(w.copy({populate({range(4, 2), range(8, 2)})}), 0));
  }
  REQUIRE(w.tokens().size() == 1);
  const auto token = w.tokens()[0].token;
  CHECK(scsi::rod_type_of(token) == type);
  // Who has its bytes may use it: an administrator who looks at copies is not told them.
  CHECK(w.world.manager.operations().back().result.rod_cscd_tokens.empty());
  w.a.write(6, Bytes(512, 0xee));  // beside
  CHECK(is_good(w.world.write(3, token, {range(0, 4)}), 4));
  CHECK(w.c.read(0, 4) == old);

  w.a.write(9, Bytes(512, 0xee));
  const auto outcome = w.world.write(3, token, {range(8, 4)});
  if (type == point_in_time_change_vulnerable) {
    CHECK(is_token_fault(outcome, TokenFault::cancelled));
  } else {
    CHECK(is_good(outcome, 4));
    const bool as_it_is = type == access_upon_reference;
    CHECK(w.c.read(8, 4) == together(part(old, 0, 3), as_it_is ? w.a.read(9, 1) : part(old, 3, 1)));
  }
  const auto facts = w.world.manager.tokens(false);
  CHECK(facts.empty() == (type == point_in_time_change_vulnerable));
  if (facts.empty()) return;
  const bool copies = type != access_upon_reference;
  REQUIRE(facts[0].held);
  // Chunks of eight blocks: both are overwritten.
  CHECK(facts[0].held->side_bytes.value == (copies ? 2 * 4096 : 0));
}

TEST_CASE("5.4 access upon reference: a segment reads what the blocks hold when its turn comes") {
  RodWorld w;
  const Bytes a = w.a.all(), b = w.b.all();
  w.add_rod(1).type = access_upon_reference;
  SECTION("across its ranges and segments") {
    CHECK(is_good(w.copy({populate({range(20, 3), range(2, 2)}), populate({range(9, 1)}),
                          blocks(2, 0, 1, 21, 1), blocks(rod_id, 1, 3, 0, 5)}),
                  0));
    CHECK(w.c.read(0, 5) == together(together(part(b, 0, 1), part(a, 22, 1)),
                                     together(part(a, 2, 2), part(a, 9, 1))));
  }
  SECTION("bytes of it") {
    scsi::SegmentDescriptor bytes = blocks(rod_id, 0, 3, 0, 700);
    bytes.type = scsi::SegmentType::block_to_block_with_offset;
    bytes.source_offset = base::ByteCount(300);
    CHECK(is_good(w.copy({populate({range(9, 1), range(3, 2)}), bytes}), 0));
    const Bytes rod = together(part(a, 9, 1), part(a, 3, 2)), written = w.c.read(0, 2);
    CHECK(Bytes(written.begin(), written.begin() + 700) ==
          Bytes(rod.begin() + 300, rod.begin() + 1000));
  }
  SECTION("onto its own producer it moves what was there then") {
    CHECK(is_good(
        w.copy({populate({range(0, 8)}), blocks(rod_id, 0, 1, 4, 8), blocks(rod_id, 0, 3, 0, 8)}),
        0));
    CHECK(w.a.read(4, 8) == part(a, 0, 8));
    CHECK(w.c.read(0, 8) == together(part(a, 0, 4), part(a, 0, 4)));
  }
  CHECK(w.a.guard->counters().snapshots_live == 0);
}

TEST_CASE("5.4 change vulnerable: a segment that writes the blocks ends the ROD") {
  RodWorld w;
  const Bytes a = w.a.all(), c = w.c.all();
  w.add_rod(1, true).type = point_in_time_change_vulnerable;
  SECTION("a write beside them does not") {
    CHECK(is_good(
        w.copy({populate({range(8, 4)}), blocks(2, 0, 1, 12, 1), blocks(rod_id, 0, 3, 0, 4)}), 0));
    CHECK(w.c.read(0, 4) == part(a, 8, 4));
  }
  SECTION("what reads it later fails") {
    check_fault(
        w.copy({populate({range(8, 4)}), blocks(2, 0, 1, 11, 1), blocks(rod_id, 0, 3, 0, 4)}),
        Kind::read_failed, 2);
    CHECK(w.c.all() == c);
    CHECK(w.world.manager.token_counters().created == 0);
  }
  SECTION("one of several that were put together is enough") {
    check_fault(w.copy({populate({range(0, 4)}), populate({range(8, 4)}), blocks(2, 0, 1, 11, 1),
                        blocks(rod_id, 0, 3, 0, 4)}),
                Kind::read_failed, 3);
    CHECK(w.c.all() == c);
  }
  SECTION("unread, its token is cancelled") {
    CHECK(is_good(w.copy({populate({range(8, 4)}), blocks(2, 0, 1, 11, 1)}), 0));
    REQUIRE(w.tokens().size() == 1);
    CHECK(is_token_fault(w.world.write(3, w.tokens()[0].token, {range(0, 4)}),
                         TokenFault::cancelled));
  }
}

TEST_CASE("5.4 a token of each type in a list; with its blocks gone it cannot be read") {
  base::ManualExecutor pool;
  RodWorld w(pool);
  w.a.volume.limits.rod_types.insert(access_upon_reference);
  w.world.manager.attach(w.a.volume);
  const Bytes a = w.a.all();
  const auto populate_token = [&w](scsi::RodType type) {
    w.world.manager.populate_token(key(1, 0x77), {0, type, {range(4, 8)}}, [](CopyOutcome) {});
    return w.world.manager.report(key(1, 0x77)).value().token.value();
  };
  const auto reference = populate_token(access_upon_reference);
  const auto vulnerable = populate_token(point_in_time_change_vulnerable);
  CHECK_FALSE(w.add_rod(reference));
  CHECK_FALSE(w.add_rod(vulnerable));
  w.copy({blocks(rod_id, 2, 2, 0, 4), blocks(rod_id + 1, 2, 3, 0, 4)});
  pool.run();
  CHECK(is_good(w.outcome, 0));
  CHECK(w.b.read(0, 4) == part(a, 6, 4));
  CHECK(w.c.read(0, 4) == part(a, 6, 4));

  SECTION("before the command") {
    w.a.write(4, Bytes(512, 0xee));
    CHECK_FALSE(w.add_rod(reference));
    CHECK(w.add_rod(vulnerable)->token_fault == TokenFault::cancelled);
    REQUIRE(w.a.guard->forget_snapshots());
    CHECK(w.add_rod(reference)->token_fault == TokenFault::cancelled);
  }
  SECTION("in the middle of it") {
    CHECK_FALSE(w.add_rod(reference));
    const Bytes b = w.b.all();
    CHECK_FALSE(w.copy({blocks(rod_id, 0, 2, 8, 8)}));
    for (int i = 0; i < 2; ++i)
      pool.run_one();
    REQUIRE(w.a.guard->forget_snapshots());
    pool.run();
    check_fault(w.outcome, Kind::read_failed, 0);
  }
}

TEST_CASE("points in time put together: lost with one of them, each extent is read where it is") {
  TestVolume volume(1, 32, base::ByteCount(8192));
  const Bytes old = volume.all();
  base::InlineExecutor pool;
  Snapshots parts;
  for (const std::uint64_t lba : {0u, 16u}) {
    volume.guard->protect(
        {base::to_extent(range(lba, 4), block_length)}, pool, [] {},
        [&parts](std::shared_ptr<store::Snapshot> snapshot) { parts.push_back(snapshot); });
  }
  const auto joined = join(parts);
  CHECK(joined->extents().size() == 2);
  CHECK(joined->kept_as() == 0);
  CHECK(join({parts[0]}) == parts[0]);
  const auto read = [&](std::uint64_t lba, std::uint64_t count) {
    Bytes out;
    const auto done =
        joined->visit(base::to_extent(range(lba, count), block_length),
                      [&out](store::Piece piece, base::ByteCount length) -> store::StoreResult<> {
                        Bytes some(length.value);
                        auto result = piece.store->read(piece.at, some);
                        out.insert(out.end(), some.begin(), some.end());
                        return result;
                      });
    return done ? out : Bytes();
  };
  volume.write(2, Bytes(512, 0xee));
  CHECK(joined->side_bytes() == base::ByteCount(4096));
  volume.write(17, Bytes(512, 0xee));
  CHECK(joined->side_bytes() == base::ByteCount(8192));
  CHECK(read(1, 3) == part(old, 1, 3));
  CHECK(read(16, 4) == part(old, 16, 4));
  CHECK(read(3, 2).empty());  // beyond an extent
  CHECK(read(8, 1).empty());  // in none
  CHECK_FALSE(joined->lost());
  REQUIRE(volume.guard->forget_snapshots());
  CHECK(joined->lost());
}
