// Anonymous memory, mapped without reserving it.
#include "store/memory_store.hpp"

#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

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

MemoryStore::~MemoryStore() {
  munmap(bytes_, size_.value);
}

std::string MemoryStore::describe() const {
  return fmt::format("memory of {} bytes", size_.value);
}

StoreResult<> MemoryStore::read(base::ByteOffset at, base::ByteSpan into) {
  if (!lies_within(extent_of(at, into), size_)) return fault(StoreError::Kind::out_of_range);
  if (!into.empty()) std::memcpy(into.data(), bytes_ + at.value, into.size());
  return {};
}

StoreResult<> MemoryStore::write(base::ByteOffset at, base::ByteView from, Durability) {
  if (!lies_within(extent_of(at, from), size_)) return fault(StoreError::Kind::out_of_range);
  // `from` may be bytes this store has lent.
  if (!from.empty()) std::memmove(bytes_ + at.value, from.data(), from.size());
  return {};
}

StoreResult<> MemoryStore::write_zeros(base::Extent extent) {
  if (!lies_within(extent, size_)) return fault(StoreError::Kind::out_of_range);
  static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t begin = extent.offset.value;
  const std::uint64_t end = extent.end().value;
  const std::uint64_t first_page = (begin + page - 1) / page * page;
  const std::uint64_t last_page = end / page * page;
  if (first_page >= last_page ||
      madvise(bytes_ + first_page, last_page - first_page, MADV_DONTNEED) != 0) {
    std::memset(bytes_ + begin, 0, end - begin);
    return {};
  }
  std::memset(bytes_ + begin, 0, first_page - begin);
  std::memset(bytes_ + last_page, 0, end - last_page);
  return {};
}

StoreResult<> MemoryStore::try_read(base::ByteOffset at, base::ByteSpan into) {
  return read(at, into);
}

StoreResult<> MemoryStore::try_write(base::ByteOffset at, base::ByteView from) {
  return write(at, from, Durability::cached);
}

std::optional<base::ByteView> MemoryStore::lend(base::Extent extent) {
  if (!lies_within(extent, size_)) return std::nullopt;
  return base::ByteView(bytes_ + extent.offset.value, extent.length.value);
}

}  // namespace store
