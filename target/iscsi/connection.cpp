// The frame of a connection: which PDU goes where, login, answers that carry status, closing.
#include "target/iscsi/connection.hpp"

#include <algorithm>
#include <cstdio>

namespace iscsi {
namespace {
constexpr std::size_t login_data_segment_max = 64 * 1024;

// Requests whose data segment is text or ping data.
bool carries_text(Opcode opcode) {
  return opcode == Opcode::nop_out || opcode == Opcode::text_request ||
         opcode == Opcode::login_request;
}

// TotalAHSLength is 0 in all but SCSI commands (RFC 7143 11.2.1.5); of PDUs that are unknown nobody
// knows.
bool may_have_additional_headers(Opcode opcode) {
  return opcode == Opcode::scsi_command ||
         (opcode > Opcode::logout_request && opcode != Opcode::snack_request);
}
}  // namespace

Connection::Connection(const ConnectionSettings& settings, Host& host, base::BufferPool& buffers)
    : settings_(settings), host_(host), buffers_(buffers), login_(host, settings.offer) {}

Connection::~Connection() {
  if (session_ != nullptr) session_->leave(*this);
}

std::size_t Connection::receive(base::ByteView stream) {
  if (closing_) return stream.size();
  heard_ = in_receive_ = true;
  const std::size_t taken = reader_.feed(stream, *this);
  in_receive_ = false;
  return closing_ ? stream.size() : taken;
}

void Connection::received_directly(std::size_t bytes) {
  heard_ = in_receive_ = true;
  reader_.received_directly(bytes, *this);
  in_receive_ = false;
}

base::ByteSpan Connection::gather_text(std::size_t bytes) {
  text_.resize(bytes);
  return text_;
}

// Before login only a login request may come; once login has begun, what comes instead is answered
// (RFC 7143 6.3).
base::ByteSpan Connection::login_begin(std::size_t length) {
  const bool is_login = opcode_of(request_) == Opcode::login_request;
  if (is_login && length <= login_data_segment_max) return gather_text(length);
  discard_ = true;
  if (!is_login && login_.started()) refuse_login(LoginStatus::invalid_request_during_login);
  close("something other than a login request before login");
  return {};
}

base::ByteSpan Connection::pdu_begin(const Bhs& header, base::ByteView additional) {
  request_ = header;
  discard_ = false;
  receiving_ = nullptr;
  sequence_ = nullptr;
  text_.clear();
  if (closing_) {
    discard_ = true;
    return {};
  }
  const Opcode opcode = opcode_of(header);
  const std::size_t length = bhs::data_segment_length.read(header);
  if (!additional.empty() && !may_have_additional_headers(opcode)) {
    discard_ = true;
    break_off("additional header segments on something other than a command");
    return {};
  }
  if (stage_ == Stage::login) return login_begin(length);
  if (length > parameters_.max_recv_data_segment_length) {
    discard_ = true;
    reject(RejectReason::protocol_error, header);
    break_off("a data segment longer than MaxRecvDataSegmentLength");
    return {};
  }
  if (opcode == Opcode::scsi_command) return scsi_command_begin(additional);
  if (opcode == Opcode::data_out) return data_out_begin();
  return carries_text(opcode) ? gather_text(length) : base::ByteSpan{};
}

void Connection::header_damaged() {
  break_off("a header digest error");
}

// The PDU is rejected, so that the initiator knows; a command that it belonged to fails (RFC 7143
// 7.8; retransmission would need error recovery level 1).
void Connection::data_damaged() {
  reject(RejectReason::data_digest_error, request_);
  if (receiving_ != nullptr) receiving_->damaged = true;
}

void Connection::pdu_end(bool data_intact) {
  dropped_data_ = {};
  if (discard_) return;
  if (!data_intact) {
    data_damaged();
    if (receiving_ == nullptr) return;
  }
  if (stage_ == Stage::login) return login_end();
  switch (opcode_of(request_)) {
    case Opcode::scsi_command:
      return scsi_command_end();
    case Opcode::data_out:
      return data_out_end();
    case Opcode::nop_out:
    case Opcode::text_request:
    case Opcode::logout_request:
    case Opcode::task_management_request:
      return arrive({request_, std::move(text_)});
    case Opcode::snack_request:
      return reject(RejectReason::snack_reject, request_);
    case Opcode::login_request:
      reject(RejectReason::protocol_error, request_);
      return break_off("a login request after login");
    default:
      return reject(RejectReason::command_not_supported, request_);
  }
}

Bhs Connection::login_answer(LoginStage stage) const {
  Bhs answer{};
  bhs::opcode.write(answer, static_cast<std::uint8_t>(Opcode::login_response));
  bhs::initiator_task_tag.write(answer, bhs::initiator_task_tag.read(request_));
  const bool to_login = opcode_of(request_) == Opcode::login_request;
  login_pdu::isid.write(answer, to_login ? login_pdu::isid.read(request_) : login_.identity().isid);
  login_pdu::current_stage.write(answer, static_cast<std::uint8_t>(stage));
  return answer;
}

void Connection::refuse_login(LoginStatus status, std::vector<std::uint8_t> keys) {
  Bhs answer = login_answer(login_.stage());
  const auto code = static_cast<std::uint16_t>(status);
  login_pdu::status_class.write(answer, code >> 8);
  login_pdu::status_detail.write(answer, code & 0xff);
  push_with_status(answer, std::move(keys));
  char text[48];
  std::snprintf(text, sizeof text, "login refused with status %04xh", code);
  close(text);
}

void Connection::login_end() {
  const LoginReply reply = login_.receive(request_, text_);
  login_cmd_sn_ = static_cast<std::uint32_t>(bhs::cmd_sn.read(request_));
  cid_ = static_cast<std::uint16_t>(login_pdu::cid.read(request_));
  if (stat_sn_ == 0) stat_sn_ = static_cast<std::uint32_t>(bhs::exp_stat_sn.read(request_));
  if (reply.status != LoginStatus::success) return refuse_login(reply.status, reply.text);

  Bhs answer = login_answer(reply.current_stage);
  if (reply.completes()) {
    const LoginStatus status = enter_session(answer);
    if (status != LoginStatus::success) return refuse_login(status);
  }
  login_pdu::transit.write(answer, reply.transit);
  login_pdu::next_stage.write(answer, static_cast<std::uint8_t>(reply.next_stage));
  push_with_status(answer, reply.text);
  if (reply.completes()) {
    stage_ = Stage::full_feature;
    parameters_ = login_.parameters();
    reader_.expect(parameters_.digests);
    output_.put(parameters_.digests);
  }
}

// A new session with this connection, or the session that it joins.
LoginStatus Connection::enter_session(Bhs& answer) {
  std::shared_ptr<Session> session = login_.joins();
  if (session != nullptr) {
    const LoginStatus status = session->may_join(cid_);
    if (status != LoginStatus::success) return status;
  } else {
    session =
        std::make_shared<Session>(settings_, login_.identity(), login_.parameters(), login_cmd_sn_);
    auto admission = host_.admit(session);
    if (!admission) return admission.error();
    session->open(std::move(*admission));
  }
  session_ = std::move(session);
  session_->join(*this);
  login_pdu::tsih.write(answer, session_->tsih());
  return LoginStatus::success;
}

void Connection::put_window(Bhs& header) const {
  const Session* session = session_ != nullptr ? session_.get() : login_.joins().get();
  const bool known = session != nullptr;
  bhs::exp_cmd_sn.write(header, known ? session->window().expected() : login_cmd_sn_);
  bhs::max_cmd_sn.write(
      header, known ? session->window().maximum() : login_cmd_sn_ + settings_.command_window - 1);
}

void Connection::push_with_status(Bhs& header, std::vector<std::uint8_t> bytes) {
  bhs::stat_sn.write(header, stat_sn_++);
  put_window(header);
  output_.push(header, std::move(bytes));
}

void Connection::reject(RejectReason reason, const Bhs& offending) {
  Bhs answer = make_response(Opcode::reject, reserved_tag);
  bhs::response.write(answer, static_cast<std::uint8_t>(reason));
  push_with_status(answer, {offending.begin(), offending.end()});
}

void Connection::close(std::string reason) {
  if (closing_) return;
  closing_ = true;
  close_reason_ = std::move(reason);
  if (session_ != nullptr) session_->leave(*this);
  announce_late_output();
}

// The connection has failed: at error recovery level 0 its session has.
void Connection::break_off(std::string reason) {
  if (closing_) return;
  if (session_ != nullptr) session_->fail(*this);
  close(std::move(reason));
}

void Connection::drop(std::string reason) {
  silent_ = dropped_ = true;
  close(std::move(reason));
  announce_late_output();
}

// Output that did not come out of receive() must be sent by somebody.
void Connection::announce_late_output() {
  if (!in_receive_ && late_output_) late_output_();
}

void Connection::abandon() {
  silent_ = dropped_ = true;
  break_off("the initiator closed the connection");
}

void Connection::send_async(AsyncEvent event, std::uint64_t lun_field,
                            const std::array<std::uint16_t, 3>& parameters,
                            std::vector<std::uint8_t> segment) {
  if (closing_) return;
  Bhs message = make_response(Opcode::asynchronous_message, reserved_tag);
  bhs::lun.write(message, lun_field);
  async_pdu::event.write(message, static_cast<std::uint8_t>(event));
  async_pdu::parameter_1.write(message, parameters[0]);
  async_pdu::parameter_2.write(message, parameters[1]);
  async_pdu::parameter_3.write(message, parameters[2]);
  push_with_status(message, std::move(segment));
  announce_late_output();
}

void Connection::tick(base::Instant now) {
  if (!clock_started_) {
    clock_started_ = true;
    opened_at_ = last_heard_ = now;
  }
  if (closing_) return;
  if (stage_ == Stage::login) {
    if (now - opened_at_ >= settings_.login_timeout) close("login took too long");
    return;
  }
  session_->tick(now);
  if (closing_) return;
  if (heard_) {
    heard_ = ping_pending_ = false;
    last_heard_ = now;
    return;
  }
  if (settings_.nop_interval == base::Duration::zero()) return;  // 0: pings are off
  const base::Duration silence = now - last_heard_;
  if (ping_pending_ && silence >= settings_.nop_interval + settings_.nop_timeout) {
    return break_off("no answer to a NOP-In ping");
  }
  if (ping_pending_ || silence < settings_.nop_interval) return;
  ping_pending_ = true;
  Bhs ping = make_response(Opcode::nop_in, reserved_tag);
  bhs::target_transfer_tag.write(ping, take_transfer_tag());
  bhs::stat_sn.write(ping, stat_sn_);
  put_window(ping);
  output_.push(ping);
}

}  // namespace iscsi
