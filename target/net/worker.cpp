#include "target/net/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "target/net/pdu_ring.hpp"
#include "target/net/tcp_connection.hpp"

namespace net {
namespace {
constexpr std::size_t scratch_bytes = 256 * 1024;
// Measured with 8 sessions at depth 16, 4 KiB: 64 KiB wake the peer too often (docs/adr/0009).
constexpr std::size_t output_bytes_waiting_max = 256 * 1024;
}  // namespace

Worker::Worker(unsigned index, const base::Clock& clock, base::Duration spin)
    : index_(index),
      clock_(clock),
      spin_(spin),
      scratch_(buffers_.take(scratch_bytes)),
      tick_(context_),
      ring_(store::Ring::open(*this)),
      ring_event_(context_) {
  if (ring_ != nullptr) ring_event_.assign(ring_->descriptor());
}

Worker::~Worker() {
  stop();
  if (ring_ != nullptr) ring_event_.release();
}

void Worker::start() {
  arm_tick();
  if (ring_ != nullptr) await_ring();
  thread_ = std::thread([this] { run(); });
}

void Worker::close_connections() {
  post([this] {
    stopping_ = true;
    tick_.cancel();
    const auto connections = connections_;
    for (const auto& connection : connections)
      connection->drop();
  });
}

void Worker::wait_until_closed() {
  closed_.wait();
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  close_connections();
  wait_until_closed();
  post([this] { ended_ = true; });
  thread_.join();
}

void Worker::post(base::Work work) {
  boost::asio::post(context_, std::move(work));
}

// Polls while there was work a moment ago, then sleeps in the reactor: a sleeping reactor costs a
// wake-up on every command at depth 1 (house.md, decision 2).
void Worker::run() {
  const auto stays_open = boost::asio::make_work_guard(context_);
  base::Instant last_work = clock_.now();
  while (!ended_) {
    if (context_.poll() > 0) {
      last_work = clock_.now();
    } else if (clock_.now() - last_work >= spin_) {
      context_.restart();
      if (context_.run_one() > 0) last_work = clock_.now();
    }
    if (context_.stopped()) context_.restart();
    if (stopping_ && connections_.empty() && !std::exchange(told_, true)) all_closed_.set_value();
  }
}

void Worker::await_ring() {
  ring_event_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           ring_->take_ended();
                           await_ring();
                         });
}

void Worker::arm_tick() {
  tick_.expires_after(std::chrono::seconds(1));
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    const base::Instant now = clock_.now();
    buffers_.trim();
    const auto connections = connections_;
    for (const auto& connection : connections)
      connection->tick(now);
    arm_tick();
  });
}

void Worker::add(std::shared_ptr<TcpConnection> connection) {
  if (stopping_) connection->drop();
  connection->trace_into(trace_.get());
  connections_.insert(std::move(connection));
}

void Worker::flush_soon(std::shared_ptr<TcpConnection> connection, std::size_t output_bytes) {
  to_flush_.push_back(std::move(connection));
  to_flush_bytes_ += output_bytes;
  // From inside flush_all() only later: the connections that it flushes take up held input.
  if (to_flush_bytes_ >= output_bytes_waiting_max && flushing_.empty()) return flush_all();
  if (std::exchange(flush_posted_, true)) return;
  post([this] {
    flush_posted_ = false;
    flush_all();
  });
}

void Worker::flush_all() {
  flushing_.swap(to_flush_);
  to_flush_bytes_ = 0;
  for (const auto& connection : flushing_)
    connection->flush();
  flushing_.clear();
}

void Worker::remove(const std::shared_ptr<TcpConnection>& connection) {
  connection->trace_into(nullptr);
  if (connections_.erase(connection) != 0) load_.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::trace_into(std::shared_ptr<PduRing> ring) {
  for (const auto& connection : connections_)
    connection->trace_into(ring.get());
  trace_ = std::move(ring);
}

WireCounters Worker::counters() const {
  return {received_.load(std::memory_order_relaxed), sent_.load(std::memory_order_relaxed), load()};
}

}  // namespace net
