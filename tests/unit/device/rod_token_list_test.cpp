// Tokens and ROD types in lists of EXTENDED COPY, through a nexus (wire
// reference 5.4, 5.5, 5.6, 7.4, 9.1).
#include "tests/unit/device/rod_world.hpp"

using namespace device;
using namespace device::test;
using Side = scsi::CscdAnswer::Side;
using scsi::SenseKey;

TEST_CASE("9.1 a producer that is reserved against reads, and a token's source") {
  RodWorld world;
  const Token token = world.make_token({{0, 4}}, 1);
  const auto other = world.login("iqn.host:b");
  Bytes keys(24);
  keys[15] = 0x0b;
  REQUIRE(world.World::run(*other, cdb_of("5F 00 00 00 00 00 00 00 18"), keys, 1).good());
  std::swap(keys[7], keys[15]);
  REQUIRE(world.World::run(*other, cdb_of("5F 01 03 00 00 00 00 00 18"), keys, 1).good());
  const auto conflict = [](const Answer& answer) {
    check_sense(answer, SenseKey::copy_aborted, 0x0d, 0x01);
    CHECK(answer.sense->segment == 0);
    REQUIRE(answer.sense->cscd_answer);
    CHECK(answer.sense->cscd_answer->status == scsi::Status::reservation_conflict);
    CHECK(answer.sense->cscd_answer->side == Side::source);
  };
  conflict(world.xcopy(world.list({1}, {bf(2, 0, 4)})));
  conflict(world.xcopy(world.list_with(token, of_token, {segment_02(2, 0, 4, 0, 0)})));
}

TEST_CASE("5.6 a token in the inline data, by a ROD CSCD and by F800h") {
  RodWorld world;
  const Bytes data = pattern(16, 512, 6);
  world.fill(0, data);
  const Token token = world.make_token({{8, 4}, {2, 2}});
  world.fill(0, pattern(16, 512, 7));
  CHECK(world.xcopy(world.list_with(token, of_token, {segment_02(2, 1, 6, 0, 50)})).good());
  CHECK(world.content(50, 6, 1) == joined({part(data, 8, 4), part(data, 2, 2)}));
  // The same by ROD TYPE 0 alone, by the token's own type, and by F800h without a descriptor.
  CHECK(world.xcopy(world.list_with(token, {0, 0}, {segment_02(2, 1, 1, 4, 60)})).good());
  CHECK(world.xcopy(world.list_with(token, {0xf800}, {segment_02(2, 1, 1, 5, 61)})).good());
  CHECK(world
            .xcopy(with_inline(
                lid1_list(1, 0, {world.naa_of(1)}, {segment_02(0xf800, 0, 2, 0, 62)}), token))
            .good());
  CHECK(world.content(60, 4, 1) == joined({part(data, 2, 2), part(data, 8, 2)}));
  // Beyond its end, as beyond that of any source.
  check_aborted(world.xcopy(world.list_with(token, of_token, {segment_02(2, 1, 1, 6, 0)})), 0x00,
                0x00, 0, 12);
  // Onto blocks of 4096, by DC and PAD.
  std::vector<Bytes> cscds{world.naa_of(2), fe(of_token)};
  cscds[0][28] = 0x04;
  CHECK(
      world.xcopy(with_inline(lid1_list(1, 0, cscds, {segment_02(1, 0, 6, 0, 9)}), token)).good());
  Bytes padded = joined({part(data, 8, 4), part(data, 2, 2)});
  padded.resize(4096);
  CHECK(world.content(9, 1, 2) == padded);
  // DEL_TKN.
  RodCscd deleting = of_token;
  deleting.del_tkn = true;
  CHECK(world.xcopy(world.list_with(token, deleting, {segment_02(2, 1, 6, 0, 50)})).good());
  check_illegal(world.use_token(token, {{0, 1}}), 0x23, 0x09);
  check_bad_list(world.xcopy(world.list_with(token, of_token, {segment_02(2, 1, 6, 0, 50)})), 0x23,
                 0x09, inline_token_at);
}

TEST_CASE("7.4 all of ASC 23h at the token in the inline data, before anything moves") {
  RodWorld world;
  const Token token = world.make_token({{0, 4}}, 0, 30);
  const Bytes before = world.content(0, 4, 1);
  const auto refused = [&](const Token& bytes, std::uint8_t qualifier, std::uint16_t behind = 0) {
    check_bad_list(world.xcopy(world.list_with(bytes, of_token, {segment_02(0, 1, 4, 8, 0)})), 0x23,
                   qualifier, inline_token_at + behind);
  };
  const auto changed = [&token](std::size_t at, std::uint8_t value) {
    Token out = token;
    out[at] ^= value;
    return out;
  };
  refused(changed(7, 1), 0x0a, 6);
  refused(changed(400, 1), 0x05);
  Token alien = zero_token();
  alien[0] = 0x00;
  alien[1] = 0x01;
  alien[3] = 0x00;
  refused(alien, 0x01);
  REQUIRE(world.target->copy_manager().token_table().revoke(scsi::identifier_of([&token] {
    scsi::RodTokenBytes out{};
    std::copy(token.begin(), token.end(), out.begin());
    return out;
  }())));
  refused(token, 0x06);
  const Token late = world.make_token({{0, 4}}, 0, 30);
  world.clock.advance(std::chrono::seconds(30));
  refused(late, 0x07);
  CHECK(world.content(0, 4, 1) == before);
  // It leaves a record, as every refused list with an identifier.
  const Bytes told = world.record(1);
  CHECK(told[5] == 0x02);
  CHECK(told[32 + 12] == 0x23);
}

TEST_CASE("5.5 the zero token in the inline data writes zeros") {
  RodWorld world;
  world.fill(0, pattern(8, 512, 8), 1);
  CHECK(world.xcopy(world.list_with(zero_token(), of_token, {segment_02(2, 1, 4, 1000000, 2)}))
            .good());
  CHECK(world.content(2, 4, 1) == Bytes(4 * 512));
  CHECK(world.content(0, 2, 1) == part(pattern(8, 512, 8), 0, 2));
}

TEST_CASE("5.4 6.6 FEh: the ROD types that the unit offers, in lists as in POPULATE TOKEN") {
  using enum scsi::RodType;
  const auto type_of_token = [](LimitWorld& world, std::uint32_t asked) -> std::uint32_t {
    RodCscd rod{0xffff, asked};
    rod.r_token = true;
    const Answer answer = world.xcopy(lid1_list(1, 0, {fe(rod)}, {bf(0, 0, 4)}), lun);
    if (!answer.good()) return check_bad_list(answer, 0x26, 0x00, 16 + 8), 0;
    return base::load_be32(world.record(1, lun), 38);
  };
  copymgr::CopyLimits limits;
  limits.rod_types.insert(access_upon_reference);
  LimitWorld all(limits);
  for (const std::uint32_t type : {0x00010000u, 0x00800000u, 0x00800001u, 0x00800002u})
    CHECK(type_of_token(all, type) == type);
  CHECK(type_of_token(all, 0x0080ffff) == 0x00800002);
  limits.rod_types = {point_in_time_change_vulnerable, point_in_time_any};
  LimitWorld one(limits);
  CHECK(type_of_token(one, 0x0080ffff) == 0x00800001);
  limits.rod_types = {point_in_time_change_vulnerable};
  LimitWorld no_wish(limits);
  CHECK(type_of_token(no_wish, 0x0080ffff) == 0);
  for (const std::uint32_t type : {0x00010000u, 0x00800000u, 0x00800002u, 0xffff0001u})
    CHECK(type_of_token(one, type) == 0);
  const Bytes told = one.descriptor(0x0108);
  REQUIRE(told.size() == 8 + 3 * 64);
  CHECK(Bytes(told.begin() + 8, told.begin() + 13) == hex("00 00 00 00 02"));
  CHECK(Bytes(told.begin() + 72, told.begin() + 77) == hex("00 80 00 01 83"));
  CHECK(Bytes(told.begin() + 136, told.begin() + 141) == hex("00 80 FF FF 81"));
  // Tokens of a type that is not taken, in the inline data.
  RodCscd with_token = of_token;
  const Bytes list = with_inline(
      lid1_list(1, 0, {fe(with_token)}, {segment_02(0, 0xffff, 1, 0, 0)}), zero_token());
  check_bad_list(one.xcopy(list, lun), 0x23, 0x01, 16 + 32 + 28);
}

TEST_CASE(
    "R_TOKEN: what the producer's unit allows of tokens counts, wherever the list is sent to") {
  constexpr std::uint16_t at = 16 + 32;  // the list goes to LUN 0, of LUN 3's data
  const auto answer = [](const copymgr::CopyLimits& limits, RodCscd rod) {
    LimitWorld world(limits);
    rod.producer = 0;
    return world.xcopy(lid1_list(1, 0, {world.naa_of(lun), fe(rod)}, {bf(1, 0, 4)}));
  };
  RodCscd rod{0};
  rod.r_token = true;
  CHECK(answer({}, rod).good());

  copymgr::CopyLimits none;
  none.service_actions.withdraw(scsi::populate_token::layout);
  const Answer refused = answer(none, rod);
  check_illegal(refused, 0x26, 0x00);
  CHECK(refused.sense->field == bit(at + 22, 0));
  copymgr::CopyLimits types;
  types.rod_types = {scsi::RodType::point_in_time_change_vulnerable};
  check_bad_list(answer(types, rod), 0x26, 0x00, at + 8);
  copymgr::CopyLimits timer;
  timer.maximum_inactivity_timeout_seconds = 10;
  timer.default_inactivity_timeout_seconds = 10;
  RodCscd late = rod;
  late.timeout = 11;
  check_bad_list(answer(timer, late), 0x26, 0x00, at + 16);
  // A ROD that ends with the list is none of the producer's business.
  for (const copymgr::CopyLimits& limits : {none, types}) {
    RodCscd within = rod;
    within.r_token = false;
    CHECK(answer(limits, within).good());
  }
}
