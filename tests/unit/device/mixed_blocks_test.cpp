// Tokens between units of 512 and of 4096-byte blocks, also with protection information (wire
// reference 3.2, 3.4, 9.3; windows-host R21).
#include <algorithm>

#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("R21 and 9.3: tokens between block lengths, refused or converted as the unit says") {
  LogicalUnitLimits converting;
  converting.copies.mixed_block_lengths = copymgr::MixedBlockLengths::convert;
  for (const std::uint8_t protection : {0, 1, 3}) {
    const auto make = [&](std::uint64_t id, std::uint32_t bytes) {
      const auto type = static_cast<store::ProtectionType>(protection);
      return make_unit(id, memory(unit_bytes, ",blocksize=" + std::to_string(bytes), type), bytes,
                       converting);
    };
    CopyWorld world({{scsi::Lun{5}, make(15, 512)}, {scsi::Lun{6}, make(16, 4096)}});
    const Bytes small = pattern(20, 512, 1);
    world.fill(3, small, 5);
    const Token token = world.make_token({{3, 20}}, 5);
    check_illegal(world.use_token(token, {{10, 1}}, 2), 0x08, 0x04);  // as units are by default
    // 20 blocks of 512 are two and a half of 4096.
    world.fill(10, pattern(4, 4096, 9), 6, 4096);
    CHECK(world.use_token(token, {{12, 1}, {10, 2}}, 6).good());
    const auto part = [](const Bytes& from, std::size_t at, std::size_t bytes) {
      Bytes out(4096);
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), bytes, out.begin());
      return out;
    };
    CHECK(world.content(12, 1, 6) == part(small, 0, 4096));
    CHECK(world.content(10, 1, 6) == part(small, 4096, 4096));
    CHECK(world.content(11, 1, 6) == part(small, 8192, 2048));  // and zeros
    CHECK(base::load_be64(world.record(world.next_id - 1, 6), 16) == 3);
    // The offset counts blocks of the destination.
    CHECK(world.use_token(token, {{20, 1}}, 6, 2).good());
    CHECK(world.content(20, 1, 6) == part(small, 8192, 2048));
    check_bad_list(world.use_token(token, {{20, 1}}, 6, 3), 0x26, 0x00, 8);
    const Answer beyond = world.use_token(token, {{20, 4}}, 6);
    check_illegal(beyond, 0x0d, 0x04);
    CHECK(beyond.sense->information == 0);
    // And the other way round, from within a block.
    const Bytes large = pattern(2, 4096, 4);
    world.fill(30, large, 6, 4096);
    const Token whole = world.make_token({{30, 2}}, 6);
    CHECK(world.use_token(whole, {{100, 5}}, 5, 6).good());
    CHECK(world.content(100, 5, 5) == Bytes(large.begin() + 6 * 512, large.begin() + 11 * 512));
    CHECK(world.use_token(whole, {{200, 16}}, 5).good());
    CHECK(world.content(200, 16, 5) == large);
    check_illegal(world.use_token(whole, {{200, 17}}, 5), 0x0d, 0x04);
  }
}
