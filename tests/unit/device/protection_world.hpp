// What the tests of protection information share: units of every type, blocks with their tuples as
// a host makes them, and the standard's tables of what is checked, all by the test's own means.
#pragma once

#include "tests/unit/device/device_world.hpp"

namespace device::test {

// CRC-16 with polynomial 8BB7h, bit by bit (SBC-4 4.22.4).
inline std::uint16_t guard_of(const Bytes& block) {
  unsigned crc = 0;
  for (const std::uint8_t byte : block) {
    crc ^= byte << 8u;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000u) != 0 ? crc << 1 ^ 0x8bb7u : crc << 1;
    crc &= 0xffff;
  }
  return static_cast<std::uint16_t>(crc);
}

struct Tuple {
  std::uint16_t guard = 0, application_tag = 0;
  std::uint32_t reference_tag = 0;

  Bytes bytes() const {
    Bytes out(8);
    base::store_be16(out, 0, guard);
    base::store_be16(out, 2, application_tag);
    base::store_be32(out, 4, reference_tag);
    return out;
  }
};

inline Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Which fields a code checks: "GAR", in the order of the standard's tables.
inline std::string checked_by(unsigned code) {
  static const char* const table[] = {"GAR", "GAR", "AR", "", "G", "GAR"};
  return table[code];
}

inline constexpr std::uint32_t tags_from = 0x00c0ffee;  // of type 2: the first reference tag
inline constexpr std::uint16_t expected_tag = 0xa5b6;

// One unit of a type, on LUN 5, with the commands by which its hosts send codes.
struct ProtectedWorld : OneSession {
  explicit ProtectedWorld(std::uint8_t protection_type, std::uint32_t block = 512)
      : OneSession({{scsi::Lun{5}, make_protected_unit(15, protection_type, block)}}),
        type(protection_type),
        block_bytes(block) {}

  const std::uint8_t type;
  const std::uint32_t block_bytes;

  // `what` is an operation code of a 16-byte CDB; its 32-byte form where type 2 needs it.
  scsi::CdbBytes cdb(std::uint8_t what, unsigned code, std::uint64_t lba, std::uint32_t blocks,
                     unsigned flags = 0) const {
    scsi::CdbBytes out{};
    if (type != 2) {
      out = {what, static_cast<std::uint8_t>(code << 5 | flags)};
      put(out, 2, 8, lba);
      put(out, 10, 4, blocks);
      return out;
    }
    static const std::map<std::uint8_t, std::uint8_t> actions{
        {0x88, 0x09}, {0x8f, 0x0a}, {0x8a, 0x0b}, {0x8e, 0x0c}, {0x93, 0x0d}};
    out[0] = 0x7f;
    out[7] = 0x18;
    out[9] = actions.at(what);
    out[10] = static_cast<std::uint8_t>(code << 5 | flags);
    put(out, 12, 8, lba);
    put(out, 20, 4, tags_from + lba);
    put(out, 24, 2, expected_tag);
    put(out, 26, 2, 0xff00);
    put(out, 28, 4, blocks);
    return out;
  }
  Answer run(const scsi::CdbBytes& with, const Bytes& data_out = {}) {
    return OneSession::run(with, data_out, 5);
  }
  Answer read(unsigned code, std::uint64_t lba, std::uint32_t blocks) {
    return run(cdb(0x88, code, lba, blocks));
  }
  Answer write(unsigned code, std::uint64_t lba, const Bytes& sent) {
    const std::size_t each = block_bytes + (code == 0 ? 0 : 8);
    return run(cdb(0x8a, code, lba, static_cast<std::uint32_t>(sent.size() / each)), sent);
  }

  // What a host sends with a block that is all right.
  Tuple good_tuple(const Bytes& block, std::uint64_t lba) const {
    Tuple out{guard_of(block), 0xa501, static_cast<std::uint32_t>(lba)};
    if (type == 2) out.reference_tag += tags_from;
    if (type == 3) out.reference_tag = 0x12345678;
    return out;
  }
  Bytes sent(std::uint64_t lba, std::uint32_t blocks, unsigned seed) const {
    const Bytes data = pattern(blocks, block_bytes, seed);
    Bytes out;
    for (std::uint32_t i = 0; i < blocks; ++i) {
      const auto from = data.begin() + static_cast<std::ptrdiff_t>(i * block_bytes);
      const Bytes block(from, from + block_bytes);
      out = joined(joined(std::move(out), block), good_tuple(block, lba + i).bytes());
    }
    return out;
  }
  Bytes data_of(const Bytes& blocks) const {
    Bytes out;
    for (std::size_t at = 0; at < blocks.size(); at += block_bytes + 8) {
      const auto from = blocks.begin() + static_cast<std::ptrdiff_t>(at);
      out.insert(out.end(), from, from + block_bytes);
    }
    return out;
  }
  // Whether a field can be checked at all: who would know what it has to be?
  bool is_known(char field) const {
    if (field == 'A') return type == 2;
    if (field == 'R') return type != 3;
    return true;
  }
  bool checks(unsigned code, char field) const {
    return is_known(field) && checked_by(code).find(field) != std::string::npos;
  }
};

// One field of the tuple of the `index`th block is not what it should be.
inline Bytes damaged(Bytes blocks, std::size_t index, char field, std::uint32_t block_bytes) {
  const std::size_t at = index * (block_bytes + 8) + block_bytes;
  blocks[at + (field == 'G' ? 1 : field == 'A' ? 2 : 7)] ^= 0x40;
  return blocks;
}

inline void check_failed(const Answer& answer, scsi::SenseKey key, char field, std::uint64_t lba) {
  check_sense(answer, key, 0x10, field == 'G' ? 0x01 : field == 'A' ? 0x02 : 0x03);
  CHECK(answer.sense->information == lba);
}

}  // namespace device::test
