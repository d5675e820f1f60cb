// A worker: one thread, one reactor, the connections that live on it for life. Everything a
// connection does happens on its worker's thread.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <thread>
#include <utility>  // before Asio: see house.md 6
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/buffer_pool.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "store/ring.hpp"

namespace net {

class PduRing;
class TcpConnection;

// Bytes that went over the wire, since start.
struct WireCounters {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t connections = 0;  // open now
};

class Worker final : public base::Executor {
 public:
  // `spin`: how long to poll before sleeping when there was work a moment ago.
  Worker(unsigned index, const base::Clock& clock, base::Duration spin);
  ~Worker() override;

  void start();
  // Closes every connection; wait_until_closed() returns when the last one, with its tasks, has
  // gone.
  void close_connections();
  void wait_until_closed();
  // Both of the above, then ends the thread. Tasks of other workers may wait for work that they
  // post here: let all workers close before the first one stops.
  void stop();

  // Callable from any thread.
  void post(base::Work work) override;
  std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  WireCounters counters() const;

  unsigned index() const { return index_; }

  // Worker's thread only.
  boost::asio::io_context& context() { return context_; }
  base::BufferPool& buffers() { return buffers_; }
  base::ByteSpan scratch() { return scratch_.span(); }
  store::Ring* ring() { return ring_.get(); }  // nullptr: the kernel gives none
  const base::Clock& clock() const { return clock_; }
  void add(std::shared_ptr<TcpConnection> connection);
  // Its flush() is called once all that is ready now has had its turn, or at once when this much
  // waits to be sent: a peer that sleeps between its connections' answers is woken once for many.
  void flush_soon(std::shared_ptr<TcpConnection> connection, std::size_t output_bytes);
  // The connection handles input now.
  void note_turn_of(const TcpConnection& connection) {
    turns_in_a_row_ = &connection == turn_of_ ? turns_in_a_row_ + 1 : 0;
    turn_of_ = &connection;
  }
  // No other connection has had a turn for some time: answers need not wait for those of others.
  bool serves_one() const { return turns_in_a_row_ >= turns_in_a_row_min; }
  void remove(const std::shared_ptr<TcpConnection>& connection);
  // Every PDU of its connections from now on; null: none any more.
  void trace_into(std::shared_ptr<PduRing> ring);
  void count_received(std::size_t bytes) { add_to(received_, bytes); }
  void count_sent(std::size_t bytes) { add_to(sent_, bytes); }
  // A connection is being handed to this worker.
  void expect_connection() { load_.fetch_add(1, std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t turns_in_a_row_min = 16;
  // Only this thread writes: no read-modify-write instruction is needed.
  static void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void run();
  void arm_tick();
  void flush_all();
  void await_ring();

  const unsigned index_;
  const base::Clock& clock_;
  const base::Duration spin_;
  base::BufferPool buffers_;
  base::Buffer scratch_;
  std::shared_ptr<PduRing> trace_;  // null: off
  boost::asio::io_context context_{1};
  boost::asio::steady_timer tick_;
  const std::unique_ptr<store::Ring> ring_;
  boost::asio::posix::stream_descriptor ring_event_;  // the ring's own, lent
  std::set<std::shared_ptr<TcpConnection>> connections_;
  std::vector<std::shared_ptr<TcpConnection>> to_flush_;
  std::vector<std::shared_ptr<TcpConnection>> flushing_;  // empty but inside flush_all()
  std::size_t to_flush_bytes_ = 0;
  const TcpConnection* turn_of_ = nullptr;  // to compare only: it may have gone
  std::uint64_t turns_in_a_row_ = 0;
  bool flush_posted_ = false;
  std::atomic<std::size_t> load_{0};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> sent_{0};
  bool stopping_ = false;
  bool ended_ = false;
  bool told_ = false;  // that all is closed
  std::promise<void> all_closed_;
  std::shared_future<void> closed_ = all_closed_.get_future().share();
  std::thread thread_;
};

}  // namespace net
