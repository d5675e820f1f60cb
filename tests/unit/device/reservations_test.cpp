// The service actions of PERSISTENT RESERVE OUT, as commands of three hosts to one unit (SPC-4
// 5.13, 6.14).
#include "tests/unit/device/reservation_world.hpp"

using namespace device;
using namespace device::test;

namespace {

using Keys = std::vector<std::uint64_t>;
constexpr int preempted_reservations = 0x2a03;
constexpr int released_reservations = 0x2a04;
constexpr int preempted_registrations = 0x2a05;

}  // namespace

TEST_CASE("REGISTER: the key that is there must be named, 0 where none is") {
  ReservationWorld world;
  CHECK(conflicts(world.out(*world.a, pr_register, 1, 0x0a)));
  CHECK(world.generation() == 0);
  CHECK(world.out(*world.a, pr_register, 0, 0x0a).good());
  CHECK(world.keys() == Keys{0x0a});
  CHECK(conflicts(world.out(*world.a, pr_register, 0, 0x1a)));
  CHECK(conflicts(world.out(*world.a, pr_register, 0x0b, 0x1a)));
  CHECK(world.generation() == 1);
  CHECK(world.out(*world.a, pr_register, 0x0a, 0x1a).good());
  CHECK(world.keys() == Keys{0x1a});
  CHECK(world.out(*world.b, pr_register, 0, 0x0b).good());
  CHECK(world.keys() == Keys{0x1a, 0x0b});
  CHECK(world.out(*world.a, pr_register, 0x1a, 0).good());
  CHECK(world.keys() == Keys{0x0b});
  CHECK(world.generation() == 4);
  // Nothing to take away: GOOD, and nothing happens.
  CHECK(world.out(*world.c, pr_register, 0, 0).good());
  CHECK(world.generation() == 4);
}

TEST_CASE("REGISTER AND IGNORE EXISTING KEY looks at no key") {
  ReservationWorld world;
  CHECK(world.out(*world.a, pr_register_and_ignore, 0x99, 0x0a).good());
  CHECK(world.out(*world.a, pr_register_and_ignore, 0x99, 0x1a).good());
  CHECK(world.keys() == Keys{0x1a});
  CHECK(world.out(*world.a, pr_register_and_ignore, 0x99, 0).good());
  CHECK(world.keys().empty());
  CHECK(world.generation() == 3);
}

TEST_CASE("RESERVE: one holder, one type; again is GOOD, otherwise a conflict") {
  for (const std::uint8_t type : all_types) {
    INFO("type " << int(type));
    ReservationWorld world;
    world.set_up();
    CHECK(conflicts(world.out(*world.a, pr_reserve, 0x0b, 0, type)));  // the key of another
    CHECK(conflicts(world.out(*world.c, pr_reserve, 0, 0, type)));     // not registered
    CHECK(world.held_type() == 0);
    CHECK(world.out(*world.a, pr_reserve, 0x0a, 0, type).good());
    CHECK(world.held_type() == type);
    CHECK(world.held_key() == (is_all_registrants_type(type) ? 0u : 0x0au));
    CHECK(world.out(*world.a, pr_reserve, 0x0a, 0, type).good());
    CHECK(world.out(*world.b, pr_reserve, 0x0b, 0, type).good() == is_all_registrants_type(type));
    CHECK(conflicts(world.out(*world.a, pr_reserve, 0x0a, 0, type == we ? ea : we)));
    CHECK(world.generation() == 2);  // RESERVE does not count
  }
}

TEST_CASE("RELEASE: by a holder with the type it has; other registrants do nothing") {
  for (const std::uint8_t type : all_types) {
    INFO("type " << int(type));
    ReservationWorld world;
    CHECK(conflicts(world.out(*world.a, pr_release, 0, 0, type)));
    world.set_up(type);
    CHECK(conflicts(world.out(*world.a, pr_release, 0x0b, 0, type)));
    check_illegal(world.out(*world.a, pr_release, 0x0a, 0, type == we ? ea : we), 0x26, 0x04);
    if (!is_all_registrants_type(type)) {
      CHECK(world.out(*world.b, pr_release, 0x0b, 0, type).good());
    }
    CHECK(world.held_type() == type);
    CHECK(world.out(*world.a, pr_release, 0x0a, 0, type).good());
    CHECK(world.held_type() == 0);
    CHECK(world.out(*world.a, pr_release, 0x0a, 0, type).good());
    CHECK(world.generation() == 2);
    // Those who had access by being registered are told; nobody else.
    CHECK(world.attention(*world.b) == (type == we || type == ea ? 0 : released_reservations));
    CHECK(world.attention(*world.b) == 0);
    CHECK(world.attention(*world.a) == 0);
    CHECK(world.attention(*world.c) == 0);
  }
}

TEST_CASE("the registration of the holder goes, and the reservation with it") {
  for (const std::uint8_t type : all_types) {
    INFO("type " << int(type));
    ReservationWorld world;
    world.set_up(type);
    CHECK(world.out(*world.a, pr_register, 0x0a, 0).good());
    // All registrants hold until the last is gone.
    CHECK(world.held_type() == (is_all_registrants_type(type) ? type : 0));
    CHECK(world.attention(*world.b) ==
          (type == we_ro || type == ea_ro ? released_reservations : 0));
    CHECK(world.out(*world.b, pr_register, 0x0b, 0).good());
    CHECK(world.held_type() == 0);
    CHECK(world.run(*world.c, write_16(0, 1), Bytes(512)).good());
    CHECK(world.attention(*world.a) == 0);
  }
}

TEST_CASE("a changed key keeps the reservation of its holder") {
  ReservationWorld world;
  world.set_up(ea);
  CHECK(world.out(*world.a, pr_register, 0x0a, 0x1a).good());
  CHECK(world.held_type() == ea);
  CHECK(world.held_key() == 0x1a);
}

TEST_CASE("CLEAR takes everything away and tells the other registrants") {
  for (const std::uint8_t type : {std::uint8_t{0}, we, ea_ar}) {
    ReservationWorld world;
    world.set_up(type);
    CHECK(conflicts(world.out(*world.c, pr_clear, 0)));
    CHECK(conflicts(world.out(*world.b, pr_clear, 0x0a)));
    CHECK(world.out(*world.b, pr_clear, 0x0b).good());
    CHECK(world.keys().empty());
    CHECK(world.held_type() == 0);
    CHECK(world.generation() == 3);
    CHECK(world.attention(*world.a) == preempted_reservations);
    CHECK(world.attention(*world.b) == 0);
    CHECK(world.attention(*world.c) == 0);
  }
}

TEST_CASE("PREEMPT of the holder: the reservation, its type and its registration change hands") {
  for (const std::uint8_t action : {pr_preempt, pr_preempt_and_abort}) {
    for (const std::uint8_t type : {we, ea, we_ro, ea_ro}) {
      ReservationWorld world;
      world.set_up(type);
      REQUIRE(world.out(*world.c, pr_register, 0, 0x0c).good());
      CHECK(world.out(*world.b, action, 0x0b, 0x0a, ea_ro).good());
      CHECK(world.keys() == Keys{0x0b, 0x0c});
      CHECK(world.held_type() == ea_ro);
      CHECK(world.held_key() == 0x0b);
      CHECK(world.generation() == 4);
      CHECK(world.attention(*world.a) == preempted_registrations);
      CHECK(world.attention(*world.a) == 0);
      CHECK(world.attention(*world.c) == (type == ea_ro ? 0 : released_reservations));
      CHECK(world.attention(*world.b) == 0);
      CHECK(conflicts(world.run(*world.a, write_16(0, 1), Bytes(512))));
    }
  }
}

TEST_CASE("PREEMPT of another registrant removes it and leaves the reservation") {
  for (const std::uint8_t type : {std::uint8_t{0}, we, ea_ro, we_ar}) {
    ReservationWorld world;
    world.set_up(type);
    CHECK(world.out(*world.a, pr_preempt, 0x0a, 0x0b, ea).good());
    CHECK(world.keys() == Keys{0x0a});
    CHECK(world.held_type() == type);
    CHECK(world.generation() == 3);
    CHECK(world.attention(*world.b) == preempted_registrations);
    CHECK(conflicts(world.out(*world.a, pr_preempt, 0x0a, 0x0b, ea)));  // nobody has it now
    CHECK(world.generation() == 3);
  }
}

TEST_CASE("PREEMPT with key 0: everybody, where all registrants hold; else a bad field") {
  ReservationWorld world;
  world.set_up(we_ar);
  CHECK(world.out(*world.b, pr_preempt, 0x0b, 0, ea).good());
  CHECK(world.keys() == Keys{0x0b});
  CHECK(world.held_type() == ea);
  CHECK(world.held_key() == 0x0b);
  CHECK(world.attention(*world.a) == preempted_registrations);
  const Answer bad = world.out(*world.b, pr_preempt, 0x0b, 0, ea);
  check_illegal(bad, 0x26, 0x00);
  CHECK(bad.sense->field == byte(8));
  CHECK(world.held_type() == ea);
}

TEST_CASE("a holder preempts itself to change the type") {
  ReservationWorld world;
  world.set_up(we);
  CHECK(world.out(*world.a, pr_preempt, 0x0a, 0x0a, ea_ro).good());
  CHECK(world.keys() == Keys{0x0a, 0x0b});
  CHECK(world.held_type() == ea_ro);
  CHECK(world.held_key() == 0x0a);
  CHECK(world.attention(*world.b) == released_reservations);
  CHECK(world.attention(*world.a) == 0);
}

TEST_CASE("all with one key: a preemptor keeps its own registration") {
  ReservationWorld world;
  for (Nexus* each : {world.a.get(), world.b.get(), world.c.get()})
    REQUIRE(world.out(*each, pr_register, 0, 7).good());
  REQUIRE(world.out(*world.a, pr_reserve, 7, 0, we).good());
  CHECK(world.out(*world.b, pr_preempt, 7, 7, we).good());
  CHECK(world.keys() == Keys{7});
  CHECK(world.out(*world.b, pr_release, 7, 0, we).good());
  CHECK(world.held_type() == 0);
  CHECK(world.attention(*world.a) == preempted_registrations);
  CHECK(world.attention(*world.c) == preempted_registrations);
}

TEST_CASE("PREEMPT without being registered, or with a wrong key, is a conflict") {
  ReservationWorld world;
  world.set_up(we);
  for (const std::uint8_t action : {pr_preempt, pr_preempt_and_abort}) {
    CHECK(conflicts(world.out(*world.c, action, 0, 0x0a, we)));
    CHECK(conflicts(world.out(*world.b, action, 0x0a, 0x0a, we)));
    CHECK(conflicts(world.out(*world.b, action, 0x0b, 0x99, we)));
  }
  CHECK(world.keys() == Keys{0x0a, 0x0b});
  CHECK(world.generation() == 2);
}

TEST_CASE("REGISTER AND MOVE: the reservation goes to a port that need not be logged in") {
  ReservationWorld world;
  world.set_up(ea);
  const auto move = [&](Nexus& nexus, const Bytes& list) {
    return world.run(
        nexus, pr_out(pr_register_and_move, 0, static_cast<std::uint32_t>(list.size())), list);
  };
  const Bytes to_d = transport_id("iqn.host:d,i,0x400001370000");
  CHECK(conflicts(move(*world.c, move_list(0, 0x0d, 0, 1, to_d))));
  CHECK(conflicts(move(*world.b, move_list(0x0b, 0x0d, 0, 1, to_d))));
  CHECK(conflicts(move(*world.a, move_list(0x0b, 0x0d, 0, 1, to_d))));
  CHECK(move(*world.a, move_list(0x0a, 0x0d, 0, 1, to_d)).good());
  CHECK(world.keys() == Keys{0x0a, 0x0b, 0x0d});
  CHECK(world.held_key() == 0x0d);
  CHECK(world.generation() == 3);
  CHECK(conflicts(world.run(*world.a, read_16(0, 1))));
  auto d = world.fresh_login("iqn.host:d", 0x400001370000);
  world.attention(*d);
  CHECK(world.run(*d, read_16(0, 1)).good());
  // Back to a, and d goes; a is known by its name alone.
  CHECK(move(*d, move_list(0x0d, 0x1a, 2, 1, transport_id("iqn.host:a", false))).good());
  CHECK(world.keys() == Keys{0x1a, 0x0b});
  CHECK(world.held_type() == ea);
  CHECK(world.held_key() == 0x1a);
}

TEST_CASE("REGISTER AND MOVE: what it refuses, and where it points") {
  ReservationWorld world;
  const auto move = [&](const Bytes& list) {
    return world.run(
        *world.a, pr_out(pr_register_and_move, 0, static_cast<std::uint32_t>(list.size())), list);
  };
  const auto at = [&](const Answer& answer, std::uint16_t byte_at) {
    check_illegal(answer, 0x26, 0x00);
    CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
    CHECK(answer.sense->field.byte == byte_at);
  };
  const Bytes to_d = transport_id("iqn.host:d,i,0x1");
  world.set_up();
  check_bad_cdb(move(move_list(0x0a, 1, 0, 1, to_d)), bit(1, 4));  // nothing is held
  REQUIRE(world.out(*world.a, pr_reserve, 0x0a, 0, we).good());
  at(move(move_list(0x0a, 0, 0, 1, to_d)), 8);
  at(move(move_list(0x0a, 1, 0, 2, to_d)), 18);
  at(move(move_list(0x0a, 1, 0, 1, transport_id("iqn.host:a,i,0x1"))), 24);   // itself
  at(move(move_list(0x0a, 1, 0, 1, transport_id("iqn.host:d", false))), 24);  // unknown
  at(move(move_list(0x0a, 1, 1, 1, to_d)), 17);  // APTPL without a journal
  Bytes fibre_channel = to_d;
  fibre_channel[0] = 0x00;
  at(move(move_list(0x0a, 1, 0, 1, fibre_channel)), 24);
  Bytes list = move_list(0x0a, 1, 0, 1, to_d);
  list.resize(list.size() + 4);
  check_illegal(move(list), 0x1a, 0x00);
  check_illegal(move(Bytes(20)), 0x1a, 0x00);
  CHECK(world.keys() == Keys{0x0a, 0x0b});
  CHECK(world.held_key() == 0x0a);
}

TEST_CASE("SPEC_I_PT registers other ports: by name and ISID, or all known ones of a name") {
  ReservationWorld world;
  const auto a2 = world.fresh_login("iqn.host:a", 2);
  const auto b2 = world.fresh_login("iqn.host:b", 2);
  const auto spec = [&](Nexus& nexus, std::uint64_t key, const std::vector<Bytes>& ids) {
    Bytes list = pr_list(key, 5, 0x08);
    list.resize(28);
    for (const Bytes& id : ids)
      list.insert(list.end(), id.begin(), id.end());
    base::store_be32(list, 24, static_cast<std::uint32_t>(list.size() - 28));
    return world.run(nexus, pr_out(pr_register, 0, static_cast<std::uint32_t>(list.size())), list);
  };
  REQUIRE(world.out(*b2, pr_register, 0, 0x0b).status == scsi::Status::check_condition);
  REQUIRE(world.out(*b2, pr_register, 0, 0x0b).good());
  CHECK(spec(*world.a, 0,
             {transport_id("iqn.host:b", false), transport_id("iqn.host:new,i,0xABCDEF")})
            .good());
  // a itself, b's first port, the new one; b's second port keeps what it has; a's second has none.
  CHECK(world.keys() == Keys{0x0b, 5, 5, 5});
  CHECK(world.out(*world.b, pr_reserve, 5, 0, we_ro).good());
  CHECK(conflicts(world.out(*world.c, pr_reserve, 5, 0, we_ro)));
  CHECK(world.attention(*a2) == 0x2900);
  CHECK(conflicts(world.run(*a2, write_16(0, 1), Bytes(512))));
  CHECK(world.run(*world.a, write_16(0, 1), Bytes(512)).good());
  // Registered already: not with SPEC_I_PT.
  const Answer again = spec(*world.a, 5, {transport_id("iqn.host:x,i,0x1")});
  check_illegal(again, 0x26, 0x00);
  CHECK(again.sense->field == bit(20, 3));
  // One bad ID, and nothing is registered.
  CHECK(spec(*world.c, 0, {transport_id("iqn.host:y,i,0x1"), transport_id("iqn.host:z")})
            .sense->field == byte(28 + 24 + 4));
  CHECK(world.keys().size() == 4);
}

TEST_CASE("no more registrations than there may be, and none of a list that would exceed it") {
  ReservationWorld world;
  Reservations full;
  for (std::uint64_t i = 0; i < registrations_max; ++i)
    full.registrations.push_back({{{"iqn.host:many", i}, 1}, 1});
  scsi::PersistentReserveOut request;
  request.service_action_key = 5;
  const Surroundings around{};
  const auto refused = register_key(full, {{"iqn.host:one-more", 1}, 1}, request, false, around);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().sense->additional == scsi::AdditionalSense{0x55, 0x04});
  full.registrations.pop_back();
  request.transport_ids = {{"iqn.host:two", 1}};
  CHECK_FALSE(register_key(full, {{"iqn.host:one-more", 1}, 1}, request, false, around));
  request.transport_ids.clear();
  CHECK(register_key(full, {{"iqn.host:one-more", 1}, 1}, request, false, around));
}

TEST_CASE("ALL_TG_PT covers every target port of the device, for making and for taking away") {
  const std::array<std::uint16_t, 3> ports{1, 2, 3};
  const Surroundings around{ports, {}};
  const Registrant two{{"iqn.host:a", 1}, 2};
  scsi::PersistentReserveOut request;
  request.service_action_key = 5;
  request.all_target_ports = true;
  auto state = register_key({}, two, request, false, around)->state;
  CHECK(state.registrations.size() == 3);
  for (const std::uint16_t port : ports)
    CHECK(state.find({{"iqn.host:a", 1}, port})->key == 5);
  CHECK(state.generation == 1);
  // A reservation belongs to one of them.
  state = reserve(state, two, 5, scsi::ReservationType::exclusive_access)->state;
  CHECK_FALSE(state.holds({{"iqn.host:a", 1}, 1}));
  request.reservation_key = 5;
  request.service_action_key = 0;
  CHECK(register_key(state, {{"iqn.host:a", 1}, 3}, request, false, around)
            ->state.registrations.empty());
  request.all_target_ports = false;
  CHECK(register_key(state, two, request, false, around)->state.registrations.size() == 2);
}
