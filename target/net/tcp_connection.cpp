#include "target/net/tcp_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/log.hpp"

namespace net {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t gather_entries_max = 512;
// A data segment with at least this much missing is received where it belongs, without a copy.
constexpr std::size_t direct_bytes_min = 16 * 1024;
// Batches before the worker's other connections get their turn.
constexpr int batches_in_a_row = 8;
constexpr auto drain_time = std::chrono::seconds(2);

// How many bytes must have come before the socket counts as readable.
void wake_for(tcp::socket& socket, int bytes) {
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

// Portals for IPv6 take nothing else (v6_only), so both ends are of one family.
TcpFlow flow_of(const tcp::endpoint& local, const tcp::endpoint& peer) {
  TcpFlow out;
  out.v6 = local.address().is_v6();
  const auto put = [&](const tcp::endpoint& from, std::array<std::uint8_t, 16>& into) {
    if (out.v6) {
      into = from.address().to_v6().to_bytes();
    } else {
      const auto bytes = from.address().to_v4().to_bytes();
      std::copy(bytes.begin(), bytes.end(), into.begin());
    }
  };
  put(local, out.local);
  put(peer, out.peer);
  out.local_port = local.port();
  out.peer_port = peer.port();
  return out;
}

bool is_transient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

TcpConnection::TcpConnection(Worker& worker, tcp::socket socket,
                             const iscsi::ConnectionSettings& settings,
                             std::unique_ptr<PortalHost> host, std::string peer, Relocate relocate)
    : worker_(worker),
      socket_(std::move(socket)),
      host_(std::move(host)),
      peer_(std::move(peer)),
      relocate_(std::move(relocate)),
      engine_(settings, *host_, worker.buffers()) {}

TcpConnection::~TcpConnection() = default;

void TcpConnection::start() {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  engine_.on_late_output([this] { flush_later(); });
  wake_for(socket_, iscsi::bhs_bytes);
  base::log::debug("{}: connected", peer_);
  wait_readable();
}

void TcpConnection::wait_readable() {
  if (waiting_readable_ || finished_) return;
  waiting_readable_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waiting_readable_ = false;
                       if (!error) self->on_readable();
                     });
}

void TcpConnection::wait_writable() {
  if (waiting_writable_ || finished_) return;
  waiting_writable_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waiting_writable_ = false;
                       if (!error) self->flush();
                     });
}

void TcpConnection::on_readable() {
  if (finished_) return;
  if (draining_) return drain();
  if (relocate_ && !look_at_first_header()) return;
  worker_.note_turn_of(*this);
  const base::log::Scope scope({0, {}, peer_});
  bool more = true;
  for (int batch = 0; more && batch < batches_in_a_row && !finished_; ++batch) {
    more = read_batch();
    if (more) flush();
  }
  if (finished_) return;
  worker_.serves_one() ? flush() : flush_later();
  // With input held back, reading goes on once output has been sent.
  if (held_.empty()) wait_readable();
}

// A connection that joins a session (MC/S) has to live where the session lives; which one that is
// stands in the first header. False: it has moved there.
bool TcpConnection::look_at_first_header() {
  iscsi::Bhs header{};
  const ssize_t got = ::recv(socket_.native_handle(), header.data(), header.size(), MSG_PEEK);
  const Relocate relocate = std::move(relocate_);
  relocate_ = nullptr;
  wake_for(socket_, 1);
  if (got != static_cast<ssize_t>(header.size())) return true;
  const auto tsih = static_cast<std::uint16_t>(iscsi::login_pdu::tsih.read(header));
  Worker* home =
      iscsi::opcode_of(header) == iscsi::Opcode::login_request ? host_->home_of(tsih) : nullptr;
  if (home == nullptr || home == &worker_) return true;
  boost::system::error_code error;
  tcp::socket moved(home->context());
  const tcp protocol = socket_.local_endpoint(error).protocol();
  const auto descriptor = socket_.release(error);
  if (error) return true;
  moved.assign(protocol, descriptor, error);
  finish();
  relocate(*home, std::move(moved));
  return false;
}

// Receives once and feeds the engine. True when there may be more to read.
bool TcpConnection::read_batch() {
  const base::ByteSpan direct = engine_.direct_space();
  const bool in_place = direct.size() >= direct_bytes_min;
  const base::ByteSpan into = in_place ? direct : worker_.scratch();
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (got < 0 && is_transient(errno)) return false;
  if (got <= 0) {
    engine_.abandon();
    finish();
    return false;
  }
  const auto bytes = static_cast<std::size_t>(got);
  worker_.count_received(bytes);
  if (in_place) {
    engine_.received_directly(bytes);
    return !engine_.closing();
  }
  return feed(into.first(bytes)) && bytes == into.size();
}

// False when the engine left some of it, which is then held.
bool TcpConnection::feed(base::ByteView bytes) {
  const std::size_t first = worker_.serves_one() ? feed_half(bytes) : 0;
  if (finished_) return true;
  const std::size_t taken = first + engine_.receive(bytes.subspan(first));
  if (taken == bytes.size()) return true;
  held_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
  return false;
}

// The answers to the first half of a batch leave before the second half is worked on: an initiator
// that is alone then works at the same time as the target, instead of each waiting for the other
// (docs/adr/0011). Returns how many bytes were taken.
std::size_t TcpConnection::feed_half(base::ByteView bytes) {
  if (bytes.size() <= iscsi::bhs_bytes) return 0;  // one command
  const std::size_t taken = engine_.receive(bytes.first(bytes.size() / 2));
  if (!engine_.closing()) send_output();
  return taken;
}

void TcpConnection::flush() {
  flush_awaited_ = false;
  if (finished_ || engine_.dropped()) return finish();
  if (send_output()) after_flush();
}

// False when some of it has to wait for the socket, or the connection has ended.
bool TcpConnection::send_output() {
  iscsi::OutputQueue& output = engine_.output();
  std::array<iovec, gather_entries_max> list;
  while (!finished_ && !output.empty()) {
    msghdr message{};
    message.msg_iov = list.data();
    message.msg_iovlen = output.gather(list);
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && is_transient(errno)) {
      wait_writable();
      return false;
    }
    if (sent < 0) {
      engine_.abandon();
      finish();
      return false;
    }
    worker_.count_sent(static_cast<std::size_t>(sent));
    output.consume(static_cast<std::size_t>(sent));
  }
  return !finished_;
}

// Everything is sent: take up held input, or end the connection if the engine wants that.
void TcpConnection::after_flush() {
  if (engine_.closing()) {
    if (draining_ || engine_.tasks_executing() != 0) return;
    draining_ = true;
    drain_deadline_ = worker_.clock().now() + drain_time;
    ::shutdown(socket_.native_handle(), SHUT_WR);
    return drain();
  }
  if (held_.empty()) return;
  const std::vector<std::uint8_t> again = std::move(held_);
  held_.clear();
  feed(again);
  flush_later();
  if (held_.empty()) wait_readable();
}

void TcpConnection::flush_later() {
  if (std::exchange(flush_awaited_, true)) return;
  worker_.flush_soon(shared_from_this(), engine_.output().bytes());
}

// Reads what the peer still sends until it closes too: closing with unread input would reset the
// connection and could take our last answer with it.
void TcpConnection::drain() {
  std::array<std::uint8_t, 4096>
      unread;  // the worker's scratch may hold another connection's batch
  for (;;) {
    const ssize_t got = ::recv(socket_.native_handle(), unread.data(), unread.size(), 0);
    if (got > 0) continue;
    if (got < 0 && is_transient(errno)) return wait_readable();
    return finish();
  }
}

void TcpConnection::tick(base::Instant now) {
  engine_.tick(now);
  flush();
  if (draining_ && now >= drain_deadline_) finish();
}

void TcpConnection::trace_into(PduRing* ring) {
  engine_.observe(nullptr);
  trace_.reset();
  if (ring == nullptr) return;
  boost::system::error_code error;
  const auto local = socket_.local_endpoint(error);
  if (error) return;
  const auto peer = socket_.remote_endpoint(error);
  if (error) return;  // gone already
  trace_.emplace(*ring, flow_of(local, peer));
  engine_.observe(&*trace_);
}

void TcpConnection::drop() {
  engine_.drop("the target is stopping");
  finish();
}

// The socket closes at once; the object stays on its worker until the device server has let go of
// its tasks.
void TcpConnection::finish() {
  if (!finished_) {
    finished_ = true;
    base::log::debug("{}: {}", peer_, engine_.close_reason());
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  if (engine_.tasks_executing() == 0) worker_.remove(shared_from_this());
}

}  // namespace net
