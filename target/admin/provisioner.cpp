#include "target/admin/provisioner.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/log.hpp"
#include "store/side_files.hpp"
#include "target/admin/preparation.hpp"
#include "target/device/unit_sizes.hpp"

namespace admin {

Provisioner::Provisioner(const ProvisionerParts& parts, Start start,
                         const ArrayIdentifier& identifier)
    : parts_(parts), start_(std::move(start)), identifier_(identifier) {}

base::Result<void, std::string> Provisioner::open(SavedDocument saved,
                                                  const Configuration& configuration) {
  saved_ = std::move(saved);
  running_ = configuration.copies;
  if (auto opened = open_targets(configuration); !opened) return opened;
  publish(configuration);
  for (std::size_t i = 0; i < configuration.portals.size(); ++i) {
    const net::Portal& portal = configuration.portals[i];
    const auto bound = parts_.server.listen(portal);
    if (!bound) return base::fail(bound.error());
    bound_.push_back({saved_.document.portals[i].value, *bound});
    base::log::info("listening on {}, portal group {}", net::to_text(*bound), portal.portal_group);
  }
  return save_document(parts_.state_directory.saved_document(), saved_);
}

base::Result<void, std::string> Provisioner::open_targets(const Configuration& configuration) {
  for (const TargetConfiguration& target : configuration.targets) {
    device::TargetDevice::Units units;
    for (const auto& [lun, configured] : target.luns) {
      auto unit = open_unit(target.name, lun, configured, configuration);
      if (!unit) return base::fail(unit.error());
      units.emplace(lun, std::move(*unit));
    }
    targets_.push_back(std::make_shared<device::TargetDevice>(
        target.name, parts_.copy_manager, std::move(units), relative_ports(configuration, target)));
  }
  if (auto kept = keep_side_files(); !kept) return kept;
  // Before any unit is written to: also what SANITIZE goes on with must find the tokens.
  parts_.copy_manager.restore_tokens();
  for (const auto& target : targets_)
    target->resume_operations(parts_.pool);
  return {};
}

base::Result<std::shared_ptr<device::LogicalUnit>, std::string> Provisioner::open_unit(
    const std::string& target, scsi::Lun lun, const UnitConfiguration& configured,
    const Configuration& configuration) {
  const auto identity = device::make_identity(identifier_, target, lun);
  const std::string name = base::to_hex(identity.naa);
  const auto sizes = parts_.unit_memory.load(name, device::Keepsake::sizes);
  if (!sizes) return base::fail(sizes.error());
  store::StoreSpec spec = configured.store;
  spec.sizes_since = device::decode_sizes(*sizes);
  auto store = store::open_guarded(spec, parts_.state_directory.path(), configuration.guard,
                                   keeping(identity));
  if (!store) return base::fail(fmt::format("LUN {}: {}", lun.value, store.error()));
  base::log::info("{} LUN {}: {}, {} bytes, {}-byte blocks", target, lun.value,
                  (*store)->describe(), (*store)->size().value,
                  configured.shape.block_length.bytes);
  device::LogicalUnitLimits limits = configuration.limits;
  limits.copies = limits_within(running_, configuration, configured);
  auto unit = std::make_shared<device::LogicalUnit>(next_unit_id_++, identity, std::move(*store),
                                                    configured.shape, limits);
  if (auto restored = unit->restore(parts_.unit_memory); !restored) {
    return base::fail(restored.error());
  }
  if (auto restored = unit->reservations().restore(parts_.reservations, name); !restored) {
    return base::fail(restored.error());
  }
  return unit;
}

std::optional<store::Keeping> Provisioner::keeping(const scsi::UnitIdentity& identity) {
  if (parts_.tokens == nullptr) return std::nullopt;
  std::array<std::uint8_t, 8> bytes{};
  parts_.randomness.fill(bytes);
  return store::Keeping{base::to_hex(identity.naa), base::load_be64(bytes, 0) >> 1};
}

// Notes where units keep what tokens stand for, and removes what those left that are gone.
base::Result<void, std::string> Provisioner::keep_side_files() {
  if (parts_.tokens == nullptr) return {};
  std::vector<std::string> now;
  for (const auto& target : targets_) {
    for (const auto& [lun, unit] : target->units()) {
      if (const std::string path = unit->guard().kept_in(); !path.empty()) now.push_back(path);
    }
  }
  const auto before = parts_.tokens->replace_side_files(now);
  if (!before) return base::fail(before.error());
  for (const std::string& path : *before) {
    if (std::find(now.begin(), now.end(), path) == now.end()) store::remove_side_files(path);
  }
  return {};
}

std::shared_ptr<device::TargetDevice> Provisioner::find(const std::string& name) const {
  const auto at = std::find_if(targets_.begin(), targets_.end(),
                               [&](const auto& target) { return target->name() == name; });
  return at == targets_.end() ? nullptr : *at;
}

// One target port for each portal group that reaches the target, numbered as its group.
std::vector<std::uint16_t> Provisioner::relative_ports(const Configuration& configuration,
                                                       const TargetConfiguration& target) {
  std::set<std::uint16_t> ports;
  for (const net::Portal& portal : configuration.portals) {
    if (target.portal_groups.empty() || target.portal_groups.contains(portal.portal_group))
      ports.insert(portal.portal_group);
  }
  return {ports.begin(), ports.end()};
}

void Provisioner::publish(const Configuration& configuration) {
  base::log::set_level(configuration.log_level);
  parts_.group.set(configuration.group);
  parts_.server.directory().change([&](net::Directory& directory) {
    directory.discovery_authentication = configuration.discovery_authentication;
    directory.targets.clear();
    for (const TargetConfiguration& target : configuration.targets) {
      directory.targets.push_back({find(target.name), target.alias, target.authentication,
                                   target.access, target.lun_maps, target.portal_groups,
                                   target.redirection, target.online});
    }
  });
}

}  // namespace admin
