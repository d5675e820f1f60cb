// A token made on one array writes on another: two daemons in one copy manager group.
#include <algorithm>
#include <thread>

#include "base/digest.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/token_parameters.hpp"
#include "tests/support/array_pair.hpp"

using namespace test;

namespace {

std::uint64_t number(const std::string& document, const std::string& key) {
  const auto at = document.find("\"" + key + "\":");
  REQUIRE(at != std::string::npos);
  return std::stoull(document.substr(at + key.size() + 3));
}

// A file or a directory of this name below the folder.
std::size_t left_behind(const Daemon& daemon, const std::string& extension) {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(daemon.path("")))
    found += entry.path().extension() == extension ? 1 : 0;
  return found;
}

// The sessions that the daemon has to its hidden target.
bool is_pulled_from(const Daemon& daemon) {
  return ask(daemon, {"/v1/sessions", {}}).find(":token-data") != std::string::npos;
}
void wait_until_not_pulled_from(const Daemon& daemon) {
  for (int i = 0; i < 1000 && is_pulled_from(daemon); ++i)
    ::usleep(10000);
  CHECK_FALSE(is_pulled_from(daemon));
  CHECK(number(ask(daemon, {"/v1/group", {}}), "tokens_served") == 0);
}

}  // namespace

TEST_CASE("two arrays: server 1 makes the token on A, server 2 writes with it on B") {
  ArrayPair pair("0=memory:64M", {"--allow", "iqn.host:*"});
  Daemon& a = pair.a;
  ArrayHost one(a, "iqn.host:one"), two(pair.b, "iqn.host:two");
  const Bytes data = content(0, 40000, 1);
  one.write(0, data);
  const auto token = one.make_token(0, 40000);
  // All that server 2 gets is these 512 bytes; A does not know it.
  const auto written = two.use(token, 1000, 40000);
  INFO((written.trouble ? written.trouble->text : std::string()));
  CHECK(written.blocks.value == 40000);
  CHECK(two.read(1000, 40000) == data);
  const std::string stats = ask(pair.b, {"/v1/stats", {}});
  CHECK(number(stats, "bytes_pulled") + number(stats, "bytes_zeroed") == data.size());
  CHECK(number(ask(pair.b, {"/v1/group", {}}), "pulls") == 1);
  CHECK(number(ask(pair.b, {"/v1/group", {}}), "logins") == 1);
  // Next to nothing went over the host's own wires.
  CHECK(two.session().wire_bytes().received.value < data.size() * 3);  // the reads that verify it
  wait_until_not_pulled_from(a);
}

TEST_CASE("two arrays: a server that A lets in nowhere uses A's token on B") {
  Daemon a, b;
  a.start("0=memory:8M", {"--allow", "iqn.host:one"});
  b.start("0=memory:8M", {"--allow", "iqn.host:two"});
  join(a, {{"b", b.portal()}});
  join(b, {{"a", a.portal()}});
  ArrayHost one(a, "iqn.host:one"), two(b, "iqn.host:two");
  const auto url = host::parse_url("iscsi://" + a.portal() + "/" + daemon_target + "/0");
  CHECK_FALSE(host::Session::open(*url, {"iqn.host:two", 30}));
  one.write(0, content(0, 4096, 1));
  CHECK(two.use(one.make_token(0, 4096), 0, 4096).blocks.value == 4096);
  CHECK(two.read(0, 4096) == content(0, 4096, 1));
}

TEST_CASE("two arrays: offset, several uses, both directions, DEL_TKN's kin: the token lives on") {
  ArrayPair pair;
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
  on_a.write(100, content(100, 512, 1));
  const auto token = on_a.make_token(100, 512);
  CHECK(on_b.use(token, 0, 100, 412).blocks.value == 100);
  CHECK(on_b.read(0, 100) == content(512, 100, 1));
  CHECK(on_b.use(token, 2000, 512).blocks.value == 512);
  CHECK(on_b.read(2000, 512) == content(100, 512, 1));
  CHECK(on_a.use(token, 5000, 512).blocks.value == 512);  // at home too
  const auto back = on_b.make_token(2000, 512);
  CHECK(on_a.use(back, 9000, 512).blocks.value == 512);
  CHECK(on_a.read(9000, 512) == content(100, 512, 1));
  check_refused(on_b.use(token, 0, 513), scsi::SenseKey::illegal_request,
                scsi::asc::copy_target_data_underrun);
  check_refused(on_b.use(token, 0, 1, 512), scsi::SenseKey::illegal_request,
                scsi::asc::invalid_field_in_parameter_list);
}

TEST_CASE("two arrays: DEL_TKN ends the token at its creator when all is written") {
  ArrayPair pair("0=memory:4M");
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
  on_a.write(0, content(0, 64, 1));
  const auto token = on_a.make_token(0, 64);
  scsi::WriteUsingToken request;
  request.delete_token = true;
  request.token = token;
  request.ranges = {blocks(8, 64)};
  const auto list = scsi::encode(request);
  host::Command command = host::make_command(scsi::write_using_token::layout);
  scsi::token_command::list_identifier.write(command.cdb, 4711);
  scsi::token_command::parameter_list_length.write(command.cdb, list.size());
  command.data_out = list;
  CHECK(host::execute(on_b.session(), command).good());
  CHECK(on_b.read(8, 64) == content(0, 64, 1));
  check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request, scsi::asc::token_deleted);
  check_refused(on_a.use(token, 100, 64), scsi::SenseKey::illegal_request,
                scsi::asc::token_deleted);
}

TEST_CASE("two arrays: what was overwritten after POPULATE TOKEN is not what B receives") {
  for (const char* type : {"default", "persistent"}) {
    for (const char* store : {"0=memory:8M", "0=file:{}"}) {
      INFO(type << " " << store);
      Daemon a, b;
      const std::string lun = fmt::format(fmt::runtime(store), a.path("a.img,size=8M"));
      a.start(fmt::format("{},rod-type-by-default={}", lun, type));
      b.start("0=memory:8M");
      join(a, {{"b", b.portal()}});
      join(b, {{"a", a.portal()}});
      ArrayHost on_a(a, "iqn.host:a"), on_b(b, "iqn.host:b");
      on_a.write(0, content(0, 8192, 1));
      const auto token = on_a.make_token(0, 8192);
      on_a.write(1000, content(1000, 5000, 2));
      CHECK(on_b.use(token, 0, 8192).blocks.value == 8192);
      CHECK(on_b.read(0, 8192) == content(0, 8192, 1));
      CHECK(on_a.read(1000, 5000) == content(1000, 5000, 2));
    }
  }
}

TEST_CASE(
    "two arrays: a change vulnerable token is B's until its source is written, then cancelled") {
  ArrayPair pair("0=memory:8M,rod-type-by-default=change-vulnerable");
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
  on_a.write(0, content(0, 4096, 1));
  const auto token = on_a.make_token(0, 4096);
  CHECK(on_b.use(token, 0, 4096).blocks.value == 4096);
  CHECK(on_b.read(0, 4096) == content(0, 4096, 1));
  on_a.write(4000, content(4000, 1, 2));
  check_refused(on_b.use(token, 0, 4096), scsi::SenseKey::illegal_request,
                scsi::asc::token_cancelled);
  CHECK(on_b.read(0, 4096) == content(0, 4096, 1));
}

TEST_CASE("two arrays: holes and what was never written are told, not sent") {
  Daemon a, b;
  a.start("0=file:" + a.path("a.img,size=64M"));
  b.start("0=file:" + b.path("b.img,size=64M"));
  join(a, {{"b", b.portal()}});
  join(b, {{"a", a.portal()}});
  ArrayHost on_a(a, "iqn.host:a"), on_b(b, "iqn.host:b");
  on_a.write(8192, content(8192, 2048, 1));
  on_b.write(0, content(0, 65536, 9));
  const auto token = on_a.make_token(0, 131072);
  CHECK(on_b.use(token, 0, 131072).blocks.value == 131072);
  const std::string stats = ask(b, {"/v1/stats", {}});
  CHECK(number(stats, "bytes_pulled") == 2048 * block_bytes);
  CHECK(number(stats, "bytes_zeroed") == (131072 - 2048) * block_bytes);
  const std::string operations = ask(b, {"/v1/copy-operations", {}});
  CHECK(number(operations, "bytes_pulled") == 2048 * block_bytes);
  CHECK(number(operations, "bytes_zeroed") == (131072 - 2048) * block_bytes);
  CHECK(number(operations, "bytes_copied") == 0);
  const Bytes all = on_b.read(0, 131072);
  CHECK(Bytes(all.begin() + 8192 * 512, all.begin() + 10240 * 512) == content(8192, 2048, 1));
  CHECK(std::all_of(all.begin(), all.begin() + 8192 * 512, [](auto byte) { return byte == 0; }));
  CHECK(std::all_of(all.begin() + 10240 * 512, all.end(), [](auto byte) { return byte == 0; }));
  const auto used = number(
      ask(b, {fmt::format("/v1/targets/{}/luns/0/provisioning", daemon_target), {}}), "used_bytes");
  CHECK(used < 4u << 20);  // punched, not written
}

TEST_CASE("two arrays: what ended at its creator is told by its cause") {
  ArrayPair pair("0=memory:4M");
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
  on_a.write(0, content(0, 64, 1));
  struct End {
    const char* verb;
    scsi::AdditionalSense sense;
  };
  for (const End& end :
       {End{"revoke", scsi::asc::token_revoked}, End{"expire", scsi::asc::token_expired},
        End{"delete", scsi::asc::token_deleted}}) {
    const auto token = on_a.make_token(0, 64);
    ask(pair.a, {fmt::format("/v1/tokens/{}/{}", scsi::hash_of(token), end.verb), "{}"});
    check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request, end.sense);
  }
}

TEST_CASE("two arrays: an unreachable creator is 05/08/04, and B writes nothing") {
  ArrayPair pair("0=memory:4M");
  ArrayHost on_b(pair.b, "iqn.host:b");
  on_b.write(0, content(0, 64, 7));
  scsi::RodTokenBytes token;
  {
    ArrayHost on_a(pair.a, "iqn.host:a");
    token = on_a.make_token(0, 64);
  }
  pair.a.end(SIGKILL);
  check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::unreachable_copy_target);
  CHECK(on_b.read(0, 64) == content(0, 64, 7));
  const std::string group = ask(pair.b, {"/v1/group", {}});
  CHECK(group.find("unreachable") != std::string::npos);
}

TEST_CASE("two arrays: a creator that hangs is given up in bounded time, and at once by an abort") {
  ArrayPair pair("0=memory:4M");
  ArrayHost on_b(pair.b, "iqn.host:b");
  scsi::RodTokenBytes token;
  {
    ArrayHost on_a(pair.a, "iqn.host:a");
    on_a.write(0, content(0, 64, 1));
    token = on_a.make_token(0, 64);
  }
  ::kill(pair.a.pid(), SIGSTOP);
  check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::unreachable_copy_target);
  // Its own hosts are served all the while.
  CHECK(on_b.read(0, 64) == Bytes(64 * block_bytes));
  CHECK(pair.b.end(SIGTERM) == 0);
  ::kill(pair.a.pid(), SIGCONT);
}

TEST_CASE("two arrays attack: altered, re-targeted and foreign tokens are refused by B itself") {
  ArrayPair pair("0=memory:4M");
  Daemon other;
  other.start("0=memory:4M");
  join(other, {{"b", pair.b.portal()}}, "the secret of other people");
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b"), on_c(other, "iqn.host:c");
  on_a.write(0, content(0, 64, 1));
  const auto token = on_a.make_token(0, 64), second = on_a.make_token(0, 8);
  for (const std::size_t at : {0u, 8u, 20u, 56u, 96u, 130u, 265u, 300u, 490u, 511u}) {
    INFO(at);
    auto altered = token;
    altered[at] ^= 1;
    const auto refused = on_b.use(altered, 0, 64);
    CHECK(refused.blocks.value == 0);
    REQUIRE(refused.trouble);
    REQUIRE(refused.trouble->sense);
    CHECK(refused.trouble->sense->additional.code == 0x23);
  }
  auto mixed = token;  // the other's identifier, or its creator, in this one
  std::copy_n(second.begin() + 8, 8, mixed.begin() + 8);
  check_refused(on_b.use(mixed, 0, 8), scsi::SenseKey::illegal_request, scsi::asc::token_corrupt);
  const auto foreign = on_c.make_token(0, 64);
  check_refused(on_b.use(foreign, 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::token_unknown);
  // Nobody was asked about any of them.
  CHECK(number(ask(pair.b, {"/v1/group", {}}), "pulls_failed") == 0);
  CHECK(number(ask(pair.b, {"/v1/group", {}}), "pulls") == 0);
}

TEST_CASE("two arrays attack: with the wrong secret the pull channel lets nobody in") {
  ArrayPair pair("0=memory:4M");
  Daemon thief;
  thief.start("0=memory:4M");
  join(thief, {{"a", pair.a.portal()}}, "a secret that was guessed");
  const std::string probed = ask(thief, {"/v1/group/probe", "{}"});
  CHECK(probed.find("unreachable") != std::string::npos);
  CHECK(probed.find("\"designator\":\"\"") != std::string::npos);  // it did not learn who that is
  // Nor a host that just logs in there, or asks what targets there are.
  for (const char* user : {"", "iqn.host:x%not a secret at all@"}) {
    const auto url = host::parse_url(
        fmt::format("iscsi://{}{}/iqn.2026-11.io.copymgr:token-data/0", user, pair.a.portal()));
    REQUIRE(url);
    CHECK_FALSE(host::Session::open(*url, {"iqn.host:x", 10}));
  }
  CHECK_FALSE(is_pulled_from(pair.a));
}

TEST_CASE("two arrays: the hidden target is there only while the array is in a group") {
  Daemon a, b;
  a.start("0=memory:4M");
  b.start("0=memory:4M");
  join(b, {{"a", a.portal()}});
  CHECK(ask(b, {"/v1/group/probe", "{}"}).find("unreachable") != std::string::npos);
  join(a, {{"b", b.portal()}});
  CHECK(ask(b, {"/v1/group/probe", "{}"}).find("\"reachable\"") != std::string::npos);
  ArrayHost on_a(a, "iqn.host:a"), on_b(b, "iqn.host:b");
  on_a.write(0, content(0, 64, 1));
  const auto token = on_a.make_token(0, 64);
  CHECK(on_b.use(token, 0, 64).blocks.value == 64);
  ask(a, {"/v1/group", {}, true});
  check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::unreachable_copy_target);
  ask(b, {"/v1/group", {}, true});
  check_refused(on_b.use(token, 0, 64), scsi::SenseKey::illegal_request, scsi::asc::token_unknown);
  CHECK(on_a.use(token, 100, 64).blocks.value == 64);  // at home it is good still
}

TEST_CASE("two arrays: the group survives a restart of both, tokens too, by their designators") {
  Daemon a, b;
  const std::string lun_a = "0=file:" + a.path("a.img,size=4M"), lun_b = "0=memory:4M";
  a.start(lun_a);
  b.start(lun_b);
  join(a, {{"b", b.portal()}});
  join(b, {{"a", a.portal()}});
  scsi::RodTokenBytes token;
  {
    ArrayHost on_a(a, "iqn.host:a");
    on_a.write(0, content(0, 64, 1));
    token = on_a.make_token(0, 64, 600);
    on_a.write(0, content(0, 64, 2));
  }
  const std::string before = ask(a, {"/v1/group", {}});
  a.end(SIGKILL);
  b.end(SIGKILL);
  a.start(lun_a);
  b.start(lun_b);
  CHECK(host::text_member(ask(a, {"/v1/group", {}}), "group") == "west");
  CHECK(host::text_member(ask(a, {"/v1/group", {}}), "designator") ==
        host::text_member(before, "designator"));
  join(b, {{"a", a.portal()}});  // it has another port now
  ArrayHost on_b(b, "iqn.host:b");
  CHECK(on_b.use(token, 0, 64).blocks.value == 64);
  CHECK(on_b.read(0, 64) == content(0, 64, 1));
  for (const auto& secret : std::filesystem::directory_iterator(a.path("state/secrets")))
    CHECK((secret.status().permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
}

TEST_CASE("two arrays: units that keep their tokens at home, or take none of others") {
  Daemon a, b;
  a.start("0=memory:4M,remote-tokens=refuse");
  b.start("0=memory:4M");
  join(a, {{"b", b.portal()}});
  join(b, {{"a", a.portal()}});
  ArrayHost on_a(a, "iqn.host:a"), on_b(b, "iqn.host:b");
  on_a.write(0, content(0, 64, 1));
  check_refused(on_b.use(on_a.make_token(0, 64), 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::token_unknown);
  check_refused(on_a.use(on_b.make_token(0, 64), 0, 64), scsi::SenseKey::illegal_request,
                scsi::asc::remote_token_usage_not_supported);
}

TEST_CASE("two arrays that copy from each other all the time never wait for each other for ever") {
  // One thread for what blocks on each side, and more copies than pulls at once.
  ArrayPair pair("0=memory:64M", {"--pool-threads", "1"});
  {
    ArrayHost on_a(pair.a, "iqn.host:fill"), on_b(pair.b, "iqn.host:fill");
    on_a.write(0, content(0, 32768, 1));
    on_b.write(0, content(0, 32768, 2));
  }
  std::vector<std::string> wrong(12);
  std::vector<std::thread> hosts;
  for (unsigned i = 0; i < wrong.size(); ++i) {
    hosts.emplace_back([&, i] {
      Daemon& from = i % 2 == 0 ? pair.a : pair.b;
      Daemon& to = i % 2 == 0 ? pair.b : pair.a;
      const std::string name = fmt::format("iqn.host:{}", i);
      host::TokenTraffic traffic;
      const auto source = from.log_in(name), destination = to.log_in(name);
      for (int round = 0; round < 4; ++round) {
        const auto made = host::offload_read(*source, blocks(0, 32768), 60, traffic);
        if (!made) return void(wrong[i] = made.error().text);
        const auto written = host::offload_write(
            *destination, {made->token, {}, blocks(65536, 32768)}, 552, traffic);
        if (written.blocks.value != 32768) {
          return void(wrong[i] = written.trouble ? written.trouble->text : "short");
        }
      }
    });
  }
  for (auto& host : hosts)
    host.join();
  for (const std::string& each : wrong)
    CHECK(each == "");
  ArrayHost on_a(pair.a, "iqn.host:check"), on_b(pair.b, "iqn.host:check");
  CHECK(on_a.read(65536, 32768) == content(0, 32768, 2));
  CHECK(on_b.read(65536, 32768) == content(0, 32768, 1));
  wait_until_not_pulled_from(pair.a);
  wait_until_not_pulled_from(pair.b);
}

TEST_CASE("two arrays: one member's bandwidth is bounded") {
  ArrayPair pair("0=memory:8M");
  ask(pair.b, {"/v1/group", {}, true});
  join(pair.b, {{"a", pair.a.portal()}}, group_secret, R"(,"bytes_per_second":8388608)");
  ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
  on_a.write(0, content(0, 16384, 1));
  const auto token = on_a.make_token(0, 16384);
  const base::SystemClock clock;
  const base::Instant begun = clock.now();
  CHECK(on_b.use(token, 0, 16384).blocks.value == 16384);
  // 8 MiB at 8 MiB/s; what a slow machine adds only makes it longer.
  CHECK(clock.now() - begun >= std::chrono::milliseconds(700));
}

TEST_CASE("two arrays: a creator that hangs in the middle, what is there is counted and good") {
  ArrayPair pair("0=memory:64M");
  ask(pair.b, {"/v1/group", {}, true});
  join(pair.b, {{"a", pair.a.portal()}}, group_secret, R"(,"bytes_per_second":8388608)");
  scsi::RodTokenBytes token;
  {
    ArrayHost on_a(pair.a, "iqn.host:a");
    on_a.write(0, content(0, 131072, 1));
    token = on_a.make_token(0, 131072);
  }
  ArrayHost on_b(pair.b, "iqn.host:b"), look(pair.b, "iqn.host:look");
  const auto done_by_now = [&] {
    return number(ask(pair.b, {"/v1/copy-operations", {}}), "bytes_done");
  };
  host::WriteProgress progress;
  std::thread copy([&] { progress = on_b.use(token, 0, 131072); });
  while (ask(pair.b, {"/v1/copy-operations", {}}).find("bytes_done") == std::string::npos ||
         done_by_now() < (4u << 20)) {
    ::usleep(10000);
  }
  ::kill(pair.a.pid(), SIGSTOP);
  copy.join();
  // A part is a success that was cut short; the rest meets the creator that does not answer.
  const std::uint64_t written = progress.blocks.value;
  CHECK(written >= (4u << 20) / block_bytes);
  CHECK(written < 131072);
  CHECK_FALSE(progress.trouble);
  check_refused(on_b.use(token, written, 131072 - written, written),
                scsi::SenseKey::illegal_request, scsi::asc::unreachable_copy_target);
  CHECK((look.read(0, written) == content(0, written, 1)));
  ::kill(pair.a.pid(), SIGCONT);
  wait_until_not_pulled_from(pair.a);
  // In several commands: the bound makes each longer than its work budget.
  for (std::uint64_t at = written; at < 131072;) {
    const auto more = on_b.use(token, at, 131072 - at, at);
    REQUIRE(more.blocks.value > 0);
    at += more.blocks.value;
  }
  CHECK((look.read(0, 131072) == content(0, 131072, 1)));
}

TEST_CASE("two arrays: who stops while it pulls from one that hangs stops at once") {
  ArrayPair pair("0=memory:64M");
  ask(pair.b, {"/v1/group", {}, true});
  join(pair.b, {{"a", pair.a.portal()}}, group_secret, R"(,"bytes_per_second":4194304)");
  scsi::RodTokenBytes token;
  {
    ArrayHost on_a(pair.a, "iqn.host:a");
    on_a.write(0, content(0, 131072, 1));
    token = on_a.make_token(0, 131072);
  }
  const auto session = pair.b.log_in("iqn.host:b");
  std::thread copy([&] {
    host::TokenTraffic traffic;
    static_cast<void>(host::offload_write(*session, {token, {}, blocks(0, 131072)}, 552, traffic));
  });
  ::usleep(500000);
  ::kill(pair.a.pid(), SIGSTOP);
  CHECK(pair.b.end(SIGTERM) == 0);
  copy.join();
  ::kill(pair.a.pid(), SIGCONT);
}

TEST_CASE("two arrays: nothing is left of files and sessions when both stop") {
  ArrayPair pair;
  {
    ArrayHost on_a(pair.a, "iqn.host:a"), on_b(pair.b, "iqn.host:b");
    on_a.write(0, content(0, 64, 1));
    CHECK(on_b.use(on_a.make_token(0, 64), 0, 64).blocks.value == 64);
  }
  wait_until_not_pulled_from(pair.a);
  CHECK(pair.a.end(SIGTERM) == 0);
  CHECK(pair.b.end(SIGTERM) == 0);
  CHECK(left_behind(pair.a, ".side") == 0);
}
