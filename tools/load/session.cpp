#include "tools/load/session.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <sys/socket.h>

#include "scsi/sense.hpp"

namespace load {
namespace {

namespace bhs = iscsi::bhs;

// Headers that can wait to be sent: a command's own, its data's, and some for pings.
std::size_t queue_capacity(const Settings& settings, const Agreed& agreed) {
  const std::size_t of_data =
      settings.block.value /
          std::min(agreed.target_max_recv_data_segment_length, agreed.max_burst_length) +
      2;
  return settings.depth * (1 + 2 * of_data) + 16;
}

}  // namespace

Session::Session(Prepared prepared, Work& work, unsigned index)
    : socket_(std::move(prepared.socket)),
      login_(prepared.login),
      work_(work),
      lun_{work.settings.url.lun},
      offsets_(work.settings.order, work.area.slots, work.settings.seed * 1000003 + index,
               first_slot(work.area.slots, index, work.settings.sessions)),
      tasks_(work.settings.depth),
      memory_(work.writes_stamps() ? work.settings.depth * work.settings.block.value : 0),
      out_(queue_capacity(work.settings, login_.agreed), login_.agreed.digests),
      reader_(login_.agreed.digests, *this) {
  socket_.make_nonblocking();
  free_.reserve(tasks_.size());
  for (std::size_t i = tasks_.size(); i > 0; --i)
    free_.push_back(static_cast<std::uint32_t>(i - 1));
}

base::ByteSpan Session::memory_of(const Task& task) {
  if (memory_.empty()) return {};
  const std::size_t each = work_.settings.block.value;
  return base::ByteSpan(memory_).subspan(tag_of(task) * each, each);
}

void Session::pump() {
  while (!free_.empty() && window_open() && !out_.full() && start_next()) {
  }
  flush();
}

void Session::flush() {
  const SendQueue::Flushed flushed = out_.flush(descriptor());
  blocked_ = flushed == SendQueue::Flushed::blocked;
  if (flushed == SendQueue::Flushed::lost) work_.fail("the connection was lost");
}

bool Session::start_next() {
  if (!work_.take_turn()) return false;
  Task& task = tasks_[free_.back()];
  free_.pop_back();
  const Settings& settings = work_.settings;
  if (settings.flush_every != 0 && writes_since_flush_ >= settings.flush_every) {
    writes_since_flush_ = 0;
    task.kind = Kind::flush;
  } else if (offsets_.reads(settings.read_percent)) {
    task.kind = Kind::read;
    task.slot = offsets_.next();
    if (settings.verify) task.floor = work_.generations.floor(task.slot);
  } else {
    ++writes_since_flush_;
    task.kind = Kind::write;
    task.slot = slot_to_write();
    if (work_.writes_stamps()) {
      const std::uint32_t generation = settings.verify ? work_.generations.start(task.slot) : 1;
      work_.stamp(task.slot, generation, memory_of(task));
    }
  }
  task.started = work_.now;
  send(task);
  return true;
}

// Of slots that are being written already the next one is taken.
std::uint64_t Session::slot_to_write() {
  std::uint64_t slot = offsets_.next();
  for (std::uint64_t tries = 0; work_.settings.verify && work_.generations.writing(slot); ++tries) {
    if (tries == work_.area.slots) {
      work_.fail("more writes under way than the area has places to verify");
      break;
    }
    slot = slot + 1 == work_.area.slots ? 0 : slot + 1;
  }
  return slot;
}

void Session::send(Task& task) {
  task.data_got = 0;
  Bhs command =
      task.kind == Kind::flush
          ? make_flush(lun_)
          : make_transfer(lun_, {work_.area.range_of(task.slot), work_.settings.block,
                                 task.kind == Kind::read,
                                 task.kind == Kind::write && work_.settings.force_unit_access});
  bhs::initiator_task_tag.write(command, tag_of(task));
  bhs::cmd_sn.write(command, login_.cmd_sn++);
  bhs::exp_stat_sn.write(command, login_.exp_stat_sn);
  task.kind == Kind::write ? send_write(task, command) : queue(command, {});
}

// As much immediate data as the target takes; it asks for the rest.
void Session::send_write(Task& task, Bhs& command) {
  const Agreed& agreed = login_.agreed;
  const std::uint64_t most = std::min({std::uint64_t{agreed.first_burst_length},
                                       std::uint64_t{agreed.target_max_recv_data_segment_length},
                                       work_.settings.block.value});
  const std::uint64_t immediate = agreed.immediate_data ? most : 0;
  bhs::data_segment_length.write(command, immediate);
  const base::ByteView all = memory_.empty() ? work_.payload() : memory_of(task);
  queue(command, all.first(immediate));
}

void Session::queue(const Bhs& header, base::ByteView data) {
  if (out_.full()) flush();
  if (out_.full()) return work_.fail("the target asks for more data than this session can queue");
  out_.push(header, data);
}

void Session::send_data(Task& task, std::uint32_t transfer_tag, std::uint32_t offset,
                        std::uint32_t length) {
  const base::ByteView all = memory_.empty() ? work_.payload() : memory_of(task);
  if (offset > all.size() || length > all.size() - offset) {
    return work_.fail("an R2T asks for data beyond the end of its write");
  }
  DataOut data{tag_of(task), transfer_tag, 0, offset, 0, false};
  for (std::uint32_t left = length; left != 0; left -= data.length, ++data.data_sn) {
    data.length = std::min(left, login_.agreed.target_max_recv_data_segment_length);
    data.last = data.length == left;
    Bhs header = make_data_out(lun_, data);
    bhs::exp_stat_sn.write(header, login_.exp_stat_sn);
    queue(header, all.subspan(data.offset, data.length));
    data.offset += data.length;
  }
}

void Session::on_readable(base::ByteSpan scratch) {
  constexpr int reads_max = 4;  // then others have their turn
  for (int i = 0; i < reads_max && work_.trouble.empty(); ++i) {
    const ssize_t got = ::recv(descriptor(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) return work_.fail("the target closed the connection");
    if (!reader_.feed(scratch.first(static_cast<std::size_t>(got)))) {
      return work_.fail(std::string(reader_.trouble()));
    }
    if (static_cast<std::size_t>(got) < scratch.size()) break;
  }
  pump();
}

void Session::header(const Bhs& header) {
  answer_ = header;
  answer_data_ = sense_bytes_ = 0;
}

Session::Task* Session::task_of(const Bhs& header) {
  const std::uint64_t tag = bhs::initiator_task_tag.read(header);
  if (tag < tasks_.size() && tasks_[tag].kind != Kind::none) return &tasks_[tag];
  work_.fail(fmt::format("an answer to task {:08x}h, which there is none of", tag));
  return nullptr;
}

void Session::data(base::ByteView piece) {
  if (iscsi::opcode_of(answer_) != iscsi::Opcode::data_in) {
    const std::size_t n = std::min(piece.size(), sense_.size() - sense_bytes_);
    std::copy_n(piece.begin(), n, sense_.begin() + static_cast<std::ptrdiff_t>(sense_bytes_));
    sense_bytes_ += n;
    return;
  }
  Task* task = task_of(answer_);
  if (task == nullptr) return;
  const std::uint64_t at = bhs::buffer_offset.read(answer_) + answer_data_;
  if (task->kind != Kind::read || at + piece.size() > work_.settings.block.value) {
    return work_.fail("data came that was not asked for");
  }
  answer_data_ += piece.size();
  task->data_got += static_cast<std::uint32_t>(piece.size());
  if (work_.settings.verify) {
    std::copy(piece.begin(), piece.end(),
              memory_of(*task).begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void Session::end() {
  const iscsi::Opcode opcode = iscsi::opcode_of(answer_);
  login_.max_cmd_sn = static_cast<std::uint32_t>(bhs::max_cmd_sn.read(answer_));
  if (opcode == iscsi::Opcode::data_in && !iscsi::data_in_pdu::status_present.is_set(answer_))
    return;
  if (opcode == iscsi::Opcode::ready_to_transfer) {
    if (Task* task = task_of(answer_)) {
      send_data(*task, static_cast<std::uint32_t>(bhs::target_transfer_tag.read(answer_)),
                static_cast<std::uint32_t>(bhs::buffer_offset.read(answer_)),
                static_cast<std::uint32_t>(iscsi::r2t_pdu::desired_length.read(answer_)));
    }
    return;
  }
  if (opcode != iscsi::Opcode::nop_in)
    login_.exp_stat_sn = static_cast<std::uint32_t>(bhs::stat_sn.read(answer_) + 1);
  if (opcode != iscsi::Opcode::data_in && opcode != iscsi::Opcode::scsi_response)
    return other_answer();
  Task* task = task_of(answer_);
  if (task == nullptr) return;
  if (opcode == iscsi::Opcode::scsi_response && bhs::response.read(answer_) != 0)
    return work_.fail("a command ended with a target failure");
  complete(*task, bhs::status.read(answer_));
}

void Session::other_answer() {
  const std::uint64_t transfer_tag = bhs::target_transfer_tag.read(answer_);
  if (iscsi::opcode_of(answer_) != iscsi::Opcode::nop_in) {
    return work_.fail(
        fmt::format("the target sent a PDU of operation code {:02x}h", bhs::opcode.read(answer_)));
  }
  if (transfer_tag == iscsi::reserved_tag) return;
  Bhs pong = make_nop_out(lun_, static_cast<std::uint32_t>(transfer_tag));
  bhs::cmd_sn.write(pong, login_.cmd_sn);
  bhs::exp_stat_sn.write(pong, login_.exp_stat_sn);
  queue(pong, {});
}

bool Session::puts_up_with(std::uint64_t status) const {
  const auto known = static_cast<scsi::Status>(status);
  if (known == scsi::Status::busy || known == scsi::Status::task_set_full) return true;
  if (known != scsi::Status::check_condition || sense_bytes_ <= 2) return false;
  const auto sense = scsi::parse_sense(base::ByteView(sense_).subspan(2, sense_bytes_ - 2));
  return sense && sense->key == scsi::SenseKey::unit_attention;
}

void Session::complete(Task& task, std::uint64_t status) {
  if (status != 0) {
    if (puts_up_with(status)) {
      ++work_.measured.retries;
      return send(task);
    }
    const auto sense = scsi::parse_sense(
        base::ByteView(sense_).subspan(2, sense_bytes_ < 2 ? 0 : sense_bytes_ - 2));
    return work_.fail(fmt::format("a {} at LBA {} ended with status {:02x}h{}",
                                  task.kind == Kind::read    ? "read"
                                  : task.kind == Kind::write ? "write"
                                                             : "flush",
                                  work_.area.range_of(task.slot).first.value, status,
                                  sense ? ", sense " + scsi::to_text(*sense) : ""));
  }
  if (task.kind == Kind::read && task.data_got != work_.settings.block.value) {
    return work_.fail(fmt::format("LBA {}: {} bytes came instead of {}",
                                  work_.area.range_of(task.slot).first.value, task.data_got,
                                  work_.settings.block.value));
  }
  if (work_.settings.verify && task.kind == Kind::read)
    work_.check(task.slot, task.floor, memory_of(task));
  if (work_.settings.verify && task.kind == Kind::write) work_.generations.finish(task.slot);
  note(task);
  free_.push_back(tag_of(task));
  task.kind = Kind::none;
}

void Session::note(Task& task) {
  if (!work_.measuring) return;
  Measurement& measured = work_.measured;
  const base::Duration latency = work_.now - task.started;
  if (task.kind == Kind::flush) {
    ++measured.flushes;
    return measured.flush_latency.record(latency);
  }
  ++(task.kind == Kind::read ? measured.reads : measured.writes);
  measured.latency.record(latency);
}

}  // namespace load
