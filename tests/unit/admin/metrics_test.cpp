// GET /metrics: the text as Prometheus reads it, and that its numbers are what hosts did.
#include "target/admin/metrics.hpp"

#include <fmt/format.h>

#include "target/admin/metrics_text.hpp"
#include "target/admin/statistics.hpp"
#include "tests/support/metrics_check.hpp"
#include "tests/unit/device/device_world.hpp"

namespace {

using namespace device::test;
using test::MetricLabels;
using test::Metrics;
using test::MetricsCheck;

struct MeasuredArray : OneSession {
  MeasuredArray() : targets{target} {}

  Metrics metrics(std::vector<net::SessionFacts> sessions = {}) {
    const std::string text = admin::metrics_text({{}, copies, targets, std::move(sessions)});
    Metrics out = MetricsCheck::check(text);
    CHECK(out.faults == std::vector<std::string>());
    return out;
  }
  MetricLabels lun(const std::string& number, const std::string& kind = "") const {
    MetricLabels out{{"target", target->name()}, {"lun", number}};
    if (!kind.empty()) out["kind"] = kind;
    return out;
  }
  void read(std::uint8_t blocks) {
    CHECK(run(fmt::format("28 00 00000000 00 00{:02x} 00", blocks)).good());
  }

  std::vector<std::shared_ptr<device::TargetDevice>> targets;
};

std::vector<std::string> faults_of(const std::string& text) {
  return MetricsCheck::check(text).faults;
}

}  // namespace

TEST_CASE("the check of the format sees what is wrong with it") {
  const std::string head = "# HELP a_total What.\n# TYPE a_total counter\n";
  const std::string bucket = "# HELP h What.\n# TYPE h histogram\n";
  CHECK(faults_of(head + "a_total{x=\"1\"} 1\na_total{x=\"2\"} 1e+06\n").empty());
  CHECK(faults_of(bucket + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n")
            .empty());
  for (const std::string& wrong : {
           head + "a_total 1",                                        // no line feed
           head + "a_total 1\na_total 2\n",                           // a series twice
           head + head + "a_total 1\n",                               // a family twice
           head + "b_total 1\n",                                      // of no family
           head + "a_total -1\n",                                     //
           head + "a_total{x=\"1\"x=\"2\"} 1\n",                      //
           head + "a_total{x=\"1\",x=\"2\"} 1\n",                     //
           head + "a_total{x=\"a\\t\"} 1\n",                          // an unknown escape
           head + "a_total{x=\"a\"b\"} 1\n",                          // not escaped
           head + "a_total one\n",                                    //
           std::string("# TYPE a_total counter\na_total 1\n"),        // no HELP
           std::string("# HELP a What.\n# TYPE a counter\na 1\n"),    // a counter without _total
           std::string("# HELP a_total W.\n# TYPE a_total gauge\n"),  // a gauge with it
           bucket + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
           bucket + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 3\n",
           bucket + "h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 1\n",
           bucket + "h_bucket{le=\"+Inf\"} 2\nh_count 2\n",
       }) {
    INFO(wrong);
    CHECK_FALSE(faults_of(wrong).empty());
  }
}

TEST_CASE("labels keep what their values were, whatever is in them") {
  const std::string odd = "iqn.\"a\"\\b\nc,d}=\t";
  admin::MetricsText text;
  text.counter("a_total", "What.");
  text.sample({{"initiator", odd}, {"lun", "0"}}, std::uint64_t{7});
  text.gauge("never_sampled", "What.");
  text.gauge("b_bytes", "What.");
  text.sample({}, 0.25);
  const std::string out = text.take();
  CHECK(out ==
        "# HELP a_total What.\n# TYPE a_total counter\n"
        "a_total{initiator=\"iqn.\\\"a\\\"\\\\b\\nc,d}=\t\",lun=\"0\"} 7\n"
        "# HELP b_bytes What.\n# TYPE b_bytes gauge\nb_bytes 0.25\n");
  const Metrics read = MetricsCheck::check(out);
  CHECK(read.faults.empty());
  CHECK(read.value("a_total", {{"initiator", odd}, {"lun", "0"}}) == 7);
}

// The format is UTF-8, and a scrape with one byte that is not is refused as a whole.
TEST_CASE("labels are UTF-8, whatever bytes a host calls itself by") {
  const std::string good = "iqn.h\xc3\xb6st:\xf0\x9f\x98\x80", unknown = "\xef\xbf\xbd";
  net::SessionFacts facts;
  MeasuredArray array;
  array.read(1);
  facts.number = array.nexus->identity().number;
  facts.tsih = 7;
  for (const auto& [name, told] : std::vector<std::pair<std::string, std::string>>{
           {good, good},
           {"iqn.\xff:a\xc3\"", "iqn." + unknown + ":a" + unknown + "\""},
           {"\xed\xa0\x80", unknown + unknown + unknown},
           {"\xe2\x82\n", unknown + unknown + "\n"}}) {
    facts.identity = {name, 1, array.target->name(), 1};
    CHECK(array.metrics({facts}).value(
              "copymgr_session_read_bytes_total",
              {{"target", array.target->name()}, {"initiator", told}, {"tsih", "7"}}) == 512);
  }
}

TEST_CASE("a histogram's buckets are cumulative and end at infinity") {
  using namespace std::chrono_literals;
  const std::array<base::Duration, 3> bounds{2us, 500us, 2500ms};
  const std::array<std::uint64_t, 4> counts{5, 0, 3, 2};
  admin::MetricsText text;
  text.histogram("t_seconds", "What.");
  text.sample({{"lun", "1"}}, bounds, counts, 1.5);
  CHECK(text.take() ==
        "# HELP t_seconds What.\n# TYPE t_seconds histogram\n"
        "t_seconds_bucket{lun=\"1\",le=\"2e-06\"} 5\n"
        "t_seconds_bucket{lun=\"1\",le=\"0.0005\"} 5\n"
        "t_seconds_bucket{lun=\"1\",le=\"2.5\"} 8\n"
        "t_seconds_bucket{lun=\"1\",le=\"+Inf\"} 10\n"
        "t_seconds_sum{lun=\"1\"} 1.5\n"
        "t_seconds_count{lun=\"1\"} 10\n");
}

TEST_CASE("the metrics are what hosts did") {
  MeasuredArray array;
  array.read(8);
  array.read(2);
  array.run("2a 00 00000000 00 0001 00", Bytes(512));
  array.run("28 00 ffffffff 00 0001 00");  // out of range
  net::SessionFacts facts;
  facts.number = array.nexus->identity().number;
  facts.tsih = 42;
  facts.identity = {"iqn.host:\"a\"", 1, array.target->name(), 1};
  net::SessionFacts discovery;
  discovery.identity.initiator_name = "iqn.host:b";
  const Metrics metrics = array.metrics({facts, discovery});
  CHECK(metrics.value("copymgr_lun_commands_total", array.lun("0", "read")) == 3);
  CHECK(metrics.value("copymgr_lun_commands_total", array.lun("0", "write")) == 1);
  CHECK(metrics.value("copymgr_lun_commands_total", array.lun("0", "other")) == 1);
  CHECK(metrics.value("copymgr_lun_commands_total", array.lun("1", "read")) == 0);
  CHECK(metrics.value("copymgr_lun_commands_not_good_total", array.lun("0", "read")) == 1);
  CHECK(metrics.value("copymgr_lun_command_duration_seconds_count", array.lun("0", "read")) == 3);
  CHECK(metrics.value("copymgr_lun_read_bytes_total", array.lun("0")) == 10 * 512);
  CHECK(metrics.value("copymgr_lun_written_bytes_total", array.lun("0")) == 512);
  CHECK(metrics.value("copymgr_lun_size_bytes", array.lun("2")) == 1 << 20);

  MetricLabels session{
      {"target", array.target->name()}, {"initiator", "iqn.host:\"a\""}, {"tsih", "42"}};
  CHECK(metrics.value("copymgr_session_read_bytes_total", session) == 10 * 512);
  CHECK(metrics.series.at("copymgr_session_read_bytes_total").size() == 1);
  session["kind"] = "other";  // TEST UNIT READY at each of three units
  CHECK(metrics.value("copymgr_session_commands_total", session) == 3);
  CHECK(metrics.value("copymgr_session_command_duration_seconds_count", session) == 3);
}

TEST_CASE("copies and tokens are told by how they went and why they ended") {
  MeasuredArray array;
  const copymgr::OperationKey key{{1, "iqn.host:a", array.target->name()}, 10, 5};
  scsi::PopulateToken request;
  request.inactivity_timeout_seconds = 30;
  request.ranges = {{base::Lba(0), base::BlockCount(8)}};
  array.copies.populate_token(key, request, [](copymgr::CopyOutcome) {});
  const auto token = array.copies.report(key)->token.value();
  scsi::WriteUsingToken use;
  use.token = token;
  use.ranges = {{base::Lba(64), base::BlockCount(8)}};
  array.copies.write_using_token({key.nexus, 11, 6}, use, [](copymgr::CopyOutcome) {});
  CHECK(array.metrics().value("copymgr_copy_requested_bytes_total").value() == 8 * 512);
  use.token[300] ^= 1;
  array.copies.write_using_token({key.nexus, 11, 7}, use, [](copymgr::CopyOutcome) {});
  Metrics metrics = array.metrics();
  CHECK(metrics.value("copymgr_copies_total", {{"command", "populate_token"}}) == 1);
  CHECK(metrics.value("copymgr_copies_total", {{"command", "write_using_token"}}) == 2);
  CHECK(metrics.value("copymgr_copies_refused_total") == 1);
  double moved = 0;
  for (const auto& [labels, bytes] : metrics.series.at("copymgr_copy_bytes_total"))
    moved += bytes;
  CHECK(moved == 8 * 512);
  CHECK(metrics.value("copymgr_copy_not_cloned_bytes_total", {{"reason", "not_files"}}) ==
        metrics.value("copymgr_copy_bytes_total", {{"how", "copied_by_hand"}}));
  CHECK(metrics.value("copymgr_tokens") == 1);
  CHECK(metrics.value("copymgr_tokens_created_total") == 1);
  CHECK(metrics.value("copymgr_token_uses_total") == 1);
  CHECK(metrics.value("copymgr_token_uses_refused_total") == 1);
  array.clock.advance(31s);
  array.copies.expire();
  metrics = array.metrics();
  CHECK(metrics.value("copymgr_tokens") == 0);
  CHECK(metrics.value("copymgr_tokens_ended_total", {{"reason", "expired"}}) == 1);
  CHECK(metrics.value("copymgr_tokens_ended_total", {{"reason", "evicted"}}) == 0);
}
