// What a change has opened, made and resized, until it is committed: undone when this goes away.
#pragma once

#include <functional>
#include <vector>

#include "target/admin/provisioner.hpp"

namespace admin {

struct Provisioner::Preparation {
  explicit Preparation(const Configuration& to) : configuration(to) {}
  ~Preparation() {
    units.clear();
    for (; !undo.empty(); undo.pop_back())
      undo.back()();
  }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  const Configuration& configuration;
  std::map<std::string, device::TargetDevice::Units> units = {};  // by target
  std::vector<std::function<void()>> undo = {};  // the last first, once the units are closed
  std::vector<Provisioner::BoundPortal> portals = {};
};

}  // namespace admin
