// Logical unit numbers: the eight bytes of the wire and the number of a unit.
#include <catch2/catch.hpp>

#include "scsi/command.hpp"

using scsi::decode_lun;
using scsi::encode_lun;
using scsi::Lun;

TEST_CASE("every LUN a unit can have survives the wire") {
  for (std::uint16_t n = 0; n <= scsi::lun_max; ++n) {
    REQUIRE(decode_lun(encode_lun(Lun{n})) == Lun{n});
  }
}

TEST_CASE("LUNs below 256 use peripheral device addressing, others flat space") {
  CHECK(encode_lun(Lun{0}) == 0x0000000000000000);
  CHECK(encode_lun(Lun{1}) == 0x0001000000000000);
  CHECK(encode_lun(Lun{255}) == 0x00ff000000000000);
  CHECK(encode_lun(Lun{256}) == 0x4100000000000000);
  CHECK(encode_lun(Lun{16383}) == 0x7fff000000000000);
}

TEST_CASE("small LUNs are found in flat space too") {
  CHECK(decode_lun(0x4000000000000000) == Lun{0});
  CHECK(decode_lun(0x4001000000000000) == Lun{1});
}

TEST_CASE("LUNs that no unit can have are refused") {
  CHECK_FALSE(decode_lun(0x0100000000000000));  // bus 1
  CHECK_FALSE(decode_lun(0x3fff000000000000));
  CHECK_FALSE(decode_lun(0x8000000000000000));  // logical unit addressing
  CHECK_FALSE(decode_lun(0xc101000000000000));  // REPORT LUNS well known
  CHECK_FALSE(decode_lun(0xffffffffffffffff));
  for (unsigned bit = 0; bit < 48; ++bit) {  // a second level
    CHECK_FALSE(decode_lun(std::uint64_t{1} << bit));
  }
}
