// The calls behind FileStore: preadv2, pwritev2, fdatasync, fallocate, each as often as it takes.
#include "store/file_store.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/allocation.hpp"
#include "store/faults.hpp"
#include "store/ring.hpp"

namespace store {
namespace {

// Up to here a write into the page cache, or a read of what is always there, costs less than
// handing it to another thread, where several would also spin on the file's one write lock: a 1 GiB
// host copy in 512 KiB writes took 1.2 instead of 1.7 to 4.9 CPU seconds (tools/demo, 2 cores,
// ext4).
constexpr std::size_t inline_bytes_max = 1024 * 1024;
constexpr std::size_t bounce_bytes = 1024 * 1024;
constexpr std::uint64_t hole_granularity = 4096;
constexpr std::size_t bounce_alignment = 4096;

alignas(bounce_alignment) std::array<std::uint8_t, bounce_bytes> zeros;  // never written

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Bounce = std::unique_ptr<std::uint8_t, Free>;

Bounce make_bounce() {
  return Bounce(static_cast<std::uint8_t*>(std::aligned_alloc(bounce_alignment, bounce_bytes)));
}

// One preadv2 or pwritev2 of one buffer, again when a signal came between.
ssize_t read_some(int file, std::uint64_t at, base::ByteSpan into, int flags) {
  const iovec piece{into.data(), into.size()};
  ssize_t got = 0;
  do {
    got = preadv2(file, &piece, 1, static_cast<off_t>(at), flags);
  } while (got < 0 && errno == EINTR);
  return got;
}

ssize_t write_some(int file, std::uint64_t at, base::ByteView from, int flags) {
  const iovec piece{const_cast<std::uint8_t*>(from.data()), from.size()};
  ssize_t put = 0;
  do {
    put = pwritev2(file, &piece, 1, static_cast<off_t>(at), flags);
  } while (put < 0 && errno == EINTR);
  return put;
}

// Costs less than asking for the exact time.
std::uint32_t coarse_second() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

}  // namespace

bool FileStore::lives_in_memory(const Descriptor& file) {
  struct statfs facts {};
  return fstatfs(file.number(), &facts) == 0 &&
         (facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC);
}

// Direct I/O goes to the caller's memory itself, which a network buffer's alignment rarely suits.
bool FileStore::needs_bounce(const void* memory) const {
  return direct() && reinterpret_cast<std::uintptr_t>(memory) % alignment_bytes_ != 0;
}

StoreResult<> FileStore::read(base::ByteOffset at, base::ByteSpan into) {
  if (!lies_within(extent_of(at, into), size())) return fault(StoreError::Kind::out_of_range);
  if (needs_bounce(into.data())) return read_through_bounce(at, into);
  while (!into.empty()) {
    const ssize_t got = read_some(file_.number(), at.value, into, 0);
    if (got < 0) return system_fault(StoreError::Kind::read_failed, errno);
    // Someone cut the file short under us.
    if (got == 0) return fault(StoreError::Kind::read_failed, EIO);
    at += base::ByteCount(static_cast<std::uint64_t>(got));
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

StoreResult<> FileStore::read_through_bounce(base::ByteOffset at, base::ByteSpan into) {
  const Bounce bounce = make_bounce();
  while (!into.empty()) {
    const std::size_t length = std::min(into.size(), bounce_bytes);
    const base::ByteSpan piece(bounce.get(), length);
    if (auto result = read(at, piece); !result) return result;
    std::copy(piece.begin(), piece.end(), into.begin());
    at += base::ByteCount(length);
    into = into.subspan(length);
  }
  return {};
}

StoreResult<> FileStore::resize(base::ByteCount size) {
  struct stat facts {};
  if (fstat(file_.number(), &facts) != 0) return fault(StoreError::Kind::not_supported, errno);
  if (S_ISREG(facts.st_mode)) {
    // A part of a block behind the last one is no data of the store: it must not become some.
    const auto resize_file = [this](std::uint64_t bytes) {
      return ftruncate(file_.number(), static_cast<off_t>(bytes)) == 0;
    };
    const bool has_rest = size.value > size_ && static_cast<std::uint64_t>(facts.st_size) > size_;
    if ((has_rest && !resize_file(size_)) || !resize_file(size.value)) {
      return system_fault(StoreError::Kind::not_supported, errno);
    }
  } else {
    const off_t end = lseek(file_.number(), 0, SEEK_END);
    if (end < 0 || static_cast<std::uint64_t>(end) < size.value) {
      return fault(StoreError::Kind::no_space, ENOSPC);
    }
  }
  if (hot_pages_ != nullptr) hot_pages_->forget();
  size_ = size.value;
  return {};
}

StoreResult<> FileStore::write(base::ByteOffset at, base::ByteView from, Durability durability) {
  if (!lies_within(extent_of(at, from), size())) return fault(StoreError::Kind::out_of_range);
  return durability == Durability::durable ? write_durably(at, from) : write_with(at, from, 0);
}

StoreResult<> FileStore::write_with(base::ByteOffset at, base::ByteView from, int flags) {
  if (needs_bounce(from.data())) return write_through_bounce(at, from, flags);
  while (!from.empty()) {
    const ssize_t put = write_some(file_.number(), at.value, from, flags);
    if (put < 0) return system_fault(StoreError::Kind::write_failed, errno);
    if (put == 0) return fault(StoreError::Kind::write_failed, EIO);
    at += base::ByteCount(static_cast<std::uint64_t>(put));
    from = from.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

StoreResult<> FileStore::write_through_bounce(base::ByteOffset at, base::ByteView from, int flags) {
  const Bounce bounce = make_bounce();
  while (!from.empty()) {
    const std::size_t length = std::min(from.size(), bounce_bytes);
    std::copy_n(from.begin(), length, bounce.get());
    if (auto result = write_with(at, {bounce.get(), length}, flags); !result) return result;
    at += base::ByteCount(length);
    from = from.subspan(length);
  }
  return {};
}

StoreResult<> FileStore::write_durably(base::ByteOffset at, base::ByteView from) {
  if (const int error = flush_error_.load()) return fail_for_good(error);
  if (dsync_writes_.load(std::memory_order_relaxed)) {
    const StoreResult<> result = write_with(at, from, RWF_DSYNC);
    if (result || result.error().system_error == EINVAL) return result;
    if (result.error().system_error != EOPNOTSUPP) {
      // Was it the write, which is told and done, or the flush, which may have lost earlier writes
      // too?
      if (const StoreResult<> again = write_with(at, from, 0); !again) return again;
      return fail_for_good(result.error().system_error);
    }
    dsync_writes_ = false;
  }
  if (auto result = write_with(at, from, 0); !result) return result;
  return flush();
}

StoreResult<> FileStore::flush() {
  if (const int error = flush_error_.load()) return fail_for_good(error);
  while (fdatasync(file_.number()) != 0) {
    if (errno != EINTR) return fail_for_good(errno);
  }
  return {};
}

// When a flush fails the kernel marks the pages it could not write clean and tells only once: a
// second fdatasync would succeed with the data gone. So the first failure is remembered until the
// file is opened anew, and the host keeps hearing that its cached writes are not safe.
StoreResult<> FileStore::fail_for_good(int system_error) {
  flush_error_ = system_error;
  return system_fault(StoreError::Kind::write_failed, system_error);
}

StoreResult<> FileStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  if (extent.empty()) return {};
  // A file system in memory would give a hole that is read by the mapping room of its own.
  if (hot_pages_ != nullptr && in_memory_) hot_pages_->let_go(extent);
  for (const int mode :
       {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE}) {
    if (allocate(file_.number(), mode, extent) == 0) return {};
  }
  return write_zero_bytes(extent);
}

StoreResult<> FileStore::write_zero_bytes(base::Extent extent) {
  while (!extent.empty()) {
    const std::size_t length = std::min<std::uint64_t>(extent.length.value, zeros.size());
    const base::ByteView piece(zeros.data(), length);
    if (auto result = write_with(extent.offset, piece, 0); !result) return result;
    extent.offset += base::ByteCount(length);
    extent.length -= base::ByteCount(length);
  }
  return {};
}

StoreResult<> FileStore::try_read(base::ByteOffset at, base::ByteSpan into) {
  if (!lies_within(extent_of(at, into), size())) return fault(StoreError::Kind::out_of_range);
  if (into.empty()) return {};
  if (direct()) return fault(StoreError::Kind::would_block);
  const std::uint32_t second = hot_pages_ == nullptr ? 0 : coarse_second();
  if (hot_pages_ != nullptr && hot_pages_->copy(at, into, second)) return {};
  // tmpfs has no RWF_NOWAIT, and nothing to wait for.
  const bool inline_anyway = in_memory_ && into.size() <= inline_bytes_max;
  if (!inline_anyway && !nowait_reads_.load(std::memory_order_relaxed)) {
    return fault(StoreError::Kind::would_block);
  }
  const ssize_t got = read_some(file_.number(), at.value, into, inline_anyway ? 0 : RWF_NOWAIT);
  if (got == static_cast<ssize_t>(into.size())) {
    if (hot_pages_ != nullptr) hot_pages_->note_read(extent_of(at, into), size_, second);
    return {};
  }
  if (got < 0 && errno == EOPNOTSUPP) nowait_reads_ = false;
  // Whatever else went wrong, the blocking form will find it again and say so.
  return fault(StoreError::Kind::would_block);
}

bool FileStore::start_read(Ring& ring, base::ByteOffset at, base::ByteSpan into, Done& done) {
  if (!lies_within(extent_of(at, into), size()) || needs_bounce(into.data()) || !ring.has_room()) {
    return false;
  }
  ring.read(file_.number(), at, into,
            [bytes = into.size(), done = std::move(done)](std::int64_t got) mutable {
              // Whatever went wrong, a short read too, the blocking form will find again.
              const bool all = got == static_cast<std::int64_t>(bytes);
              done(all ? StoreResult<>{} : fault(StoreError::Kind::would_block));
            });
  return true;
}

StoreResult<> FileStore::try_write(base::ByteOffset at, base::ByteView from) {
  if (!lies_within(extent_of(at, from), size())) return fault(StoreError::Kind::out_of_range);
  if (from.empty()) return {};
  if (direct()) return fault(StoreError::Kind::would_block);
  if (nowait_writes_.load(std::memory_order_relaxed)) {
    const ssize_t put = write_some(file_.number(), at.value, from, RWF_NOWAIT);
    if (put == static_cast<ssize_t>(from.size())) return {};
    if (put >= 0 || errno != EOPNOTSUPP) return fault(StoreError::Kind::would_block);
    nowait_writes_ = false;
  }
  // ext4 has no RWF_NOWAIT for buffered writes; a short one fills the page cache and returns.
  if (from.size() > inline_bytes_max) return fault(StoreError::Kind::would_block);
  return write_with(at, from, 0);
}

void FileStore::forget_cached(base::Extent extent) {
  if (hot_pages_ != nullptr) hot_pages_->let_go(extent);
  // Of a page that is named in part nothing would leave.
  constexpr std::uint64_t page = 4096;
  const std::uint64_t begin = extent.offset.value / page * page;
  const std::uint64_t end = (extent.end().value + page - 1) / page * page;
  posix_fadvise(file_.number(), static_cast<off_t>(begin), static_cast<off_t>(end - begin),
                POSIX_FADV_DONTNEED);
}

void FileStore::read_ahead(base::Extent extent) {
  posix_fadvise(file_.number(), static_cast<off_t>(extent.offset.value),
                static_cast<off_t>(extent.length.value), POSIX_FADV_WILLNEED);
}

// A file system tells how much of a file it holds, and how much room it has for all of them.
Store::Usage FileStore::usage() {
  constexpr std::uint64_t unit_of_st_blocks = 512;
  struct stat facts {};
  struct statvfs room {};
  if (fstat(file_.number(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      fstatvfs(file_.number(), &room) != 0) {
    return Store::usage();
  }
  // Extents beyond what is mapped for data (of the file system's own) can make it more than all.
  const std::uint64_t held = static_cast<std::uint64_t>(facts.st_blocks) * unit_of_st_blocks;
  return {base::ByteCount(std::min(held, size_.load())),
          base::ByteCount(std::uint64_t{room.f_bavail} * room.f_frsize), true};
}

bool FileStore::is_hole(base::Extent extent) {
  const off_t data = lseek(file_.number(), static_cast<off_t>(extent.offset.value), SEEK_DATA);
  return data < 0 ? errno == ENXIO : static_cast<std::uint64_t>(data) >= extent.end().value;
}

Store::Run FileStore::first_run(base::Extent extent) {
  const std::uint64_t begin = extent.offset.value;
  const std::uint64_t end = extent.end().value;
  const off_t data = lseek(file_.number(), static_cast<off_t>(begin), SEEK_DATA);
  // ENXIO: nothing but hole up to the end of the file. Anything else: it cannot tell.
  if (data < 0) return {extent.length, errno == ENXIO};
  const auto data_at = static_cast<std::uint64_t>(data);
  // Rounded inwards, so that what is left can still be read and written with direct I/O.
  const std::uint64_t hole_end = std::min(end, data_at / hole_granularity * hole_granularity);
  if (hole_end > begin) return {base::ByteCount(hole_end - begin), true};
  const off_t hole = lseek(file_.number(), data, SEEK_HOLE);
  if (hole < 0) return {extent.length, false};
  const std::uint64_t hole_at = static_cast<std::uint64_t>(hole) + hole_granularity - 1;
  const std::uint64_t data_end = hole_at / hole_granularity * hole_granularity;
  return {base::ByteCount(std::min(end, std::max(data_end, begin + 1)) - begin), false};
}

}  // namespace store
