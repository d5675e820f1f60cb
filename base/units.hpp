// Blocks, bytes and addresses as different types, so that a block count can never be used as a byte
// count. Conversion needs a BlockLength and is always written out.
#pragma once

#include <compare>
#include <cstdint>

namespace base {

template <class Tag>
struct Quantity {
  std::uint64_t value = 0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(std::uint64_t v) : value(v) {}
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) { return value += other.value, *this; }
  constexpr Quantity& operator-=(Quantity other) { return value -= other.value, *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value + b.value);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value - b.value);
  }
};

template <class Tag, class CountTag>
struct Address {
  std::uint64_t value = 0;

  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t v) : value(v) {}
  constexpr auto operator<=>(const Address&) const = default;
  constexpr Address& operator+=(Quantity<CountTag> n) { return value += n.value, *this; }
  friend constexpr Address operator+(Address a, Quantity<CountTag> n) {
    return Address(a.value + n.value);
  }
  friend constexpr Quantity<CountTag> operator-(Address a, Address b) {
    return Quantity<CountTag>(a.value - b.value);
  }
};

using BlockCount = Quantity<struct BlockTag>;
using ByteCount = Quantity<struct ByteTag>;
using Lba = Address<struct LbaTag, struct BlockTag>;
using ByteOffset = Address<struct OffsetTag, struct ByteTag>;

// The LOGICAL BLOCK LENGTH of a unit, in bytes; 512 or 4096 here.
struct BlockLength {
  std::uint32_t bytes = 512;

  constexpr auto operator<=>(const BlockLength&) const = default;
  constexpr ByteCount to_bytes(BlockCount n) const { return ByteCount(n.value * bytes); }
  constexpr ByteOffset to_offset(Lba lba) const { return ByteOffset(lba.value * bytes); }
  // Whole blocks only; a fragment at the end is dropped.
  constexpr BlockCount whole_blocks(ByteCount n) const { return BlockCount(n.value / bytes); }
};

}  // namespace base
