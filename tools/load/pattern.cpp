#include "tools/load/pattern.hpp"

#include <array>

namespace load {
namespace {

constexpr std::size_t run_at = 8, generation_at = 16, body_at = 24;

SplitMix64 body_of(const Stamp& stamp) {
  SplitMix64 seeds(stamp.lba);
  return SplitMix64(seeds.next() ^ stamp.run ^ std::uint64_t{stamp.generation} << 32);
}

void put_stamp(base::ByteSpan block, const Stamp& stamp) {
  base::store_be64(block, 0, stamp.lba);
  base::store_be64(block, run_at, stamp.run);
  base::store_be64(block, generation_at, std::uint64_t{stamp.generation} << 32);
}

std::size_t first_difference(base::ByteView a, base::ByteView b) {
  std::size_t at = 0;
  while (a[at] == b[at])
    ++at;
  return at;
}

}  // namespace

void fill_block(base::ByteSpan block, const Stamp& stamp) {
  put_stamp(block, stamp);
  SplitMix64 body = body_of(stamp);
  for (std::size_t at = body_at; at < block.size(); at += 8)
    base::store_be64(block, at, body.next());
}

base::Result<Stamp, std::size_t> read_block(base::ByteView block, std::uint64_t lba) {
  const Stamp stamp{lba, base::load_be64(block, run_at), base::load_be32(block, generation_at)};
  std::array<std::uint8_t, body_at> head{};
  put_stamp(head, stamp);
  if (std::memcmp(head.data(), block.data(), head.size()) != 0) {
    return base::fail(first_difference(head, block));
  }
  SplitMix64 body = body_of(stamp);
  for (std::size_t at = body_at; at < block.size(); at += 8) {
    const std::uint64_t expected = body.next();
    if (base::load_be64(block, at) == expected) continue;
    std::array<std::uint8_t, 8> word{};
    base::store_be64(word, 0, expected);
    return base::fail(at + first_difference(word, block.subspan(at)));
  }
  return stamp;
}

}  // namespace load
