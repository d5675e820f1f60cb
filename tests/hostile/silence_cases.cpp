// Peers that say nothing: the target's timeouts end them. tests/system/hostile.sh sets them short.
#include "tests/hostile/case.hpp"

namespace hostile {

Cases silence_cases() {
  // clang-format off
  return {
      {"connected, then silence", [](Client&) {}, "dropped"},
      {"half a login header, then silence", [](Client& c) { c.send_bytes(Bytes(24, 0x43)); }, "dropped"},
      {"a login that stops half-way", [](Client& c) { c.ask(c.login(stay_operational)); }, "dropped"},
      {"a login kept busy without end", [](Client& c) {
         // Each answer is asked for; the time for all of them together is limited.
         for (;;) {
           c.send(c.login(0x44).with({}));
           if (!c.read()) return;
         }
       }, "dropped"},
      {"a session that answers no ping", [](Client& c) {
         c.log_in();
         c.answers_pings = false;
       }, "NOP-In 0, dropped"},
      {"a session that says nothing but answers pings", [](Client& c) {
         c.log_in();
         for (int pings = 0; pings < 2; ++pings) {
           c.answers_pings = false;
           const Pdu ping = c.answer();
           c.send(immediate(support::nop_out(no_tag, c.cmd_sn)).set(20, 4, ping.transfer_tag()));
         }
         c.answers_pings = true;
       }, "alive"},
      {"a session that stops inside a PDU", [](Client& c) {
         c.log_in();
         c.answers_pings = false;
         c.send_bytes(Bytes(40, 0));
       }, "NOP-In 0, dropped"},
  };
  // clang-format on
}

}  // namespace hostile
