// Log lines as text and as JSON, what an observer sees, and how many lines one may cause.
#include "base/log.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/json_text.hpp"
#include "base/line_budget.hpp"

namespace {

namespace log = base::log;
using base::json_quoted;
using namespace std::chrono_literals;

struct Seen final : log::Observer {
  Seen() { log::set_observer(this); }
  ~Seen() { log::set_observer(nullptr); }
  void saw(const log::Record& record) override {
    lines.push_back(fmt::format("{}|{}|{}", log::name_of(record.level), record.event,
                                log::to_json_members(record)));
  }
  std::vector<std::string> lines;
};

// Lines of these tests are nobody's business.
struct Quiet {
  Quiet() { log::set_level(log::Level::error); }
  ~Quiet() { log::set_level(log::Level::info); }
};

}  // namespace

TEST_CASE("JSON strings hold any bytes") {
  CHECK(json_quoted("") == "\"\"");
  CHECK(json_quoted("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(json_quoted(std::string("\n\t\0\x7f", 4)) == "\"\\u000a\\u0009\\u0000\\u007f\"");
  // Well-formed UTF-8 stays: U+00E9, U+20AC, U+D7FF, U+E000, U+1F600, U+10FFFF.
  for (const char* const good : {"\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80",
                                 "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(json_quoted(good) == "\"" + std::string(good) + "\"");
  const std::string replacement = "\xef\xbf\xbd";
  CHECK(json_quoted("a\xff"
                    "b") == "\"a" + replacement + "b\"");
  // Overlong, a surrogate, beyond U+10FFFF, cut off: no byte of them stays.
  for (const char* const bad :
       {"\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80\x80"}) {
    std::string expected;
    for (std::size_t i = 0; i < std::string(bad).size(); ++i)
      expected += replacement;
    CHECK(json_quoted(bad) == "\"" + expected + "\"");
  }
}

TEST_CASE("a record as text tells on whose behalf it was, and obeys no host") {
  log::Record record{log::Level::info, "", "a\x1b[2J\nb", {}, {}};
  CHECK(log::to_text(record) == "a?[2J?b");
  record.text = "hello";
  record.context = {7, 0x1f, "192.0.2.1:5000"};
  CHECK(log::to_text(record) == "hello (192.0.2.1:5000, session 7, task 0x0000001f)");
  record.context = {7, {}, {}};
  CHECK(log::to_text(record) == "hello (session 7)");
}

TEST_CASE("a record as JSON has its fields, and the context where no field has that name") {
  const std::array<log::Field, 3> fields{
      log::Field{"lun", 3u}, {"initiator", "iqn.\"a\""}, {"session", 9u}};
  log::Record record{log::Level::info, "lun.removed", "gone\n", fields, {7, 0x1f, "p"}};
  CHECK(log::to_json_members(record) ==
        R"("event":"lun.removed","message":"gone\u000a","lun":3,"initiator":"iqn.\"a\"",)"
        R"("session":9,"peer":"p","task":"0x0000001f")");
  record = {log::Level::info, "", "plain", {}, {7, {}, {}}};
  CHECK(log::to_json_members(record) == R"("message":"plain","session":7)");
}

TEST_CASE("an observer sees events of every level, and lines from info on") {
  const Quiet quiet;
  Seen seen;
  log::debug("not seen");
  log::info("line {}", 1);
  log::event(log::Level::debug, "token.created", {{"token", "abc"}}, "a token");
  REQUIRE(seen.lines.size() == 2);
  CHECK(seen.lines[0] == R"(info||"message":"line 1")");
  CHECK(seen.lines[1] ==
        R"(debug|token.created|"event":"token.created","message":"a token","token":"abc")");
}

TEST_CASE("nobody observes after the observer has gone") {
  const Quiet quiet;
  { Seen seen; }
  CHECK_FALSE(log::observed());
  CHECK_FALSE(log::wanted(log::Level::info));
  log::info("to nobody");
  Seen seen;
  CHECK(log::wanted(log::Level::debug));
}

TEST_CASE("the context is that of the innermost scope of the thread") {
  const Quiet quiet;
  Seen seen;
  {
    const log::Scope outer({0, {}, "peer"});
    {
      const log::Scope inner({3, 5, log::Scope::current().peer});
      log::info("in");
    }
    log::info("out");
  }
  log::info("none");
  REQUIRE(seen.lines.size() == 3);
  CHECK(seen.lines[0] == R"(info||"message":"in","peer":"peer","session":3,"task":"0x00000005")");
  CHECK(seen.lines[1] == R"(info||"message":"out","peer":"peer")");
  CHECK(seen.lines[2] == R"(info||"message":"none")");
}

TEST_CASE("a budget gives a burst, then lines at a rate, and tells what it kept back") {
  base::Instant now{100s};
  base::LineBudget budget(3, 10s, now);
  for (int i = 0; i < 3; ++i)
    CHECK(budget.take(now) == 0);
  CHECK_FALSE(budget.take(now));
  now = now + 9s;
  CHECK_FALSE(budget.take(now));
  now = now + 1s;
  CHECK(budget.take(now) == 2);  // one is due
  CHECK_FALSE(budget.take(now));
  now = now + 1000s;  // a burst again, not more
  CHECK(budget.take(now) == 1);
  CHECK(budget.take(now) == 0);
  CHECK(budget.take(now) == 0);
  CHECK_FALSE(budget.take(now));
}
