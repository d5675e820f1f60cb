// 32-byte CDBs and protection information as SBC-4 lays them out
// (5.14, 5.35, 5.43, 5.47, 5.52; 4.22).
#include "scsi/long_cdbs.hpp"

#include "scsi/inquiry_data.hpp"
#include "scsi/protection.hpp"
#include "scsi/sense.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Known {
  const scsi::CdbLayout& layout;
  std::string_view usage;
};
// CONTROL is byte 1; ADDITIONAL CDB LENGTH and SERVICE ACTION are told, the rest is evaluated bits.
const Known known[] = {
    {scsi::long_cdb::read,
     "7F 07 00 00 00 00 3F 18 00 09 FC 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {scsi::long_cdb::verify,
     "7F 07 00 00 00 00 3F 18 00 0A F6 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {scsi::long_cdb::write,
     "7F 07 00 00 00 00 3F 18 00 0B F8 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {scsi::long_cdb::write_and_verify,
     "7F 07 00 00 00 00 3F 18 00 0C F6 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
    {scsi::long_cdb::write_same,
     "7F 07 00 00 00 00 3F 18 00 0D F9 00 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF "
     "FF"},
};

}  // namespace

TEST_CASE("the usage bitmaps of the 32-byte CDBs, and every bit of them") {
  for (const Known& each : known) {
    INFO(each.layout.name);
    const Bytes usage = hex(each.usage);
    REQUIRE(usage.size() == 32);
    REQUIRE(each.layout.length == 32);
    const scsi::CdbBytes computed = scsi::usage_bitmap(each.layout);
    CHECK(Bytes(computed.begin(), computed.end()) == usage);
    const scsi::CdbBytes empty = scsi::make_cdb(each.layout);
    CHECK(Bytes(empty.begin(), empty.begin() + 12) ==
          hex("7F 00 00 00 00 00 00 18 00") + Bytes{*each.layout.service_action, 0, 0});
    CHECK_FALSE(scsi::first_reserved_bit(each.layout, empty));
    for (std::uint16_t byte = 1; byte < 32; ++byte) {
      if (byte >= 7 && byte <= 9) continue;
      for (std::uint8_t bit = 0; bit < 8; ++bit) {
        scsi::CdbBytes cdb = empty;
        cdb[byte] |= static_cast<std::uint8_t>(1u << bit);
        const auto found = scsi::first_reserved_bit(each.layout, cdb);
        const bool evaluated = (usage[byte] >> bit & 1) != 0;
        CHECK(found.has_value() == !evaluated);
        if (found) CHECK(*found == scsi::FieldPointer{byte, bit, true});
      }
    }
  }
}

TEST_CASE("a WRITE(32) as a host of type 2 units sends it") {
  const Bytes cdb =
      hex("7F 00 00 00 00 00 05 18 00 0B 28 00 01 02 03 04 05 06 07 08 DE AD BE EF A5 B6 FF 00 00 "
          "01 00 "
          "02");
  const auto request = scsi::media::decode(cdb);
  CHECK(request.range ==
        base::BlockRange{base::Lba(0x0102030405060708), base::BlockCount(0x10002)});
  CHECK(request.force_unit_access);
  CHECK(request.protect == 1);
  CHECK(request.tells_tags);
  CHECK(scsi::long_cdb::group.read(cdb) == 5);
  CHECK(scsi::long_cdb::reference_tag.read(cdb) == 0xdeadbeef);
  CHECK(scsi::long_cdb::application_tag.read(cdb) == 0xa5b6);
  CHECK(scsi::long_cdb::application_tag_mask.read(cdb) == 0xff00);
  CHECK_FALSE(scsi::first_reserved_bit(scsi::long_cdb::write, cdb));
  CHECK(scsi::naca(scsi::long_cdb::write).byte == 1);
  CHECK_FALSE(scsi::media::decode(hex("28 20 00 00 00 00 00 00 01 00")).tells_tags);
}

TEST_CASE("the sense of failed checks") {
  struct Case {
    scsi::AdditionalSense which;
    std::string_view aborted, miscompare;
  };
  for (const Case& each :
       {Case{scsi::asc::guard_check_failed, "F0 00 0B 00 01 02 03 0A 00 00 00 00 10 01 00 00 00 00",
             "F0 00 0E 00 01 02 03 0A 00 00 00 00 10 01 00 00 00 00"},
        Case{scsi::asc::application_tag_check_failed,
             "F0 00 0B 00 01 02 03 0A 00 00 00 00 10 02 00 00 00 00",
             "F0 00 0E 00 01 02 03 0A 00 00 00 00 10 02 00 00 00 00"},
        Case{scsi::asc::reference_tag_check_failed,
             "F0 00 0B 00 01 02 03 0A 00 00 00 00 10 03 00 00 00 00",
             "F0 00 0E 00 01 02 03 0A 00 00 00 00 10 03 00 00 00 00"}}) {
    CHECK(scsi::to_fixed_format(scsi::sense::protection_check_failed(each.which, 0x010203)) ==
          hex(each.aborted));
    CHECK(scsi::to_fixed_format(scsi::sense::protection_miscompare(each.which, 0x010203)) ==
          hex(each.miscompare));
  }
}

TEST_CASE("READ CAPACITY(16) and INQUIRY tell the type of protection") {
  struct Case {
    std::uint8_t type, capacity, support;
  };
  for (const Case& each :
       {Case{0, 0x00, 0x00}, Case{1, 0x01, 0x05}, Case{2, 0x03, 0x15}, Case{3, 0x05, 0x24}}) {
    scsi::CapacityData capacity{base::BlockCount(0x1000), base::BlockLength{4096}, 0, true};
    capacity.protection_type = each.type;
    const Bytes data = scsi::read_capacity_16_data(capacity);
    CHECK(data == hex("00 00 00 00 00 00 0F FF 00 00 10 00") + Bytes{each.capacity, 0x00, 0xc0} +
                      Bytes(17));
    CHECK(scsi::extended_inquiry_page({each.type, false}).at(4) == each.support);
    CHECK(scsi::extended_inquiry_page({each.type, true}).at(4) == (each.support | 0x02));
  }
  const scsi::UnitIdentity identity;
  CHECK(
      (scsi::standard_inquiry(identity, scsi::Presence::connected, {.has_protection = true}).at(5) &
       1) == 1);
  CHECK((scsi::standard_inquiry(identity, scsi::Presence::connected).at(5) & 1) == 0);
}

TEST_CASE("what each code checks and compares") {
  using Fields = scsi::ProtectionFields;
  const Fields checked[] = {{true, true, true},    {true, true, true},   {false, true, true},
                            {false, false, false}, {true, false, false}, {true, true, true}};
  for (std::uint8_t code = 0; code < 8; ++code) {
    CHECK(scsi::is_reserved_protect(code) == (code >= 6));
    if (code >= 6) continue;
    CHECK(scsi::checked_fields(code) == checked[code]);
    const bool compares = code != 0;
    CHECK(scsi::compared_fields(code, true) == Fields{compares && code != 2, compares, compares});
    CHECK(scsi::compared_fields(code, false) == Fields{compares && code != 2, false, compares});
  }
}
