// The task set under chance: any mix of attributes, nexuses, aborts, delays of news and data. What
// must hold is checked on the history; and on real threads, inside the store.
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "tests/unit/device/task_set_world.hpp"

using namespace device;
using namespace device::test;
using enum scsi::TaskAttribute;
using What = History::What;

namespace {

struct Sent {
  std::size_t nexus = 0;
  Session::Command* command = nullptr;
  bool waits_for_data = false;
};

class Chance {
 public:
  Chance(unsigned seed, bool per_nexus) : world(3), random_(seed), per_nexus_(per_nexus) {
    world.set_mode({.task_set_per_nexus = per_nexus});
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
    for (const Sent& each : sent) {
      if (each.waits_for_data && each.command->ended == 0) give_data(each);
    }
    world.finish_all();
    check();
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  void step() {
    switch (pick(8)) {
      case 0:
      case 1:
        return send();
      case 2:
      case 3:
        if (!world.pool.empty()) world.pool.step(pick(world.pool.size()));
        return;
      case 4:
        if (!sent.empty() && pick(3) == 0) {
          const Sent& victim = sent[pick(sent.size())];
          world.sessions[victim.nexus]->abort(*victim.command);
        }
        return;
      case 5:
        if (!sent.empty()) give_data(sent[pick(sent.size())]);
        return;
      default:
        auto& home = *world.homes[pick(world.homes.size())];
        if (!home.empty()) home.step();
    }
  }

  void send() {
    constexpr std::array attributes{simple, simple, simple, ordered, ordered, head_of_queue};
    const std::size_t nexus = pick(3);
    const auto attribute = attributes[pick(attributes.size())];
    const bool waits = pick(5) == 0;
    Session& session = *world.sessions[nexus];
    const std::uint64_t block = sent.size();
    sent.push_back({nexus, waits ? &session.accept(attribute, block) : nullptr, waits});
    if (!waits) sent.back().command = &session.send(attribute, block);
  }

  void give_data(const Sent& late) {
    if (!late.waits_for_data || late.command->executing || late.command->ended != 0) return;
    world.sessions[late.nexus]->execute(*late.command);
  }

  // Every task ended once and had its effect once; an aborted one at most once.
  void check() {
    CHECK(world.open_commands() == 0);
    for (std::uint64_t block = 0; block < sent.size(); ++block) {
      const Session::Command& command = *sent[block].command;
      INFO("task " << block);
      CHECK(command.ended == 1);
      const std::size_t effects = world.history.count(What::has_effect, block);
      CHECK(effects == world.history.count(What::starts, block));
      CHECK(effects <= 1);
      if (!command.aborted) CHECK(effects == 1);
    }
    check_own_order();
    check_alone();
  }

  // Within a nexus: what is older than an ORDERED task has ended when it starts, and it has ended
  // when what is newer starts.
  void check_own_order() {
    for (std::size_t newer = 0; newer < sent.size(); ++newer) {
      for (std::size_t older = 0; older < newer; ++older) {
        if (sent[older].nexus != sent[newer].nexus) continue;
        const auto first = sent[older].command->task.attribute;
        const auto second = sent[newer].command->task.attribute;
        if (second == head_of_queue || (first != ordered && second != ordered)) continue;
        if (!world.started(older) || !world.started(newer)) continue;
        INFO(older << " before " << newer);
        CHECK(world.history.at(What::ends, older) < world.history.at(What::starts, newer));
      }
    }
  }

  // While an ORDERED task runs no other one does that is not HEAD OF QUEUE: of its nexus, or of
  // all.
  void check_alone() {
    std::set<std::uint64_t> running;
    for (const auto& [what, block] : world.history.events) {
      const auto attribute = sent.at(block).command->task.attribute;
      if (what == What::ends) running.erase(block);
      if (what != What::starts) continue;
      for (const std::uint64_t other : running) {
        const auto their = sent[other].command->task.attribute;
        const bool concerned = !per_nexus_ || sent[other].nexus == sent[block].nexus;
        const bool passes = attribute == head_of_queue || their == head_of_queue;
        if (!concerned || passes) continue;
        INFO(block << " starts while " << other << " runs");
        CHECK(attribute != ordered);
        CHECK(their != ordered);
      }
      running.insert(block);
    }
  }

  TaskSetWorld world;
  std::vector<Sent> sent;
  std::mt19937 random_;
  const bool per_nexus_;
};

}  // namespace

TEST_CASE("ORDERED is kept, no task is lost or done twice, whatever happens when", "[threads]") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    INFO("seed " << seed);
    Chance chance(seed, seed % 4 == 3);
    chance.run(250);
  }
}

namespace {

// Counts who is inside; the blocks from `ordered_from` on are written by ORDERED tasks.
class CrowdedStore final : public store::Store {
 public:
  static constexpr std::uint64_t ordered_from = 2048;
  base::ByteCount size() const override { return base::ByteCount(blocks_of_unit * 512); }
  std::string describe() const override { return "crowded"; }
  store::StoreResult<> read(base::ByteOffset, base::ByteSpan) override { return {}; }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView, store::Durability) override {
    const bool alone = at.value / 512 >= ordered_from;
    const int others = inside.fetch_add(alone ? 1000 : 1);
    if (alone ? others != 0 : others >= 1000) ++violations;
    for (int i = 0; i < 20; ++i)
      std::this_thread::yield();
    inside -= alone ? 1000 : 1;
    ++effects;
    return {};
  }
  store::StoreResult<> write_zeros(base::Extent) override { return {}; }
  store::StoreResult<> flush() override { return {}; }

  std::atomic<int> inside{0}, violations{0}, effects{0};
};

struct ThreadedHost final : TaskOwner {
  ThreadedHost(World& world, base::Executor& pool, std::uint64_t number)
      : home(std::make_unique<base::WorkPool>(1)) {
    at_home([&] {
      nexus = std::make_unique<Nexus>(
          NexusIdentity{
              number, "iqn.host:t" + std::to_string(number), {world.target->name(), 1, 1}, 1},
          world.target, world.target->unmasked(), WorkerContext{*home, pool, buffers});
      nexus->set_owner(this);
      Owner owner;
      Task task;
      task.owner = &owner;
      nexus->execute(task);  // the power-on unit attention
    });
  }
  ~ThreadedHost() {
    at_home([this] { nexus.reset(); });
  }
  void at_home(std::function<void()> what) {
    std::promise<void> done;
    home->post([&] {
      what();
      done.set_value();
    });
    done.get_future().get();
  }
  void send(bool is_ordered, std::uint64_t block) {
    tasks.push_back(std::make_unique<Task>());
    Task& task = *tasks.back();
    task.owner = this;
    task.attribute = is_ordered ? ordered : simple;
    task.cdb = write_16((is_ordered ? CrowdedStore::ordered_from : 0) + block, 1);
    task.data_out = buffers.take(512);
    nexus->execute(task);
  }
  void task_finished(Task& task) override {
    if (task.status == scsi::Status::good) ++good;
    task.data_out = {};
  }
  void abort_tasks(const TaskAbort&, base::UniqueFunction<void(std::size_t)> done) override {
    done(0);
  }
  void report_event(std::uint64_t, const scsi::Sense&) override {}
  void drop_connection() override {}

  base::BufferPool buffers;
  std::unique_ptr<base::WorkPool> home;
  std::vector<std::unique_ptr<Task>> tasks;
  std::unique_ptr<Nexus> nexus;
  std::atomic<int> good{0};
};

}  // namespace

TEST_CASE("on threads: nothing is in the store together with a write that is ORDERED",
          "[threads]") {
  constexpr std::size_t hosts = 3, tasks = 400;
  auto owned = std::make_unique<CrowdedStore>();
  CrowdedStore& store = *owned;
  const store::GuardSettings settings{4096, base::ByteCount(1u << 20)};
  World world(
      {{scsi::Lun{0},
        make_unit(10, std::make_unique<store::Guard>(std::move(owned), memory(1u << 20), settings),
                  512)}});
  base::WorkPool pool(4);
  std::vector<std::unique_ptr<ThreadedHost>> all;
  for (std::size_t i = 0; i < hosts; ++i)
    all.push_back(std::make_unique<ThreadedHost>(world, pool, 900 + i));
  for (std::size_t i = 0; i < tasks; ++i) {
    for (std::size_t n = 0; n < hosts; ++n) {
      // 64 KiB apart: the store's own regions keep nobody apart.
      all[n]->home->post([host = all[n].get(), n, i] {
        host->send((i * 7 + n * 3) % 5 == 0, (n + 3 * (i % 5)) * 128);
      });
    }
  }
  for (const auto& host : all) {
    while (host->good != int(tasks))
      std::this_thread::yield();
  }
  CHECK(store.violations == 0);
  CHECK(store.effects == int(hosts * tasks));
}
