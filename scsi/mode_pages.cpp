#include "scsi/mode_pages.hpp"

#include <algorithm>
#include <array>

namespace scsi {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr Field parameters_saveable = Field::flag("PS", 0, 7);
constexpr Field subpage_format = Field::flag("SPF", 0, 6);
constexpr Field page_code{"PAGE CODE", 0, 5, 6};
constexpr Field page_length = Field::bytes("PAGE LENGTH", 1, 1);
constexpr Field subpage_code = Field::bytes("SUBPAGE CODE", 1, 1);
constexpr Field subpage_length = Field::bytes("PAGE LENGTH", 2, 2);

// Of the pages.
constexpr Field write_cache_enable = Field::flag("WCE", 2, 2);
constexpr Field task_set_type{"TST", 2, 7, 3};
constexpr Field queue_algorithm_modifier{"QUEUE ALGORITHM MODIFIER", 3, 7, 4};
constexpr Field queue_error_management{"QERR", 3, 2, 2};
constexpr Field task_aborted_status = Field::flag("TAS", 5, 6);
constexpr Field application_tag_owner = Field::flag("ATO", 5, 7);
constexpr Field busy_timeout_period = Field::bytes("BUSY TIMEOUT PERIOD", 8, 2);
constexpr Field software_write_protect = Field::flag("SWP", 4, 3);
constexpr Field scsi_precedence = Field::flag("SCSIP", 4, 1);
constexpr Field implicit_access_enabled = Field::flag("IALUAE", 4, 0);

struct ModePage {
  std::uint8_t code, subpage;
  std::uint16_t bytes;  // with its header
  void (*fill)(Bytes& page, const ModeParameters& parameters);
  // Sets what MODE SELECT can change and save; null: nothing.
  void (*mark_changeable)(Bytes& page) = nullptr;
  // Takes what has changed, or says which field has a value that does not exist.
  std::optional<Field> (*take)(base::ByteView page, ModeParameters& parameters) = nullptr;
  // Whether a unit has the page, in this form; null: always.
  bool (*applies)(const ModeSenseUnit& unit) = nullptr;

  bool is_of(const ModeSenseUnit& unit) const { return applies == nullptr || applies(unit); }

  std::size_t header_bytes() const { return subpage == 0 ? 2 : 4; }
  Bytes blank() const {
    Bytes out(bytes);
    page_code.write(out, code);
    if (subpage == 0) {
      page_length.write(out, bytes - header_bytes());
    } else {
      subpage_format.write(out, 1);
      subpage_code.write(out, subpage);
      subpage_length.write(out, bytes - header_bytes());
    }
    return out;
  }
};

void all_zero(Bytes&, const ModeParameters&) {}

void fill_caching(Bytes& page, const ModeParameters& parameters) {
  write_cache_enable.write(page, parameters.write_cache_enabled);
}
void mark_caching(Bytes& page) {
  write_cache_enable.write(page, 1);
}
std::optional<Field> take_caching(base::ByteView page, ModeParameters& parameters) {
  parameters.write_cache_enabled = write_cache_enable.is_set(page);
  return std::nullopt;
}

void fill_control(Bytes& page, const ModeParameters& parameters) {
  task_set_type.write(page, parameters.task_set_per_nexus ? 1 : 0);
  queue_algorithm_modifier.write(page, 1);  // unrestricted reordering
  queue_error_management.write(page, static_cast<std::uint64_t>(parameters.queue_error));
  software_write_protect.write(page, parameters.software_write_protected);
  task_aborted_status.write(page, parameters.task_aborted_status);
  busy_timeout_period.write(page, 0xffff);  // unlimited
}
void mark_control(Bytes& page) {
  task_set_type.write(page, 1);  // 000b and 001b exist
  queue_error_management.write(page, 3);
  software_write_protect.write(page, 1);
  task_aborted_status.write(page, 1);
}
std::optional<Field> take_control(base::ByteView page, ModeParameters& parameters) {
  constexpr std::uint64_t reserved = 2;
  const std::uint64_t queue_error = queue_error_management.read(page);
  if (queue_error == reserved) return queue_error_management;
  parameters.task_set_per_nexus = task_set_type.is_set(page);
  parameters.queue_error = static_cast<QueueErrorManagement>(queue_error);
  parameters.software_write_protected = software_write_protect.is_set(page);
  parameters.task_aborted_status = task_aborted_status.is_set(page);
  return std::nullopt;
}

void fill_recovery(Bytes& page, const ModeParameters& parameters) {
  fill_error_reporting(page, parameters.provisioning);
}
void mark_recovery(Bytes& page) {
  mark_error_reporting(page);
}
std::optional<Field> take_recovery(base::ByteView page, ModeParameters& parameters) {
  read_error_reporting(page, parameters.provisioning);
  return std::nullopt;
}

void fill_provisioning(Bytes& page, const ModeParameters& parameters) {
  fill_provisioning_page(page, parameters.provisioning);
}
void mark_provisioning(Bytes& page) {
  mark_provisioning_page(page);
}
std::optional<Field> take_provisioning(base::ByteView page, ModeParameters& parameters) {
  read_provisioning_page(page, parameters.provisioning);
  return std::nullopt;
}

// Ascending. Nothing is retried, no transfer is limited, no power is saved, no exception reported:
// those pages are zero.
constexpr std::uint8_t error_recovery = 0x01, exceptions = 0x1c;
constexpr std::uint8_t provisioning_subpage = 0x02;
constexpr auto counts_room = [](const ModeSenseUnit& unit) { return unit.counts_room; };
constexpr std::array<ModePage, 9> mode_pages{{
    {error_recovery, 0x00, 12, all_zero, nullptr, nullptr,
     [](const ModeSenseUnit& unit) { return !unit.counts_room; }},
    {error_recovery, 0x00, 12, fill_recovery, mark_recovery, take_recovery, counts_room},
    {0x02, 0x00, 16, all_zero},
    {0x08, 0x00, 20, fill_caching, mark_caching, take_caching},
    {0x0a, 0x00, 12, fill_control, mark_control, take_control},
    {0x0a, 0x01, 32,
     [](Bytes& page, const ModeParameters&) {
       scsi_precedence.write(page, 1);  // the clock is only set by SET TIMESTAMP
       implicit_access_enabled.write(page, 1);
     }},
    {0x1a, 0x00, 40, all_zero},
    {exceptions, 0x00, 12, all_zero},
    {exceptions, provisioning_subpage, provisioning_page_bytes, fill_provisioning,
     mark_provisioning, take_provisioning, counts_room},
}};

Bytes page_with(const ModePage& page, const ModeParameters& parameters, bool owns_tags = false) {
  constexpr std::uint8_t control = 0x0a;
  Bytes out = page.blank();
  page.fill(out, parameters);
  // DPICZ is zero: what there is of protection information is checked.
  if (page.code == control && page.subpage == 0) application_tag_owner.write(out, owns_tags);
  return out;
}

// A page with a one for every bit that MODE SELECT can change.
Bytes changeable_page(const ModePage& page) {
  Bytes out = page.blank();
  if (page.mark_changeable != nullptr) page.mark_changeable(out);
  return out;
}

bool is_saveable(const ModePage& page, const ModeSenseUnit& unit) {
  return unit.saved && page.mark_changeable != nullptr;
}

Bytes page_for(const ModePage& page, PageControl control, const ModeSenseUnit& unit) {
  Bytes out;
  switch (control) {
    case PageControl::current:
      out = page_with(page, unit.current, unit.application_tag_owner);
      break;
    case PageControl::changeable:
      out = changeable_page(page);
      break;
    case PageControl::default_values:
      out = page_with(page, unit.defaults, unit.application_tag_owner);
      break;
    case PageControl::saved:
      out = page_with(page, unit.saved.value_or(unit.defaults), unit.application_tag_owner);
      break;
  }
  parameters_saveable.write(out, is_saveable(page, unit));
  return out;
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

// The fields of a MODE SELECT list before its pages.
struct ListHeader {
  Field medium_type, descriptor_length;
};
constexpr ListHeader header_of(ModeForm form) {
  if (form == ModeForm::six) {
    return {Field::bytes("MEDIUM TYPE", 1, 1), Field::bytes("BLOCK DESCRIPTOR LENGTH", 3, 1)};
  }
  return {Field::bytes("MEDIUM TYPE", 2, 1), Field::bytes("BLOCK DESCRIPTOR LENGTH", 6, 2)};
}
constexpr Field long_lba_bit = Field::flag("LONGLBA", 4, 0);

// NUMBER OF LOGICAL BLOCKS: zero and all ones leave the capacity as it is (SBC-4 6.5.2.2).
std::optional<Sense> check_block_descriptor(base::ByteView descriptor, std::uint16_t at,
                                            const ModeSenseUnit& unit) {
  const bool long_lba = descriptor.size() == 16;
  const Field count = Field::bytes("NUMBER OF LOGICAL BLOCKS", 0, long_lba ? 8 : 4);
  const Field length = long_lba ? Field::bytes("LOGICAL BLOCK LENGTH", 12, 4)
                                : Field::bytes("LOGICAL BLOCK LENGTH", 5, 3);
  const std::uint64_t blocks = count.read(descriptor);
  if (blocks != 0 && blocks != count.mask() && blocks != unit.capacity.value) {
    return sense::invalid_field_in_parameter_list(count, at);
  }
  if (length.read(descriptor) != unit.block_length.bytes) {
    return sense::invalid_field_in_parameter_list(length, at);
  }
  return std::nullopt;
}

// Where a MODE SELECT list's pages start; the block descriptor, if any, must describe the unit as
// it is.
base::Result<std::size_t, Sense> pages_start(base::ByteView list, ModeForm form,
                                             const ModeSenseUnit& unit) {
  const ListHeader fields = header_of(form);
  const std::size_t header = header_bytes(form);
  if (list.size() < header) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  if (fields.medium_type.is_set(list)) {
    return base::fail(sense::invalid_field_in_parameter_list(fields.medium_type));
  }
  const std::size_t length = fields.descriptor_length.read(list);
  const bool long_lba = form == ModeForm::ten && long_lba_bit.is_set(list);
  if (length != 0 && length != (long_lba ? 16u : 8u)) {
    return base::fail(sense::invalid_field_in_parameter_list(fields.descriptor_length));
  }
  if (list.size() < header + length) {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  if (length != 0) {
    const auto bad = check_block_descriptor(list.subspan(header, length),
                                            static_cast<std::uint16_t>(header), unit);
    if (bad) return base::fail(*bad);
  }
  return header + length;
}

// The first byte of `page` that differs from `current` where it may not.
std::optional<std::size_t> first_forbidden(base::ByteView page, base::ByteView current,
                                           base::ByteView changeable, std::size_t from) {
  for (std::size_t i = from; i < page.size(); ++i) {
    if (((page[i] ^ current[i]) & ~changeable[i]) != 0) return i;
  }
  return std::nullopt;
}

// The page that a MODE SELECT list has at `at`; the list holds four bytes there, or zeros.
base::Result<const ModePage*, Field> find_page(base::ByteView start, const ModeSenseUnit& unit) {
  const std::uint64_t subpage = subpage_format.is_set(start) ? subpage_code.read(start) : 0;
  bool code_known = false;
  for (const ModePage& page : mode_pages) {
    if (page.code != page_code.read(start) || !page.is_of(unit)) continue;
    code_known = true;
    if (page.subpage != subpage || subpage_format.is_set(start) != (page.subpage != 0)) continue;
    const Field& length = page.subpage == 0 ? page_length : subpage_length;
    if (length.read(start) != page.bytes - page.header_bytes()) return base::fail(length);
    return &page;
  }
  return base::fail(code_known ? subpage_code : page_code);
}

// Applies the page at `at` and returns where it ends.
base::Result<std::size_t, Sense> apply_page(base::ByteView list, std::size_t at,
                                            const ModeSenseUnit& unit, ModeParameters& parameters) {
  const auto cut = [] {
    return base::fail(sense::illegal_request(asc::parameter_list_length_error));
  };
  const std::size_t left = list.size() - at;
  const bool has_subpage = subpage_format.is_set(list.subspan(at));
  if (left < (has_subpage ? 4u : 2u)) return cut();
  const auto page = find_page(list.subspan(at), unit);
  if (!page) {
    return base::fail(
        sense::invalid_field_in_parameter_list(page.error(), static_cast<std::uint16_t>(at)));
  }
  if (left < (*page)->bytes) return cut();
  const base::ByteView bytes = list.subspan(at, (*page)->bytes);
  const Bytes current = page_with(**page, parameters, unit.application_tag_owner);
  if (const auto bad =
          first_forbidden(bytes, current, changeable_page(**page), (*page)->header_bytes())) {
    return base::fail(
        sense::illegal_parameter(asc::invalid_field_in_parameter_list,
                                 FieldPointer{static_cast<std::uint16_t>(at + *bad), 7, false}));
  }
  if ((*page)->take != nullptr) {
    if (const auto bad = (*page)->take(bytes, parameters)) {
      return base::fail(
          sense::invalid_field_in_parameter_list(*bad, static_cast<std::uint16_t>(at)));
    }
  }
  return at + bytes.size();
}

// The pages that a request names, as bytes.
base::Result<Bytes, ModeSenseFault> named_pages(const ModeSenseRequest& request,
                                                const ModeSenseUnit& unit) {
  constexpr std::uint8_t all_pages = 0x3f, all_subpages = 0xff;
  const bool saved = request.control == PageControl::saved;
  const bool every_page = request.page == all_pages;
  bool page_exists = every_page, saveable = false;
  Bytes out;
  for (const ModePage& page : mode_pages) {
    if (!page.is_of(unit) || (!every_page && request.page != page.code)) continue;
    page_exists = true;
    if (request.subpage != all_subpages && request.subpage != page.subpage) continue;
    if (every_page && request.subpage != all_subpages && request.subpage != 0) continue;
    saveable = saveable || is_saveable(page, unit);
    const Bytes bytes = page_for(page, request.control, unit);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  if (!page_exists) return base::fail(ModeSenseFault::no_such_page);
  if (out.empty()) return base::fail(ModeSenseFault::no_such_subpage);
  if (saved && !saveable) return base::fail(ModeSenseFault::not_saveable);
  return out;
}

}  // namespace

base::Result<Bytes, ModeSenseFault> mode_sense_data(const ModeSenseRequest& request,
                                                    const ModeSenseUnit& unit) {
  const auto pages = named_pages(request, unit);
  if (!pages) return base::fail(pages.error());
  constexpr std::uint8_t write_protected = 0x80, dpo_and_fua = 0x10;
  const std::uint8_t device_specific =
      unit.write_protected ? write_protected | dpo_and_fua : dpo_and_fua;
  const bool ten = request.form == ModeForm::ten;
  const bool long_lba = ten && request.long_lba_accepted;
  const Bytes descriptor =
      request.disable_block_descriptors ? Bytes() : block_descriptor(unit, long_lba);
  Bytes out(header_bytes(request.form));
  out.insert(out.end(), descriptor.begin(), descriptor.end());
  out.insert(out.end(), pages->begin(), pages->end());
  if (ten) {
    base::store_be16(out, 0, static_cast<std::uint16_t>(out.size() - 2));
    out[3] = device_specific;
    out[4] = long_lba && !descriptor.empty() ? 1 : 0;
    base::store_be16(out, 6, static_cast<std::uint16_t>(descriptor.size()));
  } else {
    out[0] = static_cast<std::uint8_t>(out.size() - 1);
    out[2] = device_specific;
    out[3] = static_cast<std::uint8_t>(descriptor.size());
  }
  return out;
}

Bytes mode_select_list(const ModeParameters& parameters, const ModeSenseUnit& unit) {
  Bytes out(header_bytes(ModeForm::six));
  for (const ModePage& page : mode_pages) {
    if (page.mark_changeable == nullptr || !page.is_of(unit)) continue;
    const Bytes bytes = page_with(page, parameters);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

base::Result<ModeParameters, Sense> apply_mode_select(base::ByteView list, ModeForm form,
                                                      const ModeSenseUnit& unit) {
  ModeParameters parameters = unit.current;
  auto at = pages_start(list, form, unit);
  while (at && *at < list.size())
    at = apply_page(list, *at, unit, parameters);
  if (!at) return base::fail(at.error());
  return parameters;
}

base::Result<ModeParameters, Sense> apply_saved_list(base::ByteView list,
                                                     const ModeSenseUnit& unit) {
  ModeParameters parameters = unit.current;
  const auto start = pages_start(list, ModeForm::six, unit);
  if (!start) return base::fail(start.error());
  for (std::size_t at = *start; at < list.size();) {
    const base::ByteView rest = list.subspan(at);
    const bool has_subpage = subpage_format.is_set(rest);
    const std::size_t header = has_subpage ? 4 : 2;
    const Field& length = has_subpage ? subpage_length : page_length;
    if (rest.size() < header || rest.size() - header < length.read(rest)) {
      return base::fail(sense::illegal_request(asc::parameter_list_length_error));
    }
    // Its error does not matter: the page may be of a unit of another shape.
    static_cast<void>(apply_page(list, at, unit, parameters));
    at += header + length.read(rest);
  }
  return parameters;
}

}  // namespace scsi
