// SCSI commands and their data: immediate and unsolicited data, R2T and solicited Data-Out,
// Data-In, the response with its residual.
#include <algorithm>

#include "base/log.hpp"
#include "target/iscsi/additional_headers.hpp"
#include "target/iscsi/connection.hpp"

namespace iscsi {
namespace {

scsi::TaskAttribute attribute_of(const Bhs& request) {
  const std::uint64_t code = scsi_command_pdu::attribute.read(request);
  return code <= 4 ? static_cast<scsi::TaskAttribute>(code) : scsi::TaskAttribute::simple;
}

void fill_command(IscsiTask& task, const Bhs& request) {
  task.initiator_task_tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request));
  task.expected_length =
      static_cast<std::uint32_t>(scsi_command_pdu::expected_length.read(request));
  task.reads = scsi_command_pdu::read.is_set(request);
  task.writes = scsi_command_pdu::write.is_set(request);
  if (task.writes) task.data_out_announced = base::ByteCount(task.expected_length);
  task.lun_field = bhs::lun.read(request);
  task.attribute = attribute_of(request);
  std::copy_n(request.begin() + scsi_command_pdu::cdb_at, scsi_command_pdu::cdb_bytes,
              task.cdb.begin());
}

// Of what a Task has no room for it needs to know the length only.
void extend_cdb(IscsiTask& task, base::ByteView rest) {
  constexpr std::size_t room = scsi::cdb_bytes_max - scsi_command_pdu::cdb_bytes;
  std::copy_n(rest.begin(), std::min(rest.size(), room),
              task.cdb.begin() + scsi_command_pdu::cdb_bytes);
  task.cdb_length = static_cast<std::uint16_t>(scsi_command_pdu::cdb_bytes + rest.size());
}

// Where `length` bytes at `offset` of the data-out belong; shorter, or nothing, past what is
// wanted.
base::ByteSpan place_in(IscsiTask& task, std::uint32_t offset, std::uint32_t length) {
  if (offset >= task.wanted) return {};
  return task.data_out.span().subspan(offset, std::min(length, task.wanted - offset));
}

// What the initiator announced in the direction in which the command has moved data.
std::uint32_t expected_of(const IscsiTask& task) {
  const bool moved = task.status == scsi::Status::good && task.transfer_length.value != 0;
  const bool either = task.reads || task.writes;
  const bool announced = !moved ? either : task.data_in.empty() ? task.writes : task.reads;
  return announced ? task.expected_length : 0;
}

scsi::Sense protocol_service_crc_error() {
  return scsi::sense::make(scsi::SenseKey::aborted_command, scsi::asc::protocol_service_crc_error);
}

}  // namespace

// Whether the command keeps the rules that were negotiated; nullopt when it does.
std::optional<RejectReason> Connection::check_command(std::uint32_t immediate_length) {
  const bool writes = scsi_command_pdu::write.is_set(request_);
  const bool unsolicited_follows = writes && !bhs::final.is_set(request_);
  const std::uint64_t expected = scsi_command_pdu::expected_length.read(request_);
  if (session_->server() == nullptr) return RejectReason::protocol_error;  // a discovery session
  if (writes && scsi_command_pdu::read.is_set(request_)) return RejectReason::invalid_pdu_field;
  if (immediate_length != 0 &&
      (!writes || !parameters_.immediate_data || immediate_length > expected ||
       immediate_length > parameters_.first_burst_length)) {
    return RejectReason::protocol_error;
  }
  if (unsolicited_follows && parameters_.initial_r2t) return RejectReason::protocol_error;
  const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_));
  if (tag == reserved_tag) return RejectReason::invalid_pdu_field;
  if (session_->find_task(tag) != nullptr) return RejectReason::task_in_progress;
  if (bhs::immediate.is_set(request_) &&
      session_->active_tasks() >= settings_.command_window + settings_.immediate_commands_max) {
    return RejectReason::immediate_command_reject;
  }
  return std::nullopt;
}

base::ByteSpan Connection::scsi_command_begin(base::ByteView additional) {
  discard_ = true;
  if (!accept_arrival(session_->judge(request_))) return {};
  const auto immediate_length = static_cast<std::uint32_t>(bhs::data_segment_length.read(request_));
  const auto headers = parse_additional_headers(additional);
  auto bad = check_command(immediate_length);
  if (!bad && !headers) bad = headers.error();
  if (bad) {
    // The number is free again for another request.
    if (!bhs::immediate.is_set(request_)) session_->expect_gap();
    reject(*bad, request_);
    return {};
  }
  discard_ = false;
  IscsiTask& task = session_->take_task(*this);
  receiving_ = &task;
  fill_command(task, request_);
  extend_cdb(task, headers->extended_cdb);
  if (!task.writes) return {};
  session_->reserve_data_out(task, buffers_);
  return place_in(task, 0, immediate_length);
}

void Connection::scsi_command_end() {
  IscsiTask& task = *receiving_;
  receiving_ = nullptr;
  const auto immediate_length = static_cast<std::uint32_t>(bhs::data_segment_length.read(request_));
  task.asked = task.arrived = std::min(immediate_length, task.wanted);
  // Nothing is wanted of a command that will be refused: unsolicited data is dropped as it comes.
  const bool unsolicited_follows = task.writes && !bhs::final.is_set(request_);
  if (unsolicited_follows && task.wanted != 0) {
    task.sequences.push_back({reserved_tag, immediate_length,
                              std::min(parameters_.first_burst_length, task.expected_length), 0});
  }
  // Other connections may have moved the numbers on while the data came.
  const Session::Arrival arrival = session_->judge(request_);
  if (arrival == Session::Arrival::early) {
    const auto cmd_sn = static_cast<std::uint32_t>(bhs::cmd_sn.read(request_));
    return session_->hold({cmd_sn, this, &task, {}});
  }
  if (arrival != Session::Arrival::in_order) return session_->release_task(task);
  if (bhs::immediate.is_set(request_)) {
    task.in_order = true;
    return proceed(task);
  }
  take_turn(task);
  session_->release_held();
}

// The command's number is the next: from here on it takes a place in the command window.
void Connection::take_turn(IscsiTask& task) {
  task.in_order = task.counted = true;
  session_->window().advance();
  session_->window().take_place();
  proceed(task);
}

// Executes the task when its data is there, else asks for more of it.
void Connection::proceed(IscsiTask& task) {
  if (!task.in_order) return;
  // Of a damaged command nothing more is asked, but what is on its way is awaited (RFC 7143 7.8).
  if (task.damaged ? !task.sequences.empty() : !task.has_all_data()) {
    session_->server()->accept(task);
    return ask_for_data(task);
  }
  task.executing = true;
  ++executing_;
  if (task.damaged) return task.finish_check_condition(protocol_service_crc_error());
  switch (task.refusal) {
    case IscsiTask::Refusal::none:
      break;
    case IscsiTask::Refusal::no_room_now:
      return task.finish_status(scsi::Status::task_set_full);
    case IscsiTask::Refusal::too_large:
      return task.finish_check_condition(
          scsi::sense::illegal_request(scsi::asc::insufficient_resources));
  }
  // The unit may have become ready since the data was not wanted and was dropped; the host tries
  // again.
  const bool dropped = task.writes && task.wanted == 0 && task.expected_length != 0;
  if (dropped && session_->server()->data_out_wanted(task).value != 0) {
    return task.finish_status(scsi::Status::busy);
  }
  const base::log::Scope scope(
      {session_->tsih(), task.initiator_task_tag, base::log::Scope::current().peer});
  session_->server()->execute(task);
}

void Connection::ask_for_data(IscsiTask& task) {
  const bool unsolicited_open =
      !task.sequences.empty() && task.sequences.front().target_transfer_tag == reserved_tag;
  if (unsolicited_open || task.damaged) return;
  while (task.asked < task.wanted && task.sequences.size() < parameters_.max_outstanding_r2t) {
    const std::uint32_t length = std::min(parameters_.max_burst_length, task.wanted - task.asked);
    const std::uint32_t transfer_tag = take_transfer_tag();
    Bhs r2t = make_response(Opcode::ready_to_transfer, task.initiator_task_tag);
    bhs::lun.write(r2t, task.lun_field);
    bhs::target_transfer_tag.write(r2t, transfer_tag);
    bhs::stat_sn.write(r2t, stat_sn_);
    put_window(r2t);
    r2t_pdu::r2t_sn.write(r2t, task.r2t_sn++);
    bhs::buffer_offset.write(r2t, task.asked);
    r2t_pdu::desired_length.write(r2t, length);
    output_.push(r2t);
    task.sequences.push_back({transfer_tag, task.asked, task.asked + length, 0});
    task.asked += length;
  }
}

// The task and its open sequence that the Data-Out in request_ belongs to. Data of a command that
// was refused or has ended may still be on its way; a transfer that a waiting task does not have is
// the initiator's fault.
bool Connection::find_sequence() {
  const auto transfer_tag = static_cast<std::uint32_t>(bhs::target_transfer_tag.read(request_));
  const auto task_tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_));
  IscsiTask* task = session_->find_task(task_tag);
  // Data comes on the connection of its command (RFC 7143 4.2.5.1).
  if (task == nullptr || task->executing || task->connection != this) return false;
  for (DataSequence& sequence : task->sequences) {
    if (sequence.target_transfer_tag != transfer_tag) continue;
    receiving_ = task;
    sequence_ = &sequence;
    return true;
  }
  reject(RejectReason::invalid_pdu_field, request_);
  return false;
}

base::ByteSpan Connection::data_out_begin() {
  discard_ = true;
  if (login_.discovery()) {
    reject(RejectReason::protocol_error, request_);
    return {};
  }
  if (!find_sequence()) return {};
  const auto offset = static_cast<std::uint32_t>(bhs::buffer_offset.read(request_));
  const auto length = static_cast<std::uint32_t>(bhs::data_segment_length.read(request_));
  const bool in_order =
      offset == sequence_->offset && bhs::data_sn.read(request_) == sequence_->data_sn;
  if (!in_order) {
    fail_data_transfer(*receiving_, scsi::asc::data_phase_error);
    return {};
  }
  const bool fits = length <= sequence_->end - offset;
  const bool solicited = sequence_->target_transfer_tag != reserved_tag;
  const bool reaches_end = offset + length == sequence_->end;
  const bool final = bhs::final.is_set(request_);
  // Only unsolicited data may end early (RFC 7143 11.7.1).
  if (!fits || final != (solicited ? reaches_end : final || reaches_end)) {
    fail_data_transfer(*receiving_, scsi::asc::not_enough_unsolicited_data);
    return {};
  }
  discard_ = false;
  return place_in(*receiving_, offset, length);
}

void Connection::data_out_end() {
  IscsiTask& task = *receiving_;
  const auto length = static_cast<std::uint32_t>(bhs::data_segment_length.read(request_));
  const std::uint32_t kept =
      sequence_->offset >= task.wanted ? 0 : std::min(length, task.wanted - sequence_->offset);
  task.arrived += kept;
  sequence_->offset += length;
  ++sequence_->data_sn;
  if (bhs::final.is_set(request_)) {
    if (sequence_->target_transfer_tag == reserved_tag) {
      task.asked = std::min(sequence_->offset, task.wanted);
    }
    task.sequences.erase(task.sequences.begin() + (sequence_ - task.sequences.data()));
    sequence_ = nullptr;
    receiving_ = nullptr;
    proceed(task);
  }
}

std::uint32_t Connection::take_transfer_tag() {
  if (next_transfer_tag_ == reserved_tag) next_transfer_tag_ = 1;
  return next_transfer_tag_++;
}

// At error recovery level 0 a lost or misplaced Data-Out fails the command, and so does data of
// another amount than was asked for: the sense of which is that of too little (RFC 7143 11.4.7.2).
void Connection::fail_data_transfer(IscsiTask& task, scsi::AdditionalSense why) {
  task.sequences.clear();
  task.executing = true;
  ++executing_;
  task.finish_check_condition(scsi::sense::make(scsi::SenseKey::aborted_command, why));
}

void Connection::task_finished(IscsiTask& task) {
  --executing_;
  const std::vector<std::shared_ptr<AbortGroup>> aborted_by = std::move(task.abort_groups);
  const bool is_told = std::all_of(aborted_by.begin(), aborted_by.end(),
                                   [](const auto& group) { return group->is_told; });
  if (!silent_ && !aborted_by.empty() && is_told) {
    answer_aborted(task);
  } else if (!silent_ && aborted_by.empty()) {
    const Residual residual = residual_of(task.transfer_length.value, expected_of(task));
    const bool sends_data = task.reads && task.status == scsi::Status::good &&
                            !task.data_in.empty() && task.expected_length != 0;
    // The place in the window is free before the response tells MaxCmdSN.
    if (task.counted) session_->window().give_back();
    task.counted = false;
    if (sends_data) {
      send_data_in(task, residual);
    } else {
      send_response(task, residual);
    }
  }
  session_->release_task(task);
  for (const auto& group : aborted_by)
    Session::end_abort(*group);
  announce_late_output();
}

// Nothing has moved, as far as the initiator is told.
void Connection::answer_aborted(IscsiTask& task) {
  task.status = scsi::Status::task_aborted;
  task.sense.reset();
  task.transfer_length = {};
  if (task.counted) session_->window().give_back();
  task.counted = false;
  send_response(task, residual_of(0, expected_of(task)));
}

void Connection::send_data_in(IscsiTask& task, const Residual& residual) {
  const auto end =
      static_cast<std::uint32_t>(std::min<std::size_t>(task.data_in.size(), task.expected_length));
  std::uint32_t data_sn = 0;
  for (std::uint32_t offset = 0; offset < end;) {
    const DataInStep step = next_data_in(offset, end, parameters_);
    const bool last = offset + step.length == end;
    OutgoingPdu pdu;
    pdu.header = make_response(Opcode::data_in, task.initiator_task_tag);
    bhs::final.write(pdu.header, step.final);
    bhs::target_transfer_tag.write(pdu.header, reserved_tag);
    put_window(pdu.header);
    bhs::data_sn.write(pdu.header, data_sn++);
    bhs::buffer_offset.write(pdu.header, offset);
    pdu.data = task.data_in.subspan(offset, step.length);
    if (last) {
      data_in_pdu::status_present.write(pdu.header, 1);
      bhs::status.write(pdu.header, static_cast<std::uint8_t>(task.status));
      bhs::stat_sn.write(pdu.header, stat_sn_++);
      bhs::overflow.write(pdu.header, residual.overflow);
      bhs::underflow.write(pdu.header, residual.underflow);
      bhs::residual_count.write(pdu.header, residual.count);
      pdu.buffer = std::move(task.data_in_buffer);
      pdu.bytes = std::move(task.data_in_bytes);
    }
    output_.push(std::move(pdu));
    offset += step.length;
  }
}

void Connection::send_response(IscsiTask& task, const Residual& residual) {
  Bhs answer = make_response(Opcode::scsi_response, task.initiator_task_tag);
  bhs::status.write(answer, static_cast<std::uint8_t>(task.status));
  bhs::overflow.write(answer, residual.overflow);
  bhs::underflow.write(answer, residual.underflow);
  bhs::residual_count.write(answer, residual.count);
  scsi_response_pdu::exp_data_sn.write(answer, task.r2t_sn);
  push_with_status(answer, task.sense ? sense_segment(*task.sense) : std::vector<std::uint8_t>{});
}

}  // namespace iscsi
