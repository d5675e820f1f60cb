// Anonymous memory, mapped without reserving it.
#include "store/memory_store.hpp"

#include <algorithm>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <sys/mman.h>

#include "store/faults.hpp"

namespace store {

base::Result<std::unique_ptr<MemoryStore>, std::string> MemoryStore::open(base::ByteCount size) {
  void* const bytes = mmap(nullptr, size.value, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) {
    return base::fail(
        fmt::format("memory store: cannot reserve {} bytes: {}; choose a smaller size", size.value,
                    std::generic_category().message(errno)));
  }
  return std::unique_ptr<MemoryStore>(new MemoryStore(static_cast<std::uint8_t*>(bytes), size));
}

MemoryStore::MemoryStore(std::uint8_t* bytes, base::ByteCount size)
    : bytes_(bytes), size_(size.value), written_((size.value + page_bytes - 1) / page_bytes) {}

MemoryStore::~MemoryStore() {
  munmap(bytes_, size_);
}

// The kernel moves the pages, not their bytes. The rest of the last page stays when it shrinks.
StoreResult<> MemoryStore::resize(base::ByteCount size) {
  const ChunkRange pages = pages_touched({base::ByteOffset(0), size});
  if (!written_.grow(pages.end)) return fault(StoreError::Kind::no_space, ENOMEM);
  void* const moved = mremap(bytes_, size_, size.value, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return system_fault(StoreError::Kind::no_space, errno);
  bytes_ = static_cast<std::uint8_t*>(moved);
  if (size.value < size_) {
    std::memset(bytes_ + size.value, 0, pages.end * page_bytes - size.value);
    written_.clear({pages.end, pages_touched({base::ByteOffset(0), this->size()}).end});
  }
  size_ = size.value;
  return {};
}

std::string MemoryStore::describe() const {
  return fmt::format("memory of {} bytes", size().value);
}

StoreResult<> MemoryStore::read(base::ByteOffset at, base::ByteSpan into) {
  if (!lies_within(extent_of(at, into), size())) return fault(StoreError::Kind::out_of_range);
  if (!into.empty()) std::memcpy(into.data(), bytes_ + at.value, into.size());
  return {};
}

StoreResult<> MemoryStore::write(base::ByteOffset at, base::ByteView from, Durability) {
  if (!lies_within(extent_of(at, from), size())) return fault(StoreError::Kind::out_of_range);
  // Looked at first: most pages are written again and again, and a look costs no bus traffic.
  const ChunkRange pages = pages_touched(extent_of(at, from));
  if (written_.next_clear(pages) < pages.end) written_.set(pages);
  // `from` may be bytes this store has lent.
  if (!from.empty()) std::memmove(bytes_ + at.value, from.data(), from.size());
  return {};
}

StoreResult<> MemoryStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size())) return fault(StoreError::Kind::out_of_range);
  const std::uint64_t begin = extent.offset.value;
  const std::uint64_t end = extent.end().value;
  const std::uint64_t first_page = (begin + page_bytes - 1) / page_bytes * page_bytes;
  const std::uint64_t last_page = end / page_bytes * page_bytes;
  if (first_page >= last_page ||
      madvise(bytes_ + first_page, last_page - first_page, MADV_DONTNEED) != 0) {
    std::memset(bytes_ + begin, 0, end - begin);
    return {};
  }
  std::memset(bytes_ + begin, 0, first_page - begin);
  std::memset(bytes_ + last_page, 0, end - last_page);
  written_.clear({first_page / page_bytes, last_page / page_bytes});
  return {};
}

ChunkRange MemoryStore::pages_touched(base::Extent extent) {
  if (extent.empty()) return {};
  return {extent.offset.value / page_bytes, (extent.end().value + page_bytes - 1) / page_bytes};
}

Store::Run MemoryStore::first_run(base::Extent extent) {
  const ChunkRange pages = pages_touched(extent);
  const bool hole = written_.next_set({pages.first, pages.first + 1}) != pages.first;
  const std::uint64_t change = hole ? written_.next_set(pages) : written_.next_clear(pages);
  const std::uint64_t end = std::min(extent.end().value, change * page_bytes);
  return {base::ByteCount(end - extent.offset.value), hole};
}

Store::Usage MemoryStore::usage() {
  const base::ByteCount all_bytes = size();
  const ChunkRange all = pages_touched({base::ByteOffset(0), all_bytes});
  std::uint64_t used = 0;
  for (std::uint64_t at = written_.next_set(all); at < all.end;) {
    const std::uint64_t end = written_.next_clear({at, all.end});
    used += end - at;
    at = written_.next_set({end, all.end});
  }
  const base::ByteCount bytes(std::min(used * page_bytes, all_bytes.value));
  return {bytes, all_bytes - bytes, false};
}

StoreResult<> MemoryStore::try_read(base::ByteOffset at, base::ByteSpan into) {
  return read(at, into);
}

StoreResult<> MemoryStore::try_write(base::ByteOffset at, base::ByteView from) {
  return write(at, from, Durability::cached);
}

std::optional<base::ByteView> MemoryStore::lend(base::Extent extent) {
  if (!lies_within(extent, size())) return std::nullopt;
  return base::ByteView(bytes_ + extent.offset.value, extent.length.value);
}

}  // namespace store
