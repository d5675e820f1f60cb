// A real XFS with reflink in a sparse image, mounted for the life of the fixture; where that cannot
// be (not root, no mkfs.xfs, no loop devices) usable() is false and the test says SKIPPED.
#pragma once

#include <cstdlib>

#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace test {

class MountedXfs {
 public:
  explicit MountedXfs(const std::string& parent = std::filesystem::temp_directory_path())
      : dir_(parent) {
    if (geteuid() != 0) return;
    make_file(dir_.path("xfs.img"), 320ull << 20);
    std::filesystem::create_directory(dir_.path("mnt"));
    usable_ = run("mkfs.xfs -q -m reflink=1 '" + dir_.path("xfs.img") + "'") &&
              run("mount -o loop '" + dir_.path("xfs.img") + "' '" + path() + "'");
  }
  ~MountedXfs() {
    if (usable_) run("umount '" + path() + "' || umount -l '" + path() + "'");
  }
  MountedXfs(const MountedXfs&) = delete;
  MountedXfs& operator=(const MountedXfs&) = delete;

  bool usable() const { return usable_; }
  std::string path() const { return dir_.path("mnt"); }
  std::string path(std::string_view name) const { return path() + "/" + std::string(name); }

 private:
  static bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }

  TempDir dir_;
  bool usable_ = false;
};

}  // namespace test
