// RODs inside an EXTENDED COPY (wire reference 8.3 FEh, 8.4 BEh and BFh): points in time, and what
// later segments read of them.
#include "tests/unit/copymgr/rod_world.hpp"

using namespace copymgr;
using namespace copymgr::test;
using Kind = SegmentFault::Kind;

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
  const auto type =
      GENERATE(scsi::RodType::point_in_time_default, scsi::RodType::access_upon_reference);
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
              w.add_rod(1).type = type;
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

TEST_CASE("an internal ROD lets go of its points in time with the operation") {
  RodWorld w;
  w.add_rod(1);
  CHECK(is_good(w.copy({populate({range(0, 4)}), populate({range(8, 4)})}), 0));
  CHECK(w.a.guard->counters().snapshots_live == 0);
}
