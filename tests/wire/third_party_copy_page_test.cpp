// VPD page 8Fh: section 6 of the wire reference, and what Windows wants of it (windows-host A.3).
#include "scsi/third_party_copy_page.hpp"

#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

scsi::ThirdPartyCopyPage example() {
  scsi::ThirdPartyCopyPage page;
  page.limits.maximum_range_descriptors = 64;
  page.limits.maximum_inactivity_timeout_seconds = 600;
  page.limits.default_inactivity_timeout_seconds = 60;
  page.limits.maximum_token_transfer_size = base::BlockCount(0x80000);
  page.limits.optimal_transfer_count = base::BlockCount(0x20000);
  page.commands = {{0x83, {0x10, 0x11, 0x1c}}, {0x84, {0x05, 0x07}}};
  page.rod_types = {{scsi::RodType::point_in_time_default, true, true},
                    {scsi::RodType::block_device_zero, true, false}};
  page.block_length = {512};
  page.total_concurrent_copies = page.identified_concurrent_copies = 255;
  return page;
}

// Section 6.10, typed.
const char* const limits_descriptor =
    "00 00 00 20  00 00 00 00  00 00 00 40  00 00 02 58"
    "00 00 00 3C  00 00 00 00  00 08 00 00  00 00 00 00"
    "00 02 00 00";

struct Descriptor {
  std::uint16_t type;
  Bytes bytes;  // with type and length
};

std::vector<Descriptor> descriptors(const Bytes& page) {
  REQUIRE(page.size() >= 4);
  CHECK(page[0] == 0x00);
  CHECK(page[1] == 0x8f);
  REQUIRE(base::load_be16(page, 2) == page.size() - 4);
  std::vector<Descriptor> out;
  std::size_t at = 4;
  while (at < page.size()) {
    REQUIRE(at + 4 <= page.size());
    const std::size_t length = base::load_be16(page, at + 2);
    CHECK(length % 4 == 0);
    REQUIRE(at + 4 + length <= page.size());
    out.push_back({base::load_be16(page, at),
                   Bytes(page.begin() + static_cast<std::ptrdiff_t>(at),
                         page.begin() + static_cast<std::ptrdiff_t>(at + 4 + length))});
    at += 4 + length;
  }
  return out;
}

Bytes find(std::uint16_t type, const scsi::ThirdPartyCopyPage& page = example()) {
  for (const Descriptor& each : descriptors(encode(page))) {
    if (each.type == type) return each.bytes;
  }
  FAIL("descriptor " << type << " is not there");
  return {};
}

}  // namespace

TEST_CASE("6.1 descriptors come ascending, the mandatory ones are there") {
  std::vector<std::uint16_t> types;
  for (const Descriptor& each : descriptors(encode(example())))
    types.push_back(each.type);
  CHECK(types == std::vector<std::uint16_t>{0x0000, 0x0001, 0x0106, 0x0108, 0x8001});
}

TEST_CASE("6.10 R2 the first descriptor is the worked example, byte for byte") {
  const Bytes page = encode(example());
  CHECK(Bytes(page.begin() + 4, page.begin() + 40) == hex(limits_descriptor));
}

TEST_CASE("A.3 the offsets that Windows reads, from the start of the page") {
  const Bytes page = encode(example());
  CHECK(page[1] == 0x8f);
  CHECK(base::load_be16(page, 2) >= 0x0024);
  CHECK(base::load_be16(page, 4) == 0x0000);
  CHECK(base::load_be16(page, 6) == 0x0020);
  CHECK(base::load_be16(page, 14) == 64);
  CHECK(base::load_be32(page, 16) == 600);
  CHECK(base::load_be32(page, 20) == 60);
  CHECK(base::load_be64(page, 24) == 0x80000);
  CHECK(base::load_be64(page, 32) == 0x20000);
}

TEST_CASE("6.2 with a maximum token capacity only the vendor bytes 4-9 change") {
  scsi::ThirdPartyCopyPage page = example();
  page.limits.maximum_tokens = 4096;
  Bytes expected = hex(limits_descriptor);
  const Bytes vendor = hex("43 4D 00 00 10 00");
  std::copy(vendor.begin(), vendor.end(), expected.begin() + 4);
  CHECK(find(0x0000, page) == expected);
}

TEST_CASE("6.3 supported commands: the example of the reference") {
  scsi::ThirdPartyCopyPage page = example();
  CHECK(find(0x0001, page) == hex("00 01 00 0C 09 83 03 10 11 1C 84 02 05 07 00 00"));
  // BSD's entries, in ascending order: list length 16, padded by 3.
  page.commands = {{0x83, {0x00, 0x01, 0x10, 0x11, 0x1c}},
                   {0x84, {0x00, 0x03, 0x04, 0x05, 0x07, 0x08}}};
  CHECK(find(0x0001, page) == hex("00 01 00 10 0F 83 05 00 01 10 11 1C 84 06 00 03 04 05 07 08"));
}

TEST_CASE("6.5 ROD token features: lengths, lifetimes, block entry") {
  const Bytes bytes = find(0x0106);
  CHECK(bytes.size() == 96);
  Bytes expected = hex("01 06 00 5C  00 00 00 00  00 00 00 00  00 00 00 00");
  append(expected, hex("00 00 00 01  FF FF FF FF  00 00 02 58"));  // lifetimes and timeout
  append(expected, Bytes(18, 0));
  append(expected, hex("00 30"));  // one entry of 48
  append(expected, hex("00 00 00 2C  00 00 00 00"));
  append(expected, hex("00 00 00 00 10 00 00 00"));  // 256 MiB = 80000h blocks
  append(expected, hex("00 00 00 00 04 00 00 00"));  // 64 MiB = 20000h blocks
  append(expected, Bytes(16, 0xff));
  append(expected, Bytes(8, 0));
  CHECK(bytes == expected);
}

TEST_CASE("6.2 byte limits agree with block limits for 4096-byte blocks") {
  scsi::ThirdPartyCopyPage page = example();
  page.block_length = {4096};
  page.limits.maximum_token_transfer_size = base::BlockCount(0x10000);
  const Bytes bytes = find(0x0106, page);
  CHECK(base::load_be64(bytes, 48 + 8) == 0x10000000);
  CHECK(base::load_be64(bytes, 48 + 16) == 0x20000000);
}

// MAXIMUM BYTES IN BLOCK ROD says that there is none: else MAXIMUM TRANSFER LENGTH of the Block
// Limits page would bound a range (2.2 row 13).
TEST_CASE("6.5 limits that are not reported stay 0, none for tokens and timeouts is all ones") {
  scsi::ThirdPartyCopyPage page = example();
  page.limits = {};
  const Bytes bytes = find(0x0106, page);
  CHECK(base::load_be64(bytes, 56) == ~std::uint64_t{0});
  CHECK(base::load_be64(bytes, 64) == 0);
  CHECK(base::load_be32(bytes, 24) == 0xffffffff);
  CHECK(find(0x0000, page) == hex("00 00 00 20 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                  "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
}

TEST_CASE("6.6 ROD types: entries of 64 bytes, TOKEN_IN and TOKEN_OUT") {
  Bytes expected = hex("01 08 00 84  00 00 00 80");
  append(expected, hex("00 80 00 00 03 00 00 00"));  // point in time: in and out
  append(expected, Bytes(56, 0));
  append(expected, hex("FF FF 00 01 02 00 00 00"));  // zeros: in only
  append(expected, Bytes(56, 0));
  CHECK(find(0x0108) == expected);
}

TEST_CASE("6.7 general copy operations are 36 bytes") {
  Bytes expected = hex("80 01 00 20  00 00 00 FF  00 00 00 FF  00 00 00 00  00 00 00 00");
  expected.resize(36);
  CHECK(find(0x8001) == expected);
}

TEST_CASE("6.1 6.4 6.7 6.8 the descriptors of EXTENDED COPY, in their places") {
  scsi::ThirdPartyCopyPage page = example();
  page.extended_copy = scsi::ExtendedCopyLimits{64, 64, 8192, 0x10000000, 0x8000};
  page.descriptor_types = {0x02, 0x07, 0x14, 0xe4};
  page.cscd_ids = {0xf800, 0xffff};
  page.segment_granularity_exponent = 9;
  page.holds_data = true;
  std::vector<std::uint16_t> types;
  for (const Descriptor& each : descriptors(encode(page)))
    types.push_back(each.type);
  CHECK(types == std::vector<std::uint16_t>{0x0000, 0x0001, 0x0004, 0x0008, 0x000c, 0x0106, 0x0108,
                                            0x8001, 0xc001});
  CHECK(find(0x0004, page) == hex("00 04 00 1C  00 00 00 00  00 40 00 40  00 00 20 00"
                                  "00 00 80 00  00 00 00 00  00 00 00 00  00 00 00 00"));
  CHECK(find(0x0008, page) == hex("00 08 00 08  04 02 07 14  E4 00 00 00"));
  CHECK(find(0x000c, page) == hex("00 0C 00 08  00 04 F8 00  FF FF 00 00"));
  Bytes general = hex("80 01 00 20  00 00 00 FF  00 00 00 FF  10 00 00 00  09 00 00 00");
  general.resize(36);
  CHECK(find(0x8001, page) == general);
  Bytes held = hex("C0 01 00 1C");
  held.resize(32);
  CHECK(find(0xc001, page) == held);
}

TEST_CASE("A.3 what Windows accepts and what turns ODX off") {
  Bytes page = hex("00 8F 00 24");
  append(page, hex(limits_descriptor));
  auto limits = scsi::windows_reads(page);
  REQUIRE(limits);
  CHECK(limits->maximum_range_descriptors == 64);
  CHECK(limits->maximum_inactivity_timeout_seconds == 600);
  CHECK(limits->default_inactivity_timeout_seconds == 60);
  CHECK(limits->maximum_token_transfer_size == base::BlockCount(0x80000));
  CHECK(limits->optimal_transfer_count == base::BlockCount(0x20000));
  CHECK(limits->maximum_tokens == 0);

  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes other = page;
    other[at] = value;
    return scsi::windows_reads(other).has_value();
  };
  CHECK(changed(1, 0x00));        // the page code is not compared
  CHECK_FALSE(changed(3, 0x23));  // PAGE LENGTH below 0024h
  CHECK_FALSE(changed(5, 0x01));  // another descriptor first
  CHECK_FALSE(changed(7, 0x1c));
  CHECK_FALSE(changed(7, 0x24));
  for (std::size_t n = 0; n < page.size(); ++n) {
    CHECK_FALSE(scsi::windows_reads(base::ByteView(page).first(n)));
  }
  // The page may be longer than the 255 bytes that Windows reads.
  const Bytes ours = encode(example());
  CHECK(scsi::windows_reads(base::ByteView(ours).first(std::min<std::size_t>(255, ours.size()))));
}

TEST_CASE("6.5 REMOTE TOKENS is found in its descriptor") {
  scsi::ThirdPartyCopyPage page = example();
  CHECK(scsi::remote_tokens_of(encode(page)) == 0);
  page.remote_tokens = 6;
  CHECK(scsi::remote_tokens_of(encode(page)) == 6);
  Bytes without = hex("00 8F 00 24");
  append(without, hex(limits_descriptor));
  CHECK_FALSE(scsi::remote_tokens_of(without));
}
