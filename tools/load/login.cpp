#include "tools/load/login.hpp"

#include <charconv>

#include <fmt/format.h>

namespace load {
namespace {

using base::fail;
namespace bhs = iscsi::bhs;

std::uint32_t number(std::string_view value, std::uint32_t otherwise) {
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  return error == std::errc() && end == value.data() + value.size() ? out : otherwise;
}

void take(Agreed& agreed, std::string_view key, std::string_view value) {
  if (key == "HeaderDigest") agreed.digests.header = value == "CRC32C";
  if (key == "DataDigest") agreed.digests.data = value == "CRC32C";
  if (key == "ImmediateData") agreed.immediate_data = value == "Yes";
  if (key == "MaxBurstLength") agreed.max_burst_length = number(value, agreed.max_burst_length);
  if (key == "FirstBurstLength")
    agreed.first_burst_length = number(value, agreed.first_burst_length);
  if (key == "MaxRecvDataSegmentLength") {
    agreed.target_max_recv_data_segment_length =
        number(value, agreed.target_max_recv_data_segment_length);
  }
}

// Tells the most usual reasons in words (RFC 7143 11.13.5).
std::string refusal(std::uint64_t status) {
  constexpr std::uint64_t authentication = 0x0201, authorization = 0x0202, not_found = 0x0203;
  switch (status) {
    case authentication:
      return "the target wants CHAP, which a load cannot";
    case authorization:
      return "this initiator name is not allowed there";
    case not_found:
      return "no such target";
    default:
      return fmt::format("login status {:04x}h", status);
  }
}

}  // namespace

std::string login_text(const LoginRequest& request) {
  const auto digest = [](bool wanted) { return wanted ? "CRC32C" : "None"; };
  std::string out;
  const auto add = [&out](std::string_view key, std::string_view value) {
    out += fmt::format("{}={}", key, value);
    out.push_back('\0');
  };
  add("InitiatorName", request.initiator_name);
  add("SessionType", "Normal");
  add("TargetName", request.target_name);
  add("HeaderDigest", digest(request.digests.header));
  add("DataDigest", digest(request.digests.data));
  add("MaxRecvDataSegmentLength", std::to_string(max_recv_data_segment_length));
  // More than any target takes: its own limits hold.
  add("MaxBurstLength", "16776192");
  add("FirstBurstLength", "262144");
  add("InitialR2T", "Yes");
  add("ImmediateData", "Yes");
  add("MaxOutstandingR2T", "16");
  add("MaxConnections", "1");
  add("ErrorRecoveryLevel", "0");
  add("DefaultTime2Wait", "0");
  add("DefaultTime2Retain", "0");
  return out;
}

base::Result<Agreed, std::string> agree(const LoginRequest& request, std::string_view answer) {
  Agreed agreed;
  while (!answer.empty()) {
    const std::size_t end = std::min(answer.find('\0'), answer.size());
    const std::string_view item = answer.substr(0, end);
    const std::size_t equals = item.find('=');
    if (equals != std::string_view::npos)
      take(agreed, item.substr(0, equals), item.substr(equals + 1));
    answer.remove_prefix(std::min(end + 1, answer.size()));
  }
  if (agreed.digests != request.digests) {
    return fail(std::string("the target does not agree to these digests"));
  }
  if (agreed.target_max_recv_data_segment_length < 512 || agreed.first_burst_length < 512) {
    return fail(std::string("the target takes less than 512 bytes at once"));  // RFC 7143 13.12
  }
  return agreed;
}

base::Result<LoggedIn, std::string> log_in(Socket& socket, const LoginRequest& request) {
  std::string text = login_text(request);
  Bhs header = make_login(request.isid, text.size());
  text.resize(text.size() + iscsi::pad_to_four(text.size()));
  if (!socket.send_all(header) || !socket.send_all(base::as_bytes(text)))
    return fail(std::string("the target closed the connection"));
  if (!socket.read_exactly(header)) return fail(std::string("no answer to the login"));
  const std::uint64_t length = bhs::data_segment_length.read(header);
  std::string answer(length + iscsi::pad_to_four(length), '\0');
  if (!socket.read_exactly({reinterpret_cast<std::uint8_t*>(answer.data()), answer.size()}))
    return fail(std::string("the login's answer is cut short"));
  if (iscsi::opcode_of(header) != iscsi::Opcode::login_response)
    return fail(std::string("no login response came"));
  const std::uint64_t status = iscsi::login_pdu::status_class.read(header) << 8 |
                               iscsi::login_pdu::status_detail.read(header);
  if (status != 0) return fail(refusal(status));
  if (!iscsi::login_pdu::transit.is_set(header))
    return fail(
        std::string("the target asks for more than one login request, which a load cannot"));
  auto agreed = agree(request, std::string_view(answer).substr(0, length));
  if (!agreed) return fail(agreed.error());
  return LoggedIn{*agreed, static_cast<std::uint32_t>(bhs::stat_sn.read(header) + 1),
                  static_cast<std::uint32_t>(bhs::exp_cmd_sn.read(header)),
                  static_cast<std::uint32_t>(bhs::max_cmd_sn.read(header))};
}

}  // namespace load
