#include "target/net/access.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/glob.hpp"

namespace net {
namespace {

std::optional<std::vector<unsigned char>> address_bytes(const std::string& text) {
  std::vector<unsigned char> out(sizeof(in6_addr));
  if (inet_pton(AF_INET, text.c_str(), out.data()) == 1) {
    out.resize(sizeof(in_addr));
    return out;
  }
  if (inet_pton(AF_INET6, text.c_str(), out.data()) != 1) return std::nullopt;
  constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(std::begin(mapped), std::end(mapped), out.begin())) {
    out.erase(out.begin(), out.begin() + sizeof mapped);
  }
  return out;
}

}  // namespace

base::Result<Network, std::string> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = address_bytes(text.substr(0, slash));
  Network out;
  if (address) {
    out.address = *address;
    out.prefix_bits = static_cast<unsigned>(address->size() * 8);
  }
  bool well = address.has_value();
  if (well && slash != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + slash + 1, end, out.prefix_bits);
    well = error == std::errc() && at == end && out.prefix_bits <= address->size() * 8;
  }
  if (well) return out;
  return base::fail(fmt::format(
      "'{}' is not a network: write an address with or without a prefix length, for example "
      "192.0.2.0/24 or 2001:db8::1",
      text));
}

bool Network::contains(const std::string& text) const {
  const auto other = address_bytes(text);
  if (!other || other->size() != address.size()) return false;
  for (unsigned bit = 0; bit < prefix_bits; ++bit) {
    const unsigned char mask = static_cast<unsigned char>(0x80 >> bit % 8);
    if (((*other)[bit / 8] & mask) != (address[bit / 8] & mask)) return false;
  }
  return true;
}

bool AccessList::allows(std::string_view initiator_name, const std::string& address) const {
  const bool name = initiators.empty() ||
                    std::any_of(initiators.begin(), initiators.end(), [&](const auto& glob) {
                      return base::matches_glob(initiator_name, glob);
                    });
  const bool place = networks.empty() ||
                     std::any_of(networks.begin(), networks.end(),
                                 [&](const auto& network) { return network.contains(address); });
  return name && place;
}

std::map<scsi::Lun, scsi::Lun> visible_units(const std::vector<LunMap>& maps,
                                             std::string_view initiator_name,
                                             const std::map<scsi::Lun, scsi::Lun>& all) {
  if (maps.empty()) return all;
  std::map<scsi::Lun, scsi::Lun> out;
  for (const LunMap& map : maps) {
    if (base::matches_glob(initiator_name, map.initiators))
      out.insert(map.units.begin(), map.units.end());
  }
  return out;
}

}  // namespace net
