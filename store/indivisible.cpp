#include "store/indivisible.hpp"

#include <algorithm>
#include <memory>

#include "store/exclusive.hpp"
#include "store/faults.hpp"

namespace store {
namespace {

constexpr std::size_t scratch_bytes = 1 << 20;

// As many whole copies of `pattern` as fit into scratch memory, one at least.
std::vector<std::uint8_t> repeated(base::ByteView pattern, base::ByteCount length) {
  const std::size_t most = std::max(scratch_bytes / pattern.size(), std::size_t{1});
  const std::size_t copies = std::min<std::uint64_t>(most, length.value / pattern.size());
  std::vector<std::uint8_t> out;
  out.reserve(copies * pattern.size());
  for (std::size_t i = 0; i < copies; ++i)
    out.insert(out.end(), pattern.begin(), pattern.end());
  return out;
}

}  // namespace

std::optional<base::ByteCount> first_difference(base::ByteView a, base::ByteView b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  if (at == a.end()) return std::nullopt;
  return base::ByteCount(static_cast<std::uint64_t>(at - a.begin()));
}

Compared compare_and_write(Guard& guard, base::ByteOffset at, base::ByteView expected,
                           base::ByteView replacement, Durability durability) {
  const base::Extent extent = extent_of(at, expected);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  std::vector<std::uint8_t> found(expected.size());
  const Exclusive held(guard, extent);
  if (auto result = held.store().read(at, found); !result) return base::fail(result.error());
  if (const auto different = first_difference(found, expected)) return different;
  const auto written = held.store().write(at, replacement, durability);
  if (!written) return base::fail(written.error());
  return std::nullopt;
}

StoreResult<> or_write(Guard& guard, base::ByteOffset at, base::ByteView bits,
                       Durability durability) {
  const base::Extent extent = extent_of(at, bits);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  std::vector<std::uint8_t> bytes(bits.size());
  const Exclusive held(guard, extent);
  if (auto result = held.store().read(at, bytes); !result) return result;
  std::transform(bytes.begin(), bytes.end(), bits.begin(), bytes.begin(), std::bit_or<>());
  return held.store().write(at, bytes, durability);
}

Compared write_and_read_back(Guard& guard, base::ByteOffset at, base::ByteView from) {
  const base::Extent extent = extent_of(at, from);
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  std::vector<std::uint8_t> found(from.size());
  const Exclusive held(guard, extent);
  const auto written = held.store().write(at, from, Durability::durable);
  if (!written) return base::fail(written.error());
  held.store().forget_cached(extent);
  if (auto result = held.store().read(at, found); !result) return base::fail(result.error());
  return first_difference(found, from);
}

StoreResult<> write_same(Guard& guard, base::Extent extent, base::ByteView block) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  if (extent.empty()) return {};
  const std::vector<std::uint8_t> copies = repeated(block, extent.length);
  while (!extent.empty()) {
    const std::size_t length = std::min<std::uint64_t>(extent.length.value, copies.size());
    const base::ByteView piece = base::ByteView(copies).first(length);
    if (auto result = guard.write(extent.offset, piece, Durability::cached); !result) return result;
    extent = {extent.offset + base::ByteCount(length), extent.length - base::ByteCount(length)};
  }
  return {};
}

Compared verify(Guard& guard, base::Extent extent, base::ByteView pattern) {
  if (!lies_within(extent, guard.size())) return fault(StoreError::Kind::out_of_range);
  if (extent.empty()) return std::nullopt;
  const bool compares = !pattern.empty();
  // One long pattern is compared piece by piece, a short one by many copies at once.
  const bool whole = pattern.size() == extent.length.value;
  const std::vector<std::uint8_t> copies =
      compares && !whole ? repeated(pattern, extent.length) : std::vector<std::uint8_t>();
  std::vector<std::uint8_t> scratch(compares && !whole ? copies.size() : scratch_bytes);
  for (base::ByteCount done; done < extent.length;) {
    const std::size_t length =
        std::min<std::uint64_t>((extent.length - done).value, scratch.size());
    const base::ByteSpan found = base::ByteSpan(scratch).first(length);
    const auto result = guard.read(extent.offset + done, found);
    if (!result) return base::fail(result.error());
    if (compares) {
      const base::ByteView wanted =
          whole ? pattern.subspan(done.value, length) : base::ByteView(copies).first(length);
      if (const auto different = first_difference(found, wanted)) return done + *different;
    }
    done += base::ByteCount(length);
  }
  return std::nullopt;
}

}  // namespace store
