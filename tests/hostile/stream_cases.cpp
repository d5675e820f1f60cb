// What is no PDU, or not one that may come first.
#include <random>

#include <fmt/format.h>

#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

Bytes random_bytes(std::size_t bytes, unsigned seed) {
  std::mt19937 generator(seed);
  Bytes out(bytes);
  for (std::uint8_t& byte : out)
    byte = static_cast<std::uint8_t>(generator());
  return out;
}

// Bytes of another protocol, and more than the longest header with AHS.
Bytes speech(std::string text) {
  text.resize(2048, ' ');
  return {text.begin(), text.end()};
}

// A login whose header claims `length` bytes of text and that brings `sent`.
void claim_login_text(Client& c, std::uint32_t length, std::size_t sent) {
  Pdu pdu = c.login(straight);
  Bytes bytes = pdu.wire();
  bytes.resize(support::header_bytes);
  bytes[5] = static_cast<std::uint8_t>(length >> 16);
  bytes[6] = static_cast<std::uint8_t>(length >> 8);
  bytes[7] = static_cast<std::uint8_t>(length);
  c.send_bytes(bytes + Bytes(sent, 'A'));
}

// How random bytes end a session, by their first header: one that breaks the layout just ends it, a
// data segment that is too long is rejected first.
std::string end_by_header(const Bytes& bytes) {
  const std::uint8_t opcode = bytes[0] & 0x3f;
  const bool known = opcode <= 0x06 || opcode == 0x10;
  if (known && opcode != 0x01 && bytes[4] != 0) return "dropped";
  return bytes[5] < 0x04 ? "by luck a data segment that fits: take another seed"
                         : "Reject 04, dropped";
}

void cut_off(Client& c, std::size_t bytes) {
  Bytes whole = c.login(straight).wire();
  whole.resize(bytes);
  c.send_bytes(whole);
  c.half_close();
}

}  // namespace

Cases stream_cases() {
  // clang-format off
  Cases out{
      {"nothing, then the end", [](Client& c) { c.half_close(); }, "dropped"},
      {"one byte, then the end", [](Client& c) { cut_off(c, 1); }, "dropped"},
      {"half a header, then the end", [](Client& c) { cut_off(c, 24); }, "dropped"},
      {"a login header without its text, then the end", [](Client& c) { cut_off(c, 48); }, "dropped"},
      {"a login cut in its text, then the end", [](Client& c) { cut_off(c, 60); }, "dropped"},
      {"a login byte by byte", [](Client& c) {
         for (const std::uint8_t byte : c.login(straight).wire()) c.send_bytes({byte});
       }, "Login 0000, alive"},
      {"HTTP", [](Client& c) { c.send_bytes(speech("GET / HTTP/1.1\r\nHost: array\r\n\r\n")); }, "dropped"},
      {"SSH", [](Client& c) { c.send_bytes(speech("SSH-2.0-OpenSSH_9.2\r\n")); }, "dropped"},
      {"TLS", [](Client& c) { c.send_bytes(speech("\x16\x03\x01\x02")); }, "dropped"},
      {"all ones", [](Client& c) { c.send_bytes(Bytes(4096, 0xff)); }, "dropped"},
      {"all zeros", [](Client& c) { c.send_bytes(Bytes(4096, 0)); }, "dropped"},
      {"a login that claims 2^24-1 bytes of text", [](Client& c) { claim_login_text(c, 0xffffff, 1 << 20); }, "dropped"},
      {"a login that claims 2^24-1 bytes and sends none", [](Client& c) { claim_login_text(c, 0xffffff, 0); }, "dropped"},
      {"a login that claims 64 KiB and a byte", [](Client& c) { claim_login_text(c, 65537, 70000); }, "dropped"},
  };
  // clang-format on
  for (unsigned seed = 1; seed <= 12; ++seed) {
    out.push_back({fmt::format("random bytes, seed {}", seed),
                   [seed](Client& c) { c.send_bytes(random_bytes(128 * 1024, seed)); }, "dropped"});
  }
  for (unsigned seed = 21; seed <= 28; ++seed) {
    const Bytes bytes = random_bytes(128 * 1024, seed);
    out.push_back({fmt::format("random bytes in a session, seed {}", seed),
                   [bytes](Client& c) {
                     c.log_in();
                     c.send_bytes(bytes);
                   },
                   end_by_header(bytes)});
  }
  for (const std::uint8_t opcode : {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x10, 0x1c, 0x23, 0x3f}) {
    out.push_back({fmt::format("opcode {:02x} as the first PDU", opcode),
                   [opcode](Client& c) {
                     Pdu pdu = c.login(straight);
                     pdu.header[0] = opcode;
                     c.send(pdu);
                   },
                   "dropped"});
    // Once login has started it is answered (RFC 7143 6.3).
    out.push_back({fmt::format("opcode {:02x} in the middle of a login", opcode),
                   [opcode](Client& c) {
                     c.ask(c.login(stay_operational));
                     Pdu pdu;
                     pdu.header[0] = opcode;
                     pdu.header[1] = 0x80;
                     c.send(pdu);
                   },
                   "Login 020b, dropped"});
  }
  // Only SCSI commands have additional header segments; elsewhere TotalAHSLength is 0 (RFC 7143
  // 11.2.1.5), and a header that breaks the layout ends the connection (7.7).
  for (const std::uint8_t words : {1, 2, 64, 255}) {
    out.push_back({fmt::format("a login with {} words of additional header", words),
                   [words](Client& c) {
                     Bytes bytes = c.login(straight).wire();
                     bytes[4] = words;
                     bytes.insert(bytes.begin() + support::header_bytes, words * 4, 0);
                     c.send_bytes(bytes);
                   },
                   "dropped"});
  }
  return out;
}

}  // namespace hostile
