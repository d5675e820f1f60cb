#include "target/admin/configuration.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/iscsi/login.hpp"
#include "target/iscsi/text.hpp"

namespace admin {

namespace {

template <typename Number>
bool parse_whole(std::string_view text, Number& out) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && at == text.data() + text.size() && !text.empty();
}

bool parse_portal_option(std::string_view option, net::Portal& portal) {
  const std::size_t equals = option.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = option.substr(0, equals), value = option.substr(equals + 1);
  unsigned number = 0;
  if (!parse_whole(value, number)) return false;
  if (name == "dscp" && number <= 63) {
    portal.dscp = number;
  } else if (name == "priority" && number <= 7) {
    portal.priority = number;
  } else if (name == "group" && number >= 1 && number <= UINT16_MAX) {
    portal.portal_group = static_cast<std::uint16_t>(number);
  } else {
    return false;
  }
  return true;
}

}  // namespace

base::Result<net::Portal, std::string> parse_portal(const std::string& text) {
  const auto parts = iscsi::split_list(text);
  auto endpoint = net::parse_endpoint(parts.front());
  if (!endpoint) return base::fail(endpoint.error());
  net::Portal out{std::move(*endpoint)};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parse_portal_option(parts[i], out)) continue;
    return base::fail(fmt::format(
        "portal {}: '{}' is not one of group=1..65535, dscp=0..63, priority=0..7", text, parts[i]));
  }
  return out;
}

base::Result<net::LunMap, std::string> parse_lun_map(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  net::LunMap out{iscsi::normalized_name(std::string_view(text).substr(0, equals)), {}};
  bool well = equals != std::string::npos && equals != 0;
  const auto parts =
      iscsi::split_list(well ? std::string_view(text).substr(equals + 1) : std::string_view());
  for (std::size_t i = 0; well && i < parts.size(); ++i) {
    const std::size_t colon = parts[i].find(':');
    scsi::Lun lun, unit;
    well = colon != std::string_view::npos && parse_whole(parts[i].substr(0, colon), lun.value) &&
           parse_whole(parts[i].substr(colon + 1), unit.value) && lun.value <= scsi::lun_max &&
           out.units.emplace(lun, unit).second;
  }
  if (well) return out;
  return base::fail(
      fmt::format("'{}' is not a map: write NAME=LUN:N[,LUN:N]..., each LUN once, for example "
                  "iqn.1991-05.com.microsoft:*=0:5,1:6",
                  text));
}

base::Result<iscsi::Redirection, std::string> parse_redirection(const std::string& text) {
  const auto parts = iscsi::split_list(text);
  auto endpoint = net::parse_endpoint(parts.front());
  if (!endpoint) return base::fail(endpoint.error());
  const bool permanent = parts.size() == 2 && parts[1] == "permanent";
  if (parts.size() > 1 && !permanent) {
    return base::fail(fmt::format("'{}': only ,permanent may follow the address", text));
  }
  return iscsi::Redirection{net::to_text(*endpoint), permanent};
}

base::Result<std::set<std::uint16_t>, std::string> parse_portal_groups(const std::string& text) {
  std::set<std::uint16_t> out;
  for (const std::string_view part : iscsi::split_list(text)) {
    std::uint16_t number = 0;
    if (!parse_whole(part, number) || number == 0) {
      return base::fail(
          fmt::format("'{}' is not a list of portal groups: write numbers from 1 to 65535", text));
    }
    out.insert(number);
  }
  return out;
}

std::optional<std::string> fault_of(const TargetConfiguration& target,
                                    const std::vector<net::Portal>& portals) {
  for (const net::LunMap& map : target.lun_maps) {
    for (const auto& [lun, unit] : map.units) {
      if (target.luns.contains(unit)) continue;
      return fmt::format("the map of {} in {} names logical unit {}, which is not there",
                         map.initiators, target.name, unit.value);
    }
  }
  for (const std::uint16_t group : target.portal_groups) {
    const bool found = std::any_of(portals.begin(), portals.end(), [group](const auto& portal) {
      return portal.portal_group == group;
    });
    if (!found) return fmt::format("{}: no portal is in portal group {}", target.name, group);
  }
  return std::nullopt;
}

base::Result<iscsi::ChapAccount, std::string> read_chap_account(const std::string& text) {
  constexpr std::string_view bound = ",initiator=";
  const std::size_t comma = text.rfind(bound);
  const std::string account_text = text.substr(0, comma);
  const std::size_t colon = account_text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == account_text.size()) {
    return base::fail(fmt::format(
        "'{}' is not a CHAP account: write NAME:FILE, where FILE holds the secret", text));
  }
  iscsi::ChapAccount account{account_text.substr(0, colon), {}};
  if (comma != std::string::npos) {
    account.initiators =
        iscsi::normalized_name(std::string_view(text).substr(comma + bound.size()));
  }
  const std::string path = account_text.substr(colon + 1);
  std::ifstream file(path);
  if (!file || !std::getline(file, account.secret)) {
    return base::fail(fmt::format("cannot read the CHAP secret of {} from {}", account.name, path));
  }
  if (account.secret.ends_with('\r')) account.secret.pop_back();
  const std::size_t length = account.secret.size();
  if (length < iscsi::chap_secret_bytes_min) {
    return base::fail(fmt::format("the CHAP secret in {} has {} bytes: at least {} are needed",
                                  path, length, iscsi::chap_secret_bytes_min));
  }
  if (length > iscsi::chap_secret_bytes_windows_max) {
    base::log::warning("the CHAP secret in {} has {} bytes: Windows takes at most {}", path, length,
                       iscsi::chap_secret_bytes_windows_max);
  }
  return account;
}

std::optional<std::string> fault_of(const iscsi::Authentication& authentication) {
  if (!authentication.target) return std::nullopt;
  if (authentication.initiators.empty()) {
    return "--mutual-chap needs an account of the initiator too: give --chap";
  }
  for (const iscsi::ChapAccount& account : authentication.initiators) {
    if (account.secret == authentication.target->secret) {
      return fmt::format("{} and {} have the same CHAP secret: each direction needs its own",
                         account.name, authentication.target->name);
    }
  }
  return std::nullopt;
}

base::Result<std::string, std::string> parse_target_name(const std::string& text) {
  constexpr std::size_t name_bytes_max = 223;
  const bool known_form =
      text.starts_with("iqn.") || text.starts_with("eui.") || text.starts_with("naa.");
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
  });
  if (known_form && plain && text.size() > 4 && text.size() <= name_bytes_max) return text;
  return base::fail(fmt::format(
      "'{}' is not an iSCSI name: write lower case letters, digits, '-', '.' and ':' after iqn., "
      "eui. or naa., for example iqn.2026-11.io.copymgr:demo",
      text));
}

}  // namespace admin
