// A host that protects its data from end to end, over iSCSI: its 32-byte CDBs arrive in additional
// header segments, what it wrote comes back with the tuples that it wrote, and copies made inside
// the array are protected too.
#include <catch2/catch.hpp>

#include "scsi/long_cdbs.hpp"
#include "tests/story/world.hpp"

using story::Answer;
using story::Array;
using story::Host;
using Bytes = std::vector<std::uint8_t>;

namespace {

// A READ(32) or WRITE(32), byte by byte (SBC-4 5.14, 5.43).
scsi::CdbBytes long_cdb(std::uint8_t action, std::uint8_t protect, std::uint64_t lba,
                        std::uint32_t reference_tag, std::uint32_t blocks) {
  scsi::CdbBytes cdb{};
  cdb[0] = 0x7f;
  cdb[7] = 0x18;
  cdb[9] = action;
  cdb[10] = static_cast<std::uint8_t>(protect << 5);
  base::store_be64(cdb, 12, lba);
  base::store_be32(cdb, 20, reference_tag);
  base::store_be32(cdb, 28, blocks);
  return cdb;
}
constexpr std::uint8_t read_32 = 0x09, write_32 = 0x0b;

// Blocks 00 01 02 ... FF 00 ...: their CRC is 4F10h.
Bytes counting_blocks(std::uint32_t blocks, std::uint32_t reference_tag) {
  Bytes out;
  for (std::uint32_t block = 0; block < blocks; ++block) {
    for (int i = 0; i < 512; ++i)
      out.push_back(static_cast<std::uint8_t>(i));
    out.insert(out.end(), {0x4f, 0x10, 0x00, 0x00, 0, 0, 0, 0});
    base::store_be32(out, out.size() - 4, reference_tag + block);
  }
  return out;
}

}  // namespace

TEST_CASE("32-byte commands on a type 2 unit, over iSCSI") {
  Array array({"memory:1M,protection=2", "memory:1M"}, "/tmp");
  Host host(array, "iqn.host:a");
  constexpr std::uint32_t tag = 0xfffffff0;  // it wraps
  // One block goes as immediate data, forty need R2Ts.
  for (const std::uint32_t blocks : {1u, 40u}) {
    const Bytes sent = counting_blocks(blocks, tag);
    const Answer written = host.command(0, long_cdb(write_32, 1, 100, tag, blocks), sent);
    CHECK(story::outcome_of(written) == "GOOD");
    const auto length = static_cast<std::uint32_t>(sent.size());
    CHECK(host.command(0, long_cdb(read_32, 1, 100, tag, blocks), {}, length).data == sent);
    CHECK(host.read(0, 100, 1) == Bytes(sent.begin(), sent.begin() + 512));
    const Answer other = host.command(0, long_cdb(read_32, 1, 100, tag + 1, blocks), {}, length);
    CHECK(story::outcome_of(other) == "0B/10/03");
    REQUIRE(other.sense);
    CHECK(other.sense->information == 100);
  }
  Bytes damaged = counting_blocks(2, tag);
  damaged[520 + 3] ^= 1;
  const Answer refused = host.command(0, long_cdb(write_32, 1, 100, tag, 2), damaged);
  CHECK(story::outcome_of(refused) == "0B/10/01");
  CHECK(refused.sense->information == 101);
  CHECK(story::outcome_of(host.command(1, long_cdb(read_32, 1, 0, 0, 1), {}, 520)) == "05/20/00");
}

TEST_CASE("a copy by token lands with protection information of its own") {
  for (const char* destination : {"memory:1M,protection=1", "memory:1M,protection=3"}) {
    Array array({"memory:1M", destination}, "/tmp");
    Host host(array, "iqn.host:a");
    const Bytes block = [] {
      const Bytes whole = counting_blocks(1, 0);
      return Bytes(whole.begin(), whole.begin() + 512);
    }();
    Bytes data;
    for (int i = 0; i < 128; ++i)
      data.insert(data.end(), block.begin(), block.end());
    REQUIRE(host.write(0, 0, data).is_good());
    const base::BlockRange whole{base::Lba(0), base::BlockCount(128)};
    scsi::PopulateToken populate;
    populate.ranges = {whole};
    REQUIRE(host.populate(0, 1, populate).is_good());
    const auto result = host.result(0, 1);
    REQUIRE(result);
    REQUIRE(result->token);
    scsi::WriteUsingToken use;
    use.token = *result->token;
    use.ranges = {{base::Lba(256), base::BlockCount(128)}};
    REQUIRE(host.write_using(1, 2, use).is_good());
    scsi::CdbBytes read{0x88, 0x20};
    base::store_be64(read, 2, 256 + 63);
    base::store_be32(read, 10, 2);
    const Answer found = host.command(1, read, {}, 1040);
    const std::uint32_t tag = destination[21] == '1' ? 256 + 63 : 0xffffffff;
    Bytes expected = counting_blocks(2, tag);
    if (tag == 0xffffffff) base::store_be32(expected, expected.size() - 4, tag);
    CHECK(found.data == expected);
    CHECK(host.read(1, 256, 128) == data);
  }
}

TEST_CASE(
    "wire reference 5.5: the zero token writes zeros with protection information of all ones") {
  const bool by_list = GENERATE(false, true);
  for (const char* destination :
       {"memory:1M,protection=1", "memory:1M,protection=2", "memory:1M,protection=3"}) {
    Array array({destination, "memory:1M"}, "/tmp");
    Host host(array, "iqn.host:a");
    const Bytes data(16 * 512, 0x5a);
    REQUIRE(host.write(0, 100, data).is_good());
    Bytes zero(512);
    base::store_be64(zero, 0, 0xffff0001000001f8);
    if (by_list) {  // EXTENDED COPY, F800h, to the unit that gets it
      Bytes list(16 + 28);
      list[11] = 28;
      list[14] = 0x02;
      const Bytes segment = {0x02, 0, 0, 0x18, 0xf8, 0x00, 0xff, 0xff, 0, 0, 0, 12};
      std::copy(segment.begin(), segment.end(), list.begin() + 16);
      list[16 + 27] = 102;
      list.insert(list.end(), zero.begin(), zero.end());
      scsi::CdbBytes cdb{0x83, 0x00};
      base::store_be32(cdb, 10, static_cast<std::uint32_t>(list.size()));
      REQUIRE(story::outcome_of(host.command(0, cdb, list)) == "GOOD");
    } else {
      scsi::WriteUsingToken use;
      std::copy(zero.begin(), zero.end(), use.token.begin());
      use.ranges = {{base::Lba(102), base::BlockCount(12)}};
      REQUIRE(host.write_using(0, 1, use).is_good());
    }
    CHECK(host.read(0, 102, 12) == Bytes(12 * 512));
    CHECK(host.read(0, 100, 2) == Bytes(2 * 512, 0x5a));
    // READ of blocks 101 and 102 with RDPROTECT 001b, checks on.
    const bool type_2 = destination[21] == '2';
    scsi::CdbBytes read{0x88, 0x20};
    base::store_be64(read, 2, 102);
    base::store_be32(read, 10, 12);
    const Answer found =
        type_2 ? host.command(0, long_cdb(read_32, 1, 102, 0xffffffff, 12), {}, 12 * 520)
               : host.command(0, read, {}, 12 * 520);
    REQUIRE(story::outcome_of(found) == "GOOD");
    REQUIRE(found.data.size() == 12 * 520);
    for (std::size_t i = 0; i < 12; ++i) {
      const auto tuple = found.data.begin() + static_cast<std::ptrdiff_t>(i * 520 + 512);
      CHECK(Bytes(tuple, tuple + 8) == Bytes(8, 0xff));
    }
  }
}
