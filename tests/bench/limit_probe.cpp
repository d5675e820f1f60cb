// How fast an iSCSI target could be on this machine: a server that knows nothing but to answer. It
// takes one kind of login, TEST UNIT READY, READ CAPACITY(16) and READ(10) or (16), checks nothing,
// keeps no state but sequence numbers, and answers a batch of requests by pread() from a cached
// file into one buffer that goes out with one system call. What it reaches, `tools/bench` calls the
// limit. It is no target: it trusts its client.
//   limit_probe FILE READY_FILE [--poll]      writes address:port of a free port into READY_FILE
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scsi/block_cdbs.hpp"
#include "target/iscsi/pdu.hpp"

namespace {

using iscsi::Bhs;
namespace bhs = iscsi::bhs;

constexpr std::uint32_t block_bytes = 512;
constexpr std::uint32_t command_window = 1024;
// So much goes out with one system call at least, where there is more to come: the client takes it
// while the rest is made. Measured at depth 32: 212,000 reads/s by pieces of 64 KiB, 165,000 by
// whole batches, 145,000 by 32 KiB.
constexpr std::size_t piece_bytes = 64u << 10;

int check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

struct File {
  explicit File(const char* path) : descriptor(check(open(path, O_RDONLY | O_CLOEXEC), path)) {
    struct stat facts {};
    check(fstat(descriptor, &facts), path);
    blocks = static_cast<std::uint64_t>(facts.st_size) / block_bytes;
  }
  int descriptor;
  std::uint64_t blocks;
};

// One connection: input that is not a whole PDU yet, output that is not sent yet.
class Client {
 public:
  Client(int socket, const File& file)
      : socket_(socket), file_(file), in_(256u << 10), out_(1u << 20) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False: the client has gone.
  bool serve() {
    const ssize_t got = recv(socket_, in_.data() + in_bytes_, in_.size() - in_bytes_, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) in_bytes_ += static_cast<std::size_t>(got);
    std::size_t at = 0;
    while (const std::size_t bytes = whole_pdu(at)) {
      answer(at);
      at += bytes;
      if (out_bytes_ >= piece_bytes && !send_out()) return false;
    }
    in_bytes_ -= at;
    std::memmove(in_.data(), in_.data() + at, in_bytes_);
    return send_out();
  }

 private:
  // The bytes of the PDU that starts there; 0: it is not all there.
  std::size_t whole_pdu(std::size_t at) const {
    if (in_bytes_ - at < iscsi::bhs_bytes) return 0;
    const std::size_t data = bhs::data_segment_length.read(base::ByteView(in_).subspan(at));
    const std::size_t bytes = iscsi::bhs_bytes + data + iscsi::pad_to_four(data);
    return in_bytes_ - at >= bytes ? bytes : 0;
  }

  void answer(std::size_t at) {
    const base::ByteView request = base::ByteView(in_).subspan(at);
    const auto tag = static_cast<std::uint32_t>(bhs::initiator_task_tag.read(request));
    switch (static_cast<iscsi::Opcode>(bhs::opcode.read(request))) {
      case iscsi::Opcode::login_request:
        next_command_ = static_cast<std::uint32_t>(bhs::cmd_sn.read(request));
        return log_in(request, tag);
      case iscsi::Opcode::scsi_command:
        ++next_command_;
        return command(request.subspan(iscsi::scsi_command_pdu::cdb_at), tag);
      default:
        throw std::runtime_error("a request that the probe does not know");
    }
  }

  void log_in(base::ByteView request, std::uint32_t tag) {
    constexpr std::string_view text("HeaderDigest=None\0DataDigest=None\0", 34);
    Bhs header = iscsi::make_response(iscsi::Opcode::login_response, tag);
    header[1] = request[1];  // the same stages
    iscsi::login_pdu::isid.write(header, iscsi::login_pdu::isid.read(request));
    iscsi::login_pdu::tsih.write(header, 1);
    put(header, text.size() + iscsi::pad_to_four(text.size()));
    bhs::data_segment_length.write(base::ByteSpan(out_).subspan(last_header_), text.size());
    std::copy(text.begin(), text.end(), out_.begin() + static_cast<std::ptrdiff_t>(last_data()));
  }

  void command(base::ByteView cdb, std::uint32_t tag) {
    namespace media = scsi::media;
    if (cdb[0] == media::read_10.opcode)
      return read(tag, media::lba_10.read(cdb), media::length_10.read(cdb));
    if (cdb[0] == media::read_16.opcode)
      return read(tag, media::lba_16.read(cdb), media::length_16.read(cdb));
    if (cdb[0] == scsi::read_capacity::layout_16.opcode) return capacity(tag);
    if (cdb[0] != 0) throw std::runtime_error("a command that the probe does not know");
    put(iscsi::make_response(iscsi::Opcode::scsi_response, tag), 0);
  }

  void capacity(std::uint32_t tag) {
    constexpr std::size_t answer_bytes = 32;
    put(make_data_in(tag), answer_bytes);
    const base::ByteSpan data = base::ByteSpan(out_).subspan(last_data(), answer_bytes);
    std::fill(data.begin(), data.end(), std::uint8_t{0});
    base::store_be64(data, 0, file_.blocks - 1);
    base::store_be32(data, 8, block_bytes);
  }

  void read(std::uint32_t tag, std::uint64_t lba, std::uint64_t blocks) {
    const std::size_t bytes = blocks * block_bytes;
    put(make_data_in(tag), bytes);
    const auto got = pread(file_.descriptor, out_.data() + last_data(), bytes,
                           static_cast<off_t>(lba * block_bytes));
    if (got != static_cast<ssize_t>(bytes)) throw std::runtime_error("a short read of the file");
  }

  static Bhs make_data_in(std::uint32_t tag) {
    Bhs header = iscsi::make_response(iscsi::Opcode::data_in, tag);
    iscsi::data_in_pdu::status_present.write(header, 1);
    return header;
  }

  // A PDU behind the others, with room for its data.
  void put(Bhs header, std::size_t data_bytes) {
    bhs::data_segment_length.write(header, data_bytes);
    bhs::stat_sn.write(header, status_++);
    bhs::exp_cmd_sn.write(header, next_command_);
    bhs::max_cmd_sn.write(header, next_command_ + command_window);
    const std::size_t needed = out_bytes_ + header.size() + data_bytes;
    if (needed > out_.size()) out_.resize(needed * 2);
    last_header_ = out_bytes_;
    std::copy(header.begin(), header.end(),
              out_.begin() + static_cast<std::ptrdiff_t>(last_header_));
    out_bytes_ = needed;
  }
  std::size_t last_data() const { return last_header_ + iscsi::bhs_bytes; }

  // All of it: the client reads before it sends again, so this does not wait for long.
  bool send_out() {
    for (std::size_t sent = 0; sent < out_bytes_;) {
      const ssize_t n = send(socket_, out_.data() + sent, out_bytes_ - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    out_bytes_ = 0;
    return true;
  }

  int socket_;
  const File& file_;
  std::vector<std::uint8_t> in_, out_;
  std::size_t in_bytes_ = 0, out_bytes_ = 0, last_header_ = 0;
  std::uint32_t status_ = 1, next_command_ = 1;
};

int listen_somewhere(const char* ready_file) {
  const int listener = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  check(listen(listener, SOMAXCONN), "listen");
  socklen_t length = sizeof address;
  check(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
  std::FILE* ready = std::fopen(ready_file, "w");
  if (ready == nullptr) throw std::runtime_error(ready_file);
  std::fprintf(ready, "127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
  std::fclose(ready);
  return listener;
}

void serve(const File& file, int listener, bool poll) {
  const int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  const auto watch = [epoll](int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
  };
  watch(listener);
  std::map<int, std::unique_ptr<Client>> clients;
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), poll ? 0 : -1);
    for (int i = 0; i < n; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == listener) {
        const int accepted = check(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
        clients.emplace(accepted, std::make_unique<Client>(accepted, file));
        watch(accepted);
      } else if (!clients.at(descriptor)->serve()) {
        clients.erase(descriptor);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const bool poll = argc == 4 && std::strcmp(argv[3], "--poll") == 0;
  if (argc != 3 && !poll) {
    std::fprintf(stderr, "usage: limit_probe FILE READY_FILE [--poll]\n");
    return 2;
  }
  const File file(argv[1]);
  serve(file, listen_somewhere(argv[2]), poll);
} catch (const std::exception& error) {
  std::fprintf(stderr, "limit_probe: %s\n", error.what());
  return 1;
}
