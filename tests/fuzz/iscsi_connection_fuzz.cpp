// A connection under arbitrary bytes. The first byte chooses: bytes from the start; bytes after a
// proper login; or PDUs with valid lengths and mostly valid numbers, so that the fuzzer gets deep
// into data transfer, with digests and a second connection if the choice says so. Whatever comes
// in, what goes out must be whole PDUs with numbers that keep the rules.
#include <cstdlib>

#include "target/iscsi/serial.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/support/initiator.hpp"

namespace {

using namespace support;
using fuzz::Reader;

void require(bool holds) {
  if (!holds) std::abort();
}

iscsi::ConnectionSettings settings_of(std::uint8_t choice) {
  iscsi::ConnectionSettings out;
  out.offer.initial_r2t = (choice & 1) != 0;
  out.offer.max_burst_length = (choice & 2) != 0 ? 1024 : 262144;
  out.offer.first_burst_length = (choice & 4) != 0 ? 512 : 65536;
  out.output_bytes_max = (choice & 8) != 0 ? 1000 : 1u << 20;
  out.write_buffer_bytes_max = (choice & 16) != 0 ? 2000 : 1u << 20;
  out.command_window = (choice & 32) != 0 ? 3 : 256;
  out.offer.max_connections = (choice & 128) != 0 ? 2 : 1;
  out.immediate_commands_max = 4;
  return out;
}

class Session {
 public:
  Session(std::uint8_t choice, bool own_login)
      : settings_(settings_of(choice)), digests_{(choice & 64) != 0, (choice & 64) != 0} {
    // What the fuzzer may agree on by itself, the check of the output could not know.
    if (!own_login) {
      settings_.offer.header_digest = settings_.offer.data_digest = iscsi::DigestPolicy::none;
    }
    for (std::size_t i = 0; i < settings_.offer.max_connections; ++i) {
      links_.push_back({std::make_unique<iscsi::Connection>(settings_, host_, buffers_), {}});
    }
    host_.script.buffers = &buffers_;
    Reply data;
    data.data_in = pattern(1501);
    host_.script.replies[0x28] = data;
    data.from = Reply::From::buffer;
    data.held = true;
    host_.script.replies[0x29] = data;
    Reply held;
    held.held = true;
    host_.script.replies[0x2b] = held;
    Reply refused;
    refused.wanted = 0;
    refused.sense = scsi::sense::invalid_operation_code();
    host_.script.replies[0x99] = refused;
    Reply little;
    little.wanted = 700;
    host_.script.replies[0x2c] = little;
  }

  ~Session() {
    for (Link& link : links_)
      link.connection->abandon();
    while (!host_.script.held.empty())
      host_.script.finish_held();
    while (!host_.script.managing.empty())
      finish_managing();
    for (Link& link : links_)
      require(link.connection->tasks_executing() == 0);
    links_.clear();
    require(buffers_.bytes_in_use() == 0);
  }

  void log_in() {
    const auto& offer = settings_.offer;
    const char* digest = digests_.header ? "CRC32C" : "None";
    const std::vector<std::string> names{
        std::string("InitiatorName=") + initiator_name, std::string("TargetName=") + target_name,
        "MaxRecvDataSegmentLength=512", std::string("HeaderDigest=") + digest,
        std::string("DataDigest=") + digest};
    auto keys = names;
    keys.insert(keys.end(), {"MaxOutstandingR2T=3", "MaxConnections=2",
                             std::string("InitialR2T=") + (offer.initial_r2t ? "Yes" : "No"),
                             "MaxBurstLength=" + std::to_string(offer.max_burst_length),
                             "FirstBurstLength=" + std::to_string(offer.first_burst_length)});
    for (current_ = 0; current_ < links_.size(); ++current_) {
      const std::uint16_t tsih = current_ == 0 ? 0 : 0x1234;
      const auto cid = static_cast<std::uint16_t>(current_ + 1);
      feed(login_request(0x87, current_ == 0 ? keys : names)
               .set(14, 2, tsih)
               .set(20, 2, cid)
               .wire());
      check_output();
      links_[current_].digests = digests_;
      require(connection().full_feature());
    }
    current_ = 0;
  }

  void feed(base::ByteView bytes) {
    while (!bytes.empty() && !connection().closing()) {
      const std::size_t taken = connection().receive(bytes);
      bytes = bytes.subspan(taken);
      if (!bytes.empty()) {
        require(connection().output().bytes() != 0);
        check_output();
      }
    }
  }

  void feed_directly(base::ByteView bytes) {
    while (!bytes.empty() && !connection().closing()) {
      const base::ByteSpan space = connection().direct_space();
      const std::size_t n = std::min(space.size(), bytes.size());
      if (n == 0) {
        feed(bytes.first(1));
        bytes = bytes.subspan(1);
        continue;
      }
      std::copy_n(bytes.begin(), n, space.begin());
      connection().received_directly(n);
      bytes = bytes.subspan(n);
    }
  }

  // What happens beside the stream.
  void event(std::uint8_t choice) {
    switch (choice % 6) {
      case 0:
        if (!host_.script.held.empty()) host_.script.finish_held(choice % host_.script.held.size());
        break;
      case 1:
        now_ = now_ + std::chrono::seconds(choice % 20);
        for (Link& link : links_)
          link.connection->tick(now_);
        break;
      case 2:
        check_output();
        break;
      case 3:
        if (host_.script.owner != nullptr && !all_closing()) {
          host_.script.owner->abort_tasks({{}, (choice & 0x10) != 0, nullptr}, [](std::size_t) {});
        }
        break;
      case 4:
        if (!host_.script.managing.empty()) finish_managing();
        break;
      case 5:
        current_ = choice / 6 % links_.size();
        if (choice % 36 == 5 && connection().session() != nullptr) {
          connection().session()->request_logout(std::chrono::seconds(choice % 7));
        }
        break;
    }
  }

  // A PDU from about fifteen bytes of input.
  void structured_pdu(Reader& input) {
    static constexpr std::uint8_t opcodes[] = {0x00, 0x01, 0x41, 0x02, 0x42, 0x04, 0x05, 0x05,
                                               0x01, 0x06, 0x10, 0x01, 0x05, 0x43, 0x44, 0x3f};
    static constexpr std::uint8_t cdbs[] = {0x00, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x99, 0x2a};
    const std::uint8_t kind = input.u8();
    Pdu pdu;
    pdu.header[0] = opcodes[kind % 16];
    pdu.header[1] = input.u8();
    pdu.header[4] = kind >= 0xf8 ? 5 : kind >= 0xf0 ? 1 : 0;
    pdu.set(16, 4, input.u8() % 8);
    const std::uint8_t tag = input.u8();
    pdu.set(20, 4, tag == 0xff ? no_tag : tag);
    const bool command = pdu.opcode() == 0x01;
    if (command) pdu.set(20, 4, input.u16());
    pdu.set(24, 4, exp_cmd_sn_ + (kind >= 0xe0 ? input.u8() : 0));
    if (pdu.opcode() == 0x05) pdu.set(36, 4, input.u8() % 8).set(40, 4, input.u16());
    if (command) pdu.header[32] = cdbs[input.u8() % 8];
    pdu.data.assign(input.u16() % 3000, 0x5a);
    const base::ByteView text = input.take(std::min<std::size_t>(pdu.data.size(), input.u8()));
    std::copy(text.begin(), text.end(), pdu.data.begin());
    const WireDigests digests = links_[current_].digests;
    Bytes wire = pdu.wire(digests);
    if (pdu.header[4] != 0) {
      // Header segments belong under the header digest: the rest of a CDB, or what the fuzzer
      // wants.
      Bytes head(pdu.header.begin(), pdu.header.end());
      Bytes segments{0x00, 0x11, 0x01, 0x00};
      segments.resize(pdu.header[4] * 4, 0xab);
      const base::ByteView own = input.take(std::min<std::size_t>(segments.size(), input.u8()));
      std::copy(own.begin(), own.end(), segments.begin());
      head = head + segments;
      if (digests.header) head = head + crc32c_of(head);
      const std::size_t old_head = header_bytes + (digests.header ? 4 : 0);
      wire = head + Bytes(wire.begin() + static_cast<std::ptrdiff_t>(old_head), wire.end());
    }
    if (kind == 0xd0 && digests.data) wire.back() ^= 1;
    feed(wire);
    check_output();
  }

  bool all_closing() const {
    return std::all_of(links_.begin(), links_.end(),
                       [](const Link& link) { return link.connection->closing(); });
  }

  // Whole PDUs, with numbers that never move back on their connection.
  void check_output() {
    for (Link& link : links_) {
      for (const Pdu& pdu : parse_answers(take_output(*link.connection), link.digests)) {
        const std::uint32_t maximum = pdu.max_cmd_sn();
        if (link.heard) require(!iscsi::serial_less(maximum, link.max_cmd_sn));
        exp_cmd_sn_ = pdu.exp_cmd_sn();
        require(maximum - exp_cmd_sn_ + 1 <= settings_.command_window);
        link.max_cmd_sn = maximum;
        link.heard = pdu.opcode() != 0x23;
      }
    }
  }

 private:
  void finish_managing() {
    auto done = std::move(host_.script.managing.front());
    host_.script.managing.pop_front();
    done(device::TaskManagementResponse::function_complete);
  }

  struct Link {
    std::unique_ptr<iscsi::Connection> connection;
    WireDigests digests;
    std::uint32_t max_cmd_sn = 0;
    bool heard = false;
  };
  iscsi::Connection& connection() { return *links_[current_].connection; }

  iscsi::ConnectionSettings settings_;
  WireDigests digests_;  // once logged in
  FakeHost host_;
  base::BufferPool buffers_;
  std::vector<Link> links_;
  std::size_t current_ = 0;
  base::Instant now_;
  std::uint32_t exp_cmd_sn_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader input({data, size});
  const std::uint8_t mode = input.u8() % 3;
  Session session(input.u8(), mode != 0);
  if (mode != 0) session.log_in();
  while (!input.empty() && !session.all_closing()) {
    const std::uint8_t step = input.u8();
    if (step >= 0xc0) {
      session.event(step);
    } else if (mode == 2) {
      session.structured_pdu(input);
    } else if (step >= 0x60) {
      session.feed_directly(input.take(input.u16()));
    } else {
      session.feed(input.take(input.u16()));
    }
  }
  session.check_output();
  return 0;
}
