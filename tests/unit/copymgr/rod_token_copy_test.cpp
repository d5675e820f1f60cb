// Tokens and RODs of an EXTENDED COPY (wire reference 4.5, 5.5, 5.6, 7.4, 8.3): those that a good
// end leaves, those that a list brings.
#include "tests/unit/copymgr/rod_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;
using tokens::TokenFault;

TEST_CASE("4.5 R_TOKEN: a token for each ROD that asks for one, when all went well") {
  RodWorld w;
  const Bytes a = w.a.all(), b = w.b.all();
  w.add_rod(1, true);
  w.add_rod(2, true).inactivity_timeout_seconds = 30;
  w.add_rod(1);
  w.add_rod(3, true);  // never populated
  const auto third = static_cast<std::uint16_t>(rod_id + 2);
  CHECK(is_good(
      w.copy({populate({range(4, 2)}), populate({range(0, 3)}, rod_id + 1), populate({range(8, 2)}),
              populate({range(1, 1)}, third), blocks(third, 0, 3, 31, 1)}),
      0));
  const auto made = w.tokens();
  REQUIRE(made.size() == 2);
  CHECK(made[0].cscd_id == rod_id);
  CHECK(made[1].cscd_id == rod_id + 1);
  CHECK(w.live() == 2);
  w.a.write(0, Bytes(32 * 512, 0xee));
  CHECK(is_good(w.world.write(3, made[0].token, {range(0, 4)}), 4));
  CHECK(w.c.read(0, 4) == together(part(a, 4, 2), part(a, 8, 2)));
  CHECK(is_good(w.world.write(3, made[1].token, {range(8, 3)}), 3));
  CHECK(w.c.read(8, 3) == part(b, 0, 3));
  CHECK(scsi::rod_token::bytes_represented_low.read(made[0].token) == 4 * 512);

  SECTION("REQUESTED ROD INACTIVITY TIMEOUT; 0: none") {
    w.world.clock.advance(29s);
    CHECK(is_good(w.world.write(3, made[1].token, {range(8, 3)}), 3));
    w.world.clock.advance(31s);
    CHECK(is_token_fault(w.world.write(3, made[1].token, {range(8, 3)}), TokenFault::expired));
    w.world.clock.advance(24h * 365);
    CHECK(is_good(w.world.write(3, made[0].token, {range(0, 4)}), 4));
  }
  SECTION("a unit that goes takes its tokens along") {
    w.world.manager.detach(1);
    CHECK(w.live() == 1);
    CHECK(is_token_fault(w.world.write(3, made[0].token, {range(0, 4)}), TokenFault::cancelled));
  }
}

TEST_CASE("REQUESTED ROD TOKEN LIFETIME ends a token whatever its use, within the unit's maximum") {
  for (const std::uint32_t maximum : {0u, 50u, 500u}) {
    RodWorld w;
    w.a.volume.limits.maximum_token_lifetime_seconds = maximum;
    w.world.manager.attach(w.a.volume);
    w.add_rod(1, true).lifetime_seconds = 100;
    CHECK(is_good(w.copy({populate({range(0, 2)})}), 0));
    const auto token = w.tokens().at(0).token;
    const std::chrono::seconds life(maximum == 50 ? 50 : 100);
    w.world.clock.advance(life - 1s);
    CHECK(is_good(w.world.write(3, token, {range(0, 2)}), 2));
    w.world.clock.advance(1s);
    CHECK(is_token_fault(w.world.write(3, token, {range(0, 2)}), TokenFault::expired));
  }
}

TEST_CASE("no token remains of a copy that failed, was stopped, or had nothing to represent") {
  SECTION("failed") {
    RodWorld w;
    w.add_rod(1, true);
    check_fault(w.copy({populate({range(0, 4)}), blocks(rod_id, 0, 2, 30, 4)}), Kind::out_of_range,
                1);
    CHECK(w.tokens().empty());
    CHECK(w.live() == 0);
    CHECK(w.world.manager.token_counters().created == 0);
    CHECK(w.a.guard->counters().snapshots_live == 0);
  }
  SECTION("stopped") {
    base::ManualExecutor pool;
    RodWorld w(pool);
    w.add_rod(1, true);
    CHECK_FALSE(w.copy({populate({range(0, 16)}), blocks(rod_id, 0, 2, 0, 16)}));
    for (int i = 0; i < 5; ++i)
      pool.run_one();
    w.world.manager.stop_asked_by(&w);
    CHECK(is_fault(w.outcome, CopyFault::Kind::aborted, 0));
    pool.run();
    CHECK(w.world.manager.token_counters().created == 0);
    CHECK(w.a.guard->counters().snapshots_live == 0);
  }
  SECTION("nothing: as POPULATE TOKEN, 2.2 row 16") {
    RodWorld w;
    w.add_rod(1, true);
    CHECK(is_good(w.copy({populate({range(3, 0)}), populate({})}), 0));
    CHECK(w.tokens().empty());
    CHECK(w.live() == 0);
  }
  SECTION("the producer went") {
    base::ManualExecutor pool;
    RodWorld w(pool);
    w.add_rod(2, true);
    CHECK_FALSE(w.copy({populate({range(0, 16)}), blocks(rod_id, 0, 3, 0, 16)}));
    for (int i = 0; i < 4; ++i)
      pool.run_one();
    w.world.manager.detach(2);
    check_fault(w.outcome, Kind::gone, 1);
    CHECK(w.outcome->error().segment->side == SegmentSide::source);
    pool.run();
    CHECK(w.world.manager.token_counters().created == 0);
  }
}

TEST_CASE("LIST ID USAGE 10b keeps a record that has tokens in it, until they are fetched") {
  RodWorld w;
  w.add_rod(1, true);
  CHECK(is_good(w.copy({populate({range(0, 4)})}, scsi::ListIdUsage::discard_when_good), 0));
  CHECK(w.tokens().size() == 1);
  CHECK(is_good(w.copy({}, scsi::ListIdUsage::discard_when_good), 0));
  CHECK_FALSE(w.world.manager.report(key(1)));
}

TEST_CASE("without room for what a host overwrites a ROD is lost; its token is cancelled") {
  base::ManualExecutor pool;
  RodWorld w(pool);
  TestVolume tight(3, 32, base::ByteCount(4096));  // holds one chunk of eight blocks
  w.world.manager.attach(tight.volume);
  SECTION("while it is read") {
    w.add_rod(3, true);
    CHECK_FALSE(w.copy({populate({range(0, 32)}), blocks(rod_id, 0, 2, 0, 32)}));
    for (int i = 0; i < 5; ++i)
      pool.run_one();
    tight.write(0, Bytes(32 * 512, 0xee));
    pool.run();
    check_fault(w.outcome, Kind::read_failed, 1);
    CHECK(w.world.manager.token_counters().created == 0);
  }
  SECTION("before the end, unread") {
    w.add_rod(3, true);
    CHECK_FALSE(w.copy({populate({range(0, 32)}), blocks(1, 0, 2, 0, 16)}));
    for (int i = 0; i < 5; ++i)
      pool.run_one();
    tight.write(0, Bytes(32 * 512, 0xee));
    pool.run();
    CHECK(is_good(w.outcome, 0));
    const auto token = w.tokens().at(0).token;
    w.world.write(2, token, {range(0, 1)});
    CHECK(is_token_fault(w.world.written, TokenFault::cancelled));
    CHECK(w.live() == 0);
  }
}

TEST_CASE("a token that the list brings: its ROD is read, it is in use meanwhile, DEL_TKN") {
  RodWorld w;
  const Bytes a = w.a.all();
  const auto token = w.world.populate(1, {range(10, 4), range(2, 2)}, 30);
  w.a.write(0, Bytes(32 * 512, 0xee));
  SECTION("across its ranges") {
    CHECK_FALSE(w.add_rod(token));
    CHECK(is_good(w.copy({blocks(rod_id, 1, 2, 0, 5)}), 0));
    CHECK(w.b.read(0, 5) == together(part(a, 11, 3), part(a, 2, 2)));
    check_fault((w.add_rod(token), w.copy({blocks(rod_id, 1, 2, 0, 6)})), Kind::out_of_range, 0);
    w.world.clock.advance(29s);
    CHECK(is_good(w.world.write(3, token, {range(0, 6)}), 6));
  }
  SECTION("its timer starts anew with the end of the command") {
    w.world.clock.advance(29s);
    CHECK_FALSE(w.add_rod(token));
    w.world.clock.advance(10s);
    CHECK(is_good(w.copy({blocks(rod_id, 0, 2, 0, 6)}), 0));
    w.world.clock.advance(29s);
    CHECK(is_good(w.world.write(3, token, {range(0, 6)}), 6));
  }
  SECTION("deleted by a good end") {
    CHECK_FALSE(w.add_rod(token, true));
    CHECK(is_good(w.copy({blocks(rod_id, 0, 2, 0, 6)}), 0));
    CHECK(is_token_fault(w.world.write(3, token, {range(0, 6)}), TokenFault::deleted));
  }
  SECTION("and by no other") {
    CHECK_FALSE(w.add_rod(token, true));
    check_fault(w.copy({blocks(rod_id, 0, 2, 0, 7)}), Kind::out_of_range, 0);
    CHECK(is_good(w.world.write(3, token, {range(0, 6)}), 6));
  }
}

TEST_CASE("7.4 a token that cannot be used is refused before anything moves") {
  RodWorld w;
  const auto token = w.world.populate(1, {range(0, 4)}, 30);
  const auto refused = [&w](const scsi::RodTokenBytes& bytes) {
    const auto fault = w.add_rod(bytes);
    REQUIRE(fault);
    CHECK(fault->kind == CopyFault::Kind::token);
    return fault->token_fault;
  };
  auto bad = token;
  bad[300] ^= 1;
  CHECK(refused(bad) == TokenFault::corrupt);
  bad = token;
  bad[7] = 0xf7;
  CHECK(refused(bad) == TokenFault::invalid_length);
  CHECK(w.world.manager.token_table().revoke(scsi::identifier_of(token)));
  CHECK(refused(token) == TokenFault::revoked);
  const auto late = w.world.populate(1, {range(0, 4)}, 30);
  w.world.clock.advance(30s);
  CHECK(refused(late) == TokenFault::expired);
  w.world.manager.detach(1);
  CHECK(w.world.manager.use_token(1, token).error().kind == CopyFault::Kind::volume_gone);
}

TEST_CASE("5.5 the zero token: as many zeros as are asked for, in any blocks") {
  RodWorld w;
  CHECK_FALSE(w.add_rod(scsi::block_device_zero_token(), true));
  CHECK(is_good(w.copy({blocks(rod_id, ~std::uint64_t{0} / 1024, 2, 3, 20)}), 0));
  CHECK(w.b.read(3, 20) == Bytes(20 * 512));
  CHECK(w.world.manager.counters().bytes_zeroed == 20 * 512);
  w.a.volume.limits.rod_types = {scsi::RodType::point_in_time_default};
  w.world.manager.attach(w.a.volume);
  const auto fault = w.add_rod(scsi::block_device_zero_token());
  REQUIRE(fault);
  CHECK(fault->token_fault == TokenFault::unsupported_type);
}
