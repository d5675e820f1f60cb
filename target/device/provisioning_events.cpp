// What a target makes of its units' provisioning events: a line in the log, and 06h/38h/07h for
// every nexus.
#include <fmt/format.h>

#include "base/log.hpp"
#include "target/device/nexus.hpp"
#include "target/device/target_device.hpp"

namespace device {
namespace {

std::string_view text_of(ProvisioningEvent::Kind kind) {
  switch (kind) {
    case ProvisioningEvent::Kind::used_reached:
      return "soft threshold of used room reached";
    case ProvisioningEvent::Kind::available_reached:
      return "soft threshold of available room reached";
    case ProvisioningEvent::Kind::exhausted:
      return "no room left";
  }
  return "";
}

}  // namespace

void TargetDevice::provisioning_changed(scsi::Lun lun, const std::weak_ptr<LogicalUnit>& changed,
                                        const ProvisioningEvent& event) {
  base::log::event(base::log::Level::warning, "lun.filling",
                   {{"target", name_},
                    {"lun", lun.value},
                    {"used_bytes", event.used.value},
                    {"bound_bytes", event.bound.value}},
                   fmt::format("{} LUN {}: {}, {} of {} bytes used", name_, lun.value,
                               text_of(event.kind), event.used.value, event.bound.value));
  if (!event.reported) return;
  nexuses_.visit_all([changed](Nexus& nexus, base::UniqueFunction<void()> visited) {
    if (const auto unit = changed.lock()) {
      nexus.owe(*unit, UnitAttention::thin_provisioning_soft_threshold_reached);
    }
    visited();
  });
}

void TargetDevice::listen(scsi::Lun lun, const std::shared_ptr<LogicalUnit>& unit) {
  base::log::event(base::log::Level::debug, "lun.added",
                   {{"target", name_}, {"lun", lun.value}, {"bytes", unit->guard().size().value}},
                   fmt::format("{} LUN {}: added", name_, lun.value));
  const std::weak_ptr<LogicalUnit> weak = unit;
  unit->soft_thresholds().listen([this, lun, weak](const ProvisioningEvent& event) {
    provisioning_changed(lun, weak, event);
  });
}

}  // namespace device
