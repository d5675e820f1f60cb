#include "tests/hot_path/load.hpp"

#include <array>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <sys/uio.h>

namespace hot_path {
namespace {

constexpr std::uint64_t unit_bytes = 16u << 20;
constexpr std::uint32_t block_bytes = 512;
constexpr std::uint32_t transfer_bytes = 4096;
constexpr std::uint32_t transfer_blocks = transfer_bytes / block_bytes;
constexpr std::uint32_t kinds_in_turn = 8;

std::string spec_of(const Load& load, const test::TempDir& dir) {
  const std::string size = std::to_string(unit_bytes >> 20) + "M";
  return load.store == "file" ? "file:" + dir.path("unit.img") + ",size=" + size
                              : load.store + ":" + size;
}

// The whole unit is written once: nothing is a hole.
void fill(story::Host& host) {
  const auto data = story::pattern(256 * 1024, 1);
  for (std::uint64_t at = 0; at < unit_bytes; at += data.size())
    REQUIRE(host.write(0, at / block_bytes, data).is_good());
}

void make_token(story::Host& host) {
  scsi::PopulateToken request;
  request.ranges = {{base::Lba(0), base::BlockCount(unit_bytes / block_bytes)}};
  REQUIRE(host.populate(0, 7, request).is_good());
}

// What every write after it meets is saved already.
void overwrite(story::Host& host) {
  fill(host);
}

}  // namespace

std::size_t hot_path_serve(iscsi::Connection& connection, const std::uint8_t* stream,
                           std::size_t bytes) {
  if (connection.receive({stream, bytes}) != bytes) return 0;
  std::array<iovec, 512> list;
  std::size_t sent = 0;
  while (!connection.output().empty()) {
    std::size_t gathered = 0;
    const std::size_t entries = connection.output().gather(list);
    for (std::size_t i = 0; i < entries; ++i)
      gathered += list[i].iov_len;
    connection.output().consume(gathered);
    sent += gathered;
  }
  return sent;
}

const std::vector<Load>& loads() {
  static const std::vector<Load> all{
      {"read memory", 0, "memory"},
      {"read file", 0, "file"},
      {"write memory", 8, "memory"},
      {"write file", 8, "file"},
      {"mixed file", 4, "file"},
      {"read file under a token", 0, "file", true},
      {"write file under a token", 8, "file", true},
  };
  return all;
}

Traffic::Traffic(const Load& load)
    : load_(load),
      dir_(test::memory_directory()),
      array_({spec_of(load, dir_)}, dir_.path()),
      host_(array_, "iqn.2026-11.host:hot-path") {
  fill(host_);
  if (!load_.token) return;
  make_token(host_);
  overwrite(host_);
}

std::vector<std::uint8_t> Traffic::next_batch() {
  static const std::vector<std::uint8_t> data = story::pattern(transfer_bytes, 2);
  std::vector<std::uint8_t> stream;
  for (std::uint32_t i = 0; i < batch_commands; ++i) {
    const bool writes = made_++ % kinds_in_turn < load_.writes_of_8;
    scsi::CdbBytes cdb{};
    cdb[0] = writes ? 0x8a : 0x88;  // WRITE(16), READ(16)
    base::store_be64(cdb, 2, random_() % (unit_bytes / transfer_bytes) * transfer_blocks);
    base::store_be32(cdb, 10, transfer_blocks);
    const auto command = writes ? host_.bytes_of(0, cdb, data, data.size(), 0)
                                : host_.bytes_of(0, cdb, {}, 0, transfer_bytes);
    stream.insert(stream.end(), command.begin(), command.end());
  }
  return stream;
}

void Traffic::serve(const std::vector<std::uint8_t>& stream) {
  constexpr std::size_t header_bytes = 48;
  const std::size_t writes = std::size_t{batch_commands} * load_.writes_of_8 / kinds_in_turn;
  const std::size_t answers =
      writes * header_bytes + (batch_commands - writes) * (header_bytes + transfer_bytes);
  if (hot_path_serve(host_.engine(), stream.data(), stream.size()) != answers) {
    throw std::runtime_error(load_.name + ": other answers than GOOD with all data");
  }
}

}  // namespace hot_path
