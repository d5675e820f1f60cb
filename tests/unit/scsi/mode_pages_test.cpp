// Mode pages: what MODE SENSE tells, and what MODE SELECT may change.
#include "scsi/mode_pages.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/scsi/hex.hpp"

namespace {

using namespace scsi;
using scsi::test::hex;
using Bytes = std::vector<std::uint8_t>;

ModeSenseUnit unit_of(std::uint64_t blocks, std::uint32_t block_bytes, bool write_cache = true) {
  return {{write_cache}, {}, base::BlockCount(blocks), {block_bytes}};
}

Bytes page_only(std::uint8_t page, PageControl control, bool write_cache = true,
                std::uint8_t subpage = 0) {
  const auto data = mode_sense_data(
      {.control = control, .page = page, .subpage = subpage, .disable_block_descriptors = true},
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
const char* const recovery = "01 0A 00 00 00 00 00 00 00 00 00 00";
const char* const disconnect = "02 0E 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
const char* const extension =
    "4A 01 00 1C 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00";
const char* const power =
    "1A 26 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 "
    "00 00 00 00 00 00 00 00";

}  // namespace

TEST_CASE("current pages, byte for byte") {
  CHECK(page_only(0x08, PageControl::current, true) == hex(caching_on));
  CHECK(page_only(0x08, PageControl::current, false) == hex(caching_off));
  CHECK(page_only(0x0a, PageControl::current) == hex(control));
  CHECK(page_only(0x1c, PageControl::current) == hex(exceptions));
  CHECK(page_only(0x01, PageControl::current) == hex(recovery));
  CHECK(page_only(0x02, PageControl::current) == hex(disconnect));
  CHECK(page_only(0x0a, PageControl::current, true, 1) == hex(extension));
  CHECK(page_only(0x1a, PageControl::current) == hex(power));
}

TEST_CASE("saved values: of the caching and control pages, with PS; others show their defaults") {
  ModeSenseUnit unit = unit_of(100, 512, true);
  const auto ask = [&](std::uint8_t page, PageControl which) {
    return mode_sense_data(
        {.control = which, .page = page, .subpage = 0xff, .disable_block_descriptors = true}, unit);
  };
  for (const std::uint8_t page : {0x01, 0x08, 0x0a, 0x3f}) {
    CHECK(ask(page, PageControl::saved).error() == ModeSenseFault::not_saveable);
  }
  unit.saved = ModeParameters{{.write_cache_enabled = false, .software_write_protected = true}};
  CHECK(ask(0x01, PageControl::saved).error() == ModeSenseFault::not_saveable);
  const auto saved_control = ask(0x0a, PageControl::saved);
  CHECK(Bytes(saved_control->begin() + 4, saved_control->begin() + 16) ==
        hex("8A 0A 00 10 08 00 00 00 FF FF 00 00"));
  const auto page = [&](PageControl which) {
    const auto data = ask(0x08, which);
    return Bytes(data->begin() + 4, data->begin() + 7);
  };
  CHECK(page(PageControl::saved) == hex("88 12 00"));
  CHECK(page(PageControl::current) == hex("88 12 04"));
  CHECK(page(PageControl::changeable) == hex("88 12 04"));
  CHECK(page(PageControl::default_values) == hex("88 12 04"));
  CHECK(ask(0x3f, PageControl::saved)->size() == ask(0x3f, PageControl::current)->size());
}

TEST_CASE("what is saved is a list that sets it") {
  CHECK(mode_select_list({false}) ==
        hex("00 00 00 00 " + std::string(caching_off) + std::string(control)));
  CHECK(mode_select_list({true, true, QueueErrorManagement::faulted_nexus, true}) ==
        hex("00 00 00 00 " + std::string(caching_on) + "0A 0A 20 16 00 40 00 00 FF FF 00 00"));
  for (const bool on : {false, true}) {
    for (const auto queue_error : {QueueErrorManagement::none, QueueErrorManagement::whole_set,
                                   QueueErrorManagement::faulted_nexus}) {
      const ModeParameters wanted{on, !on, queue_error, on, !on};
      const auto read = apply_mode_select(mode_select_list(wanted), ModeForm::six, unit_of(1, 512));
      REQUIRE(read);
      CHECK(*read == wanted);
    }
  }
}

TEST_CASE(
    "TST, QERR and TAS: what exists is taken, the reserved QERR 10b is refused at its field") {
  const auto select = [](const char* page) {
    return apply_mode_select(hex("00 00 00 00 " + std::string(page)), ModeForm::six,
                             unit_of(100, 512));
  };
  CHECK(select("0A 0A 20 10 00 00 00 00 FF FF 00 00")->task_set_per_nexus);
  CHECK(select("0A 0A 00 12 00 00 00 00 FF FF 00 00")->queue_error ==
        QueueErrorManagement::whole_set);
  CHECK(select("0A 0A 00 16 00 00 00 00 FF FF 00 00")->queue_error ==
        QueueErrorManagement::faulted_nexus);
  CHECK(select("0A 0A 00 10 00 40 00 00 FF FF 00 00")->task_aborted_status);
  const auto reserved = select("0A 0A 00 14 00 00 00 00 FF FF 00 00");
  REQUIRE_FALSE(reserved);
  CHECK(reserved.error().additional == asc::invalid_field_in_parameter_list);
  CHECK(reserved.error().field == FieldPointer{4 + 3, 2, true});
  for (const char* other_type : {"40", "60", "80", "E0"}) {
    const auto refused =
        select(("0A 0A " + std::string(other_type) + " 10 00 00 00 00 FF FF 00 00").c_str());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().field.byte == 4 + 2);
  }
}

TEST_CASE("SWP is changed by its bit, and WP of either header tells of any write protection") {
  const Bytes protect = hex("00 00 00 00 0A 0A 00 10 08 00 00 00 FF FF 00 00");
  CHECK(apply_mode_select(protect, ModeForm::six, unit_of(100, 512))->software_write_protected);
  ModeSenseUnit unit = unit_of(100, 512);
  CHECK((*mode_sense_data({.form = ModeForm::six}, unit))[2] == 0x10);
  CHECK((*mode_sense_data({.form = ModeForm::ten}, unit))[3] == 0x10);
  unit.write_protected = true;
  CHECK((*mode_sense_data({.form = ModeForm::six}, unit))[2] == 0x90);
  CHECK((*mode_sense_data({.form = ModeForm::ten}, unit))[3] == 0x90);
}

TEST_CASE("R23: QERR is 0, so Windows has nothing to rewrite") {
  const Bytes page = page_only(0x0a, PageControl::current);
  CHECK((page[3] & 0x06) == 0);
  CHECK((page[0] & 0x80) == 0);  // PS: this unit cannot save
}

TEST_CASE("changeable pages show ones where MODE SELECT may write, WCE, TST, QERR, TAS, SWP") {
  CHECK(page_only(0x08, PageControl::changeable) == hex(caching_on));
  CHECK(page_only(0x08, PageControl::changeable, false) == hex(caching_on));
  CHECK(page_only(0x0a, PageControl::changeable) == hex("0A 0A 20 06 08 40 00 00 00 00 00 00"));
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
        codes.push_back((*data)[at] & 0x7f);
        const bool sub = ((*data)[at] & 0x40) != 0;
        at += sub ? 4u + base::load_be16(*data, at + 2) : 2u + (*data)[at + 1];
      }
      CHECK(at == data->size());
      CHECK(codes == (subpage == 0 ? hex("01 02 08 0A 1A 1C") : hex("01 02 08 0A 4A 1A 1C")));
    }
  }
}

TEST_CASE("pages and subpages that do not exist are told apart from those that do") {
  const Bytes known = hex("01 02 08 0A 1A 1C 3F");
  for (unsigned page = 0; page < 0x40; ++page) {
    const auto code = static_cast<std::uint8_t>(page);
    const bool there = std::find(known.begin(), known.end(), code) != known.end();
    for (unsigned subpage = 0; subpage < 0x100; ++subpage) {
      INFO("page " << page << " subpage " << subpage);
      const auto data = mode_sense_data(
          {.page = code, .subpage = static_cast<std::uint8_t>(subpage)}, unit_of(1, 512));
      if (!there) {
        REQUIRE_FALSE(data);
        CHECK(data.error() == ModeSenseFault::no_such_page);
      } else if (subpage == 0 || subpage == 0xff || (page == 0x0a && subpage == 1)) {
        CHECK(data);
      } else {
        REQUIRE_FALSE(data);
        CHECK(data.error() == ModeSenseFault::no_such_subpage);
      }
    }
  }
  const auto control_pages = mode_sense_data(
      {.page = 0x0a, .subpage = 0xff, .disable_block_descriptors = true}, unit_of(1, 512));
  REQUIRE(control_pages);
  CHECK(Bytes(control_pages->begin() + 4, control_pages->end()) ==
        hex(control + std::string(" ") + extension));
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
  for (const char* page :
       {caching_on, control, exceptions, recovery, disconnect, extension, power}) {
    const Bytes good = hex("00 00 00 00 " + std::string(page));
    const std::size_t page_header = page == extension ? 4 : 2;
    CHECK(apply_mode_select(good, ModeForm::six, unit_of(100, 512)));
    for (std::size_t byte = 4 + page_header; byte < good.size(); ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (page == caching_on && byte == 4 + 2 && bit == 2) continue;  // WCE
        if (page == control && byte == 4 + 2 && bit == 5) continue;     // TST
        if (page == control && byte == 4 + 3 && bit == 1) continue;     // QERR 01b
        if (page == control && byte == 4 + 5 && bit == 6) continue;     // TAS
        if (page == control && byte == 4 + 4 && bit == 3) continue;     // SWP
        Bytes bad = good;
        bad[byte] ^= static_cast<std::uint8_t>(1u << bit);
        check_refused(bad, ModeForm::six, asc::invalid_field_in_parameter_list,
                      static_cast<std::uint16_t>(byte));
      }
    }
  }
}

TEST_CASE("MODE SELECT refuses unknown pages, subpages and wrong page lengths at their field") {
  const auto refused = [](const char* page, std::uint16_t byte) {
    check_refused(hex("00 00 00 00 " + std::string(page)), ModeForm::six,
                  asc::invalid_field_in_parameter_list, byte);
  };
  refused("03 0A 00 00 00 00 00 00 00 00 00 00", 4);
  refused("48 01 00 10 00 00 00 00 00 00 00 00", 5);  // no subpage 01h of Caching
  refused("4A 00 00 0A 00 00 00 00 00 00 00 00", 5);  // subpage 00h has no subpage format
  refused("4A 02 00 1C 00 00 00 00 00 00 00 00", 5);
  refused("0A 09 00 10 00 00 00 00 FF FF 00 00", 5);
  refused("4A 01 00 1B 03 00 00 00 00 00 00 00", 6);
}

TEST_CASE("PS is ignored in MODE SELECT: hosts send back what they got") {
  const Bytes list = hex("00 00 00 00 88 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
  const auto changed = apply_mode_select(list, ModeForm::six, unit_of(100, 512));
  REQUIRE(changed);
  CHECK_FALSE(changed->write_cache_enabled);
}

TEST_CASE("MODE SELECT: NUMBER OF BLOCKS may be 0, all ones or what it is; MEDIUM TYPE is 0") {
  const auto six = [](const char* blocks) {
    return hex("00 00 00 08 " + std::string(blocks) + " 00 00 02 00");
  };
  for (const char* good : {"00 00 00 00", "FF FF FF FF", "00 00 00 64"}) {
    CHECK(apply_mode_select(six(good), ModeForm::six, unit_of(100, 512)));
  }
  for (const char* bad : {"00 00 00 63", "00 00 00 65", "7F FF FF FF"}) {
    check_refused(six(bad), ModeForm::six, asc::invalid_field_in_parameter_list, 4);
  }
  const auto ten = [](const char* blocks) {
    return hex("00 00 00 00 01 00 00 10 " + std::string(blocks) + " 00 00 00 00 00 00 02 00");
  };
  for (const char* good :
       {"00 00 00 00 00 00 00 00", "FF FF FF FF FF FF FF FF", "00 00 00 00 00 00 00 64"}) {
    CHECK(apply_mode_select(ten(good), ModeForm::ten, unit_of(100, 512)));
  }
  check_refused(ten("00 00 00 00 FF FF FF FF"), ModeForm::ten, asc::invalid_field_in_parameter_list,
                8);
  check_refused(hex("00 01 00 00"), ModeForm::six, asc::invalid_field_in_parameter_list, 1);
  check_refused(hex("00 00 01 00 00 00 00 00"), ModeForm::ten, asc::invalid_field_in_parameter_list,
                2);
}

TEST_CASE("a bad page behind a good one changes nothing") {
  check_refused(
      hex("00 00 00 00 " + std::string(caching_off) + " 0A 0A 00 14 00 00 00 00 FF FF 00 00"),
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
