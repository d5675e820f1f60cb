// Memory for data on its way: page-aligned buffers that return to the pool of the worker that took
// them. A pool and its buffers belong to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.hpp"

namespace base {

class BufferPool;

// Owns its bytes until it is destroyed; empty when default-made or moved from. Contents start
// undefined.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Buffer();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteSpan span() { return {data_, size_}; }
  ByteView view() const { return {data_, size_}; }

 private:
  friend class BufferPool;
  void swap(Buffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(size_class_, other.size_class_);
  }

  BufferPool* pool_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  unsigned size_class_ = 0;
};

class BufferPool {
 public:
  // Idle memory beyond `idle_bytes_max` goes back to the system.
  explicit BufferPool(std::size_t idle_bytes_max = 64u << 20) : idle_bytes_max_(idle_bytes_max) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // `bytes` up to 16 MiB; 0 gives an empty buffer. Throws std::bad_alloc.
  Buffer take(std::size_t bytes);
  std::size_t bytes_in_use() const { return in_use_; }
  std::size_t bytes_idle() const { return idle_bytes_; }
  // Gives back to the system what nobody has needed since the last call, but for a little. Call it
  // every second or so.
  void trim();

 private:
  friend class Buffer;
  static constexpr unsigned smallest_shift = 12;
  static constexpr unsigned size_classes = 13;  // 4 KiB .. 16 MiB
  static constexpr std::size_t idle_bytes_kept = 4u << 20;
  void give_back(std::uint8_t* data, unsigned size_class);

  std::array<std::vector<std::uint8_t*>, size_classes> idle_;
  std::size_t idle_bytes_ = 0;
  std::size_t least_idle_bytes_ = 0;  // since the last trim()
  std::size_t idle_bytes_max_;
  std::size_t in_use_ = 0;
};

}  // namespace base
