// PREEMPT AND ABORT and copies (wire reference 7.6): a node that was thrown out writes the disk no
// more by them either, whichever unit they were sent to and although its session is over.
#include "tests/story/xcopy_rows.hpp"

using namespace story;

namespace {

constexpr std::uint64_t key_of_a = 0xaaaa, key_of_b = 0xbbbb;
enum : std::uint8_t { register_key = 0x00, reserve = 0x01, preempt_and_abort = 0x05 };

// PERSISTENT RESERVE OUT to LUN 1, write exclusive, registrants only.
std::string reserve_out(Host& host, std::uint8_t action, std::uint64_t key,
                        std::uint64_t action_key) {
  scsi::CdbBytes cdb{0x5f, action, 0x05};
  cdb[8] = 24;
  Bytes list(24);
  base::store_be64(list, 0, key);
  base::store_be64(list, 8, action_key);
  return told(host.command(1, cdb, list));
}

// Copies go on one block at a time, when told. The host of the rows, b, holds LUN 1.
struct FencedRows {
  FencedRows() : w(one_block_a_slice(), {}, three_units, &pool) {
    data = w.fill(0, 16, 1);
    token = w.token({{0, 16}});
    cscds = w.both();
    for (const auto& [host, key] : {std::pair(&a, key_of_a), std::pair(&w.host, key_of_b)})
      REQUIRE(reserve_out(*host, register_key, 0, key) == "GOOD");
    REQUIRE(reserve_out(w.host, reserve, key_of_b, 0) == "GOOD");
  }
  static copymgr::CopySettings one_block_a_slice() {
    copymgr::CopySettings settings;
    settings.step_bytes = settings.cheap_step_bytes = base::ByteCount(512);
    settings.slice = base::Duration(0);
    return settings;
  }
  Bytes sixteen_blocks(std::uint8_t flags) const {
    return lid4_list(9, 0, flags, cscds, {segment_02(1, 2, 16, 0, 0)});
  }
  void go_on(std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i)
      REQUIRE(pool.run_one());
  }
  void check_fenced(std::size_t blocks_before) {
    REQUIRE(reserve_out(a, preempt_and_abort, key_of_a, key_of_b) == "GOOD");
    const Bytes now = a.read(1, 0, 16);
    Bytes expected(16 * 512);
    std::copy_n(data.begin(), blocks_before * 512, expected.begin());
    CHECK((now == expected));
    pool.run();
    CHECK((a.read(1, 0, 16) == now));
  }

  base::ManualExecutor pool;
  XcopyRows w;
  Host a{w.array, "iqn.node:a"};
  Bytes data, token;
  std::vector<Bytes> cscds;
};

}  // namespace

TEST_CASE("wire reference 7.6 PREEMPT AND ABORT: EXTENDED COPY by way of another unit ends first") {
  FencedRows r;
  const bool background = GENERATE(false, true);
  const Bytes list = r.sixteen_blocks(background ? 0x01 : 0x00);
  scsi::CdbBytes cdb{0x83, 0x01};
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(list.size()));
  r.w.host.begin(0, cdb, list);
  if (background) REQUIRE(told(r.w.host.end()) == "GOOD");
  r.go_on(5);
  r.check_fenced(4);  // the first slice took the point in time
  // As by COPY OPERATION ABORT; the command is none of the unit's tasks, so it is answered.
  if (!background) CHECK(told(r.w.host.end()) == "0A/2F/02");
  CHECK(r.w.ask(0x05, 9).data[5] == 0x60);
}

TEST_CASE("wire reference 7.6 PREEMPT AND ABORT: what a lost session left running ends too") {
  FencedRows r;
  Bytes list = Rows::write_list(r.token, {{0, 16}});
  list[2] = 0x01;  // IMMED
  const bool by_token = GENERATE(true, false);
  if (by_token) {
    REQUIRE(told(r.w.write_using(list, 9)) == "GOOD");
  } else {
    REQUIRE(told(r.w.copy(r.sixteen_blocks(0x01), 0x01)) == "GOOD");
  }
  r.go_on(3);
  r.w.host.drop();
  r.go_on(2);                        // I_T nexus loss: it goes on
  r.check_fenced(by_token ? 5 : 4);  // the first slice of a list took the point in time
}

TEST_CASE("PREEMPT AND ABORT leaves copies of others, and those that do not touch the unit") {
  FencedRows r;
  Host c(r.w.array, "iqn.node:c");
  REQUIRE(reserve_out(c, register_key, 0, 0xcccc) == "GOOD");
  Bytes list = Rows::write_list(r.token, {{100, 16}});
  list[2] = 0x01;
  REQUIRE(told(c.command(1, Rows::out(0x11, 5, list.size()), list)) == "GOOD");
  REQUIRE(told(r.w.write_using(list, 5, 0)) == "GOOD");  // of b, within LUN 0
  REQUIRE(reserve_out(r.a, preempt_and_abort, key_of_a, key_of_b) == "GOOD");
  r.pool.run();
  CHECK(r.a.read(1, 100, 16) == r.data);
  CHECK(r.a.read(0, 100, 16) == r.data);
}
