#include "scsi/copy_results.hpp"

#include <algorithm>

namespace scsi {
namespace {

constexpr Field available_data = Field::bytes("AVAILABLE DATA", 0, 4);
constexpr Field response_to{"RESPONSE TO SERVICE ACTION", 4, 4, 5};
constexpr Field operation_status{"COPY OPERATION STATUS", 5, 6, 7};
constexpr Field operation_counter = Field::bytes("OPERATION COUNTER", 6, 2);
constexpr Field update_delay = Field::bytes("ESTIMATED STATUS UPDATE DELAY", 8, 4);
constexpr Field completion = Field::bytes("EXTENDED COPY COMPLETION STATUS", 12, 1);
constexpr Field sense_field_length = Field::bytes("LENGTH OF THE SENSE DATA FIELD", 13, 1);
constexpr Field sense_length = Field::bytes("SENSE DATA LENGTH", 14, 1);
constexpr Field units = Field::bytes("TRANSFER COUNT UNITS", 15, 1);
constexpr Field transfer_count = Field::bytes("TRANSFER COUNT", 16, 8);
constexpr Field segments_processed = Field::bytes("SEGMENTS PROCESSED", 24, 2);
constexpr std::size_t header_bytes = 32;
constexpr std::uint8_t units_bytes = 0x00;
constexpr std::uint8_t units_logical_blocks = 0xf1;
constexpr std::size_t token_descriptor_bytes = 2 + rod_token_bytes;

constexpr std::size_t padded_to_four(std::size_t n) {
  return (n + 3) / 4 * 4;
}

std::vector<std::uint8_t> encode_header(const CopyResult& result) {
  const FixedSense sense = result.sense ? to_fixed_format(*result.sense) : FixedSense();
  const std::size_t sense_space = padded_to_four(sense.size());
  std::vector<std::uint8_t> out(header_bytes + sense_space);
  response_to.write(out, result.response_to_service_action);
  operation_status.write(out, static_cast<std::uint8_t>(result.status));
  operation_counter.write(out, result.operation_counter);
  update_delay.write(out, result.estimated_status_update_delay_ms);
  completion.write(out, static_cast<std::uint8_t>(result.completion_status));
  units.write(out, result.bytes_transferred ? units_bytes : units_logical_blocks);
  transfer_count.write(out, result.bytes_transferred.value_or(result.transfer_count_blocks));
  segments_processed.write(out, result.segments_processed);
  sense_field_length.write(out, sense_space);
  sense_length.write(out, sense.size());
  std::copy(sense.begin(), sense.end(), out.begin() + header_bytes);
  available_data.write(out, out.size() - 4);
  return out;
}

// ID FOR CREATING ROD CSCD DESCRIPTOR, then the token.
void append_token_descriptor(std::vector<std::uint8_t>& out, const CopyResult::RodCscdToken& from) {
  const std::size_t at = out.size();
  out.resize(at + 2);
  base::store_be16(out, at, from.cscd_id);
  out.insert(out.end(), from.token.begin(), from.token.end());
}

}  // namespace

std::vector<std::uint8_t> encode_receive_copy_status(const CopyResult& result) {
  return encode_header(result);
}

std::vector<std::uint8_t> encode_rod_token_information(const CopyResult& result) {
  std::vector<std::uint8_t> out = encode_header(result);
  const std::size_t descriptors_at = out.size();
  out.resize(descriptors_at + 4);
  if (result.token) append_token_descriptor(out, {0, *result.token});
  for (const CopyResult::RodCscdToken& each : result.rod_cscd_tokens)
    append_token_descriptor(out, each);
  base::store_be32(out, descriptors_at,
                   static_cast<std::uint32_t>(out.size() - descriptors_at - 4));
  available_data.write(out, out.size() - 4);
  return out;
}

std::vector<std::uint8_t> encode_all_rod_tokens(const std::vector<RodTokenBytes>& tokens) {
  constexpr std::ptrdiff_t management_token_bytes = 96;
  std::vector<std::uint8_t> out(8);
  for (const RodTokenBytes& token : tokens) {
    out.insert(out.end(), token.begin(), token.begin() + management_token_bytes);
  }
  available_data.write(out, out.size() - 4);
  return out;
}

std::optional<CopyResult> decode_rod_token_information(base::ByteView bytes) {
  if (bytes.size() < header_bytes + 4 || units.read(bytes) != units_logical_blocks) {
    return std::nullopt;
  }
  const std::size_t sense_space = sense_field_length.read(bytes);
  const std::size_t descriptors_at = header_bytes + sense_space;
  if (sense_length.read(bytes) > sense_space || bytes.size() < descriptors_at + 4) {
    return std::nullopt;
  }
  CopyResult out;
  out.response_to_service_action = static_cast<std::uint8_t>(response_to.read(bytes));
  out.status = static_cast<CopyOperationStatus>(operation_status.read(bytes));
  out.operation_counter = static_cast<std::uint16_t>(operation_counter.read(bytes));
  out.estimated_status_update_delay_ms = static_cast<std::uint32_t>(update_delay.read(bytes));
  out.completion_status = static_cast<Status>(completion.read(bytes));
  out.transfer_count_blocks = transfer_count.read(bytes);
  if (sense_length.read(bytes) != 0) {
    out.sense = parse_sense(bytes.subspan(header_bytes, sense_length.read(bytes)));
  }
  const bool one_token = base::load_be32(bytes, descriptors_at) == token_descriptor_bytes &&
                         bytes.size() >= descriptors_at + 4 + token_descriptor_bytes;
  if (one_token) {
    out.token.emplace();
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(descriptors_at + 6), rod_token_bytes,
                out.token->begin());
  }
  return out;
}

}  // namespace scsi
