// Full feature phase: requests other than SCSI commands, and the command numbers of all.
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

// True: the request counts. One outside the command window is ignored (RFC 7143 4.2.2.1); a gap
// inside it cannot be filled on a session's only connection, so at error recovery level 0 the
// session ends.
bool Connection::admit_command_number() {
  if (bhs::immediate.is_set(request_)) return true;
  const auto cmd_sn = static_cast<std::uint32_t>(bhs::cmd_sn.read(request_));
  if (window_.is_next(cmd_sn) && window_.admits(cmd_sn)) {
    window_.advance();
    return true;
  }
  if (window_.admits(cmd_sn)) close("a command number was skipped");
  return false;
}

void Connection::nop_out_end() {
  if (!admit_command_number()) return;
  const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_));
  if (tag == reserved_tag) return;  // the answer to our ping, or no answer wanted
  Bhs answer = make_response(Opcode::nop_in, tag);
  bhs::target_transfer_tag.write(answer, reserved_tag);
  if (text_.size() > parameters_.peer_max_recv_data_segment_length) {
    text_.resize(parameters_.peer_max_recv_data_segment_length);
  }
  push_with_status(answer, std::move(text_));
}

void Connection::text_end() {
  if (!admit_command_number()) return;
  const bool continues = text_pdu::continues.is_set(request_);
  if (continues && bhs::final.is_set(request_))
    return reject_numbered(RejectReason::protocol_error);
  const auto transfer_tag = static_cast<std::uint32_t>(bhs::target_transfer_tag.read(request_));
  const bool goes_on = transfer_tag != reserved_tag && transfer_tag == text_transfer_tag_;
  if (goes_on && !text_answer_.empty()) return continue_text();
  text_answer_.clear();
  if (!goes_on) text_request_.clear();
  if (text_request_.size() + text_.size() > text_request_bytes_max) {
    text_request_.clear();
    return reject_numbered(RejectReason::long_operation_reject);
  }
  text_request_.insert(text_request_.end(), text_.begin(), text_.end());
  if (continues) return continue_text();

  const auto keys = parse_text(text_request_);
  text_request_.clear();
  if (!keys) return reject_numbered(RejectReason::protocol_error);
  KeyValues answers;
  KeyValues operational;
  for (const KeyValue& item : *keys) {
    if (item.key != "SendTargets") {
      operational.push_back(item);
      continue;
    }
    std::vector<DiscoveredTarget> targets = host_.discover();
    const std::string& own = login_.identity().target_name;
    // All only in discovery; else the named target, or with no name the session's own (RFC 7143 C).
    const bool all = item.value == "All";
    if (all && !login_.discovery()) {
      answers.push_back({"SendTargets", "Reject"});
      continue;
    }
    const std::string& wanted = item.value.empty() ? own : item.value;
    std::erase_if(targets, [&](const DiscoveredTarget& t) { return !all && t.name != wanted; });
    for (KeyValue& found : send_targets_answer(targets))
      answers.push_back(std::move(found));
  }
  const auto negotiated = negotiate(operational, parameters_, login_.discovery());
  if (!negotiated) return reject_numbered(RejectReason::protocol_error);
  // Only what each side declares for itself may change after login.
  parameters_.peer_max_recv_data_segment_length =
      negotiated->parameters.peer_max_recv_data_segment_length;
  for (const KeyValue& item : negotiated->answers) {
    const bool may_change = item.key == "MaxRecvDataSegmentLength" || item.value == "NotUnderstood";
    answers.push_back(may_change ? item : KeyValue{item.key, "Reject"});
  }
  text_answer_ = encode_text(answers);
  continue_text();
}

// Sends as much of the answer as the initiator takes in one PDU; what is left waits for its next
// request. The answer is not final while the request is not (RFC 7143 11.11.1).
void Connection::continue_text() {
  const std::size_t length =
      std::min<std::size_t>(text_answer_.size(), parameters_.peer_max_recv_data_segment_length);
  std::vector<std::uint8_t> part(text_answer_.begin(),
                                 text_answer_.begin() + static_cast<std::ptrdiff_t>(length));
  text_answer_.erase(text_answer_.begin(),
                     text_answer_.begin() + static_cast<std::ptrdiff_t>(length));
  const bool more_to_send = !text_answer_.empty();
  const bool more_to_come = !bhs::final.is_set(request_);
  text_transfer_tag_ = more_to_send || more_to_come ? next_transfer_tag_++ : reserved_tag;
  Bhs answer = make_response(Opcode::text_response,
                             static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_)));
  bhs::final.write(answer, !more_to_send && !more_to_come);
  text_pdu::continues.write(answer, more_to_send);
  bhs::target_transfer_tag.write(answer, text_transfer_tag_);
  push_with_status(answer, std::move(part));
}

void Connection::logout_end() {
  if (!admit_command_number()) return;
  using logout_pdu::Reason;
  using logout_pdu::Response;
  const auto reason = static_cast<Reason>(logout_pdu::reason.read(request_));
  const bool closes = reason == Reason::close_session || reason == Reason::close_connection;
  Bhs answer = make_response(Opcode::logout_response,
                             static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request_)));
  bhs::response.write(answer, static_cast<std::uint8_t>(closes ? Response::closed
                                                               : Response::recovery_not_supported));
  push_with_status(answer);
  if (!closes) return;
  silent_ = true;  // tasks that are still under way end unanswered (RFC 7143 11.14.1)
  close("logout");
}

}  // namespace iscsi
