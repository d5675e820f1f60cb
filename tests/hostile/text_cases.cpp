// Text, NOP, SNACK, logout, and what a discovery session may not do (RFC 7143 4.3, 11.10-11.19).
#include <fmt/format.h>

#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

constexpr std::uint8_t final = 0x80, goes_on = 0x40;

auto sends(std::function<Pdu(Client&)> make) {
  return [=](Client& c) {
    c.log_in();
    c.send(make(c));
  };
}

auto says(Items items) {
  return sends([=](Client& c) { return c.text(final, items); });
}

auto in_discovery(std::function<Pdu(Client&)> make) {
  return [=](Client& c) {
    c.log_in_for_discovery();
    c.send(make(c));
  };
}

Pdu snack(Client& c, std::uint8_t type) {
  Pdu pdu;
  pdu.header[0] = 0x10;
  pdu.header[1] = static_cast<std::uint8_t>(0x80 | type);
  return pdu.set(16, 4, no_tag).set(20, 4, no_tag).set(24, 4, c.cmd_sn);
}

// C=1 without end: the target need not gather for ever.
void endless_text(Client& c) {
  c.log_in();
  std::uint32_t tag = no_tag;
  for (int i = 0; i < 9; ++i) {
    Pdu pdu = c.text(goes_on, {}, tag).set(16, 4, 77).with(Bytes(8192, 'A'));
    if (i == 8) return c.send(pdu);
    tag = c.ask(pdu).transfer_tag();
  }
}

// A continuation that is never asked for: the next request starts anew.
void answer_left_behind(Client& c) {
  c.log_in_for_discovery({"MaxRecvDataSegmentLength=512"});
  c.send(c.text(final, {"SendTargets=All"}));
  c.answer();
}

void nops_unread(Client& c) {
  c.log_in();
  Bytes all;
  for (int i = 0; i < 2000; ++i)
    all = all + immediate(support::nop_out(static_cast<std::uint32_t>(i), c.cmd_sn)).wire();
  c.send_bytes(all);
  for (int i = 0; i < 1999; ++i)
    c.answer();
}

void talk_after_logout(Client& c) {
  c.log_in();
  const Bytes end = c.logout(0).wire();
  const Bytes talk = c.nop().wire();
  c.send_bytes(end + talk + c.test_unit_ready().wire());
}

}  // namespace

Cases text_cases() {
  // clang-format off
  Cases out{
      {"SendTargets=All in a normal session", says({"SendTargets=All"}), "Text SendTargets=Reject, alive"},
      {"SendTargets of nobody", says({"SendTargets=iqn.2026-11.io.copymgr:nobody"}), "Text, alive"},
      {"no text", says({}), "Text, alive"},
      {"text without =", sends([](Client& c) { return c.text(final, {"NoValueHere"}); }), "Reject 04, alive"},
      {"a key twice", says({"MaxRecvDataSegmentLength=512", "MaxRecvDataSegmentLength=1024"}), "Reject 04, alive"},
      {"a key that login has settled", says({"MaxBurstLength=512"}), "Text MaxBurstLength=Reject, alive"},
      {"digests after login", says({"HeaderDigest=CRC32C"}), "Text HeaderDigest=Reject, alive"},
      {"MaxRecvDataSegmentLength of 0", says({"MaxRecvDataSegmentLength=0"}), "Text MaxRecvDataSegmentLength=Reject, alive"},
      {"an unknown key", says({"X-org.example.key=1"}), "Text X-org.example.key=NotUnderstood, alive"},
      {"F and C together", sends([](Client& c) { return c.text(final | goes_on, {"SendTargets=All"}); }), "Reject 04, alive"},
      {"text that never ends", endless_text, "Reject 0a, alive"},
      {"a continuation of nothing", sends([](Client& c) { return c.text(final, {}, 0x12345678); }), "Reject 09, alive"},
      {"an answer whose rest nobody fetches", answer_left_behind, "alive"},
      {"a ping with the longest data", sends([](Client& c) { return c.nop(pattern(262144)); }), "NOP-In 8192, alive"},
      {"an answer to a ping that was not sent", sends([](Client& c) {
         return immediate(support::nop_out(no_tag, c.cmd_sn)).set(20, 4, 0x12345678);
       }), "alive"},
      {"2,000 pings at once", nops_unread, "NOP-In 0, alive"},
      {"SNACK for data", sends([](Client& c) { return snack(c, 0); }), "Reject 03, alive"},
      {"SNACK for status", sends([](Client& c) { return snack(c, 1); }), "Reject 03, alive"},
      {"SNACK of a reserved type", sends([](Client& c) { return snack(c, 9); }), "Reject 03, alive"},
      {"logout for recovery at error recovery level 0", sends([](Client& c) { return c.logout(2); }), "Logout 2, alive"},
      {"logout of a connection that is not there", sends([](Client& c) { return c.logout(1, 77); }), "Logout 1, alive"},
      {"logout for a reserved reason", sends([](Client& c) { return c.logout(3); }), "Reject 09, alive"},
      {"logout for reason 127", sends([](Client& c) { return c.logout(127); }), "Reject 09, alive"},
      {"talk after logout", talk_after_logout, "Logout 0, dropped"},
      {"a command in a discovery session", in_discovery([](Client& c) { return c.test_unit_ready(); }), "Reject 04, alive"},
      {"a write in a discovery session", in_discovery([](Client& c) { return c.write_blocks(0, 1, pattern(512)); }), "Reject 04, alive"},
      {"task management in a discovery session", in_discovery([](Client& c) { return c.manage(6); }), "Reject 04, alive"},
      {"Data-Out in a discovery session", in_discovery([](Client&) { return support::data_out(1, 1, 0, 0, pattern(512), true); }), "Reject 04, alive"},
      {"a ping in a discovery session", in_discovery([](Client& c) { return c.nop(); }), "Reject 04, alive"},
      {"a logout of one connection in a discovery session", in_discovery([](Client& c) { return c.logout(1); }), "Logout 0, dropped"},
      {"session keys in a discovery session", [](Client& c) {
         c.send(support::login_request(straight, {"InitiatorName=" + c.initiator_name, "SessionType=Discovery", "MaxBurstLength=512"}));
         c.discovery = true;
       }, "Login 0000 MaxBurstLength=Irrelevant, alive"},
  };
  // clang-format on
  return out;
}

}  // namespace hostile
