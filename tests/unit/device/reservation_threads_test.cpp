// Reservations where it matters: nexuses on threads of their own, commands always under way. What a
// preemption's answer promises must hold against writes of another thread.
#include <atomic>
#include <future>

#include "tests/unit/device/reservation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

// A nexus with its own thread, as a session on its worker. Commands are sent from outside.
class Host {
 public:
  Host(World& world, base::Executor& pool, const std::string& initiator, std::uint64_t number)
      : home_(std::make_unique<base::WorkPool>(1)) {
    at_home([&] {
      nexus_ = std::make_unique<Nexus>(
          NexusIdentity{number, initiator, {world.target->name(), 1, 1}, 1}, world.target,
          world.target->unmasked(), WorkerContext{*home_, pool, buffers_, 0});
    });
    for (const auto& [lun, unit] : world.target->units())
      run(cdb_of("00"), {}, lun.value);
  }
  ~Host() {
    at_home([this] { nexus_.reset(); });
  }

  Answer run(const scsi::CdbBytes& cdb, const Bytes& data_out = {}, std::uint16_t lun = 0) {
    return std::move(run_many(1, cdb, data_out, lun).front());
  }
  // `count` equal commands, all under way at once.
  std::vector<Answer> run_many(std::size_t count, const scsi::CdbBytes& cdb, const Bytes& data_out,
                               std::uint16_t lun = 0) {
    std::vector<Waiting> all(count);
    for (Waiting& each : all)
      start(each, cdb, data_out, lun);
    std::vector<Answer> answers;
    for (Waiting& each : all)
      answers.push_back(each.answered.get_future().get());
    at_home([] {});  // the finishing calls have returned
    return answers;
  }

 private:
  struct Waiting final : TaskOwner {
    void task_finished(Task& ended) override {
      answered.set_value({ended.status,
                          ended.sense,
                          {ended.data_in.begin(), ended.data_in.end()},
                          ended.transfer_length.value});
    }
    void abort_tasks(const TaskAbort&, base::UniqueFunction<void(std::size_t)> done) override {
      done(0);
    }
    void report_event(std::uint64_t, const scsi::Sense&) override {}
    void drop_connection() override {}
    Task task;
    std::promise<Answer> answered;
  };

  void start(Waiting& waiting, const scsi::CdbBytes& cdb, const Bytes& data_out,
             std::uint16_t lun) {
    home_->post([this, &waiting, &cdb, &data_out, lun] {
      Task& task = waiting.task;
      task.owner = &waiting;
      task.lun_field = scsi::encode_lun({lun});
      task.cdb = cdb;
      task.data_out = buffers_.take(data_out.size());
      std::copy(data_out.begin(), data_out.end(), task.data_out.span().begin());
      nexus_->execute(task);
    });
  }

  void at_home(std::function<void()> what) {
    std::promise<void> done;
    home_->post([&] {
      what();
      done.set_value();
    });
    done.get_future().get();
  }

  base::BufferPool buffers_;
  std::unique_ptr<base::WorkPool> home_;
  std::unique_ptr<Nexus> nexus_;
};

}  // namespace

TEST_CASE("after the answer to PREEMPT no write of the preempted nexus lands") {
  World world;
  base::WorkPool pool(2);
  Host a(world, pool, "iqn.host:a", 101), b(world, pool, "iqn.host:b", 102);
  const Bytes of_a(32768, 0xaa), of_b(32768, 0xbb);
  REQUIRE(a.run(pr_out(pr_register), pr_list(0, 0x0a)).good());
  for (int round = 0; round < 100; ++round) {
    REQUIRE(b.run(pr_out(pr_register), pr_list(0, 0x0b)).good());
    REQUIRE(b.run(pr_out(pr_reserve, ea), pr_list(0x0b, 0)).good());
    std::atomic<bool> told{false};
    std::thread writer([&] {
      // Until the preemption is noticed, and a few commands beyond.
      for (int after = 0; after < 3;) {
        const auto answers = b.run_many(64, write_16(0, 64), of_b);
        if (!answers.back().good()) ++after;
      }
      told = true;
    });
    const Answer preempted = a.run(pr_out(pr_preempt, ea), pr_list(0x0a, 0x0b));
    const Answer written = a.run(write_16(0, 64), of_a);
    writer.join();
    REQUIRE(preempted.good());
    REQUIRE(written.good());
    REQUIRE(told);
    REQUIRE(a.run(read_16(0, 64)).data == of_a);
    REQUIRE(a.run(pr_out(pr_release, ea), pr_list(0x0a, 0)).good());
  }
}

TEST_CASE("registrations from many threads: each acknowledged one counts, none is lost") {
  World world;
  base::WorkPool pool(4);
  constexpr std::uint64_t hosts = 4, times = 100;
  {
    std::vector<std::unique_ptr<Host>> all;
    for (std::uint64_t i = 0; i < hosts; ++i)
      all.push_back(std::make_unique<Host>(world, pool, "iqn.host:" + std::to_string(i), 200 + i));
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (std::uint64_t i = 0; i < hosts; ++i) {
      threads.emplace_back([&, i] {
        for (std::uint64_t n = 1; n <= times; ++n) {
          const Answer answer = all[i]->run(
              pr_out(pr_register), pr_list(n - 1 == 0 ? 0 : i << 32 | (n - 1), i << 32 | n));
          if (answer.good()) ++good;
        }
      });
    }
    for (std::thread& each : threads)
      each.join();
    CHECK(good == hosts * times);
  }
  const auto state = world.target->units().at({0})->reservations().current();
  CHECK(state->generation == hosts * times);
  CHECK(state->registrations.size() == hosts);
  for (std::uint64_t i = 0; i < hosts; ++i) {
    const Registration* mine = state->find({{"iqn.host:" + std::to_string(i), 1}, 1});
    REQUIRE(mine != nullptr);
    CHECK(mine->key == (i << 32 | times));
  }
}

TEST_CASE("sessions come and go while a unit changes hands: RESERVE never outlives its session") {
  World world;
  base::WorkPool pool(2);
  Host steady(world, pool, "iqn.host:steady", 300);
  for (std::uint64_t round = 0; round < 100; ++round) {
    {
      Host brief(world, pool, "iqn.host:brief", 301 + round);
      CHECK(brief.run(cdb_of("16")).good());
      CHECK(conflicts(steady.run(read_16(0, 1))));
    }
    // The loss was told while the session ended; the steady nexus hears of it on its own thread.
    CHECK(steady.run(read_16(0, 1)).good());
  }
}
