// What an array consists of, as plain values: what a document (document.hpp) means.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "copymgr/copy_manager.hpp"
#include "copymgr/group.hpp"
#include "scsi/command.hpp"
#include "store/guard.hpp"
#include "store/open.hpp"
#include "target/admin/copy_settings.hpp"
#include "target/device/logical_unit.hpp"
#include "target/iscsi/chap.hpp"
#include "target/net/endpoint.hpp"
#include "target/net/server.hpp"

namespace admin {

struct UnitConfiguration {
  store::StoreSpec store;
  device::UnitShape shape;
  std::vector<CopySetting> copy_settings = {};  // its own, above those of the array
  copymgr::CopyLimits copies = {};              // what both come to; see take_copy_limits()
};

struct TargetConfiguration {
  std::string name;
  std::map<scsi::Lun, UnitConfiguration> luns = {};
  std::string alias = {};
  iscsi::Authentication authentication = {};
  net::AccessList access = {};
  std::vector<net::LunMap> lun_maps = {};
  std::set<std::uint16_t> portal_groups = {};  // none: all
  std::optional<iscsi::Redirection> redirection = {};
  bool online = true;
};

struct Configuration {
  std::vector<net::Portal> portals;
  std::vector<TargetConfiguration> targets;
  std::optional<copymgr::Group> group;  // nullopt: the array is in none
  std::string state_directory;          // holds what must survive a restart, and the admin socket
  std::string ready_file;               // empty: none
  bool token_persistence = false;       // tokens of units on files and devices survive a restart
  unsigned pool_threads = 16;
  iscsi::Authentication discovery_authentication;
  net::ServerSettings server;
  device::LogicalUnitLimits limits;
  std::vector<CopySetting> copy_settings = {};  // of all units
  store::GuardSettings guard;
  copymgr::CopySettings copies;
  std::optional<net::Endpoint> admin_port;     // where the admin API is besides its socket
  std::string admin_token;                     // who asks there has to show it
  std::optional<net::Endpoint> web;            // where the page is served; nullopt: nowhere
  tokens::CopyManagerDesignator designator{};  // of the array; filled in from its state directory
  base::log::Level log_level = base::log::Level::info;
  base::log::Format log_format = base::log::Format::text;
};

// "0=file:/srv/a.img,size=1G,physical=512"; the error is one line for a person.
struct LunSpec {
  scsi::Lun lun;
  UnitConfiguration unit;
};
base::Result<LunSpec, std::string> parse_lun_spec(const std::string& text);

// "192.0.2.1:3260,group=2,dscp=26,priority=4": a place to listen, the portal group it belongs to,
// and how what it sends is marked. The error is one line for a person.
base::Result<net::Portal, std::string> parse_portal(const std::string& text);

// "iqn.1991-05.com.microsoft:*=0:5,1:6": initiators whose names match see unit 5 as LUN 0 and unit
// 6 as LUN 1. The error is one line for a person.
base::Result<net::LunMap, std::string> parse_lun_map(const std::string& text);

// "192.0.2.1:3260" or "192.0.2.1:3260,permanent".
base::Result<iscsi::Redirection, std::string> parse_redirection(const std::string& text);

// "1,3". The error is one line for a person.
base::Result<std::set<std::uint16_t>, std::string> parse_portal_groups(const std::string& text);

// "NAME:FILE" or "NAME:FILE,initiator=GLOB": a CHAP account whose secret is the first line of the
// file, so that it stands in no process list, for initiators with such names only. The error is one
// line for a person and never holds the secret.
base::Result<iscsi::ChapAccount, std::string> read_chap_account(const std::string& text);
// Maps to units that the target does not have, portal groups without a portal; nullopt when all is
// well.
std::optional<std::string> fault_of(const TargetConfiguration& target,
                                    const std::vector<net::Portal>& portals);

// Equal secrets in both directions, or a target's account without one of an initiator; nullopt when
// all is well.
std::optional<std::string> fault_of(const iscsi::Authentication& authentication);

// An iSCSI name (RFC 7143 4.2.7): iqn., eui. or naa., at most 223 bytes, lower case.
base::Result<std::string, std::string> parse_target_name(const std::string& text);

}  // namespace admin
