// What a store says of a write, as what became of a copy.
#pragma once

#include "copymgr/copy_manager.hpp"

namespace copymgr {

inline CopyFault::Kind write_fault_of(const store::StoreError& error) {
  using enum CopyFault::Kind;
  if (error.kind == store::StoreError::Kind::no_space) return destination_full;
  if (error.kind == store::StoreError::Kind::no_space_yet) return destination_waits;
  return destination_write_failed;
}

}  // namespace copymgr
