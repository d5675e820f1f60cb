#include "scsi/extended_copy_parameters.hpp"

#include <algorithm>
#include <array>

namespace scsi {
namespace {

using base::ByteView;
using base::fail;
using sense::illegal_parameter;
using sense::invalid_field_in_parameter_list;

// Where the two forms of the list have the same things.
struct Form {
  std::size_t header_bytes;
  std::uint16_t first_cscd_id;
  Field list_identifier, cscd_list_length, segment_list_length, inline_data_length;
};
constexpr Form lid1{16,
                    0,
                    Field::bytes("LIST IDENTIFIER", 0, 1),
                    Field::bytes("CSCD DESCRIPTOR LIST LENGTH", 2, 2),
                    Field::bytes("SEGMENT DESCRIPTOR LIST LENGTH", 8, 4),
                    Field::bytes("INLINE DATA LENGTH", 12, 4)};
constexpr Form lid4{48,
                    1,
                    Field::bytes("LIST IDENTIFIER", 20, 4),
                    Field::bytes("CSCD DESCRIPTOR LIST LENGTH", 42, 2),
                    Field::bytes("SEGMENT DESCRIPTOR LIST LENGTH", 44, 2),
                    Field::bytes("INLINE DATA LENGTH", 46, 2)};

constexpr Field list_id_usage{"LIST ID USAGE", 1, 4, 2};

namespace lid4_header {
constexpr Field format = Field::bytes("PARAMETER LIST FORMAT", 0, 1);
constexpr Field cscd_length = Field::bytes("HEADER CSCD DESCRIPTOR LIST LENGTH", 2, 2);
constexpr Field g_sense = Field::flag("G_SENSE", 15, 1);
constexpr Field immed = Field::flag("IMMED", 15, 0);
constexpr Field cscd_type = Field::bytes("HEADER CSCD DESCRIPTOR TYPE CODE", 16, 1);
}  // namespace lid4_header

const Form& form_of(std::uint8_t service_action) {
  return service_action == extended_copy_lid4_service_action ? lid4 : lid1;
}

std::uint16_t offset_of(std::size_t at) {
  return static_cast<std::uint16_t>(at);
}

// What DESCRIPTOR LENGTH must say; 0, which it cannot be, where other lengths of the descriptor at
// the start of `rest` contradict it. Nullopt for a type that is not implemented.
std::optional<std::uint16_t> length_of(SegmentType type, ByteView rest) {
  switch (type) {
    case SegmentType::block_to_block:
      return 0x18;
    case SegmentType::verify_cscd:
      return 0x08;
    case SegmentType::block_to_block_with_offset:
      return 0x1c;
    case SegmentType::populate_rod_from_ranges:
      return populate_ranges_length(rest).value_or(0);
    case SegmentType::populate_rod_from_range:
      return populate_segment::range_length;
  }
  return std::nullopt;
}

// IMMED asks for a background operation, which nobody could find without an identifier, and which
// has no status that G_SENSE could go with (8.2: the sense of a CDB for a field of the list).
std::optional<Sense> check_lid4(ByteView list, ListIdUsage usage) {
  using namespace lid4_header;
  if (format.read(list) != 0x01) return invalid_field_in_parameter_list(format);
  if (lid4_header::cscd_length.read(list) != cscd::descriptor_bytes) {
    return invalid_field_in_parameter_list(lid4_header::cscd_length);
  }
  if (cscd_type.read(list) != static_cast<std::uint8_t>(CscdType::extension)) {
    return invalid_field_in_parameter_list(cscd_type);
  }
  const bool cannot_be_asked = g_sense.is_set(list) || usage == ListIdUsage::none;
  if (immed.is_set(list) && cannot_be_asked) {
    return sense::illegal_request(asc::invalid_field_in_cdb);
  }
  return std::nullopt;
}

// How the lists divide the bytes.
struct Lists {
  std::size_t cscds = 0, segments = 0, inline_data = 0;  // bytes
};

base::Result<Lists, Sense> divide(ByteView list, const Form& form,
                                  const ExtendedCopyLimits& limits) {
  const Lists out{form.cscd_list_length.read(list), form.segment_list_length.read(list),
                  form.inline_data_length.read(list)};
  if (out.cscds % cscd::descriptor_bytes != 0) {
    return fail(invalid_field_in_parameter_list(form.cscd_list_length));
  }
  if (out.cscds + out.segments > limits.maximum_descriptor_list_bytes) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  if (out.cscds / cscd::descriptor_bytes > limits.maximum_cscd_descriptors) {
    return fail(
        illegal_parameter(asc::too_many_target_descriptors, form.cscd_list_length.pointer()));
  }
  if (out.inline_data > limits.maximum_inline_data_bytes) {
    return fail(
        illegal_parameter(asc::inline_data_length_exceeded, form.inline_data_length.pointer()));
  }
  if (form.header_bytes + out.cscds + out.segments + out.inline_data > list.size()) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  return out;
}

base::Result<CscdDescriptor, Sense> decode_cscd(ByteView at, std::uint16_t offset) {
  CscdDescriptor out;
  out.at = offset;
  out.type = static_cast<CscdType>(cscd::type_code.read(at));
  if (out.type == CscdType::extension || out.type == CscdType::rod) return out;
  if (out.type != CscdType::identification) {
    return fail(
        illegal_parameter(asc::unsupported_target_descriptor_type_code, FieldPointer{offset}));
  }
  const std::size_t length = cscd::designator_length.read(at);
  if (length > cscd::designator_bytes_max) {
    return fail(invalid_field_in_parameter_list(cscd::designator_length, offset));
  }
  const ByteView designator = at.subspan(cscd::designator_at, length);
  out.nul = cscd::nul.is_set(at);
  out.device_type = static_cast<std::uint8_t>(cscd::device_type.read(at));
  out.code_set = static_cast<std::uint8_t>(cscd::code_set.read(at));
  out.association = static_cast<std::uint8_t>(cscd::association.read(at));
  out.designator_type = static_cast<std::uint8_t>(cscd::designator_type.read(at));
  out.designator.assign(designator.begin(), designator.end());
  out.pad = cscd::pad.is_set(at);
  out.block_length_bytes = static_cast<std::uint32_t>(cscd::block_length.read(at));
  return out;
}

// Of a whole descriptor.
SegmentDescriptor decode_segment(ByteView at, SegmentType type, std::uint16_t offset) {
  SegmentDescriptor out;
  out.type = type;
  out.at = offset;
  out.cat = segment::cat.is_set(at);
  out.dc = segment::dc.is_set(at);
  out.source_id = static_cast<std::uint16_t>(segment::source_id.read(at));
  out.destination_id = static_cast<std::uint16_t>(segment::destination_id.read(at));
  if (populates(type)) {
    out.ranges = decode_populated_ranges(at, type == SegmentType::populate_rod_from_ranges);
    return out;
  }
  if (type == SegmentType::verify_cscd) {
    out.test_unit_ready = segment::tur.is_set(at);
    return out;
  }
  out.source_lba = base::Lba(segment::source_lba.read(at));
  out.destination_lba = base::Lba(segment::destination_lba.read(at));
  if (type == SegmentType::block_to_block) {
    out.count = segment::block_count.read(at);
    return out;
  }
  out.count = segment::byte_count.read(at);
  out.source_offset = base::ByteCount(segment::source_offset.read(at));
  out.destination_offset = base::ByteCount(segment::destination_offset.read(at));
  return out;
}

// The length of the descriptor at the start of `rest`, which starts at `offset` in the list.
base::Result<std::size_t, Sense> check_segment(ByteView rest, std::uint16_t offset) {
  const auto type = static_cast<SegmentType>(segment::type_code.read(rest));
  const auto wanted = length_of(type, rest);
  if (!wanted) {
    return fail(
        illegal_parameter(asc::unsupported_segment_descriptor_type_code, FieldPointer{offset}));
  }
  const std::size_t whole = segment::header_bytes + *wanted;
  if (*wanted == 0 || rest.size() < segment::header_bytes ||
      segment::length.read(rest) != *wanted || rest.size() < whole) {
    return fail(invalid_field_in_parameter_list(segment::length, offset));
  }
  return whole;
}

}  // namespace

std::vector<std::uint8_t> implemented_descriptor_types() {
  std::vector<std::uint8_t> out;
  for (const SegmentType type :
       {SegmentType::block_to_block, SegmentType::verify_cscd,
        SegmentType::block_to_block_with_offset, SegmentType::populate_rod_from_ranges,
        SegmentType::populate_rod_from_range}) {
    out.push_back(static_cast<std::uint8_t>(type));
  }
  for (const CscdType type : {CscdType::identification, CscdType::rod, CscdType::extension}) {
    out.push_back(static_cast<std::uint8_t>(type));
  }
  return out;
}

base::Result<ExtendedCopyHeader, Sense> decode_extended_copy_header(ByteView list,
                                                                    std::uint8_t service_action) {
  const Form& form = form_of(service_action);
  if (list.size() < form.header_bytes) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  ExtendedCopyHeader out;
  out.service_action = service_action;
  out.list_identifier = static_cast<std::uint32_t>(form.list_identifier.read(list));
  out.list_id_usage = static_cast<ListIdUsage>(list_id_usage.read(list));
  if (service_action == extended_copy_lid4_service_action) {
    if (const auto bad = check_lid4(list, out.list_id_usage)) return fail(*bad);
    out.immed = lid4_header::immed.is_set(list);
    out.g_sense = lid4_header::g_sense.is_set(list);
  }
  constexpr std::uint64_t reserved_usage = 1;
  if (list_id_usage.read(list) == reserved_usage) {
    return fail(invalid_field_in_parameter_list(list_id_usage));
  }
  if (out.list_id_usage == ListIdUsage::none && out.list_identifier != 0) {
    return fail(invalid_field_in_parameter_list(form.list_identifier));
  }
  return out;
}

base::Result<ExtendedCopy, Sense> decode_extended_copy(ByteView list, std::uint8_t service_action,
                                                       const ExtendedCopyLimits& limits) {
  const Form& form = form_of(service_action);
  const auto lists = divide(list, form, limits);
  if (!lists) return fail(lists.error());
  ExtendedCopy out;
  out.first_cscd_id = form.first_cscd_id;
  const std::size_t segments_at = form.header_bytes + lists->cscds;
  for (std::size_t at = form.header_bytes; at < segments_at; at += cscd::descriptor_bytes) {
    auto decoded = decode_cscd(list.subspan(at, cscd::descriptor_bytes), offset_of(at));
    if (!decoded) return fail(decoded.error());
    if (decoded->type == CscdType::rod) {
      out.rods.push_back(decode_rod_cscd(list.subspan(at, cscd::descriptor_bytes)));
      out.rods.back().cscd_id = static_cast<std::uint16_t>(form.first_cscd_id + out.cscds.size());
      out.rods.back().at = offset_of(at);
    }
    out.cscds.push_back(std::move(*decoded));
  }
  const std::size_t end = segments_at + lists->segments;
  for (std::size_t at = segments_at; at < end;) {
    if (out.segments.size() == limits.maximum_segment_descriptors) {
      return fail(
          illegal_parameter(asc::too_many_segment_descriptors, form.segment_list_length.pointer()));
    }
    const ByteView rest = list.subspan(at, end - at);
    const auto whole = check_segment(rest, offset_of(at));
    if (!whole) return fail(whole.error());
    out.segments.push_back(decode_segment(rest, static_cast<SegmentType>(rest[0]), offset_of(at)));
    at += *whole;
  }
  if (const auto bad = resolve_rods(out, list.first(end + lists->inline_data), end)) {
    return fail(*bad);
  }
  return out;
}

const Field& extended_copy_list_identifier(std::uint8_t service_action) {
  return form_of(service_action).list_identifier;
}

std::size_t longest_extended_copy_list(const ExtendedCopyLimits& limits) {
  return std::max(lid1.header_bytes, lid4.header_bytes) + limits.maximum_descriptor_list_bytes +
         limits.maximum_inline_data_bytes;
}

}  // namespace scsi
