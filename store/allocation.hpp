// fallocate() that is not interrupted.
#pragma once

#include <cerrno>

#include <fcntl.h>

#include "base/extent.hpp"

namespace store {

// 0, or errno.
inline int allocate(int file, int mode, const base::Extent& extent) {
  int error = EINTR;
  while (error == EINTR) {
    const bool done = fallocate(file, mode, static_cast<off_t>(extent.offset.value),
                                static_cast<off_t>(extent.length.value)) == 0;
    error = done ? 0 : errno;
  }
  return error;
}

}  // namespace store
