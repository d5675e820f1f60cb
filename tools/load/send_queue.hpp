// PDUs on their way to a socket, many with one system call. It copies headers and refers to data,
// which stays as it is until it is sent. Its memory is taken once.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"

namespace load {

class SendQueue {
 public:
  // For `capacity` PDUs that are not sent yet, at least.
  SendQueue(std::size_t capacity, iscsi::Digests digests);

  bool full() const { return count_ == ring_.size(); }
  bool empty() const { return count_ == 0; }
  // The header tells the data's length; the queue is not full.
  void push(const iscsi::Bhs& header, base::ByteView data);

  enum class Flushed : std::uint8_t { all, blocked, lost };
  // Sends what the socket takes. `lost`: the connection is gone.
  Flushed flush(int descriptor);

 private:
  struct Entry {
    std::array<std::uint8_t, iscsi::bhs_bytes + base::crc32c_bytes> head;
    std::array<std::uint8_t, 4 + base::crc32c_bytes> tail;  // padding and digest
    std::uint8_t head_bytes, tail_bytes;
    base::ByteView data;
  };
  std::size_t bytes_of(const Entry& entry) const {
    return entry.head_bytes + entry.data.size() + entry.tail_bytes;
  }
  void consume(std::size_t bytes);

  std::vector<Entry> ring_;
  std::size_t first_ = 0, count_ = 0;
  std::size_t sent_of_first_ = 0;
  iscsi::Digests digests_;
};

}  // namespace load
