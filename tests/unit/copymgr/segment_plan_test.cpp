// What one segment of an EXTENDED COPY moves (wire reference 8.4, 8.5): a pure function, on small
// units.
#include "copymgr/segment_plan.hpp"

#include <catch2/catch.hpp>

using namespace copymgr;
using Kind = SegmentFault::Kind;

namespace {

constexpr std::uint32_t no_limit = 0;

// 100 blocks each.
CscdView unit(std::uint64_t id, std::uint32_t block_bytes) {
  CscdView out;
  out.volume_id = id;
  out.block_length = base::BlockLength{block_bytes};
  out.capacity = base::BlockCount(100);
  return out;
}
CscdView padding(CscdView view) {
  view.pad = true;
  return view;
}

scsi::SegmentDescriptor blocks(std::uint64_t from, std::uint64_t into, std::uint64_t count,
                               bool dc = false) {
  scsi::SegmentDescriptor out;
  out.dc = dc;
  out.count = count;
  out.source_lba = base::Lba(from);
  out.destination_lba = base::Lba(into);
  return out;
}
scsi::SegmentDescriptor bytes(std::uint64_t from, std::uint64_t from_offset, std::uint64_t into,
                              std::uint64_t into_offset, std::uint64_t count) {
  scsi::SegmentDescriptor out = blocks(from, into, count);
  out.type = scsi::SegmentType::block_to_block_with_offset;
  out.source_offset = base::ByteCount(from_offset);
  out.destination_offset = base::ByteCount(into_offset);
  return out;
}

void check_moves(const PlannedSegment& planned, std::uint64_t from, std::uint64_t read,
                 std::uint64_t into, std::uint64_t written) {
  REQUIRE(planned);
  CHECK(planned->source_volume == 1);
  CHECK(planned->destination_volume == 2);
  CHECK(planned->from == base::Extent{base::ByteOffset(from), base::ByteCount(read)});
  CHECK(planned->into == base::Extent{base::ByteOffset(into), base::ByteCount(written)});
}

void check_fault(const PlannedSegment& planned, Kind kind, SegmentSide side,
                 const scsi::Field& field, std::uint64_t first_bad_lba = 0) {
  REQUIRE_FALSE(planned);
  const SegmentFault& fault = planned.error();
  CHECK(fault.kind == kind);
  CHECK(fault.side == side);
  REQUIRE(fault.field);
  CHECK(*fault.field == field.pointer());
  CHECK_FALSE(fault.in_list);
  CHECK(fault.first_bad_lba == first_bad_lba);
}

const CscdView small_1 = unit(1, 512), small_2 = unit(2, 512);
const CscdView large_1 = unit(1, 4096), large_2 = unit(2, 4096);
constexpr auto source = SegmentSide::source, destination = SegmentSide::destination;
namespace fields = scsi::segment;

}  // namespace

TEST_CASE("8.4 equal blocks: as many bytes as blocks, whatever DC and PAD say") {
  check_moves(plan_segment(blocks(3, 7, 5), small_1, small_2, no_limit), 1536, 2560, 3584, 2560);
  check_moves(plan_segment(blocks(3, 7, 5, true), padding(small_1), padding(small_2), no_limit),
              1536, 2560, 3584, 2560);
  const auto planned = plan_segment(blocks(0, 0, 1), large_1, large_2, no_limit);
  check_moves(planned, 0, 4096, 0, 4096);
  CHECK(planned->destination_block_length.bytes == 4096);
}

TEST_CASE("8.4 DC chooses whose blocks are counted") {
  check_moves(plan_segment(blocks(8, 1, 16), small_1, large_2, no_limit), 4096, 8192, 4096, 8192);
  check_moves(plan_segment(blocks(8, 1, 2, true), small_1, large_2, no_limit), 4096, 8192, 4096,
              8192);
  check_moves(plan_segment(blocks(1, 8, 2), large_1, small_2, no_limit), 4096, 8192, 4096, 8192);
  check_moves(plan_segment(blocks(1, 8, 16, true), large_1, small_2, no_limit), 4096, 8192, 4096,
              8192);
}

TEST_CASE(
    "8.4 a part of a block is padded by the destination, else cut by the source, else refused") {
  const auto nine = blocks(0, 1, 9);
  check_moves(plan_segment(nine, small_1, padding(large_2), no_limit), 0, 4608, 4096, 8192);
  check_moves(plan_segment(nine, padding(small_1), padding(large_2), no_limit), 0, 4608, 4096,
              8192);
  check_moves(plan_segment(nine, padding(small_1), large_2, no_limit), 0, 4096, 4096, 4096);
  check_fault(plan_segment(nine, small_1, large_2, no_limit), Kind::inexact, destination,
              fields::block_count);
  // The destination's nine blocks take a part of the source's second.
  const auto counted = blocks(1, 0, 9, true);
  check_moves(plan_segment(counted, padding(large_1), small_2, no_limit), 4096, 4608, 0, 4608);
  check_fault(plan_segment(counted, large_1, padding(small_2), no_limit), Kind::inexact,
              destination, fields::block_count);
  // Less than one block, cut: nothing moves.
  const auto planned = plan_segment(blocks(0, 1, 7), padding(small_1), large_2, no_limit);
  REQUIRE(planned);
  CHECK(planned->from.empty());
  CHECK(planned->into.empty());
}

TEST_CASE("8.5 every block must exist; the first that does not is told") {
  check_moves(plan_segment(blocks(90, 95, 5), small_1, small_2, no_limit), 46080, 2560, 48640,
              2560);
  check_fault(plan_segment(blocks(96, 0, 5), small_1, small_2, no_limit), Kind::out_of_range,
              source, fields::source_lba, 100);
  check_fault(plan_segment(blocks(0, 96, 5), small_1, small_2, no_limit), Kind::out_of_range,
              destination, fields::destination_lba, 100);
  check_fault(plan_segment(blocks(300, 0, 5), small_1, small_2, no_limit), Kind::out_of_range,
              source, fields::source_lba, 300);
  const std::uint64_t last = ~std::uint64_t{0};
  check_fault(plan_segment(blocks(last, 0, 0xffff), small_1, small_2, no_limit), Kind::out_of_range,
              source, fields::source_lba, last);
  check_fault(plan_segment(bytes(last, 0xffff, 0, 0, 0xffffffff), small_1, small_2, no_limit),
              Kind::out_of_range, source, fields::source_lba, last);
  // The padded block, and the source block of which a part is read, too.
  check_fault(plan_segment(blocks(0, 99, 9), small_1, padding(large_2), no_limit),
              Kind::out_of_range, destination, fields::destination_lba, 100);
  check_fault(plan_segment(blocks(99, 0, 9, true), padding(large_1), small_2, no_limit),
              Kind::out_of_range, source, fields::source_lba, 100);
}

TEST_CASE("8.4 a count of 0 moves nothing and is no error, wherever it points") {
  const auto planned = plan_segment(blocks(1000, 1000, 0), small_1, small_2, no_limit);
  REQUIRE(planned);
  CHECK(planned->from.empty());
  CHECK(planned->into.empty());
}

TEST_CASE("6.7 MAXIMUM SEGMENT LENGTH") {
  CHECK(plan_segment(blocks(0, 0, 8), small_1, small_2, 4096));
  check_fault(plan_segment(blocks(0, 0, 9), small_1, small_2, 4096), Kind::too_long, source,
              fields::block_count);
  check_fault(plan_segment(bytes(0, 0, 0, 0, 4097), small_1, small_2, 4096), Kind::too_long, source,
              fields::byte_count);
}

TEST_CASE("8.4 0Ah: bytes from behind the start of a block") {
  check_moves(plan_segment(bytes(2, 10, 4, 600, 100), small_1, small_2, no_limit), 1034, 100, 2648,
              100);
  check_moves(plan_segment(bytes(99, 10, 98, 522, 502), small_1, small_2, no_limit), 50698, 502,
              50698, 502);
  check_fault(plan_segment(bytes(99, 10, 0, 0, 503), small_1, small_2, no_limit),
              Kind::out_of_range, source, fields::source_lba, 100);
  check_fault(plan_segment(bytes(0, 0, 99, 10, 503), small_1, small_2, no_limit),
              Kind::out_of_range, destination, fields::destination_lba, 100);
}

TEST_CASE("26/0D what the store cannot read or write at once") {
  CscdView direct = small_2;
  direct.alignment_bytes = 512;
  check_fault(plan_segment(bytes(0, 0, 0, 1, 512), small_1, direct, no_limit), Kind::granularity,
              destination, fields::destination_lba);
  CHECK(plan_segment(bytes(0, 1, 0, 0, 512), small_1, direct, no_limit));
  direct.volume_id = 1;
  check_fault(plan_segment(bytes(0, 0, 0, 0, 100), direct, small_2, no_limit), Kind::granularity,
              source, fields::source_lba);
}

TEST_CASE("8.4 07h: the source only; TUR wants it started") {
  scsi::SegmentDescriptor verify;
  verify.type = scsi::SegmentType::verify_cscd;
  SegmentFault nowhere;
  nowhere.field = fields::destination_id.pointer();
  const Cscd none = base::fail(nowhere);
  CscdView stopped = small_1;
  stopped.started = false;
  CHECK(plan_segment(verify, small_1, none, no_limit));
  CHECK(plan_segment(verify, stopped, none, no_limit));
  verify.test_unit_ready = true;
  CHECK(plan_segment(verify, small_1, none, no_limit));
  check_fault(plan_segment(verify, stopped, none, no_limit), Kind::not_ready, source,
              fields::source_id);
  check_fault(plan_segment(blocks(0, 0, 1), small_1, none, no_limit), Kind::unreachable, source,
              fields::destination_id);
  stopped.volume_id = 2;
  check_fault(plan_segment(blocks(0, 0, 1), small_1, stopped, no_limit), Kind::not_ready,
              destination, fields::destination_id);
}
