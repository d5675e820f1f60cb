// An initiator without manners, over a real socket: it makes correct requests with the next numbers
// and tags, and a case bends them before they go out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/hostile/wire.hpp"

namespace hostile {

using support::immediate;
using support::no_tag;
using support::pattern;
using support::reads;
using support::writes;
using Items = std::vector<std::string>;

// The target of the cases, LUN 0: 64 MiB of 512-byte blocks. Resets go to a target of their own.
inline const std::string victim = "iqn.2026-11.io.copymgr:victim";
inline const std::string reset_victim = "iqn.2026-11.io.copymgr:reset-victim";
inline constexpr std::uint32_t block_bytes = 512;

// Byte 1 of a Login Request: T, and the stages.
inline constexpr std::uint8_t straight = 0x87;          // operational to full feature phase
inline constexpr std::uint8_t from_security = 0x81;     // security to operational
inline constexpr std::uint8_t stay_operational = 0x04;  // no transit

class Client : public Wire {
 public:
  // Connects to the portal `at`. `name` makes the initiator name, so that no two cases reinstate
  // each other's sessions.
  Client(const std::string& at, const std::string& name) : Wire(at), portal(at) {
    initiator_name = "iqn.2026-11.hostile:" + name;
  }

  const std::string portal;
  std::string initiator_name;
  std::uint32_t cmd_sn = 1;
  std::uint32_t task_tag = 1;
  std::uint16_t tsih = 0;  // once logged in
  bool full_feature = false;
  bool discovery = false;
  bool answers_pings = true;
  std::vector<std::shared_ptr<Client>> companions;  // that live as long

  void send(const Pdu& pdu) { send_bytes(pdu.wire(digests)); }
  // The next PDU that is no ping of the target's, which is answered; nullopt: closed.
  std::optional<Pdu> next();
  // The next answer, which must be there; what it tells about the phase is noted.
  Pdu answer();
  Pdu ask(const Pdu& pdu) {
    send(pdu);
    return answer();
  }

  // Login Requests. `names()` and these keys.
  Items names(const std::string& target = victim) const;
  Pdu login(std::uint8_t flags, const Items& more = {}, const std::string& target = victim) const;
  // Logs in and clears the unit attention. With CRC32C where `digests_wanted` says so.
  void log_in(const Items& more = {}, const std::string& target = victim,
              support::WireDigests digests_wanted = {});
  void log_in_for_discovery(const Items& more = {});

  // Requests with the next CmdSN and tag.
  Pdu test_unit_ready();
  Pdu read_blocks(std::uint32_t lba, std::uint16_t blocks);
  Pdu write_blocks(std::uint32_t lba, std::uint16_t blocks, Bytes immediate_data = {});
  Pdu command(std::uint8_t direction, std::uint32_t expected_length, const Bytes& cdb);
  Pdu nop(Bytes ping = {});
  Pdu text(std::uint8_t flags, const Items& items, std::uint32_t transfer_tag = no_tag);
  Pdu manage(std::uint8_t function, std::uint32_t referenced_tag = no_tag,
             std::uint32_t referenced_cmd_sn = 0);
  Pdu logout(std::uint8_t reason, std::uint16_t cid = 1);

  // Sends a WRITE(10) of `blocks` without data; the R2T that asks for it.
  Pdu start_write(std::uint32_t lba, std::uint16_t blocks);
  // Answers an R2T, from `offset` of what it asked.
  static Pdu data_for(const Pdu& r2t, Bytes bytes, bool final = true, std::uint32_t data_sn = 0,
                      std::uint32_t offset = 0);

  // What a target that still serves this connection answers at once.
  Pdu probe() const;
  static bool answers_probe(const Pdu& pdu);
};

// "Reject 04", "Status 02 05/24/00", "Login 0203": what an answer says, for the tables of cases.
std::string words_of(const Pdu& answer);

}  // namespace hostile
