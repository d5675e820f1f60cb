#include "target/admin/configuration.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "base/log.hpp"

namespace admin {

base::Result<LunSpec, std::string> parse_lun_spec(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::uint16_t number = 0;
  const char* end = text.data() + std::min(equals, text.size());
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (equals == std::string::npos || error != std::errc() || at != end || number > scsi::lun_max) {
    return base::fail(
        fmt::format("'{}' is not a LUN: write NUMBER=STORE with a number from 0 to {}, for example "
                    "0=file:/srv/a.img,size=1G",
                    text, scsi::lun_max));
  }
  auto store = store::parse_store_spec(std::string_view(text).substr(equals + 1));
  if (!store) return base::fail(store.error());
  return LunSpec{scsi::Lun{number}, std::move(*store)};
}

base::Result<iscsi::ChapAccount, std::string> read_chap_account(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return base::fail(fmt::format(
        "'{}' is not a CHAP account: write NAME:FILE, where FILE holds the secret", text));
  }
  iscsi::ChapAccount account{text.substr(0, colon), {}};
  const std::string path = text.substr(colon + 1);
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
