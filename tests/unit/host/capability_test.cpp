// Windows' gates to ODX, one test for each way to fail them (windows-host A.2, A.3).
#include "tools/host/capability.hpp"

#include <catch2/catch.hpp>

#include "scsi/inquiry_data.hpp"

using namespace host;
using Catch::Matchers::Contains;
using Bytes = std::vector<std::uint8_t>;

namespace {

Bytes good_pages() {
  return scsi::supported_vpd_pages({0x00, 0x80, 0x83, 0x8f, 0xb0});
}

Bytes good_copy_page(std::uint8_t remote = 0) {
  scsi::ThirdPartyCopyPage page;
  page.limits.default_inactivity_timeout_seconds = 60;
  page.limits.maximum_tokens = 4096;
  page.remote_tokens = remote;
  page.commands = {{0x83, {0x10, 0x11}}};
  page.rod_types = {{scsi::RodType::point_in_time_default, true, true},
                    {scsi::RodType::block_device_zero, true, false}};
  return scsi::encode(page);
}

// A page as it stands in a test: header made by hand.
Bytes pages_of(const Bytes& codes) {
  Bytes page{0, 0, 0, static_cast<std::uint8_t>(codes.size())};
  page.insert(page.end(), codes.begin(), codes.end());
  return page;
}

Capability look(const Bytes& pages, const Bytes& copy) {
  return odx_capability(pages, copy);
}

}  // namespace

TEST_CASE("a page in order turns ODX on, with its limits") {
  const Capability out = look(good_pages(), good_copy_page());
  CHECK(out.odx);
  CHECK(out.reason().empty());
  CHECK(out.limits.default_inactivity_timeout_seconds == 60);
  CHECK(out.limits.maximum_tokens == 4096);
  CHECK(out.rules.size() == 9);
  CHECK_FALSE(out.cross_array());
}

TEST_CASE("zeros everywhere in the limits still enable ODX") {
  scsi::ThirdPartyCopyPage page;
  CHECK(look(good_pages(), scsi::encode(page)).odx);
}

TEST_CASE("tokens of other arrays need REMOTE TOKENS of four or six") {
  CHECK_FALSE(look(good_pages(), good_copy_page(0)).cross_array());
  CHECK(look(good_pages(), good_copy_page(4)).cross_array());
  CHECK(look(good_pages(), good_copy_page(6)).cross_array());
}

TEST_CASE("page 00h: each fault has its reason") {
  const Bytes copy = good_copy_page();
  CHECK_THAT(odx_capability(std::nullopt, copy).reason(), Contains("INQUIRY for page 00h failed"));
  CHECK_THAT(look({}, copy).reason(), Contains("page 00h is empty"));
  CHECK_THAT(look(pages_of({}), copy).reason(), Contains("page 00h is empty"));
  CHECK_THAT(look(pages_of({0x80, 0x8f}), copy).reason(), Contains("lists 80h first"));
  CHECK_THAT(look(pages_of({0x00, 0xb0, 0x8f}), copy).reason(),
             Contains("not ascending at 8Fh, after B0h"));
  CHECK_THAT(look(pages_of({0x00, 0x83, 0x83, 0x8f}), copy).reason(),
             Contains("not ascending at 83h, after 83h"));
  CHECK_THAT(look(pages_of({0x00, 0x83}), copy).reason(), Contains("does not list 8Fh"));
}

TEST_CASE("page 00h: 8Fh before the place where the order breaks does not help") {
  CHECK_FALSE(look(pages_of({0x00, 0x8f, 0xb0, 0x83}), good_copy_page()).odx);
}

TEST_CASE("page 00h: only byte 3 of PAGE LENGTH counts, and only what came") {
  Bytes long_page = pages_of({0x00, 0x8f});
  long_page[2] = 1;  // reserved for Windows
  CHECK(look(long_page, good_copy_page()).odx);
  Bytes cut = good_pages();
  cut.resize(6);
  CHECK_THAT(look(cut, good_copy_page()).reason(), Contains("does not list 8Fh"));
}

TEST_CASE("page 8Fh: each fault has its reason") {
  const Bytes pages = good_pages();
  CHECK_THAT(odx_capability(pages, std::nullopt).reason(), Contains("INQUIRY for page 8Fh failed"));
  CHECK_THAT(look(pages, {0, 0x8f}).reason(), Contains("has only 2 bytes"));
  Bytes short_page = good_copy_page();
  base::store_be16(short_page, 2, 35);
  CHECK_THAT(look(pages, short_page).reason(), Contains("PAGE LENGTH 35"));
  Bytes cut = good_copy_page();
  cut.resize(39);
  CHECK_THAT(look(pages, cut).reason(), Contains("39 bytes came"));
  Bytes other_first = good_copy_page();
  base::store_be16(other_first, 4, 0x0001);
  CHECK_THAT(look(pages, other_first).reason(),
             Contains("first descriptor of page 8Fh is 0001h, not 0000h"));
  Bytes wrong_length = good_copy_page();
  base::store_be16(wrong_length, 6, 0x24);
  CHECK_THAT(look(pages, wrong_length).reason(), Contains("has length 0024h, not 0020h"));
}

TEST_CASE("page 8Fh: its page code is not looked at") {
  Bytes page = good_copy_page();
  page[1] = 0x77;
  CHECK(look(good_pages(), page).odx);
}

TEST_CASE("page 8Fh: forty bytes are enough") {
  Bytes page = good_copy_page();
  page.resize(40);
  base::store_be16(page, 2, 36);
  const Capability out = look(good_pages(), page);
  CHECK(out.odx);
  CHECK_FALSE(out.remote_tokens.has_value());
}

TEST_CASE("the examination stops at the first rule that fails") {
  const Capability out = look(pages_of({0x00, 0x83}), good_copy_page());
  REQUIRE(out.rules.size() == 4);
  CHECK(out.rules[2].passed);
  CHECK_FALSE(out.rules[3].passed);
  CHECK(out.rules[3].found == out.reason());
}

TEST_CASE("no page of any length or content is read beyond its end") {
  std::uint32_t state = 1;
  for (std::size_t length = 0; length < 120; ++length) {
    for (int turn = 0; turn < 20; ++turn) {
      Bytes noise(length);
      for (auto& byte : noise) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<std::uint8_t>(state >> 24);
      }
      look(good_pages(), noise);
      look(noise, good_copy_page());
      if (length > 8) {
        base::store_be16(noise, 2, 100);
        base::store_be32(noise, 4, 0x20);
        look(good_pages(), noise);
      }
    }
  }
}
