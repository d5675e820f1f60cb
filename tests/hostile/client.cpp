#include "tests/hostile/client.hpp"

#include <fmt/format.h>

namespace hostile {
namespace {

constexpr std::uint32_t probe_tag = 0x70726f62;
constexpr std::uint8_t login_response = 0x23, nop_in = 0x20;

Bytes ten_byte_cdb(std::uint8_t opcode, std::uint32_t lba, std::uint16_t blocks) {
  Pdu big_endian;
  big_endian.set(0, 1, opcode).set(2, 4, lba).set(7, 2, blocks);
  return {big_endian.header.begin(), big_endian.header.begin() + 10};
}

}  // namespace

std::optional<Pdu> Client::next() {
  for (;;) {
    auto pdu = read();
    const bool ping = pdu && pdu->opcode() == nop_in && pdu->task_tag() == no_tag;
    if (!ping || !answers_pings) return pdu;
    Pdu pong = immediate(support::nop_out(no_tag, cmd_sn)).set(20, 4, pdu->transfer_tag());
    send(pong);
  }
}

Pdu Client::answer() {
  const auto pdu = next();
  if (!pdu) throw std::runtime_error("closed where an answer was due");
  const bool to_full_feature = (pdu->flags() & 0x83) == 0x83;
  if (pdu->opcode() == login_response && pdu->login_status() == 0 && to_full_feature) {
    full_feature = true;
    tsih = static_cast<std::uint16_t>(pdu->be(14, 2));
  }
  return *pdu;
}

Items Client::names(const std::string& target) const {
  return {"InitiatorName=" + initiator_name, "SessionType=Normal", "TargetName=" + target};
}

Pdu Client::login(std::uint8_t flags, const Items& more, const std::string& target) const {
  Items items = names(target);
  items.insert(items.end(), more.begin(), more.end());
  return support::login_request(flags, items, cmd_sn);
}

void Client::log_in(const Items& more, const std::string& target,
                    support::WireDigests digests_wanted) {
  Items items = more;
  if (digests_wanted.header) items.push_back("HeaderDigest=CRC32C");
  if (digests_wanted.data) items.push_back("DataDigest=CRC32C");
  const Pdu reply = ask(login(straight, items, target));
  if (!full_feature) throw std::runtime_error("the login ended with " + words_of(reply));
  digests = digests_wanted;
  ask(test_unit_ready());  // tells the unit attention
}

void Client::log_in_for_discovery(const Items& more) {
  Items items{"InitiatorName=" + initiator_name, "SessionType=Discovery"};
  items.insert(items.end(), more.begin(), more.end());
  const Pdu reply = ask(support::login_request(straight, items, cmd_sn));
  if (!full_feature) throw std::runtime_error("the login ended with " + words_of(reply));
  discovery = true;
}

Pdu Client::command(std::uint8_t direction, std::uint32_t expected_length, const Bytes& cdb) {
  Pdu pdu = support::scsi_command(task_tag++, cmd_sn++, direction, expected_length);
  std::copy(cdb.begin(), cdb.end(), pdu.header.begin() + 32);
  return pdu;
}

Pdu Client::test_unit_ready() {
  return command(0, 0, {0x00});
}

Pdu Client::read_blocks(std::uint32_t lba, std::uint16_t blocks) {
  return command(reads, blocks * block_bytes, ten_byte_cdb(0x28, lba, blocks));
}

Pdu Client::write_blocks(std::uint32_t lba, std::uint16_t blocks, Bytes immediate_data) {
  return command(writes, blocks * block_bytes, ten_byte_cdb(0x2a, lba, blocks))
      .with(std::move(immediate_data));
}

Pdu Client::nop(Bytes ping) {
  return support::nop_out(task_tag++, cmd_sn++, std::move(ping));
}

Pdu Client::text(std::uint8_t flags, const Items& items, std::uint32_t transfer_tag) {
  return support::text_request(task_tag++, cmd_sn++, flags, support::text_of(items), transfer_tag);
}

Pdu Client::manage(std::uint8_t function, std::uint32_t referenced_tag,
                   std::uint32_t referenced_cmd_sn) {
  Pdu pdu;
  pdu.header[0] = 0x42;  // immediate
  pdu.header[1] = static_cast<std::uint8_t>(0x80 | function);
  return pdu.set(16, 4, task_tag++)
      .set(20, 4, referenced_tag)
      .set(24, 4, cmd_sn)
      .set(32, 4, referenced_cmd_sn);
}

Pdu Client::logout(std::uint8_t reason, std::uint16_t cid) {
  return support::logout_request(task_tag++, cmd_sn++, reason).set(20, 2, cid);
}

Pdu Client::start_write(std::uint32_t lba, std::uint16_t blocks) {
  const Pdu r2t = ask(write_blocks(lba, blocks));
  if (r2t.opcode() != 0x31) throw std::runtime_error("no R2T but " + words_of(r2t));
  return r2t;
}

Pdu Client::data_for(const Pdu& r2t, Bytes bytes, bool final, std::uint32_t data_sn,
                     std::uint32_t offset) {
  return support::data_out(r2t.task_tag(), r2t.transfer_tag(), data_sn,
                           r2t.buffer_offset() + offset, std::move(bytes), final);
}

// A discovery session may do nothing but SendTargets and logout.
Pdu Client::probe() const {
  if (!discovery) return immediate(support::nop_out(probe_tag, cmd_sn));
  return immediate(
      support::text_request(probe_tag, cmd_sn, 0x80, support::text_of({"SendTargets=All"})));
}

bool Client::answers_probe(const Pdu& pdu) {
  const bool right_kind = pdu.opcode() == 0x20 || pdu.opcode() == 0x24;
  return right_kind && pdu.task_tag() == probe_tag;
}

namespace {

std::string residual_words(const Pdu& answer) {
  if ((answer.flags() & 0x04) != 0) return fmt::format(" O{}", answer.last_word());
  if ((answer.flags() & 0x02) != 0) return fmt::format(" U{}", answer.last_word());
  return {};
}

// Sense in fixed format behind its two length bytes.
std::string sense_words(const Pdu& answer) {
  if (answer.data.size() < 2 + 14) return {};
  const std::uint8_t* sense = answer.data.data() + 2;
  return fmt::format(" {:02x}/{:02x}/{:02x}", sense[2] & 0x0f, sense[12], sense[13]);
}

// Of the keys, all but the one that every first login answer has.
std::string item_words(const Pdu& answer) {
  std::string out;
  for (const std::string& item : answer.items()) {
    if (!item.starts_with("TargetPortalGroupTag=")) out += " " + item;
  }
  return out;
}

}  // namespace

std::string words_of(const Pdu& answer) {
  const bool has_status = (answer.flags() & 0x01) != 0;
  switch (answer.opcode()) {
    case nop_in:
      return fmt::format("NOP-In {}", answer.data.size());
    case 0x21: {
      const std::string sense = answer.status() == 2 ? sense_words(answer) : "";
      const std::string residual = answer.status() == 0 ? residual_words(answer) : "";
      return fmt::format("Status {:02x}{}{}", answer.status(), sense, residual);
    }
    case 0x22:
      return fmt::format("Task {}", answer.header[2]);
    case login_response:
      return fmt::format("Login {:04x}{}", answer.login_status(), item_words(answer));
    case 0x24:
      return "Text" + item_words(answer);
    case 0x25:
      return fmt::format("Data-In {}", answer.data.size()) +
             (has_status ? fmt::format(" Status {:02x}{}", answer.status(), residual_words(answer))
                         : "");
    case 0x26:
      return fmt::format("Logout {}", answer.header[2]);
    case 0x31:
      return fmt::format("R2T {}", answer.last_word());
    case 0x3f:
      return fmt::format("Reject {:02x}", answer.header[2]);
    default:
      return fmt::format("opcode {:02x}", answer.opcode());
  }
}

}  // namespace hostile
