// A TCP connection that carries iSCSI: readiness from the reactor, bytes by recv and sendmsg in
// batches, meaning from the engine. Lives on one worker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "target/iscsi/connection.hpp"
#include "target/net/connection_trace.hpp"
#include "target/net/portal_host.hpp"
#include "target/net/worker.hpp"

namespace net {

class TcpConnection final : public std::enable_shared_from_this<TcpConnection> {
 public:
  // Takes the socket of a connection that has to live on another worker.
  using Relocate = std::function<void(Worker& home, boost::asio::ip::tcp::socket socket)>;

  // `host` is made for this connection alone.
  TcpConnection(Worker& worker, boost::asio::ip::tcp::socket socket,
                const iscsi::ConnectionSettings& settings, std::unique_ptr<PortalHost> host,
                std::string peer, Relocate relocate);
  ~TcpConnection();

  // All on the worker's thread.
  void start();
  void tick(base::Instant now);
  // Sends what there is to send; what does not go now goes when the socket can take it.
  void flush();
  // Its PDUs from now on; null: none any more.
  void trace_into(PduRing* ring);
  // Ends it at once: the daemon stops.
  void drop();

 private:
  void wait_readable();
  void wait_writable();
  void on_readable();
  bool look_at_first_header();
  bool read_batch();
  bool feed(base::ByteView bytes);
  std::size_t feed_half(base::ByteView bytes);
  void flush_later();
  bool send_output();
  void after_flush();
  void drain();
  void finish();

  Worker& worker_;
  boost::asio::ip::tcp::socket socket_;
  const std::unique_ptr<PortalHost> host_;
  const std::string peer_;
  Relocate relocate_;  // until the first header has been seen
  std::optional<ConnectionTrace> trace_;
  iscsi::Connection engine_;
  std::vector<std::uint8_t> held_;  // received, not yet taken by the engine
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
  bool flush_awaited_ = false;  // of the worker
  bool draining_ = false;       // all is sent, the peer's end of stream is awaited
  bool finished_ = false;
  base::Instant drain_deadline_;
};

}  // namespace net
