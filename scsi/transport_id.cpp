#include "scsi/transport_id.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace scsi {
namespace {

constexpr Field format_code{"FORMAT CODE", 0, 7, 2};
constexpr Field protocol_identifier{"PROTOCOL IDENTIFIER", 0, 3, 4};
constexpr Field additional_length = Field::bytes("ADDITIONAL LENGTH", 2, 2);
constexpr Field iscsi_name = Field::bytes("ISCSI NAME", 4, 1);
constexpr std::size_t header_bytes = 4, bytes_min = 24;
constexpr std::size_t name_bytes_max = 223;  // RFC 7143 4.2.7.1

enum : std::uint64_t { device_name = 0, port_name = 1 };
constexpr std::uint64_t iscsi_protocol = 0x5;
constexpr std::string_view separator = ",i,0x";
constexpr std::size_t isid_digits_max = 12;

std::optional<std::uint64_t> parse_isid(std::string_view digits) {
  std::uint64_t value = 0;
  if (digits.empty() || digits.size() > isid_digits_max) return std::nullopt;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// The text of a name field, which must end in a NUL; nullopt otherwise.
std::optional<TransportId> parse_name(base::ByteView field, bool with_port) {
  const auto nul = std::find(field.begin(), field.end(), std::uint8_t{0});
  if (nul == field.end()) return std::nullopt;
  std::string_view text = base::as_text(field.first(static_cast<std::size_t>(nul - field.begin())));
  TransportId out;
  if (with_port) {
    const std::size_t comma = text.find(separator);
    if (comma == std::string_view::npos) return std::nullopt;
    out.isid = parse_isid(text.substr(comma + separator.size()));
    if (!out.isid) return std::nullopt;
    text = text.substr(0, comma);
  }
  if (text.empty() || text.size() > name_bytes_max) return std::nullopt;
  out.name = text;
  return out;
}

}  // namespace

std::vector<std::uint8_t> encode(const TransportId& id) {
  std::string text = id.name;
  if (id.isid) text += fmt::format("{}{:012x}", separator, *id.isid);
  const std::size_t padded = (text.size() + 1 + 3) / 4 * 4;
  std::vector<std::uint8_t> out(std::max(bytes_min, header_bytes + padded));
  format_code.write(out, id.isid ? port_name : device_name);
  protocol_identifier.write(out, iscsi_protocol);
  additional_length.write(out, out.size() - header_bytes);
  std::copy(text.begin(), text.end(), out.begin() + header_bytes);
  return out;
}

base::Result<DecodedTransportId, Sense> decode_transport_id(base::ByteView list, std::size_t at,
                                                            std::size_t end) {
  const auto bad = [at](const Field& field) {
    return base::fail(
        sense::invalid_field_in_parameter_list(field, static_cast<std::uint16_t>(at)));
  };
  if (end - at < bytes_min) return bad(additional_length);
  const base::ByteView bytes = list.subspan(at, end - at);
  const std::uint64_t format = format_code.read(bytes);
  if (format > port_name) return bad(format_code);
  if (protocol_identifier.read(bytes) != iscsi_protocol) return bad(protocol_identifier);
  const std::size_t length = additional_length.read(bytes);
  if (length < bytes_min - header_bytes || length % 4 != 0 ||
      length > bytes.size() - header_bytes) {
    return bad(additional_length);
  }
  auto id = parse_name(bytes.subspan(header_bytes, length), format == port_name);
  if (!id) return bad(iscsi_name);
  return DecodedTransportId{std::move(*id), header_bytes + length};
}

}  // namespace scsi
