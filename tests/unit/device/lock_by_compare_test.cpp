// COMPARE AND WRITE from eight sessions on eight threads, as clusters use it: a counter and a lock.
#include <atomic>
#include <thread>

#include "tests/support/sanitized.hpp"
#include "tests/unit/device/device_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// A session on its own thread: what comes back from the pool is run there.
struct Session {
  Session(const std::shared_ptr<TargetDevice>& target, base::Executor& pool, std::uint64_t number)
      : nexus({number, "iqn.host:" + std::to_string(number), {target->name(), 1, 1}}, target,
              target->unmasked(), WorkerContext{home, pool, buffers}) {
    run(cdb_of("00"), {});  // the power-on unit attention
  }

  Answer run(const scsi::CdbBytes& cdb, const Bytes& data_out) {
    Command command;
    Task& task = command.task;
    task.owner = &command.owner;
    task.cdb = cdb;
    task.data_out_announced = base::ByteCount(data_out.size());
    task.data_out = buffers.take(nexus.data_out_wanted(task).value);
    std::copy_n(data_out.begin(), task.data_out.size(), task.data_out.span().begin());
    nexus.execute(task);
    while (command.owner.finished == 0) {
      if (home.run() == 0) std::this_thread::yield();
    }
    return command.owner.answer;
  }

  base::ManualExecutor home;
  base::BufferPool buffers;
  Nexus nexus;
};

constexpr std::uint64_t counter_lba = 7, lock_lba = 9, guarded_lba = 10;

std::uint64_t number_in(const Bytes& block) {
  return base::load_be64(block, 0);
}
Bytes block_of(std::uint64_t number) {
  Bytes block(512);
  for (std::size_t at = 0; at < block.size(); at += 8)
    base::store_be64(block, at, number);
  return block;
}
scsi::CdbBytes compare_and_write(std::uint64_t lba) {
  scsi::CdbBytes cdb{0x89};
  put(cdb, 2, 8, lba);
  cdb[13] = 1;
  return cdb;
}
// True when the block held `expected` and now holds `fresh`; miscompare is the only other end.
bool swap(Session& session, std::uint64_t lba, const Bytes& expected, const Bytes& fresh,
          std::atomic<int>& wrong) {
  Bytes both = expected;
  both.insert(both.end(), fresh.begin(), fresh.end());
  const Answer answer = session.run(compare_and_write(lba), both);
  const bool miscompared = answer.sense && answer.sense->key == scsi::SenseKey::miscompare;
  if (!answer.good() && !miscompared) ++wrong;
  return answer.good();
}

}  // namespace

TEST_CASE("eight sessions count to 100,000 and lock by COMPARE AND WRITE, and nothing is lost",
          "[threads]") {
  base::WorkPool pool(3);
  OneSession world({}, {}, &pool);
  constexpr unsigned sessions = 8, increments = ::test::thread_sanitized ? 2500 : 12500;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned s = 1; s <= sessions; ++s) {
    threads.emplace_back([&, s] {
      Session session(world.target, pool, 100 + s);
      for (unsigned i = 0; i < increments;) {
        const Bytes seen = session.run(read_16(counter_lba, 1), {}).data;
        if (seen != block_of(number_in(seen))) ++wrong;
        if (swap(session, counter_lba, seen, block_of(number_in(seen) + 1), wrong)) ++i;
      }
      // The lock: 0 is free. What it guards is read and written by plain commands.
      for (unsigned i = 0; i < increments / 50;) {
        if (!swap(session, lock_lba, block_of(0), block_of(s), wrong)) {
          std::this_thread::yield();
          continue;
        }
        const Bytes seen = session.run(read_16(guarded_lba, 1), {}).data;
        if (!session.run(write_16(guarded_lba, 1), block_of(number_in(seen) + 1)).good()) ++wrong;
        if (!swap(session, lock_lba, block_of(s), block_of(0), wrong)) ++wrong;
        ++i;
      }
    });
  }
  for (auto& each : threads)
    each.join();
  CHECK(wrong == 0);
  Session reader(world.target, pool, 200);
  CHECK(number_in(reader.run(read_16(counter_lba, 1), {}).data) == sessions * increments);
  CHECK(number_in(reader.run(read_16(guarded_lba, 1), {}).data) == sessions * (increments / 50));
}
