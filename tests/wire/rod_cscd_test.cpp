// ROD CSCD descriptors, F800h, BEh and BFh of EXTENDED COPY lists (wire reference 8.3, 8.4, 5.4)
// and several tokens in one answer (4.1, 4.5). Typed from its tables.
#include "scsi/copy_results.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using scsi::RodType;

constexpr std::uint8_t lid1 = 0x00, lid4 = 0x01;

const char* const naa_cscd =
    "E4 00 00 00  01 03 00 10  60 24 34 D0  01 02 03 04  05 06 07 08  09 0A 0B 0C"
    "00 00 00 00  00 00 02 00";
// 8.3: PAD, block length 512, producer 0000h, type 00800000h, lifetime 01020304h, timeout
// 00000E10h.
const char* const rod =
    "FE 00 00 00  00 00 00 00  00 80 00 00  01 02 03 04  00 00 0E 10  00 00 00 00  00 00 00 00"
    "04 00 02 00";
// A token at byte 8 of the inline data.
const char* const rod_of_token =
    "FE 00 00 00  F8 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 01  00 00 00 08"
    "00 00 00 00";
// 8.4: two ranges into CSCD 1; one range into CSCD 1.
const char* const ranges_segment =
    "BE 00 00 2C  FF FF 00 01  00 00 00 00  00 01 00 20"
    "00 00 00 00 00 00 10 00  00 00 00 08  00 00 00 00"
    "01 02 03 04 05 06 07 08  FF FF FF FF  00 00 00 00";
const char* const range_segment = "BF 00 00 10  FF FF 00 01  00 00 00 00 00 00 20 00  00 00 00 10";
const char* const copy_from_rod =
    "02 01 00 18  00 01 00 00  00 00 00 08  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 40";

Bytes list_of(const std::vector<Bytes>& cscds, const std::vector<Bytes>& segments,
              const Bytes& inline_data = {}) {
  Bytes first, second;
  for (const Bytes& each : cscds)
    append(first, each);
  for (const Bytes& each : segments)
    append(second, each);
  Bytes list(16);
  put(list, 2, 2, first.size());
  put(list, 8, 4, second.size());
  put(list, 12, 4, inline_data.size());
  append(append(list, first), second);
  return append(list, inline_data);
}
Bytes inline_with_token() {
  Bytes out(8 + 512);
  for (std::size_t i = 0; i < 512; ++i)
    out[8 + i] = static_cast<std::uint8_t>(i * 5 + 3);
  return out;
}
auto decode(const Bytes& list, std::uint8_t form = lid1) {
  return scsi::decode_extended_copy(list, form, {});
}
Bytes changed(const char* text, std::size_t at, std::uint8_t value) {
  Bytes out = hex(text);
  out[at] = value;
  return out;
}

}  // namespace

TEST_CASE("8.3 FEh: every field of a ROD CSCD") {
  Bytes asks = changed(rod, 22, 0x01);
  auto copy = decode(list_of({hex(naa_cscd), asks}, {hex(range_segment)}));
  REQUIRE(copy);
  REQUIRE(copy->cscds.size() == 2);
  CHECK(copy->cscds[1].type == scsi::CscdType::rod);
  REQUIRE(copy->rods.size() == 1);
  const scsi::RodCscd& out = copy->rods[0];
  CHECK(out.cscd_id == 1);
  CHECK(out.at == 48);
  CHECK(out.producer_id == 0);
  CHECK(out.type == RodType::point_in_time_default);
  CHECK(out.lifetime_seconds == 0x01020304);
  CHECK(out.inactivity_timeout_seconds == 3600);
  CHECK(out.r_token);
  CHECK_FALSE(out.delete_token);
  CHECK(out.pad);
  CHECK(out.block_length_bytes == 512);
  CHECK_FALSE(out.token);
  asks[1] = 0x05;
  asks[4] = 0xff;
  asks[5] = 0xff;
  copy = decode(list_of({hex(naa_cscd), asks}, {}));
  REQUIRE(copy);
  CHECK(copy->rods.at(0).device_type == 5);
  CHECK(copy->rods.at(0).producer_id == 0xffff);
}

TEST_CASE("8.2 8.3 in a LID4 list a ROD CSCD counts from 1 as well") {
  Bytes list(48);
  list[0] = 0x01;
  put(list, 2, 2, 0x20);
  list[15] = 0x02;
  list[16] = 0xff;
  put(list, 42, 2, 64);
  put(list, 44, 2, 20);
  append(append(list, hex(naa_cscd)), hex(rod));
  append(list, changed(range_segment, 7, 0x02));
  const auto copy = decode(list, lid4);
  REQUIRE(copy);
  CHECK(copy->rods.at(0).cscd_id == 2);
  CHECK(copy->rods.at(0).at == 80);
  REQUIRE(scsi::decode_extended_copy_header(list, lid4));
  CHECK(scsi::decode_extended_copy_header(list, lid4)->g_sense);
  // To its first CSCD, which is none, as to the header: 05/26/00 at DESTINATION.
  for (const std::uint8_t id : {0x00, 0x01}) {
    list[48 + 64 + 7] = id;
    check_refused(decode(list, lid4), asc_26_00, byte(48 + 64 + 6));
  }
}

TEST_CASE("8.4 BEh: its ranges in their order, empty ones too") {
  const auto copy = decode(list_of({hex(naa_cscd), hex(rod)}, {hex(ranges_segment)}));
  REQUIRE(copy);
  REQUIRE(copy->segments.size() == 1);
  const scsi::SegmentDescriptor& segment = copy->segments[0];
  CHECK(segment.type == scsi::SegmentType::populate_rod_from_ranges);
  CHECK(segment.at == 16 + 64);
  CHECK(segment.source_id == 0xffff);
  CHECK(segment.destination_id == 1);
  REQUIRE(segment.ranges.size() == 2);
  CHECK(segment.ranges[0] == base::BlockRange{base::Lba(0x1000), base::BlockCount(8)});
  CHECK(segment.ranges[1] ==
        base::BlockRange{base::Lba(0x0102030405060708), base::BlockCount(0xffffffff)});
  const auto none = decode(list_of({hex(naa_cscd), hex(rod)},
                                   {hex("BE 00 00 0C  FF FF 00 01  00 00 00 00  00 01 00 00")}));
  REQUIRE(none);
  CHECK(none->segments.at(0).ranges.empty());
}

TEST_CASE("8.4 BFh: one range") {
  const auto copy = decode(list_of({hex(naa_cscd), hex(rod)}, {hex(range_segment)}));
  REQUIRE(copy);
  const scsi::SegmentDescriptor& segment = copy->segments.at(0);
  CHECK(segment.type == scsi::SegmentType::populate_rod_from_range);
  REQUIRE(segment.ranges.size() == 1);
  CHECK(segment.ranges[0] == base::BlockRange{base::Lba(0x2000), base::BlockCount(16)});
}

TEST_CASE("8.4 CAT of 02h") {
  const auto copy = decode(list_of({hex(naa_cscd), hex(rod)}, {hex(copy_from_rod)}));
  REQUIRE(copy);
  CHECK(copy->segments.at(0).cat);
  CHECK_FALSE(decode(list_of({hex(naa_cscd)}, {changed(copy_from_rod, 1, 0x02)}))->segments[0].cat);
}

TEST_CASE("8.4 DESCRIPTOR LENGTH of BEh and BFh is 05/26/00 when it cannot be true") {
  const auto refused = [](const Bytes& segment) {
    check_refused(decode(list_of({hex(naa_cscd), hex(rod)}, {segment})), asc_26_00,
                  byte(16 + 64 + 2));
  };
  refused(changed(ranges_segment, 3, 0x1c));
  refused(changed(ranges_segment, 15, 0x10));
  refused(changed(ranges_segment, 15, 0x21));
  refused(changed(ranges_segment, 14, 0xff));
  refused(changed(range_segment, 3, 0x18));
  const Bytes whole = hex(ranges_segment);
  for (std::size_t cut = 1; cut < whole.size(); ++cut)
    refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)});
}

TEST_CASE("5.4 8.4 what segments cannot do with RODs is 05/26/00 at their identifier") {
  const std::vector<Bytes> cscds{hex(naa_cscd), hex(rod)};
  constexpr std::uint16_t at = 16 + 64;
  // A point in time is not written.
  check_refused(decode(list_of(cscds, {changed(copy_from_rod, 7, 0x01)})), asc_26_00, byte(at + 6));
  CHECK(decode(list_of(cscds, {hex("07 00 00 08  00 01 00 01  00 00 00 00")})));
  // Nothing else is populated; what is not there is found out later (0A/08/04).
  check_refused(decode(list_of(cscds, {changed(range_segment, 7, 0x00)})), asc_26_00, byte(at + 6));
  check_refused(decode(list_of(cscds, {hex("BF 00 00 10  FF FF FF FF  00 00 00 00 00 00 20 00"
                                           "00 00 00 10")})),
                asc_26_00, byte(at + 6));
  CHECK(decode(list_of(cscds, {changed(range_segment, 7, 0x02)})));
  // The source is FFFFh: the ROD knows its producer.
  check_refused(decode(list_of(cscds, {changed(ranges_segment, 5, 0x00)})), asc_26_00,
                byte(at + 4));
  check_refused(decode(list_of(cscds, {changed(range_segment, 4, 0x00)})), asc_26_00, byte(at + 4));
  // What a token stands for is not populated either.
  check_refused(decode(list_of({hex(naa_cscd), hex(rod_of_token)}, {hex(range_segment)},
                               inline_with_token())),
                asc_26_00, byte(at + 6));
}

TEST_CASE("5.6 8.3 a token in the inline data, at ROD TOKEN OFFSET") {
  const Bytes inline_data = inline_with_token();
  const auto list = [&](const Bytes& cscd) {
    return list_of({hex(naa_cscd), cscd}, {hex(copy_from_rod)}, inline_data);
  };
  for (const Bytes& by_type : {hex(rod_of_token), changed(rod_of_token, 4, 0x00)}) {
    const auto copy = decode(list(by_type));
    REQUIRE(copy);
    const scsi::RodCscd& out = copy->rods.at(0);
    REQUIRE(out.token);
    CHECK(Bytes(out.token->begin(), out.token->end()) ==
          Bytes(inline_data.begin() + 8, inline_data.end()));
    CHECK(out.token_at == 16 + 64 + 28 + 8);
    CHECK(out.delete_token);
  }
  // Beyond the inline data: 05/26/0B at ROD TOKEN OFFSET.
  for (const auto& [at, value] : {std::pair{27, 9}, {24, 1}, {24, 0xff}}) {
    check_refused(decode(list(changed(rod_of_token, static_cast<std::size_t>(at),
                                      static_cast<std::uint8_t>(value)))),
                  {0x26, 0x0b}, byte(48 + 24));
  }
  CHECK(decode(list(changed(rod_of_token, 27, 0x00))));
  // F800h for the producer and a type of its own: that of the token, or 05/26/00 at ROD TYPE.
  check_refused(decode(list(changed(rod_of_token, 9, 0x80))), asc_26_00, byte(48 + 8));
  // No token is made of a token.
  check_refused(decode(list(changed(rod_of_token, 22, 0x01))), asc_26_00,
                scsi::FieldPointer{48 + 22, 0, true});
}

TEST_CASE("8.3 F800h in a segment is the ROD of the token that starts the inline data") {
  const Bytes segment = changed(copy_from_rod, 4, 0xf8);
  Bytes named = segment;
  named[5] = 0x00;
  const Bytes inline_data = inline_with_token();
  const auto copy = decode(list_of({hex(naa_cscd)}, {named}, inline_data));
  REQUIRE(copy);
  REQUIRE(copy->rods.size() == 1);
  CHECK(copy->rods[0].cscd_id == 0xf800);
  CHECK(copy->rods[0].at == 0);
  CHECK(copy->rods[0].token_at == 16 + 32 + 28);
  CHECK(Bytes(copy->rods[0].token->begin(), copy->rods[0].token->end()) ==
        Bytes(inline_data.begin(), inline_data.begin() + 512));
  // Without a token it leads nowhere, which the segment is told.
  const auto none = decode(list_of({hex(naa_cscd)}, {named}, Bytes(511)));
  REQUIRE(none);
  CHECK(none->rods.empty());
  Bytes written = named;
  std::swap(written[4], written[6]);
  check_refused(decode(list_of({hex(naa_cscd)}, {written}, inline_data)), asc_26_00,
                byte(16 + 32 + 6));
}

TEST_CASE("4.1 4.5 RECEIVE ROD TOKEN INFORMATION of an EXTENDED COPY: one descriptor a ROD CSCD") {
  scsi::CopyResult result;
  result.response_to_service_action = 0x01;
  result.bytes_transferred = 0x1000;
  result.segments_processed = 3;
  result.rod_cscd_tokens.resize(2);
  result.rod_cscd_tokens[0].cscd_id = 0x0102;
  result.rod_cscd_tokens[0].token.fill(0x11);
  result.rod_cscd_tokens[1].cscd_id = 0x0003;
  result.rod_cscd_tokens[1].token.fill(0x22);
  CHECK(result.has_tokens());
  // 36 + 2 x 514 bytes; AVAILABLE DATA 424h, descriptors 404h.
  Bytes expected =
      hex("00 00 04 24  01 01 00 00  FF FF FF FE  00 00 00 00  00 00 00 00 00 00 10 00  00 03 00 00"
          "00 00 00 00  00 00 04 04  01 02");
  expected.resize(expected.size() + 512, 0x11);
  append(expected, hex("00 03"));
  expected.resize(expected.size() + 512, 0x22);
  CHECK(scsi::encode_rod_token_information(result) == expected);
}

TEST_CASE("6.6 ECPY_INT is bit 7 of byte 4") {
  scsi::ThirdPartyCopyPage page;
  page.extended_copy.emplace();
  page.offers_tokens = false;
  page.rod_types = {{RodType::point_in_time_default, false, false, true}};
  const Bytes bytes = scsi::encode(page);
  const Bytes wanted = hex("01 08 00 44  00 00 00 40  00 80 00 00  80 00 00 00");
  CHECK(std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end());
}
