// Eight hosts, each with a session and a thread of its own, count in one block by COMPARE AND WRITE
// over iSCSI, as clusters take locks: no increment is lost.
#include <atomic>
#include <thread>

#include "scsi/block_cdbs.hpp"
#include "scsi/verify_cdbs.hpp"
#include "tests/support/live_daemon.hpp"
#include "tests/support/sanitized.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t counter_lba = 77;
constexpr unsigned hosts = 8;
// A sanitizer's daemon is many times slower; 100,000 in all otherwise.
constexpr unsigned increments_of_each = test::sanitized ? 250 : 12500;

// The number in every eight bytes, so that a torn block shows.
Bytes block_of(std::uint64_t number) {
  Bytes block(block_bytes);
  for (std::size_t at = 0; at < block.size(); at += 8)
    base::store_be64(block, at, number);
  return block;
}

std::optional<std::uint64_t> read_counter(host::Session& session) {
  Bytes block(block_bytes);
  host::Command command = host::make_command(scsi::media::read_16);
  scsi::media::lba_16.write(command.cdb, counter_lba);
  scsi::media::length_16.write(command.cdb, 1);
  command.data_in = block;
  if (!host::execute(session, command).good()) return std::nullopt;
  const std::uint64_t number = base::load_be64(block, 0);
  return block == block_of(number) ? std::optional(number) : std::nullopt;
}

// GOOD or MISCOMPARE, or something that must not be.
enum class Swapped { yes, no, failed };
Swapped swap(host::Session& session, std::uint64_t from, std::uint64_t to) {
  Bytes both = block_of(from);
  const Bytes fresh = block_of(to);
  both.insert(both.end(), fresh.begin(), fresh.end());
  host::Command command = host::make_command(scsi::compare_and_write::layout);
  scsi::media::lba_16.write(command.cdb, counter_lba);
  scsi::compare_and_write::count.write(command.cdb, 1);
  command.data_out = both;
  const host::Reply reply = host::execute(session, command);
  if (reply.good()) return Swapped::yes;
  const bool differs = reply.sense && reply.sense->key == scsi::SenseKey::miscompare;
  return differs ? Swapped::no : Swapped::failed;
}

// How many increments the host made before anything went wrong.
unsigned count_up(host::Session& session) {
  auto seen = read_counter(session);
  for (unsigned made = 0; made < increments_of_each;) {
    if (!seen) return made;
    const Swapped swapped = swap(session, *seen, *seen + 1);
    if (swapped == Swapped::failed) return made;
    if (swapped == Swapped::no) {
      seen = read_counter(session);
      continue;
    }
    ++*seen;
    ++made;
  }
  return increments_of_each;
}

}  // namespace

TEST_CASE("eight sessions count by COMPARE AND WRITE over iSCSI, and no increment is lost") {
  test::Daemon daemon;
  daemon.start("0=file:" + daemon.path("counter.img") + ",size=1M");
  std::vector<std::unique_ptr<host::Session>> sessions;
  for (unsigned i = 0; i < hosts; ++i)
    sessions.push_back(daemon.log_in("iqn.host:" + std::to_string(i)));
  std::atomic<unsigned> made{0};
  std::vector<std::thread> threads;
  for (const auto& session : sessions)
    threads.emplace_back([&made, &session] { made += count_up(*session); });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(made == hosts * increments_of_each);
  CHECK(read_counter(*sessions.front()) == hosts * increments_of_each);
  sessions.clear();
  CHECK(daemon.end(SIGTERM) == 0);
}
