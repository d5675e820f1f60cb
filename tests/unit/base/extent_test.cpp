// Quantities that cannot be mixed up, and ranges that cannot overflow.
#include "base/extent.hpp"

#include <type_traits>

#include <catch2/catch.hpp>

using namespace base;

namespace {

template <class A, class B>
concept addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept comparable = requires(A a, B b) {
  a < b;
};

static_assert(addable<Lba, BlockCount>);
static_assert(addable<ByteCount, ByteCount>);
static_assert(!addable<Lba, ByteCount>);
static_assert(!addable<Lba, Lba>);
static_assert(!addable<ByteOffset, BlockCount>);
static_assert(!comparable<Lba, ByteOffset>);
static_assert(!std::is_convertible_v<int, ByteCount>);
static_assert(std::is_same_v<decltype(Lba() - Lba()), BlockCount>);

constexpr std::uint64_t most = ~std::uint64_t{0};

BlockRange blocks(std::uint64_t first, std::uint64_t count) {
  return {Lba(first), BlockCount(count)};
}
Extent bytes(std::uint64_t offset, std::uint64_t length) {
  return {ByteOffset(offset), ByteCount(length)};
}

}  // namespace

TEST_CASE("blocks and bytes convert through the block length") {
  const BlockLength length{4096};
  CHECK(length.to_bytes(BlockCount(3)) == ByteCount(12288));
  CHECK(length.to_offset(Lba(2)) == ByteOffset(8192));
  CHECK(length.whole_blocks(ByteCount(8191)) == BlockCount(1));
  CHECK(to_extent(blocks(2, 3), length) == bytes(8192, 12288));
  CHECK(BlockLength{}.bytes == 512);
}

TEST_CASE("addresses and quantities add up") {
  Lba at(10);
  at += BlockCount(5);
  CHECK(at == Lba(15));
  CHECK(at - Lba(5) == BlockCount(10));
  ByteCount left(10);
  left -= ByteCount(3);
  left += ByteCount(1);
  CHECK(left == ByteCount(8));
  CHECK(bytes(5, 7).end() == ByteOffset(12));
  CHECK(blocks(5, 7).end() == Lba(12));
}

TEST_CASE("ranges overlap where they share something") {
  CHECK(overlaps(bytes(0, 10), bytes(9, 1)));
  CHECK_FALSE(overlaps(bytes(0, 10), bytes(10, 1)));
  CHECK(overlaps(bytes(3, 1), bytes(0, 10)));
  CHECK_FALSE(overlaps(bytes(3, 0), bytes(0, 10)));
  CHECK_FALSE(overlaps(bytes(0, 10), bytes(3, 0)));
  CHECK(overlaps(blocks(0, 10), blocks(9, 5)));
  CHECK_FALSE(overlaps(blocks(9, 0), blocks(0, 10)));
  CHECK(bytes(3, 0).empty());
}

TEST_CASE("a range lies within a capacity, without overflow") {
  CHECK(within(blocks(0, 10), BlockCount(10)));
  CHECK(within(blocks(10, 0), BlockCount(10)));
  CHECK_FALSE(within(blocks(10, 1), BlockCount(10)));
  CHECK_FALSE(within(blocks(11, 0), BlockCount(10)));
  CHECK_FALSE(within(blocks(1, most), BlockCount(10)));
  CHECK_FALSE(within(blocks(most, 2), BlockCount(most)));
  CHECK(within(blocks(0, most), BlockCount(most)));
}
