// Two readings of a daemon's counters as rates; its events as lines.
#include "tools/host/stats_rates.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tools/host/event_lines.hpp"

namespace {

using nlohmann::json;

json rates(const json& before, const json& after, double seconds) {
  const auto out = host::stats_rates(before.dump(), after.dump(), seconds);
  REQUIRE(out);
  return json::parse(*out);
}

json lun(int number, const char* target, int reads, int bytes_read) {
  return {{"target", target},   {"lun", number},       {"size_bytes", 4096},
          {"reads", reads},     {"writes", 0},         {"bytes_read", bytes_read},
          {"bytes_written", 0}, {"snapshots_live", 3}, {"side_bytes_in_use", 65536}};
}

}  // namespace

TEST_CASE("what grew is told by the second, what lives as it is") {
  const json before = {{"copies", {{"bytes_requested", 1000}, {"bytes_cloned", 900}}},
                       {"tokens", {{"live", 9}, {"created", 10}}},
                       {"wire", {{"sessions", 7}, {"bytes_sent", 0}}}};
  const json after = {{"copies", {{"bytes_requested", 3000}, {"bytes_cloned", 900}}},
                      {"tokens", {{"live", 4}, {"created", 11}}},
                      {"wire", {{"sessions", 8}, {"bytes_sent", 100}}}};
  const json out = rates(before, after, 4);
  CHECK(out["seconds"] == 4.0);
  CHECK(out["copies"]["bytes_requested_per_second"] == 500.0);
  CHECK(out["copies"]["bytes_cloned_per_second"] == 0.0);
  CHECK_FALSE(out["copies"].contains("bytes_zeroed_per_second"));  // this daemon does not count it
  CHECK(out["tokens"]["live"] == 4);
  CHECK(out["tokens"]["created_per_second"] == 0.25);
  CHECK(out["wire"]["sessions"] == 8);
  CHECK(out["wire"]["bytes_sent_per_second"] == 25.0);
  CHECK(out["luns"].empty());
}

TEST_CASE("a LUN is compared with itself, whatever came and went beside it") {
  const json before = {{"luns", {lun(0, "a", 10, 5120), lun(1, "a", 20, 0), lun(1, "b", 0, 0)}}};
  const json after = {{"luns", {lun(1, "b", 6, 3072), lun(1, "a", 22, 1024), lun(5, "b", 8, 0)}}};
  const json luns = rates(before, after, 2)["luns"];
  REQUIRE(luns.size() == 3);
  CHECK(luns[0]["target"] == "b");
  CHECK(luns[0]["reads_per_second"] == 3.0);
  CHECK(luns[0]["bytes_read_per_second"] == 1536.0);
  CHECK(luns[0]["snapshots_live"] == 3);
  CHECK(luns[0]["side_bytes_in_use"] == 65536);
  CHECK(luns[1]["reads_per_second"] == 1.0);
  CHECK(luns[2]["reads_per_second"] == 4.0);  // new: all of it is new
}

TEST_CASE("counters of a daemon that was started anew begin at nothing") {
  const json out = rates({{"tokens", {{"created", 1000}}}}, {{"tokens", {{"created", 6}}}}, 2);
  CHECK(out["tokens"]["created_per_second"] == 3.0);
}

TEST_CASE("what is no reading is told in one line") {
  for (const char* const wrong : {"", "[]", "7", "{"}) {
    CHECK_FALSE(host::stats_rates("{}", wrong, 1));
    CHECK_FALSE(host::stats_rates(wrong, "{}", 1));
  }
}

TEST_CASE("events are lines for a person, or objects for a script") {
  const char* const page =
      R"({"last":9,"lost":2,"events":[)"
      R"({"number":7,"time":"T7","level":"info","event":null,"message":"a\u001b[2Jb"},)"
      R"({"number":8,"time":"T8","level":"debug","event":"token.ended","message":"gone"}]})";
  const auto lines = host::event_lines(page, false);
  REQUIRE(lines);
  CHECK(lines->lines ==
        "(2 events before these are not kept any more)\n"
        "T7  info     -                       a?[2Jb\n"
        "T8  debug    token.ended             gone\n");
  CHECK(lines->events == 2);
  CHECK(lines->last_told == 8);
  CHECK(lines->last == 9);
  const auto objects = host::event_lines(page, true);
  REQUIRE(objects);
  const auto end = objects->lines.find('\n');
  CHECK(json::parse(objects->lines.substr(0, end))["number"] == 7);
  CHECK(json::parse(objects->lines.substr(end + 1))["event"] == "token.ended");
  for (const char* const wrong : {"", "[]", "{}", R"({"events":7})", R"({"events":[7]})"})
    CHECK_FALSE(host::event_lines(wrong, false));
}
