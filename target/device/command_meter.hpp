// What the commands of a unit were and how long they took. Each nexus counts on its own thread, in
// numbers that nobody else writes: no lock, no shared cache line, no allocation. Who wants to know
// adds them up.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/units.hpp"

namespace device {

// READ of any length; what writes blocks that the host sent (WRITE, WRITE AND VERIFY, WRITE SAME,
// COMPARE AND WRITE, ORWRITE, WRITE ATOMIC); THIRD-PARTY COPY OUT; all others.
enum class CommandKind : std::uint8_t { read, write, copy, other };
inline constexpr std::size_t command_kinds = 4;
CommandKind kind_of(base::ByteView cdb);

// Upper bounds of the latency buckets, inclusive; what took longer is in one bucket more.
inline constexpr std::array<base::Duration, 21> latency_bounds = [] {
  using namespace std::chrono_literals;
  return std::array<base::Duration, 21>{2us,   5us,   10us,   25us, 50us,   100us, 250us,
                                        500us, 1ms,   2500us, 5ms,  10ms,   25ms,  50ms,
                                        100ms, 250ms, 500ms,  1s,   2500ms, 5s,    10s};
}();
inline constexpr std::size_t latency_buckets = latency_bounds.size() + 1;

// Commands that have ended, from when their data was there to when their status was known.
struct KindFigures {
  std::array<std::uint64_t, latency_buckets> ended{};  // each command in one bucket
  std::uint64_t nanoseconds = 0;                       // of all together
  std::uint64_t not_good = 0;                          // ended with another status than GOOD

  std::uint64_t commands() const;
  bool operator==(const KindFigures&) const = default;
};
struct CommandFigures {
  // What hosts moved, counted when the blocks are asked for.
  std::uint64_t reads = 0, writes = 0, bytes_read = 0, bytes_written = 0;
  std::array<KindFigures, command_kinds> kinds;

  const KindFigures& of(CommandKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
  CommandFigures& operator+=(const CommandFigures& other);
  bool operator==(const CommandFigures&) const = default;
};

// One nexus's commands on one unit. One thread counts, any may look.
class alignas(64) CommandMeter {
 public:
  CommandMeter(std::uint64_t nexus_number, const base::Clock& clock)
      : nexus_number_(nexus_number), clock_(clock) {}

  std::uint64_t nexus_number() const { return nexus_number_; }
  void count_read(base::ByteCount length);
  void count_write(base::ByteCount length);
  base::Instant now() const { return clock_.now(); }
  void ended(CommandKind kind, base::Instant begun_at, bool good);

  CommandFigures figures() const;

 private:
  // Written by one thread: no locked instruction is needed.
  using Number = std::atomic<std::uint64_t>;
  static void add(Number& number, std::uint64_t n) {
    number.store(number.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  struct Kind {
    std::array<Number, latency_buckets> ended{};
    Number nanoseconds{0}, not_good{0};
  };

  const std::uint64_t nexus_number_;
  const base::Clock& clock_;
  Number reads_{0}, writes_{0}, bytes_read_{0}, bytes_written_{0};
  std::array<Kind, command_kinds> kinds_;
};

// The meters of a unit: those of living nexuses, and what the others had counted. Callable from any
// thread; takes a lock, so not for each command.
class CommandMeters {
 public:
  // A meter for the nexus; its numbers stay in the total when it is let go of. This object outlives
  // it.
  std::shared_ptr<CommandMeter> open(std::uint64_t nexus_number, const base::Clock& clock);
  CommandFigures total() const;
  struct OfNexus {
    std::uint64_t number = 0;
    CommandFigures figures;
  };
  std::vector<OfNexus> of_nexuses() const;  // the living ones; a nexus may be there twice

 private:
  void close(const CommandMeter* meter);

  mutable std::mutex mutex_;
  std::vector<const CommandMeter*> open_;
  CommandFigures closed_;
};

}  // namespace device
