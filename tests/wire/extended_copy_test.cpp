// EXTENDED COPY: section 8 of the wire reference, row by row. Lists and answers are typed from its
// tables.
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/extended_copy_results.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using scsi::AdditionalSense;
using scsi::ListIdUsage;

constexpr std::uint8_t lid1 = 0x00, lid4 = 0x01;

// 8.3: an identification descriptor with a NAA designator of 16 bytes, 512-byte blocks.
const char* const naa_cscd =
    "E4 00 00 00  01 03 00 10  60 24 34 D0  01 02 03 04  05 06 07 08  09 0A 0B 0C"
    "00 00 00 00  00 00 02 00";
// 8.4: 2000h blocks from LBA 100000h of CSCD 0 to LBA 200000h of CSCD 1.
const char* const block_segment =
    "02 00 00 18  00 00 00 01  00 00 20 00  00 00 00 00 00 10 00 00  00 00 00 00 00 20 00 00";

Bytes lid1_header(std::size_t cscds, std::size_t segments, std::uint32_t inline_data = 0) {
  Bytes list(16);
  put(list, 2, 2, cscds);
  put(list, 8, 4, segments);
  put(list, 12, 4, inline_data);
  return list;
}
Bytes lid4_header(std::size_t cscds, std::size_t segments) {
  Bytes list(48);
  list[0] = 0x01;
  put(list, 2, 2, 0x20);
  list[16] = 0xff;
  put(list, 42, 2, cscds);
  put(list, 44, 2, segments);
  return list;
}
// As VMware sends it: two CSCDs, one segment, list identifier and usage 0.
Bytes vmware_list() {
  Bytes list = hex("00 00 00 40  00 00 00 00  00 00 00 1C  00 00 00 00");
  append(list, hex(naa_cscd));
  append(list, hex(naa_cscd));
  return append(list, hex(block_segment));
}

scsi::ExtendedCopyLimits limits_of_two() {
  scsi::ExtendedCopyLimits out;
  out.maximum_cscd_descriptors = 2;
  out.maximum_segment_descriptors = 2;
  out.maximum_descriptor_list_bytes = 160;
  return out;
}

auto decode(const Bytes& list, std::uint8_t form = lid1) {
  return scsi::decode_extended_copy(list, form, limits_of_two());
}
auto header_of(const Bytes& list, std::uint8_t form = lid1) {
  return scsi::decode_extended_copy_header(list, form);
}

scsi::FieldPointer bit(std::uint16_t at, std::uint8_t which) {
  return {at, which, true};
}

}  // namespace

TEST_CASE("8.1 8.3 8.4 a list as VMware sends it") {
  const Bytes list = vmware_list();
  const auto header = header_of(list);
  REQUIRE(header);
  CHECK(header->list_identifier == 0);
  CHECK(header->list_id_usage == ListIdUsage::hold);
  CHECK_FALSE(header->immed);
  const auto copy = decode(list);
  REQUIRE(copy);
  CHECK(copy->first_cscd_id == 0);
  REQUIRE(copy->cscds.size() == 2);
  const scsi::CscdDescriptor& cscd = copy->cscds[1];
  CHECK(cscd.at == 48);
  CHECK(cscd.type == scsi::CscdType::identification);
  CHECK_FALSE(cscd.nul);
  CHECK(cscd.device_type == 0);
  CHECK(cscd.code_set == 1);
  CHECK(cscd.association == 0);
  CHECK(cscd.designator_type == 3);
  CHECK(cscd.designator == hex("60 24 34 D0 01 02 03 04 05 06 07 08 09 0A 0B 0C"));
  CHECK_FALSE(cscd.pad);
  CHECK(cscd.block_length_bytes == 512);
  REQUIRE(copy->segments.size() == 1);
  const scsi::SegmentDescriptor& segment = copy->segments[0];
  CHECK(segment.type == scsi::SegmentType::block_to_block);
  CHECK_FALSE(segment.dc);
  CHECK(segment.source_id == 0);
  CHECK(segment.destination_id == 1);
  CHECK(segment.count == 0x2000);
  CHECK(segment.source_lba == base::Lba(0x100000));
  CHECK(segment.destination_lba == base::Lba(0x200000));
}

TEST_CASE("8.1 LIST IDENTIFIER, LIST ID USAGE and PRIORITY have their places") {
  Bytes list = vmware_list();
  list[0] = 0xa5;
  list[1] = 0x17;  // usage 10b, priority 7
  const auto header = header_of(list);
  REQUIRE(header);
  CHECK(header->list_identifier == 0xa5);
  CHECK(header->list_id_usage == ListIdUsage::discard_when_good);
}

TEST_CASE("8.1 LIST ID USAGE 01b is reserved; 11b goes with the identifier 0 only") {
  Bytes list = vmware_list();
  list[1] = 0x08;
  check_refused(header_of(list), asc_26_00, bit(1, 4));
  list[1] = 0x18;
  REQUIRE(header_of(list));
  CHECK(header_of(list)->list_id_usage == ListIdUsage::none);
  list[0] = 1;
  check_refused(header_of(list), asc_26_00, byte(0));
}

TEST_CASE("8.2 a LID4 list: 48 bytes of header, a list identifier of 32 bits, CSCDs from 1") {
  Bytes list = lid4_header(0x40, 0x1c);
  put(list, 20, 4, 0x12345678);
  list[1] = 0x10;
  list[15] = 0x01;
  append(list, hex(naa_cscd));
  append(list, hex(naa_cscd));
  append(list, hex(block_segment));
  const auto header = header_of(list, lid4);
  REQUIRE(header);
  CHECK(header->list_identifier == 0x12345678);
  CHECK(header->list_id_usage == ListIdUsage::discard_when_good);
  CHECK(header->immed);
  const auto copy = decode(list, lid4);
  REQUIRE(copy);
  CHECK(copy->first_cscd_id == 1);
  CHECK(copy->cscds.at(0).at == 48);
  CHECK(copy->segments.at(0).count == 0x2000);
}

TEST_CASE("8.2 what a LID4 header must say") {
  const auto refused = [](std::size_t at, std::uint8_t value, std::uint16_t pointer) {
    Bytes list = lid4_header(0, 0);
    list[at] = value;
    check_refused(header_of(list, lid4), asc_26_00, byte(pointer));
  };
  REQUIRE(header_of(lid4_header(0, 0), lid4));
  refused(0, 0x00, 0);    // PARAMETER LIST FORMAT
  refused(3, 0x40, 2);    // HEADER CSCD DESCRIPTOR LIST LENGTH
  refused(16, 0xe4, 16);  // HEADER CSCD DESCRIPTOR TYPE CODE
}

TEST_CASE("8.2 IMMED with G_SENSE, or without an identifier, is 05/24/00") {
  Bytes list = lid4_header(0, 0);
  list[15] = 0x03;
  check_refused(header_of(list, lid4), {0x24, 0x00}, std::nullopt);
  list[15] = 0x01;
  list[1] = 0x18;
  check_refused(header_of(list, lid4), {0x24, 0x00}, std::nullopt);
  list[15] = 0x02;  // G_SENSE alone
  CHECK(header_of(list, lid4));
}

TEST_CASE("8.4 07h: a source only, and TUR") {
  Bytes list = lid1_header(0, 12);
  append(list, hex("07 00 00 08  00 01 00 00  01 00 00 00"));
  const auto copy = decode(list);
  REQUIRE(copy);
  REQUIRE(copy->segments.size() == 1);
  CHECK(copy->segments[0].type == scsi::SegmentType::verify_cscd);
  CHECK(copy->segments[0].source_id == 1);
  CHECK(copy->segments[0].test_unit_ready);
}

TEST_CASE("8.4 0Ah: bytes, and byte offsets; DC of 02h") {
  Bytes list = lid1_header(0, 60);
  append(list, hex("0A 01 00 1C  00 00 FF FF  00 01 23 45  00 00 00 00 00 00 00 10"
                   "00 00 00 00 00 00 00 20  01 02 03 04"));
  Bytes by_destination = hex(block_segment);
  by_destination[1] = 0x02;
  append(list, by_destination);
  const auto copy = decode(list);
  REQUIRE(copy);
  REQUIRE(copy->segments.size() == 2);
  const scsi::SegmentDescriptor& segment = copy->segments[0];
  CHECK(segment.type == scsi::SegmentType::block_to_block_with_offset);
  CHECK(segment.destination_id == 0xffff);
  CHECK(segment.count == 0x12345);
  CHECK(segment.source_lba == base::Lba(0x10));
  CHECK(segment.destination_lba == base::Lba(0x20));
  CHECK(segment.source_offset == base::ByteCount(0x0102));
  CHECK(segment.destination_offset == base::ByteCount(0x0304));
  CHECK_FALSE(segment.dc);
  CHECK(copy->segments[1].dc);
}

TEST_CASE("8.5 a list that cuts header, CSCDs, segments or inline data is 05/1A/00") {
  const Bytes list = vmware_list();
  for (std::size_t n = 1; n < list.size(); ++n) {
    const Bytes cut(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < 16) {
      check_refused(header_of(cut), asc_1a_00, std::nullopt);
    } else {
      check_refused(decode(cut), asc_1a_00, std::nullopt);
    }
  }
  for (std::size_t n = 1; n < 48; ++n) {
    const Bytes whole = lid4_header(0, 0);
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    check_refused(header_of(cut, lid4), asc_1a_00, std::nullopt);
  }
}

TEST_CASE("8.5 too many CSCDs: 05/26/06; too many segments: 05/26/08; too many bytes: 05/1A/00") {
  Bytes list = lid1_header(96, 0);
  list.resize(16 + 96);
  for (std::size_t at = 16; at < list.size(); at += 32)
    list[at] = 0xe4;
  check_refused(decode(list), {0x26, 0x06}, byte(2));

  list = lid1_header(0, 84);
  for (int i = 0; i < 3; ++i)
    append(list, hex(block_segment));
  check_refused(decode(list), asc_26_08, byte(8));

  list = lid1_header(64, 97);
  list.resize(16 + 161);
  check_refused(decode(list), asc_1a_00, std::nullopt);
}

TEST_CASE("8.5 more inline data than MAXIMUM INLINE DATA LENGTH is 05/26/0B") {
  scsi::ExtendedCopyLimits limits = limits_of_two();
  for (const std::uint32_t most : {0u, 5u}) {
    limits.maximum_inline_data_bytes = most;
    Bytes list = lid1_header(0, 0, most + 1);
    list.resize(17 + most);
    check_refused(scsi::decode_extended_copy(list, lid1, limits), {0x26, 0x0b}, byte(12));
    put(list, 12, 4, most);
    CHECK(scsi::decode_extended_copy(list, lid1, limits));
    list = lid4_header(0, 0);
    put(list, 46, 2, most + 1);
    list.resize(49 + most);
    check_refused(scsi::decode_extended_copy(list, lid4, limits), {0x26, 0x0b}, byte(46));
  }
}

TEST_CASE("8.5 unknown types: 05/26/07 and 05/26/09 at their descriptors") {
  Bytes list = vmware_list();
  list[48] = 0xe5;
  check_refused(decode(list), {0x26, 0x07}, byte(48));
  list = vmware_list();
  list[80] = 0x03;
  check_refused(decode(list), {0x26, 0x09}, byte(80));
}

TEST_CASE("8.5 lengths that cannot be true") {
  Bytes list = lid1_header(33, 0);
  list.resize(16 + 33);
  check_refused(decode(list), asc_26_00, byte(2));
  list = vmware_list();
  list[80 + 3] = 0x19;  // DESCRIPTOR LENGTH of 02h
  check_refused(decode(list), asc_26_00, byte(82));
  list = vmware_list();
  list[16 + 7] = 21;  // DESIGNATOR LENGTH
  check_refused(decode(list), asc_26_00, byte(23));
  // A segment that the list does not hold to its end.
  list = lid1_header(0, 30);
  append(list, hex(block_segment));
  list.insert(list.end(), {0x02, 0x00});
  check_refused(decode(list), asc_26_00, byte(16 + 28 + 2));
}

TEST_CASE("8.3 LU ID TYPE is ignored, NUL and an extension are told") {
  Bytes list = vmware_list();
  list[17] = 0xc0;
  list[48] = 0xff;
  auto copy = decode(list);
  REQUIRE(copy);
  CHECK_FALSE(copy->cscds[0].nul);
  CHECK(copy->cscds[1].type == scsi::CscdType::extension);
  list[17] = 0x20;
  list[16 + 28] = 0x04;
  copy = decode(list);
  REQUIRE(copy);
  CHECK(copy->cscds[0].nul);
  CHECK(copy->cscds[0].pad);
}

TEST_CASE("8.6 operating parameters, every field") {
  scsi::CopyOperatingParameters parameters;
  parameters.limits = {3, 5, 0x01020304, 0x10000000, 0x00050607};
  parameters.total_concurrent_copies = parameters.identified_concurrent_copies = 0x1ff;
  parameters.segment_granularity_exponent = 9;
  Bytes expected = hex(
      "00 00 00 30  01 00 00 00  00 03 00 05  01 02 03 04  10 00 00 00  00 05 06 07  00 00 00 00"
      "00 00 00 00  00 00 01 FF  FF 09 00 00  00 00 00 08  02 07 0A BE BF E4 FE FF");
  CHECK(scsi::encode(parameters) == expected);
  parameters.total_concurrent_copies = parameters.identified_concurrent_copies = 70000;
  expected[34] = 0xff;
  CHECK(scsi::encode(parameters) == expected);
}

TEST_CASE("8.7 RECEIVE COPY STATUS(LID1) is 12 bytes") {
  scsi::CopyResult result;
  result.bytes_transferred = 0x00ff0000;
  result.segments_processed = 0x0102;
  CHECK(scsi::encode_lid1_status(result) == hex("00 00 00 08  01 01 02 00  00 FF 00 00"));
  result.status = scsi::CopyOperationStatus::in_progress_foreground;
  CHECK(scsi::encode_lid1_status(result)[4] == 0x00);
  result.status = scsi::CopyOperationStatus::completed_with_errors;
  CHECK(scsi::encode_lid1_status(result)[4] == 0x02);
  result.status = scsi::CopyOperationStatus::terminated;
  CHECK(scsi::encode_lid1_status(result)[4] == 0x02);
  // 5 GiB do not fit into four bytes of bytes: KiB.
  result.bytes_transferred = 5ull << 30;
  CHECK(scsi::encode_lid1_status(result) == hex("00 00 00 08  02 01 02 01  00 50 00 00"));
  result.bytes_transferred = ~std::uint64_t{0};
  CHECK(scsi::encode_lid1_status(result) == hex("00 00 00 08  02 01 02 04  00 FF FF FF"));
}

TEST_CASE("4.1 4.4 RECEIVE COPY STATUS(LID4) of an EXTENDED COPY counts bytes and segments") {
  scsi::CopyResult result;
  result.response_to_service_action = 0x01;
  result.bytes_transferred = 0x2000;
  result.segments_processed = 2;
  CHECK(scsi::encode_receive_copy_status(result) ==
        hex("00 00 00 1C  01 01 00 00  FF FF FF FE  00 00 00 00"
            "00 00 00 00  00 00 20 00  00 02 00 00  00 00 00 00"));
}

TEST_CASE("8.9 COPY ABORTED: segment, pointer into the segment, residual, what the CSCD said") {
  scsi::Sense sense = scsi::sense::make(scsi::SenseKey::copy_aborted, {0x0d, 0x01});
  sense.segment = 0x0102;
  sense.information = 0x40;
  sense.points_into = scsi::Sense::PointsInto::segment_descriptor;
  sense.field = {20, 7, false};
  scsi::CscdAnswer answer;
  answer.side = scsi::CscdAnswer::Side::destination;
  answer.key = scsi::SenseKey::illegal_request;
  answer.additional = {0x21, 0x00};
  answer.information = 0x1000;
  sense.cscd_answer = answer;
  const Bytes whole =
      hex("F0 00 0A 00 00 00 40 1D  00 12 01 02 0D 01 00 A0 00 14"
          "02  F0 00 05 00 00 10 00 0A  00 00 00 00 21 00 00 00 00 00");
  CHECK(scsi::to_fixed_format(sense) == whole);

  SECTION("8.8 failure details hold it whole") {
    scsi::CopyResult result;
    result.status = scsi::CopyOperationStatus::completed_with_errors;
    result.completion_status = scsi::Status::check_condition;
    result.sense = sense;
    Bytes expected = hex("00 00 00 5D");
    expected.resize(56);
    append(expected, hex("02 00 00 25"));
    append(expected, whole);
    CHECK(scsi::encode_failure_details(result) == expected);
    CHECK(scsi::has_failure_details(result));
  }
  SECTION("the source's answer, a status alone, a pointer into the list") {
    answer = {};
    answer.status = scsi::Status::reservation_conflict;
    sense.cscd_answer = answer;
    sense.points_into = scsi::Sense::PointsInto::parameter_list;
    sense.field = {17, 4, true};
    sense.information.reset();
    CHECK(scsi::to_fixed_format(sense) ==
          hex("70 00 0A 00 00 00 00 0B  12 00 01 02 0D 01 00 8C 00 11  18"));
  }
}

TEST_CASE("8.8 failure details of a copy that did not fail, or not so, are none") {
  scsi::CopyResult result;
  CHECK(scsi::encode_failure_details(result) == hex("00 00 00 00"));
  result.status = scsi::CopyOperationStatus::completed_with_errors;
  result.sense = scsi::sense::illegal_request({0x26, 0x06});
  CHECK(scsi::encode_failure_details(result) == hex("00 00 00 00"));
}

TEST_CASE("RECEIVE COPY DATA(LID1): nothing is held") {
  CHECK(scsi::encode_lid1_data() == hex("00 00 00 00"));
}
