// Blocks that tell what they are: which LBA, written by which run, for the how many-th time. Every
// byte follows from these three, so that a block that is read needs no copy to compare with.
//
//   bytes 0-7    LBA                  bytes 16-19  generation
//   bytes 8-15   run identifier       bytes 20-23  zero
//   from 24 on   splitmix64, seeded with the three, eight bytes at a time
// All big-endian; a block has at least 32 bytes and a multiple of eight.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace load {

struct Stamp {
  std::uint64_t lba = 0;
  std::uint64_t run = 0;         // of one `copymgr bench`
  std::uint32_t generation = 0;  // from 1

  bool operator==(const Stamp&) const = default;
};

void fill_block(base::ByteSpan block, const Stamp& stamp);

// What the block read from `lba` says of itself. The error is the first byte that is wrong: one of
// the LBA's, or one that does not follow from the stamp.
base::Result<Stamp, std::size_t> read_block(base::ByteView block, std::uint64_t lba);

// The generator of pattern and offsets (Steele, Lea, Flood 2014), small and good enough for both.
class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

 private:
  std::uint64_t state_;
};

}  // namespace load
