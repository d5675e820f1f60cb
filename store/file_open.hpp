// Opening the files and block devices of FileStore: creating, locking, sizing, and telling a person
// in one line what is wrong and what to do about it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/file_store.hpp"

namespace store {

struct FileOptions {
  std::string path;
  base::ByteCount size;  // 0: as it is
  base::BlockLength block_length{512};
  bool direct = false;
  bool allocate = false;   // room for all of it before it is used; regular files
  bool read_only = false;  // opened so, locked shared, never created
  std::vector<base::ByteCount> sizes_since = {};
  // A file that is there may have any size, none too: `size` is for one that is created.
  bool any_size = false;
  // One that is created need not outlive the machine: nobody trusts it after a power loss.
  bool transient = false;
};

using FileOpened = base::Result<std::unique_ptr<FileStore>, std::string>;

// A regular file, created sparse (but for `allocate`) when it does not exist and a size is given,
// and on the medium with its directory before this returns. An existing file is never truncated or
// grown. Locked for this process.
FileOpened open_regular_file(const FileOptions& options);

// A block device, whole, that nobody has mounted; read-only, others may.
FileOpened open_block_device(const FileOptions& options);

// An unnamed sparse file of `size` bytes that ends with the store: beside the file `beside` (when
// not empty) so that blocks can be shared with it, else in `directory`.
FileOpened open_side_file(const std::string& beside, const std::string& directory,
                          base::ByteCount size);

}  // namespace store
