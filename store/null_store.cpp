// Bounds are all a null store has.
#include "store/null_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/faults.hpp"

namespace store {

std::string NullStore::describe() const {
  return fmt::format("null of {} bytes", size().value);
}

StoreResult<> NullStore::read(base::ByteOffset at, base::ByteSpan into) {
  if (!lies_within(extent_of(at, into), size())) return fault(StoreError::Kind::out_of_range);
  std::fill(into.begin(), into.end(), std::uint8_t{0});
  return {};
}

StoreResult<> NullStore::write(base::ByteOffset at, base::ByteView from, Durability) {
  return write_zeros(extent_of(at, from));
}

StoreResult<> NullStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  return {};
}

StoreResult<> NullStore::try_read(base::ByteOffset at, base::ByteSpan into) {
  return read(at, into);
}

StoreResult<> NullStore::try_write(base::ByteOffset at, base::ByteView from) {
  return write(at, from, Durability::cached);
}

}  // namespace store
