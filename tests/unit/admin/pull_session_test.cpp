// How an array meets another member of its group: two arrays in this process, with loopback between
// them. Which sessions are kept, what they can read, what becomes of one that has gone stale.
#include <future>
#include <thread>

#include "copymgr/inspection.hpp"
#include "copymgr/pull_source.hpp"
#include "target/admin/group_keeper.hpp"
#include "target/device/pull_server.hpp"
#include "tests/unit/copymgr/copy_world.hpp"

using namespace copymgr;
using namespace copymgr::test;

namespace {

constexpr CopyManagerDesignator creator_own{0xaa, 1}, opener_own{0xbb, 2};
constexpr const char* secret = "a secret of the group";

// How the creator answers PULL CHALLENGE.
enum class ChallengeManner { as_it_is, next_version, refuses, is_somebody_else };

// A session of the pull channel that can be told to misbehave.
class Bent final : public device::TaskServer {
 public:
  Bent(std::unique_ptr<device::TaskServer> inner, const std::atomic<ChallengeManner>& manner,
       std::atomic<int>& alive)
      : inner_(std::move(inner)), manner_(manner), alive_(alive) {
    ++alive_;
  }
  ~Bent() override { --alive_; }
  base::ByteCount data_out_wanted(const device::Task& task) const override {
    return inner_->data_out_wanted(task);
  }
  void accept(device::Task& task) override { inner_->accept(task); }
  void execute(device::Task& task) override {
    const bool challenge = task.cdb[0] == 0xcc && (task.cdb[1] & 0x1f) == 0;
    if (!challenge || manner_ == ChallengeManner::as_it_is) return inner_->execute(task);
    if (manner_ == ChallengeManner::refuses) {
      return task.finish_check_condition(
          scsi::sense::illegal_request(scsi::asc::command_sequence_error));
    }
    Bytes answer(56);  // docs/adr/0005
    base::store_be16(answer, 0, 0x434d);
    base::store_be16(answer, 2, manner_ == ChallengeManner::next_version ? 2 : 1);
    answer[8] = 0xcc;
    task.finish_data(answer, 56);
  }
  void stop(device::Task& task) override { inner_->stop(task); }
  void manage(device::TaskManagementFunction function, std::uint64_t lun_field,
              Managed done) override {
    inner_->manage(function, lun_field, std::move(done));
  }
  void set_owner(device::TaskOwner* owner) override { inner_->set_owner(owner); }

 private:
  const std::unique_ptr<device::TaskServer> inner_;
  const std::atomic<ChallengeManner>& manner_;
  std::atomic<int>& alive_;
};

// The array that made the tokens. Its portal can go and come again.
struct Creator {
  Creator() {
    volume.volume.limits.remote_tokens = RemoteTokens::group;
    copies.manager.attach(volume.volume);
    copies.manager.meet(peers);
    open_portal();
  }
  ~Creator() { close_portal(); }

  void open_portal() {
    net::ServerSettings settings;
    settings.workers = 1;
    server = std::make_unique<net::Server>(settings, clock, randomness, copies.inline_pool);
    keeper =
        std::make_unique<admin::GroupKeeper>(peers, copies.manager, *server, copies.inline_pool);
    keeper->set(Group{"west", secret, {}});
    server->directory().change([this](net::Directory& directory) {
      directory.hidden->serve = [this](const std::string& opener,
                                       const device::WorkerContext& worker) {
        ++logins;
        return std::make_unique<Bent>(
            std::make_unique<device::PullServer>(copies.manager, peers, opener, worker), manner,
            alive);
      };
    });
    const auto bound = server->listen({*net::parse_endpoint(portal)});
    REQUIRE(bound);
    portal = net::to_text(*bound);
    std::promise<void> ready;
    thread = std::thread([this, &ready] { server->run([&ready] { ready.set_value(); }); });
    ready.get_future().wait();
  }
  void close_portal() {
    server->stop();
    thread.join();
    keeper.reset();
    server.reset();
  }
  std::uint32_t leases() {
    std::uint32_t all = 0;
    for (const TokenFacts& token : copies.manager.tokens(false))
      all += token.uses_running;
    return all;
  }

  base::SystemClock clock;
  base::SystemRandomness randomness;
  std::atomic<int> logins{0}, alive{0};
  std::atomic<ChallengeManner> manner{ChallengeManner::as_it_is};
  TestVolume volume{1, 4096};
  Peers peers{clock, randomness, creator_own};
  CopyWorld copies;
  std::string portal = "127.0.0.1:0";
  std::unique_ptr<net::Server> server;
  std::unique_ptr<admin::GroupKeeper> keeper;
  std::thread thread;
};

// And the one that pulls.
struct Pulling {
  Pulling() {
    join();
    token = creator.copies.populate(1, {range(0, 2048)}, 30);
  }
  void join(std::uint32_t pulls_at_once = 4) {
    Group group{"west", secret, {{"a", {creator.portal}}}};
    group.limits.pulls_at_once = pulls_at_once;
    peers.set_group(group);
  }
  using Opened = base::Result<std::unique_ptr<PullSource>, CopyFault>;
  Opened open(const scsi::RodTokenBytes& of) {
    return PullSource::open(peers, of, [] { return false; });
  }
  Opened open() { return open(token); }
  static Bytes read(PullSource& source, std::uint64_t first, std::uint64_t count) {
    Bytes out;
    const auto streamed = source.unit().stream(
        base::to_extent(range(first, count), block_length), source.block_length(),
        {[&](base::ByteOffset, base::ByteView bytes) -> store::StoreResult<> {
           out.insert(out.end(), bytes.begin(), bytes.end());
           return {};
         },
         [&](base::Extent hole) -> store::StoreResult<> {
           out.resize(out.size() + hole.length.value);
           return {};
         }});
    return streamed.trouble ? Bytes{} : out;
  }
  // One WRITE USING TOKEN's worth.
  Bytes pull(const scsi::RodTokenBytes& of, std::uint64_t first, std::uint64_t count) {
    const auto source = open(of);
    return source ? read(**source, first, count) : Bytes{};
  }
  void wait_until_nothing_is_leased() {
    for (int i = 0; i < 2000 && creator.leases() != 0; ++i)
      std::this_thread::sleep_for(5ms);
    CHECK(creator.leases() == 0);
  }
  Peer& peer() { return *peers.all().at(0); }
  std::size_t kept() { return peer().sessions().count(); }

  Creator creator;
  base::ManualClock clock;
  base::SystemRandomness randomness;
  Peers peers{clock, randomness, opener_own};
  scsi::RodTokenBytes token;
};

}  // namespace

TEST_CASE("pull session: one login serves one pull after another, and holds no token between",
          "[threads]") {
  Pulling world;
  const Bytes data = world.creator.volume.read(0, 2048);
  world.creator.volume.write(0, Bytes(512 * 100, 0x5a));  // not what the token stands for
  for (int i = 0; i < 5; ++i) {
    CHECK((world.pull(world.token, 0, 2048) == data));
    CHECK(world.kept() == 1);
    world.wait_until_nothing_is_leased();
  }
  CHECK(world.creator.logins == 1);
  CHECK(world.peer().facts().counters.logins == 1);
  CHECK(world.creator.alive == 1);
}

TEST_CASE("pull session: what was read before is not there any more, nor what is not the token's",
          "[threads]") {
  Pulling world;
  const auto second = world.creator.copies.populate(1, {range(3000, 8)}, 30);
  CHECK_FALSE(world.pull(world.token, 0, 2048).empty());
  const auto source = world.open(second);
  REQUIRE(source);
  CHECK(world.creator.logins == 1);
  CHECK((Pulling::read(**source, 0, 8) == world.creator.volume.read(3000, 8)));
  CHECK(Pulling::read(**source, 8, 1).empty());
  CHECK(world.creator.leases() == 1);
}

TEST_CASE("pull session: a session that idles keeps no token alive", "[threads]") {
  Pulling world;
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
  world.wait_until_nothing_is_leased();
  world.creator.copies.clock.advance(29s);
  world.creator.copies.manager.expire();
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());  // its timer starts anew
  world.wait_until_nothing_is_leased();
  world.creator.copies.clock.advance(31s);
  world.creator.copies.manager.expire();
  CHECK(world.kept() == 1);
  const auto expired = world.open();
  REQUIRE_FALSE(expired);
  CHECK(expired.error().kind == CopyFault::Kind::token);
  CHECK(expired.error().token_fault == tokens::TokenFault::expired);
}

TEST_CASE("pull session: a stale one is replaced by one new login, unseen", "[threads]") {
  Pulling world;
  const Bytes data = world.creator.volume.read(0, 2048);
  CHECK((world.pull(world.token, 0, 2048) == data));
  world.wait_until_nothing_is_leased();
  SECTION("its connection has ended") {
    world.creator.close_portal();
    world.creator.open_portal();
    CHECK((world.pull(world.token, 0, 2048) == data));
    CHECK(world.creator.logins == 2);
  }
  SECTION("there is nobody to log in to any more either") {
    world.creator.close_portal();
    const auto opened = world.open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().kind == CopyFault::Kind::creator_unreachable);
    CHECK(world.peer().facts().state == PeerState::unreachable);
    world.creator.open_portal();
    CHECK((world.pull(world.token, 0, 2048) == data));
  }
  SECTION("what it says has changed: a new one is asked once, and believed") {
    for (const ChallengeManner manner :
         {ChallengeManner::refuses, ChallengeManner::is_somebody_else,
          ChallengeManner::next_version}) {
      world.creator.manner = manner;
      const int before = world.creator.logins;
      CHECK_FALSE(world.open());
      CHECK(world.creator.logins == before + 1);
      CHECK(world.kept() == 0);
      world.creator.manner = ChallengeManner::as_it_is;
      CHECK((world.pull(world.token, 0, 2048) == data));
    }
  }
  CHECK(world.kept() == 1);
}

TEST_CASE("pull session: one that was broken off is not kept", "[threads]") {
  Pulling world;
  {
    const auto source = world.open();
    REQUIRE(source);
    const auto streamed = (*source)->unit().stream(
        {base::ByteOffset(), base::ByteCount(1 << 20)}, (*source)->block_length(),
        {[](base::ByteOffset, base::ByteView) -> store::StoreResult<> {
           return base::fail(store::StoreError{store::StoreError::Kind::no_space});
         },
         {}});
    CHECK(streamed.not_taken);
    CHECK(streamed.bytes.value == 0);
  }
  CHECK(world.kept() == 0);
  world.wait_until_nothing_is_leased();
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
  CHECK(world.creator.logins == 2);
}

TEST_CASE("pull session: a session that nobody uses is given back, and those of another group",
          "[threads]") {
  Pulling world;
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
  world.clock.advance(KeptSessions::idle_max - 1ms);
  world.peers.end_idle_sessions();
  CHECK(world.kept() == 1);
  world.clock.advance(1ms);
  world.peers.end_idle_sessions();
  CHECK(world.kept() == 0);
  for (int i = 0; i < 2000 && world.creator.alive != 0; ++i)
    std::this_thread::sleep_for(5ms);
  CHECK(world.creator.alive == 0);

  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
  CHECK(world.creator.logins == 2);
  world.join();  // the same member: its facts stay, its sessions are not taken
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
  CHECK(world.creator.logins == 3);
  world.peers.set_group(std::nullopt);
  for (int i = 0; i < 2000 && world.creator.alive != 0; ++i)
    std::this_thread::sleep_for(5ms);
  CHECK(world.creator.alive == 0);
}

TEST_CASE("pull session: as many are kept as may be in use at once", "[threads]") {
  Pulling world;
  world.join(2);
  {
    const auto one = world.open(), two = world.open(), three = world.open();
    REQUIRE((one && two && three));
    CHECK(world.creator.leases() == 3);
    CHECK(world.kept() == 0);
  }
  CHECK(world.kept() == 2);
  CHECK(world.creator.logins == 3);
  world.wait_until_nothing_is_leased();
}

TEST_CASE("pull session: DEL_TKN in a kept session deletes, and the session is good for others",
          "[threads]") {
  Pulling world;
  const auto second = world.creator.copies.populate(1, {range(3000, 8)}, 30);
  {
    const auto source = world.open();
    REQUIRE(source);
    CHECK((*source)->remove_token());
  }
  CHECK(world.kept() == 1);
  CHECK((world.pull(second, 0, 8) == world.creator.volume.read(3000, 8)));
  CHECK(world.creator.logins == 1);
  const auto deleted = world.open();
  REQUIRE_FALSE(deleted);
  CHECK(deleted.error().token_fault == tokens::TokenFault::deleted);
}

TEST_CASE("pull: a member with another version of the protocol says so", "[threads]") {
  Pulling world;
  world.creator.manner = ChallengeManner::next_version;
  const std::string wanted = "a has version 2 of the pull protocol, this array version 1";
  const auto probed = probe(world.peers, world.peer());
  REQUIRE_FALSE(probed);
  CHECK(probed.error() == wanted);
  const auto opened = world.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == CopyFault::Kind::creator_unreachable);
  CHECK(world.peer().facts().state == PeerState::unreachable);
  CHECK(world.peer().facts().trouble == wanted);
  CHECK(world.creator.leases() == 0);
  world.creator.manner = ChallengeManner::as_it_is;  // it has been updated
  CHECK(probe(world.peers, world.peer()) == creator_own);
  CHECK_FALSE(world.pull(world.token, 0, 8).empty());
}
