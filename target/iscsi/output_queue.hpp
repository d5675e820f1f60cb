// PDUs on their way out, as a gather list: headers and small data here, large data where it lies.
// Bytes are handed out in order and dropped once sent.
#pragma once

#include <span>
#include <vector>

#include <sys/uio.h>

#include "base/buffer_pool.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

// One PDU. `data` points into `buffer`, `bytes`, or memory that outlives the queue (a store's own).
struct OutgoingPdu {
  Bhs header{};
  base::ByteView data;
  base::Buffer buffer;
  std::vector<std::uint8_t> bytes;

  std::size_t size() const { return bhs_bytes + data.size() + pad_to_four(data.size()); }
};

class OutputQueue {
 public:
  // The DataSegmentLength is filled in here.
  void push(const Bhs& header) { push(OutgoingPdu{header, {}, {}, {}}); }
  void push(const Bhs& header, std::vector<std::uint8_t> bytes);
  void push(OutgoingPdu pdu);

  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return bytes_; }
  // Fills `list` from the front; returns how many entries. Valid until the queue changes.
  std::size_t gather(std::span<iovec> list) const;
  // `sent` bytes from the front are gone.
  void consume(std::size_t sent);

 private:
  OutgoingPdu& at(std::size_t index) { return ring_[(head_ + index) & (ring_.size() - 1)]; }
  const OutgoingPdu& at(std::size_t index) const {
    return ring_[(head_ + index) & (ring_.size() - 1)];
  }
  void grow();

  std::vector<OutgoingPdu> ring_ = std::vector<OutgoingPdu>(64);  // a power of two
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::size_t front_sent_ = 0;  // bytes of the first PDU that are already gone
};

}  // namespace iscsi
