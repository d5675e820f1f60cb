// How much Windows asks for: the rows of windows-host A.4, and the buffers of B.2 and B.4.
#include "tools/host/sizes.hpp"

#include <catch2/catch.hpp>

using namespace host;
using base::BlockCount;
using base::BlockLength;

namespace {

constexpr std::uint64_t mib = 1 << 20;

scsi::BlockDeviceRodLimits limits(std::uint64_t optimal, std::uint64_t maximum,
                                  std::uint16_t descriptors = 0) {
  scsi::BlockDeviceRodLimits out;
  out.optimal_transfer_count = BlockCount(optimal);
  out.maximum_token_transfer_size = BlockCount(maximum);
  out.maximum_range_descriptors = descriptors;
  return out;
}

CommandCount per_gib(const scsi::BlockDeviceRodLimits& both, std::uint32_t block = 512) {
  return commands_for(BlockCount((1024 * mib) / block), BlockLength{block}, both, both);
}

}  // namespace

TEST_CASE("commands per GiB are those of Windows' published table") {
  // OPTIMAL TRANSFER COUNT, MAXIMUM TOKEN TRANSFER SIZE in 512-byte blocks (A.4, four rows).
  CHECK(per_gib(limits(0, 0)) == CommandCount{4, 4, 16});
  CHECK(per_gib(limits(0, 524288)) == CommandCount{4, 4, 16});
  CHECK(per_gib(limits(131072, 524288)) == CommandCount{16, 16, 16});
  CHECK(per_gib(limits(524288, 524288)) == CommandCount{4, 4, 4});
  CHECK(per_gib(limits(32768, 32768)) == CommandCount{64, 64, 64});
}

TEST_CASE("4096-byte blocks divide the block numbers by eight and change nothing else") {
  CHECK(per_gib(limits(0, 0), 4096) == CommandCount{4, 4, 16});
  CHECK(per_gib(limits(16384, 65536), 4096) == CommandCount{16, 16, 16});
  CHECK(per_gib(limits(65536, 65536), 4096) == CommandCount{4, 4, 4});
  CHECK(per_gib(limits(4096, 4096), 4096) == CommandCount{64, 64, 64});
}

TEST_CASE("a token is 256 MiB at most, less where the array says so") {
  const BlockLength block{512};
  CHECK(populate_token_size(limits(0, 0), block, 0).blocks_max.value == 524288);
  CHECK(populate_token_size(limits(0, 1000), block, 0).blocks_max.value == 1000);
  CHECK(populate_token_size(limits(131072, 0), block, 0).blocks_max.value == 131072);
  // A time to live of the caller's own lifts the bound of OPTIMAL TRANSFER COUNT.
  CHECK(populate_token_size(limits(131072, 0), block, 30).blocks_max.value == 524288);
  CHECK(populate_token_size(limits(~0ull, ~0ull), block, 0).blocks_max.value == 524288);
}

TEST_CASE("a write is 64 MiB without an optimum, the optimum up to 256 MiB") {
  const BlockLength block{512};
  CHECK(write_using_token_size(limits(0, 0), block).blocks_max.value == 131072);
  CHECK(write_using_token_size(limits(524287, 0), block).blocks_max.value == 524287);
  CHECK(write_using_token_size(limits(524289, 0), block).blocks_max.value == 524288);
  CHECK(write_using_token_size(limits(0, 77), block).blocks_max.value == 77);
  CHECK(write_using_token_size(limits(1, 0), block).blocks_max.value == 1);
}

TEST_CASE("range descriptors are bounded by the array and by Windows' own 64") {
  const BlockLength block{512};
  CHECK(populate_token_size(limits(0, 0, 0), block, 0).descriptors_max == 64);
  CHECK(populate_token_size(limits(0, 0, 8), block, 0).descriptors_max == 8);
  CHECK(write_using_token_size(limits(0, 0, 1), block).descriptors_max == 1);
  CHECK(write_using_token_size(limits(0, 0, 65535), block).descriptors_max == 64);
}

TEST_CASE("the answer buffer after a write is the size of the write's own buffer") {
  CHECK(write_using_token_answer_bytes(limits(0, 0, 0)) == 0xffff);
  CHECK(write_using_token_answer_bytes(limits(0, 0, 64)) == 0x618);
  CHECK(write_using_token_answer_bytes(limits(0, 0, 8)) == 0x298);
  CHECK(write_using_token_answer_bytes(limits(0, 0, 1)) == 0x228);
}

TEST_CASE("list identifiers count up from where they start and wrap") {
  ListIdentifiers windows;
  CHECK(windows.next() == 0);
  CHECK(windows.next() == 1);
  ListIdentifiers late(0xffffffff);
  CHECK(late.next() == 0xffffffff);
  CHECK(late.next() == 0);
}

TEST_CASE("a rest smaller than a token needs its own token and writes") {
  // 300 MiB: one token of 256 (four writes), one of 44 (one write).
  CHECK(commands_for(BlockCount(300 * mib / 512), BlockLength{512}, limits(0, 0), limits(0, 0)) ==
        CommandCount{2, 2, 5});
}
