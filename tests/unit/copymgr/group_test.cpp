// The group as a value: what is derived from its secret, how members are written, what is refused.
#include <catch2/catch.hpp>

#include "copymgr/peers.hpp"
#include "tests/unit/tokens/token_world.hpp"

using namespace copymgr;
using tokens::TokenSeal;
using Verdict = tokens::TokenSeal::Verdict;

namespace {

Group west(std::string secret = "sixteen bytes at least") {
  return {"west", std::move(secret), {{"b", {"192.0.2.2:3260"}}}};
}

constexpr CopyManagerDesignator a{1, 2, 3}, b{4, 5, 6};

tokens::GroupMark mark(const Group& group, const CopyManagerDesignator& own) {
  return {derive_key(group, GroupKeyPurpose::token_seal), own};
}

// A table of an array in a group.
struct Member {
  Member(const Group& group, const CopyManagerDesignator& own, std::uint64_t seed)
      : randomness(seed), table(clock, randomness, {}) {
    table.set_group(mark(group, own));
  }
  scsi::RodTokenBytes create(bool may_leave) {
    tokens::NewToken token;
    token.may_leave = may_leave;
    return table.create(std::move(token));
  }
  base::ManualClock clock;
  tokens::test::SeededRandomness randomness;
  tokens::TokenTable table;
};

}  // namespace

TEST_CASE("group: each key and each secret is another one") {
  std::vector<std::string> all;
  for (const Group& group :
       {west(), west("another secret of it"), Group{"east", west().secret, {}}}) {
    for (const auto purpose : {GroupKeyPurpose::token_seal, GroupKeyPurpose::open_proof,
                               GroupKeyPurpose::opened_proof}) {
      all.push_back(base::to_hex(derive_key(group, purpose)));
    }
    for (const auto side : {LoginSide::initiator, LoginSide::target}) {
      for (const auto& who : {a, b})
        all.push_back(derive_login_secret(group, side, to_text(who)));
    }
  }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(derive_key(west(), GroupKeyPurpose::token_seal) ==
        derive_key(west(), GroupKeyPurpose::token_seal));
  CHECK(all.front().size() == 64);
}

// HKDF-SHA-256 (RFC 5869) of another implementation, Python's hmac. Arrays of all versions have to
// agree on these, or one could not tell the other that their versions differ.
TEST_CASE("group: keys and secrets are what they are in every version of the pull protocol") {
  CHECK(base::to_hex(derive_key(west(), GroupKeyPurpose::token_seal)) ==
        "a8dc8e6cc106d3ab39add282248e0fabc017ab36e1ff04ae8604f73b15660bb8");
  CHECK(derive_login_secret(west(), LoginSide::initiator, to_text(a)) ==
        "24e183091148857c505de5aa07d80130564f79f05b9d4a2920479c50755d2bb8");
}

TEST_CASE("group: members as a person writes them") {
  const auto member = parse_group_member("b=192.0.2.2:3260,[2001:db8::2]:3260");
  REQUIRE(member);
  CHECK(*member == GroupMember{"b", {"192.0.2.2:3260", "[2001:db8::2]:3260"}});
  for (const char* wrong : {"", "b", "b=", "=192.0.2.2:3260", "two words=192.0.2.2:3260"})
    CHECK_FALSE(parse_group_member(wrong));
  CHECK(parse_designator("0102030000000000000000000000000F") ==
        CopyManagerDesignator{1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15});
  for (const char* wrong : {"", "0102", "0g020300000000000000000000000000"})
    CHECK_FALSE(parse_designator(wrong));
}

TEST_CASE("group: short secrets, strange names and members given twice are refused") {
  CHECK_FALSE(fault_of(west()));
  CHECK(fault_of(west("fifteen bytes..")));
  Group group = west();
  group.name = "a b";
  CHECK(fault_of(group));
  group = west();
  group.members.push_back(group.members.front());
  CHECK(fault_of(group));
}

TEST_CASE("group: a token that may leave is a member's to all others, and genuine at home") {
  Member home(west(), a, 1), other(west(), b, 2), elsewhere(west("another secret of it"), b, 3);
  const auto leaves = home.create(true), stays = home.create(false);
  CHECK(home.table.seal_of(leaves) == Verdict::genuine);
  CHECK(home.table.seal_of(stays) == Verdict::genuine);
  CHECK(other.table.seal_of(leaves) == Verdict::of_member);
  CHECK(other.table.seal_of(stays) == Verdict::foreign);
  CHECK(elsewhere.table.seal_of(leaves) == Verdict::foreign);
  CHECK(TokenSeal::creator_in(leaves) == a);
  // Any changed byte outside the name of the key is seen before anybody is asked.
  for (std::size_t at = 0; at < leaves.size(); ++at) {
    auto altered = leaves;
    altered[at] ^= 0x40;
    const bool in_name = at >= 256 && at < 264;
    if (other.table.seal_of(altered) != (in_name ? Verdict::foreign : Verdict::broken)) {
      FAIL_CHECK("byte " << at);
    }
  }
}

TEST_CASE("group: an array that has left still takes the tokens that it made, others do not") {
  Member home(west(), a, 1), other(west(), b, 2);
  const auto token = home.create(true);
  home.table.set_group(std::nullopt);
  CHECK(home.table.lease(token));
  other.table.set_group(std::nullopt);
  CHECK(other.table.seal_of(token) == Verdict::foreign);
}

TEST_CASE("peers: members that stay are the same ones, a designator is learned or was written") {
  base::ManualClock clock;
  tokens::test::SeededRandomness randomness{1};
  Peers peers(clock, randomness, a);
  CHECK(peers.group() == nullptr);
  peers.set_group(west());
  const PeerPtr first = peers.all().at(0);
  CHECK_FALSE(first->designator());
  CHECK(peers.find(b) == nullptr);
  first->reached(b);
  CHECK(peers.find(b) == first);
  Group more = west();
  more.members.push_back({to_text(CopyManagerDesignator{9}), {"192.0.2.9:3260"}});
  peers.set_group(more);
  CHECK(peers.find(b) == first);
  REQUIRE(peers.find(CopyManagerDesignator{9}) != nullptr);
  peers.find(CopyManagerDesignator{9})->reached(b);  // somebody else answers there
  CHECK(peers.find(b) == first);
  peers.set_group(std::nullopt);
  CHECK(peers.all().empty());
  CHECK(peers.group() == nullptr);
}

TEST_CASE("peers: what is not news is not told twice") {
  base::ManualClock clock;
  Peer peer({"b", {"192.0.2.2:3260"}}, {}, clock);
  CHECK(peer.not_reached("no answer"));
  CHECK_FALSE(peer.not_reached("no answer"));
  CHECK(peer.not_reached("refused"));
  CHECK(peer.facts().state == PeerState::unreachable);
  peer.reached(b);
  CHECK(peer.facts().state == PeerState::reachable);
  CHECK(peer.not_reached("refused"));
}
