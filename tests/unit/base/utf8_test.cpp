// Texts of others as UTF-8; what is well-formed, and what is not, log_test.cpp has in JSON.
#include "base/utf8.hpp"

#include <catch2/catch.hpp>

using base::utf8_text;

TEST_CASE("what is UTF-8 stays, each byte that is not becomes U+FFFD") {
  CHECK(utf8_text("").empty());
  const std::string well = std::string("a\"\\\n\0\x7f", 6) + "\xc3\xa9\xe2\x82\xac\xf4\x8f\xbf\xbf";
  CHECK(utf8_text(well) == well);
  const std::string unknown = "\xef\xbf\xbd";
  CHECK(utf8_text("a\xff\xc3") == "a" + unknown + unknown);
  CHECK(utf8_text("\xe2\x82") == unknown + unknown);
  CHECK(utf8_text("\xc3(") == unknown + "(");
}
