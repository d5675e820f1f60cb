// Text segments as bytes: what is a text, what is not, numbers and lists.
#include <catch2/catch.hpp>

#include "target/iscsi/text.hpp"

namespace {

using iscsi::KeyValues;
using iscsi::parse_number;
using iscsi::parse_text;
using iscsi::split_list;

std::optional<KeyValues> parse(std::string_view text) {
  return parse_text(base::as_bytes(text));
}

}  // namespace

TEST_CASE("a text is key=value items, each ended by a NUL") {
  CHECK(parse(std::string_view("A=1\0Bb=x y\0", 11)) == KeyValues{{"A", "1"}, {"Bb", "x y"}});
  CHECK(parse("") == KeyValues{});
  CHECK(parse(std::string_view("A=\0", 3)) == KeyValues{{"A", ""}});
  CHECK(parse(std::string_view("A=b=c\0", 6)) == KeyValues{{"A", "b=c"}});
  CHECK(parse(std::string_view("A=1\0A=2\0", 8)) == KeyValues{{"A", "1"}, {"A", "2"}});
}

TEST_CASE("NULs that a peer counted as data, and a last item without one, are tolerated") {
  CHECK(parse(std::string_view("A=1\0\0\0B=2\0\0\0\0", 14)) == KeyValues{{"A", "1"}, {"B", "2"}});
  CHECK(parse("A=1") == KeyValues{{"A", "1"}});
}

TEST_CASE("what is no item is no text") {
  for (const std::string& bad : {std::string("A"), std::string("=1"), std::string("A=1\0B", 5),
                                 std::string(64, 'k') + "=", "A=" + std::string(8193, 'v')}) {
    CHECK_FALSE(parse(bad));
  }
  CHECK(parse(std::string(63, 'k') + "="));
  CHECK(parse("A=" + std::string(8192, 'v')));
}

TEST_CASE("items are written each with its NUL") {
  CHECK(base::as_text(iscsi::encode_text({{"A", "1"}, {"B", ""}})) ==
        std::string_view("A=1\0B=\0", 7));
  CHECK(iscsi::encode_text({}).empty());
}

TEST_CASE("numbers are decimal or hexadecimal, whole, and at most 64 bits") {
  CHECK(parse_number("0") == 0u);
  CHECK(parse_number("65536") == 65536u);
  CHECK(parse_number("0x10") == 16u);
  CHECK(parse_number("0Xff") == 255u);
  CHECK(parse_number("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", "0x", "-1", "+1", " 1", "1 ", "1k", "0x1g", "ff", "1,2",
                          "18446744073709551616", "0x10000000000000000"}) {
    INFO(bad);
    CHECK_FALSE(parse_number(bad));
  }
}

TEST_CASE("a list is cut at its commas") {
  using List = std::vector<std::string_view>;
  CHECK(split_list("None,CRC32C") == List{"None", "CRC32C"});
  CHECK(split_list("None") == List{"None"});
  CHECK(split_list("") == List{""});
  CHECK(split_list(",a,") == List{"", "a", ""});
}
