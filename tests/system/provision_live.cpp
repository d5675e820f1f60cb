// LUNs come, go and are mapped anew while hosts are logged in: sessions stay, each is told once to
// look again, and what they see is what is there.
#include <fmt/format.h>

#include "tests/support/live_daemon.hpp"
#include "tools/host/admin_client.hpp"

namespace {

const std::string targets = "/v1/targets/";

struct Array {
  test::Daemon daemon;
  bool ask(const std::string& resource, const std::string& body, bool removes = false) {
    return host::ask_admin(daemon.admin_socket(),
                           {targets + test::daemon_target + resource, body, removes})
        .has_value();
  }
};

host::Reply ready(host::Session& session) {
  return host::execute(session, host::make_command(scsi::CdbLayout{"TUR", 0}));
}

bool tells_of_luns(const host::Reply& reply) {
  return reply.sense && reply.sense->key == scsi::SenseKey::unit_attention &&
         reply.sense->additional == scsi::asc::reported_luns_data_has_changed;
}

// The TEST UNIT READY answers until one is good: how many told that the LUNs have changed.
int told(host::Session& session) {
  int count = 0;
  for (int i = 0; i < 5; ++i) {
    const host::Reply reply = ready(session);
    if (reply.good()) return count;
    count += tells_of_luns(reply) ? 1 : 0;
  }
  return -1;
}

bool is_not_there(const host::Reply& reply) {
  return reply.sense && reply.sense->additional == scsi::asc::logical_unit_not_supported;
}

}  // namespace

TEST_CASE("a LUN that is created is seen by those who are logged in") {
  Array array;
  array.daemon.start();
  const auto first = array.daemon.log_in("iqn.host:a");
  const auto second = array.daemon.log_in("iqn.host:b");
  REQUIRE(array.ask("/luns", R"({"backing": "memory:2M", "number": 3})"));
  CHECK(told(*first) == 1);
  CHECK(told(*second) == 1);
  const auto on_it = array.daemon.connect("iqn.host:c", 3);
  CHECK(told(*on_it) == 0);  // its power-on, and then it is there
  REQUIRE(array.ask("/luns/3", "", true));
  CHECK(told(*first) == 1);
  CHECK(is_not_there(ready(*on_it)));
  CHECK(told(*second) == 1);
  CHECK(array.daemon.end(SIGTERM) == 0);
}

TEST_CASE("a map shows and hides LUNs of those who are logged in") {
  Array array;
  array.daemon.start();
  REQUIRE(array.ask("/luns", R"({"backing": "memory:2M", "number": 1})"));
  const auto on_zero = array.daemon.log_in("iqn.host:a");
  const auto on_one = array.daemon.connect("iqn.host:b", 1);
  CHECK(told(*on_one) == 0);
  const auto stranger = array.daemon.log_in("iqn.other:c");
  // Host a keeps what it has, b loses LUN 1, the stranger everything.
  REQUIRE(array.ask("/options", R"({"add": [["map", "iqn.host:*=0:0"]]})"));
  CHECK(told(*on_zero) == 1);
  CHECK(is_not_there(ready(*on_one)));
  CHECK(is_not_there(ready(*stranger)));
  REQUIRE(array.ask("/options", R"({"remove": [["map", "iqn.host:*"]], "everybody": true})"));
  CHECK(told(*on_zero) == 1);
  CHECK(told(*on_one) >= 0);
  CHECK(told(*stranger) >= 0);
  CHECK(array.daemon.end(SIGTERM) == 0);
}

TEST_CASE("what fails changes nothing") {
  Array array;
  array.daemon.start();
  const auto session = array.daemon.log_in("iqn.host:a");
  const std::string path = array.daemon.path("new.img");
  const std::string document = fmt::format(
      "[[portal]]\naddress = \"127.0.0.1:0\"\n[[target]]\nname = \"{}\"\n"
      "[[target.lun]]\nnumber = 0\nbacking = \"memory:1M\"\n"
      "[[target.lun]]\nnumber = 1\nbacking = \"file:{}\"\nsize = \"1M\"\n"
      "[[target.lun]]\nnumber = 2\nbacking = \"file:/nowhere/x\"\nsize = \"1M\"\n",
      test::daemon_target, path);
  std::string quoted;
  for (const char each : document)
    quoted += each == '"' ? "\\\"" : each == '\n' ? "\\n" : std::string(1, each);
  const auto answer = host::ask_admin(array.daemon.admin_socket(),
                                      {"/v1/configuration", "{\"toml\": \"" + quoted + "\"}"});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().find("line 12: ") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(told(*session) == 0);
  CHECK(array.daemon.end(SIGTERM) == 0);
}
