// Standard INQUIRY data, VPD pages and READ CAPACITY data.
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "scsi/inquiry_data.hpp"
#include "tests/unit/scsi/hex.hpp"

namespace {

using namespace scsi;
using scsi::test::hex;
using Bytes = std::vector<std::uint8_t>;

UnitIdentity some_identity() {
  UnitIdentity out;
  out.serial = "0123456789ab";
  out.naa = {0x60, 0x24, 0x34, 0xd1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  out.eui64 = {0x02, 0x43, 0x4d, 1, 2, 3, 4, 5};
  return out;
}

std::string text(const Bytes& bytes, std::size_t at, std::size_t n) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(at),
          bytes.begin() + static_cast<std::ptrdiff_t>(at + n)};
}

struct Designation {
  unsigned protocol, code_set, association, type;
  bool protocol_valid;
  Bytes value;
};

// Walks page 83h by its own lengths; every designation must be whole.
std::vector<Designation> designations(const Bytes& page) {
  std::vector<Designation> out;
  REQUIRE(page.size() == 4u + page[2] * 256u + page[3]);
  std::size_t at = 4;
  while (at < page.size()) {
    REQUIRE(at + 4 <= page.size());
    const std::size_t length = page[at + 3];
    REQUIRE(at + 4 + length <= page.size());
    const unsigned first = page[at], second = page[at + 1];
    out.push_back({first >> 4, first & 0x0f, (second >> 4) & 3, second & 0x0f, (second & 0x80) != 0,
                   Bytes(page.begin() + static_cast<std::ptrdiff_t>(at + 4),
                         page.begin() + static_cast<std::ptrdiff_t>(at + 4 + length))});
    at += 4 + length;
  }
  return out;
}

Bytes page_83(const std::string& target = "iqn.2026-11.io.copymgr:demo") {
  return device_identification_page(some_identity(), {target, 0x0102, 0x0304});
}

}  // namespace

TEST_CASE("standard INQUIRY says what Windows needs: disk, 3PC, CMDQUE, padded names") {
  const Bytes data = standard_inquiry(some_identity(), Presence::connected);
  REQUIRE(data.size() == 96);
  CHECK(data[0] == 0x00);
  CHECK(data[2] >= 0x06);        // VERSION
  CHECK((data[3] & 0x0f) == 2);  // RESPONSE DATA FORMAT
  CHECK((data[3] & 0x20) == 0);  // NORMACA
  CHECK(data[4] == 96 - 5);
  CHECK((data[5] & 0x08) != 0);     // 3PC
  CHECK((data[5] & 0x30) == 0x30);  // TPGS: implicit and explicit
  CHECK((data[7] & 0x02) != 0);     // CMDQUE
  CHECK(text(data, 8, 8) == "COPYMGR ");
  CHECK(text(data, 16, 16) == "Virtual Array   ");
  CHECK(text(data, 32, 4) == "0001");
  CHECK(Bytes(data.begin() + 58, data.begin() + 68) == hex("00 A0 09 60 04 60 04 C0 06 00"));
}

TEST_CASE("names that are too long are cut, empty ones are blank") {
  UnitIdentity identity = some_identity();
  identity.vendor = "A VENDOR NAME";
  identity.product = "";
  identity.revision = "12345";
  const Bytes data = standard_inquiry(identity, Presence::connected);
  CHECK(text(data, 8, 8) == "A VENDOR");
  CHECK(text(data, 16, 16) == "                ");
  CHECK(text(data, 32, 4) == "1234");
  CHECK(data[36] == 0);
}

TEST_CASE("a LUN without unit answers qualifier 011b, type 1Fh") {
  CHECK(standard_inquiry({}, Presence::no_such_unit)[0] == 0x7f);
}

TEST_CASE("R1: VPD 00h is strictly ascending with 00h first, whatever the order given") {
  const Bytes data = supported_vpd_pages(hex("B2 00 8F B0 83 80 B1"));
  CHECK(data == hex("00 00 00 07 00 80 83 8F B0 B1 B2"));
}

TEST_CASE("VPD 80h is the serial number") {
  const Bytes data = unit_serial_number_page(some_identity());
  CHECK(Bytes(data.begin(), data.begin() + 4) == hex("00 80 00 0C"));
  CHECK(text(data, 4, 12) == "0123456789ab");
  CHECK(data.size() == 16);
}

TEST_CASE("VPD 83h: designators are unique and well formed") {
  const auto list = designations(page_83());
  std::set<Bytes> values;
  for (const Designation& each : list) {
    INFO("type " << each.type << " association " << each.association);
    CHECK(values.insert(each.value).second);
    // PIV and the protocol identifier belong to ports and devices only.
    CHECK(each.protocol_valid == (each.association != 0));
    CHECK(each.protocol == (each.association != 0 ? 5u : 0u));
    switch (each.type) {
      case 1:
        CHECK(each.code_set == 2);
        CHECK(text(each.value, 0, 8) == "COPYMGR ");
        CHECK(each.value.size() > 8);
        break;
      case 2:
        CHECK(each.code_set == 1);
        CHECK(each.value.size() == 8);
        break;
      case 3:
        CHECK(each.code_set == 1);
        CHECK(each.value.size() == 16);
        CHECK(each.value[0] >> 4 == 6);
        break;
      case 4:
        CHECK(each.association == 1);
        CHECK(each.value == hex("00 00 03 04"));
        break;
      case 5:
        CHECK(each.association == 1);
        CHECK(each.value == hex("00 00 01 02"));
        break;
      case 8:
        CHECK(each.code_set == 3);
        CHECK(each.value.size() % 4 == 0);
        CHECK(each.value.back() == 0);  // NUL terminated
        break;
      default:
        FAIL("a designator type that nobody asked for");
    }
  }
}

TEST_CASE("VPD 83h has what Windows and the cluster pick from (D.1)") {
  const auto list = designations(page_83());
  const auto find = [&](unsigned association, unsigned type) {
    for (const Designation& each : list) {
      if (each.association == association && each.type == type) return each.value;
    }
    return Bytes();
  };
  const UnitIdentity identity = some_identity();
  CHECK(find(0, 3) == Bytes(identity.naa.begin(), identity.naa.end()));
  CHECK(find(0, 2) == Bytes(identity.eui64.begin(), identity.eui64.end()));
  CHECK(text(find(0, 1), 8, 12) == identity.serial);
  const Bytes name = find(0, 8);
  CHECK(text(name, 0, 36) == "naa." + base::to_hex(identity.naa));
  CHECK(name.size() == 40);
  CHECK(text(find(1, 8), 0, 36) == "iqn.2026-11.io.copymgr:demo,t,0x0102");
  CHECK(text(find(2, 8), 0, 28) == std::string("iqn.2026-11.io.copymgr:demo") + '\0');
}

TEST_CASE("VPD 85h 86h 87h 88h") {
  CHECK(management_network_addresses_page() == hex("00 85 00 00"));
  const Bytes extended = extended_inquiry_page();
  REQUIRE(extended.size() == 64);
  CHECK(Bytes(extended.begin(), extended.begin() + 8) == hex("00 86 00 3C 00 07 01 00"));
  CHECK(Bytes(extended.begin() + 8, extended.end()) == Bytes(56));
  CHECK(mode_page_policy_page() == hex("00 87 00 04 3F FF 00 00"));
  // "iqn.x:y,t,0x0001" has 16 characters: with the NUL and the padding 20.
  CHECK(scsi_ports_page({{"iqn.x:y", 1, 1}, {"iqn.x:y", 0x12, 0x34}}) ==
        hex("00 88 00 48"
            "00 00 00 01 00 00 00 00 00 00 00 18 53 98 00 14"
            "69 71 6E 2E 78 3A 79 2C 74 2C 30 78 30 30 30 31 00 00 00 00"
            "00 00 00 34 00 00 00 00 00 00 00 18 53 98 00 14"
            "69 71 6E 2E 78 3A 79 2C 74 2C 30 78 30 30 31 32 00 00 00 00"));
}

TEST_CASE("SCSI names of every length are terminated and padded to four") {
  for (std::size_t n = 1; n <= 223; ++n) {
    const auto list = designations(page_83(std::string(n, 'q')));
    for (const Designation& each : list) {
      if (each.type != 8 || each.association != 2) continue;
      CHECK(each.value.size() == (n + 4) / 4 * 4);
      CHECK(text(each.value, 0, n) == std::string(n, 'q'));
      CHECK(each.value[n] == 0);
    }
  }
}

TEST_CASE("R17: VPD B0h holds every limit at its place") {
  BlockLimits limits;
  limits.maximum_transfer_length = base::BlockCount(0x4000);
  limits.optimal_transfer_length = base::BlockCount(0x2000);
  limits.maximum_compare_and_write_length = base::BlockCount(0xfe);
  limits.maximum_unmap_lba_count = base::BlockCount(0x01020304);
  limits.maximum_unmap_descriptors = 0x05060708;
  limits.optimal_unmap_granularity = base::BlockCount(0x090a0b0c);
  limits.maximum_write_same_length = base::BlockCount(0x1112131415161718);
  limits.maximum_atomic_transfer_length = base::BlockCount(0x21222324);
  const Bytes b0 = block_limits_page(limits);
  CHECK(b0 == hex("00 B0 00 3C 01 FE 00 08 00 00 40 00 00 00 20 00"
                  "00 00 00 00 01 02 03 04 05 06 07 08 09 0A 0B 0C"
                  "80 00 00 00 11 12 13 14 15 16 17 18 21 22 23 24"
                  "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
}

TEST_CASE("R17: B1h is not rotating and verifies unmapped blocks, B2h is thin and reads zeros") {
  const Bytes b1 = block_device_characteristics_page();
  CHECK(Bytes(b1.begin(), b1.begin() + 10) == hex("00 B1 00 3C 00 01 00 50 01 00"));
  CHECK(b1.size() == 4 + 0x3c);
  // LBPU, LBPWS, LBPWS10, LBPRZ 001b (never 010b), no anchors; PROVISIONING TYPE 2.
  CHECK(logical_block_provisioning_page(7) == hex("00 B2 00 04 07 E4 02 00"));
}

TEST_CASE("the target device designator of a token is whole, well formed and 128 bytes") {
  for (std::size_t n = 1; n <= 223; ++n) {
    const auto bytes = target_device_designator(std::string(n, 'q'));
    CHECK(bytes[0] == 0x53);  // iSCSI, UTF-8
    CHECK(bytes[1] == 0xa8);  // PIV, target device, SCSI name string
    const std::size_t length = bytes[3];
    CHECK(length % 4 == 0);
    REQUIRE(4 + length <= bytes.size());
    CHECK(bytes[4 + length - 1] == 0);
    for (std::size_t i = 4 + length; i < bytes.size(); ++i)
      CHECK(bytes[i] == 0);
  }
}

TEST_CASE("READ CAPACITY(10) tells FFFFFFFFh when the last block does not fit") {
  const auto data = [](std::uint64_t blocks) {
    return read_capacity_10_data({base::BlockCount(blocks), {512}, 3});
  };
  CHECK(data(1) == hex("00 00 00 00 00 00 02 00"));
  CHECK(data(0x200000) == hex("00 1F FF FF 00 00 02 00"));
  CHECK(data(0xffffffff) == hex("FF FF FF FE 00 00 02 00"));
  CHECK(data(0x100000000) == hex("FF FF FF FF 00 00 02 00"));
  CHECK(data(0x100000001) == hex("FF FF FF FF 00 00 02 00"));
}

TEST_CASE("READ CAPACITY(16) is 32 bytes with the physical block exponent") {
  CHECK(read_capacity_16_data({base::BlockCount(0x100000000), {512}, 3}) ==
        hex("00 00 00 00 FF FF FF FF 00 00 02 00 00 03 00 00"
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
  CHECK(read_capacity_16_data({base::BlockCount(8), {4096}, 0}) ==
        hex("00 00 00 00 00 00 00 07 00 00 10 00 00 00 00 00"
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
  // LBPME and LBPRZ.
  CHECK(read_capacity_16_data({base::BlockCount(8), {4096}, 0, true}) ==
        hex("00 00 00 00 00 00 00 07 00 00 10 00 00 00 C0 00"
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
}
