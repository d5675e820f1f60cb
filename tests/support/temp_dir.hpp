// A directory that goes away with the test, and small helpers on files in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace test {

// Where files are in memory if the machine has such a place: for tests of thousands of histories,
// which a busy disk would make slow.
inline std::string memory_directory() {
  const std::string shared = "/dev/shm";
  return access(shared.c_str(), W_OK) == 0 ? shared
                                           : std::filesystem::temp_directory_path().string();
}

class TempDir {
 public:
  explicit TempDir(const std::string& parent = std::filesystem::temp_directory_path()) {
    std::string name = parent + "/copymgr-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path() const { return path_; }
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

inline void make_file(const std::string& path, std::uint64_t size) {
  std::ofstream(path).close();
  std::filesystem::resize_file(path, size);
}

inline std::uint64_t allocated_bytes(const std::string& path) {
  struct stat facts = {};
  return stat(path.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_blocks) * 512 : 0;
}

}  // namespace test
