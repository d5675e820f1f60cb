// Every way in which a segment can fail, as sense (wire reference 7.5, 8.5, 8.9).
#include <catch2/catch.hpp>

#include "target/device/copy_sense.hpp"

using namespace device;
using copymgr::SegmentFault;
using copymgr::SegmentSide;
using Kind = SegmentFault::Kind;
using scsi::AdditionalSense;
using scsi::SenseKey;

namespace {

struct Row {
  Kind kind;
  AdditionalSense additional;
  // What the CSCD answered, if it was asked.
  std::optional<SenseKey> key;
  AdditionalSense theirs;
};

const Row rows[] = {
    {Kind::unreachable, {0x08, 0x04}, {}, {}},
    {Kind::extension_named, {0x26, 0x00}, {}, {}},
    {Kind::wrong_device_type, {0x0d, 0x03}, {}, {}},
    {Kind::wrong_block_length, {0x26, 0x00}, {}, {}},
    {Kind::not_ready, {0x0d, 0x01}, SenseKey::not_ready, {0x04, 0x02}},
    {Kind::reservation_conflict, {0x0d, 0x01}, SenseKey::no_sense, {}},
    {Kind::too_long, {0x26, 0x00}, {}, {}},
    {Kind::inexact, {0x26, 0x0a}, {}, {}},
    {Kind::granularity, {0x26, 0x0d}, {}, {}},
    {Kind::out_of_range, {0x00, 0x00}, SenseKey::illegal_request, {0x21, 0x00}},
    {Kind::read_failed, {0x0d, 0x01}, SenseKey::medium_error, {0x11, 0x00}},
    {Kind::write_failed, {0x0d, 0x01}, SenseKey::medium_error, {0x0c, 0x00}},
    {Kind::full, {0x0d, 0x01}, SenseKey::data_protect, {0x27, 0x07}},
    {Kind::gone, {0x0d, 0x02}, {}, {}},
};

}  // namespace

TEST_CASE("8.9 every fault of a segment is COPY ABORTED with its number and the CSCD's answer") {
  for (const Row& row : rows) {
    for (const SegmentSide side : {SegmentSide::source, SegmentSide::destination}) {
      INFO("kind " << static_cast<int>(row.kind) << " side " << static_cast<int>(side));
      SegmentFault fault;
      fault.kind = row.kind;
      fault.side = side;
      fault.segment = 5;
      copymgr::CopyFault whole;
      whole.kind = copymgr::CopyFault::Kind::segment_failed;
      whole.segment = fault;
      const scsi::Sense sense = sense_of(whole);
      CHECK(sense.key == SenseKey::copy_aborted);
      CHECK(sense.additional == row.additional);
      CHECK(sense.segment == 5);
      CHECK_FALSE(sense.information);
      CHECK(sense.points_into == scsi::Sense::PointsInto::nothing);
      REQUIRE(sense.cscd_answer.has_value() == row.key.has_value());
      if (!row.key) continue;
      const bool of_source = sense.cscd_answer->side == scsi::CscdAnswer::Side::source;
      CHECK(of_source == (side == SegmentSide::source));
      CHECK(sense.cscd_answer->key == *row.key);
      CHECK(sense.cscd_answer->additional == row.theirs);
      const bool conflict = row.kind == Kind::reservation_conflict;
      CHECK((sense.cscd_answer->status == scsi::Status::reservation_conflict) == conflict);
    }
  }
}

TEST_CASE("8.9 INFORMATION is the residual, where a part of the segment is written") {
  copymgr::CopyFault whole;
  whole.kind = copymgr::CopyFault::Kind::segment_failed;
  whole.segment.emplace();
  whole.segment->kind = Kind::write_failed;
  whole.segment->residual = base::BlockCount(12);
  CHECK(sense_of(whole).information == 12);
}
