// What the tests of the task set share: sessions whose tasks can be aborted, a unit whose writes
// tell when they start and when they have their effect, and executors that do one piece of work
// when told.
#pragma once

#include <deque>
#include <mutex>

#include "tests/unit/device/device_world.hpp"

namespace device::test {

class SteppedExecutor final : public base::Executor {
 public:
  void post(base::Work work) override {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(work));
  }
  bool empty() const { return size() == 0; }
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
  }
  void step(std::size_t which = 0) {
    base::Work work;
    {
      const std::scoped_lock lock(mutex_);
      work = std::move(queue_.at(which));
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    work();
  }

 private:
  mutable std::mutex mutex_;
  std::deque<base::Work> queue_;
};

// What happened, by the blocks that the commands write: each writes its own.
struct History {
  enum class What { starts, has_effect, ends };
  std::vector<std::pair<What, std::uint64_t>> events;

  void add(What what, std::uint64_t block) { events.emplace_back(what, block); }
  std::size_t count(What what, std::uint64_t block) const {
    return static_cast<std::size_t>(
        std::count(events.begin(), events.end(), std::pair{what, block}));
  }
  std::size_t at(What what, std::uint64_t block) const {
    const auto found = std::find(events.begin(), events.end(), std::pair{what, block});
    REQUIRE(found != events.end());
    return static_cast<std::size_t>(found - events.begin());
  }
};

inline constexpr std::uint64_t blocks_of_unit = 4096;

class TellingStore final : public store::Store {
 public:
  explicit TellingStore(History& history) : history_(history) {}
  base::ByteCount size() const override { return base::ByteCount(blocks_of_unit * 512); }
  std::string describe() const override { return "telling"; }
  store::StoreResult<> read(base::ByteOffset, base::ByteSpan) override { return {}; }
  store::StoreResult<> write(base::ByteOffset at, base::ByteView, store::Durability) override {
    history_.add(History::What::has_effect, at.value / 512);
    if (at.value / 512 == failing) return base::fail(store::StoreError{});
    return {};
  }
  store::StoreResult<> try_write(base::ByteOffset at, base::ByteView) override {
    history_.add(History::What::starts, at.value / 512);
    return base::fail(store::StoreError{store::StoreError::Kind::would_block});
  }
  store::StoreResult<> write_zeros(base::Extent) override { return {}; }
  store::StoreResult<> flush() override { return {}; }

  std::uint64_t failing = UINT64_MAX;

 private:
  History& history_;
};

// A session as the transport makes it: its tasks end answered, or aborted.
class Session final : public TaskOwner {
 public:
  struct Command {
    Task task;
    std::uint64_t block = 0;
    bool aborted = false, told = false, executing = false;
    int ended = 0;
    std::vector<std::shared_ptr<base::UniqueFunction<void()>>> waiting;
  };

  Session(History& history, std::unique_ptr<Nexus> own, base::BufferPool& buffers)
      : nexus(std::move(own)), history_(history), buffers_(buffers) {
    nexus->set_owner(this);
  }

  Command& make(scsi::TaskAttribute attribute, std::uint64_t block) {
    commands.push_back(std::make_unique<Command>());
    Command& out = *commands.back();
    out.block = block;
    out.task.owner = this;
    out.task.attribute = attribute;
    out.task.cdb = write_16(block, 1);
    out.task.data_out_announced = base::ByteCount(512);
    out.task.data_out = buffers_.take(512);
    return out;
  }
  // The command comes, but not its data.
  Command& accept(scsi::TaskAttribute attribute, std::uint64_t block) {
    Command& out = make(attribute, block);
    nexus->accept(out.task);
    return out;
  }
  void execute(Command& command) {
    command.executing = true;
    nexus->execute(command.task);
  }
  Command& send(scsi::TaskAttribute attribute, std::uint64_t block) {
    Command& out = make(attribute, block);
    execute(out);
    return out;
  }
  void abort(Command& command) {
    if (command.ended != 0) return;
    command.aborted = true;
    if (command.executing) return nexus->stop(command.task);
    command.ended = 1;
    command.task.reset();
  }
  Command& of(const Task& task) {
    return **std::find_if(commands.begin(), commands.end(),
                          [&](const auto& each) { return &each->task == &task; });
  }

  void task_finished(Task& task) override {
    Command& command = of(task);
    ++command.ended;
    history_.add(History::What::ends, command.block);
    for (const auto& done : std::exchange(command.waiting, {}))
      (*done)();
  }
  void abort_tasks(const TaskAbort& which, base::UniqueFunction<void(std::size_t)> done) override {
    struct Last {
      base::UniqueFunction<void(std::size_t)> done;
      std::size_t tasks = 0;
      ~Last() { done(tasks); }
    };
    const auto last = std::shared_ptr<Last>(new Last{std::move(done)});
    std::vector<Command*> concerned;
    for (const auto& each : commands) {
      if (each->ended == 0 && &each->task != which.spared) concerned.push_back(each.get());
    }
    last->tasks = concerned.size();
    for (Command* each : concerned) {
      each->told = which.is_told;
      each->waiting.push_back(std::make_shared<base::UniqueFunction<void()>>([last] {}));
    }
    for (Command* each : concerned) {
      if (each->ended == 0) abort(*each);
      if (!each->executing) each->waiting.clear();
    }
  }
  void report_event(std::uint64_t, const scsi::Sense&) override {}
  void drop_connection() override {}

  std::size_t open_commands() const {
    return static_cast<std::size_t>(std::count_if(
        commands.begin(), commands.end(), [](const auto& each) { return each->ended == 0; }));
  }

  std::vector<std::unique_ptr<Command>> commands;  // destroyed after the nexus
  std::unique_ptr<Nexus> nexus;

 private:
  History& history_;
  base::BufferPool& buffers_;
};

// Two sessions or more to one unit; each on a thread of its own, as far as a test in one thread can
// have them. Work is done when the test says so: settle() does all but what the pool has.
struct TaskSetWorld {
  explicit TaskSetWorld(std::size_t hosts = 2, LogicalUnitLimits limits = {}) {
    auto owned = std::make_unique<TellingStore>(history);
    store = owned.get();
    const store::GuardSettings settings{4096, base::ByteCount(1u << 20)};
    unit =
        make_unit(10, std::make_unique<store::Guard>(std::move(owned), memory(1u << 20), settings),
                  512, limits);
    world = std::make_unique<World>(World::Units{{scsi::Lun{0}, unit}});
    for (std::size_t i = 0; i < hosts; ++i)
      log_in();
  }

  Session& log_in() {
    homes.push_back(std::make_unique<SteppedExecutor>());
    const NexusIdentity identity{
        ++numbers, "iqn.host:" + std::to_string(numbers), {world->target->name(), 1, 1}, 1};
    auto nexus = std::make_unique<Nexus>(identity, world->target, world->target->unmasked(),
                                         WorkerContext{*homes.back(), pool, world->buffers});
    sessions.push_back(std::make_unique<Session>(history, std::move(nexus), world->buffers));
    for (const auto& [lun, each] : world->target->units())
      attention(*sessions.back(), lun.value);
    return *sessions.back();
  }

  // The unit attention that TEST UNIT READY meets, as ASC << 8 | ASCQ; 0: none. At once, because
  // HEAD OF QUEUE.
  int attention(Session& session, std::uint16_t lun = 0) {
    Owner owner;
    Task task;
    task.owner = &owner;
    task.lun_field = scsi::encode_lun({lun});
    task.attribute = scsi::TaskAttribute::head_of_queue;
    session.nexus->execute(task);
    settle();  // QERR may have others end first
    REQUIRE(owner.finished == 1);
    if (!owner.answer.sense) return 0;
    return owner.answer.sense->additional.code << 8 | owner.answer.sense->additional.qualifier;
  }

  void settle() {
    for (bool worked = true; worked;) {
      worked = false;
      for (const auto& home : homes) {
        if (home->empty()) continue;
        home->step();
        worked = true;
      }
    }
  }
  void finish_one(std::size_t which = 0) {
    pool.step(which);
    settle();
  }
  void finish_all() {
    for (settle(); !pool.empty(); settle())
      pool.step();
  }
  void set_mode(const scsi::CommandRules& mode) { unit->set_mode_parameters({mode}); }
  bool started(std::uint64_t block) const {
    return history.count(History::What::starts, block) != 0;
  }
  std::size_t open_commands() const {
    std::size_t out = 0;
    for (const auto& each : sessions)
      out += each->open_commands();
    return out;
  }
  Session& a() { return *sessions.at(0); }
  Session& b() { return *sessions.at(1); }

  History history;
  TellingStore* store = nullptr;
  SteppedExecutor pool;
  std::vector<std::unique_ptr<SteppedExecutor>> homes;
  std::shared_ptr<LogicalUnit> unit;
  std::unique_ptr<World> world;
  std::vector<std::unique_ptr<Session>> sessions;
  std::uint64_t numbers = 500;
};

}  // namespace device::test
