// The process under attack, as /proc tells.
#pragma once

#include <cstddef>
#include <string>

namespace hostile {

class Daemon {
 public:
  // From COPYMGR_PORTAL and COPYMGR_PID, which the script sets.
  Daemon();

  const std::string& portal() const { return portal_; }
  bool lives() const;
  std::size_t resident_bytes() const;
  // Waits until it is below `bound`: what a burst needed goes back to the system within seconds.
  std::size_t resident_settled(std::size_t bound) const;
  std::size_t descriptors() const;
  // Waits until it has no more descriptors open than `count`; how many it has then.
  std::size_t descriptors_settled(std::size_t count) const;

 private:
  std::string portal_;
  std::string process_;  // /proc/PID
};

}  // namespace hostile
