// The parameter list of UNMAP, and the answer to GET LBA STATUS, byte by byte.
#include "scsi/unmap_parameters.hpp"

#include <catch2/catch.hpp>

#include "scsi/provisioning_cdbs.hpp"
#include "tests/unit/scsi/hex.hpp"

namespace {

using namespace scsi;
using base::BlockCount;
using base::BlockRange;
using base::Lba;
using scsi::test::hex;
using Bytes = std::vector<std::uint8_t>;

const UnmapLimits limits{BlockCount(0x100), 3, BlockCount(0x1000)};

// Three descriptors: 8 blocks at 10h, none at 20h, 1 at FFFh.
Bytes three() {
  return hex(
      "00 36 00 30 00 00 00 00"
      "00 00 00 00 00 00 00 10 00 00 00 08 00 00 00 00"
      "00 00 00 00 00 00 00 20 00 00 00 00 00 00 00 00"
      "00 00 00 00 00 00 0F FF 00 00 00 01 00 00 00 00");
}

std::vector<BlockRange> good(const Bytes& list) {
  const auto decoded = decode_unmap(list, list.size(), limits);
  REQUIRE(decoded);
  return *decoded;
}
Sense bad(const Bytes& list, std::size_t list_length) {
  const auto decoded = decode_unmap(list, list_length, limits);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().key == SenseKey::illegal_request);
  return decoded.error();
}
Sense bad(const Bytes& list) {
  return bad(list, list.size());
}

}  // namespace

TEST_CASE("UNMAP: ranges in order, empty ones left out") {
  CHECK(good(three()) ==
        std::vector<BlockRange>{{Lba(0x10), BlockCount(8)}, {Lba(0xfff), BlockCount(1)}});
  CHECK(good(hex("00 06 00 00 00 00 00 00")).empty());
}

TEST_CASE("UNMAP: ranges may overlap, and all of the limit may be used") {
  Bytes list =
      hex("00 26 00 20 00 00 00 00"
          "00 00 00 00 00 00 00 10 00 00 00 80 00 00 00 00"
          "00 00 00 00 00 00 00 10 00 00 00 80 00 00 00 00");
  CHECK(good(list).size() == 2);
  list[8 + 16 + 11] = 0x81;
  const Sense why = bad(list);
  CHECK(why.additional == AdditionalSense{0x26, 0x00});
  CHECK(why.points_into == Sense::PointsInto::parameter_list);
  CHECK(why.field == FieldPointer{8 + 16 + 8});
}

TEST_CASE("UNMAP: a list that is cut off is 1A/00, a descriptor that is cut off is none") {
  CHECK(bad(three(), 100).additional == AdditionalSense{0x1a, 0x00});
  for (const std::size_t length : {1u, 7u}) {
    CHECK(bad(Bytes(length)).additional == AdditionalSense{0x1a, 0x00});
  }
  Bytes list = three();
  list.pop_back();
  CHECK(good(list) == std::vector<BlockRange>{{Lba(0x10), BlockCount(8)}});
  list = three();
  list[3] = 0x1f;  // one descriptor and a bit
  CHECK(good(list) == std::vector<BlockRange>{{Lba(0x10), BlockCount(8)}});
}

TEST_CASE("UNMAP: more descriptors than allowed point at their length") {
  Bytes list = three();
  list[3] = 0x40;
  list.resize(8 + 4 * 16);
  const Sense why = bad(list);
  CHECK(why.additional == AdditionalSense{0x26, 0x00});
  CHECK(why.field == FieldPointer{2});
}

TEST_CASE("UNMAP: blocks beyond the end are 21/00 at their descriptor, wherever in the list") {
  Bytes list = three();
  list[8 + 32 + 11] = 2;
  Sense why = bad(list);
  CHECK(why.additional == AdditionalSense{0x21, 0x00});
  CHECK(why.information == 0x1000);
  CHECK(why.field == FieldPointer{8 + 32});
  list = three();
  std::fill_n(list.begin() + 8 + 16, 8, std::uint8_t{0xff});
  why = bad(list);
  CHECK(why.additional == AdditionalSense{0x21, 0x00});
  CHECK(why.information == 0xffffffffffffffff);
}

TEST_CASE("GET LBA STATUS: a header and 16 bytes for each range") {
  CHECK(lba_status_data({{{Lba(0x10), BlockCount(0x20)}, LbaStatus::mapped},
                         {{Lba(0x30), BlockCount(0xfffffff8)}, LbaStatus::deallocated}}) ==
        hex("00 00 00 24 00 00 00 00"
            "00 00 00 00 00 00 00 10 00 00 00 20 00 00 00 00"
            "00 00 00 00 00 00 00 30 FF FF FF F8 01 00 00 00"));
}
