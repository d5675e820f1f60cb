// Who may ask at the admin port, and where it may be.
#include "target/admin/admin_port.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace {

using namespace admin;

constexpr std::string_view token = "0123456789abcdef";

unsigned status_of(std::optional<std::string_view> host,
                   std::optional<std::string_view> authorization) {
  const auto refused = port_refusal({host, authorization}, token);
  return refused ? refused->status : 200;
}

base::Result<std::string, std::string> token_in(const std::string& path, const std::string& text,
                                                mode_t mode = 0600) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), mode);
  return read_admin_token(path);
}

}  // namespace

TEST_CASE("the admin port is on the loopback of this machine") {
  const auto at = [](const std::string& text) {
    const auto endpoint = parse_admin_port(text);
    return endpoint ? net::to_text(*endpoint) : "refused";
  };
  CHECK(at("8260") == "127.0.0.1:8260");
  CHECK(at("0") == "127.0.0.1:0");
  CHECK(at("127.0.0.1:8260") == "127.0.0.1:8260");
  CHECK(at("[::1]:8260") == "[::1]:8260");
  for (const char* text : {"", "0.0.0.0:8260", "[::]:8260", "192.0.2.1:8260", "[2001:db8::1]:1",
                           "127.0.0.1", "::1", "[::1]", "localhost:8260", "65536", "-1", "8260x",
                           "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "128.0.0.1:8260"}) {
    INFO(text);
    CHECK(at(text) == "refused");
  }
  CHECK(parse_admin_port("0.0.0.0:8260").error().find("loopback") != std::string::npos);
}

TEST_CASE("the token is asked for, as RFC 6750 has it") {
  CHECK(status_of("localhost", "Bearer 0123456789abcdef") == 200);
  CHECK(status_of("localhost", "bearer 0123456789abcdef") == 200);
  CHECK(status_of("localhost", "BEARER  0123456789abcdef") == 200);
  for (const char* shown :
       {"", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef",
        "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer 0123456789abcdeg",
        "Bearer 0123456789ABCDEF", "Bearer0123456789abcdef", "Bearer 0123456789abcdef "}) {
    INFO(shown);
    CHECK(status_of("localhost", shown) == 401);
  }
  CHECK(status_of("localhost", std::nullopt) == 401);
  // Nobody has the token that there is not.
  CHECK(port_refusal({"localhost", "Bearer "}, ""));
  CHECK(port_refusal({"localhost", "Bearer x"}, token)->body.find(token) == std::string::npos);
}

TEST_CASE("a name that was made to resolve to this machine is refused, token or not") {
  for (const char* host :
       {"localhost", "LOCALHOST:8260", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8260"}) {
    INFO(host);
    CHECK(status_of(host, "Bearer 0123456789abcdef") == 200);
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8260", "::1", "[::1",
        "[::1]x", "[::1]:x", "localhost:", "localhost:x", "localhost:8260:1", "[::2]:1",
        "192.0.2.1", "[127.0.0.1]", "127.0.0.1@evil.example"}) {
    INFO(host);
    CHECK(status_of(host, "Bearer 0123456789abcdef") == 421);
  }
  CHECK(status_of(std::nullopt, "Bearer 0123456789abcdef") == 421);
}

TEST_CASE("a token is the first line of a file that only its owner may use") {
  const test::TempDir directory;
  const std::string path = directory.path("token");
  CHECK(token_in(path, "0123456789abcdef\nmore\n") == std::string("0123456789abcdef"));
  CHECK(token_in(path, "0123456789abcdef \r\n") == std::string("0123456789abcdef"));
  CHECK(token_in(path, "0123456789abcdef", 0400) == std::string("0123456789abcdef"));
  for (const mode_t mode : {0640, 0604, 0660, 0610, 0601, 0644}) {
    const auto refused = token_in(path, "0123456789abcdef\n", mode);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().find("chmod 600") != std::string::npos);
    CHECK(refused.error().find(token) == std::string::npos);
  }
  ::chmod(path.c_str(), 0600);
  for (const char* text : {"", "\n", "0123456789abcde\n", "0123456789 abcdef\n",
                           "0123456789abcdef\x01\n", "0123456789abcd\xc3\xa4\n"}) {
    INFO(text);
    CHECK_FALSE(token_in(path, text));
  }
  CHECK_FALSE(read_admin_token(path + ".not"));
}
