// iscsi:// URLs: what is accepted, what is refused with which words, and that secrets stay secret.
#include "tools/host/url.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "tools/host/reachability.hpp"

using namespace host;
using Catch::Matchers::Contains;

TEST_CASE("a full URL") {
  const auto url = parse_url("iscsi://user%a secret@array:3261/iqn.2026-11.com.example:a/7");
  REQUIRE(url);
  CHECK(url->portal == "array:3261");
  CHECK(url->target_name == "iqn.2026-11.com.example:a");
  CHECK(url->lun == 7);
  CHECK(url->user == "user");
  CHECK(url->secret == "a secret");
  CHECK(url->shown() == "iscsi://array:3261/iqn.2026-11.com.example:a/7");
}

TEST_CASE("the port is 3260 unless told, and IPv6 stays in brackets") {
  CHECK(parse_url("iscsi://array/iqn.a/0")->portal == "array:3260");
  CHECK(parse_url("iscsi://[::1]/iqn.a/0")->portal == "[::1]:3260");
  CHECK(parse_url("iscsi://[fe80::1]:99/iqn.a/0")->portal == "[fe80::1]:99");
}

TEST_CASE("escapes in a target name, and secrets with odd characters") {
  CHECK(parse_url("iscsi://h/iqn.a%3Ab/0")->target_name == "iqn.a:b");
  CHECK(parse_url("iscsi://h/iqn.a%zz/0")->target_name == "iqn.a%zz");
  const auto url = parse_url("iscsi://u%p@ss/wo%rd@h/iqn.a/0");
  REQUIRE(url);
  CHECK(url->secret == "p@ss/wo%rd");
  CHECK(url->portal == "h:3260");
}

TEST_CASE("a secret can come from the environment") {
  setenv("LIBISCSI_CHAP_PASSWORD", "from outside", 1);
  CHECK(parse_url("iscsi://u@h/iqn.a/0")->secret == "from outside");
  CHECK(parse_url("iscsi://u%own@h/iqn.a/0")->secret == "own");
  CHECK(parse_url("iscsi://h/iqn.a/0")->secret.empty());
  unsetenv("LIBISCSI_CHAP_PASSWORD");
}

TEST_CASE("what is wrong with a URL is said in one line, without its secret") {
  const auto why = [](const char* text) { return parse_url(text).error(); };
  CHECK_THAT(why("http://h/iqn.a/0"), Contains("does not start with iscsi://"));
  CHECK_THAT(why("iscsi://"), Contains("no target name"));
  CHECK_THAT(why("iscsi://h"), Contains("no target name"));
  CHECK_THAT(why("iscsi://h/0"), Contains("no target name"));
  CHECK_THAT(why("iscsi://h//0"), Contains("no target name"));
  CHECK_THAT(why("iscsi:///iqn.a/0"), Contains("no host"));
  CHECK_THAT(why("iscsi://h:0/iqn.a/0"), Contains("'0' is not a port"));
  CHECK_THAT(why("iscsi://h:65536/iqn.a/0"), Contains("'65536' is not a port"));
  CHECK_THAT(why("iscsi://h:/iqn.a/0"), Contains("'' is not a port"));
  CHECK_THAT(why("iscsi://h/iqn.a/"), Contains("'' is not a LUN"));
  CHECK_THAT(why("iscsi://h/iqn.a/-1"), Contains("'-1' is not a LUN"));
  CHECK_THAT(why("iscsi://h/iqn.a/16384"), Contains("'16384' is not a LUN"));
  CHECK_THAT(why("iscsi://u%hidden@h:x/iqn.a/0"), !Contains("hidden"));
}

TEST_CASE("a portal that nobody listens on, or that has no name, is told in words") {
  // Port 1 of the loopback: nobody is there.
  CHECK_THAT(why_unreachable("127.0.0.1:1").value(), Contains("Connection refused"));
  CHECK_FALSE(why_unreachable("no.such.host.invalid:3260").value().empty());
}
