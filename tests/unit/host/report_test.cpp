// What users read: tables, JSON documents, and the daemon's counters over its socket.
#include "tools/host/report.hpp"

#include <thread>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace host;
using base::BlockCount;
using base::ByteCount;
using Catch::Matchers::Contains;

namespace {

CopyMeasurement measurement() {
  CopyMeasurement out;
  out.source = "iscsi://a/iqn.a/0";
  out.plan.bytes = ByteCount(1 << 30);
  out.plan.source.count = BlockCount(1 << 21);
  out.plan.why = "both logical units pass Windows' checks for ODX";
  out.plan.offload = true;
  out.outcome.bytes_offloaded = ByteCount(1 << 30);
  out.tokens = {4, 4, 16, 0, 3, 4};
  out.elapsed_seconds = 2;
  out.source_wire = {ByteCount(6000), ByteCount(3000)};
  out.destination_wire = {ByteCount(4000), ByteCount(2000)};
  return out;
}

// Answers one connection with `answer`, whatever is asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : path_("/tmp/copymgr_admin_" + std::to_string(getpid())) {
    unlink(path_.c_str());
    listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    server_ = std::thread([this, answer = std::move(answer)] {
      const int connection = accept(listener_, nullptr, nullptr);
      char asked[4096];
      const auto got = read(connection, asked, sizeof asked);
      asked_.assign(asked, got > 0 ? static_cast<std::size_t>(got) : 0);
      if (write(connection, answer.data(), answer.size()) < 0) asked_.clear();
      close(connection);
    });
  }
  ~OneAnswer() {
    if (server_.joinable()) server_.join();
    close(listener_);
    unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }
  std::string asked() { return server_.join(), asked_; }

 private:
  std::string path_, asked_;
  int listener_ = -1;
  std::thread server_;
};

std::string http(const std::string& body, const char* status = "200 OK") {
  return std::string("HTTP/1.1 ") + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("bytes are shown in the largest unit that fits") {
  CHECK(shown_bytes(ByteCount(0)) == "0 bytes");
  CHECK(shown_bytes(ByteCount(1023)) == "1023 bytes");
  CHECK(shown_bytes(ByteCount(64 << 20)) == "64 MiB");
  CHECK(shown_bytes(ByteCount(1536)) == "1.50 KiB");
  CHECK(shown_bytes(ByteCount(~0ull)) == "16384 PiB");
}

TEST_CASE("dots in keys become objects, unknown values null, labels stay out") {
  const Rows rows{{"a.b", "first", std::uint64_t{1}, "one"},
                  {"a.c", {}, {}, {}},
                  {{}, "only in the table", std::string("x"), {}},
                  {"d", "flag", true, {}}};
  CHECK(to_json(rows) == "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": null\n  },\n  \"d\": true\n}\n");
  CHECK(to_table(rows) == "first              one\nonly in the table  x\nflag               yes\n");
}

TEST_CASE("names that are not UTF-8 do not break the document") {
  CHECK_THAT(to_json({{"name", {}, std::string("a\xff"), {}}}), Contains("name"));
}

TEST_CASE("a copy's report has what Microsoft's guide compares") {
  const std::string table = to_table(copy_rows(measurement()));
  for (const char* words :
       {"elapsed               2.000 s", "over the wire         14.65 KiB",
        "copied per second     512 MiB/s", "tokens used           4", "CPU seconds, array    -",
        "at the array's disks  -", "mode                  offload\n",
        "1 GiB by 16 offload writes (3 short)"}) {
    CHECK_THAT(table, Contains(words));
  }
  const std::string json = to_json(copy_rows(measurement()));
  CHECK_THAT(json, Contains("\"write_using_token\": 16") && Contains("\"bytes\": 1073741824") &&
                       Contains("\"target\": null"));
}

TEST_CASE("with the daemon's counters the report tells who moved the bytes") {
  CopyMeasurement measured = measurement();
  measured.array = AdminStats{0.25, 1 << 30, 0, 0, 0, 0, 1 << 20};
  const std::string table = to_table(copy_rows(measured));
  CHECK_THAT(table, Contains("1 GiB reflinked") && Contains("0.250 s") && Contains("512 KiB/s"));
}

TEST_CASE("a fallback, a difference and a failure are in the report") {
  CopyMeasurement measured = measurement();
  measured.outcome.bytes_through_host = ByteCount(512);
  measured.outcome.fell_back_because = "WRITE USING TOKEN: token expired (05/23/07)";
  measured.verified = CompareResult{};
  measured.verified->first_difference = base::ByteOffset(77);
  const std::string table = to_table(copy_rows(measured));
  CHECK_THAT(table,
             Contains("offload, then host") && Contains("token expired") && Contains("NOT EQUAL"));
  measured.outcome.failure = "it broke";
  CHECK_THAT(to_json(copy_rows(measured)),
             Contains("\"error\": \"it broke\"") && Contains("\"first_difference_byte\": 77"));
}

TEST_CASE("info answers the questions of the deployment guide") {
  LunFacts facts;
  facts.vendor = "COPYMGR";
  facts.product = "Virtual Array";
  facts.revision = "0001";
  facts.capability.odx = true;
  facts.capability.limits.default_inactivity_timeout_seconds = 60;
  std::string table = to_table(info_rows("iscsi://a/b/0", facts));
  for (const char* words :
       {"COPYMGR Virtual Array", "0001", "ODX supported", "cross-array ODX",
        "default inactivity timer     60 s", "maximum token capacity       not reported",
        "not reported, Windows uses 64 MiB"}) {
    CHECK_THAT(table, Contains(words));
  }
  facts.capability.limits.maximum_tokens = 4096;
  facts.capability.limits.optimal_transfer_count = BlockCount(131072);
  table = to_table(info_rows("iscsi://a/b/0", facts));
  CHECK_THAT(table, Contains("4096 tokens") && Contains("optimal transfer size        64 MiB\n"));
  facts.capability = {};
  facts.capability.rules = {{"a rule", false, "page 00h is empty"}};
  CHECK_THAT(to_table(info_rows("", facts)), Contains("no: page 00h is empty"));
}

TEST_CASE("counters are read from the documented keys; missing ones are zero") {
  const auto stats = parse_admin_stats(
      R"({"process":{"cpu_seconds":1.5},"copies":{"bytes_cloned":7,"bytes_zeroed":2},
          "stores":{"bytes_read":3,"bytes_written":4},"tokens":{"live":1}})");
  REQUIRE(stats);
  CHECK(stats->cpu_seconds == 1.5);
  CHECK(stats->bytes_cloned == 7);
  CHECK(stats->bytes_copied == 0);
  CHECK(stats->store_bytes_written == 4);
  CHECK(parse_admin_stats("{}"));
  CHECK(parse_admin_stats(R"({"process":7,"copies":{"bytes_cloned":"x"}})"));
  for (const char* text : {"", "[]", "{", "7"})
    CHECK_FALSE(parse_admin_stats(text));
}

TEST_CASE("the admin socket is asked for /v1/stats") {
  OneAnswer daemon(http(R"({"process":{"cpu_seconds":2.5}})"));
  const auto stats = read_admin_stats(daemon.path());
  REQUIRE(stats);
  CHECK(stats->cpu_seconds == 2.5);
  CHECK_THAT(daemon.asked(), Contains("GET /v1/stats HTTP/1.1\r\n"));
}

TEST_CASE("a daemon that is not there, or answers something else, is told in one line") {
  CHECK_THAT(read_admin_stats(std::string("/nonexistent/socket")).error(),
             Contains("admin socket /nonexistent/socket: No such file or directory"));
  CHECK_THAT(read_admin_stats(std::string(200, 'x')).error(), Contains("too long"));
  OneAnswer daemon(http("nothing here", "404 Not Found"));
  CHECK_THAT(read_admin_stats(daemon.path()).error(), Contains("answers 404"));
}
