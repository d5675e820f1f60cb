#include "target/iscsi/output_queue.hpp"

#include <algorithm>

namespace iscsi {

std::array<base::ByteView, 4> OutputQueue::Entry::parts() const {
  return {base::ByteView(pdu.header), base::ByteView(header_digest).first(header_digest_bytes),
          pdu.data, base::ByteView(tail).first(tail_bytes)};
}

void OutputQueue::push(const Bhs& header, std::vector<std::uint8_t> bytes) {
  OutgoingPdu pdu;
  pdu.header = header;
  pdu.bytes = std::move(bytes);
  pdu.data = pdu.bytes;
  push(std::move(pdu));
}

void OutputQueue::push(OutgoingPdu pdu) {
  if (count_ == ring_.size()) grow();
  bhs::data_segment_length.write(pdu.header, pdu.data.size());
  Entry& entry = at(count_++);
  entry.pdu = std::move(pdu);
  entry.header_digest_bytes = 0;
  entry.tail_bytes = static_cast<std::uint8_t>(pad_to_four(entry.pdu.data.size()));
  entry.tail = {};
  if (digests_ != Digests{}) put_digests(entry);
  bytes_ += entry.size();
  if (observer_ != nullptr) observer_->queued({entry.pdu.header, {}, entry.pdu.data, digests_});
}

void OutputQueue::put_digests(Entry& entry) const {
  if (digests_.header) {
    base::Crc32c crc;
    crc.update(entry.pdu.header);
    entry.header_digest = crc.digest();
    entry.header_digest_bytes = base::crc32c_bytes;
  }
  if (digests_.data && !entry.pdu.data.empty()) {
    base::Crc32c crc;
    crc.update(entry.pdu.data);
    crc.update(base::ByteView(entry.tail).first(entry.tail_bytes));
    const auto digest = crc.digest();
    std::copy(digest.begin(), digest.end(), entry.tail.begin() + entry.tail_bytes);
    entry.tail_bytes += base::crc32c_bytes;
  }
}

void OutputQueue::grow() {
  std::vector<Entry> larger(ring_.size() * 2);
  for (std::size_t i = 0; i < count_; ++i)
    larger[i] = std::move(at(i));
  ring_ = std::move(larger);
  head_ = 0;
}

std::size_t OutputQueue::gather(std::span<iovec> list) const {
  std::size_t used = 0;
  std::size_t skip = front_sent_;
  for (std::size_t i = 0; i < count_; ++i) {
    for (base::ByteView part : at(i).parts()) {
      const std::size_t skipped = std::min(skip, part.size());
      skip -= skipped;
      part = part.subspan(skipped);
      if (part.empty()) continue;
      if (used == list.size()) return used;
      list[used++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
    }
  }
  return used;
}

void OutputQueue::consume(std::size_t sent) {
  bytes_ -= sent;
  front_sent_ += sent;
  while (count_ != 0 && front_sent_ >= at(0).size()) {
    front_sent_ -= at(0).size();
    at(0).pdu = OutgoingPdu{};
    head_ = (head_ + 1) & (ring_.size() - 1);
    --count_;
  }
}

}  // namespace iscsi
