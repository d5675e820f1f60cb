// Who may use a token: the units' own rules, reservations, other targets (wire reference 5.3, 7.3,
// 7.4, 9.1; windows-host D.4). And that each denial is one line of the audit log.
#include "base/digest.hpp"
#include "target/device/token_gate.hpp"
#include "tests/unit/device/reservation_world.hpp"
#include "tests/unit/device/xcopy_world.hpp"

using namespace device;
using namespace device::test;
using copymgr::TokenUse;

namespace {

constexpr std::uint16_t source_lun = 3;
const std::string maker = "iqn.host:a";

struct UseWorld : XcopyWorld {
  explicit UseWorld(TokenUse use = TokenUse::bearer)
      : XcopyWorld({{scsi::Lun{source_lun}, make_unit(13, memory(unit_bytes), 512, of(use))}}) {
    target->denials()->set_sink([this](const std::string& line) { lines.push_back(line); });
    fill(0, data, source_lun);
    token = make_token({{0, 8}}, source_lun);
  }
  static LogicalUnitLimits of(TokenUse use) {
    LogicalUnitLimits out;
    out.copies.token_use = use;
    return out;
  }

  // Sees LUN 1, and the source only if it may.
  std::unique_ptr<Nexus> stranger(const std::string& name, bool sees_source) {
    std::map<scsi::Lun, scsi::Lun> visible{{{1}, {1}}};
    if (sees_source) visible[{source_lun}] = {source_lun};
    const NexusIdentity identity{++last_nexus, name, {target->name(), 1, 1}, last_nexus};
    auto out =
        std::make_unique<Nexus>(identity, target, visible, WorkerContext{home, pool, buffers});
    for (const auto& [lun, unit] : visible)
      World::run(*out, cdb_of("00"), {}, lun.value);
    return out;
  }
  Answer use(Nexus& by, const Token& shown, std::uint32_t id = 0x77) {
    const Bytes list = write_list(shown, {{50, 8}});
    return World::run(by, token_cdb(0x11, id, list.size()), list, 1);
  }
  // Whether it wrote; leaves nothing behind.
  bool works(Nexus& by) {
    const bool good = use(by, token).good();
    CHECK((content(50, 8, 1) == data) == good);
    fill(50, Bytes(8 * 512), 1);
    return good;
  }

  const Bytes data = pattern(8, 512, 3);
  Token token;
  std::vector<std::string> lines;
};

bool has(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each rule for each kind of host: its name, and whether it sees the source") {
  struct Row {
    TokenUse use;
    bool same_name, sees_source, allowed;
  };
  constexpr Row rows[] = {
      {TokenUse::bearer, false, false, true},
      {TokenUse::bearer, true, false, true},
      {TokenUse::bearer, false, true, true},
      {TokenUse::bearer, true, true, true},
      {TokenUse::same_initiator, false, false, false},
      {TokenUse::same_initiator, true, false, true},
      {TokenUse::same_initiator, false, true, false},
      {TokenUse::same_initiator, true, true, true},
      {TokenUse::visible_source, false, false, false},
      {TokenUse::visible_source, true, false, false},
      {TokenUse::visible_source, false, true, true},
      {TokenUse::visible_source, true, true, true},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.use), row.same_name, row.sees_source);
    UseWorld world(row.use);
    const auto host = world.stranger(row.same_name ? maker : "iqn.host:x", row.sees_source);
    CHECK(world.works(*host) == row.allowed);
    CHECK(world.lines.size() == (row.allowed ? 0 : 1));
    if (row.allowed) continue;
    const Answer answer = world.use(*host, world.token);
    check_bad_list(answer, 0x23, 0x00, 16);
    // The maker's token is none the worse for it.
    CHECK(world.works(*world.nexus));
  }
}

TEST_CASE("R8: a use that was not allowed leaves a record with its sense") {
  UseWorld world(TokenUse::same_initiator);
  const auto host = world.stranger("iqn.host:x", true);
  CHECK_FALSE(world.use(*host, world.token, 9).good());
  const Bytes record = world.World::run(*host, result_cdb(0x07, 9), {}, 1).data;
  REQUIRE(record.size() > 32 + 13);
  CHECK(record[5] == 0x02);
  CHECK(record[12] == 0x02);
  CHECK((record[32 + 2] & 0x0f) == 0x05);
  CHECK(record[32 + 12] == 0x23);
}

TEST_CASE("D.4 9.1 the reservations of both units are asked when the token is used") {
  for (const std::uint8_t type : all_types) {
    CAPTURE(static_cast<int>(type));
    UseWorld world;
    const auto holder = world.login("iqn.host:holder");
    const auto sees = world.stranger("iqn.host:x", true);
    const auto blind = world.stranger("iqn.host:y", false);
    const auto reserve = [&](std::uint16_t lun) {
      REQUIRE(world.World::run(*holder, pr_out(pr_register), pr_list(0, 5), lun).good());
      REQUIRE(world.World::run(*holder, pr_out(pr_reserve, type), pr_list(5, 0), lun).good());
    };
    reserve(source_lun);
    const bool readable = is_write_exclusive_type(type);
    const Answer answer = world.use(*sees, world.token, 4);
    CHECK(answer.status == (readable ? scsi::Status::good : scsi::Status::reservation_conflict));
    CHECK_FALSE(answer.sense);
    CHECK(world.lines.size() == (readable ? 0 : 1));
    if (!readable) {
      const Bytes record = world.World::run(*sees, result_cdb(0x07, 4), {}, 1).data;
      CHECK(record[12] == 0x18);
      CHECK(has(world.lines[0], "reserved"));
    }
    CHECK(world.works(*holder));
    // Who does not see it holds the data by the token alone.
    CHECK(world.works(*blind));
    reserve(1);
    for (Nexus* const host : {sees.get(), blind.get()})
      CHECK(world.use(*host, world.token).status == scsi::Status::reservation_conflict);
    CHECK(world.use(*holder, world.token).good());
  }
}

TEST_CASE("a token that names a reserved unit and is forged tells nothing of reservations") {
  UseWorld world;
  const auto holder = world.login("iqn.host:holder");
  REQUIRE(world.World::run(*holder, pr_out(pr_register), pr_list(0, 5), source_lun).good());
  REQUIRE(world.World::run(*holder, pr_out(pr_reserve, ea), pr_list(5, 0), source_lun).good());
  const auto host = world.stranger("iqn.host:x", true);
  Token forged = world.token;
  forged[300] ^= 1;
  check_bad_list(world.use(*host, forged), 0x23, 0x05, 16);
}

TEST_CASE(
    "7.3 the token of another target is remote; with the setting, of this array it is taken") {
  for (const bool remote_tokens : {false, true}) {
    UseWorld world;
    LogicalUnitLimits limits;
    limits.copies.remote_tokens =
        remote_tokens ? copymgr::RemoteTokens::array : copymgr::RemoteTokens::refuse;
    const auto unit = make_unit(40, memory(unit_bytes), 512, limits);
    const auto other = std::make_shared<TargetDevice>("iqn.2026-11.io.copymgr:other", world.copies,
                                                      World::Units{{scsi::Lun{1}, unit}});
    other->denials()->set_sink([&](const std::string& line) { world.lines.push_back(line); });
    const NexusIdentity identity{++world.last_nexus, maker, {other->name(), 1, 1}, 1};
    const auto host = std::make_unique<Nexus>(identity, other, other->unmasked(),
                                              WorkerContext{world.home, world.pool, world.buffers});
    world.World::run(*host, cdb_of("00"), {}, 1);

    const Bytes page = world.World::run(*host, cdb_of("12 01 8F 04 00 00"), {}, 1).data;
    CHECK(scsi::remote_tokens_of(page) == (remote_tokens ? 4 : 0));
    Token elsewhere = world.token;  // of an array that nobody here knows
    elsewhere[256] ^= 1;
    elsewhere[8] ^= 1;
    const Answer answer = world.use(*host, world.token), stranger = world.use(*host, elsewhere);
    if (remote_tokens) {
      CHECK(answer.good());
      check_sense(stranger, scsi::SenseKey::copy_aborted, 0x0d, 0x02);
      CHECK(world.lines.size() == 1);
      CHECK(world.World::run(*host, read_16(50, 8), {}, 1).data == world.data);
    } else {
      check_bad_list(answer, 0x23, 0x02, 16);
      check_bad_list(stranger, 0x23, 0x02, 16);
      CHECK(world.lines.size() == 2);
      CHECK(world.World::run(*host, read_16(50, 8), {}, 1).data == Bytes(8 * 512));
    }
    // The array's own seal does not make a token of its own target out of it.
    check_bad_list(world.use(*world.nexus, elsewhere), 0x23, 0x04, 16);
  }
}

TEST_CASE("a denial is one line: who, where, which token by its hash, why") {
  UseWorld world(TokenUse::same_initiator);
  const auto host = world.stranger("iqn.host:x", true);
  CHECK_FALSE(world.use(*host, world.token, 0x1234).good());
  REQUIRE(world.lines.size() == 1);
  const std::string line = world.lines[0];
  CHECK(has(line,
            "copy denied: initiator iqn.host:x, target iqn.2026-11.io.copymgr:test, LUN 1, "
            "list 0x00001234, token "));
  CHECK(has(line, ": the token's source does not let this host use it"));
  // The hash is of the whole token and nothing of the token is in the line.
  const std::string hash = base::to_hex(base::ByteView(base::sha256(world.token)).first(6));
  CHECK(has(line, "token " + hash + ":"));
  for (std::size_t i = 256; i + 4 <= 512; ++i)
    REQUIRE_FALSE(has(line, base::to_hex(base::ByteView(world.token).subspan(i, 4))));
  CHECK(std::count(line.begin(), line.end(), '\n') == 0);
  // What works is none, nor what is wrong otherwise.
  CHECK(world.works(*world.nexus));
  CHECK_FALSE(world.use_token(world.token, {{50, 9}}, 1).good());
  CHECK_FALSE(world.use_token(world.token, {{1u << 20, 1}}, 1).good());
  CHECK(world.lines.size() == 1);
}

TEST_CASE("each kind of bad token and each unreachable CSCD is one line") {
  UseWorld world;
  const auto count_of = [&](const Token& shown, const std::string& why) {
    world.lines.clear();
    CHECK_FALSE(world.use(*world.nexus, shown).good());
    REQUIRE(world.lines.size() == 1);
    CHECK(has(world.lines[0], why));
  };
  Token bad = world.token;
  bad[7] ^= 1;
  count_of(bad, "length is wrong");
  bad = world.token;
  bad[400] ^= 1;
  count_of(bad, "corrupt");
  bad = Token(512);
  bad[6] = 0x01, bad[7] = 0xf8, bad[1] = 0x01;
  count_of(bad, "type is not taken");
  bad[1] = 0x80;
  count_of(bad, "unknown");
  CHECK(world.copies.token_table().revoke(base::load_be64(world.token, 8)));
  count_of(world.token, "revoked");
  const Token expired = world.make_token({{0, 8}}, 1, 10);
  world.clock.advance(11s);
  count_of(expired, "expired");

  // EXTENDED COPY, of either form, in the background too; also when it has no list identifier.
  const auto host = world.stranger("iqn.host:x", false);
  const Bytes hidden = world.naa_of(source_lun), seen = world.naa_of(1);
  const auto copy_count = [&](const Bytes& list, std::uint8_t action, const std::string& why) {
    world.lines.clear();
    world.World::run(*host, xcopy_cdb(action, list.size()), list, 1);
    REQUIRE(world.lines.size() == 1);
    CHECK(has(world.lines[0], "initiator iqn.host:x,"));
    CHECK(has(world.lines[0], why));
  };
  const std::vector<Bytes> from{segment_02(0, 1, 8, 0, 0)}, into{segment_02(1, 0, 8, 0, 0)};
  const std::vector<Bytes> from_4{segment_02(1, 2, 8, 0, 0)};
  copy_count(lid1_list(5, 0, {hidden, seen}, from), 0,
             "list 0x00000005: the host sees no such copy source");
  copy_count(lid1_list(6, 0, {hidden, seen}, into), 0, "no such copy destination");
  copy_count(lid1_list(0, 0x18, {hidden, seen}, from), 0,
             "LUN 1: the host sees no such copy source");
  copy_count(lid4_list(7, 0, 0x01, {hidden, seen}, from_4), 1, "no such copy source");
  // Two bad segments are one denial: the first ends the copy.
  copy_count(lid1_list(8, 0, {hidden, seen}, {from[0], from[0]}), 0, "no such copy source");
}

TEST_CASE("the audit log tells so many at once, then at a rate, and how many it did not tell") {
  base::ManualClock clock;
  DenialLog log(clock);
  std::vector<std::string> lines;
  log.set_sink([&lines](const std::string& line) { lines.push_back(line); });
  const Denial denial{"iqn.a", "iqn.t", 2, std::nullopt, "", "why"};
  for (int i = 0; i < 1000; ++i)
    log.add(denial);
  CHECK(lines.size() == DenialLog::burst_lines);
  CHECK(lines.front() == "copy denied: initiator iqn.a, target iqn.t, LUN 2: why");
  clock.advance(DenialLog::line_every - 1ms);
  log.add(denial);
  CHECK(lines.size() == DenialLog::burst_lines);
  clock.advance(1ms);
  log.add(denial);
  REQUIRE(lines.size() == DenialLog::burst_lines + 1);
  CHECK(has(lines.back(), "why (951 more before it were not logged)"));
  clock.advance(std::chrono::hours(24));
  for (int i = 0; i < 1000; ++i)
    log.add(denial);
  CHECK(lines.size() == 2 * DenialLog::burst_lines + 1);
  CHECK_FALSE(has(lines[DenialLog::burst_lines + 1], "not logged"));
  // A name that would forge a line cannot.
  CHECK(to_text({"iqn.a\n2026 warning", "t\x1b[2J", 0, 1, "", "x"}) ==
        "copy denied: initiator iqn.a?2026 warning, target t?[2J, LUN 0, list 0x00000001: x");
}
