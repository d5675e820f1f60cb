// The walk of a Windows host over a live array (windows-host.md A and B): it finds ODX, copies with
// the commands and sizes that classpnp would use, and is understood whatever goes wrong.
#include <fstream>
#include <random>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/live_daemon.hpp"
#include "tests/system/windows_host.hpp"

namespace {

using windows::Bytes;
using windows::Disk;
using windows::Extents;
using windows::Host;

constexpr std::uint64_t MiB = 1u << 20, GiB = 1u << 30;
constexpr const char* initiator = "iqn.1991-05.com.microsoft:walker";

// A GiB, sparse, with noise in every MiB.
void make_source(const std::string& path, std::uint64_t bytes) {
  test::make_file(path, bytes);
  std::mt19937_64 random(7);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  for (std::uint64_t at = 0; at < bytes; at += MiB) {
    std::array<std::uint64_t, 512> noise{};
    for (std::uint64_t& word : noise)
      word = random();
    file.seekp(static_cast<long>(at + random() % (MiB - sizeof noise)));
    file.write(reinterpret_cast<const char*>(noise.data()), sizeof noise);
  }
}

Bytes read_extents(const std::string& path, const Extents& extents, std::uint64_t block_bytes) {
  std::ifstream file(path, std::ios::binary);
  Bytes out;
  for (const auto& extent : extents) {
    const std::size_t at = out.size();
    out.resize(at + extent.blocks * block_bytes);
    file.seekg(static_cast<long>(extent.lba * block_bytes));
    file.read(reinterpret_cast<char*>(out.data() + at),
              static_cast<long>(extent.blocks * block_bytes));
    REQUIRE(file.good());
  }
  return out;
}

bool equal_files(const std::string& a, const std::string& b, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes; at += 16 * MiB) {
    const Extents part{{at, std::min(16 * MiB, bytes - at)}};
    if (read_extents(a, part, 1) != read_extents(b, part, 1)) return false;
  }
  return true;
}

// An array of two disks, LUN 0 with a source in it.
struct Walk {
  explicit Walk(std::uint64_t bytes = GiB, const std::string& options = "",
                const std::vector<std::string>& more = {})
      : size(bytes) {
    make_source(source_path, size);
    std::vector<std::string> words{"--lun",
                                   fmt::format("1=file:{},size={}{}", copy_path, size, options)};
    words.insert(words.end(), more.begin(), more.end());
    daemon.start(fmt::format("0=file:{}{}", source_path, options), words);
  }
  Disk disk(unsigned lun) { return Disk(daemon.connect(initiator, lun)); }

  test::Daemon daemon;
  std::uint64_t size;
  const std::string source_path = daemon.path("a.img"), copy_path = daemon.path("b.img");
};

std::uint8_t byte_of(const Bytes& page, std::size_t at) {
  return page.size() > at ? page[at] : std::uint8_t{0};
}

}  // namespace

TEST_CASE("Windows finds ODX on disks of 512 and 4096 bytes a block (A.1-A.3, D.1, R1, R2, R17)") {
  for (const char* blocks : {"", ",blocksize=4096"}) {
    Walk walk(64 * MiB, blocks);
    Disk disk = walk.disk(0);
    CHECK(disk.start() == "");
    CHECK(disk.block_bytes() == (*blocks == 0 ? 512 : 4096));
    CHECK(disk.blocks() * disk.block_bytes() == walk.size);
    CHECK(disk.limits().default_inactivity_timeout > 0);
    const Bytes provisioning = disk.vital_product_data(0xb2);
    CHECK(provisioning.size() == 8);
    CHECK(byte_of(provisioning, 3) == 4);
    CHECK((byte_of(provisioning, 5) & 0x9c) == 0x84);  // LBPU, LBPRZ = 001b
    CHECK(byte_of(provisioning, 6) % 8 == 2);          // thin
    const Bytes limits = disk.vital_product_data(0xb0);
    CHECK(limits.size() == 64);
    CHECK(base::load_be32(limits, 20) > 0);
    CHECK(base::load_be32(limits, 24) > 0);
    CHECK(disk.vital_product_data(0xb1).size() == 64);
    Bytes control(192, 0);
    const auto sensed = disk.send({0x1a, 0x00, 0x0a, 0x00, 0xc0, 0x00}, {}, control);
    REQUIRE(sensed.good());
    CHECK((control[4 + std::size_t{control[3]} + 3] & 0x06) == 0);  // QERR (R23)
  }
}

TEST_CASE("Windows copies a GiB with 4 tokens and 16 writes (A.4), and asks nothing after GOOD") {
  Walk walk;
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Host host;
  const Extents all{{0, source.blocks()}};
  CHECK(host.copy(source, all, copy, all) == source.blocks());
  CHECK(host.last_failure == "");
  CHECK(host.sent.populate_token == 4);
  CHECK(host.sent.receive_after_read == 4);
  CHECK(host.sent.write_using_token == 16);
  CHECK(host.sent.receive_after_write == 0);
  CHECK(host.sent.retries == 0);
  // One counter for the whole host (B.0): twenty commands, each its own.
  std::vector<std::uint32_t> counted(20);
  for (std::uint32_t i = 0; i < 20; ++i)
    counted[i] = i;
  CHECK(host.sent.list_identifiers == counted);
  CHECK(equal_files(walk.source_path, walk.copy_path, walk.size));

  // After a reboot of the host its counter starts at 0 again (R7).
  Host rebooted;
  const Extents part{{1000, 50000}};
  CHECK(rebooted.copy(source, part, copy, {{70000, 50000}}) == 50000);
  CHECK(rebooted.last_failure == "");
  CHECK(read_extents(walk.source_path, part, 512) ==
        read_extents(walk.copy_path, {{70000, 50000}}, 512));
}

TEST_CASE("a GiB of 4096-byte blocks takes as many commands") {
  Walk walk(GiB, ",blocksize=4096");
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Host host;
  const Extents all{{0, source.blocks()}};
  CHECK(host.copy(source, all, copy, all) == source.blocks());
  CHECK(host.sent.populate_token == 4);
  CHECK(host.sent.write_using_token == 16);
  CHECK(equal_files(walk.source_path, walk.copy_path, walk.size));
}

TEST_CASE("fragmented files: 64 descriptors a command, cut differently on both sides") {
  Walk walk(64 * MiB);
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Extents from, into;
  for (std::uint64_t i = 0; i < 300; ++i)
    from.push_back({(299 - i) * 400 + i % 7, 200 + i % 100});
  for (std::uint64_t left = windows::total(from), lba = 11; left > 0;) {
    const std::uint64_t blocks = std::min<std::uint64_t>(left, 1 + lba * 37 % 990);
    into.push_back({lba, blocks});
    left -= blocks;
    lba += blocks + 13;
  }
  Host host;
  CHECK(host.copy(source, from, copy, into) == windows::total(from));
  CHECK(host.last_failure == "");
  CHECK(host.sent.populate_token == 5);  // 300 extents
  CHECK(host.sent.receive_after_write == 0);
  CHECK(read_extents(walk.source_path, from, 512) == read_extents(walk.copy_path, into, 512));
}

TEST_CASE("one token, many writes at growing offsets, as the SMB3 capture shows (C.3)") {
  Walk walk(512 * MiB);
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Host host;
  const Extents all{{0, 256 * MiB / 512}};
  const auto read = host.offload_read(source, all, 120);
  REQUIRE(read.failure == "");
  REQUIRE(read.blocks == 256 * MiB / 512);
  const std::uint64_t step = 16 * MiB / 512;
  for (std::uint64_t offset = 0; offset < read.blocks; offset += step) {
    const auto written = host.offload_write(copy, read.token, offset, {{step + offset, step}});
    REQUIRE(written.failure == "");
    REQUIRE(written.blocks == step);
  }
  CHECK(host.sent.write_using_token == 16);
  const Extents shifted{{step, read.blocks}};
  for (std::uint64_t offset = 0; offset < read.blocks; offset += step) {
    REQUIRE(read_extents(walk.source_path, windows::slice(all, offset, step), 512) ==
            read_extents(walk.copy_path, windows::slice(shifted, offset, step), 512));
  }
}

TEST_CASE("a failure is found by its list identifier, a wrong token is not asked about (B.4, R8)") {
  Walk walk(64 * MiB);
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Host host;
  const auto read = host.offload_read(source, {{0, 2048}});
  REQUIRE(read.failure == "");
  SECTION("beyond the disk: the record has the same sense") {
    const auto written = host.offload_write(copy, read.token, 0, {{copy.blocks() - 1, 2048}});
    CHECK(written.blocks == 0);
    CHECK(written.failure.find("05/21/00") != std::string::npos);
    CHECK(host.sent.receive_after_write == 1);
    CHECK(host.sent.write_using_token == 1);
  }
  SECTION("beyond the token: nothing is written") {
    const auto written = host.offload_write(copy, read.token, 1024, {{0, 2048}});
    CHECK(written.blocks == 0);
    CHECK(written.failure.find("05/0D/04") != std::string::npos);
    CHECK(host.sent.receive_after_write == 1);
    CHECK(read_extents(walk.copy_path, {{0, 2048}}, 512) == Bytes(1 * MiB, 0));
  }
  SECTION("software write protection") {
    const Bytes list{0, 0, 0, 0, 0x0a, 0x0a, 0, 0x10, 0x08, 0, 0, 0, 0xff, 0xff, 0, 0};
    REQUIRE(copy.send({0x15, 0x10, 0, 0, 16, 0}, list).good());
    const auto written = host.offload_write(copy, read.token, 0, {{0, 2048}});
    INFO(written.failure);
    CHECK(written.failure.find("07/27") != std::string::npos);
    CHECK(host.sent.receive_after_write == 1);
  }
  SECTION("a token with one other bit") {
    auto forged = read.token;
    forged[400] ^= 1;
    const auto written = host.offload_write(copy, forged, 0, {{0, 2048}});
    CHECK(written.failure.find("05/23") != std::string::npos);
    CHECK(host.sent.receive_after_write == 0);
  }
  // And the token still does what it should.
  if (read_extents(walk.copy_path, {{0, 8}}, 512) == Bytes(4096, 0)) {
    const Bytes off{0, 0, 0, 0, 0x0a, 0x0a, 0, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0};
    REQUIRE(copy.send({0x15, 0x10, 0, 0, 16, 0}, off).good());
    CHECK(host.offload_write(copy, read.token, 0, {{4096, 2048}}).failure == "");
    CHECK(read_extents(walk.source_path, {{0, 2048}}, 512) ==
          read_extents(walk.copy_path, {{4096, 2048}}, 512));
  }
}

TEST_CASE("a unit attention costs one retry with the same list identifier (B.6, R7, R10)") {
  Walk walk(64 * MiB);
  Disk source = walk.disk(0), copy = walk.disk(1);
  Disk reset_by = Disk(walk.daemon.connect("iqn.other:host", 0));
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  REQUIRE(reset_by.start() == "");
  Host host;
  // Another host changes the mode parameters of the source: 06/2A/01 for everybody else.
  const Bytes list{0, 0, 0, 0, 0x08, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  REQUIRE(reset_by.send({0x15, 0x10, 0, 0, 24, 0}, list).good());
  const auto read = host.offload_read(source, {{0, 2048}});
  CHECK(read.failure == "");
  CHECK(host.sent.populate_token == 2);
  CHECK(host.sent.retries == 1);
  CHECK(host.sent.list_identifiers.size() == 1);
  CHECK(host.offload_write(copy, read.token, 0, {{0, 2048}}).failure == "");
}

TEST_CASE("the result is told on another path of the same host (MPIO, R19), not to other hosts") {
  Walk walk(64 * MiB);
  Disk path_1 = walk.disk(0), path_2 = walk.disk(0);
  Disk stranger(walk.daemon.connect("iqn.other:host", 0));
  REQUIRE(path_1.start() == "");
  REQUIRE(path_2.start() == "");
  REQUIRE(stranger.start() == "");
  Bytes list(32, 0);
  list[1] = 0x1e;
  list[15] = 0x10;
  list[27] = 8;  // 8 blocks from LBA 0 on
  REQUIRE(path_1.send({0x83, 0x10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 32, 0, 0}, list).good());
  const Bytes receive{0x84, 0x07, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0x03, 0x25, 0, 0};
  Bytes data(805, 0);
  const auto refused = stranger.send(receive, {}, data);
  REQUIRE(refused.sense);
  CHECK(host::describe(refused).find("05/24/00") != std::string::npos);
  const auto told = path_2.send(receive, {}, data);
  REQUIRE(told.good());
  data.resize(told.data_in_bytes);
  const auto answer = windows::read_answer(data, 0x10, 8);
  CHECK(answer.broken_rule == "");
  CHECK(answer.has_token);
}

TEST_CASE("zeros by the host's own token, and times to live up to the limit (C.1, C.4, R24)") {
  Walk walk(64 * MiB);
  Disk source = walk.disk(0), copy = walk.disk(1);
  REQUIRE(source.start() == "");
  REQUIRE(copy.start() == "");
  Host host;
  const Extents all{{0, copy.blocks()}};
  CHECK(host.copy(source, all, copy, all) == copy.blocks());
  windows::Token zero{};
  zero[0] = zero[1] = 0xff;
  zero[3] = zero[6] = 0x01;
  zero[7] = 0xf8;
  CHECK(host.offload_write(copy, zero, 0, {{2048, copy.blocks() - 2048}}).failure == "");
  CHECK(read_extents(walk.copy_path, {{2048, copy.blocks() - 2048}}, 512) ==
        Bytes(walk.size - 1 * MiB, 0));
  CHECK(read_extents(walk.copy_path, {{0, 2048}}, 512) ==
        read_extents(walk.source_path, {{0, 2048}}, 512));
  const std::uint32_t most = source.limits().maximum_inactivity_timeout;
  CHECK(host.offload_read(source, {{0, 8}}, most).failure == "");
  CHECK(host.offload_read(source, {{0, 8}}, most + 1).failure.find("in the host") !=
        std::string::npos);
}
