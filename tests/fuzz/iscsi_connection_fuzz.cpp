// A connection under arbitrary bytes. The first byte chooses: bytes from the start; bytes after a
// proper login; or PDUs with valid lengths and mostly valid numbers, so that the fuzzer gets deep
// into data transfer. Whatever comes in, what goes out must be whole PDUs with numbers that keep
// the rules.
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
  out.immediate_commands_max = 4;
  return out;
}

class Session {
 public:
  explicit Session(std::uint8_t choice)
      : settings_(settings_of(choice)),
        connection_(std::make_unique<iscsi::Connection>(settings_, host_, buffers_)) {
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
    connection_->abandon();
    while (!host_.script.held.empty())
      host_.script.finish_held();
    while (!host_.script.managing.empty())
      finish_managing();
    require(connection_->tasks_executing() == 0);
    connection_.reset();
    require(buffers_.bytes_in_use() == 0);
  }

  void log_in() {
    const auto& offer = settings_.offer;
    feed(login_request(0x87, {std::string("InitiatorName=") + initiator_name,
                              std::string("TargetName=") + target_name,
                              "MaxRecvDataSegmentLength=512", "MaxOutstandingR2T=3",
                              std::string("InitialR2T=") + (offer.initial_r2t ? "Yes" : "No"),
                              "MaxBurstLength=" + std::to_string(offer.max_burst_length),
                              "FirstBurstLength=" + std::to_string(offer.first_burst_length)})
             .wire());
    check_output();
    require(connection_->full_feature());
  }

  void feed(base::ByteView bytes) {
    while (!bytes.empty() && !connection_->closing()) {
      const std::size_t taken = connection_->receive(bytes);
      bytes = bytes.subspan(taken);
      if (!bytes.empty()) {
        require(connection_->output().bytes() != 0);
        check_output();
      }
    }
  }

  void feed_directly(base::ByteView bytes) {
    while (!bytes.empty() && !connection_->closing()) {
      const base::ByteSpan space = connection_->direct_space();
      const std::size_t n = std::min(space.size(), bytes.size());
      if (n == 0) {
        feed(bytes.first(1));
        bytes = bytes.subspan(1);
        continue;
      }
      std::copy_n(bytes.begin(), n, space.begin());
      connection_->received_directly(n);
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
        connection_->tick(now_);
        break;
      case 2:
        check_output();
        break;
      case 3:
        if (host_.script.owner != nullptr && !connection_->closing()) {
          host_.script.owner->abort_tasks(std::nullopt, [](std::size_t) {});
        }
        break;
      case 4:
        if (!host_.script.managing.empty()) finish_managing();
        break;
      case 5:
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
    pdu.header[4] = kind >= 0xf0 ? 1 : 0;
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
    Bytes wire = pdu.wire();
    if (pdu.header[4] != 0) wire.insert(wire.begin() + header_bytes, 4, 0xab);
    feed(wire);
    check_output();
  }

  bool closing() const { return connection_->closing(); }

  void check_output() {
    for (const Pdu& pdu : parse_answers(take_output(*connection_))) {
      const std::uint32_t maximum = pdu.max_cmd_sn();
      if (heard_) require(!iscsi::serial_less(maximum, max_cmd_sn_));
      exp_cmd_sn_ = pdu.exp_cmd_sn();
      require(maximum - exp_cmd_sn_ + 1 <= settings_.command_window);
      max_cmd_sn_ = maximum;
      heard_ = pdu.opcode() != 0x23;
    }
  }

 private:
  void finish_managing() {
    auto done = std::move(host_.script.managing.front());
    host_.script.managing.pop_front();
    done(device::TaskManagementResponse::function_complete);
  }

  iscsi::ConnectionSettings settings_;
  FakeHost host_;
  base::BufferPool buffers_;
  std::unique_ptr<iscsi::Connection> connection_;
  base::Instant now_;
  std::uint32_t exp_cmd_sn_ = 1, max_cmd_sn_ = 0;
  bool heard_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader input({data, size});
  const std::uint8_t mode = input.u8() % 3;
  Session session(input.u8());
  if (mode != 0) session.log_in();
  while (!input.empty() && !session.closing()) {
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
