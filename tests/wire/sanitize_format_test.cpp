// SANITIZE and FORMAT UNIT: parameter lists typed from the tables of SBC-4 5.4 and 5.30.
#include "scsi/format_parameters.hpp"
#include "scsi/sanitize_cdbs.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using scsi::AdditionalSense;

constexpr base::BlockLength small{512}, large{4096};

// An OVERWRITE list with `pattern_bytes` of A5h.
Bytes overwrite_list(std::uint8_t options, std::uint16_t length, std::size_t pattern_bytes) {
  Bytes out{options, 0, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
  out.resize(4 + pattern_bytes, 0xa5);
  return out;
}

// "05/26/00 at parameter list byte 0 bit 4".
std::string refusal(const Bytes& list, base::BlockLength block = small) {
  const auto decoded = scsi::decode_sanitize_overwrite(list, list.size(), block);
  return decoded ? "none" : scsi::to_text(decoded.error());
}
std::string length_refusal(std::string_view cdb, base::BlockLength block = small) {
  const auto bad = scsi::check_sanitize_list_length(hex(cdb), block);
  return bad ? scsi::to_text(*bad) : "none";
}

std::string format_refusal(std::string_view cdb, const Bytes& list = {},
                           base::BlockLength block = small) {
  const auto decoded = scsi::decode_format_unit(hex(cdb), list, block);
  return decoded ? "none" : scsi::to_text(decoded.error());
}
scsi::FormatUnit format(std::string_view cdb, const Bytes& list = {},
                        base::BlockLength block = small) {
  const auto decoded = scsi::decode_format_unit(hex(cdb), list, block);
  INFO((decoded ? std::string() : scsi::to_text(decoded.error())));
  REQUIRE(decoded);
  return *decoded;
}

}  // namespace

TEST_CASE("SANITIZE: IMMED and AUSE in byte 1, the list length at 7-8") {
  const Bytes cdb = hex("48 A1 00 00 00 00 00 02 04 00");
  CHECK_FALSE(scsi::first_reserved_bit(scsi::sanitize::overwrite, cdb));
  CHECK(scsi::sanitize::immed.read(cdb) == 1);
  CHECK(scsi::sanitize::ause.read(cdb) == 1);
  CHECK(scsi::sanitize::parameter_list_length.read(cdb) == 0x204);
  CHECK(scsi::sanitize::immed.read(hex("48 21 00 00 00 00 00 00 00 00")) == 0);
  CHECK(scsi::sanitize::ause.read(hex("48 81 00 00 00 00 00 00 00 00")) == 0);
  // ZNR, of zoned units only.
  CHECK(
      scsi::first_reserved_bit(scsi::sanitize::block_erase, hex("48 42 00 00 00 00 00 00 00 00")) ==
      scsi::FieldPointer{1, 6, true});
}

TEST_CASE("SANITIZE: the list of OVERWRITE has 5 to 4 + block length bytes, the others have none") {
  const std::string bad = "05/24/00 at CDB byte 7";
  for (const char* length : {"00 00", "00 01", "00 04", "02 05", "10 04", "FF FF"}) {
    INFO(length);
    CHECK(length_refusal(std::string("48 01 00 00 00 00 00 ") + length + " 00") == bad);
  }
  for (const char* length : {"00 05", "00 08", "02 04"}) {
    INFO(length);
    CHECK(length_refusal(std::string("48 01 00 00 00 00 00 ") + length + " 00") == "none");
  }
  CHECK(length_refusal("48 01 00 00 00 00 00 10 04 00", large) == "none");
  CHECK(length_refusal("48 01 00 00 00 00 00 10 05 00", large) == bad);
  for (const char* action : {"02", "03", "1F", "82", "A3"}) {
    INFO(action);
    CHECK(length_refusal(std::string("48 ") + action + " 00 00 00 00 00 00 00 00") == "none");
    CHECK(length_refusal(std::string("48 ") + action + " 00 00 00 00 00 00 08 00") == bad);
  }
}

TEST_CASE("SANITIZE OVERWRITE: count, inversion and pattern") {
  const auto plain = scsi::decode_sanitize_overwrite(hex("01 00 00 04 DE AD BE EF"), 8, small);
  REQUIRE(plain);
  CHECK(*plain == scsi::SanitizeOverwrite{1, false, hex("DE AD BE EF")});
  const auto inverted = scsi::decode_sanitize_overwrite(hex("9F 00 00 01 55"), 5, small);
  REQUIRE(inverted);
  CHECK(*inverted == scsi::SanitizeOverwrite{31, true, hex("55")});
  const auto block = scsi::decode_sanitize_overwrite(overwrite_list(3, 512, 512), 516, small);
  REQUIRE(block);
  CHECK(*block == scsi::SanitizeOverwrite{3, false, Bytes(512, 0xa5)});
}

TEST_CASE("SANITIZE OVERWRITE: what is wrong is named, byte and bit") {
  CHECK(refusal(overwrite_list(0x00, 4, 4)) == "05/26/00 at parameter list byte 0 bit 4");
  CHECK(refusal(overwrite_list(0x80, 4, 4)) == "05/26/00 at parameter list byte 0 bit 4");
  CHECK(refusal(overwrite_list(0x21, 4, 4)) == "05/26/00 at parameter list byte 0 bit 6");
  CHECK(refusal(overwrite_list(0x41, 4, 4)) == "05/26/00 at parameter list byte 0 bit 6");
  CHECK(refusal(hex("01 01 00 01 00")) == "05/26/00 at parameter list byte 1");
  CHECK(refusal(overwrite_list(0x01, 0, 4)) == "05/26/00 at parameter list byte 2");
  CHECK(refusal(overwrite_list(0x01, 513, 513)) == "05/26/00 at parameter list byte 2");
  CHECK(refusal(overwrite_list(0x01, 513, 513), large) == "none");
  // The list is longer, or shorter, than it says.
  CHECK(refusal(overwrite_list(0x01, 4, 5)) == "05/1A/00");
  CHECK(refusal(overwrite_list(0x01, 4, 3)) == "05/1A/00");
  // Less arrived than the CDB announced.
  const auto cut = scsi::decode_sanitize_overwrite(hex("01 00"), 8, small);
  REQUIRE_FALSE(cut);
  CHECK(scsi::to_text(cut.error()) == "05/1A/00");
  CHECK_FALSE(scsi::decode_sanitize_overwrite({}, 8, small));
}

TEST_CASE("FORMAT UNIT without a list formats as it is; LONGLIST and CMPLST are ignored") {
  const scsi::FormatUnit defaults{false, true, {}, 0};
  CHECK(format("04 00 00 00 00 00") == defaults);
  CHECK(format("04 28 00 00 00 00") == defaults);
  CHECK(format_refusal("04 01 00 00 00 00") == "05/24/00 at CDB byte 1 bit 2");
  CHECK(format_refusal("04 06 00 00 00 00") == "05/24/00 at CDB byte 1 bit 2");
  CHECK(scsi::first_reserved_bit(scsi::format_unit::layout, hex("04 00 01 00 00 00")));
  CHECK(scsi::first_reserved_bit(scsi::format_unit::layout, hex("04 00 00 00 01 00")) ==
        scsi::FieldPointer{4, 0, true});
}

TEST_CASE("FORMAT UNIT: short and long headers") {
  CHECK(format("04 10 00 00 00 00", hex("00 02 00 00")) == scsi::FormatUnit{true, true, {}, 4});
  CHECK(format("04 30 00 00 00 00", hex("00 02 00 00 00 00 00 00")) ==
        scsi::FormatUnit{true, true, {}, 8});
  // FOV, DPRY, DCRT, STPF, DSP.
  CHECK(format("04 18 00 00 00 00", hex("00 F4 00 00")) == scsi::FormatUnit{false, false, {}, 4});
  for (const char* cdb : {"04 10 00 00 00 00", "04 14 00 00 00 00", "04 1D 00 00 00 00"}) {
    INFO(cdb);
    CHECK(format_refusal(cdb, hex("00 00 00 00")) == "none");
  }
  for (const char* cdb : {"04 16 00 00 00 00", "04 17 00 00 00 00"}) {
    INFO(cdb);
    CHECK(format_refusal(cdb, hex("00 00 00 00")) == "05/24/00 at CDB byte 1 bit 2");
  }
}

TEST_CASE("FORMAT UNIT: an initialization pattern") {
  CHECK(format("04 10 00 00 00 00", hex("00 8A 00 00 00 01 00 02 CA FE")) ==
        scsi::FormatUnit{true, true, hex("CA FE"), 10});
  CHECK(format("04 30 00 00 00 00", hex("00 88 00 00 00 00 00 00 00 01 00 02 CA FE 77")) ==
        scsi::FormatUnit{false, true, hex("CA FE"), 14});
  CHECK(format("04 10 00 00 00 00", hex("00 88 00 00 00 00 00 00")) ==
        scsi::FormatUnit{false, true, {}, 8});
}

TEST_CASE("FORMAT UNIT: what is wrong in the list is named, byte and bit") {
  const std::string at = "05/26/00 at parameter list byte ";
  const auto shortly = [](std::string_view list) {
    return format_refusal("04 10 00 00 00 00", hex(list));
  };
  CHECK(shortly("08 00 00 00") == at + "0 bit 7");
  CHECK(shortly("01 00 00 00") == at + "0 bit 2");  // PROTECTION FIELD USAGE
  CHECK(shortly("00 01 00 00") == at + "1 bit 0");
  CHECK(shortly("00 40 00 00") == at + "1 bit 6");  // options without FOV
  CHECK(shortly("00 20 00 00") == at + "1 bit 5");
  CHECK(shortly("00 10 00 00") == at + "1 bit 4");
  CHECK(shortly("00 08 00 00 00 00 00 00") == at + "1 bit 3");
  CHECK(shortly("00 04 00 00") == at + "1 bit 2");
  CHECK(shortly("00 00 00 08 00 00 00 01 00 00 00 00") == at + "2");  // a defect list
  CHECK(shortly("00 88 00 00 40 00 00 00") == at + "4 bit 7");        // IP MODIFIER
  CHECK(shortly("00 88 00 00 20 00 00 00") == at + "4 bit 5");        // SI
  CHECK(shortly("00 88 00 00 01 00 00 00") == at + "4 bit 4");
  CHECK(shortly("00 88 00 00 00 02 00 00") == at + "5");
  CHECK(shortly("00 88 00 00 00 80 00 00") == at + "5");
  CHECK(shortly("00 88 00 00 00 00 00 01 00") == at + "6");  // the default has no length
  CHECK(shortly("00 88 00 00 00 01 00 00") == at + "6");
  CHECK(shortly("00 88 00 00 00 01 02 01") == at + "6");
  CHECK(shortly("00 80 00") == "05/1A/00");
  CHECK(shortly("") == "05/1A/00");
  CHECK(shortly("00 88 00 00 00 01 00") == "05/1A/00");
  CHECK(shortly("00 88 00 00 00 01 00 02 CA") == "05/1A/00");

  const auto longly = [](std::string_view list) {
    return format_refusal("04 30 00 00 00 00", hex(list));
  };
  CHECK(longly("00 00 00 00 00 00 00") == "05/1A/00");
  CHECK(longly("00 00 80 00 00 00 00 00") == at + "2");
  CHECK(longly("00 00 00 10 00 00 00 00") == at + "3 bit 7");
  CHECK(longly("00 00 00 01 00 00 00 00") == at + "3 bit 3");
  CHECK(longly("00 00 00 00 00 00 00 08") == at + "4");
  CHECK(longly("00 88 00 00 00 00 00 00 20 00 00 00") == at + "8 bit 5");
}

// SBC-4 5.4: FMTPINFO and PROTECTION FIELD USAGE 00b and 000b are no protection information, 10b
// and 000b type 1, 11b and 000b type 2, 11b and 001b type 3; all else is reserved.
TEST_CASE("FORMAT UNIT: only the protection information that the unit has can be asked for") {
  const auto told = [](std::uint8_t type, std::uint8_t fmtpinfo,
                       std::optional<std::uint8_t> usage) {
    const Bytes cdb{0x04, static_cast<std::uint8_t>(fmtpinfo << 6 | (usage ? 0x10 : 0)), 0, 0, 0,
                    0};
    const Bytes list{usage.value_or(0), 0, 0, 0};
    const auto decoded = scsi::decode_format_unit(cdb, usage ? list : Bytes{}, small, type);
    return decoded ? std::string("good") : scsi::to_text(decoded.error());
  };
  struct Right {
    std::uint8_t fmtpinfo, usage;
  };
  constexpr Right rights[] = {{0, 0}, {2, 0}, {3, 0}, {3, 1}};
  for (std::uint8_t type = 0; type < 4; ++type) {
    for (std::uint8_t fmtpinfo = 0; fmtpinfo < 4; ++fmtpinfo) {
      const bool fits = fmtpinfo == rights[type].fmtpinfo;
      for (std::uint8_t usage = 0; usage < 8; ++usage) {
        INFO("type " << int(type) << ", " << int(fmtpinfo) << ", " << int(usage));
        const std::string expected = !fits ? "05/24/00 at CDB byte 1 bit 7"
                                     : usage == rights[type].usage
                                         ? "good"
                                         : "05/26/00 at parameter list byte 0 bit 2";
        CHECK(told(type, fmtpinfo, usage) == expected);
      }
      // Without a list the usage is 000b.
      const bool well = fits && rights[type].usage == 0;
      CHECK(told(type, fmtpinfo, std::nullopt) == (well ? "good" : "05/24/00 at CDB byte 1 bit 7"));
    }
  }
}
