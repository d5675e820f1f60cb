// Login: stages, statuses, keys (RFC 7143 6, 11.12, 11.13, 13).
#include <fmt/format.h>

#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

// A first Login Request with a changed header field.
auto bent_login(std::size_t at, std::size_t width, std::uint64_t value) {
  return [=](Client& c) { c.send(c.login(straight).set(at, width, value)); };
}

auto login_with(std::uint8_t flags, Items more) {
  return [=](Client& c) { c.send(c.login(flags, more)); };
}

// A login with exactly these keys.
auto bare_login(Items items) {
  return [=](Client& c) { c.send(support::login_request(straight, items)); };
}

auto login_text(Bytes text) {
  return [=](Client& c) {
    Pdu pdu = c.login(straight);
    pdu.data.insert(pdu.data.end(), text.begin(), text.end());
    c.send(pdu);
  };
}

// Two requests, the second one bent.
auto second_login(std::uint8_t first_flags, std::function<Pdu(Client&)> second) {
  return [=](Client& c) {
    c.ask(c.login(first_flags));
    c.send(second(c));
  };
}

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

void endless_continuation(Client& c) {
  // C=1 asks the target to wait for more; nobody has to wait for more than a login can need.
  const auto more = [&] { return c.login(0x44).with(Bytes(8192, 'A')); };
  for (int i = 0; i < 8; ++i)
    c.ask(more());
  c.send(more());
}

void same_session_twice(Client& c) {
  c.log_in();
  Client again(c.portal, "");
  again.initiator_name = c.initiator_name;
  again.log_in();
  if (c.read()) throw std::runtime_error("the old session got an answer");
  again.ask(again.nop());
}

Items many_keys(int count) {
  Items out;
  for (int i = 0; i < count; ++i)
    out.push_back(fmt::format("X-org.example.key{}=1", i));
  return out;
}

}  // namespace

Cases login_cases() {
  const std::string name = "InitiatorName=iqn.2026-11.hostile:x";
  const std::string target = "TargetName=" + victim;
  const Items named{name, target};
  // clang-format off
  Cases out{
      {"version 1 at least", bent_login(3, 1, 1), "Login 0205, dropped"},
      {"version 255 at least", bent_login(3, 1, 255), "Login 0205, dropped"},
      {"current stage 2 (reserved)", login_with(0x8b, {}), "Login 0200, dropped"},
      {"current stage 3", login_with(0x8f, {}), "Login 0200, dropped"},
      {"next stage 2 (reserved)", login_with(0x86, {}), "Login 0200, dropped"},
      {"next stage is the current one", login_with(0x85, {}), "Login 0200, dropped"},
      {"next stage lies behind", login_with(0x84, {}), "Login 0200, dropped"},
      {"T and C together", login_with(0xc7, {}), "Login 0200, dropped"},
      {"TSIH that nobody has given out", bent_login(14, 2, 0xbeef), "Login 020a, dropped"},
      {"back to the security stage", second_login(from_security, [](Client& c) { return c.login(from_security); }), "Login 020b, dropped"},
      {"a stage that was not agreed", second_login(stay_operational, [](Client& c) { return c.login(0x00); }), "Login 020b, dropped"},
      {"another ISID in the middle", second_login(stay_operational, [](Client& c) { return c.login(straight).set(8, 6, 0x400001370001); }), "Login 020b, dropped"},
      {"another CID in the middle", second_login(stay_operational, [](Client& c) { return c.login(straight).set(20, 2, 7); }), "Login 020b, dropped"},
      {"a TSIH in the middle", second_login(stay_operational, [](Client& c) { return c.login(straight).set(14, 2, 7); }), "Login 020b, dropped"},
      {"no text at all", bare_login({}), "Login 0207, dropped"},
      {"no InitiatorName", bare_login({target}), "Login 0207, dropped"},
      {"no TargetName", bare_login({name}), "Login 0207, dropped"},
      {"empty InitiatorName", bare_login({"InitiatorName=", target}), "Login 0200, dropped"},
      {"an InitiatorName of no known type", bare_login({"InitiatorName=host1", target}), "Login 0200, dropped"},
      {"an InitiatorName of 224 bytes", bare_login({"InitiatorName=iqn." + std::string(220, 'a'), target}), "Login 0200, dropped"},
      {"an InitiatorName of 8,000 bytes", bare_login({"InitiatorName=iqn." + std::string(8000, 'a'), target}), "Login 0200, dropped"},
      {"a target that is not there", bare_login({name, "TargetName=iqn.2026-11.io.copymgr:nobody"}), "Login 0203, dropped"},
      {"a target name with a format string", bare_login({name, "TargetName=%s%n%x{}{0}"}), "Login 0203, dropped"},
      {"a session type that is none", bare_login({name, "SessionType=Sideways", target}), "Login 0209, dropped"},
      {"InitiatorName twice", bare_login({name, name, target}), "Login 0200, dropped"},
      {"a key twice in one request", login_with(straight, {"MaxBurstLength=4096", "MaxBurstLength=8192"}), "Login 0200, dropped"},
      {"a key twice in two requests", [](Client& c) {
         c.ask(c.login(stay_operational, {"MaxBurstLength=4096"}));
         c.send(c.login(straight, {"MaxBurstLength=4096"}));
       }, "Login 0200, dropped"},
      {"text without =", login_text(bytes_of(std::string("NoValueHere\0", 12))), "Login 0200, dropped"},
      {"a key without a name", login_text(bytes_of(std::string("=value\0", 7))), "Login 0200, dropped"},
      {"a key name of 64 bytes", login_with(straight, {std::string(64, 'K') + "=1"}), "Login 0200, dropped"},
      {"a key name of 8,000 bytes", login_with(straight, {std::string(8000, 'K') + "=1"}), "Login 0200, dropped"},
      {"a value of 8,193 bytes", login_with(straight, {"X-org.example.long=" + std::string(8193, 'v')}), "Login 0200, dropped"},
      {"more unknown keys than an answer can hold", login_with(straight, many_keys(400)), "Login 0200, dropped"},
      {"text that never ends", endless_continuation, "Login 0200, dropped"},
      {"an authentication that nobody knows", login_with(from_security, {"AuthMethod=KRB5,SRP"}), "Login 0201, dropped"},
      {"an answer to a challenge that was not made", login_with(from_security, {"CHAP_N=me", "CHAP_R=0x00"}), "Login 0000 CHAP_N=NotUnderstood CHAP_R=NotUnderstood, waiting"},
      {"the session that lives already", same_session_twice, "dropped"},
      {"a login in a session", [](Client& c) { c.log_in(); c.send(c.login(straight)); }, "Reject 04, dropped"},
      {"no NUL behind the last value", login_text(bytes_of("MaxBurstLength=4096")), "Login 0000 MaxBurstLength=4096, alive"},
  };
  // Values that break the syntax of their key: the key is answered, the login goes on (RFC 7143 6.2.2).
  const std::vector<std::pair<std::string, std::string>> bad_values{
      {"MaxBurstLength", "0"}, {"MaxBurstLength", "511"}, {"MaxBurstLength", "16777216"},
      {"MaxBurstLength", "-1"}, {"MaxBurstLength", "1e5"}, {"MaxBurstLength", "0x"},
      {"MaxBurstLength", "99999999999999999999999999"}, {"MaxBurstLength", ""},
      {"MaxRecvDataSegmentLength", "511"}, {"FirstBurstLength", "16777216"}, {"MaxOutstandingR2T", "0"},
      {"MaxConnections", "65536"}, {"ErrorRecoveryLevel", "3"}, {"DefaultTime2Wait", "3601"},
      {"InitialR2T", "Maybe"}, {"ImmediateData", "yes"}, {"HeaderDigest", "MD5"}, {"DataDigest", ""},
      {"IFMarkInt", "1~65535"},
  };
  // clang-format on
  for (const auto& [key, value] : bad_values) {
    const std::string shown = value.empty() ? "nothing" : value;
    out.push_back({key + " is " + shown, login_with(straight, {key + "=" + value}),
                   "Login 0000 " + key + "=Reject, alive"});
  }
  for (const std::string key : {"X-org.example.key", "RDMAExtensions", "Frobnicate"}) {
    out.push_back({"unknown key " + key, login_with(straight, {key + "=Yes"}),
                   "Login 0000 " + key + "=NotUnderstood, alive"});
  }
  return out;
}

}  // namespace hostile
