// A benchmark, not a test: what 10,000 live tokens cost. Run it with
//   build/release/bin/test_system "[.bench]"
// It prints service times as a host sees them; docs/odx.md has a reading.
#include <algorithm>
#include <chrono>
#include <random>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"
#include "tests/support/live_daemon.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr std::uint32_t tokens = 10000, blocks_of_each = 16, timeout_seconds = 30;
constexpr std::uint64_t blocks = (256u << 20) / 512, upper_half = blocks / 2;

struct Times {
  std::vector<double> microseconds;
  void print(const std::string& what) {
    std::sort(microseconds.begin(), microseconds.end());
    const auto at = [this](double part) {
      return microseconds[static_cast<std::size_t>(part *
                                                   static_cast<double>(microseconds.size() - 1))];
    };
    fmt::print("{:<52} p50 {:7.1f}  p99 {:7.1f}  max {:8.1f} us  ({})\n", what, at(0.5), at(0.99),
               at(1), microseconds.size());
  }
};

double timed(host::Session& session, const host::Command& command) {
  const auto before = std::chrono::steady_clock::now();
  const auto reply = host::execute_patiently(session, command);
  const Microseconds took = std::chrono::steady_clock::now() - before;
  REQUIRE(reply.good());
  return took.count();
}

double populate_token(host::Session& session, std::uint32_t number) {
  Bytes list(32, 0);
  list[1] = 0x1e;
  list[15] = 0x10;
  base::store_be32(list, 4, timeout_seconds);
  base::store_be64(list, 16, number % (upper_half / blocks_of_each) * blocks_of_each);
  base::store_be32(list, 24, blocks_of_each);
  host::Command command;
  command.cdb[0] = 0x83;
  command.cdb[1] = 0x10;
  base::store_be32(command.cdb, 6, number);
  base::store_be32(command.cdb, 10, 32);
  command.data_out = list;
  return timed(session, command);
}

struct Writer {
  double write(host::Session& session, std::uint64_t first, std::uint64_t count) {
    host::Command command = host::make_command(scsi::media::write_16);
    base::store_be64(command.cdb, 2, first + random() % (count / 8) * 8);
    base::store_be32(command.cdb, 10, 8);
    command.data_out = data;
    return timed(session, command);
  }
  void fill(host::Session& session, std::uint64_t lba) {
    const Bytes all(1u << 20, 0x11);
    host::Command command = host::make_command(scsi::media::write_16);
    base::store_be64(command.cdb, 2, lba);
    base::store_be32(command.cdb, 10, 2048);
    command.data_out = all;
    timed(session, command);
  }
  std::mt19937_64 random{1};
  Bytes data = Bytes(4096, 0x5a);
};

}  // namespace

TEST_CASE("10,000 live tokens", "[.bench]") {
  test::Daemon daemon;
  const std::string with = fmt::format("0=file:{},size=256M", daemon.path("with.img"));
  daemon.start(
      with, {"--lun", fmt::format("1=file:{},size=256M", daemon.path("without.img")),
             "--max-tokens", "20000", "--workers", "1"});  // or a session has luck with its worker
  const auto tokened = daemon.log_in("iqn.host:bench");
  const auto plain = [&] {
    auto session = daemon.connect("iqn.host:bench", 1);
    REQUIRE(
        host::execute_patiently(*session, host::make_command(scsi::CdbLayout{"TUR", 0})).good());
    return session;
  }();
  Writer writer;
  for (std::uint64_t lba = 0; lba < blocks; lba += 2048) {  // both files take their room first
    writer.fill(*tokened, lba);
    writer.fill(*plain, lba);
  }

  Times first, last;
  for (std::uint32_t i = 0; i < tokens; ++i) {
    const double took = populate_token(*tokened, i);
    if (i < 1000) first.microseconds.push_back(took);
    if (i >= tokens - 1000) last.microseconds.push_back(took);
  }
  const auto made_at = std::chrono::steady_clock::now();
  first.print("POPULATE TOKEN, the first 1,000");
  last.print("POPULATE TOKEN, the last 1,000 of 10,000");

  // Turn by turn, so that what else the machine does meets both.
  Times beside, without;
  std::vector<double> ratios;
  for (int round = 0; round < 20; ++round) {
    double sum_beside = 0, sum_without = 0;
    for (int i = 0; i < 250; ++i) {
      sum_beside +=
          beside.microseconds.emplace_back(writer.write(*tokened, upper_half, upper_half));
      sum_without +=
          without.microseconds.emplace_back(writer.write(*plain, upper_half, upper_half));
    }
    ratios.push_back(sum_beside / sum_without);
  }
  without.print("4 KiB random WRITE, LUN without tokens");
  beside.print("4 KiB random WRITE, beside 10,000 tokens");
  std::sort(ratios.begin(), ratios.end());
  fmt::print("ratio of the two, 20 rounds: median {:.3f}, {:.3f} to {:.3f}\n", ratios[10],
             ratios.front(), ratios.back());
  Times over;
  for (int i = 0; i < 2000; ++i)
    over.microseconds.push_back(writer.write(*tokened, 0, tokens * blocks_of_each));
  over.print("4 KiB random WRITE, over what tokens hold");

  // They expire within a second of each other, and the daemon looks every second.
  Times before, across;
  const auto expiry = made_at + std::chrono::seconds(timeout_seconds);
  while (std::chrono::steady_clock::now() < expiry + std::chrono::seconds(4)) {
    const bool early = std::chrono::steady_clock::now() < expiry - std::chrono::seconds(12);
    (early ? before : across).microseconds.push_back(writer.write(*plain, 0, blocks));
  }
  before.print("4 KiB random WRITE, no token expires");
  across.print("4 KiB random WRITE, while all of them expire");
}
