// Stores by name: "file:/srv/a.img,size=1G", "block:/dev/sdb,direct=on", "memory:256M", "null:1T".
// The scheme table in open.cpp has one line a store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/guard.hpp"
#include "store/protection.hpp"
#include "store/store.hpp"

namespace store {

// How a store comes by its room.
struct Provisioning {
  bool thin = true;  // off: it has all of it from the start, and keeps it
  // Thin only: its room is counted, and bounded by `bound` where there is one. File and memory.
  bool counted = false;
  std::optional<base::ByteCount> bound = {};
  bool wait_when_full = false;  // no_space_yet in place of no_space
};

struct StoreSpec {
  std::string scheme;    // file, block, memory, null
  std::string path;      // file and block
  base::ByteCount size;  // 0: as it is (file, block)
  base::BlockLength block_length{512};
  bool direct = false;  // O_DIRECT; file and block
  Provisioning provisioning = {};
  // File and block: the sizes that it was given by resize() since size= was said, which it may have
  // instead of that one. A device is used up to the first of them.
  std::vector<base::ByteCount> sizes_since = {};
  // Never written, so that others may have it open too, and reading it is all that this user needs
  // to be allowed.
  bool read_only = false;
  ProtectionType protection = ProtectionType::none;
};

// "10G", "1048576", "512K", "1T": binary multiples. The error is one line for a person.
base::Result<base::ByteCount, std::string> parse_size(std::string_view text);
// SCHEME:WHERE[,size=SIZE][,blocksize=512|4096][,direct=on|off]; the error says what is wrong and
// what is allowed: that, and `also_allowed` (", a=B") of the one who calls.
base::Result<StoreSpec, std::string> parse_store_spec(std::string_view text,
                                                      std::string_view also_allowed = "");

// Points in time that outlive the process, of a unit on a file or device.
struct Keeping {
  std::string unit;  // its name, the same after every restart: at most 64 plain characters
  std::uint64_t first_sequence = 0;  // at random, for files that are made anew
};

// Opens (a file with size= is created sparse or must already have that size or one of
// `sizes_since`, is locked against a second daemon, and is never truncated) and puts the write
// guard over it. `side_directory` takes the side file of stores that are not files; a file's side
// file is an unnamed file beside it, so that blocks can be shared. The size is cut to whole blocks.
// Protection information is a file beside a file, a file in that directory for a block device
// (protection_file.hpp). With `keeping`, what is saved is in files that have names
// (side_files.hpp), beside the file if it can be written, else in that directory; then restore()
// what is wanted and end_restore(). The error is one line for a person.
base::Result<std::unique_ptr<Guard>, std::string> open_guarded(
    const StoreSpec& spec, const std::string& side_directory, const GuardSettings& settings,
    const std::optional<Keeping>& keeping = {});

}  // namespace store
