#include "tools/load/send_queue.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace load {
namespace {

// One gather list: entries whose first `skip` bytes are sent already.
struct Gather {
  static constexpr std::size_t vectors_max = 256;
  std::array<iovec, vectors_max> list;
  std::size_t count = 0, bytes = 0, skip = 0;

  void add(base::ByteView piece) {
    const std::size_t cut = std::min(skip, piece.size());
    skip -= cut;
    piece = piece.subspan(cut);
    if (piece.empty()) return;
    // sendmsg() only reads; its type has no const.
    list[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    bytes += piece.size();
  }
  bool has_room() const { return count + 3 <= vectors_max; }
};

}  // namespace

SendQueue::SendQueue(std::size_t capacity, iscsi::Digests digests)
    : ring_(std::bit_ceil(std::max<std::size_t>(capacity, 1))), digests_(digests) {}

void SendQueue::push(const iscsi::Bhs& header, base::ByteView data) {
  Entry& entry = ring_[(first_ + count_++) & (ring_.size() - 1)];
  std::copy(header.begin(), header.end(), entry.head.begin());
  entry.head_bytes = iscsi::bhs_bytes;
  entry.tail_bytes = 0;
  entry.data = data;
  if (digests_.header) {
    base::Crc32c crc;
    crc.update(header);
    const auto digest = crc.digest();
    std::copy(digest.begin(), digest.end(), entry.head.begin() + iscsi::bhs_bytes);
    entry.head_bytes += base::crc32c_bytes;
  }
  if (data.empty()) return;
  const std::size_t padding = iscsi::pad_to_four(data.size());
  entry.tail.fill(0);
  entry.tail_bytes = static_cast<std::uint8_t>(padding);
  if (!digests_.data) return;
  base::Crc32c crc;
  crc.update(data);
  crc.update(base::ByteView(entry.tail).first(padding));
  const auto digest = crc.digest();
  std::copy(digest.begin(), digest.end(),
            entry.tail.begin() + static_cast<std::ptrdiff_t>(padding));
  entry.tail_bytes = static_cast<std::uint8_t>(entry.tail_bytes + base::crc32c_bytes);
}

SendQueue::Flushed SendQueue::flush(int descriptor) {
  while (count_ != 0) {
    Gather gather;
    gather.skip = sent_of_first_;
    for (std::size_t i = 0; i < count_ && gather.has_room(); ++i) {
      const Entry& entry = ring_[(first_ + i) & (ring_.size() - 1)];
      gather.add(base::ByteView(entry.head).first(entry.head_bytes));
      gather.add(entry.data);
      gather.add(base::ByteView(entry.tail).first(entry.tail_bytes));
    }
    msghdr message{};
    message.msg_iov = gather.list.data();
    message.msg_iovlen = gather.count;
    const ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Flushed::blocked : Flushed::lost;
    consume(static_cast<std::size_t>(sent));
    if (static_cast<std::size_t>(sent) < gather.bytes) return Flushed::blocked;
  }
  return Flushed::all;
}

void SendQueue::consume(std::size_t bytes) {
  sent_of_first_ += bytes;
  while (count_ != 0 && sent_of_first_ >= bytes_of(ring_[first_])) {
    sent_of_first_ -= bytes_of(ring_[first_]);
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
  }
}

}  // namespace load
