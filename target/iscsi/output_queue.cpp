#include "target/iscsi/output_queue.hpp"

#include <algorithm>

namespace iscsi {
namespace {
constexpr std::uint8_t padding[3] = {0, 0, 0};

// The three parts of a PDU as it is sent.
std::array<base::ByteView, 3> parts(const OutgoingPdu& pdu) {
  return {base::ByteView(pdu.header), pdu.data,
          base::ByteView(padding).first(pad_to_four(pdu.data.size()))};
}
}  // namespace

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
  bytes_ += pdu.size();
  at(count_++) = std::move(pdu);
}

void OutputQueue::grow() {
  std::vector<OutgoingPdu> larger(ring_.size() * 2);
  for (std::size_t i = 0; i < count_; ++i)
    larger[i] = std::move(at(i));
  ring_ = std::move(larger);
  head_ = 0;
}

std::size_t OutputQueue::gather(std::span<iovec> list) const {
  std::size_t used = 0;
  std::size_t skip = front_sent_;
  for (std::size_t i = 0; i < count_; ++i) {
    for (base::ByteView part : parts(at(i))) {
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
    at(0) = OutgoingPdu{};
    head_ = (head_ + 1) & (ring_.size() - 1);
    --count_;
  }
}

}  // namespace iscsi
