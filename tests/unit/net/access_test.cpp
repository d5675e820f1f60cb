// Who may log in, and what an initiator sees.
#include "target/net/access.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace net;

Network network(const std::string& text) {
  const auto parsed = parse_network(text);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("networks of either family") {
  CHECK(network("192.0.2.0/24").contains("192.0.2.255"));
  CHECK_FALSE(network("192.0.2.0/24").contains("192.0.3.0"));
  CHECK(network("192.0.2.128/25").contains("192.0.2.129"));
  CHECK_FALSE(network("192.0.2.128/25").contains("192.0.2.127"));
  CHECK(network("192.0.2.7").contains("192.0.2.7"));
  CHECK_FALSE(network("192.0.2.7").contains("192.0.2.6"));
  CHECK(network("0.0.0.0/0").contains("203.0.113.9"));
  CHECK_FALSE(network("0.0.0.0/0").contains("2001:db8::1"));
  CHECK(network("2001:db8::/33").contains("2001:db8:7fff::1"));
  CHECK_FALSE(network("2001:db8::/33").contains("2001:db8:8000::1"));
  CHECK_FALSE(network("::/0").contains("192.0.2.1"));
  CHECK(network("::/0").contains("::1"));
  // How a socket for both families tells an IPv4 address.
  CHECK(network("192.0.2.0/24").contains("::ffff:192.0.2.1"));
  CHECK_FALSE(network("192.0.2.0/24").contains("rubbish"));
}

TEST_CASE("what is no network") {
  for (const char* text : {"", "host", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129",
                           "192.0.2/24", "192.0.2.0/2x", "/8"}) {
    INFO(text);
    CHECK_FALSE(parse_network(text));
  }
}

TEST_CASE("an access list wants both the name and the address, where it says something of them") {
  const AccessList open;
  CHECK(open.allows("iqn.a:1", "192.0.2.1"));
  const AccessList names{{"iqn.a:*", "iqn.b:1"}, {}};
  CHECK(names.allows("iqn.a:7", "192.0.2.1"));
  CHECK(names.allows("iqn.b:1", "192.0.2.1"));
  CHECK_FALSE(names.allows("iqn.b:2", "192.0.2.1"));
  const AccessList both{{"iqn.a:*"}, {network("192.0.2.0/24"), network("2001:db8::/32")}};
  CHECK(both.allows("iqn.a:7", "192.0.2.1"));
  CHECK(both.allows("iqn.a:7", "2001:db8::5"));
  CHECK_FALSE(both.allows("iqn.b:7", "192.0.2.1"));
  CHECK_FALSE(both.allows("iqn.a:7", "192.0.3.1"));
}

TEST_CASE("LUN maps: all without one, else what matches, the first wins") {
  using Units = std::map<scsi::Lun, scsi::Lun>;
  const auto lun = [](std::uint16_t value) { return scsi::Lun{value}; };
  const Units all{{lun(0), lun(0)}, {lun(1), lun(1)}, {lun(5), lun(5)}};
  CHECK(visible_units({}, "iqn.a:1", all) == all);
  const std::vector<LunMap> maps{{"iqn.a:*", {{lun(0), lun(5)}}},
                                 {"iqn.a:1", {{lun(0), lun(1)}, {lun(7), lun(1)}}},
                                 {"iqn.b:*", {{lun(0), lun(0)}}}};
  CHECK(visible_units(maps, "iqn.a:1", all) == Units{{lun(0), lun(5)}, {lun(7), lun(1)}});
  CHECK(visible_units(maps, "iqn.a:2", all) == Units{{lun(0), lun(5)}});
  CHECK(visible_units(maps, "iqn.c:1", all).empty());
}
