// Log pages byte for byte: windows-host D.2 for page 0Ch, SPC-4 7.3 and SBC-4 6.4 for the rest.
#include "scsi/log_pages.hpp"

#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using scsi::LogPageCode;

}  // namespace

TEST_CASE("D.2 LOG SENSE as Windows sends it: page 0Ch, PC 00b, 28 bytes") {
  const Bytes cdb = hex("4D 00 0C 00 00 00 00 00 1C 00");
  CHECK_FALSE(scsi::first_reserved_bit(scsi::log_sense::layout, cdb));
  CHECK(scsi::log_sense::page_code.read(cdb) == 0x0c);
  CHECK(scsi::log_sense::page_control.read(cdb) == 0);
  CHECK(scsi::log_sense::allocation_length.read(cdb) == 28);
}

TEST_CASE("D.2 page 0Ch: DS, two parameters of 8 bytes, FORMAT AND LINKING 3, scopes") {
  const auto page = [](const scsi::ProvisioningFigures& figures) {
    return scsi::log_page(LogPageCode::logical_block_provisioning,
                          scsi::logical_block_provisioning_log(figures));
  };
  CHECK(page({0x01020304, 0x0a0b0c0d, true}) ==
        hex("8C 00 00 18  00 01 03 08 01 02 03 04 02 00 00 00"
            "             00 02 03 08 0A 0B 0C 0D 01 00 00 00"));
  CHECK(page({1, 2, false}) == hex("8C 00 00 18  00 01 03 08 00 00 00 01 01 00 00 00"
                                   "             00 02 03 08 00 00 00 02 01 00 00 00"));
  CHECK(page({0x100000000, 0xffffffff, false}) ==
        hex("8C 00 00 18  00 01 03 08 FF FF FF FF 01 00 00 00"
            "             00 02 03 08 FF FF FF FF 01 00 00 00"));
}

TEST_CASE("the lists of pages and subpages") {
  CHECK(scsi::supported_log_pages({0x00, 0x0c, 0x2f}) == hex("00 00 00 03 00 0C 2F"));
  CHECK(scsi::supported_log_subpages({0x00, 0x0c, 0x2f}) ==
        hex("40 FF 00 08 00 00 00 FF 0C 00 2F 00"));
  CHECK(scsi::supported_log_subpages_of(LogPageCode::general_statistics) ==
        hex("59 FF 00 02 19 00"));
}

TEST_CASE("what a disk in software can tell of itself") {
  CHECK(scsi::log_page(LogPageCode::temperature, scsi::temperature_log()) ==
        hex("8D 00 00 0C 00 00 03 02 00 FF 00 01 03 02 00 FF"));
  CHECK(scsi::log_page(LogPageCode::solid_state_media, scsi::solid_state_media_log(7)) ==
        hex("91 00 00 08 00 01 03 04 00 00 00 07"));
  CHECK(scsi::log_page(LogPageCode::background_scan, scsi::background_scan_log(0x01020304)) ==
        hex("95 00 00 10 00 00 03 0C 01 02 03 04 00 00 00 00 00 00 00 00"));
  CHECK(scsi::log_page(LogPageCode::protocol_specific_port,
                       scsi::protocol_specific_port_log(0x0203)) ==
        hex("98 00 00 08 02 03 03 04 05 00 00 00"));
  CHECK(
      scsi::log_page(LogPageCode::informational_exceptions, scsi::informational_exceptions_log()) ==
      hex("AF 00 00 08 00 00 03 04 00 00 FF 00"));
}

TEST_CASE("page 19h: commands, blocks received, blocks transmitted; no times") {
  const scsi::AccessFigures figures{0x11, 0x22, base::BlockCount(0x33), base::BlockCount(0x44)};
  CHECK(
      scsi::log_page(LogPageCode::general_statistics, scsi::general_statistics_log(figures)) ==
      hex("99 00 00 44 00 01 03 40"
          "00 00 00 00 00 00 00 11 00 00 00 00 00 00 00 22 00 00 00 00 00 00 00 33 00 00 00 00 00 "
          "00 00 44 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
          "00 00 00 00 00 00"));
}

TEST_CASE("PARAMETER POINTER leaves out what comes before, PAGE LENGTH tells what is left") {
  CHECK(scsi::log_page(LogPageCode::temperature, scsi::temperature_log(), 1) ==
        hex("8D 00 00 06 00 01 03 02 00 FF"));
  CHECK(scsi::log_page(LogPageCode::temperature, scsi::temperature_log(), 2) == hex("8D 00 00 00"));
}

namespace {

Bytes parameter(std::uint16_t code, std::uint8_t fill) {
  Bytes out = hex("00 00 83 FC");
  put(out, 0, 2, code);
  out.resize(4 + 0xfc, fill);
  return out;
}
Bytes application_page(const std::vector<Bytes>& parameters) {
  Bytes out = hex("0F 00 00 00");
  for (const Bytes& each : parameters)
    out.insert(out.end(), each.begin(), each.end());
  put(out, 2, 2, out.size() - 4);
  return out;
}
void check_refused(const Bytes& list, std::uint16_t byte, std::optional<std::uint8_t> bit) {
  const auto result = scsi::decode_log_select(list, list.size());
  REQUIRE_FALSE(result);
  CHECK(result.error().additional == scsi::AdditionalSense{0x26, 0x00});
  CHECK(result.error().points_into == scsi::Sense::PointsInto::parameter_list);
  CHECK(result.error().field ==
        scsi::FieldPointer{byte, bit.value_or(std::uint8_t{7}), bit.has_value()});
}

}  // namespace

TEST_CASE("LOG SELECT: parameters of the Application Client page") {
  const Bytes list = application_page({parameter(0, 0x11), parameter(0x3f, 0x22)});
  const auto changes = scsi::decode_log_select(list, list.size());
  REQUIRE(changes);
  REQUIRE(changes->size() == 2);
  CHECK((*changes)[0].code == 0);
  CHECK((*changes)[0].value[0] == 0x11);
  CHECK((*changes)[0].value[0xfb] == 0x11);
  CHECK((*changes)[1].code == 0x3f);
  CHECK((*changes)[1].value[0] == 0x22);
}

TEST_CASE("LOG SELECT refuses other pages, subpages, codes, lengths and orders at their field") {
  const Bytes good = application_page({parameter(1, 0), parameter(2, 0)});
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = good;
    bad[at] = value;
    return bad;
  };
  check_refused(with(0, 0x19), 0, 5);
  check_refused(with(0, 0x4f), 0, 6);
  check_refused(with(1, 0xff), 1, std::nullopt);
  check_refused(hex("0F 00 00 04 00 01 83 00"), 2, std::nullopt);
  check_refused(with(5, 0x40), 4, std::nullopt);
  check_refused(with(7, 0xfb), 7, std::nullopt);
  check_refused(with(4 + 0x100 + 1, 0x01), 4 + 0x100, std::nullopt);  // twice the same
  check_refused(with(4 + 0x100 + 3, 0x00), 4 + 0x100 + 3, std::nullopt);
  Bytes two_pages = good;
  two_pages.insert(two_pages.end(), {0x0d, 0, 0, 0});
  check_refused(two_pages, static_cast<std::uint16_t>(good.size()), 5);
}

TEST_CASE("a LOG SELECT list that is cut anywhere is a length error") {
  const Bytes whole = application_page({parameter(1, 0)});
  for (std::size_t n = 1; n < whole.size(); ++n) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    for (const std::size_t told : {n, whole.size()}) {
      const auto result = scsi::decode_log_select(cut, told);
      REQUIRE_FALSE(result);
      CHECK(result.error().additional == scsi::AdditionalSense{0x1a, 0x00});
    }
  }
}
