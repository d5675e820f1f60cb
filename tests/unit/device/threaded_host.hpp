// A session on a thread of its own, for tests of what nexuses do to each other.
#pragma once

#include <functional>
#include <future>

#include "tests/unit/device/device_world.hpp"

namespace device::test {

// A nexus with its own thread, as a session on its worker. Commands are sent from outside.
class ThreadedHost {
 public:
  ThreadedHost(World& world, base::Executor& pool, const std::string& initiator,
               std::uint64_t number)
      : home_(std::make_unique<base::WorkPool>(1)) {
    at_home([&] {
      nexus_ = std::make_unique<Nexus>(
          NexusIdentity{number, initiator, {world.target->name(), 1, 1}, 1}, world.target,
          world.target->unmasked(), WorkerContext{*home_, pool, buffers_});
    });
    for (const auto& [lun, unit] : world.target->units())
      run(cdb_of("00"), {}, lun.value);
  }
  ~ThreadedHost() {
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

}  // namespace device::test
