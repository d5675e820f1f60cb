// A unit that grows and shrinks under its hosts, over iSCSI: data that is on its way meets the size
// of the moment at which it arrives, and every host hears of the change once.
#include <catch2/catch.hpp>

#include "tests/story/world.hpp"

using story::Array;
using story::Host;
using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr std::uint64_t small = 1u << 20, large = 2u << 20;
constexpr std::uint32_t blocks = 32;
const Bytes data(blocks * 512, 0x33), zeros(blocks * 512, 0);

struct Hosts {
  void resize(std::uint64_t bytes) {
    REQUIRE(array.target->resize_unit({0}, base::ByteCount(bytes), array.pool));
  }
  Array array{{"memory:1M", "memory:1M"}, "/tmp"};
  Host a{array, "iqn.host:a"}, b{array, "iqn.host:b"};
};

std::string ready(Host& host, std::uint16_t lun = 0) {
  return story::outcome_of(host.command(lun, {}));
}

}  // namespace

TEST_CASE("both hosts hear once that the capacity has changed") {
  Hosts hosts;
  hosts.resize(large);
  for (Host* host : {&hosts.a, &hosts.b}) {
    CHECK(ready(*host, 1) == "GOOD");
    CHECK(ready(*host) == "06/2A/09");
    CHECK(ready(*host) == "GOOD");
    CHECK(host->write(0, small / 512, data).is_good());
  }
  CHECK(hosts.b.read(0, small / 512, blocks) == data);
}

TEST_CASE("a write that waits for its data while its blocks are cut off writes nothing") {
  Hosts hosts;
  const std::uint64_t last = small / 512 - blocks;
  const Bytes r2t = hosts.a.start_write(0, last, blocks);
  hosts.resize(small / 2);
  // Its unit attention is told first: the command has not run.
  CHECK_FALSE(hosts.a.finish_write(r2t, data).empty());
  CHECK(story::outcome_of(hosts.a.write(0, last, data)) == "05/21/00");
  hosts.resize(small);
  CHECK(ready(hosts.a) == "06/2A/09");
  CHECK(hosts.a.read(0, last, blocks) == zeros);
}

TEST_CASE("a write behind the end is asked for its data, which may come when there is room") {
  Hosts hosts;
  const std::uint64_t behind = small / 512;
  const Bytes r2t = hosts.a.start_write(0, behind, blocks);
  REQUIRE_FALSE(r2t.empty());
  hosts.resize(large);
  const Bytes answer = hosts.a.finish_write(r2t, data);
  REQUIRE(answer.size() >= 48);
  // CHECK CONDITION: the unit attention. Never GOOD without the data.
  CHECK(answer[3] == 0x02);
  CHECK(hosts.a.read(0, behind, blocks) == zeros);
  CHECK(hosts.a.write(0, behind, data).is_good());
  CHECK(hosts.a.read(0, behind, blocks) == data);
}
