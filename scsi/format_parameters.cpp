#include "scsi/format_parameters.hpp"

#include <array>

namespace scsi {

using base::fail;

namespace {

namespace fields = format_unit;

enum : std::uint8_t { short_block_format = 0, physical_sector_format = 5 };
enum : std::uint8_t { default_pattern = 0x00, repeated_pattern = 0x01 };

// How a host asks for protection information of each type (SBC-4 5.4, the table of FMTPINFO).
struct ProtectionChoice {
  std::uint8_t fmtpinfo, usage;
};
constexpr std::array<ProtectionChoice, 4> protection_choices{
    {{0b00, 0b000}, {0b10, 0b000}, {0b11, 0b000}, {0b11, 0b001}}};

// What stands in the CDB alone. Without a parameter list LONGLIST and CMPLST are ignored, and every
// format but the first is reserved.
std::optional<Sense> check_cdb(base::ByteView cdb, const ProtectionChoice& protection) {
  // Without a list PROTECTION FIELD USAGE is zero.
  const bool usage_can_fit = fields::fmtdata.is_set(cdb) || protection.usage == 0;
  if (fields::fmtpinfo.read(cdb) != protection.fmtpinfo || !usage_can_fit) {
    return sense::invalid_field_in_cdb(fields::fmtpinfo);
  }
  const std::uint64_t most =
      fields::fmtdata.is_set(cdb) ? physical_sector_format : short_block_format;
  if (fields::defect_list_format.read(cdb) > most) {
    return sense::invalid_field_in_cdb(fields::defect_list_format);
  }
  return std::nullopt;
}

// The options count only with FOV; without, none may be set.
std::optional<Sense> check_header(base::ByteView list, bool is_long,
                                  const ProtectionChoice& protection) {
  for (const Field& field : {fields::reserved_0, fields::vendor_specific}) {
    if (field.is_set(list)) return sense::invalid_field_in_parameter_list(field);
  }
  if (fields::protection_field_usage.read(list) != protection.usage) {
    return sense::invalid_field_in_parameter_list(fields::protection_field_usage);
  }
  if (!fields::fov.is_set(list)) {
    for (const Field& field : {fields::dpry, fields::dcrt, fields::stpf, fields::ip, fields::dsp}) {
      if (field.is_set(list)) return sense::invalid_field_in_parameter_list(field);
    }
  }
  if (is_long) {
    for (const Field& field :
         {fields::long_reserved, fields::p_i_information, fields::protection_interval_exponent}) {
      if (field.is_set(list)) return sense::invalid_field_in_parameter_list(field);
    }
  }
  const Field& defects =
      is_long ? fields::long_defect_list_length : fields::short_defect_list_length;
  if (defects.is_set(list)) return sense::invalid_field_in_parameter_list(defects);
  return std::nullopt;
}

// SI promises that nothing can be recovered, from whatever lies below, which only SANITIZE may
// promise here: it is refused.
std::optional<Sense> check_descriptor(base::ByteView descriptor, std::uint16_t at,
                                      base::BlockLength block_length) {
  const auto refuse = [at](const Field& field) {
    return sense::invalid_field_in_parameter_list(field, at);
  };
  for (const Field& field : {fields::ip_modifier, fields::si, fields::ip_reserved}) {
    if (field.is_set(descriptor)) return refuse(field);
  }
  const std::uint64_t type = fields::pattern_type.read(descriptor);
  if (type > repeated_pattern) return refuse(fields::pattern_type);
  const std::uint64_t length = fields::pattern_length.read(descriptor);
  const bool fits =
      type == default_pattern ? length == 0 : length > 0 && length <= block_length.bytes;
  if (!fits) return refuse(fields::pattern_length);
  return std::nullopt;
}

}  // namespace

base::Result<FormatUnit, Sense> decode_format_unit(base::ByteView cdb, base::ByteView list,
                                                   base::BlockLength block_length,
                                                   std::uint8_t protection_type) {
  const ProtectionChoice& protection = protection_choices.at(protection_type);
  if (auto bad = check_cdb(cdb, protection)) return fail(*bad);
  FormatUnit out;
  if (!fields::fmtdata.is_set(cdb)) return out;
  const bool is_long = fields::longlist.is_set(cdb);
  const Sense too_short = sense::illegal_request(asc::parameter_list_length_error);
  out.list_bytes = is_long ? fields::long_header_bytes : fields::short_header_bytes;
  if (list.size() < out.list_bytes) return fail(too_short);
  if (auto bad = check_header(list, is_long, protection)) return fail(*bad);
  out.immed = fields::immed.is_set(list);
  out.saves_parameters = !fields::dsp.is_set(list);
  if (!fields::ip.is_set(list)) return out;

  const base::ByteView descriptor = list.subspan(out.list_bytes);
  if (descriptor.size() < fields::pattern_at) return fail(too_short);
  const auto at = static_cast<std::uint16_t>(out.list_bytes);
  if (auto bad = check_descriptor(descriptor, at, block_length)) return fail(*bad);
  const std::size_t length = fields::pattern_length.read(descriptor);
  if (descriptor.size() < fields::pattern_at + length) return fail(too_short);
  const base::ByteView pattern = descriptor.subspan(fields::pattern_at, length);
  out.pattern.assign(pattern.begin(), pattern.end());
  out.list_bytes += fields::pattern_at + length;
  return out;
}

}  // namespace scsi
