// Wire reference section 6 and 8.6: VPD page 8Fh and RECEIVE COPY OPERATING PARAMETERS as a host
// reads them, every byte.
#include "tests/story/rows_world.hpp"
#include "tests/support/copy_lists.hpp"

using namespace story;
using copy_lists::joined;

namespace {

Bytes page_of(Rows& w, std::uint16_t lun = 0) {
  return w.host.command(lun, scsi::CdbBytes{0x12, 0x01, 0x8f, 0x04, 0x00}, {}, 1024).data;
}
Bytes zeros(std::size_t bytes) {
  return Bytes(bytes);
}
Bytes rod_type(const char* type_and_flags) {
  return joined({hex(type_and_flags), zeros(59)});
}

}  // namespace

TEST_CASE("wire reference 6.1 to 6.8: page 8Fh of a unit as it is by default") {
  Rows w;
  const Bytes block_device_rod_limits =  // 6.2; the vendor specific bytes are ours: 4096 tokens
      hex("00 00 00 20  43 4D 00 00 10 00  00 40  00 00 0E 10  00 00 00 3C"
          "00 00 00 00 00 08 00 00  00 00 00 00 00 00 00 00");
  const Bytes supported_commands =  // 6.3
      hex("00 01 00 14  10  83 05 00 01 10 11 1C  84 07 00 01 03 04 05 07 08  00 00 00");
  const Bytes parameter_data =  // 6.4
      joined({hex("00 04 00 1C  00 00 00 00  00 40 00 40  00 00 0F 00  00 00 80 00"), zeros(12)});
  const Bytes descriptors = hex("00 08 00 0C  08  02 07 0A BE BF E4 FE FF  00 00 00");
  const Bytes cscd_ids = hex("00 0C 00 08  00 04  F8 00 FF FF  00 00");
  const Bytes token_features = joined(  // 6.5
      {hex("01 06 00 5C  00"), zeros(11), hex("00 00 00 01  FF FF FF FF  00 00 0E 10"), zeros(18),
       hex("00 30  00 00 00 2C  00 00 00 00  00 00 00 00 10 00 00 00  00 00 00 00 00 00 00 00"),
       Bytes(16, 0xff), zeros(8)});
  const Bytes rod_types = joined(  // 6.6
      {hex("01 08 01 84  00 00 01 80"), rod_type("00 00 00 00 02"), rod_type("00 80 00 00 83"),
       rod_type("00 80 00 01 83"), rod_type("00 80 00 02 83"), rod_type("00 80 FF FF 81"),
       rod_type("FF FF 00 01 02")});
  const Bytes general =  // 6.7
      joined({hex("80 01 00 20  00 00 00 FF  00 00 00 FF  10 00 00 00  00 00"), zeros(18)});
  const Bytes held_data = joined({hex("C0 01 00 1C"), zeros(28)});  // 6.8
  Bytes expected =
      joined({hex("00 8F 00 00"), block_device_rod_limits, supported_commands, parameter_data,
              descriptors, cscd_ids, token_features, rod_types, general, held_data});
  base::store_be16(expected, 2, static_cast<std::uint16_t>(expected.size() - 4));
  CHECK(page_of(w) == expected);

  // 6.2: the same in blocks of 4096.
  const Bytes of_4096 = page_of(w, 2);
  CHECK(Bytes(of_4096.begin() + 24, of_4096.begin() + 32) == hex("00 00 00 00 00 01 00 00"));
}

TEST_CASE("wire reference 6.10: the worked example of descriptor 0000h") {
  device::LogicalUnitLimits limits;
  limits.copies.maximum_inactivity_timeout_seconds = 600;
  limits.copies.optimal_transfer = base::ByteCount(64u << 20);
  Rows w({}, limits);
  const Bytes page = page_of(w);
  Bytes first(page.begin() + 4, page.begin() + 40);
  std::fill(first.begin() + 4, first.begin() + 10, 0);  // vendor specific
  CHECK(first == hex("00 00 00 20  00 00 00 00  00 00 00 40  00 00 02 58"
                     "00 00 00 3C  00 00 00 00  00 08 00 00  00 00 00 00"
                     "00 02 00 00"));
}

TEST_CASE("wire reference 8.6: RECEIVE COPY OPERATING PARAMETERS") {
  Rows w;
  scsi::CdbBytes cdb{0x84, 0x03};
  cdb[12] = 0x02;
  CHECK(w.host.command(0, cdb, {}, 512).data ==
        joined({hex("00 00 00 30  01 00 00 00  00 40 00 40  00 00 0F 00  10 00 00 00  00 00 80 00"
                    "00 00 00 00  00 00 00 00  00 00 00 FF  FF 00 00 00"),
                zeros(3), hex("08  02 07 0A BE BF E4 FE FF")}));
}
