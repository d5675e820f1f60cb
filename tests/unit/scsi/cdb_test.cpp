// CDB layouts: usage bitmaps, and each single bit of each CDB either belongs to a field or is
// reported.
#include "scsi/cdb.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/scsi/hex.hpp"
#include "tests/unit/scsi/layouts.hpp"

namespace {

using namespace scsi;
using scsi::test::every_layout;
using scsi::test::hex;

// The bits of a CDB that are evaluated, from the typed bitmap: byte 0 and the service action are
// whole.
std::set<unsigned> evaluated_bits(const test::KnownLayout& known) {
  auto usage = hex(known.usage);
  usage[0] = 0xff;
  if (known.layout.service_action) usage[1] |= 0x1f;
  std::set<unsigned> out;
  for (unsigned byte = 0; byte < usage.size(); ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((usage[byte] >> bit) & 1) out.insert(byte * 8 + bit);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the usage bitmap of every CDB is the standard's") {
  for (const auto& known : every_layout()) {
    INFO(known.layout.name);
    auto expected = hex(known.usage);
    REQUIRE(expected.size() == known.layout.length);
    expected.resize(cdb_bytes_max);
    const CdbBytes usage = usage_bitmap(known.layout);
    CHECK(std::vector<std::uint8_t>(usage.begin(), usage.end()) == expected);
  }
}

TEST_CASE("each bit of each CDB belongs to a field or is reported at its place") {
  for (const auto& known : every_layout()) {
    const auto evaluated = evaluated_bits(known);
    for (unsigned byte = 1; byte < known.layout.length; ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        INFO(known.layout.name << " byte " << byte << " bit " << bit);
        CdbBytes cdb = make_cdb(known.layout);
        cdb[byte] |= static_cast<std::uint8_t>(1u << bit);
        const auto found = first_reserved_bit(known.layout, cdb);
        REQUIRE(has_reserved_bit(allowed_bits(known.layout), cdb) == found.has_value());
        if (evaluated.contains(byte * 8 + bit)) {
          REQUIRE_FALSE(found);
        } else {
          REQUIRE(found == FieldPointer{static_cast<std::uint16_t>(byte),
                                        static_cast<std::uint8_t>(bit), true});
        }
      }
    }
  }
}

TEST_CASE("a CDB with every evaluated bit set has no reserved bit, bytes behind it do not count") {
  for (const auto& known : every_layout()) {
    INFO(known.layout.name);
    CdbBytes cdb = usage_bitmap(known.layout);
    for (std::size_t i = known.layout.length; i < cdb.size(); ++i)
      cdb[i] = 0xff;
    CHECK_FALSE(first_reserved_bit(known.layout, cdb));
  }
}

TEST_CASE("of several reserved bits the first in CDB order is told") {
  CdbBytes cdb = make_cdb(populate_token::layout);
  cdb[3] = 0x21;
  cdb[4] = 0x80;
  CHECK(first_reserved_bit(populate_token::layout, cdb) == FieldPointer{3, 5, true});
  cdb[1] |= 0x40;
  CHECK(first_reserved_bit(populate_token::layout, cdb) == FieldPointer{1, 6, true});
}

TEST_CASE("NACA stands at bit 2 of the last byte of every CDB") {
  for (const auto& known : every_layout()) {
    INFO(known.layout.name);
    const auto last = static_cast<std::uint16_t>(known.layout.length - 1);
    CHECK(naca(known.layout).pointer() == FieldPointer{last, 2, true});
  }
}

TEST_CASE("the fields of a CDB do not overlap and stay within it") {
  for (const auto& known : every_layout()) {
    INFO(known.layout.name);
    std::set<unsigned> taken;
    const auto take = [&](const Field& field) {
      for (unsigned i = 0; i < field.bits; ++i) {
        const unsigned place = field.byte * 8u + (7u - field.top_bit) + i;
        CHECK(taken.insert(place).second);
        CHECK(place < known.layout.control_byte() * 8u);
      }
    };
    take(operation_code);
    if (known.layout.service_action) take(service_action_field);
    for (const Field& field : known.layout.fields) {
      if (!field.name.empty()) take(field);
    }
  }
}

TEST_CASE("the length of each CDB is what its operation code's group tells") {
  for (const auto& known : every_layout()) {
    INFO(known.layout.name);
    CHECK(cdb_length(known.layout.opcode) == known.layout.length);
  }
  CHECK(cdb_length(0x7f) == 0);
  CHECK(cdb_length(0xc0) == 0);
  CHECK(cdb_length(0xff) == 0);
}

TEST_CASE("no two layouts share operation code and service action") {
  std::set<std::pair<int, int>> seen;
  for (const auto& known : every_layout()) {
    const int action = known.layout.service_action ? *known.layout.service_action : -1;
    CHECK(seen.insert({known.layout.opcode, action}).second);
  }
}

TEST_CASE("a trace names the fields that are not zero") {
  const auto cdb = hex("28 00 00 00 01 00 00 00 08 00 00 00 00 00 00 00");
  CHECK(trace(media::read_10, cdb) == "READ(10) LOGICAL BLOCK ADDRESS=256 TRANSFER LENGTH=8");
  CHECK(trace(test_unit_ready::layout, make_cdb(test_unit_ready::layout)) == "TEST UNIT READY");
}

TEST_CASE("READ and WRITE CDBs of all lengths tell range and flags") {
  const auto decode = [](std::string_view text) {
    auto cdb = hex(text);
    cdb.resize(cdb_bytes_max);
    return media::decode(cdb);
  };
  const auto six = decode("08 1F 23 45 10 00");
  CHECK(six.range == base::BlockRange{base::Lba(0x1f2345), base::BlockCount(16)});
  CHECK(decode("0A 00 00 00 00 00").range.count == base::BlockCount(256));
  CHECK(decode("0A E0 00 00 01 00").range.first == base::Lba(0));  // bits 7-5 are not the LBA's

  const auto ten = decode("28 08 FF FF FF FE 00 00 02 00");
  CHECK(ten.range == base::BlockRange{base::Lba(0xfffffffe), base::BlockCount(2)});
  CHECK(ten.force_unit_access);
  CHECK(decode("28 00 00 00 00 00 00 00 00 00").range.count == base::BlockCount(0));

  const auto twelve = decode("AA 60 00 00 01 00 00 01 00 00 00 00");
  CHECK(twelve.range == base::BlockRange{base::Lba(0x100), base::BlockCount(0x10000)});
  CHECK(twelve.protect == 3);
  CHECK_FALSE(twelve.force_unit_access);

  const auto sixteen = decode("8A 10 01 02 03 04 05 06 07 08 FF FF FF FF 00 00");
  CHECK(sixteen.range ==
        base::BlockRange{base::Lba(0x0102030405060708), base::BlockCount(0xffffffff)});
  CHECK_FALSE(sixteen.force_unit_access);
}
