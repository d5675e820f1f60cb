// The last PDUs that a worker's connections exchanged, in memory of a fixed size: the oldest make
// room for new ones. Nothing is allocated for a PDU.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "target/iscsi/pdu_observer.hpp"

namespace net {

// Both ends of a connection, as the array sees them. Of IPv4 addresses the first four bytes count.
struct TcpFlow {
  std::array<std::uint8_t, 16> local{}, peer{};
  std::uint16_t local_port = 0, peer_port = 0;
  bool v6 = false;

  auto operator<=>(const TcpFlow&) const = default;
};

// Where a PDU stands in its connection.
struct PduPlace {
  TcpFlow flow;
  bool sent = false;                             // by the array
  std::uint32_t sequence = 0, acknowledged = 0;  // of TCP, both from 1 when the trace began
};

struct TracedPdu {
  base::Duration since_1970{0};  // when it had come, or was queued
  PduPlace place;
  iscsi::Digests digests;
  bool data_intact = true;
  iscsi::Bhs header{};
  std::vector<std::uint8_t> additional;
  std::vector<std::uint8_t> data;  // what was kept of it
};

// Written by one thread; it counts for all.
class PduRing {
 public:
  PduRing(std::size_t bytes, std::size_t data_bytes_max, const base::WallClock& clock)
      : bytes_(bytes), data_bytes_max_(data_bytes_max), clock_(clock) {}

  // Of data segments that hosts read and write; others are kept whole, within reason.
  std::size_t data_bytes_max() const { return data_bytes_max_; }
  // Keeps `data_bytes` of its data at most.
  void put(const PduPlace& place, const iscsi::SeenPdu& pdu, std::size_t data_bytes);
  // The oldest first.
  std::vector<TracedPdu> all() const;

  // PDUs that came, and those of them that are there no more. Callable from any thread.
  std::uint64_t seen() const { return seen_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  // What stands before a PDU's variable parts.
  struct Head {
    std::int64_t nanoseconds_since_1970 = 0;
    PduPlace place;
    iscsi::Digests digests;
    bool data_intact = true;
    iscsi::Bhs header{};
    std::uint32_t additional_bytes = 0, data_bytes = 0;

    std::size_t size() const { return sizeof(Head) + additional_bytes + data_bytes; }
  };
  void write(base::ByteView bytes);
  void read(std::uint64_t at, base::ByteSpan into) const;
  Head head_at(std::uint64_t at) const;
  void make_room(std::size_t bytes);

  std::vector<std::uint8_t> bytes_;
  const std::size_t data_bytes_max_;
  const base::WallClock& clock_;
  std::uint64_t begin_ = 0, end_ = 0;  // byte n of all that was written lies at n % size
  std::atomic<std::uint64_t> seen_{0}, lost_{0};
};

}  // namespace net
