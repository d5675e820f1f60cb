// EXTENDED COPY as a host uses it: it asks a unit for its name, names it in a list, reads what
// became of the blocks. And random lists against a naive model, beside tokens and writes.
#include <random>

#include <catch2/catch.hpp>

#include "tests/story/world.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

using story::Array;
using story::Host;
using story::outcome_of;
using story::pattern;
using Bytes = std::vector<std::uint8_t>;

// The 16 bytes of the first NAA designator of VPD page 83h, as hosts find it.
Bytes naa_of(Host& host, std::uint16_t lun) {
  const Bytes page = host.command(lun, {0x12, 0x01, 0x83, 0x02, 0x00, 0x00}, {}, 512).data;
  for (std::size_t at = 4; at + 4 <= page.size(); at += 4u + page[at + 3]) {
    const bool is_naa = (page[at + 1] & 0x3f) == 0x03 && page[at + 3] == 16;
    if (is_naa) {
      const auto first = page.begin() + static_cast<std::ptrdiff_t>(at + 4);
      return {first, first + 16};
    }
  }
  FAIL("no NAA designator");
  return {};
}

struct Segment {
  std::uint16_t from_lun, to_lun;
  std::uint16_t blocks;
  std::uint64_t from, to;
};

// Wire reference 8.1, 8.3, 8.4: one CSCD a LUN in the order of the LUNs, one 02h a segment.
Bytes list_of(Host& host, std::uint16_t luns, const std::vector<std::uint32_t>& block_bytes,
              const std::vector<Segment>& segments) {
  Bytes list(16 + 32u * luns + 28 * segments.size());
  base::store_be16(list, 2, static_cast<std::uint16_t>(32 * luns));
  base::store_be32(list, 8, static_cast<std::uint32_t>(28 * segments.size()));
  for (std::uint16_t lun = 0; lun < luns; ++lun) {
    const std::size_t at = 16 + 32u * lun;
    const Bytes naa = naa_of(host, lun);
    list[at] = 0xe4;
    list[at + 4] = 1;
    list[at + 5] = 3;
    list[at + 7] = 16;
    std::copy(naa.begin(), naa.end(), list.begin() + static_cast<std::ptrdiff_t>(at + 8));
    base::store_be(list, at + 29, 3, block_bytes[lun]);
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::size_t at = 16 + 32u * luns + 28 * i;
    list[at] = 0x02;
    list[at + 3] = 0x18;
    base::store_be16(list, at + 4, segments[i].from_lun);
    base::store_be16(list, at + 6, segments[i].to_lun);
    base::store_be16(list, at + 10, segments[i].blocks);
    base::store_be64(list, at + 12, segments[i].from);
    base::store_be64(list, at + 20, segments[i].to);
  }
  return list;
}

story::Answer extended_copy(Host& host, std::uint16_t lun, const Bytes& list) {
  scsi::CdbBytes cdb{0x83, 0x00};
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(list.size()));
  return host.command(lun, cdb, list);
}

base::BlockRange range(std::uint64_t lba, std::uint64_t blocks) {
  return {base::Lba(lba), base::BlockCount(blocks)};
}

// A virtual disk of 12 MiB is cloned in pieces of 4 MiB while a token on the target lives.
void disk_is_cloned(const std::string& source, const std::string& destination,
                    const std::string& side) {
  constexpr std::uint16_t piece = 8192;  // blocks
  Array array({source, destination}, side);
  Host host(array, "iqn.1998-01.com.vmware:esx1");
  const Bytes disk = pattern(3 * piece * 512, 1), old = pattern(64 * 512, 2);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const base::ByteView part = base::ByteView(disk).subspan(i * piece * 512u, piece * 512u);
    REQUIRE(host.write(0, 100 + i * piece, part).is_good());
  }
  REQUIRE(host.write(1, 5000, old).is_good());
  scsi::PopulateToken wanted;
  wanted.ranges = {range(5000, 64)};
  REQUIRE(host.populate(1, 1, wanted).is_good());
  const auto token = host.result(1, 1)->token.value();

  for (std::uint64_t i = 0; i < 3; ++i) {
    const Bytes list =
        list_of(host, 2, {512, 512}, {{0, 1, piece, 100 + i * piece, 2000 + i * piece}});
    REQUIRE(outcome_of(extended_copy(host, 0, list)) == "GOOD");
  }
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto first = disk.begin() + static_cast<std::ptrdiff_t>(i * piece * 512);
    CHECK(host.read(1, 2000 + i * piece, piece) == Bytes(first, first + piece * 512));
  }
  scsi::WriteUsingToken use;
  use.token = token;
  use.ranges = {range(0, 64)};
  REQUIRE(outcome_of(host.write_using(1, 2, use)) == "GOOD");
  CHECK(host.read(1, 0, 64) == old);
}

}  // namespace

TEST_CASE("a virtual disk is cloned as VMware does it; a token keeps what that overwrites") {
  const test::TempDir folder;
  disk_is_cloned("memory:16M", "memory:16M", folder.path());
  disk_is_cloned("file:" + folder.path() + "/a.img,size=16M",
                 "file:" + folder.path() + "/b.img,size=16M", folder.path());
}

TEST_CASE("EXTENDED COPY: random lists against a naive model, with writes and tokens") {
  constexpr std::size_t unit_bytes = 1 << 20;
  const std::vector<std::uint32_t> block_bytes{512, 512, 4096};
  const test::TempDir folder;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    copymgr::CopySettings settings;
    settings.step_bytes = base::ByteCount(24 * 1024);
    Array array({"memory:1M", "memory:1M", "memory:1M,blocksize=4096"}, folder.path(), {},
                settings);
    Host host(array, "iqn.host:model");
    std::vector<Bytes> model(3, Bytes(unit_bytes));
    std::optional<scsi::RodTokenBytes> token;
    Bytes token_data;

    for (int step = 0; step < 40; ++step) {
      const auto lun = static_cast<std::uint16_t>(below(3));
      const std::uint64_t block = block_bytes[lun], capacity = unit_bytes / block;
      switch (below(5)) {
        case 0: {
          const std::uint64_t count = 1 + below(capacity / 4), at = below(capacity - count);
          const Bytes data = pattern(count * block, static_cast<std::uint32_t>(random()));
          REQUIRE(host.write(lun, at, data, block_bytes[lun]).is_good());
          std::copy(data.begin(), data.end(),
                    model[lun].begin() + static_cast<std::ptrdiff_t>(at * block));
          break;
        }
        case 1: {
          const std::uint64_t count = 1 + below(capacity / 4), at = below(capacity - count);
          scsi::PopulateToken wanted;
          wanted.ranges = {range(at, count)};
          REQUIRE(host.populate(lun, 1000, wanted).is_good());
          token = host.result(lun, 1000)->token;
          REQUIRE(token);
          const auto first = model[lun].begin() + static_cast<std::ptrdiff_t>(at * block);
          token_data.assign(first, first + static_cast<std::ptrdiff_t>(count * block));
          token_data.push_back(static_cast<std::uint8_t>(lun));
          break;
        }
        case 2: {
          if (!token || block_bytes[token_data.back()] != block) break;
          scsi::WriteUsingToken use;
          use.token = *token;
          const std::uint64_t count = (token_data.size() - 1) / block;
          const std::uint64_t at = below(capacity - count);
          use.ranges = {range(at, count)};
          REQUIRE(outcome_of(host.write_using(lun, 1001, use)) == "GOOD");
          std::copy(token_data.begin(), token_data.end() - 1,
                    model[lun].begin() + static_cast<std::ptrdiff_t>(at * block));
          break;
        }
        default: {
          std::vector<Segment> segments;
          for (std::uint64_t left = 1 + below(4); left > 0; --left) {
            Segment segment{};
            segment.from_lun = static_cast<std::uint16_t>(below(3));
            segment.to_lun = static_cast<std::uint16_t>(below(3));
            const std::uint64_t from_block = block_bytes[segment.from_lun];
            const std::uint64_t to_block = block_bytes[segment.to_lun];
            // Whole blocks of both.
            const std::uint64_t unit = std::max(from_block, to_block);
            const std::uint64_t bytes = unit * (1 + below(unit_bytes / unit / 2));
            segment.blocks = static_cast<std::uint16_t>(bytes / from_block);
            segment.from = below((unit_bytes - bytes) / from_block + 1);
            segment.to = below((unit_bytes - bytes) / to_block + 1);
            segments.push_back(segment);
            const Bytes& from = model[segment.from_lun];
            const auto first =
                from.begin() + static_cast<std::ptrdiff_t>(segment.from * from_block);
            const Bytes moved(first, first + static_cast<std::ptrdiff_t>(bytes));
            std::copy(
                moved.begin(), moved.end(),
                model[segment.to_lun].begin() + static_cast<std::ptrdiff_t>(segment.to * to_block));
          }
          const auto answer = extended_copy(host, lun, list_of(host, 3, block_bytes, segments));
          REQUIRE(outcome_of(answer) == "GOOD");
        }
      }
    }
    for (std::uint16_t lun = 0; lun < 3; ++lun) {
      const std::uint32_t block = block_bytes[lun];
      CHECK(host.read(lun, 0, static_cast<std::uint32_t>(unit_bytes / block), block) == model[lun]);
    }
  }
}
