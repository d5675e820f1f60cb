// Peers that say nothing: the target's timeouts end them. The daemon runs with a login timeout of 2
// seconds and pings after 1 second of silence, answered within 2.
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
      {"a session that answers no ping", [](Client& c) { c.log_in(); }, "NOP-In 0, dropped"},
      {"a session that stops inside a PDU", [](Client& c) {
         c.log_in();
         c.send_bytes(Bytes(40, 0));
       }, "NOP-In 0, dropped"},
  };
  // clang-format on
}

}  // namespace hostile
