// SANITIZE against writes of another thread: what was acknowledged before is erased, and nothing
// lands afterwards.
#include <atomic>

#include "tests/unit/device/operation_world.hpp"
#include "tests/unit/device/threaded_host.hpp"

using namespace device;
using namespace device::test;

namespace {

// Zeroes nothing before it is told to: SANITIZE stays under way until then. It is the only one who
// zeroes here.
class HeldBack final : public store::Store {
 public:
  explicit HeldBack(std::unique_ptr<store::Store> below) : below_(std::move(below)) {}
  base::ByteCount size() const override { return below_->size(); }
  std::string describe() const override { return "held back"; }
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    return below_->read(at, into);
  }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView from,
                             store::Durability durability) override {
    return below_->write(at, from, durability);
  }
  store::StoreResult<> write_zeros(base::Extent extent) override {
    goes_on.wait(false);
    return below_->write_zeros(extent);
  }
  store::StoreResult<> flush() override { return below_->flush(); }

  std::atomic<bool> goes_on{false};

 private:
  const std::unique_ptr<store::Store> below_;
};

}  // namespace

TEST_CASE("no write of another thread survives SANITIZE, nor lands after it", "[threads]") {
  auto owned = std::make_unique<HeldBack>(std::make_unique<MediumStore>(std::make_shared<Disk>()));
  HeldBack& held_back = *owned;
  World world({{scsi::Lun{0}, make_unit(10,
                                        std::make_unique<store::Guard>(
                                            std::move(owned), memory(1u << 20),
                                            store::GuardSettings{4096, base::ByteCount(1u << 20)}),
                                        512)}});
  base::WorkPool pool(3);
  ThreadedHost a(world, pool, "iqn.host:a", 101), b(world, pool, "iqn.host:b", 102);
  const Bytes of_b(unit_bytes / 4, 0xbb);
  for (int round = 0; round < 30; ++round) {
    held_back.goes_on = false;
    std::atomic<int> batches{0};
    std::thread writer([&] {
      for (bool refused = false; !refused; ++batches) {
        for (const std::uint64_t lba : {0, 512, 1024, 1536}) {
          const auto answers = b.run_many(8, write_16(lba, 512), of_b);
          for (const Answer& each : answers)
            refused = refused || !each.good();
        }
      }
      held_back.goes_on = true;
      held_back.goes_on.notify_all();
    });
    while (batches == round % 3)
      std::this_thread::yield();
    const Answer sanitized = a.run(cdb_of(block_erase));
    writer.join();
    REQUIRE(sanitized.good());
    for (const std::uint64_t lba : {0, 512, 1024, 1536})
      REQUIRE(a.run(read_16(lba, 512)).data == Bytes(unit_bytes / 4));
  }
}
