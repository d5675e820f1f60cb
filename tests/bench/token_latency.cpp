// What tokens cost a host: makes tokens until so many live, then times POPULATE TOKEN with RECEIVE
// ROD TOKEN INFORMATION, one after the other, as a host sees them. Prints one JSON document.
//   token_latency URL LIVE PAIRS      the unit has 512-byte blocks and room for LIVE + PAIRS tokens
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "tools/host/session.hpp"
#include "tools/host/token_commands.hpp"

namespace {

constexpr base::BlockCount blocks_of_token{16};
constexpr std::uint32_t inactivity_timeout_seconds = 600;

base::BlockRange range_of(std::uint64_t number) {
  constexpr std::uint64_t places = 4096;
  return {base::Lba(number % places * blocks_of_token.value), blocks_of_token};
}

// Nullopt: it was not made, which is told.
std::optional<double> microseconds_of(host::Session& session, std::uint64_t number,
                                      host::TokenTraffic& traffic) {
  const base::SystemClock clock;
  const base::Instant before = clock.now();
  const auto token =
      host::offload_read(session, range_of(number), inactivity_timeout_seconds, traffic);
  const base::Duration took = clock.now() - before;
  if (token) return std::chrono::duration<double, std::micro>(took).count();
  fmt::print(stderr, "token_latency: {}\n", token.error().text);
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const auto url = argc == 4 ? host::parse_url(argv[1]) : base::fail(std::string("URL LIVE PAIRS"));
  const std::uint64_t live = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::uint64_t pairs = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if (!url || pairs == 0) return fmt::print(stderr, "usage: token_latency URL LIVE PAIRS\n"), 2;
  const auto session = host::Session::open(*url, {});
  if (!session) return fmt::print(stderr, "token_latency: {}\n", session.error()), 1;
  host::execute_patiently(**session, host::make_command(scsi::CdbLayout{"TUR", 0}));
  host::TokenTraffic traffic;
  std::vector<double> all;
  for (std::uint64_t i = 0; i < live + pairs; ++i) {
    const auto took = microseconds_of(**session, i, traffic);
    if (!took) return 1;
    if (i >= live) all.push_back(*took);
  }
  std::sort(all.begin(), all.end());
  const auto at = [&all](double part) {
    return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))];
  };
  fmt::print(R"({{"live":{},"pairs":{},"p50_microseconds":{:.1f},"p99_microseconds":{:.1f}}})"
             "\n",
             live, pairs, at(0.5), at(0.99));
}
