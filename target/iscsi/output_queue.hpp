// PDUs on their way out, as a gather list: headers and small data here, large data where it lies.
// Bytes are handed out in order and dropped once sent.
#pragma once

#include <array>
#include <span>
#include <vector>

#include <sys/uio.h>

#include "base/buffer_pool.hpp"
#include "base/crc32c.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"
#include "target/iscsi/pdu_observer.hpp"

namespace iscsi {

// One PDU. `data` points into `buffer`, `bytes`, or memory that outlives the queue (a store's own);
// with data digests it must not change until it is sent.
struct OutgoingPdu {
  Bhs header{};
  base::ByteView data;
  base::Buffer buffer;
  std::vector<std::uint8_t> bytes;
};

class OutputQueue {
 public:
  // Of the PDUs pushed from now on.
  void put(Digests digests) { digests_ = digests; }
  // Sees every PDU that is pushed from now on; null: nobody.
  void observe(PduObserver* observer) { observer_ = observer; }
  // The DataSegmentLength and the digests are filled in here.
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
  // A PDU with what surrounds its data on the wire.
  struct Entry {
    OutgoingPdu pdu;
    std::array<std::uint8_t, base::crc32c_bytes> header_digest{};
    std::uint8_t header_digest_bytes = 0;
    std::uint8_t tail_bytes = 0;
    std::array<std::uint8_t, 3 + base::crc32c_bytes> tail{};  // padding, data digest

    std::array<base::ByteView, 4> parts() const;
    std::size_t size() const {
      return bhs_bytes + header_digest_bytes + pdu.data.size() + tail_bytes;
    }
  };
  Entry& at(std::size_t index) { return ring_[(head_ + index) & (ring_.size() - 1)]; }
  const Entry& at(std::size_t index) const { return ring_[(head_ + index) & (ring_.size() - 1)]; }
  void put_digests(Entry& entry) const;
  void grow();

  Digests digests_;
  PduObserver* observer_ = nullptr;
  std::vector<Entry> ring_ = std::vector<Entry>(8);  // a power of two
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::size_t front_sent_ = 0;  // bytes of the first PDU that are already gone
};

}  // namespace iscsi
