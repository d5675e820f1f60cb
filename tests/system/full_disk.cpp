// A thin LUN runs full under two hosts that write at once, over iSCSI: by provisioned=, and where
// this user may mount, by real small file systems below it. What was acknowledged is there, also
// after a restart; what was refused left no block half written.
#include <filesystem>
#include <map>
#include <random>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "scsi/block_cdbs.hpp"
#include "tests/support/live_daemon.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t block_bytes = 512;
constexpr std::uint64_t disk_blocks = (64u << 20) / block_bytes;

bool shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class Folder {
 public:
  Folder() { fs::create_directory(mount_point()); }
  ~Folder() {
    if (mounted_) shell("umount '" + mount_point() + "' || umount -l '" + mount_point() + "'");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return directory_.path(name); }
  std::string mount_point() const { return directory_.path("mnt"); }
  bool mount_tmpfs() {
    return mounted_ =
               ::geteuid() == 0 && shell("mount -t tmpfs -o size=6M none '" + mount_point() + "'");
  }
  bool mount_ext4() {
    const std::string image = path("ext4.img");
    return mounted_ = ::geteuid() == 0 && shell("truncate -s 24M '" + image + "'") &&
                      shell("mkfs.ext4 -q -F '" + image + "'") &&
                      shell("mount -o loop '" + image + "' '" + mount_point() + "'");
  }

 private:
  test::TempDir directory_;
  bool mounted_ = false;
};

// A block that tells where it belongs and which write it is of.
Bytes stamped(std::uint64_t first, std::uint32_t blocks, std::uint64_t stamp) {
  Bytes out(blocks * block_bytes);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    for (std::size_t at = 0; at < block_bytes; at += 16) {
      base::store_be64(out, i * block_bytes + at, first + i);
      base::store_be64(out, i * block_bytes + at + 8, stamp);
    }
  }
  return out;
}

host::Command media(const scsi::CdbLayout& layout, std::uint64_t lba, std::uint32_t blocks) {
  host::Command command = host::make_command(layout);
  scsi::media::lba_16.write(command.cdb, lba);
  scsi::media::length_16.write(command.cdb, blocks);
  return command;
}

// What the blocks of one host's half of the disk may hold: the stamp of the last acknowledged
// write, and of refused ones that may have come so far.
class Writer {
 public:
  Writer(unsigned number, std::uint64_t first) : number_(number), first_(first), random_(number) {}

  void send(host::Session& session) {
    lba_ = first_ + random_() % (disk_blocks / 2 - 256);
    blocks_ = 1 + static_cast<std::uint32_t>(random_() % 256);
    stamp_ = ++stamps_ << 8 | number_;
    data_ = stamped(lba_, blocks_, stamp_);
    host::Command command = media(scsi::media::write_16, lba_, blocks_);
    command.data_out = data_;
    reply_.reset();
    session.start(command, [this](host::Reply reply) { take(std::move(reply)); });
  }
  bool idle() const { return reply_.has_value(); }
  int refused() const { return refused_; }
  int thresholds() const { return thresholds_; }

  void check(host::Session& session, bool refused_left_nothing) {
    int wrong = 0;
    Bytes data(256 * block_bytes);
    for (std::uint64_t at = first_; at < first_ + disk_blocks / 2; at += 256) {
      host::Command command = media(scsi::media::read_16, at, 256);
      command.data_in = data;
      REQUIRE(host::execute_patiently(session, command).good());
      for (std::uint64_t i = 0; i < 256; ++i) {
        const auto begin = data.begin() + static_cast<std::ptrdiff_t>(i * block_bytes);
        const Bytes block(begin, begin + block_bytes);
        if (!is_allowed(at + i, block, refused_left_nothing)) ++wrong;
      }
    }
    CHECK(wrong == 0);
  }

 private:
  void take(host::Reply reply) {
    if (!reply.good()) {
      REQUIRE(reply.delivered);
      REQUIRE(reply.sense);
      const std::string sense = scsi::to_text(*reply.sense).substr(0, 8);
      if (sense == "06/38/07") ++thresholds_;
      if (sense == "07/27/07") ++refused_;
      const bool known = sense == "06/38/07" || sense == "07/27/07";
      INFO(sense);
      REQUIRE(known);
      for (std::uint32_t i = 0; sense == "07/27/07" && i < blocks_; ++i)
        maybe_[lba_ + i].push_back(stamp_);
    } else {
      for (std::uint32_t i = 0; i < blocks_; ++i) {
        acknowledged_[lba_ + i] = stamp_;
        maybe_.erase(lba_ + i);
      }
    }
    reply_ = std::move(reply);
  }
  bool is_allowed(std::uint64_t lba, const Bytes& block, bool refused_left_nothing) const {
    const auto at = acknowledged_.find(lba);
    const Bytes expected =
        at == acknowledged_.end() ? Bytes(block_bytes) : stamped(lba, 1, at->second);
    if (block == expected) return true;
    const auto other = maybe_.find(lba);
    if (refused_left_nothing || other == maybe_.end()) return false;
    return std::any_of(other->second.begin(), other->second.end(),
                       [&](std::uint64_t stamp) { return block == stamped(lba, 1, stamp); });
  }

  const unsigned number_;
  const std::uint64_t first_;
  std::mt19937 random_;
  std::uint64_t stamps_ = 0, lba_ = 0, stamp_ = 0;
  std::uint32_t blocks_ = 0;
  Bytes data_;
  std::optional<host::Reply> reply_;
  std::map<std::uint64_t, std::uint64_t> acknowledged_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> maybe_;
  int refused_ = 0, thresholds_ = 0;
};

// Writes until each host was refused often; then checks, restarts and checks again.
void run_full(const std::string& lun, bool refused_left_nothing, int thresholds) {
  test::Daemon daemon;
  Writer a(1, 0), b(2, disk_blocks / 2);
  daemon.start(lun);
  {
    const auto first = daemon.log_in("iqn.full:a"), second = daemon.log_in("iqn.full:b");
    for (int i = 0; i < 3000 && (a.refused() < 40 || b.refused() < 40); ++i) {
      a.send(*first);
      b.send(*second);
      while (!a.idle() || !b.idle())
        host::progress({first.get(), second.get()});
    }
    CHECK(a.refused() >= 40);
    CHECK(b.refused() >= 40);
    CHECK(a.thresholds() == thresholds);
    CHECK(b.thresholds() == thresholds);
    a.check(*first, refused_left_nothing);
    b.check(*second, refused_left_nothing);
    REQUIRE(host::execute_patiently(*first, host::make_command(scsi::synchronize_cache::layout_16))
                .good());
  }
  CHECK(daemon.end(SIGTERM) == 0);
  daemon.start(lun);
  const auto again = daemon.log_in("iqn.full:c");
  a.check(*again, refused_left_nothing);
  b.check(*again, refused_left_nothing);
}

}  // namespace

TEST_CASE("a LUN that may use 8 MiB of a file runs full: each write whole or refused whole") {
  const Folder folder;
  run_full("0=file:" + folder.path("a.img") + ",size=64M,provisioned=8M,threshold=50", true, 1);
}

TEST_CASE("the file system below a LUN runs full: no acknowledged block is lost, none is torn") {
  const bool ext4 = GENERATE(false, true);
  Folder folder;
  if (!(ext4 ? folder.mount_ext4() : folder.mount_tmpfs())) {
    WARN("SKIPPED: no small file system could be mounted (not root?)");
    return;
  }
  INFO((ext4 ? "ext4" : "tmpfs"));
  run_full("0=file:" + folder.mount_point() + "/a.img,size=64M", false, 0);
}
