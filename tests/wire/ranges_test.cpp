// Section 9.3: ranges that overflow, touch, come unsorted or are empty, in both parameter lists.
#include <map>
#include <random>

#include "tests/wire/golden.hpp"

namespace {

using namespace wire;

constexpr std::uint64_t last = ~std::uint64_t{0};

// Both commands must treat ranges alike; the first descriptor stands at 16 or at 536.
void check_both_refused(const std::vector<Range>& ranges, const scsi::TokenCommandLimits& with,
                        scsi::AdditionalSense additional, std::uint16_t offset,
                        std::optional<std::uint64_t> information = std::nullopt) {
  check_refused(scsi::decode_populate_token(populate_list(ranges), with), additional,
                byte(static_cast<std::uint16_t>(16 + offset)), information);
  check_refused(scsi::decode_write_using_token(write_list(ranges), with), additional,
                byte(static_cast<std::uint16_t>(536 + offset)), information);
}

void check_both_accept(const std::vector<Range>& ranges, const scsi::TokenCommandLimits& with,
                       std::uint64_t total) {
  const auto populate = scsi::decode_populate_token(populate_list(ranges), with);
  REQUIRE(populate);
  const auto write = scsi::decode_write_using_token(write_list(ranges), with);
  REQUIRE(write);
  std::vector<base::BlockRange> expected;
  for (const Range& range : ranges) {
    if (range.blocks != 0)
      expected.push_back({base::Lba(range.lba), base::BlockCount(range.blocks)});
  }
  CHECK(populate->ranges == expected);
  CHECK(write->ranges == expected);
  CHECK(populate->total().value == total);
  CHECK(write->total().value == total);
}

}  // namespace

TEST_CASE("9.3 LBA + count that wraps 64 bits is out of range") {
  check_both_refused({{last, 1}}, limits(), asc_21_00, 0, last);
  check_both_refused({{last - 1, 0xffffffff}}, limits(), asc_21_00, 0, last - 1);
  // The wrapped sum would lie inside, and inside a unit as large as 64 bits can tell.
  check_both_refused({{last, 9}}, limits(last), asc_21_00, 0, last);
  check_both_refused({{last - 4, 16}}, limits(last), asc_21_00, 0, last);
}

TEST_CASE("9.3 the sum of counts passes 2^32") {
  auto with = limits(std::uint64_t{1} << 40);
  const std::uint64_t each = 0xffffffff;
  check_both_accept({{0, 0xffffffff}, {each, 0xffffffff}, {2 * each, 2}}, with, 2 * each + 2);
  // A maximum that 32-bit arithmetic would think met: the sum is 2^32 + 1.
  with.maximum_token_transfer_size = base::BlockCount(0xffffffff);
  check_refused(scsi::decode_populate_token(populate_list({{0, 0xffffffff}, {each, 2}}), with),
                asc_26_00, byte(14));
  check_refused(scsi::decode_write_using_token(write_list({{0, 0xffffffff}, {each, 2}}), with),
                asc_26_00, byte(534));
}

TEST_CASE("9.3 adjacent ranges are legal and keep their order") {
  check_both_accept({{0, 8}, {8, 8}, {16, 8}}, limits(), 24);
  check_both_accept({{16, 8}, {8, 8}, {0, 8}}, limits(), 24);
}

TEST_CASE("9.3 unsorted ranges are legal, their order is the order of the data") {
  check_both_accept({{0x1000, 1}, {0x10, 2}, {0x800, 3}}, limits(), 6);
}

TEST_CASE("9.3 zero-length descriptors are skipped, also at the capacity and inside others") {
  check_both_accept({{0x10, 0}, {0, 8}, {4, 0}, {4, 0}, {0x200000, 0}}, limits(), 8);
}

TEST_CASE("9.3 the last block of the largest unit can be named") {
  check_both_accept({{last - 1, 1}}, limits(last), 1);
}

TEST_CASE("9.3 overlap is found exactly where two ranges share a block") {
  std::mt19937 random(20261103);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Range> ranges(1 + random() % 6);
    std::map<std::uint64_t, std::size_t> owner;
    std::optional<std::size_t> first_repeat;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ranges[i] = {random() % 40, static_cast<std::uint32_t>(random() % 5)};
      for (std::uint64_t b = 0; b < ranges[i].blocks; ++b) {
        if (!owner.emplace(ranges[i].lba + b, i).second && !first_repeat) first_repeat = i;
      }
    }
    const auto decoded = scsi::decode_populate_token(populate_list(ranges), limits());
    REQUIRE(decoded.has_value() == !first_repeat.has_value());
    if (first_repeat) {
      CHECK(decoded.error().additional == asc_26_00);
      CHECK(decoded.error().field.byte == 16 + 16 * *first_repeat);
    }
  }
}
