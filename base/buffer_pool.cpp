#include "base/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace base {

Buffer::~Buffer() {
  if (data_ != nullptr) pool_->give_back(data_, size_class_);
}

BufferPool::~BufferPool() {
  for (auto& list : idle_) {
    for (std::uint8_t* data : list)
      std::free(data);
  }
}

Buffer BufferPool::take(std::size_t bytes) {
  Buffer out;
  if (bytes == 0) return out;
  const unsigned shift = std::max<unsigned>(smallest_shift, std::bit_width(bytes - 1));
  if (shift >= smallest_shift + size_classes) throw std::bad_alloc();
  const unsigned size_class = shift - smallest_shift;
  const std::size_t held = std::size_t{1} << shift;
  auto& list = idle_[size_class];
  if (list.empty()) {
    out.data_ = static_cast<std::uint8_t*>(std::aligned_alloc(4096, held));
    if (out.data_ == nullptr) throw std::bad_alloc();
  } else {
    out.data_ = list.back();
    list.pop_back();
    idle_bytes_ -= held;
    least_idle_bytes_ = std::min(least_idle_bytes_, idle_bytes_);
  }
  in_use_ += held;
  out.pool_ = this;
  out.size_ = bytes;
  out.size_class_ = size_class;
  return out;
}

void BufferPool::give_back(std::uint8_t* data, unsigned size_class) {
  const std::size_t held = std::size_t{1} << (size_class + smallest_shift);
  in_use_ -= held;
  if (idle_bytes_ + held > idle_bytes_max_) {
    std::free(data);
    return;
  }
  idle_[size_class].push_back(data);
  idle_bytes_ += held;
}

// Large buffers first: few of them go, and much is free again.
void BufferPool::trim() {
  std::size_t unneeded = least_idle_bytes_ - std::min(least_idle_bytes_, idle_bytes_kept);
  for (unsigned size_class = size_classes; size_class > 0; --size_class) {
    const std::size_t held = std::size_t{1} << (size_class - 1 + smallest_shift);
    auto& list = idle_[size_class - 1];
    while (!list.empty() && held <= unneeded) {
      std::free(list.back());
      list.pop_back();
      idle_bytes_ -= held;
      unneeded -= held;
    }
  }
  least_idle_bytes_ = idle_bytes_;
}

}  // namespace base
