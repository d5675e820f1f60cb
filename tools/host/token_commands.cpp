#include "tools/host/token_commands.hpp"

#include <vector>

#include <fmt/format.h>

#include "scsi/copy_cdbs.hpp"
#include "scsi/token_parameters.hpp"

namespace host {
namespace {

using base::BlockCount;
using base::fail;
using scsi::CopyOperationStatus;
using scsi::CopyResult;

Trouble trouble_of(std::string_view command, const Reply& reply) {
  return {windows_verdict(reply).outcome, fmt::format("{}: {}", command, describe(reply)),
          reply.sense};
}

Trouble unsuccessful(std::string text) {
  return {Outcome::failed, "RECEIVE ROD TOKEN INFORMATION: " + std::move(text), std::nullopt};
}

// Sends until the answer is final or the retries are used up; BUSY is a matter of the port driver
// below and costs none.
Reply send(Lun& lun, const Command& command, unsigned retries, std::uint64_t& sent,
           TokenTraffic& traffic) {
  constexpr unsigned busy_retries = 20;
  for (unsigned busy = 0;;) {
    ++sent;
    Reply reply = execute(lun, command);
    const Verdict verdict = windows_verdict(reply);
    if (!verdict.retry) return reply;
    const bool is_busy =
        reply.status == scsi::Status::busy || reply.status == scsi::Status::task_set_full;
    if (is_busy ? ++busy > busy_retries : retries == 0) return reply;
    if (!is_busy) --retries;
    ++traffic.counters.retries;
    if (verdict.delay > base::Duration{0}) lun.pause(verdict.delay);
  }
}

Command token_command(const scsi::CdbLayout& layout, std::uint32_t list_identifier,
                      base::ByteView list) {
  Command command = make_command(layout);
  scsi::token_command::list_identifier.write(command.cdb, list_identifier);
  scsi::token_command::parameter_list_length.write(command.cdb, list.size());
  command.data_out = list;
  return command;
}

base::Result<std::vector<std::uint8_t>, Trouble> receive_rod_token_information(
    Lun& lun, std::uint32_t list_identifier, std::uint32_t allocation, unsigned retries,
    TokenTraffic& traffic) {
  std::vector<std::uint8_t> data(allocation);
  Command command = make_command(scsi::receive_copy::rod_token_information_layout);
  scsi::receive_copy::list_identifier.write(command.cdb, list_identifier);
  scsi::receive_copy::allocation_length.write(command.cdb, allocation);
  command.data_in = data;
  const Reply reply =
      send(lun, command, retries, traffic.counters.receive_rod_token_information, traffic);
  if (!reply.good()) return fail(trouble_of(command.name, reply));
  data.resize(reply.data_in_bytes);
  return data;
}

// 01h, 02h, 03h and 60h end an operation for Windows; every other value counts as not complete.
bool ends_operation(CopyOperationStatus status) {
  return status == CopyOperationStatus::completed ||
         status == CopyOperationStatus::completed_with_errors ||
         status == CopyOperationStatus::completed_with_residual ||
         status == CopyOperationStatus::terminated;
}

Trouble failed_operation(const CopyResult& result, std::string_view fallback) {
  Trouble trouble = unsuccessful(result.sense ? describe(*result.sense) : std::string(fallback));
  trouble.sense = result.sense;
  return trouble;
}

// A record of another service action is left over from an earlier operation; only Windows' debug
// builds look.
base::Result<CopyResult, Trouble> read_result(base::ByteView data, const scsi::CdbLayout& command) {
  const auto result = scsi::decode_rod_token_information(data);
  if (!result) return fail(unsuccessful(fmt::format("{} bytes that cannot be read", data.size())));
  if (result->response_to_service_action != command.service_action) {
    return fail(unsuccessful(fmt::format("a record of another command, not of {}", command.name)));
  }
  if (!ends_operation(result->status)) {
    return fail(unsuccessful(fmt::format("COPY OPERATION STATUS {:02X}h, not complete",
                                         static_cast<unsigned>(result->status))));
  }
  return *result;
}

// Blocks that may be counted: none after errors, none where the array claims more than was asked.
BlockCount counted(const CopyResult& result, BlockCount asked) {
  const bool errors = result.status == CopyOperationStatus::completed_with_errors ||
                      result.status == CopyOperationStatus::terminated;
  return errors || result.transfer_count_blocks > asked.value
             ? BlockCount()
             : BlockCount(result.transfer_count_blocks);
}

std::string uncounted(const CopyResult& result, BlockCount asked) {
  if (result.transfer_count_blocks > asked.value) {
    return fmt::format("TRANSFER COUNT {} although {} blocks were asked for",
                       result.transfer_count_blocks, asked.value);
  }
  return fmt::format("COPY OPERATION STATUS {:02X}h, no blocks transferred",
                     static_cast<unsigned>(result.status));
}

// What a failed or silent WRITE USING TOKEN has done nevertheless; the array's own record decides.
WriteProgress ask_what_was_written(Lun& destination, std::uint32_t list_identifier,
                                   BlockCount asked, std::uint32_t answer_bytes,
                                   const Trouble& first, TokenTraffic& traffic) {
  const auto data = receive_rod_token_information(destination, list_identifier, answer_bytes,
                                                  write_using_token_answer_retries, traffic);
  if (!data) return {BlockCount(), first};
  const auto written = read_blocks_written(*data, asked);
  if (written) return {*written, std::nullopt};
  // The command's own sense says more than a record without one.
  return {BlockCount(), written.error().sense || !first.sense ? written.error() : first};
}

}  // namespace

base::Result<PopulatedToken, Trouble> read_populated_token(base::ByteView data, BlockCount asked) {
  const auto result = read_result(data, scsi::populate_token::layout);
  if (!result) return fail(result.error());
  const BlockCount blocks = counted(*result, asked);
  if (!result->token) return fail(failed_operation(*result, "no token in the answer"));
  if (blocks.value == 0) return fail(failed_operation(*result, uncounted(*result, asked)));
  return PopulatedToken{*result->token, blocks};
}

base::Result<BlockCount, Trouble> read_blocks_written(base::ByteView data, BlockCount asked) {
  const auto result = read_result(data, scsi::write_using_token::layout);
  if (!result) return fail(result.error());
  const BlockCount blocks = counted(*result, asked);
  if (blocks.value == 0) return fail(failed_operation(*result, uncounted(*result, asked)));
  return blocks;
}

base::Result<PopulatedToken, Trouble> offload_read(Lun& source, const base::BlockRange& range,
                                                   std::uint32_t inactivity_timeout_seconds,
                                                   TokenTraffic& traffic) {
  scsi::PopulateToken request;
  request.inactivity_timeout_seconds = inactivity_timeout_seconds;
  request.ranges = {range};
  const std::vector<std::uint8_t> list = scsi::encode(request);
  const std::uint32_t list_identifier = traffic.list_identifiers.next();
  const Command command = token_command(scsi::populate_token::layout, list_identifier, list);
  const Reply reply =
      send(source, command, populate_token_retries, traffic.counters.populate_token, traffic);
  const Outcome outcome = windows_verdict(reply).outcome;
  if (outcome != Outcome::good && outcome != Outcome::truncated) {
    return fail(trouble_of(command.name, reply));
  }
  const auto data = receive_rod_token_information(
      source, list_identifier, populate_token_answer_bytes, populate_token_answer_retries, traffic);
  if (!data) return fail(data.error());
  auto token = read_populated_token(*data, range.count);
  if (token) ++traffic.counters.tokens;
  return token;
}

WriteProgress offload_write(Lun& destination, const OffloadWrite& write, std::uint32_t answer_bytes,
                            TokenTraffic& traffic) {
  scsi::WriteUsingToken request;
  request.offset_into_rod = write.offset_into_rod;
  request.token = write.token;
  request.ranges = {write.range};
  const std::vector<std::uint8_t> list = scsi::encode(request);
  const std::uint32_t list_identifier = traffic.list_identifiers.next();
  const Command command = token_command(scsi::write_using_token::layout, list_identifier, list);
  const Reply reply = send(destination, command, write_using_token_retries,
                           traffic.counters.write_using_token, traffic);
  const Verdict verdict = windows_verdict(reply);
  const BlockCount asked = write.range.count;
  if (verdict.outcome == Outcome::good) return {asked, std::nullopt};
  if (verdict.outcome == Outcome::undelivered || verdict.outcome == Outcome::invalid_token) {
    return {BlockCount(), trouble_of(command.name, reply)};
  }
  if (verdict.outcome == Outcome::truncated) {
    ++traffic.counters.short_writes;
    // Windows does not check this number; a wrong one would leave blocks unwritten.
    const std::uint64_t told = reply.sense->information.value_or(0);
    if (told != 0 && told <= asked.value) return {BlockCount(told), std::nullopt};
  }
  return ask_what_was_written(destination, list_identifier, asked, answer_bytes,
                              trouble_of(command.name, reply), traffic);
}

}  // namespace host
