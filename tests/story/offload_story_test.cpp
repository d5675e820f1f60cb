// The main job as a story over the wire bytes: a token is taken, the world changes, the old data
// arrives.
#include <catch2/catch.hpp>

#include "tests/story/world.hpp"
#include "tests/support/mounted_xfs.hpp"

namespace {

using story::Array;
using story::Host;
using story::outcome_of;
using story::pattern;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t block = 512;
constexpr const char* windows = "iqn.1991-05.com.microsoft:host1";
constexpr const char* other_host = "iqn.1991-05.com.microsoft:host2";

scsi::PopulateToken ask(std::vector<base::BlockRange> ranges, std::uint32_t timeout_seconds = 0) {
  scsi::PopulateToken out;
  out.inactivity_timeout_seconds = timeout_seconds;
  out.ranges = std::move(ranges);
  return out;
}

base::BlockRange range(std::uint64_t lba, std::uint64_t blocks) {
  return {base::Lba(lba), base::BlockCount(blocks)};
}

scsi::WriteUsingToken use(const scsi::RodTokenBytes& token, std::vector<base::BlockRange> ranges,
                          std::uint64_t offset_blocks = 0) {
  scsi::WriteUsingToken out;
  out.token = token;
  out.ranges = std::move(ranges);
  out.offset_into_rod = base::BlockCount(offset_blocks);
  return out;
}

scsi::RodTokenBytes token_for(Host& host, std::uint32_t list, std::vector<base::BlockRange> ranges,
                              std::uint32_t timeout_seconds = 0) {
  REQUIRE(outcome_of(host.populate(0, list, ask(std::move(ranges), timeout_seconds))) == "GOOD");
  const auto result = host.result(0, list);
  REQUIRE(result);
  REQUIRE(result->token);
  return *result->token;
}

// Source overwritten between POPULATE TOKEN and WRITE USING TOKEN: the old data arrives.
void old_data_arrives(const std::string& source, const std::string& destination,
                      const std::string& side) {
  Array array({source, destination}, side);
  Host host(array, windows);
  const Bytes before = pattern(4096 * block, 1);
  const Bytes after = pattern(4096 * block, 2);
  REQUIRE(host.write(0, 0, before).is_good());
  const auto token = token_for(host, 1, {range(0, 2048), range(3000, 500)});
  REQUIRE(host.write(0, 0, after).is_good());
  REQUIRE(outcome_of(host.write_using(1, 2, use(token, {range(100, 2548)}))) == "GOOD");

  Bytes expected(before.begin(), before.begin() + 2048 * block);
  expected.insert(expected.end(), before.begin() + 3000 * block, before.begin() + 3500 * block);
  CHECK(host.read(1, 100, 2548) == expected);
  CHECK(host.read(0, 0, 4096) == after);
}

}  // namespace

TEST_CASE("the old data arrives when the source is overwritten, in files on this file system") {
  const test::TempDir folder;
  old_data_arrives("file:" + folder.path() + "/a.img,size=8M",
                   "file:" + folder.path() + "/b.img,size=8M", folder.path());
}

TEST_CASE("the old data arrives when the source is overwritten, in files on XFS") {
  const test::MountedXfs folder;
  if (!folder.usable()) {
    WARN("SKIPPED: no XFS could be mounted here");
    return;
  }
  old_data_arrives("file:" + folder.path() + "/a.img,size=8M",
                   "file:" + folder.path() + "/b.img,size=8M", folder.path());
}

TEST_CASE("the old data arrives when the source is overwritten, in memory") {
  const test::TempDir folder;
  old_data_arrives("memory:8M", "memory:8M", folder.path());
}

TEST_CASE("a token used every second stays alive, left alone past its timer it has expired") {
  const test::TempDir folder;
  Array array({"memory:8M", "memory:8M"}, folder.path());
  Host host(array, windows);
  const Bytes data = pattern(64 * block, 3);
  REQUIRE(host.write(0, 0, data).is_good());
  const auto token = token_for(host, 1, {range(0, 64)}, 5);

  for (std::uint32_t second = 0; second < 60; ++second) {
    array.clock.advance(std::chrono::seconds(1));
    array.copy_manager.expire();
    REQUIRE(outcome_of(host.write_using(1, 100 + second, use(token, {range(second, 1)}, second))) ==
            "GOOD");
  }
  CHECK(host.read(1, 0, 60) == Bytes(data.begin(), data.begin() + 60 * block));

  array.clock.advance(std::chrono::seconds(7));
  const auto late = host.write_using(1, 500, use(token, {range(1000, 1)}));
  CHECK(outcome_of(late) == "05/23/07");
  CHECK(host.read(1, 1000, 1) == Bytes(block, 0));
  CHECK(host.connected());
}

TEST_CASE("one token, many writes at growing offsets, by a host that did not make it") {
  const test::TempDir folder;
  Array array({"memory:8M", "memory:8M"}, folder.path());
  Host maker(array, windows);
  Host user(array, other_host);
  const Bytes data = pattern(1600 * block, 4);
  REQUIRE(maker.write(0, 7, data).is_good());
  const auto token = token_for(maker, 1, {range(7, 1600)});
  for (std::uint32_t i = 0; i < 16; ++i) {
    REQUIRE(outcome_of(user.write_using(1, i, use(token, {range(i * 100, 100)}, i * 100))) ==
            "GOOD");
  }
  CHECK(user.read(1, 0, 1600) == data);
  CHECK_FALSE(user.result(0, 1));  // the maker's list identifier is not the user's
}

TEST_CASE("a work budget that is used up stops the write early and tells how far it got") {
  const test::TempDir folder;
  copymgr::CopySettings copies;
  copies.work_budget = std::chrono::seconds(0);
  Array array({"memory:64M", "memory:64M"}, folder.path(), {}, copies);
  Host host(array, windows);
  const Bytes data = pattern(16, 5);
  const std::uint64_t blocks = 32 * 2048;  // 32 MiB
  for (std::uint64_t at = 0; at < blocks; at += 2048) {
    Bytes stamp(block, static_cast<std::uint8_t>(at / 2048 + 1));
    REQUIRE(host.write(0, at, stamp).is_good());
  }
  const auto token = token_for(host, 1, {range(0, blocks)});
  std::uint64_t done = 0;
  std::uint32_t commands = 0;
  while (done < blocks && commands < 64) {
    const auto answer =
        host.write_using(1, 10 + commands++, use(token, {range(done, blocks - done)}, done));
    if (answer.is_good()) {
      done = blocks;
    } else {
      REQUIRE(outcome_of(answer) == "0A/0D/04");
      REQUIRE(answer.sense->information);
      REQUIRE(*answer.sense->information > 0);
      REQUIRE(*answer.sense->information < blocks - done);
      done += *answer.sense->information;
    }
  }
  CHECK(done == blocks);
  CHECK(commands > 1);
  for (std::uint64_t at = 0; at < blocks; at += 2048) {
    REQUIRE(host.read(1, at, 1) == Bytes(block, static_cast<std::uint8_t>(at / 2048 + 1)));
  }
}

TEST_CASE("bad input gets the sense of the reference, nothing is written, the session lives on") {
  const test::TempDir folder;
  device::LogicalUnitLimits limits;
  limits.copies.maximum_range_descriptors = 4;
  limits.copies.maximum_token_transfer = base::ByteCount(1024 * block);
  Array array({"memory:8M", "memory:8M", "memory:8M,blocksize=4096"}, folder.path(), limits);
  Host host(array, windows);
  const Bytes before = pattern(2048 * block, 6);
  REQUIRE(host.write(1, 0, before).is_good());
  const auto token = token_for(host, 1, {range(0, 512)});
  const Bytes good = scsi::encode(use(token, {range(0, 512)}));

  const auto written = [&](const Bytes& list) {
    return outcome_of(host.send_list(1, scsi::write_using_token::layout, 9, list));
  };
  // Truncated anywhere: nothing is understood, nothing is done.
  for (std::size_t length = 1; length < good.size(); ++length) {
    const std::string outcome =
        written(Bytes(good.begin(), good.begin() + static_cast<long>(length)));
    REQUIRE(outcome == "05/1A/00");
  }
  // One byte of the token changed, each in turn.
  for (std::size_t i = 0; i < scsi::rod_token_bytes; ++i) {
    Bytes list = good;
    list[16 + i] ^= 0x40;
    REQUIRE(written(list).substr(0, 5) == "05/23");
  }
  const auto outcome_of_use = [&](std::vector<base::BlockRange> ranges, std::uint64_t offset = 0) {
    return outcome_of(host.write_using(1, 9, use(token, std::move(ranges), offset)));
  };
  CHECK(outcome_of_use({range(16384, 1)}) == "05/21/00");
  CHECK(outcome_of_use({range(~0ull, 2)}) == "05/21/00");
  CHECK(outcome_of_use({range(0, 10), range(9, 10)}) == "05/26/00");
  CHECK(outcome_of_use({range(0, 1), range(2, 1), range(4, 1), range(6, 1), range(8, 1)}) ==
        "05/26/08");
  CHECK(outcome_of_use({range(0, 1025)}) == "05/26/00");
  CHECK(outcome_of_use({range(0, 600), range(700, 600)}) == "05/26/00");
  CHECK(outcome_of_use({range(0, 513)}) == "05/0D/04");
  CHECK(outcome_of_use({range(0, 1)}, 512) == "05/26/00");
  CHECK(outcome_of_use({range(0, 1)}, ~0ull) == "05/26/00");
  CHECK(outcome_of(host.write_using(2, 9, use(token, {range(0, 8)}))) == "05/08/04");

  const auto outcome_of_ask = [&](std::vector<base::BlockRange> ranges) {
    return outcome_of(host.populate(0, 9, ask(std::move(ranges))));
  };
  CHECK(outcome_of_ask({range(16384, 1)}) == "05/21/00");
  CHECK(outcome_of_ask({range(5, 10), range(0, 6)}) == "05/26/00");
  CHECK(outcome_of_ask({range(0, 1), range(2, 1), range(4, 1), range(6, 1), range(8, 1)}) ==
        "05/26/08");
  CHECK(outcome_of_ask({range(0, 1025)}) == "05/26/00");

  CHECK(host.read(1, 0, 2048) == before);
  CHECK(host.connected());
  CHECK(outcome_of_use({range(0, 512)}) == "GOOD");
}

TEST_CASE("a refused token command leaves a record that tells why") {
  const test::TempDir folder;
  Array array({"memory:8M"}, folder.path());
  Host host(array, windows);
  REQUIRE(outcome_of(host.populate(0, 77, ask({range(99999, 1)}))) == "05/21/00");
  const auto record = host.result(0, 77);
  REQUIRE(record);
  CHECK(record->status == scsi::CopyOperationStatus::completed_with_errors);
  CHECK(record->completion_status == scsi::Status::check_condition);
  REQUIRE(record->sense);
  CHECK(record->sense->additional == scsi::asc::lba_out_of_range);
  CHECK_FALSE(record->token);
  CHECK_FALSE(host.result(0, 78));
}
