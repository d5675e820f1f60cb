// open(2) and its many ways to fail, each with the advice that goes with it.
#include "store/file_open.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/allocation.hpp"

namespace store {
namespace {

using Opened = base::Result<Descriptor, std::string>;
constexpr mode_t file_mode = 0600;

std::string error_text(int system_error) {
  return std::generic_category().message(system_error);
}

std::string directory_of(const std::string& path) {
  std::error_code ignored;
  // Through symbolic links: blocks can be shared only beside the file itself.
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, ignored);
  const std::string parent = (real.empty() ? std::filesystem::path(path) : real).parent_path();
  return parent.empty() ? "." : parent;
}

int open_flags(const FileOptions& options) {
  return (options.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | (options.direct ? O_DIRECT : 0);
}

std::string advice_for(const FileOptions& options, int system_error) {
  switch (system_error) {
    case ENOENT: {
      std::error_code ignored;
      const std::string directory = directory_of(options.path);
      if (!std::filesystem::exists(directory, ignored)) {
        return fmt::format("create the directory {} first", directory);
      }
      return options.read_only ? "create it: a read-only unit needs one that is there"
                               : "create it, or give size=SIZE to have it created";
    }
    case EISDIR:
      return "give the path of a file inside it";
    case EACCES:
    case EPERM:
      return options.read_only ? "let this user read it" : "let this user read and write it";
    case EROFS:
      return "choose a file system that is mounted read-write";
    case EINVAL:
      return options.direct ? "its file system has no direct I/O; use direct=off" : "";
    case EBUSY:
      return "it is mounted or in use; unmount it or choose another";
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another directory";
    case EFBIG:
      return "its file system cannot hold a file of this size; choose a smaller size";
    default:
      return "";
  }
}

std::string cannot(std::string_view verb, const FileOptions& options, int system_error) {
  const std::string advice = advice_for(options, system_error);
  return fmt::format("cannot {} {}: {}{}{}", verb, options.path, error_text(system_error),
                     advice.empty() ? "" : "; ", advice);
}

std::optional<std::string> lock(const Descriptor& file, const FileOptions& options) {
  if (flock(file.number(), (options.read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
    return std::nullopt;
  if (errno != EWOULDBLOCK) return cannot("lock", options, errno);
  return fmt::format("{} is in use by another copymgrd{}; stop it or choose another file",
                     options.path, options.read_only ? ", which may write to it" : "");
}

// The name must survive a crash as well as the file.
bool sync_directory(const std::string& directory) {
  const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && fsync(opened.number()) == 0;
}

// Without a name until it has its size: a crash half way leaves nothing behind. Not every file
// system can; then the name comes first.
Descriptor create_unnamed_or_named(const FileOptions& options, const std::string& directory,
                                   bool& named) {
  Descriptor file(open(directory.c_str(), open_flags(options) | O_TMPFILE, file_mode));
  named = !file.is_open() && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT);
  if (!named) return file;
  return Descriptor(open(options.path.c_str(), open_flags(options) | O_CREAT | O_EXCL, file_mode));
}

bool give_name(const Descriptor& file, const std::string& path) {
  const std::string unnamed = fmt::format("/proc/self/fd/{}", file.number());
  return linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

// The size in bytes of an open file or device.
base::ByteCount size_of(const Descriptor& file) {
  const off_t end = lseek(file.number(), 0, SEEK_END);
  return base::ByteCount(end > 0 ? static_cast<std::uint64_t>(end) : 0);
}

// Takes all the room that the file's size needs, if asked to; what the file holds stays. Looks
// first whether there is enough: to try and fail may fill the file system.
std::optional<std::string> take_room(const Descriptor& file, const FileOptions& options) {
  if (!options.allocate) return std::nullopt;
  const std::uint64_t size = size_of(file).value;
  constexpr std::uint64_t unit_of_st_blocks = 512;
  struct stat facts = {};
  struct statvfs room = {};
  if (fstat(file.number(), &facts) != 0 || fstatvfs(file.number(), &room) != 0) {
    return cannot("look at", options, errno);
  }
  const std::uint64_t held = static_cast<std::uint64_t>(facts.st_blocks) * unit_of_st_blocks;
  const std::uint64_t available = std::uint64_t{room.f_bavail} * room.f_frsize;
  int error = size > held && size - held > available ? ENOSPC : 0;
  if (error == 0) error = allocate(file.number(), 0, {base::ByteOffset(0), base::ByteCount(size)});
  if (error == 0) return std::nullopt;
  return fmt::format("cannot reserve {} bytes for {}: {}; {}", size, options.path,
                     error_text(error),
                     error == EOPNOTSUPP ? "its file system cannot reserve space: use thin=on"
                                         : "free some space, choose a smaller size or use thin=on");
}

Opened create(const FileOptions& options) {
  const std::string directory = directory_of(options.path);
  bool named = false;
  Descriptor file = create_unnamed_or_named(options, directory, named);
  if (!file.is_open()) return base::fail(cannot("create", options, errno));
  if (auto line = lock(file, options)) return base::fail(*line);
  const bool sized = ftruncate(file.number(), static_cast<off_t>(options.size.value)) == 0;
  if (auto line = sized ? take_room(file, options) : std::nullopt) {
    if (named) unlink(options.path.c_str());
    return base::fail(std::move(*line));
  }
  const bool waits = !options.transient;
  if (!sized || (waits && fsync(file.number()) != 0) ||
      (!named && !give_name(file, options.path)) || (waits && !sync_directory(directory))) {
    std::string line = cannot("create", options, errno);
    if (named) unlink(options.path.c_str());
    return base::fail(std::move(line));
  }
  return file;
}

// What O_DIRECT asks of offsets and memory; 1 for buffered stores.
std::uint32_t alignment_of(const Descriptor& file, const FileOptions& options, bool device) {
  if (!options.direct) return 1;
  int sector_bytes = 0;
  if (device && ioctl(file.number(), BLKSSZGET, &sector_bytes) == 0 && sector_bytes > 0) {
    return static_cast<std::uint32_t>(sector_bytes);
  }
  struct statx facts = {};
  if (statx(file.number(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) == 0 &&
      (facts.stx_mask & STATX_DIOALIGN) != 0 && facts.stx_dio_offset_align != 0) {
    return std::max(facts.stx_dio_offset_align, facts.stx_dio_mem_align);
  }
  return 4096;
}

FileOpened make_store(Descriptor file, const FileOptions& options, bool device) {
  base::ByteCount found = size_of(file);
  const std::vector<base::ByteCount>& since = options.sizes_since;
  const bool is_known = std::find(since.begin(), since.end(), found) != since.end();
  if (options.size.value != 0 && options.size != found && !is_known && !options.any_size) {
    return base::fail(
        fmt::format("{} has {} bytes but size= says {}; give the size it has, or none: a running "
                    "copymgrd resizes it with copymgr lun resize",
                    options.path, found.value, options.size.value));
  }
  if (device && !since.empty()) {
    if (since.front() > found) {
      return base::fail(
          fmt::format("{} has {} bytes, less than the {} that its unit was resized to",
                      options.path, found.value, since.front().value));
    }
    found = since.front();
  }
  const std::uint32_t alignment = alignment_of(file, options, device);
  if (alignment > options.block_length.bytes) {
    return base::fail(
        fmt::format("{} needs direct I/O in units of {} bytes; use blocksize={} or direct=off",
                    options.path, alignment, alignment));
  }
  const base::BlockCount blocks = options.block_length.whole_blocks(found);
  if (blocks.value == 0 && !options.any_size) {
    return base::fail(fmt::format("{} has {} bytes, less than one block of {}; give it a size",
                                  options.path, found.value, options.block_length.bytes));
  }
  return std::make_unique<FileStore>(
      std::move(file), options.block_length.to_bytes(blocks), alignment,
      fmt::format("{} {}", device ? "block device" : "file", options.path));
}

// An unnamed file in `directory`, by whichever of the two ways its file system knows.
Descriptor open_unnamed(const std::string& directory) {
  Descriptor file(open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, file_mode));
  if (file.is_open()) return file;
  std::string name = directory + "/.copymgr-side-XXXXXX";
  file = Descriptor(mkostemp(name.data(), O_CLOEXEC));
  if (file.is_open()) unlink(name.c_str());
  return file;
}

}  // namespace

FileOpened open_regular_file(const FileOptions& options) {
  Descriptor file(open(options.path.c_str(), open_flags(options)));
  if (!file.is_open() && errno == ENOENT && options.size.value != 0 && !options.read_only) {
    Opened created = create(options);
    if (!created) return base::fail(std::move(created.error()));
    return make_store(std::move(*created), options, false);
  }
  if (!file.is_open()) return base::fail(cannot("open", options, errno));
  struct stat facts = {};
  if (fstat(file.number(), &facts) != 0) return base::fail(cannot("look at", options, errno));
  if (!S_ISREG(facts.st_mode)) {
    return base::fail(
        fmt::format("{} is not a regular file; use {}", options.path,
                    S_ISBLK(facts.st_mode) ? "block:" + options.path : "the path of a file"));
  }
  if (auto line = lock(file, options)) return base::fail(*line);
  if (auto line = take_room(file, options)) return base::fail(*line);
  return make_store(std::move(file), options, false);
}

FileOpened open_block_device(const FileOptions& options) {
  struct stat facts = {};
  if (stat(options.path.c_str(), &facts) == 0 && !S_ISBLK(facts.st_mode)) {
    return base::fail(
        fmt::format("{} is not a block device; use file:{}", options.path, options.path));
  }
  // O_EXCL: on a block device it fails when the device is mounted, or open so a second time.
  const int exclusive = options.read_only ? 0 : O_EXCL;
  Descriptor file(open(options.path.c_str(), open_flags(options) | exclusive));
  if (!file.is_open()) return base::fail(cannot("open", options, errno));
  if (auto line = lock(file, options)) return base::fail(*line);
  return make_store(std::move(file), options, true);
}

FileOpened open_side_file(const std::string& beside, const std::string& directory,
                          base::ByteCount size) {
  Descriptor file;
  if (!beside.empty()) file = open_unnamed(directory_of(beside));
  if (!file.is_open()) file = open_unnamed(directory);
  if (!file.is_open() || ftruncate(file.number(), static_cast<off_t>(size.value)) != 0) {
    const std::string verb = fmt::format("make a side file of {} bytes as", size.value);
    return base::fail(cannot(verb, {.path = directory + "/(unnamed)"}, errno));
  }
  return std::make_unique<FileStore>(std::move(file), size, 1,
                                     fmt::format("side file in {}", directory));
}

}  // namespace store
