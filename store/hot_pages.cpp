#include "store/hot_pages.hpp"

#include <algorithm>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/faults.hpp"
#include "store/mapped_copy.hpp"

namespace store {
namespace {

// A note in 64 bits, so that threads need no lock for it: part 22 (of 16 TiB), second 28, reads 14.
constexpr unsigned reads_bits = 14, second_bits = 28, part_bits = 22;
constexpr std::uint64_t reads_mask = (1u << reads_bits) - 1;
// In place of how many reads: what the kernel said of the part in that second.
constexpr std::uint64_t there = reads_mask;
constexpr std::uint64_t not_there = reads_mask - 1;

constexpr std::uint64_t note_without_reads(std::uint64_t part, std::uint32_t second) {
  const std::uint64_t cut = second & ((1u << second_bits) - 1);
  return (part << second_bits | cut) << reads_bits;
}

bool may_be_hot(base::Extent extent) {
  const std::uint64_t part = extent.offset.value / HotPages::part_bytes;
  return extent.length.value <= HotPages::read_bytes_max && part >> part_bits == 0 &&
         (extent.end().value - 1) / HotPages::part_bytes == part;
}

// mincore() lies about files that the process may not write: all of it is there.
bool tells_what_is_there(int file) {
  const int flags = fcntl(file, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) == O_RDWR;
}

// File systems whose mappings are the very pages that write() writes. Not so for all: some read
// past the page cache.
bool shows_what_is_written(int file) {
  struct stat facts {};
  if (fstat(file, &facts) != 0) return false;
  if (S_ISBLK(facts.st_mode)) return true;
  struct statfs file_system {};
  if (!S_ISREG(facts.st_mode) || fstatfs(file, &file_system) != 0) return false;
  constexpr std::array known{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, static_cast<int>(BTRFS_SUPER_MAGIC),
                             TMPFS_MAGIC};
  return std::any_of(known.begin(), known.end(),
                     [&](int magic) { return static_cast<int>(file_system.f_type) == magic; });
}

// Of a page behind the end of the file nothing but its first bytes is the file's.
bool is_whole(int file, std::uint64_t size) {
  struct stat facts {};
  if (fstat(file, &facts) != 0) return false;
  return S_ISBLK(facts.st_mode) || static_cast<std::uint64_t>(facts.st_size) >= size;
}

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

std::unique_ptr<HotPages> HotPages::of(int file) {
  if (!tells_what_is_there(file) || !shows_what_is_written(file)) return nullptr;
  catch_missing_pages();
  return std::make_unique<HotPages>(file);
}

bool HotPages::copy(base::ByteOffset at, base::ByteSpan into, std::uint32_t second) {
  const std::uint64_t part = at.value / part_bytes;
  if (!may_be_hot(extent_of(at, into))) return false;
  const std::uint64_t note = notes_[part % places].load(std::memory_order_relaxed);
  if (note != (note_without_reads(part, second) | there)) return false;
  const std::uint8_t* from = mapping_.load(std::memory_order_acquire);
  if (from == nullptr) return false;
  if (copy_mapped(from + at.value, into)) return true;
  given_up_ = true;
  return false;
}

void HotPages::note_read(base::Extent extent, std::uint64_t size, std::uint32_t second) {
  const std::uint64_t part = extent.offset.value / part_bytes;
  if (!may_be_hot(extent)) return;
  std::atomic<std::uint64_t>& place = notes_[part % places];
  const std::uint64_t fresh = note_without_reads(part, second);
  const std::uint64_t note = place.load(std::memory_order_relaxed);
  const std::uint64_t reads = (note & ~reads_mask) == fresh ? note & reads_mask : 0;
  if (reads < reads_min) {
    place.store(fresh | (reads + 1), std::memory_order_relaxed);
  } else if (reads == reads_min) {
    place.store(fresh | (is_there(part, size) ? there : not_there), std::memory_order_relaxed);
  }
}

bool HotPages::is_there(std::uint64_t part, std::uint64_t size) {
  const std::uint8_t* mapping = given_up_ ? nullptr : mapping_of(size);
  if (mapping == nullptr || !is_whole(file_, size)) return false;
  const std::uint64_t begin = part * part_bytes;
  const std::uint64_t bytes = std::min(part_bytes, size - begin);
  constexpr std::size_t page_bytes_min = 4096;
  std::array<unsigned char, part_bytes / page_bytes_min> pages;
  const std::size_t count = (bytes + page_bytes() - 1) / page_bytes();
  if (mincore(const_cast<std::uint8_t*>(mapping) + begin, bytes, pages.data()) != 0) return false;
  return std::all_of(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(count),
                     [](unsigned char page) { return (page & 1u) != 0; });
}

const std::uint8_t* HotPages::mapping_of(std::uint64_t size) {
  if (std::uint8_t* known = mapping_.load(std::memory_order_acquire)) return known;
  const std::scoped_lock one_at_a_time(mapping_it_);
  if (std::uint8_t* known = mapping_.load(std::memory_order_acquire)) return known;
  void* made = mmap(nullptr, size, PROT_READ, MAP_SHARED, file_, 0);
  if (made == MAP_FAILED) {
    given_up_ = true;
    return nullptr;
  }
  madvise(made, size, MADV_DONTDUMP);
  mapped_bytes_ = size;
  mapping_.store(static_cast<std::uint8_t*>(made), std::memory_order_release);
  return static_cast<const std::uint8_t*>(made);
}

void HotPages::let_go(base::Extent extent) {
  std::uint8_t* mapping = mapping_.load(std::memory_order_acquire);
  if (mapping == nullptr || extent.empty() || extent.end().value > mapped_bytes_) return;
  const std::uint64_t begin = extent.offset.value / part_bytes;
  const std::uint64_t end = (extent.end().value + part_bytes - 1) / part_bytes;
  for (std::uint64_t part = begin; part < end && part < begin + places; ++part)
    notes_[part % places] = 0;
  const std::uint64_t first_page = extent.offset.value / page_bytes() * page_bytes();
  madvise(mapping + first_page, extent.end().value - first_page, MADV_DONTNEED);
}

void HotPages::forget() {
  if (std::uint8_t* known = mapping_.exchange(nullptr)) munmap(known, mapped_bytes_);
  for (auto& note : notes_)
    note = 0;
}

}  // namespace store
