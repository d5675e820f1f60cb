// Tokens explained for a person, and the daemon's documents as tables.
#include <array>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tools/host/document_table.hpp"
#include "tools/host/token_report.hpp"

namespace {

using namespace host;

std::string hex_text(const scsi::RodTokenBytes& token, const std::string& between) {
  std::string out;
  for (const std::uint8_t byte : token)
    out += fmt::format("{:02X}{}", byte, between);
  return out;
}

auto read(std::string_view text) {
  return read_token(base::as_bytes(text));
}

scsi::RodTokenBytes counted() {
  scsi::RodTokenBytes token{};
  for (std::size_t i = 0; i < token.size(); ++i)
    token[i] = static_cast<std::uint8_t>(i);
  return token;
}

constexpr std::array columns{Column{"NAME", "name"}, Column{"SIZE", "size", Shown::bytes},
                             Column{"DEEP", "a.b"}, Column{"ON", "on"}};

}  // namespace

TEST_CASE("a token is read raw and as hexadecimal text") {
  const auto token = counted();
  CHECK(read({reinterpret_cast<const char*>(token.data()), token.size()}).value() == token);
  for (const char* between : {"", " ", "\n", ":", ", ", "-"}) {
    INFO(between);
    CHECK(read(hex_text(token, between)).value() == token);
  }
  CHECK(read("0x" + hex_text(token, "")).value() == token);
  std::string prefixed;
  for (const std::uint8_t byte : token)
    prefixed += fmt::format("0x{:02x}, ", byte);
  CHECK(read(prefixed).value() == token);
}

TEST_CASE("what is no token is told in one line") {
  const auto why = [](const std::string& text) {
    const auto token = read(text);
    REQUIRE_FALSE(token);
    CHECK(token.error().find('\n') == std::string::npos);
    return token.error();
  };
  CHECK(why("").find("0 digits") != std::string::npos);
  CHECK(why("1234").find("4 digits") != std::string::npos);
  CHECK(why("hello").find("byte 0") != std::string::npos);
  CHECK(why(std::string(1023, '0')).find("1023 digits") != std::string::npos);
  CHECK(why(std::string(513, 'x')).find("513") != std::string::npos);
}

TEST_CASE("a token's rows: as a table and as JSON, without its secret") {
  scsi::RodTokenFields fields;
  fields.bytes_represented = base::ByteCount(1 << 20);
  fields.device_specific[2] = 2;
  for (std::size_t i = 0; i < fields.extended_data.size(); ++i)
    fields.extended_data[i] = static_cast<std::uint8_t>(i * 151 + 3);
  const auto token = scsi::encode(fields);
  const Rows rows = token_rows(token, TokenVerdict{"revoked", "05/23/06", "genuine"});
  const std::string table = to_table(rows), document = to_json(rows);
  for (const char* part : {"point in time copy - default", "1 MiB", "512-byte blocks", "revoked",
                           "05/23/06", "byte 16: the creator"}) {
    INFO(part);
    CHECK(table.find(part) != std::string::npos);
  }
  CHECK(document.find("\"flaws\": [") != std::string::npos);
  CHECK(document.find("\"state\": \"revoked\"") != std::string::npos);
  CHECK(document.find("\"hash\": \"" + scsi::hash_of(token) + "\"") != std::string::npos);
  CHECK(to_json(token_rows(token, std::nullopt)).find("daemon") == std::string::npos);
  CHECK(to_table(token_rows(scsi::block_device_zero_token(), std::nullopt)).find("zeros") !=
        std::string::npos);
}

TEST_CASE("a list becomes a table") {
  const auto table = list_table(
      R"({"things":[{"name":"x","size":1048576,"a":{"b":3},"on":true},{"name":null,"size":"?"}],)"
      R"("total":5})",
      "things", columns);
  REQUIRE(table);
  CHECK(*table ==
        "NAME  SIZE   DEEP  ON\n"
        "x     1 MiB  3     yes\n"
        "-     ?      -     -\n"
        "(2 of 5; --limit tells how many)\n");
  CHECK(list_table(R"({"things":[]})", "things", columns).value() == "NAME  SIZE  DEEP  ON\n");
  CHECK_FALSE(list_table(R"({"other":[]})", "things", columns));
  CHECK_FALSE(list_table(R"({"things":{}})", "things", columns));
  CHECK_FALSE(list_table("[]", "things", columns));
  CHECK_FALSE(list_table("no JSON", "things", columns));
}

TEST_CASE("of an object bytes that need no line when there are none have none") {
  constexpr std::array lines{
      Column{"all", "a.all", Shown::bytes}, Column{"none", "a.none", Shown::bytes},
      Column{"why", "a.why", Shown::bytes_if_any}, Column{"why not", "a.not", Shown::bytes_if_any}};
  CHECK(object_table(R"({"a":{"all":1024,"none":0,"why":2048,"not":0}})", lines).value() ==
        "all   1 KiB\n"
        "none  0 bytes\n"
        "why   2 KiB\n");
}

TEST_CASE("an object becomes lines, and a name cannot command a terminal") {
  constexpr std::array lines{Column{"name", "name"}, Column{"parts", "parts"},
                             Column{"gone", "gone"}};
  CHECK(object_table("{\"name\":\"a\\u001b[2Jb\",\"parts\":[{\"lba\":0,\"blocks\":8},7]}", lines)
            .value() ==
        "name   a?[2Jb\n"
        "parts  lba 0, blocks 8\n"
        "       7\n");
  CHECK(object_table("{}", lines).value().empty());
  CHECK_FALSE(object_table("x", lines));
  CHECK(text_member(R"({"a":"b"})", "a") == "b");
  CHECK(text_member(R"({"a":1})", "a").empty());
  CHECK(text_member("x", "a").empty());
}
