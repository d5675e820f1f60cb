#include "store/thick_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "store/allocation.hpp"
#include "store/faults.hpp"

namespace store {
namespace {

alignas(4096) constexpr std::array<std::uint8_t, 256 * 1024> zeros{};

// Nullopt, or errno. What is no file has its room anyway.
std::optional<int> take_room(const std::optional<FileHandle>& file, std::uint64_t begin,
                             std::uint64_t end) {
  if (!file || end <= begin) return std::nullopt;
  const int error =
      allocate(file->descriptor, 0, {base::ByteOffset(begin), base::ByteCount(end - begin)});
  // A block device does not know of it, and needs none.
  return error == 0 || error == EOPNOTSUPP ? std::nullopt : std::optional(error);
}

}  // namespace

StoreResult<> ThickStore::resize(base::ByteCount size) {
  const base::ByteCount before = below().size();
  if (auto done = below().resize(size); !done) return done;
  const auto error = take_room(below().file(), before.value, size.value);
  if (!error) return {};
  if (auto back = below().resize(before); !back) return back;
  return fault(StoreError::Kind::no_space, *error);
}

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
