// The group that an array is in, as it is published and changed.
#include "target/admin/group_keeper.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/device/device_world.hpp"

using namespace admin;
using copymgr::Group;

namespace {

constexpr copymgr::CopyManagerDesignator own{1, 2, 3};
constexpr const char* other_name = "ffffffffffffffffffffffffffffffff";

Group west(std::vector<copymgr::GroupMember> members = {}) {
  return {"west", "a secret of the group", std::move(members)};
}

struct Array {
  explicit Array(const std::optional<Group>& group = std::nullopt) {
    copies.meet(peers);
    keeper.set(group);
  }
  std::shared_ptr<const net::Directory> directory() { return server.directory().read(); }

  base::SystemClock clock;
  base::SystemRandomness randomness;
  base::InlineExecutor pool;
  copymgr::Peers peers{clock, randomness, own};
  copymgr::CopyManager copies{clock, randomness, pool, {}};
  net::Server server{{}, clock, randomness, pool};
  GroupKeeper keeper{peers, copies, server, pool};
};

}  // namespace

TEST_CASE("group keeper: in no group there is no hidden target and no peer", "[threads]") {
  Array array;
  CHECK_FALSE(array.keeper.group());
  CHECK_FALSE(array.copies.in_group());
  CHECK_FALSE(array.directory()->hidden);
}

TEST_CASE("group keeper: joining, changing and leaving are seen at once", "[threads]") {
  Array array(west({{"b", {"192.0.2.2:3260", "[2001:db8::2]:3260"}}}));
  CHECK(array.copies.in_group());
  REQUIRE(array.directory()->hidden);
  CHECK(array.directory()->find("iqn.2026-11.io.copymgr:token-data") == nullptr);
  CHECK(array.directory()->find_hidden("iqn.2026-11.io.copymgr:token-data") != nullptr);
  REQUIRE(array.peers.all().size() == 1);
  CHECK(array.peers.all().at(0)->member().portals.size() == 2);
  const auto before = array.peers.group();
  array.keeper.set(array.keeper.group());  // nothing happens
  CHECK(array.peers.group() == before);
  array.keeper.set(west({{"c", {"192.0.2.4:3260"}}}));
  REQUIRE(array.peers.all().size() == 1);
  CHECK(array.peers.all().at(0)->member().name == "c");
  array.keeper.set(std::nullopt);
  CHECK_FALSE(array.copies.in_group());
  CHECK_FALSE(array.directory()->hidden);
  CHECK(array.peers.all().empty());
}

TEST_CASE("group keeper: each initiator has secrets of its own, this array's own name has none",
          "[threads]") {
  Array array(west());
  const auto& authentication = array.directory()->hidden->authentication;
  CHECK(authentication.required());
  CHECK(authentication.initiators.empty());
  const auto secrets = authentication.derive(other_name);
  REQUIRE(secrets);
  CHECK(secrets->secret != secrets->targets_secret);
  CHECK(secrets->secret ==
        copymgr::derive_login_secret(west(), copymgr::LoginSide::initiator, other_name));
  CHECK(authentication.derive(std::string(32, '0'))->secret != secrets->secret);
  CHECK_FALSE(authentication.derive(copymgr::to_text(own)));  // its login, sent back to it
  for (const char* name : {"", "host", "0102", "iqn.2026-11.io.copymgr:member.1"})
    CHECK_FALSE(authentication.derive(name));
}

// REMOTE TOKENS of page 8Fh is 4 for a unit that takes tokens of the group, and 0 outside of one.
TEST_CASE("group keeper: hosts are told to look again when the array joins and when it leaves") {
  base::SystemClock clock;
  base::SystemRandomness randomness;
  copymgr::Peers peers{clock, randomness, own};
  device::LogicalUnitLimits refusing;
  refusing.copies.remote_tokens = copymgr::RemoteTokens::refuse;
  using device::test::make_unit;
  using device::test::memory;
  device::test::OneSession world({{scsi::Lun{3}, make_unit(13, memory(1u << 20), 512, refusing)}});
  world.copies.meet(peers);
  net::Server server{{}, clock, randomness, world.pool};
  server.directory().change(
      [&](net::Directory& directory) { directory.targets.push_back({world.target}); });
  GroupKeeper keeper{peers, world.copies, server, world.pool};
  const auto other = world.login("iqn.host:b");
  const auto is_ready = [&](device::Nexus& nexus, std::uint16_t lun) {
    return world.World::run(nexus, {}, {}, lun).good();
  };
  const auto all_are_ready = [&] {
    for (device::Nexus* nexus : {world.nexus.get(), other.get()}) {
      for (const std::uint16_t lun : {0, 1, 2, 3}) {
        if (!is_ready(*nexus, lun)) return false;
      }
    }
    return true;
  };
  const auto check_told = [&](std::uint8_t remote_tokens) {
    for (device::Nexus* nexus : {world.nexus.get(), other.get()}) {
      CHECK(is_ready(*nexus, 3));
      for (const std::uint16_t lun : {0, 1, 2}) {
        // Descriptor 0106h ROD Token Features, whose byte 4 is REMOTE TOKENS.
        const auto page = world.World::run(*nexus, {0x12, 0x01, 0x8f, 0x04, 0x00}, {}, lun).data;
        std::size_t at = 4;
        while (base::load_be16(page, at) != 0x0106)
          at += 4u + base::load_be16(page, at + 2);
        CHECK((page.at(at + 4) & 0x0f) == remote_tokens);
        device::test::check_sense(world.World::run(*nexus, {}, {}, lun),
                                  scsi::SenseKey::unit_attention, 0x3f, 0x03);
      }
    }
    CHECK(all_are_ready());
  };
  keeper.set(std::nullopt);  // as it is
  CHECK(all_are_ready());
  keeper.set(west());
  check_told(4);
  keeper.set(west({{"b", {"192.0.2.2:3260"}}}));  // another group or other members: the page stays
  CHECK(all_are_ready());
  keeper.set(std::nullopt);
  check_told(0);
}
