#include "scsi/sense.hpp"

#include <fmt/format.h>

namespace scsi {
namespace {

constexpr Field response_code{"RESPONSE CODE", 0, 6, 7};

// Fixed format.
constexpr Field valid = Field::flag("VALID", 0, 7);
constexpr Field fixed_key{"SENSE KEY", 2, 3, 4};
constexpr Field information = Field::bytes("INFORMATION", 3, 4);
constexpr Field additional_length = Field::bytes("ADDITIONAL SENSE LENGTH", 7, 1);
constexpr Field source_answer_at = Field::bytes("source status and sense offset", 8, 1);
constexpr Field destination_answer_at = Field::bytes("destination status and sense offset", 9, 1);
constexpr Field failed_segment = Field::bytes("segment number", 10, 2);
constexpr Field fixed_asc = Field::bytes("ADDITIONAL SENSE CODE", 12, 1);
constexpr Field fixed_ascq = Field::bytes("ADDITIONAL SENSE CODE QUALIFIER", 13, 1);
constexpr Field sksv = Field::flag("SKSV", 15, 7);
constexpr Field command_data = Field::flag("C/D", 15, 6);
constexpr Field segment_pointer = Field::flag("SD", 15, 5);
constexpr Field bpv = Field::flag("BPV", 15, 3);
constexpr Field bit_pointer{"BIT POINTER", 15, 2, 3};
constexpr Field field_pointer = Field::bytes("FIELD POINTER", 16, 2);
constexpr Field progress_indication = Field::bytes("PROGRESS INDICATION", 16, 2);

std::optional<Sense> parse_fixed(base::ByteView bytes) {
  if (bytes.size() < 14) return std::nullopt;
  Sense out;
  out.key = static_cast<SenseKey>(fixed_key.read(bytes));
  out.additional = {static_cast<std::uint8_t>(fixed_asc.read(bytes)),
                    static_cast<std::uint8_t>(fixed_ascq.read(bytes))};
  if (valid.is_set(bytes)) out.information = information.read(bytes);
  if (bytes.size() >= fixed_sense_bytes && sksv.is_set(bytes) &&
      out.key == SenseKey::illegal_request) {
    out.points_into =
        command_data.is_set(bytes) ? Sense::PointsInto::cdb : Sense::PointsInto::parameter_list;
    out.field = {static_cast<std::uint16_t>(field_pointer.read(bytes)),
                 static_cast<std::uint8_t>(bit_pointer.read(bytes)), bpv.is_set(bytes)};
    if (!out.field.bit_valid) out.field.bit = 7;
  }
  if (bytes.size() >= fixed_sense_bytes && sksv.is_set(bytes) && out.key == SenseKey::not_ready) {
    out.progress = static_cast<std::uint16_t>(progress_indication.read(bytes));
  }
  return out;
}

std::optional<Sense> parse_descriptor(base::ByteView bytes) {
  if (bytes.size() < 8) return std::nullopt;
  Sense out;
  out.key = static_cast<SenseKey>(bytes[1] & 0x0f);
  out.additional = {bytes[2], bytes[3]};
  for (std::size_t at = 8; at + 2 <= bytes.size(); at += 2 + bytes[at + 1]) {
    const bool information_descriptor = bytes[at] == 0x00 && bytes[at + 1] == 0x0a;
    if (information_descriptor && at + 12 <= bytes.size() && (bytes[at + 2] & 0x80) != 0) {
      out.information = base::load_be64(bytes, at + 4);
    }
    const bool progress_descriptor =
        bytes[at] == 0x02 && bytes[at + 1] == 0x06 && out.key == SenseKey::not_ready;
    if (progress_descriptor && at + 8 <= bytes.size() && (bytes[at + 4] & 0x80) != 0) {
      out.progress = static_cast<std::uint16_t>(base::load_be16(bytes, at + 5));
    }
  }
  return out;
}

// One SCSI status byte, then the sense of a CSCD if it gave any (wire reference 8.9).
void append_answer(FixedSense& out, const CscdAnswer& answer) {
  const bool of_source = answer.side == CscdAnswer::Side::source;
  (of_source ? source_answer_at : destination_answer_at).write(out, out.size());
  out.push_back(static_cast<std::uint8_t>(answer.status));
  if (answer.key != SenseKey::no_sense) {
    Sense theirs = sense::make(answer.key, answer.additional);
    theirs.information = answer.information;
    const FixedSense bytes = to_fixed_format(theirs);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  additional_length.write(out, out.size() - 8);
}

}  // namespace

FixedSense to_fixed_format(const Sense& sense) {
  FixedSense out(fixed_sense_bytes);
  response_code.write(out, 0x70);
  fixed_key.write(out, static_cast<std::uint8_t>(sense.key));
  additional_length.write(out, fixed_sense_bytes - 8);
  fixed_asc.write(out, sense.additional.code);
  fixed_ascq.write(out, sense.additional.qualifier);
  // The fixed format has 32 bits; a larger value cannot be told (SPC-4 4.5.3).
  if (sense.information && *sense.information <= UINT32_MAX) {
    valid.write(out, 1);
    information.write(out, *sense.information);
  }
  if (sense.points_into != Sense::PointsInto::nothing) {
    sksv.write(out, 1);
    command_data.write(out, sense.points_into == Sense::PointsInto::cdb);
    segment_pointer.write(out, sense.points_into == Sense::PointsInto::segment_descriptor);
    field_pointer.write(out, sense.field.byte);
    if (sense.field.bit_valid) {
      bpv.write(out, 1);
      bit_pointer.write(out, sense.field.bit);
    }
  }
  if (sense.progress) {
    sksv.write(out, 1);
    progress_indication.write(out, *sense.progress);
  }
  if (sense.segment) failed_segment.write(out, *sense.segment);
  if (sense.cscd_answer) append_answer(out, *sense.cscd_answer);
  return out;
}

std::vector<std::uint8_t> to_descriptor_format(const Sense& sense) {
  constexpr std::uint8_t header_bytes = 8, information_bytes = 12, sense_key_specific_bytes = 8;
  std::vector<std::uint8_t> out(header_bytes);
  out[0] = 0x72;
  out[1] = static_cast<std::uint8_t>(sense.key);
  out[2] = sense.additional.code;
  out[3] = sense.additional.qualifier;
  if (sense.information) {
    out.resize(header_bytes + information_bytes);
    out[7] = information_bytes;
    out[header_bytes + 1] = information_bytes - 2;
    out[header_bytes + 2] = 0x80;  // VALID
    base::store_be64(out, header_bytes + 4, *sense.information);
  }
  if (sense.progress) {
    const std::size_t at = out.size();
    out.resize(at + sense_key_specific_bytes);
    out[7] = static_cast<std::uint8_t>(out.size() - header_bytes);
    out[at] = 0x02;
    out[at + 1] = sense_key_specific_bytes - 2;
    out[at + 4] = 0x80;  // SKSV
    base::store_be16(out, at + 5, *sense.progress);
  }
  return out;
}

std::optional<Sense> parse_sense(base::ByteView bytes) {
  if (bytes.empty()) return std::nullopt;
  switch (response_code.read(bytes)) {
    case 0x70:
    case 0x71:
      return parse_fixed(bytes);
    case 0x72:
    case 0x73:
      return parse_descriptor(bytes);
    default:
      return std::nullopt;
  }
}

namespace {

std::string_view name_of(Sense::PointsInto where) {
  switch (where) {
    case Sense::PointsInto::cdb:
      return "CDB";
    case Sense::PointsInto::segment_descriptor:
      return "segment descriptor";
    case Sense::PointsInto::nothing:
    case Sense::PointsInto::parameter_list:
      break;
  }
  return "parameter list";
}

}  // namespace

std::string to_text(const Sense& sense) {
  std::string text = fmt::format("{:02X}/{:02X}/{:02X}", static_cast<unsigned>(sense.key),
                                 sense.additional.code, sense.additional.qualifier);
  if (sense.points_into != Sense::PointsInto::nothing) {
    text += fmt::format(" at {} byte {}", name_of(sense.points_into), sense.field.byte);
    if (sense.field.bit_valid) text += fmt::format(" bit {}", sense.field.bit);
  }
  if (sense.information) text += fmt::format(" information {}", *sense.information);
  if (sense.progress) text += fmt::format(" {}/65536 done", *sense.progress);
  if (sense.segment) text += fmt::format(" segment {}", *sense.segment);
  return text;
}

namespace sense {

Sense make(SenseKey key, AdditionalSense additional) {
  Sense out;
  out.key = key;
  out.additional = additional;
  return out;
}

Sense illegal_request(AdditionalSense additional) {
  return make(SenseKey::illegal_request, additional);
}

Sense invalid_operation_code() {
  return illegal_request(asc::invalid_operation_code);
}

Sense invalid_field_in_cdb(FieldPointer at) {
  Sense out = illegal_request(asc::invalid_field_in_cdb);
  out.points_into = Sense::PointsInto::cdb;
  out.field = at;
  return out;
}

Sense invalid_field_in_cdb(const Field& field) {
  return invalid_field_in_cdb(field.pointer());
}

Sense illegal_parameter(AdditionalSense additional, FieldPointer at) {
  Sense out = illegal_request(additional);
  out.points_into = Sense::PointsInto::parameter_list;
  out.field = at;
  return out;
}

Sense invalid_field_in_parameter_list(const Field& field) {
  return illegal_parameter(asc::invalid_field_in_parameter_list, field.pointer());
}

Sense invalid_field_in_parameter_list(const Field& field, std::uint16_t descriptor_offset) {
  FieldPointer at = field.pointer();
  at.byte = static_cast<std::uint16_t>(at.byte + descriptor_offset);
  return illegal_parameter(asc::invalid_field_in_parameter_list, at);
}

Sense lba_out_of_range(std::uint64_t first_bad_lba) {
  Sense out = illegal_request(asc::lba_out_of_range);
  out.information = first_bad_lba;
  return out;
}

Sense miscompare(std::uint64_t first_different_byte) {
  Sense out = make(SenseKey::miscompare, asc::miscompare_during_verify);
  out.information = first_different_byte;
  return out;
}

Sense unit_attention(AdditionalSense additional) {
  return make(SenseKey::unit_attention, additional);
}

Sense in_progress(AdditionalSense additional, std::uint16_t progress) {
  Sense out = make(SenseKey::not_ready, additional);
  out.progress = progress;
  return out;
}

Sense protection_check_failed(AdditionalSense which, std::uint64_t lba) {
  Sense out = make(SenseKey::aborted_command, which);
  out.information = lba;
  return out;
}

Sense protection_miscompare(AdditionalSense which, std::uint64_t lba) {
  Sense out = make(SenseKey::miscompare, which);
  out.information = lba;
  return out;
}

}  // namespace sense
}  // namespace scsi
