#include "fake_array.hpp"

#include "scsi/block_cdbs.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/inquiry_data.hpp"
#include "scsi/primary_cdbs.hpp"

namespace host::test {

using scsi::SenseKey;
namespace asc = scsi::asc;

Reply good(std::size_t data_in_bytes) {
  Reply reply;
  reply.delivered = true;
  reply.data_in_bytes = data_in_bytes;
  return reply;
}

Reply with_status(scsi::Status status) {
  Reply reply = good();
  reply.status = status;
  return reply;
}

Reply with_sense(const scsi::Sense& sense) {
  Reply reply = with_status(scsi::Status::check_condition);
  // Through its bytes, as on the wire.
  reply.sense = scsi::parse_sense(scsi::to_fixed_format(sense));
  return reply;
}

scsi::Sense sense_of(SenseKey key, scsi::AdditionalSense additional,
                     std::optional<std::uint64_t> information) {
  scsi::Sense sense = scsi::sense::make(key, additional);
  sense.information = information;
  return sense;
}

scsi::Sense underrun(std::optional<std::uint64_t> information) {
  return sense_of(SenseKey::copy_aborted, asc::copy_target_data_underrun, information);
}

namespace {

Reply answer(const Command& command, const Bytes& data) {
  const std::size_t bytes = std::min(data.size(), command.data_in.size());
  std::copy_n(data.begin(), bytes, command.data_in.begin());
  return good(bytes);
}

}  // namespace

FakeLun::FakeLun(FakeArray& array, std::uint64_t blocks, std::uint32_t length)
    : memory(blocks * length), block_length{length}, array_(array) {
  scsi::UnitIdentity identity;
  identity.vendor = "FAKE";
  standard_inquiry = scsi::standard_inquiry(identity, scsi::Presence::connected);
  supported_pages = scsi::supported_vpd_pages({0x00, 0x83, 0x8f, 0xb0});
  block_limits_page = scsi::block_limits_page({});
  scsi::ThirdPartyCopyPage page;
  page.commands = {{0x83, {0x10, 0x11}}, {0x84, {0x07}}};
  page.block_length = block_length;
  third_party_copy_page = scsi::encode(page);
}

void FakeLun::start(const Command& command, Done done) {
  queue_.emplace_back(command, std::move(done));
  in_flight_most = std::max(in_flight_most, queue_.size());
}

void FakeLun::service(short) {
  if (queue_.empty()) return;
  // One at a time, so that several stay in flight; in any order where the test wants it.
  std::size_t at = 0;
  if (array_.answers_out_of_order) at = array_.shuffle() % queue_.size();
  auto [command, done] = std::move(queue_[at]);
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(at));
  seen.push_back(command);
  done(run(command));
}

base::ByteSpan FakeLun::block_span(std::uint64_t lba, std::uint64_t count) {
  return base::ByteSpan(memory).subspan(lba * block_length.bytes, count * block_length.bytes);
}

std::size_t FakeLun::count(std::uint8_t opcode, int service_action) const {
  return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Command& c) {
    return c.cdb[0] == opcode && (service_action < 0 || (c.cdb[1] & 0x1f) == service_action);
  }));
}

void FakeLun::fill(std::uint32_t seed) {
  std::mt19937 engine(seed);
  for (std::uint8_t& byte : memory)
    byte = static_cast<std::uint8_t>(engine());
}

Reply FakeLun::run(const Command& command) {
  if (intercept) {
    if (auto reply = intercept(command)) return *reply;
  }
  if (command.cdb[0] != 0x12 && !next_replies.empty()) {
    const Reply reply = next_replies.front();
    next_replies.pop_front();
    return reply;
  }
  const unsigned action = command.cdb[1] & 0x1f;
  switch (command.cdb[0]) {
    case 0x00:
    case 0x35:
      return good();
    case 0x12:
      return inquiry(command);
    case 0x9e:
      return capacity(command);
    case 0x88:
      return media(command, false);
    case 0x8a:
      return media(command, true);
    case 0x83:
      return action == 0x10 ? populate_token(command) : write_using_token(command);
    case 0x84:
      return token_information(command);
    default:
      return with_sense(scsi::sense::invalid_operation_code());
  }
}

Reply FakeLun::inquiry(const Command& command) {
  if (!scsi::inquiry::evpd.is_set(command.cdb)) return answer(command, standard_inquiry);
  switch (command.cdb[2]) {
    case 0x00:
      return answer(command, supported_pages);
    case 0x8f:
      return answer(command, third_party_copy_page);
    case 0xb0:
      return answer(command, block_limits_page);
    default:
      return with_sense(scsi::sense::invalid_field_in_cdb(scsi::inquiry::page_code));
  }
}

Reply FakeLun::capacity(const Command& command) {
  return answer(command,
                scsi::read_capacity_16_data({base::BlockCount(blocks()), block_length, 0}));
}

Reply FakeLun::media(const Command& command, bool write) {
  const auto request = scsi::media::decode(command.cdb);
  if (!within(request.range, base::BlockCount(blocks()))) {
    return with_sense(scsi::sense::lba_out_of_range(blocks()));
  }
  const base::ByteSpan here = block_span(request.range.first.value, request.range.count.value);
  if (write) {
    if (command.data_out.size() != here.size()) return with_status(scsi::Status::task_aborted);
    std::copy(command.data_out.begin(), command.data_out.end(), here.begin());
    return good();
  }
  if (command.data_in.size() != here.size()) return with_status(scsi::Status::task_aborted);
  std::copy(here.begin(), here.end(), command.data_in.begin());
  return good(here.size());
}

Reply FakeLun::populate_token(const Command& command) {
  scsi::TokenCommandLimits limits;
  limits.capacity = base::BlockCount(blocks());
  const auto request = scsi::decode_populate_token(command.data_out, limits);
  if (!request) return with_sense(request.error());
  const Behaviour& how = array_.behaviour;
  FakeArray::Rod rod;
  for (const base::BlockRange& range : request->ranges) {
    const auto bytes = block_span(range.first.value, range.count.value);
    rod.bytes.insert(rod.bytes.end(), bytes.begin(), bytes.end());
  }
  if (how.blocks_per_token_max != 0) {
    rod.bytes.resize(
        std::min<std::size_t>(rod.bytes.size(), how.blocks_per_token_max * block_length.bytes));
  }
  scsi::CopyResult record;
  record.response_to_service_action = 0x10;
  record.transfer_count_blocks =
      how.tokens_of_zero_blocks ? 0 : rod.bytes.size() / block_length.bytes;
  if (record.transfer_count_blocks != request->total().value) {
    record.status = scsi::CopyOperationStatus::completed_with_residual;
  }
  if (how.transfer_count_lie) record.transfer_count_blocks = *how.transfer_count_lie;
  if (how.operation_status) {
    record.status = static_cast<scsi::CopyOperationStatus>(*how.operation_status);
  }
  scsi::RodTokenFields fields;
  fields.identifier = array_.next_token++;
  if (!how.tokens_missing) record.token = scsi::encode(fields);
  array_.tokens[fields.identifier] = std::move(rod);
  const auto list_identifier = scsi::token_command::list_identifier.read(command.cdb);
  array_.records[static_cast<std::uint32_t>(list_identifier)] = record;
  return good();
}

std::uint64_t FakeLun::move(const scsi::WriteUsingToken& request, const Bytes& rod,
                            std::uint64_t most) {
  std::uint64_t done = 0;
  for (const base::BlockRange& range : request.ranges) {
    for (std::uint64_t i = 0; i < range.count.value && done < most; ++i, ++done) {
      const std::uint64_t lba = range.first.value + i;
      if (array_.behaviour.bad_destination_lba == lba) return done;
      const auto from = (request.offset_into_rod.value + done) * block_length.bytes;
      std::copy_n(rod.begin() + static_cast<std::ptrdiff_t>(from), block_length.bytes,
                  block_span(lba, 1).begin());
    }
  }
  return done;
}

Reply FakeLun::write_using_token(const Command& command) {
  scsi::TokenCommandLimits limits;
  limits.capacity = base::BlockCount(blocks());
  const auto request = scsi::decode_write_using_token(command.data_out, limits);
  if (!request) return with_sense(request.error());
  const Behaviour& how = array_.behaviour;
  const auto token = array_.tokens.find(scsi::identifier_of(request->token));
  if (token == array_.tokens.end()) {
    return with_sense(scsi::sense::illegal_request(asc::token_unknown));
  }
  if (how.writes_per_token_max != 0 && token->second.writes++ >= how.writes_per_token_max) {
    return with_sense(scsi::sense::illegal_request(asc::token_expired));
  }
  const std::uint64_t asked = request->total().value;
  const std::uint64_t most =
      how.blocks_per_write_max == 0 ? asked : std::min(asked, how.blocks_per_write_max);
  const std::uint64_t done = move(*request, token->second.bytes, most);
  scsi::CopyResult record;
  record.response_to_service_action = 0x11;
  record.transfer_count_blocks = how.transfer_count_lie.value_or(done);
  Reply reply = good();
  if (done < most) {
    record.sense = sense_of(SenseKey::medium_error, asc::write_error);
    reply = with_sense(*record.sense);
    record.status = how.bad_write_leaves_count && done != 0
                        ? scsi::CopyOperationStatus::completed_with_residual
                        : scsi::CopyOperationStatus::completed_with_errors;
  } else if (done < asked) {
    record.status = scsi::CopyOperationStatus::completed_with_residual;
    reply = with_sense(underrun(how.information_missing
                                    ? std::nullopt
                                    : std::optional(how.information_lie.value_or(done))));
  }
  if (how.operation_status) {
    record.status = static_cast<scsi::CopyOperationStatus>(*how.operation_status);
  }
  const auto list_identifier = scsi::token_command::list_identifier.read(command.cdb);
  array_.records[static_cast<std::uint32_t>(list_identifier)] = record;
  return reply;
}

Reply FakeLun::token_information(const Command& command) {
  const auto list_identifier = scsi::receive_copy::list_identifier.read(command.cdb);
  const auto record = array_.records.find(static_cast<std::uint32_t>(list_identifier));
  if (record == array_.records.end() || array_.behaviour.records_missing) {
    return with_sense(scsi::sense::invalid_field_in_cdb(scsi::receive_copy::list_identifier));
  }
  return answer(command, scsi::encode_rod_token_information(record->second));
}

}  // namespace host::test
