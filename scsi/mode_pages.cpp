#include "scsi/mode_pages.hpp"

#include <algorithm>
#include <array>

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr Field write_cache_enable = Field::flag("WCE", 2, 2);

constexpr std::uint8_t caching_code = 0x08, control_code = 0x0a, exceptions_code = 0x1c;
constexpr std::array<std::uint8_t, 3> page_codes{caching_code, control_code, exceptions_code};

Bytes caching_page(bool write_cache) {
  Bytes out(20);
  out[0] = caching_code;
  out[1] = 0x12;
  write_cache_enable.write(out, write_cache);
  return out;
}

Bytes control_page() {
  Bytes out(12);
  out[0] = control_code;
  out[1] = 0x0a;
  out[3] = 0x10;  // QUEUE ALGORITHM MODIFIER 1: unrestricted reordering; QERR 0 (R23)
  base::store_be16(out, 8, 0xffff);  // BUSY TIMEOUT PERIOD: unlimited
  return out;
}

Bytes exceptions_page() {
  Bytes out(12);
  out[0] = exceptions_code;
  out[1] = 0x0a;
  return out;
}

// A page with the current or default values.
Bytes page_with(std::uint8_t code, const ModeParameters& parameters) {
  switch (code) {
    case caching_code:
      return caching_page(parameters.write_cache_enabled);
    case control_code:
      return control_page();
    default:
      return exceptions_page();
  }
}

// A page with a one for every bit that MODE SELECT can change.
Bytes changeable_page(std::uint8_t code) {
  Bytes out(page_with(code, {}).size());
  out[0] = code;
  out[1] = static_cast<std::uint8_t>(out.size() - 2);
  if (code == caching_code) write_cache_enable.write(out, 1);
  return out;
}

Bytes page_for(std::uint8_t code, PageControl control, const ModeParameters& current) {
  switch (control) {
    case PageControl::changeable:
      return changeable_page(code);
    case PageControl::default_values:
      return page_with(code, {});
    case PageControl::current:
    case PageControl::saved:
      break;
  }
  return page_with(code, current);
}

Bytes block_descriptor(const ModeSenseUnit& unit, bool long_lba) {
  Bytes out(long_lba ? 16 : 8);
  if (long_lba) {
    base::store_be64(out, 0, unit.capacity.value);
    base::store_be32(out, 12, unit.block_length.bytes);
  } else {
    base::store_be32(
        out, 0,
        static_cast<std::uint32_t>(std::min<std::uint64_t>(unit.capacity.value, 0xffffffff)));
    base::store_be(out, 5, 3, unit.block_length.bytes);
  }
  return out;
}

constexpr std::size_t header_bytes(ModeForm form) {
  return form == ModeForm::six ? 4 : 8;
}

// Where a MODE SELECT list's pages start; the block descriptor, if any, must describe the unit as
// it is.
base::Result<std::size_t, Sense> pages_start(base::ByteView list, ModeForm form,
                                             const ModeSenseUnit& unit) {
  const Field descriptor_length = form == ModeForm::six
                                      ? Field::bytes("BLOCK DESCRIPTOR LENGTH", 3, 1)
                                      : Field::bytes("BLOCK DESCRIPTOR LENGTH", 6, 2);
  const std::size_t header = header_bytes(form);
  if (list.size() < header) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  const std::size_t length = descriptor_length.read(list);
  const bool long_lba = form == ModeForm::ten && (list[4] & 1) != 0;
  if (length != 0 && length != (long_lba ? 16u : 8u)) {
    return base::fail(sense::invalid_field_in_parameter_list(descriptor_length));
  }
  if (list.size() < header + length) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  if (length != 0) {
    const Field blocks =
        Field::bytes("BLOCK LENGTH", static_cast<std::uint16_t>(header + length - 3), 3);
    if (blocks.read(list) != unit.block_length.bytes) {
      return base::fail(sense::invalid_field_in_parameter_list(blocks));
    }
  }
  return header + length;
}

// The first byte of `page` that differs from `current` where it may not.
std::optional<std::size_t> first_forbidden(base::ByteView page, base::ByteView current,
                                           base::ByteView changeable) {
  for (std::size_t i = 2; i < page.size(); ++i) {
    if (((page[i] ^ current[i]) & ~changeable[i]) != 0) return i;
  }
  return std::nullopt;
}

// Applies the page at `at` and returns where it ends.
base::Result<std::size_t, Sense> apply_page(base::ByteView list, std::size_t at,
                                            ModeParameters& parameters) {
  const auto pointer = [](std::size_t byte) {
    return FieldPointer{static_cast<std::uint16_t>(byte), 7, false};
  };
  const auto invalid = [&](std::size_t byte) {
    return base::fail(
        sense::illegal_parameter(asc::invalid_field_in_parameter_list, pointer(byte)));
  };
  if (list.size() < at + 2) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  const std::uint8_t code = list[at] & 0x3f;
  const bool has_subpage = (list[at] & 0x40) != 0;
  if (has_subpage || std::find(page_codes.begin(), page_codes.end(), code) == page_codes.end()) {
    return invalid(at);
  }
  const Bytes current = page_with(code, parameters);
  if (list[at + 1] != current[1]) return invalid(at + 1);
  if (list.size() < at + current.size()) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  const base::ByteView page = list.subspan(at, current.size());
  if (const auto bad = first_forbidden(page, current, changeable_page(code))) {
    return invalid(at + *bad);
  }
  if (code == caching_code) parameters.write_cache_enabled = write_cache_enable.is_set(page);
  return at + current.size();
}

}  // namespace

std::optional<Bytes> mode_sense_data(const ModeSenseRequest& request, const ModeSenseUnit& unit) {
  constexpr std::uint8_t all_pages = 0x3f, all_subpages = 0xff;
  if (request.subpage != 0 && request.subpage != all_subpages) return std::nullopt;
  Bytes pages;
  for (const std::uint8_t code : page_codes) {
    if (request.page != all_pages && request.page != code) continue;
    const Bytes page = page_for(code, request.control, unit.current);
    pages.insert(pages.end(), page.begin(), page.end());
  }
  if (pages.empty()) return std::nullopt;

  constexpr std::uint8_t dpo_and_fua = 0x10;
  const bool ten = request.form == ModeForm::ten;
  const bool long_lba = ten && request.long_lba_accepted;
  const Bytes descriptor =
      request.disable_block_descriptors ? Bytes() : block_descriptor(unit, long_lba);
  Bytes out(header_bytes(request.form));
  out.insert(out.end(), descriptor.begin(), descriptor.end());
  out.insert(out.end(), pages.begin(), pages.end());
  if (ten) {
    base::store_be16(out, 0, static_cast<std::uint16_t>(out.size() - 2));
    out[3] = dpo_and_fua;
    out[4] = long_lba && !descriptor.empty() ? 1 : 0;
    base::store_be16(out, 6, static_cast<std::uint16_t>(descriptor.size()));
  } else {
    out[0] = static_cast<std::uint8_t>(out.size() - 1);
    out[2] = dpo_and_fua;
    out[3] = static_cast<std::uint8_t>(descriptor.size());
  }
  return out;
}

base::Result<ModeParameters, Sense> apply_mode_select(base::ByteView list, ModeForm form,
                                                      const ModeSenseUnit& unit) {
  ModeParameters parameters = unit.current;
  auto at = pages_start(list, form, unit);
  while (at && *at < list.size())
    at = apply_page(list, *at, parameters);
  if (!at) return base::fail(at.error());
  return parameters;
}

}  // namespace scsi
