// Bytes of PERSISTENT RESERVE IN and OUT and of TransportIDs, typed from SPC-4 6.13, 6.14 and
// 7.6.4.6.
#include "scsi/persistent_reserve.hpp"

#include "scsi/transport_id.hpp"
#include "tests/wire/golden.hpp"

using namespace scsi;
using scsi::test::hex;
using wire::byte;
using wire::Bytes;
using wire::check_refused;
using Action = persistent_reserve_out::Action;

namespace {

// "iqn.a" and "iqn.a,i,0x400001370000".
const char* const device_id =
    "05 00 00 14  69 71 6E 2E 61 00 00 00  00 00 00 00 00 00 00 00  00 00 00 00";
const char* const port_id =
    "45 00 00 18  69 71 6E 2E 61 2C 69 2C  30 78 34 30 30 30 30 31  33 37 30 30 30 30 00 00";

Bytes out_list(std::uint8_t flags) {
  Bytes list = hex("01 02 03 04 05 06 07 08  11 12 13 14 15 16 17 18  00 00 00 00  00 00 00 00");
  list[20] = flags;
  return list;
}
Bytes with_ids(const std::vector<Bytes>& ids) {
  Bytes list = out_list(0x08);
  list.resize(28);
  for (const Bytes& id : ids)
    wire::append(list, id);
  wire::put(list, 24, 4, list.size() - 28);
  return list;
}
auto decode(const Bytes& list, Action action = Action::register_key) {
  return decode_persistent_reserve_out(list, list.size(), action);
}
auto decode_id(const Bytes& bytes) {
  return decode_transport_id(bytes, 0, bytes.size());
}

}  // namespace

TEST_CASE("TransportIDs of an initiator device and of its port") {
  CHECK(encode(TransportId{"iqn.a", {}}) == hex(device_id));
  CHECK(encode(TransportId{"iqn.a", 0x400001370000}) == hex(port_id));
  const auto device = decode_id(hex(device_id));
  REQUIRE(device);
  CHECK(device->id == TransportId{"iqn.a", {}});
  CHECK(device->bytes == 24);
  const auto port = decode_id(hex(port_id));
  REQUIRE(port);
  CHECK(port->id == TransportId{"iqn.a", 0x400001370000});
  CHECK(port->bytes == 28);
  // Any case, and leading zeros left out.
  Bytes upper = hex(device_id);
  upper[0] = 0x45;
  const std::string text = "iqn.a,i,0xAbC";
  std::copy(text.begin(), text.end(), upper.begin() + 4);
  CHECK(decode_id(upper)->id.isid == 0xabcu);
}

TEST_CASE("TransportIDs of every length of name are NUL terminated and a multiple of four") {
  for (std::size_t n = 1; n <= 223; ++n) {
    const TransportId id{std::string(n, 'x'), n % 2 == 0 ? std::optional(n) : std::nullopt};
    const Bytes bytes = encode(id);
    CHECK(bytes.size() % 4 == 0);
    CHECK(bytes.size() >= 24);
    CHECK(bytes.back() == 0);
    CHECK(base::load_be16(bytes, 2) == bytes.size() - 4);
    const auto back = decode_id(bytes);
    REQUIRE(back);
    CHECK(back->id == id);
  }
}

TEST_CASE("bad TransportIDs point at the field") {
  const auto bad = [](std::size_t at, std::uint8_t value, FieldPointer pointer) {
    Bytes bytes = hex(port_id);
    bytes.at(at) = value;
    check_refused(decode_id(bytes), wire::asc_26_00, pointer);
  };
  bad(0, 0x85, {0, 7, true});  // FORMAT CODE 10b
  bad(0, 0x46, {0, 3, true});  // SAS
  bad(3, 0x10, byte(2));       // too short
  bad(3, 0x19, byte(2));       // no multiple of four
  bad(3, 0x1c, byte(2));       // beyond the end
  bad(4, 0x00, byte(4));       // no name
  bad(9, 0x2e, byte(4));       // no separator
  bad(14, 0x67, byte(4));      // "g" is no digit
  bad(14, 0x00, byte(4));      // no digits
  Bytes endless = hex(device_id);
  std::fill(endless.begin() + 4, endless.end(), std::uint8_t{'x'});
  check_refused(decode_id(endless), wire::asc_26_00, byte(4));
  check_refused(decode_id(Bytes(20, 0x05)), wire::asc_26_00, byte(2));
  check_refused(decode_id({}), wire::asc_26_00, byte(2));
  // 13 digits are more than 48 bits.
  CHECK_FALSE(decode_id(encode(TransportId{"iqn.a,i,0x1000000000000", {}}))->id.isid);
  Bytes long_isid = encode(TransportId{"iqn.a,i,0x1000000000000", {}});
  long_isid[0] = 0x45;
  check_refused(decode_id(long_isid), wire::asc_26_00, byte(4));
}

TEST_CASE("the parameter list of PERSISTENT RESERVE OUT") {
  const auto plain = decode(out_list(0));
  REQUIRE(plain);
  CHECK(plain->reservation_key == 0x0102030405060708);
  CHECK(plain->service_action_key == 0x1112131415161718);
  CHECK_FALSE((plain->specify_initiator_ports || plain->all_target_ports || plain->persist));
  CHECK(decode(out_list(0x04))->all_target_ports);
  CHECK(decode(out_list(0x01))->persist);
  const auto spec = decode(with_ids({hex(device_id), hex(port_id)}));
  REQUIRE(spec);
  CHECK(spec->transport_ids == std::vector<TransportId>{{"iqn.a", {}}, {"iqn.a", 0x400001370000}});
  CHECK(decode(with_ids({}))->transport_ids.empty());
}

TEST_CASE("lengths of the list that do not fit are 1A/00") {
  for (std::size_t n = 0; n < 24; ++n)
    check_refused(decode(Bytes(n)), wire::asc_1a_00, std::nullopt);
  Bytes longer = out_list(0);
  longer.resize(28);
  check_refused(decode(longer), wire::asc_1a_00, std::nullopt);
  Bytes spec = with_ids({hex(port_id)});
  for (const std::size_t n : {24u, 27u, 28u, 40u})
    check_refused(decode(Bytes(spec.begin(), spec.begin() + n)), wire::asc_1a_00, std::nullopt);
  // Announced, but not all of it came.
  check_refused(decode_persistent_reserve_out(out_list(0), 28, Action::clear), wire::asc_1a_00,
                std::nullopt);
}

TEST_CASE("bad fields of the list are pointed at from its start") {
  check_refused(decode(with_ids({}), Action::register_and_ignore_existing_key), wire::asc_26_00,
                FieldPointer{20, 3, true});
  Bytes second_bad = with_ids({hex(device_id), hex(port_id)});
  second_bad[28 + 24] = 0x40;
  check_refused(decode(second_bad), wire::asc_26_00, FieldPointer{52, 3, true});
}

TEST_CASE("the parameter list of REGISTER AND MOVE") {
  Bytes list = hex("01 02 03 04 05 06 07 08  11 12 13 14 15 16 17 18  00 03  01 02  00 00 00 1C");
  wire::append(list, hex(port_id));
  const auto move = decode_register_and_move(list, list.size());
  REQUIRE(move);
  CHECK(move->reservation_key == 0x0102030405060708);
  CHECK(move->service_action_key == 0x1112131415161718);
  CHECK(move->unregister);
  CHECK(move->persist);
  CHECK(move->relative_target_port == 0x0102);
  CHECK(move->transport_id == TransportId{"iqn.a", 0x400001370000});
  list[17] = 0x01;
  CHECK_FALSE(decode_register_and_move(list, list.size())->unregister);
  for (std::size_t n = 0; n < list.size(); ++n) {
    const auto cut = decode_register_and_move(base::ByteView(list).first(n), n);
    check_refused(cut, wire::asc_1a_00, std::nullopt);
  }
  // More than one TransportID.
  Bytes two = list;
  wire::append(two, hex(device_id));
  wire::put(two, 20, 4, two.size() - 24);
  check_refused(decode_register_and_move(two, two.size()), wire::asc_26_00, byte(20));
}

TEST_CASE("parameter data of PERSISTENT RESERVE IN") {
  const std::array<std::uint64_t, 2> keys{0x0102030405060708, 9};
  CHECK(read_keys_data(0xa1b2c3d4, keys) ==
        hex("A1 B2 C3 D4  00 00 00 10  01 02 03 04 05 06 07 08  00 00 00 00 00 00 00 09"));
  CHECK(read_reservation_data(1, std::nullopt) == hex("00 00 00 01  00 00 00 00"));
  CHECK(read_reservation_data(
            1, HeldReservation{5, ReservationType::exclusive_access_all_registrants}) ==
        hex("00 00 00 01  00 00 00 10  00 00 00 00 00 00 00 05  00 00 00 00  00 08  00 00"));
  CHECK(report_capabilities_data({}) == hex("00 08  1C 90  EA 01  00 00"));
  CHECK(report_capabilities_data({true, true}) == hex("00 08  1D 91  EA 01  00 00"));
  const std::array<FullStatus, 1> status{
      FullStatus{7, {"iqn.a", 0x400001370000}, 2, ReservationType::write_exclusive}};
  Bytes expected =
      hex("00 00 00 03  00 00 00 34  00 00 00 00 00 00 00 07  00 00 00 00  01 01"
          "00 00 00 00  00 02  00 00 00 1C");
  wire::append(expected, hex(port_id));
  CHECK(read_full_status_data(3, status) == expected);
}
