// Limits of copies that change while two hosts are logged in, over iSCSI: both hear of it once,
// page 8Fh tells the new ones at once, and what comes next is held to them.
#include <catch2/catch.hpp>

#include "tests/story/world.hpp"

using story::Array;
using story::Host;
using Bytes = std::vector<std::uint8_t>;

namespace {

struct Hosts {
  void limit(std::uint16_t ranges, std::uint64_t token_bytes) {
    copymgr::CopyLimits limits;
    limits.maximum_range_descriptors = ranges;
    limits.maximum_token_transfer = base::ByteCount(token_bytes);
    array.target->limit_copies({0}, limits, array.pool);
  }
  Array array{{"memory:1M", "memory:1M"}, "/tmp"};
  Host a{array, "iqn.host:a"}, b{array, "iqn.host:b"};
};

std::string ready(Host& host, std::uint16_t lun = 0) {
  return story::outcome_of(host.command(lun, {}));
}

// INQUIRY, EVPD, page 8Fh: bytes 14-15 MAXIMUM RANGE DESCRIPTORS, 24-31 MAXIMUM TOKEN TRANSFER
// SIZE.
struct Told {
  std::uint64_t ranges = 0, blocks = 0;
  bool operator==(const Told&) const = default;
};
Told told(Host& host) {
  scsi::CdbBytes inquiry{0x12, 0x01, 0x8f, 0x04, 0x00};
  const Bytes page = host.command(0, inquiry, {}, 1024).data;
  REQUIRE(page.size() > 40);
  return {base::load_be16(page, 14), base::load_be64(page, 24)};
}

scsi::PopulateToken ask(std::uint64_t ranges, std::uint64_t blocks) {
  scsi::PopulateToken out;
  for (std::uint64_t i = 0; i < ranges; ++i)
    out.ranges.push_back({base::Lba(i * 100), base::BlockCount(blocks)});
  return out;
}

}  // namespace

TEST_CASE("two hosts while limits go down and up again") {
  Hosts hosts;
  const Told before = told(hosts.a);
  CHECK(before == Told{64, (256 << 20) / 512});
  CHECK(story::outcome_of(hosts.a.populate(0, 1, ask(4, 8))) == "GOOD");
  const auto kept = hosts.a.result(0, 1);
  REQUIRE(kept);
  REQUIRE(kept->token);
  hosts.limit(3, 16 * 512);
  for (Host* host : {&hosts.a, &hosts.b}) {
    CHECK(ready(*host, 1) == "GOOD");
    CHECK(told(*host) == Told{3, 16});
    CHECK(ready(*host) == "06/3F/03");
    CHECK(ready(*host) == "GOOD");
    CHECK(story::outcome_of(host->populate(0, 2, ask(3, 5))) == "GOOD");
    CHECK(story::outcome_of(host->populate(0, 2, ask(4, 4))) == "05/26/08");
    CHECK(story::outcome_of(host->populate(0, 2, ask(2, 9))) == "05/26/00");
    CHECK(story::outcome_of(host->populate(1, 2, ask(4, 8))) == "GOOD");
  }
  // A token from before stands for all that it did; a WRITE USING TOKEN is held to the new limits
  // of the unit that it writes.
  scsi::WriteUsingToken use;
  use.token = *kept->token;
  use.ranges = {{base::Lba(0), base::BlockCount(32)}};
  CHECK(story::outcome_of(hosts.a.write_using(0, 3, use)) == "05/26/00");
  CHECK(story::outcome_of(hosts.a.write_using(1, 3, use)) == "GOOD");
  hosts.limit(64, 256 << 20);
  for (Host* host : {&hosts.a, &hosts.b}) {
    CHECK(told(*host) == before);
    CHECK(ready(*host) == "06/3F/03");
    CHECK(story::outcome_of(host->populate(0, 4, ask(4, 8))) == "GOOD");
  }
  CHECK(story::outcome_of(hosts.a.write_using(0, 3, use)) == "GOOD");
}
