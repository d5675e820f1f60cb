// LOG SENSE and LOG SELECT.
#include <algorithm>
#include <array>

#include "scsi/log_pages.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"

namespace device::commands {
namespace {

using scsi::LogPageCode;
using scsi::LogParameter;
using Parameters = std::vector<LogParameter>;

struct LogPage {
  LogPageCode code;
  Parameters (*make)(LogicalUnit& unit, Nexus& nexus);  // may sleep
  void (*reset)(LogicalUnit& unit);                     // null: nothing in it can be reset
};

constexpr std::array<LogPage, 8> pages{{
    {LogPageCode::logical_block_provisioning,
     [](LogicalUnit& unit, Nexus&) {
       return scsi::logical_block_provisioning_log(unit.provisioning_figures());
     },
     nullptr},
    {LogPageCode::temperature, [](LogicalUnit&, Nexus&) { return scsi::temperature_log(); },
     nullptr},
    {LogPageCode::application_client,
     [](LogicalUnit& unit, Nexus&) { return unit.notes().application_log(); },
     [](LogicalUnit& unit) { unit.notes().reset_application_log(); }},
    // Nothing in the process wears out.
    {LogPageCode::solid_state_media,
     [](LogicalUnit&, Nexus&) { return scsi::solid_state_media_log(0); }, nullptr},
    {LogPageCode::background_scan,
     [](LogicalUnit&, Nexus& nexus) {
       const auto uptime =
           std::chrono::duration_cast<std::chrono::minutes>(nexus.target().uptime());
       return scsi::background_scan_log(static_cast<std::uint32_t>(uptime.count()));
     },
     nullptr},
    {LogPageCode::protocol_specific_port,
     [](LogicalUnit&, Nexus& nexus) {
       return scsi::protocol_specific_port_log(nexus.identity().port.relative_port);
     },
     nullptr},
    {LogPageCode::general_statistics,
     [](LogicalUnit& unit, Nexus&) { return scsi::general_statistics_log(unit.access_figures()); },
     [](LogicalUnit& unit) { unit.reset_access_figures(); }},
    {LogPageCode::informational_exceptions,
     [](LogicalUnit&, Nexus&) { return scsi::informational_exceptions_log(); }, nullptr},
}};

// A fully provisioned unit has no mapping resources to tell of.
bool has(const LogicalUnit& unit, const LogPage& page) {
  return unit.thin() || page.code != LogPageCode::logical_block_provisioning;
}

const LogPage* find_page(const LogicalUnit& unit, std::uint64_t code) {
  const auto* const at = std::find_if(pages.begin(), pages.end(), [&](const LogPage& each) {
    return static_cast<std::uint64_t>(each.code) == code && has(unit, each);
  });
  return at == pages.end() ? nullptr : at;
}

std::vector<std::uint8_t> page_codes(const LogicalUnit& unit) {
  std::vector<std::uint8_t> out{static_cast<std::uint8_t>(LogPageCode::supported_pages)};
  for (const LogPage& page : pages) {
    if (has(unit, page)) out.push_back(static_cast<std::uint8_t>(page.code));
  }
  return out;
}

void refuse(const Invocation& call, const scsi::Field& field) {
  call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(field));
}

// Lists of pages and subpages, which hold no parameters for PARAMETER POINTER to point to.
void answer_list(const Invocation& call, const LogPage* page, std::uint64_t subpage) {
  namespace fields = scsi::log_sense;
  if (fields::parameter_pointer.is_set(call.cdb())) return refuse(call, fields::parameter_pointer);
  const std::uint64_t allocation = fields::allocation_length.read(call.cdb());
  if (page != nullptr) {
    return call.task.finish_data(scsi::supported_log_subpages_of(page->code), allocation);
  }
  const auto codes = page_codes(call.unit());
  call.task.finish_data(
      subpage == 0 ? scsi::supported_log_pages(codes) : scsi::supported_log_subpages(codes),
      allocation);
}

void answer_page(const Invocation& call, const LogPage& page) {
  namespace fields = scsi::log_sense;
  const auto pointer = static_cast<std::uint16_t>(fields::parameter_pointer.read(call.cdb()));
  call.path->channel.on_pool(
      [&page, unit = call.path->unit, &nexus = call.nexus] { return page.make(*unit, nexus); },
      [call, &page, pointer](const Parameters& parameters) {
        if (pointer > parameters.back().code) return refuse(call, fields::parameter_pointer);
        call.task.finish_data(scsi::log_page(page.code, parameters, pointer),
                              fields::allocation_length.read(call.cdb()));
      });
}

// The pages that a LOG SELECT with PCR names; nullopt with the field that names none.
base::Result<std::vector<const LogPage*>, scsi::Field> pages_to_reset(const LogicalUnit& unit,
                                                                      base::ByteView cdb) {
  namespace fields = scsi::log_select;
  std::vector<const LogPage*> out;
  if (fields::subpage_code.is_set(cdb)) return base::fail(fields::subpage_code);
  if (fields::page_code.is_set(cdb)) {
    const LogPage* page = find_page(unit, fields::page_code.read(cdb));
    if (page == nullptr || page->reset == nullptr) return base::fail(fields::page_code);
    return std::vector{page};
  }
  for (const LogPage& page : pages) {
    if (page.reset != nullptr) out.push_back(&page);
  }
  return out;
}

void reset_pages(const Invocation& call) {
  if (scsi::log_select::parameter_list_length.is_set(call.cdb())) {
    return refuse(call, scsi::log_select::parameter_list_length);
  }
  const auto named = pages_to_reset(call.unit(), call.cdb());
  if (!named) return refuse(call, named.error());
  for (const LogPage* page : *named)
    page->reset(call.unit());
  finish_and_tell_others(call, UnitAttention::log_parameters_changed);
}

}  // namespace

// PC makes no difference: no parameter has thresholds (SPC-4 7.3.2.2.2.5).
void log_sense(const Invocation& call) {
  namespace fields = scsi::log_sense;
  const base::ByteView cdb = call.cdb();
  if (fields::save_parameters.is_set(cdb)) return refuse(call, fields::save_parameters);
  const std::uint64_t code = fields::page_code.read(cdb);
  const std::uint64_t subpage = fields::subpage_code.read(cdb);
  const LogPage* const page = find_page(call.unit(), code);
  if (page == nullptr && code != static_cast<std::uint64_t>(LogPageCode::supported_pages)) {
    return refuse(call, fields::page_code);
  }
  if (subpage != 0 && subpage != scsi::all_log_subpages) return refuse(call, fields::subpage_code);
  if (page == nullptr || subpage != 0) return answer_list(call, page, subpage);
  answer_page(call, *page);
}

void log_select(const Invocation& call) {
  namespace fields = scsi::log_select;
  const base::ByteView cdb = call.cdb();
  const std::uint64_t length = fields::parameter_list_length.read(cdb);
  call.task.transfer_length = base::ByteCount(length);
  if (fields::save_parameters.is_set(cdb)) return refuse(call, fields::save_parameters);
  if (fields::parameter_code_reset.is_set(cdb)) return reset_pages(call);
  if (length == 0) return call.task.finish_good();
  // A list names its pages itself (SPC-4 6.7.1).
  for (const scsi::Field& field : {fields::page_code, fields::subpage_code}) {
    if (field.is_set(cdb)) return refuse(call, field);
  }
  const auto changes = scsi::decode_log_select(call.task.data_out.view(), length);
  if (!changes) return call.task.finish_check_condition(changes.error());
  call.unit().notes().change_application_log(*changes);
  finish_and_tell_others(call, UnitAttention::log_parameters_changed);
}

}  // namespace device::commands
