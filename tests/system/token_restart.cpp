// kill -9 (and now and then SIGTERM) in a storm of POPULATE TOKEN, WRITE and WRITE USING TOKEN with
// and without DEL_TKN: after every restart each acknowledged token writes exactly the bytes that
// its ranges held when it was made, and each deleted one is told to be deleted.
#include <atomic>
#include <random>
#include <thread>

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/token_parameters.hpp"
#include "tests/support/live_daemon.hpp"
#include "tools/host/token_commands.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using test::Daemon;

constexpr std::uint32_t block_bytes = 512;
// Each host writes its own blocks, and copies to as many behind all of them.
constexpr std::uint64_t host_blocks = 4096, hosts = 3;
constexpr std::uint32_t timeout_seconds = 3600;

struct Token {
  scsi::RodTokenBytes bytes{};
  Bytes then;
  enum class State { lives, perhaps_deleted, deleted } state = State::lives;
  // Killed while DEL_TKN was under way, before it was acknowledged: what it stands for may have
  // been let go of, and its end not written down (tokens/token_journal.hpp).
  bool may_be_cancelled = false;
};

// One initiator, with what it knows of its blocks and tokens.
class Host {
 public:
  Host(std::uint64_t number, std::uint64_t seed) : number_(number), random_(seed) {}

  void connect(const Daemon& daemon) {
    session_ = daemon.log_in("iqn.host:" + std::to_string(number_));
  }
  void disconnect() { session_.reset(); }

  // Until the connection is lost. An answer that should not be is noted.
  void storm() {
    while (!lost_) {
      switch (random_() % 6) {
        case 0:
        case 1:
          make_token();
          break;
        case 2:
          use_token();
          break;
        default:
          write_somewhere();
      }
    }
    lost_ = false;
  }

  // After a restart, when nothing else runs.
  void check() {
    read_all();
    for (Token& token : tokens_) {
      if (token.state == Token::State::perhaps_deleted) token.may_be_cancelled = true;
      const bool deleted = was_deleted(token, write_using(token, false));
      if (token.state == Token::State::lives) CHECK_FALSE(deleted);
      if (token.state == Token::State::deleted) CHECK(deleted);
      if (deleted) {
        token.state = Token::State::deleted;
      } else {
        token.state = Token::State::lives;
        token.may_be_cancelled = false;
        const bool same = read_blocks(copies_at(), token.then.size() / block_bytes) == token.then;
        CHECK(same);
      }
    }
    CHECK(surprises == std::vector<std::string>{});
  }
  // Half of them live on into the next round.
  void forget_some() {
    if (tokens_.size() > 60) tokens_.erase(tokens_.begin(), tokens_.begin() + 30);
  }
  std::size_t living() const {
    return static_cast<std::size_t>(
        std::count_if(tokens_.begin(), tokens_.end(),
                      [](const Token& token) { return token.state == Token::State::lives; }));
  }
  std::size_t known() const { return tokens_.size(); }

  std::vector<std::string> surprises;

 private:
  std::uint64_t first_block() const { return number_ * host_blocks; }
  std::uint64_t copies_at() const { return (hosts + number_) * host_blocks; }

  bool answered(const host::Reply& reply) {
    lost_ = lost_ || !reply.delivered;
    return reply.delivered;
  }

  host::Reply send(const scsi::CdbLayout& layout, std::uint64_t lba, std::uint64_t blocks,
                   base::ByteView out, base::ByteSpan in) {
    host::Command command = host::make_command(layout);
    base::store_be64(command.cdb, 2, lba);
    base::store_be32(command.cdb, 10, static_cast<std::uint32_t>(blocks));
    command.data_out = out;
    command.data_in = in;
    return host::execute(*session_, command);
  }

  Bytes read_blocks(std::uint64_t lba, std::uint64_t blocks) {
    Bytes out(blocks * block_bytes);
    const host::Reply reply = send(scsi::media::read_16, lba, blocks, {}, out);
    INFO(host::describe(reply));
    REQUIRE(reply.good());
    return out;
  }
  void read_all() { now_ = read_blocks(first_block(), host_blocks); }

  base::BlockRange some_range(std::uint64_t longest) {
    const std::uint64_t at = random_() % host_blocks;
    return {base::Lba(at), base::BlockCount(1 + random_() % std::min(longest, host_blocks - at))};
  }

  void write_somewhere() {
    const base::BlockRange where = some_range(300);
    const Bytes bytes(where.count.value * block_bytes, static_cast<std::uint8_t>(random_()));
    const host::Reply reply = send(scsi::media::write_16, first_block() + where.first.value,
                                   where.count.value, bytes, {});
    if (!answered(reply)) return;
    if (!reply.good()) surprises.push_back("WRITE: " + host::describe(reply));
    std::copy(bytes.begin(), bytes.end(), at(where));
  }

  Bytes::iterator at(const base::BlockRange& range) {
    return now_.begin() + static_cast<std::ptrdiff_t>(range.first.value * block_bytes);
  }

  void make_token() {
    const base::BlockRange range = some_range(1000);
    const auto made =
        host::offload_read(*session_, {base::Lba(first_block() + range.first.value), range.count},
                           timeout_seconds, traffic_);
    if (!made) {
      lost_ = lost_ || !made.error().sense;
      if (made.error().sense) surprises.push_back(made.error().text);
      return;
    }
    const auto from = at(range);
    tokens_.push_back({made->token, Bytes(from, from + static_cast<std::ptrdiff_t>(
                                                           range.count.value * block_bytes))});
  }

  void use_token() {
    if (tokens_.empty()) return;
    Token& token = tokens_[random_() % tokens_.size()];
    if (token.state != Token::State::lives) return;
    const bool remove = random_() % 2 == 0;
    if (remove) token.state = Token::State::perhaps_deleted;
    const host::Reply reply = write_using(token, remove);
    if (!answered(reply)) return;
    if (!reply.good()) surprises.push_back("WRITE USING TOKEN: " + host::describe(reply));
    if (remove) token.state = Token::State::deleted;
  }

  host::Reply write_using(const Token& token, bool remove) {
    scsi::WriteUsingToken request;
    request.delete_token = remove;
    request.token = token.bytes;
    request.ranges = {{base::Lba(copies_at()), base::BlockCount(token.then.size() / block_bytes)}};
    const auto list = scsi::encode(request);
    host::Command command = host::make_command(scsi::write_using_token::layout);
    scsi::token_command::list_identifier.write(command.cdb, traffic_.list_identifiers.next());
    scsi::token_command::parameter_list_length.write(command.cdb, list.size());
    command.data_out = list;
    return host::execute(*session_, command);
  }

  static bool was_deleted(const Token& token, const host::Reply& reply) {
    if (reply.good()) return false;
    INFO(host::describe(reply));
    REQUIRE(reply.sense);
    CHECK(reply.sense->key == scsi::SenseKey::illegal_request);
    const auto told = reply.sense->additional;
    const bool cancelled = told == scsi::asc::token_cancelled && token.may_be_cancelled;
    CHECK((told == scsi::asc::token_deleted || cancelled));
    return true;
  }

  const std::uint64_t number_;
  std::mt19937_64 random_;
  std::unique_ptr<host::Session> session_;
  host::TokenTraffic traffic_;
  std::vector<Token> tokens_;
  Bytes now_ = Bytes(host_blocks * block_bytes);
  bool lost_ = false;
};

}  // namespace

TEST_CASE("tokens survive kill -9 in a storm, to the byte, and deleted ones stay deleted") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Daemon daemon;
  const std::string lun = "0=file:" + daemon.path("lun.img") + ",size=16M";
  std::vector<std::unique_ptr<Host>> all;
  for (std::uint64_t i = 0; i < hosts; ++i)
    all.push_back(std::make_unique<Host>(i, random()));
  std::size_t lived = 0, known = 0;
  for (int round = 0; round < 8; ++round) {
    daemon.start(lun);
    for (const auto& each : all)
      each->connect(daemon);
    for (const auto& each : all)
      each->check();
    for (const auto& each : all)
      each->forget_some();
    std::vector<std::thread> threads;
    for (const auto& each : all)
      threads.emplace_back([&each] { each->storm(); });
    ::usleep(static_cast<unsigned>(100'000 + random() % 300'000));
    const bool well = round % 4 == 3;
    const int status = daemon.end(well ? SIGTERM : SIGKILL);
    for (std::thread& each : threads)
      each.join();
    if (well) CHECK(status == 0);
    for (const auto& each : all) {
      each->disconnect();
      lived += each->living();
      known += each->known();
    }
  }
  daemon.start(lun);
  for (const auto& each : all)
    each->connect(daemon);
  for (const auto& each : all)
    each->check();
  // The storm was one.
  CHECK(lived > 100);
  CHECK(known > lived);
}

TEST_CASE("a daemon that does not keep tokens keeps none, and leaves nothing of an earlier one") {
  Daemon daemon;
  const std::string lun = "0=file:" + daemon.path("lun.img") + ",size=16M";
  const std::vector<std::string> off{"--token-persistence", "off"};
  const std::string side = daemon.path("lun.img.side");
  daemon.start(lun);
  host::TokenTraffic traffic;
  const auto populate = [&] {
    const auto session = daemon.log_in("iqn.host:a");
    const auto made =
        host::offload_read(*session, {base::Lba(0), base::BlockCount(8)}, timeout_seconds, traffic);
    REQUIRE(made);
    return made->token;
  };
  const auto use = [&](const scsi::RodTokenBytes& token) {
    const auto session = daemon.log_in("iqn.host:a");
    return host::offload_write(*session, {token, {}, {base::Lba(100), base::BlockCount(8)}}, 1024,
                               traffic);
  };
  const auto is_unknown = [&](const scsi::RodTokenBytes& token) {
    const auto written = use(token);
    return written.trouble && written.trouble->sense &&
           written.trouble->sense->additional == scsi::asc::token_unknown;
  };
  const auto token = populate();
  daemon.end(SIGKILL);
  CHECK(std::filesystem::exists(side));
  daemon.start(lun, off);
  CHECK(is_unknown(token));
  CHECK_FALSE(std::filesystem::exists(side));
  CHECK_FALSE(std::filesystem::exists(side + "-journal"));
  const auto other = populate();
  daemon.end(SIGTERM);
  // On again: what was before does not come back.
  daemon.start(lun);
  CHECK(is_unknown(token));
  CHECK(is_unknown(other));
  const auto kept = populate();
  daemon.end(SIGKILL);
  // Without the unit its files go.
  daemon.start("1=memory:1M", {"--lun", "0=memory:1M"});
  CHECK_FALSE(std::filesystem::exists(side));
  const auto written = use(kept);
  REQUIRE(written.trouble);
  CHECK(written.trouble->sense->additional == scsi::asc::token_cancelled);
}

TEST_CASE("what POPULATE TOKEN costs, seen by a host", "[!hide]") {
  const base::SystemClock timer;
  for (const std::string persistence : {"on", "off"}) {
    Daemon daemon;
    daemon.start("0=file:" + daemon.path("lun.img") + ",size=64M",
                 {"--token-persistence", persistence, "--max-tokens", "20000"});
    const auto session = daemon.log_in("iqn.host:a");
    scsi::PopulateToken request;
    request.inactivity_timeout_seconds = timeout_seconds;
    request.ranges = {{base::Lba(0), base::BlockCount(2048)}};
    const auto list = scsi::encode(request);
    std::uint32_t list_identifier = 0;
    const auto populate = [&] {
      host::Command command = host::make_command(scsi::populate_token::layout);
      scsi::token_command::list_identifier.write(command.cdb, list_identifier++ % 200);
      scsi::token_command::parameter_list_length.write(command.cdb, list.size());
      command.data_out = list;
      const auto begun = timer.now();
      REQUIRE(host::execute(*session, command).good());
      return static_cast<double>((timer.now() - begun).count()) / 1000;
    };
    for (const int live : {1, 10'000}) {
      while (static_cast<int>(list_identifier) < live)
        populate();
      ::usleep(1'000'000);
      std::vector<double> times(2000);
      std::generate(times.begin(), times.end(), populate);
      std::sort(times.begin(), times.end());
      WARN(persistence << ", " << live << " live tokens: median " << times[1000] << " us, 99 % "
                       << times[1980] << " us, worst " << times.back() << " us");
    }
  }
}
