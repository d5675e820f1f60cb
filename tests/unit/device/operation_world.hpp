// What the tests of SANITIZE and FORMAT UNIT share: a medium that outlives the unit on it and fails
// on demand, a pool of which each job runs when the test says so.
#pragma once

#include <deque>

#include "tests/unit/device/copy_world.hpp"
#include "tests/unit/device/fake_memory.hpp"

namespace device::test {

// Runs nothing by itself.
class Jobs final : public base::Executor {
 public:
  void post(base::Work work) override { queue_.push_back(std::move(work)); }
  std::size_t waiting() const { return queue_.size(); }
  void run_one() { run_at(0); }
  void run_last() { run_at(queue_.size() - 1); }
  void run_all() {
    while (!queue_.empty())
      run_one();
  }

 private:
  void run_at(std::size_t index) {
    REQUIRE(index < queue_.size());
    base::Work work = std::move(queue_[index]);
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(index));
    work();
  }
  std::deque<base::Work> queue_;
};

struct Disk {
  Bytes bytes = Bytes(unit_bytes);
  std::string name = "file /srv/a.img";
  std::uint64_t writable_bytes = unit_bytes;  // writes behind fail
  bool fail_flushes = false;
};

class MediumStore final : public store::Store {
 public:
  explicit MediumStore(std::shared_ptr<Disk> medium) : medium_(std::move(medium)) {}
  base::ByteCount size() const override { return base::ByteCount(medium_->bytes.size()); }
  std::string describe() const override { return medium_->name; }
  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    std::copy_n(medium_->bytes.begin() + static_cast<std::ptrdiff_t>(at.value), into.size(),
                into.begin());
    return {};
  }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView from, store::Durability) override {
    if (at.value + from.size() > medium_->writable_bytes) {
      return base::fail(store::StoreError{store::StoreError::Kind::write_failed});
    }
    std::copy(from.begin(), from.end(),
              medium_->bytes.begin() + static_cast<std::ptrdiff_t>(at.value));
    return {};
  }
  store::StoreResult<> write_zeros(base::Extent extent) override {
    return write(extent.offset, Bytes(extent.length.value), store::Durability::cached);
  }
  store::StoreResult<> flush() override {
    if (!medium_->fail_flushes) return {};
    return base::fail(store::StoreError{store::StoreError::Kind::write_failed});
  }
  store::StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override {
    return read(at, into);
  }
  store::StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override {
    return write(at, from, store::Durability::cached);
  }

 private:
  const std::shared_ptr<Disk> medium_;
};

constexpr std::uint32_t unit_blocks = unit_bytes / 512;
constexpr std::uint64_t step_bytes = 64 * 1024;  // of a pattern; of zeros eight times as much
constexpr std::size_t steps_a_pass = unit_bytes / step_bytes;

inline std::shared_ptr<LogicalUnit> unit_on(const std::shared_ptr<Disk>& medium) {
  const store::GuardSettings settings{4096, base::ByteCount(1u << 20)};
  LogicalUnitLimits limits;
  limits.operation_step = base::ByteCount(step_bytes);
  limits.operation_mark = base::ByteCount(4 * step_bytes);
  return make_unit(10,
                   std::make_unique<store::Guard>(std::make_unique<MediumStore>(medium),
                                                  memory(1u << 20), settings),
                   512, limits);
}

// LUN 0 is on `medium`, with `memory` if there is one; what blocks waits in `jobs`.
struct OperationWorld {
  explicit OperationWorld(std::shared_ptr<Disk> on = std::make_shared<Disk>(),
                          FakeMemory* with = nullptr)
      : medium(std::move(on)), world(units(with), {}, &jobs), nexus(*world.nexus) {
    world.target->resume_operations(jobs);
  }
  World::Units units(FakeMemory* with) const {
    auto unit = unit_on(medium);
    if (with != nullptr) REQUIRE(unit->restore(*with));
    return {{scsi::Lun{0}, unit}};
  }

  LogicalUnit& unit() { return *world.target->units().at({0}); }
  Answer run(std::string_view cdb, const Bytes& data = {}, std::uint16_t lun = 0) {
    return world.run(cdb, data, lun);
  }
  // Runs a command whose work is on the pool, to its end.
  Answer finish(std::string_view cdb, const Bytes& data = {}) { return finish(cdb_of(cdb), data); }
  Answer finish(const scsi::CdbBytes& cdb, const Bytes& data = {}) {
    Command command;
    world.start(command, nexus, cdb, data);
    jobs.run_all();
    REQUIRE(command.owner.finished == 1);
    return command.owner.answer;
  }
  void fill(std::uint8_t byte) { std::fill(medium->bytes.begin(), medium->bytes.end(), byte); }
  bool all(std::uint8_t byte) const { return medium->bytes == Bytes(unit_bytes, byte); }

  std::shared_ptr<Disk> medium;
  Jobs jobs;
  CopyWorld world;
  Nexus& nexus;
};

inline const char* const block_erase = "48 02 00 00 00 00 00 00 00 00";
inline const char* const block_erase_immed = "48 82 00 00 00 00 00 00 00 00";
inline const char* const block_erase_ause = "48 22 00 00 00 00 00 00 00 00";
inline const char* const exit_failure_mode = "48 1F 00 00 00 00 00 00 00 00";
inline const char* const test_unit_ready = "00 00 00 00 00 00";
inline const char* const request_sense = "03 00 00 00 FC 00";

// OVERWRITE with byte 1 of the CDB as given.
inline scsi::CdbBytes overwrite_cdb(const Bytes& list, std::uint8_t options = 0x01) {
  scsi::CdbBytes cdb{0x48, options};
  put(cdb, 7, 2, list.size());
  return cdb;
}
inline Bytes overwrite_list(std::uint8_t count, const Bytes& pattern) {
  Bytes out{count, 0, 0, 0};
  base::store_be16(out, 2, static_cast<std::uint16_t>(pattern.size()));
  out.insert(out.end(), pattern.begin(), pattern.end());
  return out;
}

inline void check_medium_error(const Answer& answer, std::uint8_t qualifier) {
  check_sense(answer, scsi::SenseKey::medium_error, 0x31, qualifier);
}
inline void check_sanitizing(const Answer& answer) {
  check_sense(answer, scsi::SenseKey::not_ready, 0x04, 0x1b);
  CHECK(answer.sense->progress);
}

}  // namespace device::test
