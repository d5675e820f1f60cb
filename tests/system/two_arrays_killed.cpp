// The source array, the destination array or the connection between them ends at random moments of
// a copy: no wrong byte, no claim of a block that is not written, nothing left behind.
#include <random>
#include <thread>

#include "tests/support/array_pair.hpp"
#include "tests/support/sanitized.hpp"

using namespace test;

namespace {

constexpr unsigned rounds = sanitized ? 9 : 100;
constexpr std::uint64_t copied = 32768;  // blocks: 16 MiB

enum class Victim { source, destination, connection };

struct Killed : ArrayPair {
  Killed()
      : ArrayPair("0=memory:1M"),
        lun_a("0=file:" + a.path("a.img,size=64M")),
        lun_b("0=file:" + b.path("b.img,size=64M")) {}
  void start() {
    a.start(lun_a);
    b.start(lun_b);
    meet();
  }
  // Starts again what has ended, on another port.
  void restart(Victim victim) {
    if (victim == Victim::source) a.start(lun_a);
    if (victim == Victim::destination) b.start(lun_b);
    meet();
  }
  const std::string lun_a, lun_b;
};

// What B's host was told.
struct Told {
  bool answered = false;
  host::WriteProgress progress;
};

// The array that serves drops the sessions of its members.
void cut(const Daemon& serving) {
  const std::string sessions = ask(serving, {"/v1/sessions", {}});
  for (std::size_t at = sessions.find("\"tsih\":"); at != std::string::npos;
       at = sessions.find("\"tsih\":", at + 1)) {
    const std::size_t begin = sessions.rfind('{', at), end = sessions.find('}', at);
    if (sessions.substr(begin, end - begin).find(":token-data") == std::string::npos) continue;
    const std::string path =
        fmt::format("/v1/sessions/{}/logout", std::stoul(sessions.substr(at + 7)));
    static_cast<void>(host::ask_admin(serving.admin_socket(), {path, R"({"grace_seconds":0})"}));
  }
}

void end(Killed& pair, Victim victim) {
  if (victim == Victim::source) pair.a.end(SIGKILL);
  if (victim == Victim::destination) pair.b.end(SIGKILL);
  if (victim == Victim::connection) cut(pair.a);
}

}  // namespace

TEST_CASE("two arrays: a hundred copies in which the source, the destination or the link ends") {
  Killed pair;
  pair.a.end(SIGKILL);
  pair.b.end(SIGKILL);
  pair.start();
  std::mt19937 random(20261121);
  unsigned cut_short = 0, whole = 0;
  for (unsigned round = 1; round <= rounds; ++round) {
    const auto victim = static_cast<Victim>(round % 3);
    INFO("round " << round << ", victim " << round % 3);
    scsi::RodTokenBytes token;
    {
      ArrayHost on_a(pair.a, "iqn.host:a"), fill(pair.b, "iqn.host:fill");
      on_a.write(0, content(0, copied, 2 * round));
      token = on_a.make_token(0, copied);
      on_a.write(0, content(0, 4096, 7777));  // must not be seen
      fill.write(0, content(0, copied, 2 * round + 1));
    }
    Told told;
    {
      const auto session = pair.b.log_in("iqn.host:b");
      std::thread copy([&] {
        host::TokenTraffic traffic;
        told.progress = host::offload_write(*session, {token, {}, blocks(0, copied)}, 552, traffic);
        told.answered = !told.progress.trouble || told.progress.trouble->sense.has_value();
      });
      // Each victim once so early that the copy cannot have ended.
      const auto late = static_cast<useconds_t>(random() % (sanitized ? 200000 : 30000));
      ::usleep(round <= 3 ? 2000 : late);
      end(pair, victim);
      copy.join();
    }
    if (victim != Victim::destination) CHECK(told.answered);
    const std::uint64_t claimed = told.progress.blocks.value;
    CHECK(claimed <= copied);
    (claimed == copied ? whole : cut_short) += 1;
    pair.restart(victim);
    {
      ArrayHost on_b(pair.b, "iqn.host:check");
      check_blocks(on_b, copied, claimed, 2 * round + 1, 2 * round);
    }
    check_nothing_held(pair.a);
    check_nothing_held(pair.b);
  }
  WARN(cut_short << " copies were cut short, " << whole << " had ended before");
  check_nothing_left(pair.a);
  check_nothing_left(pair.b);
  CHECK(cut_short > 0);
}
