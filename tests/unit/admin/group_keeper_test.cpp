// The group that an array is in, as it is kept, published and changed.
#include "target/admin/group_keeper.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

using namespace admin;
using copymgr::Group;

namespace {

constexpr copymgr::CopyManagerDesignator own{1, 2, 3};
constexpr const char* other_name = "ffffffffffffffffffffffffffffffff";

Group west(std::vector<copymgr::GroupMember> members = {}) {
  return {"west", "a secret of the group", std::move(members)};
}

// One array over a folder, as often as it is started.
struct Array {
  explicit Array(const std::string& folder, const std::optional<Group>& given = std::nullopt)
      : keeper(folder + "/group.json", peers, copies, server) {
    copies.meet(peers);
    opened = keeper.open(given);
  }
  std::shared_ptr<const net::Directory> directory() { return server.directory().read(); }

  base::SystemClock clock;
  base::SystemRandomness randomness;
  base::InlineExecutor pool;
  copymgr::Peers peers{clock, randomness, own};
  copymgr::CopyManager copies{clock, randomness, pool, {}};
  net::Server server{{}, clock, randomness, pool};
  GroupKeeper keeper;
  base::Result<void, std::string> opened;
};

}  // namespace

TEST_CASE("group keeper: in no group there is no hidden target and no peer", "[threads]") {
  const test::TempDir folder;
  Array array(folder.path());
  REQUIRE(array.opened);
  CHECK_FALSE(array.keeper.group());
  CHECK_FALSE(array.copies.in_group());
  CHECK_FALSE(array.directory()->hidden);
  CHECK_FALSE(array.keeper.leave());
  CHECK_FALSE(array.keeper.remove_member("b"));
}

TEST_CASE("group keeper: what is created is kept for its user alone, and there after a restart",
          "[threads]") {
  const test::TempDir folder;
  {
    Array array(folder.path());
    REQUIRE(array.keeper.create(west({{"b", {"192.0.2.2:3260", "[2001:db8::2]:3260"}}})));
    CHECK(array.copies.in_group());
    REQUIRE(array.directory()->hidden);
    CHECK(array.directory()->find("iqn.2026-11.io.copymgr:token-data") == nullptr);
    CHECK(array.directory()->find_hidden("iqn.2026-11.io.copymgr:token-data") != nullptr);
    struct stat found {};
    REQUIRE(::stat((folder.path() + "/group.json").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  Array array(folder.path());
  REQUIRE(array.opened);
  REQUIRE(array.keeper.group());
  CHECK(array.keeper.group()->secret == west().secret);
  CHECK(array.peers.all().at(0)->member().portals.size() == 2);
  REQUIRE(array.keeper.leave());
  CHECK_FALSE(array.copies.in_group());
  CHECK_FALSE(array.directory()->hidden);
  CHECK_FALSE(std::ifstream(folder.path() + "/group.json"));
}

TEST_CASE("group keeper: joining again adds members and replaces those of a name", "[threads]") {
  const test::TempDir folder;
  Array array(folder.path(), west({{"b", {"192.0.2.2:3260"}}}));
  REQUIRE(array.opened);
  Group more{"west", "", {{"b", {"192.0.2.3:3260"}}, {"c", {"192.0.2.4:3260"}}}};
  REQUIRE(array.keeper.join(more));
  CHECK(array.keeper.group()->members == more.members);
  CHECK(array.keeper.group()->secret == west().secret);
  REQUIRE(array.keeper.remove_member("b"));
  CHECK(array.peers.all().size() == 1);
}

TEST_CASE("group keeper: what is refused changes nothing", "[threads]") {
  const test::TempDir folder;
  Array array(folder.path(), west({{"b", {"192.0.2.2:3260"}}}));
  CHECK_FALSE(array.keeper.create(west()));
  CHECK_FALSE(array.keeper.join({"east", west().secret, {}}));
  CHECK_FALSE(array.keeper.join({"west", "not its secret, surely", {}}));
  CHECK_FALSE(array.keeper.join({"west", "", {{"c", {"nowhere"}}}}));
  CHECK_FALSE(array.keeper.remove_member("c"));
  CHECK(array.keeper.group()->members.size() == 1);
  CHECK(array.peers.all().size() == 1);
  Array other(test::TempDir().path() + "/not/there");
  CHECK_FALSE(other.keeper.create(west()));
  CHECK_FALSE(other.copies.in_group());
}

TEST_CASE("group keeper: a file that holds no group ends the start with one line", "[threads]") {
  for (const char* text : {"", "{}", R"({"name":"west"})", "not even JSON", R"({"name":1})"}) {
    const test::TempDir folder;
    std::ofstream(folder.path() + "/group.json") << text;
    Array array(folder.path());
    REQUIRE_FALSE(array.opened);
    CHECK(array.opened.error().find('\n') == std::string::npos);
  }
}

TEST_CASE("group keeper: each initiator has secrets of its own, this array's own name has none",
          "[threads]") {
  const test::TempDir folder;
  Array array(folder.path(), west());
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

TEST_CASE("group keeper: the secret is the first line of its file") {
  const test::TempDir folder;
  std::ofstream(folder.path() + "/secret") << "the first line\nthe second\n";
  CHECK(read_group_secret(folder.path() + "/secret") == "the first line");
  std::ofstream(folder.path() + "/empty") << "\n";
  CHECK_FALSE(read_group_secret(folder.path() + "/empty"));
  CHECK_FALSE(read_group_secret(folder.path() + "/none"));
}
