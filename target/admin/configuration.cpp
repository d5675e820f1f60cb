#include "target/admin/configuration.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

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
