// One session under load: keeps `depth` commands under way, answers R2Ts, notes what ends. Driven
// by readiness; after it is made, nothing is allocated.
#pragma once

#include <memory>
#include <vector>

#include "tools/load/answer_reader.hpp"
#include "tools/load/send_queue.hpp"
#include "tools/load/work.hpp"

namespace load {

class Session {
 public:
  Session(Prepared prepared, Work& work, unsigned index);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int descriptor() const { return socket_.descriptor(); }
  // Starts what may start and sends it. Trouble goes to the work.
  void pump();
  // Reads what has come into `scratch`, handles it, starts what follows.
  void on_readable(base::ByteSpan scratch);
  bool wants_to_write() const { return blocked_; }
  bool idle() const { return free_.size() == tasks_.size(); }

  // Of the reader.
  void header(const Bhs& header);
  void data(base::ByteView piece);
  void end();

 private:
  enum class Kind : std::uint8_t { none, read, write, flush };
  struct Task {
    Kind kind = Kind::none;
    std::uint32_t floor = 0;  // of a read that is verified
    std::uint32_t data_got = 0;
    std::uint64_t slot = 0;
    base::Instant started;
  };

  bool window_open() const {
    return static_cast<std::int32_t>(login_.max_cmd_sn - login_.cmd_sn) >= 0;
  }
  std::uint32_t tag_of(const Task& task) const {
    return static_cast<std::uint32_t>(&task - tasks_.data());
  }
  // Where a task's own data is; empty where nothing is verified.
  base::ByteSpan memory_of(const Task& task);
  bool start_next();
  std::uint64_t slot_to_write();
  void send(Task& task);
  void send_write(Task& task, Bhs& command);
  void send_data(Task& task, std::uint32_t transfer_tag, std::uint32_t offset,
                 std::uint32_t length);
  void queue(const Bhs& header, base::ByteView data);
  Task* task_of(const Bhs& header);
  void complete(Task& task, std::uint64_t status);
  void note(Task& task);
  bool puts_up_with(std::uint64_t status) const;
  void other_answer();
  void flush();

  Socket socket_;
  LoggedIn login_;
  Work& work_;
  const scsi::Lun lun_;
  Offsets offsets_;
  std::vector<Task> tasks_;  // the tag is the index
  std::vector<std::uint32_t> free_;
  std::vector<std::uint8_t> memory_;
  SendQueue out_;
  AnswerReader<Session> reader_;
  Bhs answer_{};  // the one that is coming in
  std::array<std::uint8_t, 64> sense_{};
  std::size_t sense_bytes_ = 0, answer_data_ = 0;
  unsigned writes_since_flush_ = 0;
  bool blocked_ = false;
};

}  // namespace load
