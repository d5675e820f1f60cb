// What an array consists of, as plain values: the command line (and later a file) fills it in.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "copymgr/copy_manager.hpp"
#include "scsi/command.hpp"
#include "store/guard.hpp"
#include "store/open.hpp"
#include "target/device/logical_unit.hpp"
#include "target/net/endpoint.hpp"
#include "target/net/server.hpp"

namespace admin {

struct TargetConfiguration {
  std::string name;
  std::map<scsi::Lun, store::StoreSpec> luns;
};

struct Configuration {
  std::vector<net::Endpoint> portals;
  std::vector<TargetConfiguration> targets;
  std::string state_directory;  // holds what must survive a restart, and the admin socket
  std::string ready_file;       // empty: none
  unsigned pool_threads = 4;
  net::ServerSettings server;
  device::LogicalUnitLimits limits;
  store::GuardSettings guard;
  copymgr::CopySettings copies;
};

// "0=file:/srv/a.img,size=1G"; the error is one line for a person.
struct LunSpec {
  scsi::Lun lun;
  store::StoreSpec store;
};
base::Result<LunSpec, std::string> parse_lun_spec(const std::string& text);

// An iSCSI name (RFC 7143 4.2.7): iqn., eui. or naa., at most 223 bytes, lower case.
base::Result<std::string, std::string> parse_target_name(const std::string& text);

}  // namespace admin
