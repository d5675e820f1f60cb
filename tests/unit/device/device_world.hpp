// What the device tests share: a target of a few units in memory on one thread and a clock that
// stands still, and a transport that is nothing but an owner of tasks.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.hpp"
#include "scsi/cdb.hpp"
#include "store/open.hpp"
#include "target/device/nexus.hpp"
#include "tests/unit/scsi/hex.hpp"
#include "tests/unit/tokens/token_world.hpp"

namespace device::test {

using namespace std::chrono_literals;
using scsi::test::hex;
using Bytes = std::vector<std::uint8_t>;

// The outcome of one command.
struct Answer {
  scsi::Status status = scsi::Status::good;
  std::optional<scsi::Sense> sense;
  Bytes data;
  std::uint64_t transfer_length = 0;

  bool good() const { return status == scsi::Status::good; }
};

// Takes the data as the transport would: before the task is reused.
class Owner final : public TaskOwner {
 public:
  void task_finished(Task& task) override {
    ++finished;
    answer = {task.status,
              task.sense,
              {task.data_in.begin(), task.data_in.end()},
              task.transfer_length.value};
  }
  // One command at a time: no task management here (tests/story has it).
  void abort_tasks(const TaskAbort&, base::UniqueFunction<void(std::size_t)> done) override {
    done(0);
  }
  void report_event(std::uint64_t, const scsi::Sense&) override {}
  void drop_connection() override {}

  int finished = 0;
  Answer answer;
};

struct Command {
  Owner owner;
  Task task;
};

inline scsi::CdbBytes cdb_of(std::string_view text) {
  const Bytes bytes = hex(text);
  scsi::CdbBytes out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}
inline void put(scsi::CdbBytes& cdb, std::size_t at, std::size_t width, std::uint64_t value) {
  base::store_be(cdb, at, width, value);
}

// `options`: ",blocksize=4096".
inline std::unique_ptr<store::Guard> memory(
    std::uint64_t bytes, const std::string& options = "",
    store::ProtectionType protection = store::ProtectionType::none) {
  auto spec = store::parse_store_spec("memory:" + std::to_string(bytes) + options).value();
  spec.protection = protection;
  store::GuardSettings settings;
  settings.chunk_bytes = 4096;
  settings.side_bytes_max = base::ByteCount(16u << 20);
  return store::open_guarded(spec, "/tmp", settings).value();
}

inline std::shared_ptr<LogicalUnit> make_unit(std::uint64_t id, std::unique_ptr<store::Guard> guard,
                                              std::uint32_t block_bytes,
                                              LogicalUnitLimits limits = {}, UnitShape shape = {}) {
  shape.block_length = base::BlockLength{block_bytes};
  const Bytes array(16, 0xaa);
  return std::make_shared<LogicalUnit>(
      id, make_identity(array, "iqn.2026-11.io.copymgr:test", {static_cast<std::uint16_t>(id)}),
      std::move(guard), shape, limits);
}

inline constexpr std::uint64_t unit_bytes = 1u << 20;

inline std::shared_ptr<LogicalUnit> make_protected_unit(std::uint64_t id, std::uint8_t type,
                                                        std::uint32_t block_bytes = 512) {
  const std::string options = ",blocksize=" + std::to_string(block_bytes);
  return make_unit(id, memory(unit_bytes, options, static_cast<store::ProtectionType>(type)),
                   block_bytes);
}

// LUN 0 and 1 of 512-byte blocks, LUN 2 of 4096, each 1 MiB; then those of the test.
class World {
 public:
  using Units = std::map<scsi::Lun, std::shared_ptr<LogicalUnit>>;
  // `pool` does what blocks; by default at once.
  explicit World(Units more = {}, copymgr::CopySettings settings = {},
                 base::Executor* other_pool = nullptr)
      : pool(other_pool != nullptr ? *other_pool : home),
        copies(clock, randomness, pool, settings) {
    Units units{{scsi::Lun{0}, make_unit(10, memory(unit_bytes), 512)},
                {scsi::Lun{1}, make_unit(11, memory(unit_bytes), 512)},
                {scsi::Lun{2}, make_unit(12, memory(unit_bytes), 4096)}};
    for (auto& [lun, unit] : more)
      units.insert_or_assign(lun, unit);
    target = std::make_shared<TargetDevice>("iqn.2026-11.io.copymgr:test", copies, units);
  }

  // A session whose power-on unit attentions have been seen.
  std::unique_ptr<Nexus> login(const std::string& initiator, bool drain = true) {
    auto nexus = fresh_login(initiator);
    if (drain) {
      for (const auto& [lun, unit] : target->units())
        run(*nexus, cdb_of("00"), {}, lun.value);
    }
    return nexus;
  }
  std::unique_ptr<Nexus> fresh_login(const std::string& initiator, std::uint64_t isid = 1) {
    const NexusIdentity identity{++last_nexus, initiator, {target->name(), 1, 1}, isid};
    return std::make_unique<Nexus>(identity, target, target->unmasked(),
                                   WorkerContext{home, pool, buffers});
  }

  // Sends at most what the device server wants, as the transport does.
  Answer run(Nexus& nexus, const scsi::CdbBytes& cdb, const Bytes& data_out = {},
             std::uint16_t lun = 0) {
    return run_at(nexus, cdb, data_out, scsi::encode_lun({lun}));
  }
  Answer run_at(Nexus& nexus, const scsi::CdbBytes& cdb, const Bytes& data_out,
                std::uint64_t lun_field) {
    Command command;
    start(command, nexus, cdb, data_out, lun_field);
    REQUIRE(command.owner.finished == 1);
    return command.owner.answer;
  }
  // For commands that finish later.
  void start(Command& command, Nexus& nexus, const scsi::CdbBytes& cdb, const Bytes& data_out,
             std::uint64_t lun_field = 0) {
    Task& task = command.task;
    task.owner = &command.owner;
    task.lun_field = lun_field;
    task.cdb = cdb;
    if (cdb[0] == scsi::variable_length::opcode) task.cdb_length = 32;
    task.data_out_announced = base::ByteCount(data_out.size());
    const std::uint64_t wanted = nexus.data_out_wanted(task).value;
    task.data_out = buffers.take(std::min<std::uint64_t>(wanted, data_out.size()));
    std::copy_n(data_out.begin(), task.data_out.size(), task.data_out.span().begin());
    nexus.execute(task);
  }

  base::InlineExecutor home;
  base::Executor& pool;
  base::ManualClock clock;
  tokens::test::SeededRandomness randomness{7};
  base::BufferPool buffers;
  copymgr::CopyManager copies;
  std::shared_ptr<TargetDevice> target;
  std::uint64_t last_nexus = 0;
};

// A world with one session.
struct OneSession : World {
  explicit OneSession(Units more = {}, copymgr::CopySettings settings = {},
                      base::Executor* other_pool = nullptr)
      : World(std::move(more), settings, other_pool), nexus(login("iqn.host:a")) {}
  Answer run(std::string_view cdb, const Bytes& data_out = {}, std::uint16_t lun = 0) {
    return World::run(*nexus, cdb_of(cdb), data_out, lun);
  }
  Answer run(const scsi::CdbBytes& cdb, const Bytes& data_out = {}, std::uint16_t lun = 0) {
    return World::run(*nexus, cdb, data_out, lun);
  }
  std::unique_ptr<Nexus> nexus;
};

inline void check_sense(const Answer& answer, scsi::SenseKey key, std::uint8_t code,
                        std::uint8_t qualifier) {
  INFO((answer.sense ? scsi::to_text(*answer.sense) : std::string("no sense")));
  CHECK(answer.status == scsi::Status::check_condition);
  REQUIRE(answer.sense);
  CHECK(answer.sense->key == key);
  CHECK(answer.sense->additional == scsi::AdditionalSense{code, qualifier});
  CHECK(answer.data.empty());
}
inline void check_illegal(const Answer& answer, std::uint8_t code, std::uint8_t qualifier) {
  check_sense(answer, scsi::SenseKey::illegal_request, code, qualifier);
}
// 05/24/00 at a byte, or a bit, of the CDB.
inline void check_bad_cdb(const Answer& answer, scsi::FieldPointer at) {
  check_illegal(answer, 0x24, 0x00);
  CHECK(answer.sense->points_into == scsi::Sense::PointsInto::cdb);
  CHECK(answer.sense->field == at);
}
inline scsi::FieldPointer byte(std::uint16_t at) {
  return {at, 7, false};
}
inline scsi::FieldPointer bit(std::uint16_t at, std::uint8_t which) {
  return {at, which, true};
}

// `blocks` blocks, each different, that differ with `seed`.
inline Bytes pattern(std::size_t blocks, std::size_t block_bytes, unsigned seed) {
  Bytes out(blocks * block_bytes);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>((i / block_bytes) * 31 + i * 7 + seed);
  }
  return out;
}

inline scsi::CdbBytes read_16(std::uint64_t lba, std::uint32_t blocks) {
  scsi::CdbBytes cdb{0x88};
  put(cdb, 2, 8, lba);
  put(cdb, 10, 4, blocks);
  return cdb;
}
inline scsi::CdbBytes write_16(std::uint64_t lba, std::uint32_t blocks) {
  scsi::CdbBytes cdb = read_16(lba, blocks);
  cdb[0] = 0x8a;
  return cdb;
}

}  // namespace device::test
