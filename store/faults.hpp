// Short names for the results every store returns, and the bounds check every store starts with.
#pragma once

#include <cerrno>

#include "store/store.hpp"

namespace store {

inline auto fault(StoreError::Kind kind, int system_error = 0) {
  return base::fail(StoreError{kind, system_error});
}

// A failed system call: a full medium is told apart from a broken one.
inline auto system_fault(StoreError::Kind kind, int system_error) {
  const bool full = system_error == ENOSPC || system_error == EDQUOT;
  return fault(full ? StoreError::Kind::no_space : kind, system_error);
}

// Never overflows, whatever the extent.
inline bool lies_within(const base::Extent& extent, base::ByteCount size) {
  return extent.offset.value <= size.value &&
         extent.length.value <= size.value - extent.offset.value;
}

inline base::Extent extent_of(base::ByteOffset at, base::ByteView bytes) {
  return {at, base::ByteCount(bytes.size())};
}

}  // namespace store
