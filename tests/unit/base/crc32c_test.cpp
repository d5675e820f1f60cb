// The CRC32C examples of RFC 7143 appendix A.4 (bytes as they stand on the wire).
#include "base/crc32c.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace {

using Wire = std::array<std::uint8_t, 4>;

Wire digest_of(const std::vector<std::uint8_t>& bytes) {
  base::Crc32c crc;
  crc.update(bytes);
  return crc.digest();
}

std::vector<std::uint8_t> counting(bool up) {
  std::vector<std::uint8_t> out(32);
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = static_cast<std::uint8_t>(up ? i : 31 - i);
  return out;
}

}  // namespace

TEST_CASE("CRC32C of the examples of RFC 7143") {
  CHECK(digest_of(std::vector<std::uint8_t>(32, 0x00)) == Wire{0xaa, 0x36, 0x91, 0x8a});
  CHECK(digest_of(std::vector<std::uint8_t>(32, 0xff)) == Wire{0x43, 0xab, 0xa8, 0x62});
  CHECK(digest_of(counting(true)) == Wire{0x4e, 0x79, 0xdd, 0x46});
  CHECK(digest_of(counting(false)) == Wire{0x5c, 0xdb, 0x3f, 0x11});
  // A SCSI READ(10) command PDU.
  std::vector<std::uint8_t> command(48);
  command[0] = 0x01;
  command[1] = 0xc0;
  command[16] = 0x14;
  command[22] = 0x04;
  command[27] = 0x14;
  command[31] = 0x18;
  command[32] = 0x28;
  command[40] = 0x02;
  CHECK(digest_of(command) == Wire{0x56, 0x3a, 0x96, 0xd9});
}

TEST_CASE("CRC32C does not depend on how the bytes are cut") {
  const auto bytes = counting(true);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    base::Crc32c crc;
    crc.update(base::ByteView(bytes).first(cut));
    crc.update(base::ByteView(bytes).subspan(cut));
    CHECK(crc.digest() == digest_of(bytes));
  }
  CHECK(base::Crc32c().digest() == Wire{0, 0, 0, 0});
}
