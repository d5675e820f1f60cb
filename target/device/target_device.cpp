#include "target/device/target_device.hpp"

namespace device {

TargetDevice::TargetDevice(std::string name, copymgr::CopyManager& copy_manager,
                           std::map<scsi::Lun, std::shared_ptr<LogicalUnit>> units,
                           std::vector<std::uint16_t> target_ports)
    : name_(std::move(name)),
      copy_manager_(copy_manager),
      units_(std::move(units)),
      target_ports_(std::move(target_ports)) {
  for (const auto& [lun, unit] : units_)
    copy_manager_.attach(unit->volume(name_));
}

TargetDevice::~TargetDevice() {
  for (const auto& [lun, unit] : units_)
    copy_manager_.detach(unit->id());
}

std::map<scsi::Lun, scsi::Lun> TargetDevice::unmasked() const {
  std::map<scsi::Lun, scsi::Lun> out;
  for (const auto& [lun, unit] : units_)
    out.emplace(lun, lun);
  return out;
}

}  // namespace device
