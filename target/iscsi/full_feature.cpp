// Full feature phase: requests other than SCSI commands, each when its number is next.
#include <algorithm>

#include "target/iscsi/connection.hpp"

namespace iscsi {
namespace {

KeyValues send_targets_answer(const std::vector<DiscoveredTarget>& targets) {
  KeyValues out;
  for (const DiscoveredTarget& target : targets) {
    out.push_back({"TargetName", target.name});
    for (const std::string& address : target.addresses)
      out.push_back({"TargetAddress", address});
  }
  return out;
}

constexpr std::size_t text_request_bytes_max = 64 * 1024;

}  // namespace

// Whether the request is to be worked on now or later. One outside the command window is ignored
// (RFC 7143 4.2.2.1); a number that nothing can bring any more ends the session.
bool Connection::accept_arrival(Session::Arrival arrival) {
  if (arrival == Session::Arrival::skipped) break_off("a command number was skipped");
  return arrival == Session::Arrival::in_order || arrival == Session::Arrival::early;
}

void Connection::arrive(Request request) {
  const Session::Arrival arrival = session_->judge(request.header);
  if (!accept_arrival(arrival)) return;
  if (arrival == Session::Arrival::in_order) return deliver(request);
  if (bhs::immediate.is_set(request.header) &&
      session_->held_immediate() >= settings_.immediate_commands_max) {
    const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request.header));
    return answer_task_management(tag, device::TaskManagementResponse::function_rejected);
  }
  const auto cmd_sn = static_cast<std::uint32_t>(bhs::cmd_sn.read(request.header));
  session_->hold({cmd_sn, this, nullptr, std::move(request)});
}

void Connection::deliver(const HeldRequest& held) {
  if (held.task != nullptr) return take_turn(*held.task);
  deliver(held.request);
}

void Connection::deliver(const Request& request) {
  const std::shared_ptr<Session> session = session_;  // a logout may end it
  const bool counts = !bhs::immediate.is_set(request.header);
  if (counts) session->window().advance();
  if (const Refusal refusal = handle(request)) {
    // Its number then counts as not received: the initiator uses it again (RFC 7143 11.17).
    if (counts) session->window().take_back();
    if (counts) session->expect_gap();
    reject(*refusal, request.header);
  }
  session->release_held();
}

Connection::Refusal Connection::handle(const Request& request) {
  switch (opcode_of(request.header)) {
    case Opcode::nop_out:
      return nop_out(request);
    case Opcode::text_request:
      return text(request);
    case Opcode::logout_request:
      return logout(request);
    default:
      return task_management(request);
  }
}

Connection::Refusal Connection::nop_out(const Request& request) {
  const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request.header));
  if (tag == reserved_tag) return {};  // the answer to our ping, or no answer wanted
  // A discovery session asks for targets and logs out, and that is all (RFC 7143 4.3).
  if (login_.discovery()) return RejectReason::protocol_error;
  Bhs answer = make_response(Opcode::nop_in, tag);
  bhs::target_transfer_tag.write(answer, reserved_tag);
  const std::size_t length =
      std::min<std::size_t>(request.text.size(), parameters_.peer_max_recv_data_segment_length);
  push_with_status(
      answer, {request.text.begin(), request.text.begin() + static_cast<std::ptrdiff_t>(length)});
  return {};
}

Connection::Refusal Connection::text(const Request& request) {
  const bool continues = text_pdu::continues.is_set(request.header);
  if (continues && bhs::final.is_set(request.header)) return RejectReason::protocol_error;
  const auto transfer_tag =
      static_cast<std::uint32_t>(bhs::target_transfer_tag.read(request.header));
  const bool goes_on = transfer_tag != reserved_tag && transfer_tag == text_transfer_tag_;
  if (transfer_tag != reserved_tag && !goes_on) return RejectReason::invalid_pdu_field;
  if (goes_on && !text_answer_.empty()) {
    continue_text(request);
    return {};
  }
  text_answer_.clear();
  if (!goes_on) text_request_.clear();
  if (text_request_.size() + request.text.size() > text_request_bytes_max) {
    text_request_.clear();
    return RejectReason::long_operation_reject;
  }
  text_request_.insert(text_request_.end(), request.text.begin(), request.text.end());
  if (!continues) {
    const auto keys = parse_text(text_request_);
    text_request_.clear();
    if (!keys) return RejectReason::protocol_error;
    const auto answers = answer_text(*keys);
    if (!answers) return RejectReason::protocol_error;
    text_answer_ = encode_text(*answers);
  }
  continue_text(request);
  return {};
}

std::optional<KeyValues> Connection::answer_text(const KeyValues& keys) {
  KeyValues answers;
  KeyValues operational;
  for (const KeyValue& item : keys) {
    if (item.key != "SendTargets") {
      operational.push_back(item);
      continue;
    }
    for (KeyValue& found : send_targets(item.value))
      answers.push_back(std::move(found));
  }
  const auto negotiated = negotiate(operational, parameters_, login_.kind());
  if (!negotiated) return std::nullopt;
  // Only what each side declares for itself may change after login.
  parameters_.peer_max_recv_data_segment_length =
      negotiated->parameters.peer_max_recv_data_segment_length;
  for (const KeyValue& item : negotiated->answers) {
    const bool may_change = item.key == "MaxRecvDataSegmentLength" || item.value == "NotUnderstood";
    answers.push_back(may_change ? item : KeyValue{item.key, "Reject"});
  }
  return answers;
}

// All only in discovery; else the named target, or with no name the session's own (RFC 7143 C).
KeyValues Connection::send_targets(const std::string& value) {
  const bool all = value == "All";
  if (all && !login_.discovery()) return {{"SendTargets", "Reject"}};
  const SessionIdentity& identity = login_.identity();
  std::vector<DiscoveredTarget> targets = host_.discover(identity.initiator_name);
  const std::string wanted = value.empty() ? identity.target_name : normalized_name(value);
  std::erase_if(targets, [&](const DiscoveredTarget& t) { return !all && t.name != wanted; });
  return send_targets_answer(targets);
}

// Sends as much of the answer as the initiator takes in one PDU; what is left waits for its next
// request. The answer is not final while the request is not (RFC 7143 11.11.1).
void Connection::continue_text(const Request& request) {
  const std::size_t length =
      std::min<std::size_t>(text_answer_.size(), parameters_.peer_max_recv_data_segment_length);
  std::vector<std::uint8_t> part(text_answer_.begin(),
                                 text_answer_.begin() + static_cast<std::ptrdiff_t>(length));
  text_answer_.erase(text_answer_.begin(),
                     text_answer_.begin() + static_cast<std::ptrdiff_t>(length));
  const bool more_to_send = !text_answer_.empty();
  const bool more_to_come = !bhs::final.is_set(request.header);
  text_transfer_tag_ = more_to_send || more_to_come ? take_transfer_tag() : reserved_tag;
  Bhs answer =
      make_response(Opcode::text_response,
                    static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request.header)));
  bhs::final.write(answer, !more_to_send && !more_to_come);
  text_pdu::continues.write(answer, more_to_send);
  bhs::target_transfer_tag.write(answer, text_transfer_tag_);
  push_with_status(answer, std::move(part));
}

// What the initiator asked of the tasks before is answered before it goes.
Connection::Refusal Connection::logout(const Request& request) {
  const auto reason = static_cast<logout_pdu::Reason>(logout_pdu::reason.read(request.header));
  if (reason > logout_pdu::Reason::recovery) return RejectReason::invalid_pdu_field;
  if (managing_ != 0) {
    waiting_logout_ = request;
  } else {
    log_out(request);
  }
  return {};
}

void Connection::log_out(const Request& request) {
  using logout_pdu::Reason;
  using logout_pdu::Response;
  const auto reason = static_cast<Reason>(logout_pdu::reason.read(request.header));
  const auto cid = static_cast<std::uint16_t>(logout_pdu::cid.read(request.header));
  const std::shared_ptr<Session> session = session_;
  const bool whole_session = reason == Reason::close_session;
  Connection* one = whole_session ? this : session->find_connection(cid);
  Response response = Response::closed;
  if (reason == Reason::recovery) {
    response = Response::recovery_not_supported;
  } else if (one == nullptr) {
    response = Response::cid_not_found;
  }
  Bhs answer =
      make_response(Opcode::logout_response,
                    static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request.header)));
  bhs::response.write(answer, static_cast<std::uint8_t>(response));
  push_with_status(answer);
  announce_late_output();
  if (response != Response::closed) return;
  // Tasks that are still under way end unanswered (RFC 7143 11.14.1).
  if (whole_session) {
    session->close("logout");
  } else {
    one->close("logout");
  }
}

}  // namespace iscsi
