#include "scsi/log_pages.hpp"

#include <algorithm>

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of a page, and of each parameter in it.
constexpr Field disable_save = Field::flag("DS", 0, 7);
constexpr Field subpage_format = Field::flag("SPF", 0, 6);
constexpr Field page_code{"PAGE CODE", 0, 5, 6};
constexpr Field subpage_code = Field::bytes("SUBPAGE CODE", 1, 1);
constexpr Field page_length = Field::bytes("PAGE LENGTH", 2, 2);
constexpr std::size_t page_header_bytes = 4;

constexpr Field parameter_code = Field::bytes("PARAMETER CODE", 0, 2);
constexpr Field format_and_linking{"FORMAT AND LINKING", 2, 1, 2};
constexpr Field parameter_length = Field::bytes("PARAMETER LENGTH", 3, 1);
constexpr std::size_t parameter_header_bytes = 4;
constexpr std::uint8_t binary_format_list = 0x3;

constexpr std::uint8_t no_temperature = 0xff;
constexpr std::uint8_t iscsi_protocol = 0x5;

Bytes header(std::uint8_t code, std::uint8_t subpage, bool saved_never, std::size_t body_bytes) {
  Bytes out(page_header_bytes);
  disable_save.write(out, saved_never);
  subpage_format.write(out, subpage != 0);
  page_code.write(out, code);
  subpage_code.write(out, subpage);
  page_length.write(out, body_bytes);
  return out;
}

LogParameter resource_count(std::uint16_t code, std::uint64_t count, bool shared) {
  enum : std::uint8_t { dedicated = 1, not_dedicated = 2 };
  constexpr Field resources = Field::bytes("RESOURCE COUNT", 0, 4);
  constexpr Field scope{"SCOPE", 4, 1, 2};
  Bytes value(8);
  resources.write(value, std::min<std::uint64_t>(count, resources.mask()));
  scope.write(value, shared ? not_dedicated : dedicated);
  return {code, value};
}

Sense length_error() {
  return sense::illegal_request(asc::parameter_list_length_error);
}

auto invalid(const Field& field, std::size_t at) {
  return base::fail(sense::invalid_field_in_parameter_list(field, static_cast<std::uint16_t>(at)));
}

// Takes the parameters of the page that starts at `at`.
base::Result<std::size_t, Sense> decode_page(base::ByteView list, std::size_t at,
                                             std::vector<ApplicationChange>& out) {
  if (list.size() - at < page_header_bytes) return base::fail(length_error());
  const base::ByteView page = list.subspan(at);
  if (page_code.read(page) != static_cast<std::uint8_t>(LogPageCode::application_client)) {
    return invalid(page_code, at);
  }
  if (subpage_format.is_set(page)) return invalid(subpage_format, at);
  if (subpage_code.is_set(page)) return invalid(subpage_code, at);
  const std::size_t end = at + page_header_bytes + page_length.read(page);
  constexpr std::size_t whole = parameter_header_bytes + application_parameter_bytes;
  if (end > list.size()) return base::fail(length_error());
  if (page_length.read(page) % whole != 0) return invalid(page_length, at);
  int last_code = -1;
  for (at += page_header_bytes; at < end; at += whole) {
    const base::ByteView parameter = list.subspan(at);
    const auto code = static_cast<std::uint16_t>(parameter_code.read(parameter));
    if (code >= application_parameters || code <= last_code) return invalid(parameter_code, at);
    if (parameter_length.read(parameter) != application_parameter_bytes) {
      return invalid(parameter_length, at);
    }
    last_code = code;
    ApplicationChange change{code, {}};
    std::copy_n(parameter.begin() + parameter_header_bytes, change.value.size(),
                change.value.begin());
    out.push_back(change);
  }
  return end;
}

}  // namespace

Bytes log_page(LogPageCode code, const std::vector<LogParameter>& parameters,
               std::uint16_t pointer) {
  Bytes out = header(static_cast<std::uint8_t>(code), 0, true, 0);
  for (const LogParameter& parameter : parameters) {
    if (parameter.code < pointer) continue;
    Bytes start(parameter_header_bytes);
    parameter_code.write(start, parameter.code);
    format_and_linking.write(start, binary_format_list);
    parameter_length.write(start, parameter.value.size());
    out.insert(out.end(), start.begin(), start.end());
    out.insert(out.end(), parameter.value.begin(), parameter.value.end());
  }
  page_length.write(out, out.size() - page_header_bytes);
  return out;
}

Bytes supported_log_pages(const Bytes& codes) {
  Bytes out = header(0, 0, false, codes.size());
  out.insert(out.end(), codes.begin(), codes.end());
  return out;
}

Bytes supported_log_subpages(const Bytes& codes) {
  Bytes out = header(0, all_log_subpages, false, 0);
  for (const std::uint8_t code : codes) {
    // FFh, the list of a page's subpages, is not itself in a list but for that of page 00h.
    out.insert(out.end(), {code, 0});
    if (code == 0) out.insert(out.end(), {code, all_log_subpages});
  }
  page_length.write(out, out.size() - page_header_bytes);
  return out;
}

Bytes supported_log_subpages_of(LogPageCode code) {
  Bytes out = header(static_cast<std::uint8_t>(code), all_log_subpages, false, 2);
  out.insert(out.end(), {static_cast<std::uint8_t>(code), 0});
  return out;
}

std::vector<LogParameter> logical_block_provisioning_log(const ProvisioningFigures& figures) {
  return {resource_count(0x0001, figures.available, figures.available_is_shared),
          resource_count(0x0002, figures.used, false)};
}

std::vector<LogParameter> temperature_log() {
  return {{0x0000, {0, no_temperature}}, {0x0001, {0, no_temperature}}};
}

std::vector<LogParameter> solid_state_media_log(std::uint8_t percentage_used) {
  return {{0x0001, {0, 0, 0, percentage_used}}};
}

std::vector<LogParameter> background_scan_log(std::uint32_t power_on_minutes) {
  Bytes value(12);
  base::store_be32(value, 0, power_on_minutes);
  return {{0x0000, value}};
}

std::vector<LogParameter> protocol_specific_port_log(std::uint16_t relative_port) {
  return {{relative_port, {iscsi_protocol, 0, 0, 0}}};
}

std::vector<LogParameter> general_statistics_log(const AccessFigures& figures) {
  Bytes value(64);
  base::store_be64(value, 0, figures.read_commands);
  base::store_be64(value, 8, figures.write_commands);
  base::store_be64(value, 16, figures.received.value);
  base::store_be64(value, 24, figures.transmitted.value);
  return {{0x0001, value}};
}

std::vector<LogParameter> informational_exceptions_log() {
  return {{0x0000, {0, 0, no_temperature, 0}}};
}

base::Result<std::vector<ApplicationChange>, Sense> decode_log_select(
    base::ByteView list, std::uint64_t parameter_list_length) {
  if (list.size() != parameter_list_length) return base::fail(length_error());
  std::vector<ApplicationChange> out;
  std::size_t at = 0;
  while (at < list.size()) {
    const auto next = decode_page(list, at, out);
    if (!next) return base::fail(next.error());
    at = *next;
  }
  return out;
}

}  // namespace scsi
