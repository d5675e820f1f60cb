// The link between two arrays is cut at random moments of a copy, for a while or until the array
// that pulls gives up: no wrong byte, no claim of a block that is not written, nothing left behind.
// Two network namespaces, so needs root.
#include <random>
#include <thread>

#include "tests/support/array_pair.hpp"
#include "tests/support/network_namespaces.hpp"

using namespace test;

namespace {

using Side = Namespaces::Side;

constexpr std::uint64_t copied = 32768;  // blocks: 16 MiB, a quarter of a second at this bandwidth
constexpr const char* bandwidth = R"(,"bytes_per_second":67108864)";
constexpr unsigned short_cuts = 12, long_cuts = 2;

// Hosts reach each array on the loopback of its namespace, which stays up.
struct Linked {
  explicit Linked(const Namespaces& all) : namespaces(all) {
    {
      const Namespaces::Visit here(namespaces, Side::a);
      a.start("0=file:" + a.path("a.img,size=64M"),
              {"--portal", fmt::format("{}:3999", Namespaces::address_a)});
    }
    {
      const Namespaces::Visit there(namespaces, Side::b);
      b.start("0=file:" + b.path("b.img,size=64M"));
    }
    join(a, {{"b", "10.99.1.2:3999"}});
    join(b, {{"a", fmt::format("{}:3999", Namespaces::address_a)}}, group_secret, bandwidth);
  }
  // A host's session to an array.
  ArrayHost host_of(Side side, const std::string& initiator) const {
    const Namespaces::Visit visit(namespaces, side);
    return ArrayHost(side == Side::a ? a : b, initiator);
  }
  // Puts new content on both, and makes a token of A's.
  scsi::RodTokenBytes prepare(unsigned round) const {
    ArrayHost on_a = host_of(Side::a, "iqn.host:a"), on_b = host_of(Side::b, "iqn.host:fill");
    on_a.write(0, content(0, copied, 2 * round));
    const auto token = on_a.make_token(0, copied, 600);
    on_a.write(0, content(0, 4096, 7777));  // must not be seen
    on_b.write(0, content(0, copied, 2 * round + 1));
    return token;
  }
  void check(unsigned round, std::uint64_t claimed) const {
    ArrayHost on_b = host_of(Side::b, "iqn.host:check");
    check_blocks(on_b, copied, claimed, 2 * round + 1, 2 * round);
  }

  const Namespaces& namespaces;
  Daemon a, b;
};

// A copy of it all that runs while the link is cut.
class Copy {
 public:
  Copy(const Linked& world, const scsi::RodTokenBytes& token)
      : host_(world.host_of(Side::b, "iqn.host:b")), thread_([this, token] {
          progress_ = host_.use(token, 0, copied);
          ended_ = true;
        }) {}
  ~Copy() { thread_.join(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  // What the host was told; the host always is, as its own path stays up.
  const host::WriteProgress& wait() const {
    while (!ended_)
      ::usleep(2000);
    return progress_;
  }

 private:
  ArrayHost host_;
  host::WriteProgress progress_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("two arrays: the link between them is cut at random moments of a copy") {
  const Namespaces namespaces;
  if (!namespaces.usable()) {
    WARN("SKIPPED: no network namespaces could be made (not root?)");
    return;
  }
  const Linked world(namespaces);
  std::mt19937 random(20261121);
  unsigned cut_short = 0;
  for (unsigned round = 1; round <= short_cuts + long_cuts; ++round) {
    const bool until_given_up = round > short_cuts;
    INFO("round " << round);
    const auto token = world.prepare(round);
    std::uint64_t claimed = 0;
    {
      const Copy copy(world, token);
      ::usleep(static_cast<useconds_t>(random() % (until_given_up ? 100000 : 300000)));
      REQUIRE(namespaces.set_link(false));
      if (!until_given_up) {
        ::usleep(static_cast<useconds_t>(random() % 800000));
        REQUIRE(namespaces.set_link(true));
      }
      claimed = copy.wait().blocks.value;
    }
    CHECK(claimed <= copied);
    cut_short += claimed < copied ? 1 : 0;
    // A cut that TCP mends costs time, never data.
    if (!until_given_up) CHECK(claimed == copied);
    world.check(round, claimed);
    if (until_given_up) {
      // Nobody can be asked now: nothing is written.
      ArrayHost on_b = world.host_of(Side::b, "iqn.host:again");
      check_refused(on_b.use(token, 0, copied), scsi::SenseKey::illegal_request,
                    scsi::asc::unreachable_copy_target);
      world.check(round, claimed);
      REQUIRE(namespaces.set_link(true));
      // The network takes its time to find the other end again; until then nothing is written.
      std::uint64_t blocks = 0;
      for (int tries = 0; blocks == 0 && tries < 30; ++tries) {
        if (tries > 0) ::sleep(1);
        blocks = on_b.use(token, 0, copied).blocks.value;
      }
      CHECK(blocks == copied);
      world.check(round, copied);
    }
    check_nothing_held(world.a);
    check_nothing_held(world.b);
  }
  check_nothing_left(world.a);
  check_nothing_left(world.b);
  CHECK(cut_short == long_cuts);
}
