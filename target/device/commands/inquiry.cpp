// INQUIRY: standard data and vital product data.
#include <algorithm>
#include <array>

#include "scsi/primary_cdbs.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/copy_page.hpp"

namespace device::commands {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct VpdPage {
  std::uint8_t code;
  Bytes (*make)(const Invocation& call);
  bool (*on)(const LogicalUnit& unit) = nullptr;  // the units that have it; null: all
};

Bytes supported_pages(const Invocation& call);
Bytes ports_page(const Invocation& call);

constexpr std::array<VpdPage, 11> pages{{
    {0x00, supported_pages},
    {0x80,
     [](const Invocation& call) { return scsi::unit_serial_number_page(call.unit().identity()); }},
    {0x83,
     [](const Invocation& call) {
       return scsi::device_identification_page(call.unit().identity(), call.nexus.identity().port);
     }},
    {0x85, [](const Invocation&) { return scsi::management_network_addresses_page(); }},
    {0x86,
     [](const Invocation& call) {
       return scsi::extended_inquiry_page(call.unit().protection_support());
     }},
    {0x87, [](const Invocation&) { return scsi::mode_page_policy_page(); }},
    {0x88, ports_page},
    {0x8f,
     [](const Invocation& call) {
       return scsi::encode(copy_page(call.unit(), call.nexus.target().copy_manager().in_group()));
     },
     [](const LogicalUnit& unit) { return unit.copy_limits().offers_copies(); }},
    {0xb0,
     [](const Invocation& call) { return scsi::block_limits_page(call.unit().block_limits()); }},
    {0xb1, [](const Invocation&) { return scsi::block_device_characteristics_page(); }},
    {0xb2,
     [](const Invocation& call) {
       return scsi::logical_block_provisioning_page(call.unit().threshold_exponent());
     },
     [](const LogicalUnit& unit) { return unit.thin(); }},
}};

bool has(const LogicalUnit& unit, const VpdPage& page) {
  return page.on == nullptr || page.on(unit);
}

Bytes supported_pages(const Invocation& call) {
  Bytes codes;
  for (const VpdPage& page : pages) {
    if (has(call.unit(), page)) codes.push_back(page.code);
  }
  return scsi::supported_vpd_pages(std::move(codes));
}

// A port is a portal group, with the tag for its relative identifier.
Bytes ports_page(const Invocation& call) {
  std::vector<scsi::PortIdentity> ports;
  for (const std::uint16_t port : call.nexus.target().target_ports())
    ports.push_back({call.nexus.target().name(), port, port});
  return scsi::scsi_ports_page(ports);
}

scsi::InquiryBits bits_of(const LogicalUnit& unit) {
  return {unit.shape().removable, unit.protection() != nullptr, unit.copy_limits().offers_copies()};
}

}  // namespace

void inquiry(const Invocation& call) {
  namespace fields = scsi::inquiry;
  const std::uint64_t allocation = fields::allocation_length.read(call.cdb());
  const auto code = static_cast<std::uint8_t>(fields::page_code.read(call.cdb()));
  if (!fields::evpd.is_set(call.cdb())) {
    if (code != 0) {
      return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::page_code));
    }
    const bool there = call.path != nullptr;
    return call.task.finish_data(
        scsi::standard_inquiry(there ? call.unit().identity() : scsi::UnitIdentity{},
                               there ? scsi::Presence::connected : scsi::Presence::no_such_unit,
                               there ? bits_of(call.unit()) : scsi::InquiryBits{}),
        allocation);
  }
  const auto page = std::find_if(pages.begin(), pages.end(),
                                 [code](const VpdPage& each) { return each.code == code; });
  if (page == pages.end() || call.path == nullptr || !has(call.unit(), *page)) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::page_code));
  }
  call.task.finish_data(page->make(call), allocation);
}

}  // namespace device::commands
