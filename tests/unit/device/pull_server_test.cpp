// The pull channel as an attacker and a member meet it: one session, one token, nothing else. What
// is sent is made here by hand; docs/adr/0005 has the layout.
#include "target/device/pull_server.hpp"

#include "base/digest.hpp"
#include "copymgr/inspection.hpp"
#include "copymgr/peers.hpp"
#include "tests/unit/device/copy_world.hpp"

using namespace device;
using namespace device::test;

namespace {

constexpr std::uint8_t challenge_action = 0, open_action = 1, opened_action = 2, release_action = 3;
constexpr copymgr::CopyManagerDesignator own{0xaa, 1}, member{0xbb, 2};

copymgr::Group west(std::string secret = "a secret of the group") {
  return {"west", std::move(secret), {}};
}

scsi::CdbBytes pull_cdb(std::uint8_t action, std::uint32_t length = 0) {
  scsi::CdbBytes cdb{0xcc, action};
  put(cdb, 10, 4, length);
  return cdb;
}

// An array in a group, with one token of 16 blocks, and a session of another member.
struct PullWorld : CopyWorld {
  explicit PullWorld(copymgr::RemoteTokens remote = copymgr::RemoteTokens::group)
      : CopyWorld({{scsi::Lun{5}, unit_with(remote)}}) {
    peers.set_group(west());
    copies.meet(peers);
    copies.group_changed();
    data = pattern(16, 512, 3);
    fill(100, data, 5);
    token = make_token({{100, 16}}, 5);
    server = open_session();
  }
  static std::shared_ptr<LogicalUnit> unit_with(copymgr::RemoteTokens remote) {
    LogicalUnitLimits limits;
    limits.copies.remote_tokens = remote;
    limits.copies.rod_types.insert(scsi::RodType::access_upon_reference);
    return make_unit(50, memory(unit_bytes), 512, limits);
  }

  std::unique_ptr<PullServer> open_session() {
    return std::make_unique<PullServer>(copies, peers, "iqn.member",
                                        WorkerContext{home, pool, buffers});
  }
  Answer ask(PullServer& to, const scsi::CdbBytes& cdb, const Bytes& out = {},
             std::uint64_t lun_field = 0) {
    Command command;
    Task& task = command.task;
    task.owner = &command.owner;
    task.lun_field = lun_field;
    task.cdb = cdb;
    const std::uint64_t wanted = to.data_out_wanted(task).value;
    task.data_out = buffers.take(std::min<std::uint64_t>(wanted, out.size()));
    std::copy_n(out.begin(), task.data_out.size(), task.data_out.span().begin());
    to.execute(task);
    REQUIRE(command.owner.finished == 1);
    return command.owner.answer;
  }
  Answer ask(const scsi::CdbBytes& cdb, const Bytes& out = {}) { return ask(*server, cdb, out); }

  // What PULL OPEN sends for this token, in answer to that challenge.
  static Bytes open_list(const Bytes& challenge, const Token& of,
                         const copymgr::Group& group = west()) {
    Bytes list(96);
    base::store_be16(list, 0, 0x434d);
    base::store_be16(list, 2, 1);
    std::copy(member.begin(), member.end(), list.begin() + 8);
    std::fill_n(list.begin() + 24, 32, std::uint8_t{7});
    Bytes proven(challenge.begin() + 8, challenge.begin() + 24);  // the creator
    proven.insert(proven.end(), member.begin(), member.end());
    proven.insert(proven.end(), challenge.begin() + 24, challenge.begin() + 56);
    proven.insert(proven.end(), list.begin() + 24, list.begin() + 56);
    proven.insert(proven.end(), of.begin(), of.end());
    const auto key = copymgr::derive_key(group, copymgr::GroupKeyPurpose::open_proof);
    const auto proof = base::hmac_sha256(key, proven);
    std::copy(proof.begin(), proof.end(), list.begin() + 56);
    std::copy_n(of.begin() + 8, 8, list.begin() + 88);
    return list;
  }
  Bytes challenge(PullServer& of) {
    const Answer answer = ask(of, pull_cdb(challenge_action, 56));
    REQUIRE(answer.data.size() == 56);
    return answer.data;
  }
  Answer open(const Token& of) {
    return ask(pull_cdb(open_action, 96), open_list(challenge(*server), of));
  }
  std::uint32_t leases() { return copies.tokens(false).front().uses_running; }

  copymgr::Peers peers{clock, randomness, own};
  Bytes data;
  Token token;
  std::unique_ptr<PullServer> server;
};

}  // namespace

TEST_CASE("pull: a challenge says mark, version, who, and a nonce that is never the same") {
  PullWorld world;
  const Bytes first = world.challenge(*world.server), second = world.challenge(*world.server);
  CHECK(Bytes(first.begin(), first.begin() + 8) == hex("43 4D 00 01 00 00 00 00"));
  CHECK(std::equal(own.begin(), own.end(), first.begin() + 8));
  CHECK(Bytes(first.begin() + 24, first.end()) != Bytes(second.begin() + 24, second.end()));
}

TEST_CASE("pull: who opens a token reads its data, as it was, and holds it alive") {
  PullWorld world;
  REQUIRE(world.open(world.token).good());
  CHECK(world.leases() == 1);
  world.fill(100, pattern(16, 512, 99), 5);
  CHECK(world.ask(read_16(0, 16)).data == world.data);
  CHECK(world.ask(read_16(15, 1)).data == Bytes(world.data.end() - 512, world.data.end()));
  const Bytes capacity = world.ask(cdb_of("9E 10 0000000000000000 00000020")).data;
  REQUIRE(capacity.size() == 32);
  CHECK(base::load_be64(capacity, 0) == 15);
  CHECK(base::load_be32(capacity, 8) == 512);
  world.clock.advance(59s);
  world.copies.expire();
  CHECK(world.ask(read_16(0, 1)).good());
  world.clock.advance(59s);  // 118 s: a token that nobody uses has 60
  CHECK(world.ask(read_16(0, 1)).good());
  CHECK(world.leases() == 1);
}

TEST_CASE("pull: the creator proves that it knows the secret too, and tells what is open") {
  PullWorld world;
  const Bytes challenge = world.challenge(*world.server);
  const Bytes list = PullWorld::open_list(challenge, world.token);
  REQUIRE(world.ask(pull_cdb(open_action, 96), list).good());
  const Bytes opened = world.ask(pull_cdb(opened_action, 56)).data;
  REQUIRE(opened.size() == 56);
  CHECK(Bytes(opened.begin(), opened.begin() + 16) ==
        hex("43 4D 00 01 00 00 02 00 0000000000002000"));
  Bytes proven(challenge.begin() + 8, challenge.begin() + 24);
  proven.insert(proven.end(), member.begin(), member.end());
  proven.insert(proven.end(), challenge.begin() + 24, challenge.end());
  proven.insert(proven.end(), list.begin() + 24, list.begin() + 56);
  proven.insert(proven.end(), world.token.begin(), world.token.end());
  const auto key = copymgr::derive_key(west(), copymgr::GroupKeyPurpose::opened_proof);
  const auto proof = base::hmac_sha256(key, proven);
  CHECK(std::equal(proof.begin(), proof.end(), opened.begin() + 24));
}

TEST_CASE("pull attack: reads without a lease get nothing") {
  PullWorld world;
  check_sense(world.ask(read_16(0, 1)), scsi::SenseKey::not_ready, 0x3a, 0x00);
  check_sense(world.ask(cdb_of("9E 10 0000000000000000 00000020")), scsi::SenseKey::not_ready, 0x3a,
              0x00);
  check_sense(world.ask(cdb_of("9E 12 0000000000000000 00000018")), scsi::SenseKey::not_ready, 0x3a,
              0x00);
  check_illegal(world.ask(pull_cdb(opened_action, 56)), 0x2c, 0x00);
  check_illegal(world.ask(pull_cdb(release_action)), 0x2c, 0x00);
  CHECK(world.leases() == 0);
}

TEST_CASE(
    "pull attack: an open that was heard is worth nothing again, here or in another session") {
  PullWorld world;
  const Bytes list = PullWorld::open_list(world.challenge(*world.server), world.token);
  REQUIRE(world.ask(pull_cdb(open_action, 96), list).good());
  REQUIRE(world.ask(pull_cdb(release_action)).good());
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x2c, 0x00);  // its nonce is used up
  world.challenge(*world.server);
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x23, 0x04);
  const auto other = world.open_session();
  check_illegal(world.ask(*other, pull_cdb(open_action, 96), list), 0x2c, 0x00);
  world.challenge(*other);
  check_illegal(world.ask(*other, pull_cdb(open_action, 96), list), 0x23, 0x04);
  check_sense(world.ask(*other, read_16(0, 1)), scsi::SenseKey::not_ready, 0x3a, 0x00);
  CHECK(world.leases() == 0);
}

TEST_CASE("pull attack: one nonce is good for one attempt, the first wrong proof uses it up") {
  PullWorld world;
  Bytes list = PullWorld::open_list(world.challenge(*world.server), world.token);
  list[56] ^= 1;
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x23, 0x04);
  list[56] ^= 1;
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x2c, 0x00);
}

TEST_CASE("pull attack: a token of which any byte differs opens nothing") {
  PullWorld world;
  for (const std::size_t at : {0u, 7u, 16u, 48u, 63u, 128u, 263u, 300u, 479u, 511u}) {
    Token altered = world.token;
    altered[at] ^= 0x10;
    INFO(at);
    check_illegal(world.open(altered), 0x23, 0x04);
  }
  CHECK(world.leases() == 0);
}

TEST_CASE("pull attack: a token re-targeted at other data, or at another token, opens nothing") {
  PullWorld world;
  const Token other = world.make_token({{0, 8}}, 5);
  Token mixed = world.token;
  std::copy_n(other.begin() + 8, 8, mixed.begin() + 8);  // its identifier
  check_illegal(world.open(mixed), 0x23, 0x04);
  Bytes list = PullWorld::open_list(world.challenge(*world.server), world.token);
  std::copy_n(other.begin() + 8, 8, list.begin() + 88);
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x23, 0x04);
}

TEST_CASE("pull attack: the wrong secret, or another member's designator in the proof") {
  PullWorld world;
  const Bytes forged = PullWorld::open_list(world.challenge(*world.server), world.token,
                                            west("another secret of it"));
  check_illegal(world.ask(pull_cdb(open_action, 96), forged), 0x23, 0x04);
  Bytes renamed = PullWorld::open_list(world.challenge(*world.server), world.token);
  renamed[8] ^= 1;
  check_illegal(world.ask(pull_cdb(open_action, 96), renamed), 0x23, 0x04);
}

TEST_CASE("pull attack: with one token's lease nothing of another, and nothing beyond its end") {
  PullWorld world;
  const Token other = world.make_token({{0, 8}}, 5);
  REQUIRE(world.open(world.token).good());
  // A second token in the same session.
  const Bytes list = PullWorld::open_list(world.challenge(*world.server), other);
  check_illegal(world.ask(pull_cdb(open_action, 96), list), 0x2c, 0x00);
  CHECK(world.ask(read_16(0, 16)).data == world.data);
  check_illegal(world.ask(read_16(16, 1)), 0x21, 0x00);
  check_illegal(world.ask(read_16(0, 17)), 0x21, 0x00);
  check_illegal(world.ask(read_16(~0ull, 1)), 0x21, 0x00);
  check_illegal(world.ask(read_16(~0ull - 1, 0xffffffff)), 0x21, 0x00);
  check_illegal(world.ask(cdb_of("9E 12 0000000000000010 00000018")), 0x21, 0x00);
}

TEST_CASE("pull attack: no other command and no other unit is there, open or not") {
  PullWorld world;
  for (const bool open : {false, true}) {
    if (open) REQUIRE(world.open(world.token).good());
    for (const char* cdb :
         {"12 00 00 00 24 00", "A0 00 00 00 00 00 00000018 00 00", "28 00 00000000 00 0001 00",
          "8A 00 0000000000000000 00000001 00 00", "83 10 00000000 00000000 00000020 00 00",
          "83 11 00000000 00000000 00000228 00 00", "84 08 00000000 00000000 00000100 00 00",
          "5E 00 00 00 00 00 00 0008 00", "42 00 00 00 00 00 00 0018 00",
          "35 00 00 00 00 00 00 00 00 00", "1A 00 3F 00 FF 00",
          "CC 04 00000000 00000000 00000100 00 00"}) {
      INFO(cdb << (open ? " open" : ""));
      check_illegal(world.ask(cdb_of(cdb), Bytes(4096)), 0x20, 0x00);
    }
    for (const std::uint16_t lun : {1, 5, 255}) {
      const Answer answer = world.ask(*world.server, read_16(0, 1), {}, scsi::encode_lun({lun}));
      check_illegal(answer, 0x25, 0x00);
    }
  }
  check_bad_cdb(world.ask(cdb_of("88 20 0000000000000000 00000001 00 00")), bit(1, 7));
}

TEST_CASE("pull attack: lists that are too short, of another version or another protocol") {
  PullWorld world;
  for (const int what : {0, 1, 2, 3}) {
    Bytes list = PullWorld::open_list(world.challenge(*world.server), world.token);
    if (what == 0) list.resize(95);
    if (what == 1) list[3] = 2;
    if (what == 2) list[0] = 0;
    if (what == 3) list.clear();
    INFO(what);
    check_illegal(world.ask(pull_cdb(open_action, static_cast<std::uint32_t>(list.size())), list),
                  0x2c, 0x00);
  }
}

TEST_CASE("pull: the end of a token is told by its cause to who knows all of it") {
  struct End {
    const char* name;
    bool (tokens::TokenTable::*how)(std::uint64_t);
    std::uint8_t qualifier;
  };
  for (const End& end : {End{"revoked", &tokens::TokenTable::revoke, 0x06},
                         End{"expired", &tokens::TokenTable::expire_at_once, 0x07},
                         End{"cancelled", &tokens::TokenTable::cancel, 0x08},
                         End{"deleted", &tokens::TokenTable::remove, 0x09}}) {
    PullWorld world;
    INFO(end.name);
    REQUIRE((world.copies.token_table().*end.how)(base::load_be64(world.token, 8)));
    check_illegal(world.open(world.token), 0x23, end.qualifier);
    Token altered = world.token;
    altered[300] ^= 1;
    check_illegal(world.open(altered), 0x23, 0x04);
  }
}

TEST_CASE("pull: a unit may keep its tokens at home, then they bear the array's own seal") {
  PullWorld world(copymgr::RemoteTokens::refuse);
  check_illegal(world.open(world.token), 0x23, 0x04);
  scsi::RodTokenBytes bytes{};
  std::copy(world.token.begin(), world.token.end(), bytes.begin());
  const auto key = copymgr::derive_key(west(), copymgr::GroupKeyPurpose::token_seal);
  tokens::TokenKey token_key{};
  std::copy(key.begin(), key.end(), token_key.begin());
  CHECK(tokens::TokenSeal(token_key, member).verify(bytes) == tokens::TokenSeal::Verdict::foreign);
}

TEST_CASE("pull: the lease ends with the session, by release, by its own timer, with the group") {
  PullWorld world;
  for (const int how : {0, 1, 2, 3}) {
    INFO(how);
    world.server = world.open_session();
    REQUIRE(world.open(world.token).good());
    CHECK(world.leases() == 1);
    if (how == 0) world.server.reset();
    if (how == 1) CHECK(world.ask(pull_cdb(release_action)).good());
    if (how == 2) {
      world.clock.advance(copymgr::ServedToken::idle_max);
      world.copies.expire();
    }
    if (how == 3) {
      world.peers.set_group(std::nullopt);
      world.copies.group_changed();
    }
    CHECK(world.leases() == 0);
    if (how >= 2) CHECK_FALSE(world.ask(read_16(0, 1)).good());
  }
  world.clock.advance(61s);
  world.copies.expire();
  CHECK(world.copies.tokens(false).empty());
}

TEST_CASE("pull: release deletes the token where that is wanted") {
  PullWorld world;
  REQUIRE(world.open(world.token).good());
  scsi::CdbBytes cdb = pull_cdb(release_action);
  cdb[2] = 1;
  REQUIRE(world.ask(cdb).good());
  check_illegal(world.open(world.token), 0x23, 0x09);
}

TEST_CASE("pull: holes are told, not sent; ranges follow each other as the token has them") {
  PullWorld world;
  // 16 blocks of data, 128 that were never written, 8 of data.
  world.fill(600, pattern(8, 512, 5), 5);
  world.token = world.make_token({{100, 16}, {256, 128}, {600, 8}}, 5);
  REQUIRE(world.open(world.token).good());
  const Bytes map = world.ask(cdb_of("9E 12 0000000000000000 00000100")).data;
  std::vector<std::uint64_t> hole(152);
  for (std::size_t at = 8; at + 16 <= map.size(); at += 16) {
    const std::uint64_t first = base::load_be64(map, at), count = base::load_be32(map, at + 8);
    for (std::uint64_t i = first; i < first + count && i < hole.size(); ++i)
      hole[i] = map[at + 12];
  }
  CHECK(std::count(hole.begin(), hole.begin() + 16, 0u) == 16);
  CHECK(std::count(hole.begin() + 16, hole.begin() + 144, 1u) >= 112);
  CHECK(std::count(hole.begin() + 144, hole.end(), 0u) == 8);
  Bytes all = world.data;
  all.resize(all.size() + 128 * 512);
  const Bytes last = pattern(8, 512, 5);
  all.insert(all.end(), last.begin(), last.end());
  CHECK(world.ask(read_16(0, 152)).data == all);
  CHECK(world.ask(read_16(14, 4)).data == Bytes(all.begin() + 14 * 512, all.begin() + 18 * 512));
}

TEST_CASE("pull: every way of holding gives what it stands for") {
  struct Row {
    const char* name;
    std::uint32_t rod_type;
    bool old_data;  // after the source was overwritten; else the token is cancelled
  };
  for (const Row& row : {Row{"default", 0x00800000, true}, Row{"persistent", 0x00800002, true},
                         Row{"change vulnerable", 0x00800001, false}}) {
    INFO(row.name);
    PullWorld world;
    Bytes list = populate_list({{100, 16}});
    list[2] = 0x02;  // RTV
    base::store_be32(list, 8, row.rod_type);
    REQUIRE(world.populate(77, list, 5).good());
    const Bytes record = world.record(77, 5);
    const Token token(record.begin() + 38, record.begin() + 38 + 512);
    REQUIRE(world.open(token).good());
    CHECK(world.ask(read_16(0, 16)).data == world.data);
    world.fill(100, pattern(16, 512, 99), 5);
    const Answer after = world.ask(read_16(0, 16));
    if (row.old_data) CHECK(after.data == world.data);
    if (!row.old_data) check_illegal(after, 0x23, 0x08);
  }
}

TEST_CASE("pull: access upon reference holds still from the moment that it was opened") {
  PullWorld world;
  Bytes list = populate_list({{100, 16}});
  list[2] = 0x02;
  base::store_be32(list, 8, 0x00010000);
  REQUIRE(world.populate(77, list, 5).good());
  const Bytes record = world.record(77, 5);
  const Bytes later = pattern(16, 512, 44);
  world.fill(100, later, 5);
  REQUIRE(world.open(Token(record.begin() + 38, record.begin() + 38 + 512)).good());
  world.fill(100, pattern(16, 512, 99), 5);
  CHECK(world.ask(read_16(0, 16)).data == later);
}

TEST_CASE("pull: a unit that is taken out is read no more") {
  PullWorld world;
  REQUIRE(world.open(world.token).good());
  world.target->remove_unit({5}, world.pool);
  check_illegal(world.ask(read_16(0, 16)), 0x23, 0x08);
}
