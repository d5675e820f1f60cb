// Small reads of the parts of a file that are read often and lie in the page cache, by a mapping
// instead of a system call each (docs/adr/0012). A read of what may not be there, or cannot be
// read, is refused; the caller then asks the kernel, which waits or says what is wrong.
//
// A part counts as there for the rest of the second in which the kernel said so. Whoever copies
// holds off what changes the same bytes, and resizing, as the store's region locks do. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/bytes.hpp"
#include "base/extent.hpp"

namespace store {

class HotPages {
 public:
  static constexpr std::uint64_t part_bytes = 4u << 20;
  static constexpr std::size_t read_bytes_max = 64u << 10;
  // Reads of a part within one second from which on it counts as hot.
  static constexpr std::uint32_t reads_min = 64;

  // nullptr where a mapping of the file need not show what was written to it, or where the kernel
  // does not tell which pages are there.
  static std::unique_ptr<HotPages> of(int file);
  explicit HotPages(int file) : file_(file) {}
  ~HotPages() { forget(); }
  HotPages(const HotPages&) = delete;
  HotPages& operator=(const HotPages&) = delete;

  // False: nothing was read.
  bool copy(base::ByteOffset at, base::ByteSpan into, std::uint32_t second);
  // The kernel has just read this from the page cache, of a file of `size` bytes. `second`: any
  // clock's, the same as for copy().
  void note_read(base::Extent extent, std::uint64_t size, std::uint32_t second);
  // The extent counts as cold and is unmapped, so that the page cache can let it go. Like copy(),
  // not while forget() is under way.
  void let_go(base::Extent extent);
  // The file's size changes: what is known of it is forgotten. Nothing else may be under way.
  void forget();

 private:
  bool is_there(std::uint64_t part, std::uint64_t size);
  const std::uint8_t* mapping_of(std::uint64_t size);

  static constexpr std::size_t places = 512;
  const int file_;
  std::atomic<std::uint8_t*> mapping_{nullptr};  // of all the file, once a part of it is hot
  std::mutex mapping_it_;
  std::uint64_t mapped_bytes_ = 0;  // written before mapping_ is
  std::atomic<bool> given_up_{false};
  // For the parts that share a place: which of them was read last, in which second, and how often.
  std::array<std::atomic<std::uint64_t>, places> notes_{};
};

}  // namespace store
