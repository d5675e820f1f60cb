// Mode pages: what MODE SENSE tells, and what MODE SELECT may change.
#include "scsi/mode_pages.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/scsi/hex.hpp"

namespace {

using namespace scsi;
using scsi::test::hex;
using Bytes = std::vector<std::uint8_t>;

ModeSenseUnit unit_of(std::uint64_t blocks, std::uint32_t block_bytes, bool write_cache = true) {
  return {{write_cache}, base::BlockCount(blocks), {block_bytes}};
}

Bytes page_only(std::uint8_t page, PageControl control, bool write_cache = true) {
  const auto data =
      mode_sense_data({.control = control, .page = page, .disable_block_descriptors = true},
                      unit_of(100, 512, write_cache));
  REQUIRE(data);
  return {data->begin() + 4, data->end()};
}

void check_refused(const Bytes& list, ModeForm form, AdditionalSense additional,
                   std::optional<std::uint16_t> byte = std::nullopt) {
  const auto result = apply_mode_select(list, form, unit_of(100, 512));
  REQUIRE_FALSE(result);
  CHECK(result.error().key == SenseKey::illegal_request);
  CHECK(result.error().additional == additional);
  if (byte) {
    CHECK(result.error().points_into == Sense::PointsInto::parameter_list);
    CHECK(result.error().field.byte == *byte);
  }
}

const char* const caching_on = "08 12 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
const char* const caching_off = "08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
const char* const control = "0A 0A 00 10 00 00 00 00 FF FF 00 00";
const char* const exceptions = "1C 0A 00 00 00 00 00 00 00 00 00 00";

}  // namespace

TEST_CASE("current pages, byte for byte") {
  CHECK(page_only(0x08, PageControl::current, true) == hex(caching_on));
  CHECK(page_only(0x08, PageControl::current, false) == hex(caching_off));
  CHECK(page_only(0x0a, PageControl::current) == hex(control));
  CHECK(page_only(0x1c, PageControl::current) == hex(exceptions));
}

TEST_CASE("R23: QERR is 0, so Windows has nothing to rewrite") {
  const Bytes page = page_only(0x0a, PageControl::current);
  CHECK((page[3] & 0x06) == 0);
  CHECK((page[0] & 0x80) == 0);  // PS: not saveable
}

TEST_CASE("changeable pages show ones where MODE SELECT may write, only WCE") {
  CHECK(page_only(0x08, PageControl::changeable) == hex(caching_on));
  CHECK(page_only(0x08, PageControl::changeable, false) == hex(caching_on));
  CHECK(page_only(0x0a, PageControl::changeable) == hex("0A 0A 00 00 00 00 00 00 00 00 00 00"));
  CHECK(page_only(0x1c, PageControl::changeable) == hex(exceptions));
}

TEST_CASE("default pages do not follow the current values") {
  CHECK(page_only(0x08, PageControl::default_values, false) == hex(caching_on));
}

TEST_CASE("the headers of MODE SENSE(6) and (10)") {
  auto data = mode_sense_data({.page = 0x08}, unit_of(0x123456, 512));
  REQUIRE(data);
  CHECK(Bytes(data->begin(), data->begin() + 12) == hex("1F 00 10 08 00 12 34 56 00 00 02 00"));
  CHECK(data->size() == 32);

  data = mode_sense_data({.form = ModeForm::ten, .page = 0x08}, unit_of(0x123456, 4096));
  REQUIRE(data);
  CHECK(Bytes(data->begin(), data->begin() + 16) ==
        hex("00 22 00 10 00 00 00 08 00 12 34 56 00 00 10 00"));

  data = mode_sense_data({.form = ModeForm::ten, .page = 0x08, .long_lba_accepted = true},
                         unit_of(0x0102030405, 512));
  REQUIRE(data);
  CHECK(Bytes(data->begin(), data->begin() + 24) ==
        hex("00 2A 00 10 01 00 00 10 00 00 00 01 02 03 04 05 00 00 00 00 00 00 02 00"));

  data = mode_sense_data({.form = ModeForm::ten,
                          .page = 0x08,
                          .disable_block_descriptors = true,
                          .long_lba_accepted = true},
                         unit_of(100, 512));
  REQUIRE(data);
  CHECK(Bytes(data->begin(), data->begin() + 8) == hex("00 1A 00 10 00 00 00 00"));
}

TEST_CASE("a capacity beyond 32 bits shows as FFFFFFFFh in the short block descriptor") {
  const auto data = mode_sense_data({.page = 0x08}, unit_of(0x100000000, 512));
  CHECK(Bytes(data->begin() + 4, data->begin() + 8) == hex("FF FF FF FF"));
}

TEST_CASE("all pages come ascending and fit the 192 bytes that Windows gives") {
  for (const std::uint8_t subpage : {0x00, 0xff}) {
    for (const ModeForm form : {ModeForm::six, ModeForm::ten}) {
      const auto data =
          mode_sense_data({.form = form, .page = 0x3f, .subpage = subpage}, unit_of(100, 512));
      REQUIRE(data);
      CHECK(data->size() <= 192);
      std::size_t at = form == ModeForm::six ? 4 + 8 : 8 + 8;
      Bytes codes;
      while (at < data->size()) {
        codes.push_back((*data)[at] & 0x3f);
        at += 2u + (*data)[at + 1];
      }
      CHECK(at == data->size());
      CHECK(codes == hex("08 0A 1C"));
    }
  }
}

TEST_CASE("pages and subpages that do not exist are told apart from those that do") {
  for (unsigned page = 0; page < 0x40; ++page) {
    const bool there = page == 0x08 || page == 0x0a || page == 0x1c || page == 0x3f;
    const auto code = static_cast<std::uint8_t>(page);
    CHECK(mode_sense_data({.page = code}, unit_of(1, 512)).has_value() == there);
    CHECK_FALSE(mode_sense_data({.page = code, .subpage = 1}, unit_of(1, 512)));
  }
}

TEST_CASE("MODE SELECT changes WCE, in both forms, with and without a block descriptor") {
  const std::string six = "00 00 00 00", ten = "00 00 00 00 00 00 00 00";
  const auto changed = [](const std::string& list, ModeForm form) {
    return apply_mode_select(hex(list), form, unit_of(100, 512)).value().write_cache_enabled;
  };
  CHECK_FALSE(changed(six + caching_off, ModeForm::six));
  CHECK(changed(six + caching_on, ModeForm::six));
  CHECK_FALSE(changed(ten + caching_off, ModeForm::ten));
  CHECK_FALSE(
      changed("00 00 00 08 00 00 00 00 00 00 02 00" + std::string(caching_off), ModeForm::six));
  CHECK_FALSE(changed("00 00 00 00 01 00 00 10 00 00 00 00 00 00 00 64 00 00 00 00 00 00 02 00" +
                          std::string(caching_off),
                      ModeForm::ten));
  // What Windows sends: the control page with QERR 0, as it read it.
  CHECK(changed(six + control, ModeForm::six));
  // Several pages, and none.
  CHECK_FALSE(changed(six + control + caching_off + exceptions, ModeForm::six));
  CHECK(changed(six, ModeForm::six));
}

TEST_CASE("MODE SELECT refuses every other bit at its byte") {
  for (const char* page : {caching_on, control, exceptions}) {
    const Bytes good = hex("00 00 00 00 " + std::string(page));
    for (std::size_t byte = 4 + 2; byte < good.size(); ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (page == caching_on && byte == 4 + 2 && bit == 2) continue;  // WCE
        Bytes bad = good;
        bad[byte] ^= static_cast<std::uint8_t>(1u << bit);
        check_refused(bad, ModeForm::six, asc::invalid_field_in_parameter_list,
                      static_cast<std::uint16_t>(byte));
      }
    }
  }
}

TEST_CASE("MODE SELECT refuses unknown pages, subpages and wrong page lengths") {
  check_refused(hex("00 00 00 00 01 0A 00 00 00 00 00 00 00 00 00 00"), ModeForm::six,
                asc::invalid_field_in_parameter_list, 4);
  check_refused(hex("00 00 00 00 4A 01 00 00 00 00 00 00 00 00 00 00"), ModeForm::six,
                asc::invalid_field_in_parameter_list, 4);
  check_refused(hex("00 00 00 00 0A 09 00 10 00 00 00 00 FF FF 00 00"), ModeForm::six,
                asc::invalid_field_in_parameter_list, 5);
}

TEST_CASE("a bad page behind a good one changes nothing") {
  check_refused(
      hex("00 00 00 00 " + std::string(caching_off) + " 0A 0A 00 12 00 00 00 00 FF FF 00 00"),
      ModeForm::six, asc::invalid_field_in_parameter_list, 4 + 20 + 3);
}

TEST_CASE("MODE SELECT lists that are cut anywhere are a length error") {
  const Bytes whole = hex("00 00 00 08 00 00 00 00 00 00 02 00 " + std::string(caching_off));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    if (n == 4 + 8) continue;  // header and descriptor without any page: nothing to do
    INFO("cut to " << n);
    check_refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)),
                  ModeForm::six, asc::parameter_list_length_error);
  }
}

TEST_CASE("MODE SELECT refuses a block descriptor that is not the unit's") {
  check_refused(hex("00 00 00 07 00 00 00 00 00 00 02 00"), ModeForm::six,
                asc::invalid_field_in_parameter_list, 3);
  check_refused(hex("00 00 00 08 00 00 00 00 00 00 10 00"), ModeForm::six,
                asc::invalid_field_in_parameter_list, 9);
  check_refused(hex("00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00"),
                ModeForm::ten, asc::invalid_field_in_parameter_list, 6);
}
