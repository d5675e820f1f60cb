// What hosts read and set of thin provisioning, byte for byte: SBC-4 6.5 (mode pages 1Ch/02h and
// 01h), 6.6 (VPD B2h), and the sense of windows-host D.2.
#include "scsi/inquiry_data.hpp"
#include "scsi/mode_pages.hpp"
#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using namespace scsi;

ModeSenseUnit counted_unit() {
  ModeSenseUnit unit{{}, {}, base::BlockCount(100), {512}};
  unit.counts_room = true;
  unit.defaults.provisioning = {true, {false, 0}, {true, 0x0b}};
  unit.current = unit.defaults;
  return unit;
}

Bytes page_of(const ModeSenseUnit& unit, std::uint8_t page, std::uint8_t subpage,
              PageControl control = PageControl::current) {
  const auto data = mode_sense_data(
      {.control = control, .page = page, .subpage = subpage, .disable_block_descriptors = true},
      unit);
  REQUIRE(data);
  return {data->begin() + 4, data->end()};
}

Bytes select_list(const Bytes& page) {
  Bytes out(4);
  return append(out, page);
}

const char* const header = "5C 02 00 1C 00 00 00 00 00 00 00 00 00 00 00 00";

}  // namespace

TEST_CASE("mode page 1Ch/02h: SITUA zero, then available going down and used going up") {
  ModeSenseUnit unit = counted_unit();
  CHECK(page_of(unit, 0x1c, 2) ==
        hex(std::string(header) + " 00 01 00 00 00 00 00 00  81 02 00 00 00 00 00 0B"));
  unit.current.provisioning.available = {true, 0x01020304};
  unit.current.provisioning.used = {false, 0xffffffff};
  CHECK(page_of(unit, 0x1c, 2) ==
        hex(std::string(header) + " 80 01 00 00 01 02 03 04  01 02 00 00 FF FF FF FF"));
  CHECK(page_of(unit, 0x1c, 2, PageControl::default_values) ==
        hex(std::string(header) + " 00 01 00 00 00 00 00 00  81 02 00 00 00 00 00 0B"));
}

TEST_CASE("of it, ENABLED and THRESHOLD COUNT can be changed, and saved") {
  ModeSenseUnit unit = counted_unit();
  // The places that are not ones keep their value, which tells nothing here.
  const Bytes mask = page_of(unit, 0x1c, 2, PageControl::changeable);
  CHECK(mask == hex(std::string(header) + " 80 00 00 00 FF FF FF FF  80 00 00 00 FF FF FF FF"));
  unit.saved = unit.defaults;
  CHECK(page_of(unit, 0x1c, 2, PageControl::saved).at(0) == 0xdc);  // PS
}

TEST_CASE("mode page 01h has LBPERE where room is counted, else it is as ever") {
  CHECK(page_of(counted_unit(), 0x01, 0) == hex("01 0A 00 00 00 00 00 80 00 00 00 00"));
  CHECK(page_of(counted_unit(), 0x01, 0, PageControl::changeable) ==
        hex("01 0A 00 00 00 00 00 80 00 00 00 00"));
  ModeSenseUnit plain = counted_unit();
  plain.counts_room = false;
  CHECK(page_of(plain, 0x01, 0) == hex("01 0A 00 00 00 00 00 00 00 00 00 00"));
  CHECK(page_of(plain, 0x01, 0, PageControl::changeable) ==
        hex("01 0A 00 00 00 00 00 00 00 00 00 00"));
  const auto none = mode_sense_data({.page = 0x1c, .subpage = 2}, plain);
  REQUIRE_FALSE(none);
  CHECK(none.error() == ModeSenseFault::no_such_subpage);
}

TEST_CASE("all pages and subpages hold 01h once and end with 1Ch/02h") {
  const Bytes all = page_of(counted_unit(), 0x3f, 0xff);
  CHECK(Bytes(all.begin(), all.begin() + 2) == hex("01 0A"));
  CHECK(Bytes(all.begin() + 12, all.begin() + 14) == hex("02 0E"));
  CHECK(Bytes(all.end() - 32, all.end() - 28) == hex("5C 02 00 1C"));
  const Bytes without_subpages = page_of(counted_unit(), 0x3f, 0);
  CHECK(all.size() == without_subpages.size() + 32 + 32);  // 0Ah/01h too
}

TEST_CASE("MODE SELECT of 1Ch/02h takes thresholds, and nothing that is not one") {
  const ModeSenseUnit unit = counted_unit();
  const Bytes page = hex(std::string(header) + " 80 01 00 00 00 00 00 02  81 02 00 00 00 00 00 0C");
  const auto taken = apply_mode_select(select_list(page), ModeForm::six, unit);
  REQUIRE(taken);
  CHECK(taken->provisioning == ProvisioningParameters{true, {true, 2}, {true, 12}});
  CHECK(taken->write_cache_enabled);

  struct Row {
    std::size_t at;
    std::uint8_t value;
  };
  // SITUA, reserved, THRESHOLD TYPE, THRESHOLD ARMING, THRESHOLD RESOURCE, reserved.
  for (const Row& row : {Row{4, 1}, Row{5, 1}, Row{16, 0x88}, Row{16, 0x81}, Row{17, 2}, Row{18, 1},
                         Row{24, 0x80}, Row{25, 1}}) {
    Bytes bad = page;
    bad[row.at] = row.value;
    const auto refused = apply_mode_select(select_list(bad), ModeForm::six, unit);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().additional == asc::invalid_field_in_parameter_list);
    CHECK(refused.error().field.byte == 4 + row.at);
  }
  Bytes cut = select_list(page);
  cut.pop_back();
  CHECK(apply_mode_select(cut, ModeForm::six, unit).error().additional ==
        asc::parameter_list_length_error);
  ModeSenseUnit plain = unit;
  plain.counts_room = false;
  CHECK(apply_mode_select(select_list(page), ModeForm::six, plain).error().field.byte == 4 + 1);
}

TEST_CASE("MODE SELECT of 01h switches LBPERE and nothing else") {
  const Bytes off = hex("00 00 00 00 01 0A 00 00 00 00 00 00 00 00 00 00");
  const auto taken = apply_mode_select(off, ModeForm::six, counted_unit());
  REQUIRE(taken);
  CHECK_FALSE(taken->provisioning.error_reporting);
  CHECK(taken->provisioning.used == Threshold{true, 11});
  Bytes awre = off;
  awre[6] = 0x80;
  CHECK(apply_mode_select(awre, ModeForm::six, counted_unit()).error().field.byte == 6);
}

TEST_CASE("what was saved fits a unit of another shape as far as it goes") {
  const ModeSenseUnit unit = counted_unit();
  ModeSenseUnit plain{{}, {}, base::BlockCount(100), {512}};
  ModeParameters wanted;
  wanted.write_cache_enabled = false;
  wanted.provisioning = {false, {true, 3}, {true, 9}};
  const Bytes list = mode_select_list(wanted, unit);
  CHECK(apply_saved_list(list, unit) == wanted);
  const auto of_plain = apply_saved_list(list, plain);
  REQUIRE(of_plain);
  CHECK(*of_plain == ModeParameters{false});
  const auto back = apply_saved_list(mode_select_list({false}, plain), unit);
  REQUIRE(back);
  CHECK(back->provisioning == unit.defaults.provisioning);
  CHECK_FALSE(back->write_cache_enabled);
  for (std::size_t length = 5; length < list.size(); ++length) {
    INFO(length);
    const auto part = apply_saved_list(base::ByteView(list).first(length), unit);
    const bool whole_pages = length == 16 || length == 36 || length == 48;
    CHECK(part.has_value() == whole_pages);
  }
}

TEST_CASE(
    "D.1 VPD B2h of a thin unit: LBPU, LBPWS, LBPWS10, LBPRZ 001b, no anchors, no percentages") {
  CHECK(logical_block_provisioning_page(7) == hex("00 B2 00 04 07 E4 02 00"));
}

TEST_CASE(
    "VPD B0h of a unit without UNMAP: no count, no descriptors, no granularity, no UGAVALID") {
  const Bytes b0 = block_limits_page({});
  REQUIRE(b0.size() == 64);
  CHECK(Bytes(b0.begin() + 20, b0.begin() + 36) == Bytes(16));
}

TEST_CASE("D.2, D.3: 06h/38h/07h and 02h/04h/14h") {
  const auto fixed = [](const Sense& sense) {
    const auto bytes = to_fixed_format(sense);
    return Bytes{bytes[0], bytes[2], bytes[12], bytes[13]};
  };
  CHECK(fixed(sense::unit_attention(asc::thin_provisioning_soft_threshold_reached)) ==
        hex("70 06 38 07"));
  CHECK(fixed(sense::make(SenseKey::not_ready, asc::space_allocation_in_progress)) ==
        hex("70 02 04 14"));
  CHECK(fixed(sense::make(SenseKey::data_protect, asc::space_allocation_failed)) ==
        hex("70 07 27 07"));
}
