#include "tools/load/preparation.hpp"

#include <fmt/format.h>

#include "scsi/sense.hpp"
#include "tools/load/answer_reader.hpp"
#include "tools/load/send_queue.hpp"

namespace load {
namespace {

using base::fail;
namespace bhs = iscsi::bhs;

// One answer, data and sense at their places.
struct Answer {
  Bhs last{};  // the PDU that has the status
  std::array<std::uint8_t, 256> data{};
  std::size_t data_bytes = 0;
  bool ended = false;

  void header(const Bhs& header) { last = header; }
  void data_piece(base::ByteView piece) {
    const std::size_t n = std::min(piece.size(), data.size() - data_bytes);
    std::copy_n(piece.begin(), n, data.begin() + static_cast<std::ptrdiff_t>(data_bytes));
    data_bytes += n;
  }
  bool is_response() const { return iscsi::opcode_of(last) == iscsi::Opcode::scsi_response; }
  bool has_status() const {
    return is_response() || (iscsi::opcode_of(last) == iscsi::Opcode::data_in &&
                             iscsi::data_in_pdu::status_present.is_set(last));
  }
};

struct AnswerSink {
  Answer& answer;
  void header(const Bhs& header) { answer.header(header); }
  void data(base::ByteView piece) { answer.data_piece(piece); }
  void end() { answer.ended = answer.has_status(); }
};

// Sends a command and reads until its status.
base::Result<Answer, std::string> exchange(Socket& socket, LoggedIn& login, Bhs command) {
  bhs::cmd_sn.write(command, login.cmd_sn++);
  bhs::exp_stat_sn.write(command, login.exp_stat_sn);
  SendQueue queue(1, login.agreed.digests);
  queue.push(command, {});
  if (queue.flush(socket.descriptor()) != SendQueue::Flushed::all)
    return fail(std::string("the connection was closed"));
  Answer answer;
  AnswerSink sink{answer};
  AnswerReader<AnswerSink> reader(login.agreed.digests, sink);
  while (!answer.ended) {
    std::uint8_t byte = 0;
    if (!socket.read_exactly({&byte, 1})) return fail("no answer to " + name_of(command));
    if (!reader.feed({&byte, 1})) return fail(std::string(reader.trouble()));
  }
  login.exp_stat_sn = static_cast<std::uint32_t>(bhs::stat_sn.read(answer.last) + 1);
  login.max_cmd_sn = static_cast<std::uint32_t>(bhs::max_cmd_sn.read(answer.last));
  return answer;
}

// The same until unit attentions have been told.
base::Result<Answer, std::string> ask(Socket& socket, LoggedIn& login, const Bhs& command) {
  constexpr int attentions_max = 8;
  for (int attempt = 0;; ++attempt) {
    auto answer = exchange(socket, login, command);
    if (!answer || bhs::status.read(answer->last) == 0) return answer;
    const auto sense = scsi::parse_sense(base::ByteView(answer->data).subspan(2));
    const bool attention = sense && sense->key == scsi::SenseKey::unit_attention;
    if (attention && attempt < attentions_max) continue;
    return fail(fmt::format("{}: status {:02x}h{}", name_of(command),
                            bhs::status.read(answer->last),
                            sense ? ", sense " + scsi::to_text(*sense) : ""));
  }
}

}  // namespace

base::Result<Prepared, std::string> prepare(const Settings& settings, const Isid& isid) {
  auto socket = Socket::connect(settings.url.portal, settings.timeout_seconds);
  if (!socket) return fail(socket.error());
  const auto in_words = [&](const std::string& why) {
    return fail(fmt::format("{}: {}", settings.url.shown(), why));
  };
  auto login =
      log_in(*socket, {settings.initiator_name, settings.url.target_name, settings.digests, isid});
  if (!login) return in_words(login.error());
  const scsi::Lun lun{settings.url.lun};
  if (const auto ready = ask(*socket, *login, make_test_unit_ready(lun)); !ready)
    return in_words(ready.error());
  const auto capacity = ask(*socket, *login, make_read_capacity(lun));
  if (!capacity) return in_words(capacity.error());
  constexpr std::size_t block_length_at = 8, least = 12;  // SBC-4 5.17
  const base::BlockLength length{base::load_be32(capacity->data, block_length_at)};
  const base::BlockCount blocks(base::load_be64(capacity->data, 0) + 1);
  if (capacity->data_bytes < least || length.bytes == 0) {
    return in_words("READ CAPACITY(16) makes no sense");
  }
  return Prepared{std::move(*socket), *login, {length, blocks}};
}

}  // namespace load
