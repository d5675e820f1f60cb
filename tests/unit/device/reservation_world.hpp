// PERSISTENT RESERVE commands as bytes, typed from SPC-4 6.13 and 6.14, for the reservation tests.
#pragma once

#include "tests/unit/device/device_world.hpp"

namespace device::test {

// Service actions and types by their numbers, as the standard gives them.
enum : std::uint8_t {
  pr_register,
  pr_reserve,
  pr_release,
  pr_clear,
  pr_preempt,
  pr_preempt_and_abort,
  pr_register_and_ignore,
  pr_register_and_move
};
inline constexpr std::uint8_t we = 1, ea = 3, we_ro = 5, ea_ro = 6, we_ar = 7, ea_ar = 8;
inline constexpr std::array<std::uint8_t, 6> all_types{we, ea, we_ro, ea_ro, we_ar, ea_ar};

inline bool is_all_registrants_type(std::uint8_t type) {
  return type >= we_ar;
}
inline bool is_write_exclusive_type(std::uint8_t type) {
  return type == we || type == we_ro || type == we_ar;
}

inline scsi::CdbBytes pr_out(std::uint8_t action, std::uint8_t type = 0,
                             std::uint32_t length = 24) {
  scsi::CdbBytes cdb{0x5f, action, type};
  put(cdb, 5, 4, length);
  return cdb;
}
inline scsi::CdbBytes pr_in(std::uint8_t action, std::uint16_t allocation = 4096) {
  scsi::CdbBytes cdb{0x5e, action};
  put(cdb, 7, 2, allocation);
  return cdb;
}
// `flags`: byte 20. 08h SPEC_I_PT, 04h ALL_TG_PT, 01h APTPL.
inline Bytes pr_list(std::uint64_t key, std::uint64_t service_action_key, std::uint8_t flags = 0) {
  Bytes out(24);
  base::store_be64(out, 0, key);
  base::store_be64(out, 8, service_action_key);
  out[20] = flags;
  return out;
}
// A TransportID with ISID, by hand: 40h 05h-protocol, length, name and ISID, NUL padded.
inline Bytes transport_id(std::string_view text, bool with_isid = true) {
  const std::size_t name = std::max<std::size_t>(20, (text.size() + 1 + 3) / 4 * 4);
  Bytes out(4 + name);
  out[0] = with_isid ? 0x45 : 0x05;
  base::store_be16(out, 2, static_cast<std::uint16_t>(name));
  std::copy(text.begin(), text.end(), out.begin() + 4);
  return out;
}
inline Bytes move_list(std::uint64_t key, std::uint64_t new_key, std::uint8_t flags,
                       std::uint16_t port, const Bytes& id) {
  Bytes out(24);
  base::store_be64(out, 0, key);
  base::store_be64(out, 8, new_key);
  out[17] = flags;
  base::store_be16(out, 18, port);
  base::store_be32(out, 20, static_cast<std::uint32_t>(id.size()));
  out.insert(out.end(), id.begin(), id.end());
  return out;
}

// Three hosts: `a` and `b` will register with keys 0Ah and 0Bh, `c` stays a stranger.
struct ReservationWorld : World {
  explicit ReservationWorld(base::Executor* other_pool = nullptr) : World({}, {}, other_pool) {
    a = login("iqn.host:a");
    b = login("iqn.host:b");
    c = login("iqn.host:c");
    observer = login("iqn.host:observer");
  }
  using World::run;
  Answer out(Nexus& nexus, std::uint8_t action, std::uint64_t key, std::uint64_t action_key = 0,
             std::uint8_t type = 0, std::uint8_t flags = 0) {
    return run(nexus, pr_out(action, type), pr_list(key, action_key, flags));
  }
  // a and b register; a reserves, if there is a type.
  void set_up(std::uint8_t type = 0) {
    REQUIRE(out(*a, pr_register, 0, 0x0a).good());
    REQUIRE(out(*b, pr_register, 0, 0x0b).good());
    if (type != 0) REQUIRE(out(*a, pr_reserve, 0x0a, 0, type).good());
  }
  Bytes in(std::uint8_t action, std::uint16_t lun = 0) {
    const Answer answer = run(*observer, pr_in(action), {}, lun);
    REQUIRE(answer.good());
    return answer.data;
  }
  std::uint32_t generation() { return base::load_be32(in(0), 0); }
  std::vector<std::uint64_t> keys() {
    const Bytes data = in(0);
    REQUIRE(data.size() == 8 + base::load_be32(data, 4));
    std::vector<std::uint64_t> out;
    for (std::size_t at = 8; at < data.size(); at += 8)
      out.push_back(base::load_be64(data, at));
    return out;
  }
  // SCOPE and TYPE of the reservation, 0 without; and its key.
  std::uint8_t held_type() {
    const Bytes data = in(1);
    return data.size() == 8 ? 0 : data.at(21);
  }
  std::uint64_t held_key() { return base::load_be64(in(1), 8); }
  // The unit attention that a nexus is told next, as ASC << 8 | ASCQ; 0: none.
  int attention(Nexus& nexus, std::uint16_t lun = 0) {
    const Answer answer = run(nexus, cdb_of("00"), {}, lun);
    if (answer.good() || !answer.sense || answer.sense->key != scsi::SenseKey::unit_attention)
      return 0;
    return answer.sense->additional.code << 8 | answer.sense->additional.qualifier;
  }

  std::unique_ptr<Nexus> a, b, c, observer;
};

inline bool conflicts(const Answer& answer) {
  return answer.status == scsi::Status::reservation_conflict;
}

}  // namespace device::test
