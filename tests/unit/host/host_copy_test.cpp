// Reads and writes through the host: every byte arrives, whatever the order of answers, the limits
// of the units and their moods; a comparison finds the first difference.
#include "tools/host/host_copy.hpp"

#include "fake_array.hpp"
#include <catch2/catch.hpp>

using namespace host;
using namespace host::test;
using base::BlockCount;
using base::ByteCount;
using base::Lba;
using Catch::Matchers::Contains;
namespace asc = scsi::asc;

namespace {

CopyEnd end_of(FakeLun& lun, std::uint64_t first = 0, std::uint64_t maximum = 0) {
  return {&lun, lun.block_length, Lba(first), BlockCount(maximum)};
}

constexpr PipelineSettings small{ByteCount(8192), 4};

}  // namespace

TEST_CASE("every byte arrives, out of order and with a short last chunk") {
  FakeArray array;
  array.answers_out_of_order = true;
  FakeLun source(array, 1003, 512), destination(array, 1003, 512);
  source.fill(1);
  const auto result =
      host_copy(end_of(source), end_of(destination), ByteCount(), ByteCount(1003 * 512), small, {});
  CHECK_FALSE(result.trouble);
  CHECK(result.bytes.value == 1003 * 512);
  CHECK(source.memory == destination.memory);
  CHECK(result.reads == 63);
  CHECK(source.in_flight_most == 4);
}

TEST_CASE("block lengths are converted both ways") {
  FakeArray array;
  FakeLun small_blocks(array, 800, 512), large_blocks(array, 100, 4096), back(array, 800, 512);
  small_blocks.fill(1);
  const ByteCount all(100 * 4096);
  CHECK(host_copy(end_of(small_blocks), end_of(large_blocks), {}, all, small, {}).bytes == all);
  CHECK(host_copy(end_of(large_blocks), end_of(back), {}, all, small, {}).bytes == all);
  CHECK(small_blocks.memory == large_blocks.memory);
  CHECK(small_blocks.memory == back.memory);
}

TEST_CASE("a copy can start in the middle, of the unit and of its bytes") {
  FakeArray array;
  FakeLun source(array, 100, 512), destination(array, 100, 512);
  source.fill(1);
  host_copy(end_of(source, 10), end_of(destination, 50), ByteCount(5 * 512), ByteCount(20 * 512),
            small, {});
  const Bytes zeros(512);
  CHECK(std::equal(zeros.begin(), zeros.end(), destination.block_span(54, 1).begin()));
  CHECK(std::equal(zeros.begin(), zeros.end(), destination.block_span(70, 1).begin()));
  const auto from = source.block_span(15, 15);
  CHECK(std::equal(from.begin(), from.end(), destination.block_span(55, 15).begin()));
}

TEST_CASE("chunks respect both units' MAXIMUM TRANSFER LENGTH and both block lengths") {
  FakeArray array;
  FakeLun a(array, 8, 512), b(array, 8, 4096);
  const PipelineSettings settings{ByteCount(1 << 20), 16};
  CHECK(chunk_for(settings, end_of(a), end_of(a)).value == 1 << 20);
  CHECK(chunk_for(settings, end_of(a, 0, 256), end_of(a)).value == 256 * 512);
  CHECK(chunk_for(settings, end_of(a), end_of(b, 0, 16)).value == 16 * 4096);
  CHECK(chunk_for(settings, end_of(a, 0, 9), end_of(b)).value == 4096);
  CHECK(chunk_for({ByteCount(5000), 1}, end_of(a), end_of(a)).value == 4608);
  CHECK(chunk_for({ByteCount(512), 1}, end_of(a), end_of(b)).value == 4096);
}

TEST_CASE("unit attentions and busy units on the way are put up with") {
  FakeArray array;
  FakeLun source(array, 400, 512), destination(array, 400, 512);
  source.fill(1);
  source.next_replies = {with_sense(scsi::sense::unit_attention(asc::power_on_occurred)),
                         with_status(scsi::Status::busy)};
  destination.next_replies = {3, with_status(scsi::Status::task_set_full)};
  const auto result =
      host_copy(end_of(source), end_of(destination), {}, ByteCount(400 * 512), small, {});
  CHECK_FALSE(result.trouble);
  CHECK(source.memory == destination.memory);
}

TEST_CASE("an error ends the copy with command, LBA and reason; what is under way is awaited") {
  FakeArray array;
  FakeLun source(array, 400, 512), destination(array, 400, 512);
  destination.intercept = [](const Command& command) -> std::optional<Reply> {
    if (base::load_be64(command.cdb, 2) != 160) return std::nullopt;
    return with_sense(sense_of(scsi::SenseKey::data_protect, asc::space_allocation_failed));
  };
  const auto result =
      host_copy(end_of(source), end_of(destination), {}, ByteCount(400 * 512), small, {});
  REQUIRE(result.trouble);
  CHECK(*result.trouble ==
        "WRITE(16) of 16 blocks at LBA 160: no space left on the array (07/27/07)");
  CHECK(source.count(0x88) < 25);
}

TEST_CASE("a read that brings less than asked is an error, not zeros") {
  FakeArray array;
  FakeLun source(array, 16, 512), destination(array, 16, 512);
  source.next_replies = {good(100)};
  const auto result =
      host_copy(end_of(source), end_of(destination), {}, ByteCount(16 * 512), small, {});
  CHECK_THAT(*result.trouble, Contains("100 bytes came, 8192 were asked for"));
  CHECK(destination.seen.empty());
}

TEST_CASE("the caller can stop a copy, and follows its progress") {
  FakeArray array;
  FakeLun source(array, 400, 512), destination(array, 400, 512);
  ByteCount told;
  const CopyWatch watch{[&](ByteCount done) { told = done; }, [&] { return told.value > 50000; }};
  const auto result =
      host_copy(end_of(source), end_of(destination), {}, ByteCount(400 * 512), small, watch);
  CHECK_FALSE(result.trouble);
  CHECK(result.bytes == told);
  CHECK(result.bytes.value > 50000);
  CHECK(result.bytes.value < 400 * 512);
}

TEST_CASE("a comparison finds equal units equal, and the first of several differences") {
  FakeArray array;
  array.answers_out_of_order = true;
  FakeLun source(array, 800, 512), destination(array, 100, 4096);
  source.fill(1);
  destination.memory = source.memory;
  const ByteCount all(100 * 4096);
  auto result = compare(end_of(source), end_of(destination), all, small, {});
  CHECK_FALSE(result.trouble);
  CHECK_FALSE(result.first_difference);
  CHECK(result.bytes == all);
  for (const std::size_t at : {399999u, 200001u, 195000u})
    destination.memory[at] ^= 1;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    array.shuffle.seed(seed);
    result = compare(end_of(source), end_of(destination), all, {ByteCount(8192), 16}, {});
    REQUIRE(result.first_difference);
    CHECK(result.first_difference->value == 195000);
  }
}

TEST_CASE("a comparison that cannot read says so") {
  FakeArray array;
  FakeLun source(array, 100, 512), destination(array, 100, 512);
  source.next_replies = {
      with_sense(sense_of(scsi::SenseKey::medium_error, asc::unrecovered_read_error))};
  const auto result = compare(end_of(source), end_of(destination), ByteCount(51200), small, {});
  CHECK_THAT(*result.trouble, Contains("READ(16)") && Contains("unrecovered read error"));
}
