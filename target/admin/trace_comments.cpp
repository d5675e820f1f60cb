#include "target/admin/trace_comments.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "copymgr/names.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/copy_results.hpp"
#include "scsi/extended_copy_parameters.hpp"
#include "scsi/status_text.hpp"
#include "scsi/token_parameters.hpp"
#include "target/device/command_table.hpp"

namespace admin {
namespace {

using iscsi::Opcode;
using net::TracedPdu;
using Bytes = std::vector<std::uint8_t>;

// A third-party copy command with what is known of it.
struct CopyTask {
  Bytes cdb;
  Bytes data_out, data_in;  // from their first byte on, as far as all of it is known
  std::vector<std::size_t> pdus;
};

// What lies behind a gap is not known.
void put_at(Bytes& into, std::uint64_t offset, const Bytes& data) {
  if (offset == into.size()) into.insert(into.end(), data.begin(), data.end());
}

const scsi::CdbLayout* layout_of(base::ByteView cdb) {
  for (const device::CommandRow& row : device::command_table()) {
    const scsi::CdbLayout& layout = row.layout;
    if (layout.opcode != cdb[0] || !layout.service_action) continue;
    if (scsi::service_action_of(cdb[0]).read(cdb) == *layout.service_action) return &layout;
  }
  return nullptr;
}

bool is(const scsi::CdbLayout* layout, const scsi::CdbLayout& wanted) {
  return layout != nullptr && layout->opcode == wanted.opcode &&
         layout->service_action == wanted.service_action;
}

std::optional<std::uint64_t> list_identifier_of(const CopyTask& task,
                                                const scsi::CdbLayout& layout) {
  for (const scsi::Field& field : layout.fields) {
    if (field.name == scsi::receive_copy::list_identifier.name) return field.read(task.cdb);
  }
  if (!is(&layout, scsi::extended_copy::lid1_layout) &&
      !is(&layout, scsi::extended_copy::lid4_layout)) {
    return std::nullopt;
  }
  const auto header = scsi::decode_extended_copy_header(task.data_out, *layout.service_action);
  if (header && header->list_id_usage == scsi::ListIdUsage::none) return std::nullopt;
  // Of a list that was refused as well.
  const scsi::Field& field = scsi::extended_copy_list_identifier(*layout.service_action);
  if (task.data_out.size() < field.end_byte()) return std::nullopt;
  return field.read(task.data_out);
}

std::vector<scsi::RodTokenBytes> tokens_of(const CopyTask& task, const scsi::CdbLayout& layout) {
  if (is(&layout, scsi::write_using_token::layout)) {
    constexpr std::size_t at = scsi::write_using_token::token_at;
    if (task.data_out.size() < at + scsi::rod_token_bytes) return {};
    scsi::RodTokenBytes token;
    std::copy_n(task.data_out.begin() + at, token.size(), token.begin());
    return {token};
  }
  if (!is(&layout, scsi::receive_copy::rod_token_information_layout)) return {};
  const auto result = scsi::decode_rod_token_information(task.data_in);
  if (!result || !result->token) return {};
  return {*result->token};
}

// The sense stands behind its length (RFC 7143 11.4.7).
std::string outcome_of(const TracedPdu& answer) {
  const auto status = static_cast<scsi::Status>(iscsi::bhs::status.read(answer.header));
  std::string out(scsi::to_text(status));
  if (status == scsi::Status::check_condition && answer.data.size() > 2) {
    const auto sense = scsi::parse_sense(base::ByteView(answer.data).subspan(2));
    if (sense) out += " " + scsi::to_text(*sense);
  }
  return out;
}

// How the operation that was asked about went.
std::string told_of(const CopyTask& task, const scsi::CdbLayout& layout) {
  if (!is(&layout, scsi::receive_copy::rod_token_information_layout)) return {};
  const auto result = scsi::decode_rod_token_information(task.data_in);
  if (!result) return {};
  std::string out = fmt::format(", {} {}", copymgr::command_of(result->response_to_service_action),
                                copymgr::word_of(result->status));
  if (result->sense) out += " with " + scsi::to_text(*result->sense);
  return out;
}

std::string comment_of(const CopyTask& task, const std::string& outcome) {
  const scsi::CdbLayout* layout = layout_of(task.cdb);
  if (layout == nullptr) {
    return fmt::format("operation code {:02x}h, service action {:02x}h: {}", task.cdb[0],
                       scsi::service_action_of(task.cdb[0]).read(task.cdb), outcome);
  }
  std::string out(layout->name);
  if (const auto identifier = list_identifier_of(task, *layout))
    out += fmt::format(", list identifier 0x{:08x}", *identifier);
  for (const scsi::RodTokenBytes& token : tokens_of(task, *layout))
    out += ", token " + scsi::hash_of(token);
  return out + ": " + outcome + told_of(task, *layout);
}

// Goes through the PDUs in their order.
class Reader {
 public:
  explicit Reader(std::size_t pdus) : comments_(pdus) {}

  void read(std::size_t index, const TracedPdu& pdu);
  std::vector<std::string> comments();

 private:
  using Key = std::pair<net::TcpFlow, std::uint32_t>;  // a task belongs to its connection
  void begin(const Key& key, const TracedPdu& pdu);
  void end(const Key& key, const std::string& outcome);

  std::vector<std::string> comments_;
  std::map<Key, CopyTask> tasks_;
};

void Reader::begin(const Key& key, const TracedPdu& pdu) {
  using namespace iscsi::scsi_command_pdu;
  end(key, "no answer");
  const base::ByteView cdb = base::ByteView(pdu.header).subspan(cdb_at, cdb_bytes);
  if (cdb[0] != scsi::third_party_copy_out && cdb[0] != scsi::third_party_copy_in) return;
  tasks_[key] = {{cdb.begin(), cdb.end()}, pdu.data, {}, {}};
}

void Reader::end(const Key& key, const std::string& outcome) {
  const auto at = tasks_.find(key);
  if (at == tasks_.end()) return;
  const std::string comment = comment_of(at->second, outcome);
  for (const std::size_t index : at->second.pdus)
    comments_[index] = comment;
  tasks_.erase(at);
}

void Reader::read(std::size_t index, const TracedPdu& pdu) {
  if (!pdu.data_intact) comments_[index] = "came with a wrong data digest; the one here is right";
  const Opcode opcode = iscsi::opcode_of(pdu.header);
  const Key key{pdu.place.flow,
                static_cast<std::uint32_t>(iscsi::bhs::initiator_task_tag.read(pdu.header))};
  if (opcode == Opcode::scsi_command) begin(key, pdu);
  const auto at = tasks_.find(key);
  if (at == tasks_.end()) return;
  at->second.pdus.push_back(index);
  const std::uint64_t offset = iscsi::bhs::buffer_offset.read(pdu.header);
  if (opcode == Opcode::data_out) put_at(at->second.data_out, offset, pdu.data);
  if (opcode == Opcode::data_in) put_at(at->second.data_in, offset, pdu.data);
  const bool status_in_data =
      opcode == Opcode::data_in && iscsi::data_in_pdu::status_present.read(pdu.header) != 0;
  if (opcode == Opcode::scsi_response || status_in_data) end(key, outcome_of(pdu));
}

std::vector<std::string> Reader::comments() {
  while (!tasks_.empty())
    end(tasks_.begin()->first, "no answer yet");
  return std::move(comments_);
}

}  // namespace

std::vector<std::string> comments_on(std::span<const TracedPdu> pdus) {
  Reader reader(pdus.size());
  for (std::size_t i = 0; i < pdus.size(); ++i)
    reader.read(i, pdus[i]);
  return reader.comments();
}

}  // namespace admin
