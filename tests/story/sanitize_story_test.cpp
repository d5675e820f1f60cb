// A disk that goes to somebody else, over iSCSI: its data, the points in time taken of it, and the
// commands that others have on their way.
#include <catch2/catch.hpp>

#include "scsi/sanitize_cdbs.hpp"
#include "tests/story/world.hpp"

using story::Answer;
using story::Array;
using story::Host;
using story::outcome_of;
using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr std::uint32_t blocks = 128;
const Bytes secret(blocks * 512, 0x5e), late(blocks * 512, 0x1a);

scsi::CdbBytes overwrite_cdb(std::size_t list_bytes) {
  scsi::CdbBytes cdb = scsi::make_cdb(scsi::sanitize::overwrite);
  base::store_be16(cdb, 7, static_cast<std::uint16_t>(list_bytes));
  return cdb;
}

}  // namespace

TEST_CASE("SANITIZE OVERWRITE over the wire: list as data-out, residuals, the pattern everywhere") {
  Array array({"memory:1M"}, "/tmp");
  Host a(array, "iqn.host:a");
  REQUIRE(a.write(0, 0, secret).is_good());
  Bytes list{0x82, 0, 0x02, 0x00};
  list.resize(4 + 512, 0xa5);
  // Sent less than it says: refused, nothing erased.
  CHECK(outcome_of(a.command(0, overwrite_cdb(list.size()), base::ByteView(list).first(100))) ==
        "05/1A/00");
  CHECK(a.read(0, 0, blocks) == secret);
  CHECK(a.command(0, overwrite_cdb(list.size()), list).is_good());
  CHECK(a.read(0, 0, blocks) == Bytes(blocks * 512, 0xa5));
  CHECK(a.read(0, 2048 - blocks, blocks) == Bytes(blocks * 512, 0xa5));
}

TEST_CASE("a token taken before SANITIZE shows nothing after it, on any disk") {
  Array array({"memory:1M", "memory:1M"}, "/tmp");
  Host a(array, "iqn.host:a"), b(array, "iqn.host:b");
  REQUIRE(a.write(0, 0, secret).is_good());
  REQUIRE(
      a.populate(0, 1, {3600, std::nullopt, {{base::Lba(0), base::BlockCount(blocks)}}}).is_good());
  const auto made = a.result(0, 1);
  REQUIRE(made);
  REQUIRE(made->token);
  REQUIRE(a.write(0, 0, late).is_good());  // the token's data now lies aside
  REQUIRE(b.command(0, scsi::make_cdb(scsi::sanitize::block_erase)).is_good());
  scsi::WriteUsingToken use;
  use.token = *made->token;
  use.ranges = {{base::Lba(0), base::BlockCount(blocks)}};
  CHECK(outcome_of(a.write_using(1, 2, use)) == "05/23/08");
  CHECK(outcome_of(a.write_using(0, 3, use)) == "05/23/08");
  CHECK(a.read(1, 0, blocks) == Bytes(blocks * 512));
  CHECK(a.read(0, 0, blocks) == Bytes(blocks * 512));
}

TEST_CASE("FORMAT UNIT over the wire") {
  Array array({"memory:1M"}, "/tmp");
  Host a(array, "iqn.host:a");
  REQUIRE(a.write(0, 0, secret).is_good());
  const Bytes pattern{0x00, 0x88, 0, 0, 0, 0x01, 0, 1, 0xe5};
  CHECK(a.command(0, {0x04, 0x10}, pattern).is_good());
  CHECK(a.read(0, 0, blocks) == Bytes(blocks * 512, 0xe5));
  CHECK(a.command(0, {0x04}).is_good());
  CHECK(a.read(0, 0, blocks) == Bytes(blocks * 512));
  const Bytes defects{0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(outcome_of(a.command(0, {0x04, 0x10}, defects)) == "05/26/00");
}

TEST_CASE("a write that waits for its data when SANITIZE comes is answered by what is then") {
  Array array({"memory:1M"}, "/tmp");
  Host a(array, "iqn.host:a"), b(array, "iqn.host:b");
  REQUIRE(a.write(0, 0, secret).is_good());
  const Bytes r2t = b.start_write(0, 0, blocks);
  REQUIRE(a.command(0, scsi::make_cdb(scsi::sanitize::block_erase)).is_good());
  CHECK(a.read(0, 0, blocks) == Bytes(blocks * 512));
  // It has not begun before its data is there, so it is a later write.
  CHECK_FALSE(b.finish_write(r2t, late).empty());
  CHECK(a.read(0, 0, blocks) == late);
}
