// Two cluster nodes and one disk, over iSCSI: a node that was thrown out writes nothing more,
// whatever it had on its way.
#include <catch2/catch.hpp>

#include "scsi/persistent_reserve.hpp"
#include "tests/story/world.hpp"

using story::Answer;
using story::Array;
using story::Host;
using Bytes = std::vector<std::uint8_t>;
namespace pr = scsi::persistent_reserve_out;

namespace {

constexpr std::uint8_t write_exclusive_registrants_only = 5;
constexpr std::uint64_t key_a = 0xaaaa, key_b = 0xbbbb;
constexpr std::uint32_t blocks = 32;
const Bytes old_data(blocks * 512, 0x11), late_data(blocks * 512, 0x22);

Answer reserve_out(Host& host, const scsi::CdbLayout& layout, std::uint64_t key,
                   std::uint64_t action_key) {
  scsi::CdbBytes cdb = scsi::make_cdb(layout);
  cdb[2] = write_exclusive_registrants_only;
  cdb[8] = 24;
  Bytes list(24);
  base::store_be64(list, 0, key);
  base::store_be64(list, 8, action_key);
  return host.command(0, cdb, list);
}

struct Cluster {
  Cluster() {
    REQUIRE(a.write(0, 0, old_data).is_good());
    REQUIRE(reserve_out(a, pr::register_key, 0, key_a).is_good());
    REQUIRE(reserve_out(b, pr::register_key, 0, key_b).is_good());
    REQUIRE(reserve_out(b, pr::reserve, key_b, 0).is_good());
  }
  Array array{{"memory:1M"}, "/tmp"};
  Host a{array, "iqn.node:a"}, b{array, "iqn.node:b"};
};

}  // namespace

TEST_CASE("PREEMPT AND ABORT ends a write that waits for its data: unanswered, and nothing lands") {
  Cluster cluster;
  const Bytes r2t = cluster.b.start_write(0, 0, blocks);
  CHECK(reserve_out(cluster.a, pr::preempt_and_abort, key_a, key_b).is_good());
  CHECK(cluster.b.finish_write(r2t, late_data).empty());
  CHECK(cluster.b.connected());
  CHECK(cluster.a.read(0, 0, blocks) == old_data);
  // It hears once why, then only of the conflict; reading goes on (write exclusive).
  CHECK(story::outcome_of(cluster.b.write(0, 0, late_data)) == "06/2A/05");
  CHECK(cluster.b.write(0, 0, late_data).status == scsi::Status::reservation_conflict);
  CHECK(cluster.b.read(0, 0, blocks) == old_data);
  CHECK(cluster.a.write(0, 0, late_data).is_good());
}

TEST_CASE("PREEMPT leaves the task, whose data then comes too late") {
  Cluster cluster;
  const Bytes first = cluster.b.start_write(0, 0, blocks);
  const Bytes second = cluster.b.start_write(0, 0, blocks);
  CHECK(reserve_out(cluster.a, pr::preempt, key_a, key_b).is_good());
  const Bytes told = cluster.b.finish_write(first, late_data);
  REQUIRE(told.size() > 48);
  CHECK(told[0] == 0x21);
  CHECK(told[3] == 0x02);  // CHECK CONDITION: 2A/05
  const Bytes refused = cluster.b.finish_write(second, late_data);
  REQUIRE(refused.size() == 48);
  CHECK(refused[3] == 0x18);  // RESERVATION CONFLICT
  CHECK(cluster.a.read(0, 0, blocks) == old_data);
}

TEST_CASE("a registrant is the ISID of its login and the port that it came through") {
  Cluster cluster;
  scsi::CdbBytes cdb = scsi::make_cdb(scsi::persistent_reserve_in::read_full_status);
  cdb[7] = 1;
  const Answer status = cluster.a.command(0, cdb, {}, 256);
  REQUIRE(status.is_good());
  REQUIRE(status.data.size() >= 8 + 2 * 24);
  const auto id = scsi::decode_transport_id(status.data, 8 + 24, status.data.size());
  REQUIRE(id);
  CHECK(id->id.name == "iqn.node:a");
  // The story's logins put 80h and a running number into the ISID.
  CHECK(id->id.isid == 0x800000000001u);
  CHECK(base::load_be16(status.data, 8 + 18) == 1);
}
