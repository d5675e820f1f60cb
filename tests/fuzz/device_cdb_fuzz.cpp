// The device server under arbitrary commands: each input is a sequence of commands to two small
// units of two nexuses. CDBs are made from the command table, so that most get past the opcode
// check.
#include <cstdlib>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "copymgr/copy_manager.hpp"
#include "store/open.hpp"
#include "target/device/command_table.hpp"
#include "target/device/nexus.hpp"
#include "target/device/target_device.hpp"
#include "tests/fuzz/bytes.hpp"

namespace {

using fuzz::Reader;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr const char* target_name = "iqn.2026-11.io.copymgr:fuzz";

// The same bytes in every run.
class FixedRandomness final : public base::Randomness {
 public:
  void fill(base::ByteSpan out) override {
    for (std::uint8_t& byte : out) {
      next_ = next_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(next_ >> 33);
    }
  }

 private:
  std::uint64_t next_ = 1;
};

std::map<scsi::Lun, std::shared_ptr<device::LogicalUnit>> make_units() {
  std::map<scsi::Lun, std::shared_ptr<device::LogicalUnit>> out;
  std::uint16_t lun = 0;
  struct Unit {
    const char* store;
    store::ProtectionType protection;
  };
  using enum store::ProtectionType;
  for (const Unit& unit : {Unit{"memory:64K", none}, Unit{"memory:128K,blocksize=4096", none},
                           Unit{"memory:64K", type_1}, Unit{"memory:64K", type_2}}) {
    auto spec = store::parse_store_spec(unit.store);
    spec->protection = unit.protection;
    auto guard = store::open_guarded(*spec, "/tmp", {});
    require(guard.has_value());
    out.emplace(scsi::Lun{lun},
                std::make_shared<device::LogicalUnit>(
                    lun + 1u, device::make_identity({}, target_name, {lun}), std::move(*guard),
                    device::UnitShape{spec->block_length}, device::LogicalUnitLimits{}));
    ++lun;
  }
  return out;
}

struct Owner final : device::TaskOwner {
  std::size_t finished = 0;
  std::vector<std::uint8_t> data_in;
  void task_finished(device::Task& task) override {
    ++finished;
    data_in.assign(task.data_in.begin(), task.data_in.end());  // reads every byte
    require((task.status == scsi::Status::check_condition) == task.sense.has_value());
  }
  // Every command here ends inside execute(): there is never one left to abort.
  void abort_tasks(const device::TaskAbort&,
                   base::UniqueFunction<void(std::size_t)> done) override {
    done(0);
  }
  void report_event(std::uint64_t, const scsi::Sense&) override {}
  void drop_connection() override {}
};

scsi::CdbBytes make_cdb(Reader& input) {
  const auto table = device::command_table();
  const std::uint8_t choice = input.u8();
  scsi::CdbBytes cdb{};
  const base::ByteView bytes = input.take(cdb.size());
  std::copy(bytes.begin(), bytes.end(), cdb.begin());
  if (choice >= 0xf0) return cdb;
  const scsi::CdbLayout& layout = table[choice % table.size()].layout;
  const scsi::CdbBytes usage = scsi::usage_bitmap(layout), empty = scsi::make_cdb(layout);
  for (std::size_t i = 0; i < cdb.size(); ++i) {
    cdb[i] = static_cast<std::uint8_t>((cdb[i] & usage[i]) | empty[i]);
  }
  layout.put_name(cdb);
  return cdb;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::ManualClock clock;
  FixedRandomness randomness;
  base::InlineExecutor pool;
  base::BufferPool buffers;
  {
    copymgr::CopyManager copy_manager(clock, randomness, pool, {});
    const auto target =
        std::make_shared<device::TargetDevice>(target_name, copy_manager, make_units());
    device::Nexus first({1, "iqn.a:1", {target_name, 1, 1}}, target, target->unmasked(),
                        {pool, pool, buffers});
    device::Nexus second({2, "iqn.a:2", {target_name, 1, 1}}, target, target->unmasked(),
                         {pool, pool, buffers});
    Owner owner;
    Reader input({data, size});
    std::vector<std::uint8_t> token;
    while (!input.empty()) {
      const std::uint8_t how = input.u8();
      if (how >= 0xf8) clock.advance(std::chrono::seconds(1u << (how & 7) * 2));
      device::Nexus& nexus = (how & 1) != 0 ? first : second;
      device::Task task;
      task.owner = &owner;
      task.lun_field = std::uint64_t{how >> 1 & 3u} << 48;
      task.cdb = make_cdb(input);
      if (task.cdb[0] == scsi::variable_length::opcode && (how & 0x08) == 0) task.cdb_length = 32;
      const std::uint64_t wanted = nexus.data_out_wanted(task).value;
      require(wanted <= 16u << 20);  // what the transport can buffer
      const base::ByteView sent = input.take(std::min<std::uint64_t>(wanted, input.u16()));
      task.data_out = buffers.take(sent.size());
      std::copy(sent.begin(), sent.end(), task.data_out.span().begin());
      // The token that was read last goes where WRITE USING TOKEN has its own.
      if ((how & 0x10) != 0 && sent.size() >= 528 && token.size() == 512) {
        std::copy(token.begin(), token.end(), task.data_out.span().begin() + 16);
      }
      const std::size_t before = owner.finished;
      nexus.execute(task);
      require(owner.finished == before + 1);
      if (owner.data_in.size() > 512 && task.cdb[0] == 0x84) {
        token.assign(owner.data_in.end() - 512, owner.data_in.end());
      }
    }
  }
  require(buffers.bytes_in_use() == 0);
  return 0;
}
