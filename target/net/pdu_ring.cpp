#include "target/net/pdu_ring.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace net {
namespace {

// Only one thread writes: no read-modify-write instruction is needed.
void count(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

void PduRing::write(base::ByteView bytes) {
  const std::size_t at = end_ % bytes_.size();
  const std::size_t first = std::min(bytes.size(), bytes_.size() - at);
  std::copy_n(bytes.begin(), first, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end(), bytes_.begin());
  end_ += bytes.size();
}

void PduRing::read(std::uint64_t from, base::ByteSpan into) const {
  const std::size_t at = from % bytes_.size();
  const std::size_t first = std::min(into.size(), bytes_.size() - at);
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), first, into.begin());
  std::copy_n(bytes_.begin(), into.size() - first,
              into.begin() + static_cast<std::ptrdiff_t>(first));
}

PduRing::Head PduRing::head_at(std::uint64_t at) const {
  static_assert(std::is_trivially_copyable_v<Head>);
  std::array<std::uint8_t, sizeof(Head)> raw{};
  read(at, raw);
  Head out;
  std::memcpy(static_cast<void*>(&out), raw.data(), sizeof out);
  return out;
}

void PduRing::make_room(std::size_t bytes) {
  while (end_ - begin_ + bytes > bytes_.size()) {
    begin_ += head_at(begin_).size();
    count(lost_);
  }
}

void PduRing::put(const PduPlace& place, const iscsi::SeenPdu& pdu, std::size_t data_bytes) {
  count(seen_);
  Head head{clock_.since_1970().count(), place, pdu.digests, pdu.data_intact, pdu.header, 0, 0};
  const base::ByteView data = pdu.data.first(std::min(pdu.data.size(), data_bytes));
  head.additional_bytes = static_cast<std::uint32_t>(pdu.additional.size());
  head.data_bytes = static_cast<std::uint32_t>(data.size());
  if (head.size() > bytes_.size()) return count(lost_);
  make_room(head.size());
  write({reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
  write(pdu.additional);
  write(data);
}

std::vector<TracedPdu> PduRing::all() const {
  std::vector<TracedPdu> out;
  for (std::uint64_t at = begin_; at != end_;) {
    const Head head = head_at(at);
    TracedPdu pdu{base::Duration(head.nanoseconds_since_1970),
                  head.place,
                  head.digests,
                  head.data_intact,
                  head.header,
                  std::vector<std::uint8_t>(head.additional_bytes),
                  std::vector<std::uint8_t>(head.data_bytes)};
    read(at + sizeof head, pdu.additional);
    read(at + sizeof head + head.additional_bytes, pdu.data);
    at += head.size();
    out.push_back(std::move(pdu));
  }
  return out;
}

}  // namespace net
