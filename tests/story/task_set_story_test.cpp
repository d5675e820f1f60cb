// Two hosts and one disk whose task set they share, over iSCSI: a host orders its commands, and
// the other one is neither overtaken nor held up for ever.
#include <catch2/catch.hpp>

#include "tests/story/world.hpp"

using story::Array;
using story::Host;
using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr std::uint8_t simple = 1, ordered = 2;
constexpr std::uint32_t blocks = 32;
const Bytes old_data(blocks * 512, 0x11), new_data(blocks * 512, 0x22);

scsi::CdbBytes read_first() {
  scsi::CdbBytes cdb{0x88};
  base::store_be32(cdb, 10, blocks);
  return cdb;
}

// The opcodes and, of responses, the status of the PDUs in what a host received.
std::vector<int> kinds(const Bytes& output) {
  std::vector<int> out;
  for (std::size_t at = 0; at < output.size();) {
    const bool has_status = output[at] == 0x21 || (output[at] == 0x25 && (output[at + 1] & 1) != 0);
    out.push_back(output[at] << 8 | (has_status ? output[at + 3] : 0xff));
    at += 48 + (base::load_be(base::ByteView(output), at + 5, 3) + 3) / 4 * 4;
  }
  return out;
}
using Kinds = std::vector<int>;
constexpr int good_response = 0x2100, aborted_response = 0x2140, good_data = 0x2500;

void set_task_aborted_status(Host& host) {
  scsi::CdbBytes cdb{0x15, 0x10, 0, 0, 16};
  Bytes list(16);
  list[4] = list[5] = 0x0a;
  list[7] = 0x10;
  list[12] = list[13] = 0xff;
  list[9] = 0x40;
  REQUIRE(host.command(0, cdb, list).is_good());
}

}  // namespace

TEST_CASE("an ORDERED READ sees the WRITE that came before it, though its data came after") {
  Array array({"memory:16M"}, "/tmp");
  Host a(array, "iqn.host:a"), b(array, "iqn.host:b");
  REQUIRE(a.write(0, 0, old_data).is_good());

  const Bytes r2t = a.start_write(0, 0, blocks);
  a.attribute = ordered;
  CHECK(a.start(0, read_first(), blocks * 512).empty());
  a.attribute = simple;
  CHECK(a.start(0, read_first(), blocks * 512).empty());  // and this one waits for both

  // The other host waits for none of it, not even with ORDERED.
  CHECK(b.read(0, 0, blocks) == old_data);
  b.attribute = ordered;
  CHECK(b.read(0, 0, blocks) == old_data);

  const Bytes output = a.finish_write(r2t, new_data);
  Kinds of_all = kinds(output);
  std::sort(of_all.begin(), of_all.end());
  CHECK(of_all == Kinds{good_response, good_data, good_data});
  // Each Data-In holds the new data.
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t length = base::load_be(base::ByteView(output), at + 5, 3);
    if (output[at] == 0x25) {
      CHECK(std::equal(new_data.begin(), new_data.end(),
                       output.begin() + static_cast<std::ptrdiff_t>(at + 48)));
    }
    at += 48 + (length + 3) / 4 * 4;
  }
  CHECK(b.read(0, 0, blocks) == new_data);
}

TEST_CASE("SIMPLE reads overtake a WRITE that waits for its data") {
  Array array({"memory:16M"}, "/tmp");
  Host a(array, "iqn.host:a");
  REQUIRE(a.write(0, 0, old_data).is_good());
  const Bytes r2t = a.start_write(0, 0, blocks);
  CHECK(kinds(a.start(0, read_first(), blocks * 512)) == Kinds{good_data});
  CHECK(kinds(a.finish_write(r2t, new_data)) == Kinds{good_response});
}

TEST_CASE("held commands end when the other host clears the task set: silently, or told by TAS") {
  constexpr std::uint8_t clear_task_set = 4;
  for (const bool tas : {false, true}) {
    Array array({"memory:16M"}, "/tmp");
    Host a(array, "iqn.host:a"), b(array, "iqn.host:b");
    if (tas) {
      set_task_aborted_status(b);
      CHECK(story::outcome_of(a.command(0, scsi::CdbBytes{})) == "06/2A/01");
    }
    REQUIRE(a.write(0, 0, old_data).is_good());
    const Bytes r2t = a.start_write(0, 0, blocks);
    a.attribute = ordered;
    CHECK(a.start(0, read_first(), blocks * 512).empty());
    CHECK(a.start(0, read_first(), blocks * 512).empty());
    CHECK(b.manage(clear_task_set, 0) == 0);
    const Kinds told = kinds(a.look());
    CHECK(told == (tas ? Kinds(3, aborted_response) : Kinds{}));
    CHECK(a.finish_write(r2t, new_data).empty());  // nobody takes it any more
    CHECK(story::outcome_of(a.command(0, scsi::CdbBytes{})) == (tas ? "GOOD" : "06/2F/00"));
    CHECK(a.read(0, 0, blocks) == old_data);
    CHECK(b.read(0, 0, blocks) == old_data);
  }
}

TEST_CASE("a session that ends with held commands leaves nothing closed") {
  Array array({"memory:16M"}, "/tmp");
  Host b(array, "iqn.host:b");
  {
    Host a(array, "iqn.host:a");
    a.start_write(0, 0, blocks);
    a.attribute = ordered;
    CHECK(a.start(0, read_first(), blocks * 512).empty());
    a.drop();
  }
  CHECK(b.read(0, 0, 1).size() == 512);
  b.attribute = ordered;
  CHECK(b.read(0, 0, 1).size() == 512);
}
