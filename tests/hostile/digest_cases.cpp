// Wrong digests (RFC 7143 7.7, 7.8, 11.4.3): a header ends the connection, data is rejected and its
// command fails, and none of it reaches the disk.
#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

constexpr support::WireDigests both{true, true}, of_header{true, false}, of_data{false, true};

// The PDU as sent with these digests, one bit flipped `from_end` bytes before the end.
Bytes damaged(const Pdu& pdu, support::WireDigests digests, std::size_t from_end = 1) {
  Bytes out = pdu.wire(digests);
  out[out.size() - from_end] ^= 0x10;
  return out;
}

auto with(support::WireDigests digests, std::function<Bytes(Client&)> make) {
  return [=](Client& c) {
    c.log_in({}, victim, digests);
    c.send_bytes(make(c));
  };
}

// A PDU as if digests had not been agreed, and enough behind it to be read as one.
Bytes without_digests(Client& c) {
  const Bytes first = c.test_unit_ready().wire();
  return first + c.test_unit_ready().wire();
}

void damaged_data_out(Client& c) {
  c.log_in({}, victim, both);
  c.send_bytes(damaged(Client::data_for(c.start_write(0, 16), pattern(8192)), both));
}

void damaged_first_half(Client& c) {
  c.log_in({}, victim, both);
  const Pdu r2t = c.start_write(0, 16);
  c.send_bytes(damaged(Client::data_for(r2t, pattern(4096), false), both));
  c.send(Client::data_for(r2t, pattern(4096), true, 1, 4096));
}

void damage_stays_away(Client& c) {
  c.log_in({}, victim, both);
  const std::uint32_t lba = 8192;
  const Bytes good = pattern(4096, 3);
  c.ask(c.write_blocks(lba, 8, good));
  c.send_bytes(damaged(c.write_blocks(lba, 8, pattern(4096, 77)), both));
  c.answer();  // Reject
  c.answer();  // CHECK CONDITION
  if (c.ask(c.read_blocks(lba, 8)).data != good) {
    throw std::runtime_error("damaged data reached the store");
  }
}

// The request counts as not received: its number is used again.
void damaged_then_whole(Client& c) {
  c.log_in({}, victim, both);
  const Pdu ping = c.nop(pattern(512));
  c.send_bytes(damaged(ping, both));
  c.answer();  // Reject
  c.send(ping);
}

}  // namespace

Cases digest_cases() {
  const std::string crc_error = "Reject 02, Status 02 0b/47/05, alive";
  // clang-format off
  return {
      {"a wrong header digest", with(of_header, [](Client& c) { return damaged(c.test_unit_ready(), of_header); }), "dropped"},
      {"a header changed on its way", with(of_header, [](Client& c) { return damaged(c.test_unit_ready(), of_header, 20); }), "dropped"},
      {"a length changed on its way", with(both, [](Client& c) { return damaged(c.nop(), both, 46); }), "dropped"},
      {"a number of additional headers changed on its way", with(of_header, [](Client& c) {
         return damaged(c.test_unit_ready(), of_header, 48) + Bytes(1024, 0);
       }), "dropped"},
      {"no header digest though agreed", with(of_header, without_digests), "dropped"},
      {"half a header digest, then the end", [](Client& c) {
         c.log_in({}, victim, of_header);
         Bytes bytes = c.test_unit_ready().wire(of_header);
         bytes.resize(50);
         c.send_bytes(bytes);
         c.half_close();
       }, "dropped"},
      {"a wrong data digest on a ping", with(of_data, [](Client& c) { return damaged(c.nop(pattern(512)), of_data); }), "Reject 02, alive"},
      {"a wrong data digest on text", with(of_data, [](Client& c) { return damaged(c.text(0x80, {"SendTargets="}), of_data); }), "Reject 02, alive"},
      {"a ping damaged and sent again", damaged_then_whole, "NOP-In 512, alive"},
      {"a wrong data digest on immediate data", with(both, [](Client& c) { return damaged(c.write_blocks(0, 1, pattern(512)), both); }), crc_error},
      {"padding changed on its way", with(both, [](Client& c) { return damaged(c.command(writes, 512, {0x2a, 0, 0, 0, 0, 0, 0, 0, 1}).with(pattern(510)), both, 5); }), crc_error},
      {"a wrong data digest on Data-Out", damaged_data_out, crc_error},
      {"a wrong data digest in the first half", damaged_first_half, crc_error},
      {"damaged data is not written", damage_stays_away, "alive"},
      {"a data segment of 2^24-1 bytes under digests", with(both, [](Client& c) {
         Pdu pdu = c.nop();
         Bytes header(pdu.header.begin(), pdu.header.end());
         header[5] = header[6] = header[7] = 0xff;
         return header + support::crc32c_of(header) + Bytes(1 << 20, 0);
       }), "Reject 04, dropped"},
  };
  // clang-format on
}

}  // namespace hostile
