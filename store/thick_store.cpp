#include "store/thick_store.hpp"

#include <algorithm>
#include <array>

#include "store/faults.hpp"

namespace store {
namespace {

alignas(4096) constexpr std::array<std::uint8_t, 256 * 1024> zeros{};

}  // namespace

StoreResult<> ThickStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  while (!extent.empty()) {
    const std::size_t length = std::min<std::uint64_t>(extent.length.value, zeros.size());
    const base::ByteView piece(zeros.data(), length);
    if (auto done = below().write(extent.offset, piece, Durability::cached); !done) return done;
    extent = {extent.offset + base::ByteCount(length), extent.length - base::ByteCount(length)};
  }
  return {};
}

}  // namespace store
