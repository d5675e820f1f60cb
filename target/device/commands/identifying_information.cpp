// REPORT IDENTIFYING INFORMATION and SET IDENTIFYING INFORMATION: what a host calls the unit, kept
// across restarts.
#include <algorithm>
#include <array>

#include "scsi/maintenance_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/tell_others.hpp"

namespace device::commands {
namespace {

using scsi::InformationType;

struct Information {
  InformationType type;
  Keepsake keepsake;
};
constexpr std::array<Information, 2> kinds{{
    {InformationType::peripheral_device, Keepsake::device_information},
    {InformationType::text, Keepsake::text_information},
}};

const Information* find_kind(std::uint64_t type) {
  const auto* const at = std::find_if(kinds.begin(), kinds.end(), [type](const auto& each) {
    return static_cast<std::uint64_t>(each.type) == type;
  });
  return at == kinds.end() ? nullptr : at;
}

// Text is UTF-8 that ends with a NUL (SPC-4 5.6); only its end is looked at.
bool is_well_formed(const Information& kind, base::ByteView bytes) {
  return kind.type != InformationType::text || bytes.empty() || bytes.back() == 0;
}

}  // namespace

void report_identifying_information(const Invocation& call) {
  namespace fields = scsi::report_identifying_information;
  const std::uint64_t type = fields::information_type.read(call.cdb());
  const std::uint64_t allocation = fields::allocation_length.read(call.cdb());
  if (type == static_cast<std::uint64_t>(InformationType::supported)) {
    std::vector<scsi::SupportedInformation> supported;
    for (const Information& kind : kinds)
      supported.push_back({kind.type, scsi::identifying_information_bytes_max});
    return call.task.finish_data(scsi::supported_information_data(supported), allocation);
  }
  const Information* const kind = find_kind(type);
  if (kind == nullptr) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(fields::information_type));
  }
  call.task.finish_data(
      scsi::identifying_information_data(call.unit().kept().value(kind->keepsake)), allocation);
}

// An empty list takes the information away.
void set_identifying_information(const Invocation& call) {
  namespace fields = scsi::set_identifying_information;
  const Information* const kind = find_kind(fields::information_type.read(call.cdb()));
  const std::uint64_t length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(length);
  const auto refuse = [&](const scsi::Sense& why) { call.task.finish_check_condition(why); };
  if (kind == nullptr) return refuse(scsi::sense::invalid_field_in_cdb(fields::information_type));
  if (length > scsi::identifying_information_bytes_max) {
    return refuse(scsi::sense::invalid_field_in_cdb(fields::parameter_list_length));
  }
  const base::ByteView list = call.task.data_out.view();
  if (list.size() != length) {
    return refuse(scsi::sense::illegal_request(scsi::asc::parameter_list_length_error));
  }
  if (!is_well_formed(*kind, list)) {
    const auto last = static_cast<std::uint16_t>(list.size() - 1);
    return refuse(scsi::sense::illegal_parameter(scsi::asc::invalid_field_in_parameter_list,
                                                 {last, 7, false}));
  }
  call.path->channel.on_pool(
      [unit = call.path->unit, keepsake = kind->keepsake,
       value = std::vector<std::uint8_t>(list.begin(), list.end())] {
        return unit->kept().save(keepsake, value);
      },
      [call](bool saved) {
        if (saved) return finish_and_tell_others(call, UnitAttention::device_identifier_changed);
        call.task.finish_check_condition(
            scsi::sense::make(scsi::SenseKey::hardware_error, scsi::asc::internal_target_failure));
      });
}

}  // namespace device::commands
