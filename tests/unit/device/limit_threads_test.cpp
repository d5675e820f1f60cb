// Limits of copies that change under the threads of other sessions.
#include <atomic>

#include "tests/unit/device/copy_world.hpp"
#include "tests/unit/device/threaded_host.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("limits that change under other threads are always wholly one or the other",
          "[threads]") {
  World world({{scsi::Lun{3}, make_unit(13, memory(unit_bytes), 512)}});
  base::WorkPool pool(2);
  ThreadedHost a(world, pool, "iqn.host:a", 101), b(world, pool, "iqn.host:b", 102);
  std::atomic<bool> ends{false};
  std::atomic<int> torn{0}, populated{0}, refused{0};
  const auto look = [&](ThreadedHost& host, std::uint32_t id) {
    const Bytes list = populate_list({{0, 1}, {2, 1}, {4, 1}, {6, 1}, {8, 1}, {10, 1}});
    while (!ends) {
      const Answer page = host.run(cdb_of("12 01 8F 04 00 00"), {}, 3);
      const std::uint64_t ranges = base::load_be(page.data, 14, 2);
      const std::uint64_t seconds = base::load_be(page.data, 20, 4);
      torn += seconds != ranges * 10 ? 1 : 0;
      const Answer answer = host.run(token_cdb(0x10, id, list.size()), list, 3);
      populated += answer.good() ? 1 : 0;
      refused += answer.sense && answer.sense->additional == scsi::AdditionalSense{0x26, 0x08};
    }
  };
  const auto limit = [&](std::uint16_t ranges) {
    copymgr::CopyLimits limits;
    limits.maximum_range_descriptors = ranges;
    limits.default_inactivity_timeout_seconds = ranges * 10u;
    world.target->limit_copies({3}, limits, pool);
  };
  limit(5);
  std::thread of_a([&] { look(a, 1); }), of_b([&] { look(b, 2); });
  for (int i = 0; i < 200 || populated == 0 || refused == 0; ++i)
    limit(i % 2 == 0 ? 9 : 5);
  ends = true;
  of_a.join();
  of_b.join();
  CHECK(torn == 0);
}
