// iSCSI PDUs as an initiator sees them: requests written and answers read at the byte offsets of
// RFC 7143 clause 11. Shares no code with target/iscsi, so that a wrong offset there cannot hide
// here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::size_t header_bytes = 48;
inline constexpr std::uint32_t no_tag = 0xffffffff;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// {"A=1", "B=2"} as a text segment: each item ended by a NUL.
inline Bytes text_of(const std::vector<std::string>& items) {
  Bytes out;
  for (const std::string& item : items) {
    out.insert(out.end(), item.begin(), item.end());
    out.push_back(0);
  }
  return out;
}

// Bytes that tell where they come from.
inline Bytes pattern(std::size_t bytes, std::uint8_t seed = 1) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<std::uint8_t>(seed + i + (i >> 8) * 7);
  }
  return out;
}

// CRC32C bit by bit, as RFC 7143 appendix A.4 has it on the wire.
inline Bytes crc32c_of(const Bytes& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (0x82f63b78 & (0 - (crc & 1)));
  }
  crc = ~crc;
  return {static_cast<std::uint8_t>(crc), static_cast<std::uint8_t>(crc >> 8),
          static_cast<std::uint8_t>(crc >> 16), static_cast<std::uint8_t>(crc >> 24)};
}

// Which digests PDUs carry.
struct WireDigests {
  bool header = false, data = false;
};

// A PDU of either direction. be()/set() take the offset of the most significant byte and the width
// in bytes.
struct Pdu {
  std::array<std::uint8_t, header_bytes> header{};
  Bytes data;

  std::uint64_t be(std::size_t at, std::size_t width) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value = value << 8 | header[at + i];
    return value;
  }
  Pdu& set(std::size_t at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i > 0; --i, value >>= 8) {
      header[at + i - 1] = static_cast<std::uint8_t>(value);
    }
    return *this;
  }
  Pdu& with(Bytes segment) {
    data = std::move(segment);
    return *this;
  }

  std::uint8_t opcode() const { return header[0] & 0x3f; }
  std::uint8_t flags() const { return header[1]; }
  bool final() const { return (header[1] & 0x80) != 0; }
  std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(be(at, 4)); }
  std::uint32_t task_tag() const { return u32(16); }
  std::uint32_t transfer_tag() const { return u32(20); }
  // Of an answer.
  std::uint32_t stat_sn() const { return u32(24); }
  std::uint32_t exp_cmd_sn() const { return u32(28); }
  std::uint32_t max_cmd_sn() const { return u32(32); }
  std::uint8_t status() const { return header[3]; }
  std::uint32_t buffer_offset() const { return u32(40); }
  std::uint32_t last_word() const {
    return u32(44);
  }  // Residual Count; R2T's Desired Data Transfer Length
  std::uint16_t login_status() const { return static_cast<std::uint16_t>(be(36, 2)); }

  // The text segment at its NULs.
  std::vector<std::string> items() const {
    std::vector<std::string> out;
    std::string item;
    for (std::uint8_t byte : data) {
      if (byte != 0) {
        item += static_cast<char>(byte);
      } else {
        out.push_back(item);
        item.clear();
      }
    }
    if (!item.empty()) throw std::runtime_error("a text segment that does not end with NUL");
    return out;
  }

  // As sent: DataSegmentLength filled in, the segment padded with zeros to four bytes.
  Bytes wire(WireDigests digests = {}) const {
    Pdu copy = *this;
    copy.set(5, 3, data.size());
    Bytes head(copy.header.begin(), copy.header.end());
    Bytes segment = data;
    segment.resize((segment.size() + 3) / 4 * 4);
    if (digests.header) head = head + crc32c_of(head);
    if (digests.data && !segment.empty()) segment = segment + crc32c_of(segment);
    return head + segment;
  }
};

// Cuts what a target sent into PDUs; throws if it does not end with a whole one, has header
// segments that a target never sends, is not padded with zeros, or has a wrong digest.
inline std::vector<Pdu> parse_answers(const Bytes& stream, WireDigests digests = {}) {
  const auto check_digest = [&](std::size_t from, std::size_t to) {
    const Bytes covered(stream.begin() + static_cast<std::ptrdiff_t>(from),
                        stream.begin() + static_cast<std::ptrdiff_t>(to));
    if (stream.size() - to < 4) throw std::runtime_error("half a digest");
    if (!std::equal(stream.begin() + static_cast<std::ptrdiff_t>(to),
                    stream.begin() + static_cast<std::ptrdiff_t>(to + 4),
                    crc32c_of(covered).begin())) {
      throw std::runtime_error("a wrong digest");
    }
    return to + 4;
  };
  std::vector<Pdu> out;
  for (std::size_t at = 0; at < stream.size();) {
    if (stream.size() - at < header_bytes) throw std::runtime_error("half a header");
    Pdu pdu;
    std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(at), header_bytes, pdu.header.begin());
    if (pdu.header[4] != 0) throw std::runtime_error("TotalAHSLength is not 0");
    const std::size_t length = pdu.be(5, 3);
    const std::size_t padded = (length + 3) / 4 * 4;
    at += header_bytes;
    if (digests.header) at = check_digest(at - header_bytes, at);
    if (stream.size() - at < padded) throw std::runtime_error("half a data segment");
    const auto from = stream.begin() + static_cast<std::ptrdiff_t>(at);
    pdu.data.assign(from, from + static_cast<std::ptrdiff_t>(length));
    for (std::size_t i = length; i < padded; ++i) {
      if (stream[at + i] != 0) throw std::runtime_error("padding that is not zero");
    }
    at += padded;
    if (digests.data && padded != 0) at = check_digest(at - padded, at);
    out.push_back(std::move(pdu));
  }
  return out;
}

// Requests. Where a PDU has CmdSN it is `cmd_sn`; ExpStatSN is left for the caller.

// `flags` is byte 1: T 80h, C 40h, CSG 0Ch, NSG 03h. The ISID is Microsoft's.
inline Pdu login_request(std::uint8_t flags, const std::vector<std::string>& items,
                         std::uint32_t cmd_sn = 1) {
  Pdu pdu;
  pdu.header[0] = 0x43;
  pdu.header[1] = flags;
  pdu.set(8, 6, 0x400001370000).set(16, 4, 1).set(20, 2, 1).set(24, 4, cmd_sn);
  return pdu.with(text_of(items));
}

inline constexpr std::uint8_t reads = 0x40, writes = 0x20;

// `direction` is reads, writes or both; the F bit is set, the attribute is SIMPLE, the CDB's byte 0
// `opcode`.
inline Pdu scsi_command(std::uint32_t task_tag, std::uint32_t cmd_sn, std::uint8_t direction,
                        std::uint32_t expected_length, std::uint8_t opcode = 0x00) {
  Pdu pdu;
  pdu.header[0] = 0x01;
  pdu.header[1] = static_cast<std::uint8_t>(0x81 | direction);
  pdu.header[32] = opcode;
  return pdu.set(16, 4, task_tag).set(20, 4, expected_length).set(24, 4, cmd_sn);
}

inline Pdu data_out(std::uint32_t task_tag, std::uint32_t transfer_tag, std::uint32_t data_sn,
                    std::uint32_t offset, Bytes bytes, bool final) {
  Pdu pdu;
  pdu.header[0] = 0x05;
  pdu.header[1] = final ? 0x80 : 0;
  pdu.set(16, 4, task_tag).set(20, 4, transfer_tag).set(36, 4, data_sn).set(40, 4, offset);
  return pdu.with(std::move(bytes));
}

inline Pdu nop_out(std::uint32_t task_tag, std::uint32_t cmd_sn, Bytes ping = {}) {
  Pdu pdu;
  pdu.header[1] = 0x80;
  pdu.set(16, 4, task_tag).set(20, 4, no_tag).set(24, 4, cmd_sn);
  return pdu.with(std::move(ping));
}

// `flags` is byte 1: F 80h, C 40h.
inline Pdu text_request(std::uint32_t task_tag, std::uint32_t cmd_sn, std::uint8_t flags,
                        Bytes text, std::uint32_t transfer_tag = no_tag) {
  Pdu pdu;
  pdu.header[0] = 0x04;
  pdu.header[1] = flags;
  pdu.set(16, 4, task_tag).set(20, 4, transfer_tag).set(24, 4, cmd_sn);
  return pdu.with(std::move(text));
}

inline Pdu logout_request(std::uint32_t task_tag, std::uint32_t cmd_sn, std::uint8_t reason) {
  Pdu pdu;
  pdu.header[0] = 0x06;
  pdu.header[1] = static_cast<std::uint8_t>(0x80 | reason);
  return pdu.set(16, 4, task_tag).set(20, 2, 1).set(24, 4, cmd_sn);  // CID 1
}

// `function` as in RFC 7143 11.5.1: 1 ABORT TASK, 2 ABORT TASK SET, 5 LOGICAL UNIT RESET.
inline Pdu task_management_request(std::uint32_t task_tag, std::uint32_t cmd_sn,
                                   std::uint8_t function, std::uint32_t referenced = no_tag) {
  Pdu pdu;
  pdu.header[0] = 0x02;
  pdu.header[1] = static_cast<std::uint8_t>(0x80 | function);
  return pdu.set(16, 4, task_tag).set(20, 4, referenced).set(24, 4, cmd_sn);
}

inline Pdu immediate(Pdu pdu) {
  pdu.header[0] |= 0x40;
  return pdu;
}

}  // namespace support
