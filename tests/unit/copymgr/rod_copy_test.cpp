// RODs inside an EXTENDED COPY (wire reference 8.3 FEh, 8.4 BEh and BFh, 4.5): points in time, what
// later segments read of them, tokens that a good end leaves, tokens that a list brings.
#include <catch2/catch.hpp>

#include "copymgr/list_plan.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;
using tokens::TokenFault;

namespace {

constexpr std::uint16_t rod_id = 10;  // of the first; identifiers below are volumes

scsi::SegmentDescriptor populate(std::vector<base::BlockRange> ranges, std::uint16_t rod = rod_id) {
  scsi::SegmentDescriptor out;
  out.type = scsi::SegmentType::populate_rod_from_ranges;
  out.source_id = 0xffff;
  out.destination_id = rod;
  out.ranges = std::move(ranges);
  return out;
}
scsi::SegmentDescriptor blocks(std::uint16_t source, std::uint64_t from, std::uint16_t destination,
                               std::uint64_t into, std::uint64_t count) {
  scsi::SegmentDescriptor out;
  out.source_id = source;
  out.destination_id = destination;
  out.source_lba = base::Lba(from);
  out.destination_lba = base::Lba(into);
  out.count = count;
  return out;
}

struct RodWorld {
  explicit RodWorld(CopySettings settings = CopyWorld::small_steps()) : world(settings) {
    attach();
  }
  explicit RodWorld(base::Executor& pool) : world(pool, one_step_a_slice()) { attach(); }
  void attach() {
    for (TestVolume* each : {&a, &b, &c})
      world.manager.attach(each->volume);
  }
  static CopySettings one_step_a_slice() {
    CopySettings settings = CopyWorld::small_steps();
    settings.slice = base::Duration(0);
    return settings;
  }

  CscdView view(std::uint64_t volume) const {
    CscdView out;
    out.volume_id = volume;
    out.block_length = block_length;
    out.capacity = base::BlockCount(32);
    return out;
  }
  // One more ROD, of a volume.
  RodRequest& add_rod(std::uint64_t producer, bool wants_token = false) {
    const auto id = static_cast<std::uint16_t>(rod_id + plans.size());
    plans.push_back({id, view(producer), false, maximum_rod_bytes});
    RodRequest request;
    request.cscd_id = id;
    request.wants_token = wants_token;
    requests.push_back(std::move(request));
    return requests.back();
  }
  // One more ROD, of a token; why not.
  std::optional<CopyFault> add_rod(const scsi::RodTokenBytes& token, bool delete_token = false) {
    auto used = world.manager.use_token(1, token);
    if (!used) return used.error();
    CscdView of_token;
    of_token.volume_id = used->lease ? used->volume_id : 1;
    of_token.block_length = used->block_length;
    of_token.capacity = used->blocks;
    of_token.zeros = used->lease == nullptr;
    const auto id = static_cast<std::uint16_t>(rod_id + plans.size());
    plans.push_back({id, of_token, true, {}});
    RodRequest request;
    request.cscd_id = id;
    request.lease = std::move(used->lease);
    request.delete_token = delete_token;
    requests.push_back(std::move(request));
    return std::nullopt;
  }

  std::vector<PlannedSegment> plan(const std::vector<scsi::SegmentDescriptor>& segments) const {
    return plan_list(
        segments, plans,
        [this](std::uint16_t id, SegmentSide) -> Cscd {
          if (id >= 1 && id <= 3) return view(id);
          return base::fail(SegmentFault{});
        },
        0);
  }
  std::optional<CopyOutcome> copy(const std::vector<scsi::SegmentDescriptor>& segments,
                                  scsi::ListIdUsage usage = scsi::ListIdUsage::hold) {
    outcome.reset();
    auto planned = plan(segments);
    plans.clear();
    world.manager.extended_copy(
        key(1),
        {0x00, usage, false, nullptr, this, std::move(planned), std::exchange(requests, {})},
        [this](CopyOutcome ended) { outcome = ended; });
    return outcome;
  }
  std::vector<scsi::CopyResult::RodCscdToken> tokens() {
    const auto report = world.manager.report(key(1));
    return report ? report->rod_cscd_tokens : std::vector<scsi::CopyResult::RodCscdToken>();
  }
  std::uint64_t live() const { return world.manager.token_counters().live; }

  TestVolume a{1, 32}, b{2, 32}, c{3, 32};
  CopyWorld world;
  base::ByteCount maximum_rod_bytes;
  std::vector<RodPlan> plans;
  std::vector<RodRequest> requests;
  std::optional<CopyOutcome> outcome;
};

void check_fault(const std::optional<CopyOutcome>& outcome, Kind kind, std::uint16_t number) {
  REQUIRE(outcome);
  REQUIRE_FALSE(*outcome);
  REQUIRE(outcome->error().segment);
  CHECK(outcome->error().segment->kind == kind);
  CHECK(outcome->error().segment->segment == number);
}

Bytes part(const Bytes& of, std::uint64_t block, std::uint64_t count) {
  const auto first = of.begin() + static_cast<std::ptrdiff_t>(block * 512);
  return {first, first + static_cast<std::ptrdiff_t>(count * 512)};
}
Bytes together(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

TEST_CASE("a ROD is its ranges one after the other; LBAs count from its start") {
  RodWorld w;
  const Bytes a = w.a.all();
  w.add_rod(1);
  CHECK(is_good(w.copy({populate({range(20, 3), range(2, 2)}), populate({range(7, 1)}),
                        blocks(rod_id, 0, 2, 5, 6), blocks(rod_id, 2, 3, 0, 2)}),
                0));
  CHECK(w.b.read(5, 6) == together(together(part(a, 20, 3), part(a, 2, 2)), part(a, 7, 1)));
  CHECK(w.c.read(0, 2) == together(part(a, 22, 1), part(a, 2, 1)));
  CHECK(w.a.all() == a);
  const auto report = w.world.manager.report(key(1));
  REQUIRE(report);
  CHECK(report->segments_processed == 4);
  CHECK(report->bytes_transferred == 8 * 512);
  CHECK(w.live() == 0);
}

TEST_CASE("every ROD of two ranges of a small unit, every stretch of it") {
  RodWorld w;
  const Bytes a = w.a.all(), old = w.b.all();
  std::size_t wrong = 0, copies = 0;
  for (std::uint64_t first = 0; first < 4; ++first) {
    for (std::uint64_t count = 0; count <= 4 - first; ++count) {
      for (std::uint64_t second = 0; second < 4; ++second) {
        for (std::uint64_t more = 0; more <= 4 - second; ++more) {
          const bool repeats = overlaps(range(first, count), range(second, more));
          const Bytes rod = together(part(a, first, count), part(a, second, more));
          for (std::uint64_t at = 0; at <= 5; ++at) {
            for (std::uint64_t length = 0; length <= 5; ++length) {
              w.b.write(0, old);
              w.add_rod(1);
              const auto outcome = w.copy({populate({range(first, count), range(second, more)}),
                                           blocks(rod_id, at, 2, 9, length)});
              const bool fits = length == 0 || at + length <= count + more;
              Bytes expected = old;
              if (!repeats && fits) {
                std::copy_n(rod.begin() + static_cast<long>(length == 0 ? 0 : at * 512),
                            length * 512, expected.begin() + 9 * 512);
              }
              const bool right =
                  outcome && outcome->has_value() == (!repeats && fits) && w.b.all() == expected;
              ++copies;
              if (!right) ++wrong;
              if (right && !*outcome) {
                const SegmentFault& fault = *outcome->error().segment;
                if (fault.kind != (repeats ? Kind::repeated : Kind::out_of_range)) ++wrong;
                if (fault.segment != (repeats ? 0 : 1)) ++wrong;
              }
            }
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(copies == 14 * 14 * 36);
}

TEST_CASE("a ROD holds what was there when its segment had its turn") {
  SECTION("segments before it are in it, those behind it are not") {
    RodWorld w;
    const Bytes a = w.a.all(), b = w.b.all();
    w.add_rod(1);
    CHECK(is_good(w.copy({blocks(2, 0, 1, 0, 4), populate({range(0, 8)}), blocks(2, 8, 1, 0, 8),
                          blocks(rod_id, 0, 3, 0, 8)}),
                  0));
    CHECK(w.c.read(0, 8) == together(part(b, 0, 4), part(a, 4, 4)));
    CHECK(w.a.read(0, 8) == part(b, 8, 8));
  }
  SECTION("two segments into one ROD are two points in time") {
    RodWorld w;
    const Bytes a = w.a.all(), b = w.b.all();
    w.add_rod(1);
    CHECK(is_good(w.copy({populate({range(0, 2)}), blocks(2, 0, 1, 0, 4), populate({range(2, 2)}),
                          blocks(rod_id, 0, 3, 0, 4)}),
                  0));
    CHECK(w.c.read(0, 4) == together(part(a, 0, 2), part(b, 2, 2)));
  }
  SECTION("a host that writes meanwhile changes nothing") {
    base::ManualExecutor pool;
    RodWorld w(pool);
    const Bytes a = w.a.all();
    w.add_rod(1);
    CHECK_FALSE(w.copy({populate({range(0, 16)}), blocks(rod_id, 0, 2, 0, 16)}));
    for (int i = 0; i < 4; ++i)
      pool.run_one();
    REQUIRE(w.world.manager.report(key(1))->segments_processed == 1);
    w.a.write(0, Bytes(32 * 512, 0xee));
    pool.run();
    CHECK(is_good(w.outcome, 0));
    CHECK(w.b.read(0, 16) == part(a, 0, 16));
  }
  SECTION("onto its own producer") {
    RodWorld w;
    const Bytes a = w.a.all();
    w.add_rod(1);
    CHECK(is_good(
        w.copy({populate({range(0, 8)}), blocks(rod_id, 0, 1, 4, 8), blocks(rod_id, 0, 1, 16, 8)}),
        0));
    CHECK(w.a.read(4, 8) == part(a, 0, 8));
    CHECK(w.a.read(16, 8) == part(a, 0, 8));
  }
}

TEST_CASE("0Ah reads bytes of a ROD, across its ranges") {
  RodWorld w;
  const Bytes rod = together(w.a.read(9, 1), w.a.read(3, 2));
  w.add_rod(1);
  scsi::SegmentDescriptor bytes = blocks(rod_id, 0, 2, 1, 700);
  bytes.type = scsi::SegmentType::block_to_block_with_offset;
  bytes.source_offset = base::ByteCount(300);
  bytes.destination_offset = base::ByteCount(10);
  CHECK(is_good(w.copy({populate({range(9, 1), range(3, 2)}), bytes}), 0));
  const Bytes written = w.b.read(1, 2);
  CHECK(Bytes(written.begin() + 10, written.begin() + 710) ==
        Bytes(rod.begin() + 300, rod.begin() + 1000));
}

TEST_CASE("what cannot be put into a ROD: fields of its segment") {
  RodWorld w;
  const auto fault_of = [&w](const scsi::SegmentDescriptor& segment) {
    w.add_rod(1);
    const auto planned = w.plan({segment});
    w.plans.clear();
    w.requests.clear();
    REQUIRE_FALSE(planned.back());
    return planned.back().error();
  };
  SegmentFault fault = fault_of(populate({range(0, 1), range(30, 3)}));
  CHECK(fault.kind == Kind::out_of_range);
  CHECK(fault.side == SegmentSide::source);
  CHECK(fault.first_bad_lba == 32);
  CHECK(fault.field->byte == 32);
  scsi::SegmentDescriptor one = populate({range(33, 0)});
  one.type = scsi::SegmentType::populate_rod_from_range;
  fault = fault_of(one);
  CHECK(fault.kind == Kind::out_of_range);
  CHECK(fault.first_bad_lba == 33);
  CHECK(fault.field->byte == 8);
  fault = fault_of(populate({range(0, 4), range(8, 1), range(3, 1)}));
  CHECK(fault.kind == Kind::repeated);
  CHECK(fault.field->byte == 16 + 32);
  w.maximum_rod_bytes = base::ByteCount(4 * 512);
  fault = fault_of(populate({range(0, 2), range(8, 3)}));
  CHECK(fault.kind == Kind::too_long);
  CHECK(fault.field->byte == 16 + 16 + 8);
  fault = fault_of(populate({range(0, 1)}, 99));
  CHECK(fault.kind == Kind::unreachable);
  CHECK(fault.field->byte == 6);
}

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

TEST_CASE("an internal ROD lets go of its points in time with the operation") {
  RodWorld w;
  w.add_rod(1);
  CHECK(is_good(w.copy({populate({range(0, 4)}), populate({range(8, 4)})}), 0));
  CHECK(w.a.guard->counters().snapshots_live == 0);
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
  w.a.volume.limits.zero_token = false;
  w.world.manager.attach(w.a.volume);
  const auto fault = w.add_rod(scsi::block_device_zero_token());
  REQUIRE(fault);
  CHECK(fault->token_fault == TokenFault::unsupported_type);
}
