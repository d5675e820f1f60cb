// An initiator in memory: it drives one iscsi::Connection over a fake target, keeps the sequence
// numbers that a host keeps, and hands out the answers as PDUs.
#pragma once

#include <array>
#include <stdexcept>

#include "target/iscsi/connection.hpp"
#include "tests/support/fake_target.hpp"
#include "tests/support/pdu.hpp"

namespace support {

// Takes everything out of an engine's output, as the bytes that a socket would carry.
inline Bytes take_output(iscsi::Connection& connection) {
  Bytes out;
  std::array<iovec, 5> list{};
  while (!connection.output().empty()) {
    const std::size_t entries = connection.output().gather(list);
    if (entries == 0) throw std::runtime_error("output that gathers to nothing");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < entries; ++i) {
      const auto* at = static_cast<const std::uint8_t*>(list[i].iov_base);
      out.insert(out.end(), at, at + list[i].iov_len);
      bytes += list[i].iov_len;
    }
    connection.output().consume(bytes);
  }
  return out;
}

class Initiator {
 public:
  explicit Initiator(const iscsi::ConnectionSettings& settings = {})
      : connection(settings, host, buffers), offer_(settings.offer) {
    host.script.buffers = &buffers;
  }

  FakeHost host;
  base::BufferPool buffers;
  iscsi::Connection connection;
  std::uint32_t cmd_sn = 1;    // of the next request that is not immediate
  std::uint32_t task_tag = 1;  // the next one that is free
  WireDigests digests;         // of what is sent and expected from now on

  // All of it is taken; throws when the engine leaves some.
  void send(const Bytes& bytes) {
    if (connection.receive(bytes) != bytes.size()) throw std::runtime_error("input was left over");
  }
  void send(const Pdu& pdu) { send(pdu.wire(digests)); }

  std::vector<Pdu> answers() { return parse_answers(take_output(connection), digests); }
  // Exactly one PDU has come.
  Pdu answer() {
    auto all = answers();
    if (all.size() != 1) {
      throw std::runtime_error(std::to_string(all.size()) + " answers, not one");
    }
    return all.front();
  }
  Pdu ask(const Pdu& pdu) {
    send(pdu);
    return answer();
  }

  // One PDU straight through the operational stage, as Linux logs in.
  Pdu log_in(std::vector<std::string> keys = {}, const std::string& session_type = "Normal") {
    std::vector<std::string> items{std::string("InitiatorName=") + initiator_name,
                                   "SessionType=" + session_type};
    if (session_type == "Normal") items.push_back(std::string("TargetName=") + target_name);
    items.insert(items.end(), keys.begin(), keys.end());
    const Pdu reply = ask(login_request(0x87, items, cmd_sn));
    if (reply.login_status() != 0) throw std::runtime_error("the login was refused");
    return reply;
  }

  // Offers for data transfer what the target offers too, so that exactly this holds.
  Pdu log_in_as_offered(std::vector<std::string> keys = {}) {
    const auto yes_no = [](bool value) { return value ? "Yes" : "No"; };
    for (const std::string& key :
         {"MaxBurstLength=" + std::to_string(offer_.max_burst_length),
          "FirstBurstLength=" + std::to_string(offer_.first_burst_length),
          "MaxOutstandingR2T=" + std::to_string(offer_.max_outstanding_r2t),
          std::string("InitialR2T=") + yes_no(offer_.initial_r2t),
          std::string("ImmediateData=") + yes_no(offer_.immediate_data)}) {
      keys.push_back(key);
    }
    return log_in(std::move(keys));
  }

  // Requests with the next CmdSN and a new task tag; only made, not sent.
  Pdu command(std::uint8_t direction, std::uint32_t expected_length, std::uint8_t opcode = 0) {
    return scsi_command(task_tag++, cmd_sn++, direction, expected_length, opcode);
  }
  Pdu nop(Bytes ping = {}) { return nop_out(task_tag++, cmd_sn++, std::move(ping)); }
  Pdu text(const std::vector<std::string>& items) {
    return text_request(task_tag++, cmd_sn++, 0x80, text_of(items));
  }
  Pdu logout(std::uint8_t reason) { return logout_request(task_tag++, cmd_sn++, reason); }

  Script& script() { return host.script; }

 private:
  iscsi::Parameters offer_;
};

}  // namespace support
