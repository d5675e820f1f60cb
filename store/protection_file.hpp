// Protection information in a file: a header that says what it belongs to, the write intents, the
// tuples.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "store/protected_store.hpp"

namespace store {

struct ProtectionFileOptions {
  bool thick = false;  // it has all its room from the start, and keeps it
  bool read_only =
      false;  // it is there, fits, and stays as it is: nothing is mended; locked shared
};

// Puts the protection information in the file `path`, made if it is not there, over `data`, and
// mends what a crash left in doubt. It gets the size that `data` has now, and keeps it: the store
// cannot be resized. The file is locked before it is looked at. The error is one line for a person:
// another type or block length than it was made for, among others; then it is as it was.
base::Result<std::unique_ptr<Store>, std::string> open_protected(
    std::unique_ptr<Store> data, const ProtectionFormat& format, const std::string& path,
    const ProtectionFileOptions& options = {});

// A line for a person if there is protection information at `path` that would no longer be true
// after a write without it; an empty path is none.
std::optional<std::string> protection_left_behind(const std::string& path);

}  // namespace store
