#include "scsi/third_party_copy_page.hpp"

#include <algorithm>
#include <array>

#include "scsi/field.hpp"

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t page_code = 0x8f;
constexpr Field page_length = Field::bytes("PAGE LENGTH", 2, 2);
constexpr Field descriptor_type = Field::bytes("DESCRIPTOR TYPE", 0, 2);
constexpr Field descriptor_length = Field::bytes("DESCRIPTOR LENGTH", 2, 2);
constexpr std::size_t descriptors_at = 4;

namespace rod_limits {
constexpr std::uint16_t type = 0x0000;
constexpr std::size_t bytes = 36;
constexpr Field vendor_mark = Field::bytes("vendor specific mark", 4, 2);
constexpr Field vendor_maximum_tokens = Field::bytes("vendor specific maximum tokens", 6, 4);
constexpr Field maximum_range_descriptors = Field::bytes("MAXIMUM RANGE DESCRIPTORS", 10, 2);
constexpr Field maximum_timeout = Field::bytes("MAXIMUM INACTIVITY TIMEOUT", 12, 4);
constexpr Field default_timeout = Field::bytes("DEFAULT INACTIVITY TIMEOUT", 16, 4);
constexpr Field maximum_token = Field::bytes("MAXIMUM TOKEN TRANSFER SIZE", 20, 8);
constexpr Field optimal_count = Field::bytes("OPTIMAL TRANSFER COUNT", 28, 8);
constexpr std::uint16_t mark = 0x434d;  // "CM"
}  // namespace rod_limits

constexpr std::uint16_t supported_commands_type = 0x0001;
constexpr std::uint16_t parameter_data_type = 0x0004;
constexpr std::uint16_t supported_descriptors_type = 0x0008;
constexpr std::uint16_t supported_cscd_ids_type = 0x000c;
constexpr std::uint16_t held_data_type = 0xc001;
constexpr std::uint16_t token_features_type = 0x0106;
constexpr std::uint16_t rod_types_type = 0x0108;
constexpr std::uint16_t general_operations_type = 0x8001;

// A descriptor of `type` with a zeroed body of `body` bytes, padded to a multiple of four.
Bytes descriptor(std::uint16_t type, std::size_t body) {
  Bytes out(4 + (body + 3) / 4 * 4);
  descriptor_type.write(out, type);
  descriptor_length.write(out, out.size() - 4);
  return out;
}

Bytes block_device_rod_limits(const BlockDeviceRodLimits& limits) {
  using namespace rod_limits;
  Bytes out = descriptor(type, bytes - 4);
  if (limits.maximum_tokens != 0) {
    vendor_mark.write(out, mark);
    vendor_maximum_tokens.write(out, limits.maximum_tokens);
  }
  maximum_range_descriptors.write(out, limits.maximum_range_descriptors);
  maximum_timeout.write(out, limits.maximum_inactivity_timeout_seconds);
  default_timeout.write(out, limits.default_inactivity_timeout_seconds);
  maximum_token.write(out, limits.maximum_token_transfer_size.value);
  optimal_count.write(out, limits.optimal_transfer_count.value);
  return out;
}

Bytes supported_commands(const std::vector<SupportedCommand>& commands) {
  Bytes list;
  for (const SupportedCommand& command : commands) {
    list.push_back(command.opcode);
    list.push_back(static_cast<std::uint8_t>(command.service_actions.size()));
    list.insert(list.end(), command.service_actions.begin(), command.service_actions.end());
  }
  Bytes out = descriptor(supported_commands_type, 1 + list.size());
  out[4] = static_cast<std::uint8_t>(list.size());
  std::copy(list.begin(), list.end(), out.begin() + 5);
  return out;
}

std::uint32_t or_no_limit(std::uint32_t seconds) {
  return seconds == 0 ? 0xffffffff : seconds;
}

Bytes rod_token_features(const ThirdPartyCopyPage& page) {
  constexpr std::size_t block_entry = 48;  // offset of the one block device entry
  constexpr std::uint64_t no_limit = ~std::uint64_t{0};
  Bytes out = descriptor(token_features_type, 0x5c);
  out[4] = page.remote_tokens & 0x0f;
  base::store_be32(out, 16, page.minimum_token_lifetime_seconds);
  base::store_be32(out, 20, or_no_limit(page.maximum_token_lifetime_seconds));
  base::store_be32(out, 24, or_no_limit(page.limits.maximum_inactivity_timeout_seconds));
  base::store_be16(out, 46, 48);
  base::store_be16(out, block_entry + 2, 0x2c);
  // If both are reported they must agree with descriptor 0000h (section 6.2). Unreported there, no
  // limit is reported here: else Block Limits' MAXIMUM TRANSFER LENGTH would be one (2.2 row 13).
  const base::BlockCount most = page.limits.maximum_token_transfer_size;
  base::store_be64(out, block_entry + 8,
                   most.value == 0 ? no_limit : page.block_length.to_bytes(most).value);
  base::store_be64(out, block_entry + 16,
                   page.block_length.to_bytes(page.limits.optimal_transfer_count).value);
  base::store_be64(out, block_entry + 24, no_limit);
  base::store_be64(out, block_entry + 32, no_limit);
  return out;
}

Bytes supported_rod_types(const std::vector<RodTypeSupport>& types) {
  constexpr std::size_t entry_bytes = 64;
  Bytes out = descriptor(rod_types_type, 4 + entry_bytes * types.size());
  base::store_be16(out, 6, static_cast<std::uint16_t>(entry_bytes * types.size()));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::size_t at = 8 + i * entry_bytes;
    base::store_be32(out, at, static_cast<std::uint32_t>(types[i].type));
    out[at + 4] =
        static_cast<std::uint8_t>((types[i].ecpy_int ? 0x80 : 0) | (types[i].token_in ? 0x02 : 0) |
                                  (types[i].token_out ? 0x01 : 0));
  }
  return out;
}

Bytes parameter_data(const ExtendedCopyLimits& limits) {
  Bytes out = descriptor(parameter_data_type, 0x1c);
  base::store_be16(out, 8, limits.maximum_cscd_descriptors);
  base::store_be16(out, 10, limits.maximum_segment_descriptors);
  base::store_be32(out, 12, limits.maximum_descriptor_list_bytes);
  base::store_be32(out, 16, limits.maximum_inline_data_bytes);
  return out;
}

Bytes supported_descriptors(const Bytes& types) {
  Bytes out = descriptor(supported_descriptors_type, 1 + types.size());
  out[4] = static_cast<std::uint8_t>(types.size());
  std::copy(types.begin(), types.end(), out.begin() + 5);
  return out;
}

Bytes supported_cscd_ids(const std::vector<std::uint16_t>& ids) {
  Bytes out = descriptor(supported_cscd_ids_type, 2 + 2 * ids.size());
  base::store_be16(out, 4, static_cast<std::uint16_t>(2 * ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i)
    base::store_be16(out, 6 + 2 * i, ids[i]);
  return out;
}

Bytes general_copy_operations(const ThirdPartyCopyPage& page) {
  Bytes out = descriptor(general_operations_type, 0x20);
  base::store_be32(out, 4, page.total_concurrent_copies);
  base::store_be32(out, 8, page.identified_concurrent_copies);
  if (page.extended_copy) base::store_be32(out, 12, page.extended_copy->maximum_segment_bytes);
  out[16] = page.segment_granularity_exponent;
  return out;
}

Bytes held_data() {
  Bytes out = descriptor(held_data_type, 0x1c);
  base::store_be32(out, 4, held_data_limit_bytes);
  return out;
}

}  // namespace

std::vector<std::uint8_t> encode(const ThirdPartyCopyPage& page) {
  Bytes out(descriptors_at);
  out[1] = page_code;
  const auto add = [&out](const Bytes& part) { out.insert(out.end(), part.begin(), part.end()); };
  if (page.offers_tokens) add(block_device_rod_limits(page.limits));
  add(supported_commands(page.commands));
  if (page.extended_copy) {
    add(parameter_data(*page.extended_copy));
    add(supported_descriptors(page.descriptor_types));
    add(supported_cscd_ids(page.cscd_ids));
  }
  if (page.offers_tokens) add(rod_token_features(page));
  if (page.offers_tokens || page.extended_copy) add(supported_rod_types(page.rod_types));
  add(general_copy_operations(page));
  if (page.holds_data) add(held_data());
  page_length.write(out, out.size() - 4);
  return out;
}

std::optional<BlockDeviceRodLimits> windows_reads(base::ByteView page) {
  using namespace rod_limits;
  if (page.size() < descriptors_at + bytes || page_length.read(page) < bytes) return std::nullopt;
  const base::ByteView first = page.subspan(descriptors_at);
  if (descriptor_type.read(first) != type || descriptor_length.read(first) != bytes - 4) {
    return std::nullopt;
  }
  BlockDeviceRodLimits out;
  out.maximum_range_descriptors = static_cast<std::uint16_t>(maximum_range_descriptors.read(first));
  out.maximum_inactivity_timeout_seconds = static_cast<std::uint32_t>(maximum_timeout.read(first));
  out.default_inactivity_timeout_seconds = static_cast<std::uint32_t>(default_timeout.read(first));
  out.maximum_token_transfer_size = base::BlockCount(maximum_token.read(first));
  out.optimal_transfer_count = base::BlockCount(optimal_count.read(first));
  if (vendor_mark.read(first) == mark) {
    out.maximum_tokens = static_cast<std::uint32_t>(vendor_maximum_tokens.read(first));
  }
  return out;
}

std::optional<std::uint8_t> remote_tokens_of(base::ByteView page) {
  for (std::size_t at = descriptors_at; at + 4 <= page.size();) {
    const base::ByteView here = page.subspan(at);
    if (descriptor_type.read(here) == token_features_type && here.size() > 4) {
      return static_cast<std::uint8_t>(here[4] & 0x0f);
    }
    at += 4 + descriptor_length.read(here);
  }
  return std::nullopt;
}

}  // namespace scsi
