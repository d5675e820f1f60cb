#include "target/admin/state_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace admin {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::generic_category().message(errno);
}

int open_lock(const std::string& path) {
  const int lock = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    ::close(lock);
    errno = why;
    return -1;
  }
  return lock;
}

// Random bytes, made once and then kept in a file. `purpose`: of removing it.
template <class Bytes>
base::Result<Bytes, std::string> kept_bytes(const std::string& path, base::Randomness& randomness,
                                            unsigned mode, std::string_view purpose) {
  Bytes out{};
  if (fs::exists(path)) {
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(out.data()), out.size());
    if (file.gcount() == static_cast<std::streamsize>(out.size())) return out;
    return base::fail(fmt::format("{} does not hold {} bytes that can be read: remove it {}", path,
                                  out.size(), purpose));
  }
  randomness.fill(out);
  const auto written =
      write_file_atomically(path, {reinterpret_cast<const char*>(out.data()), out.size()}, mode);
  if (!written) return base::fail(written.error());
  return out;
}

}  // namespace

base::Result<StateDirectory, std::string> StateDirectory::open(const std::string& path) {
  if (path.empty()) {
    std::string made = (fs::temp_directory_path() / "copymgrd-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) {
      return base::fail(fmt::format("cannot make a state directory: {}", reason()));
    }
    return StateDirectory(made, open_lock(made), true);
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return base::fail(fmt::format("cannot make the state directory {}: {}", path, error.message()));
  }
  const int lock = open_lock(path);
  if (lock >= 0) return StateDirectory(path, lock, false);
  if (errno == EWOULDBLOCK) {
    return base::fail(fmt::format(
        "the state directory {} is in use by another copymgrd: give each its own --state-dir",
        path));
  }
  return base::fail(fmt::format("cannot use the state directory {}: {}", path, reason()));
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(other.lock_), temporary_(other.temporary_) {
  other.lock_ = -1;
  other.temporary_ = false;
}

StateDirectory::~StateDirectory() {
  if (lock_ >= 0) ::close(lock_);
  std::error_code ignored;
  if (temporary_) fs::remove_all(path_, ignored);
}

base::Result<ArrayIdentifier, std::string> StateDirectory::array_identifier(
    base::Randomness& randomness) const {
  return kept_bytes<ArrayIdentifier>(path_ + "/array-identifier", randomness, 0644,
                                     "to give the array a new identity");
}

base::Result<tokens::TokenKey, std::string> StateDirectory::token_key(
    base::Randomness& randomness) const {
  return kept_bytes<tokens::TokenKey>(path_ + "/token-key", randomness, 0600,
                                      "to forget all tokens that were given out");
}

base::Result<void, std::string> write_file_atomically(const std::string& path,
                                                      std::string_view text, unsigned mode) {
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return base::fail(fmt::format("cannot write {}: {}", path, reason()));
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fdatasync(file) == 0;
  const std::string why = reason();
  ::close(file);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    ::unlink(draft.c_str());
    return base::fail(fmt::format("cannot write {}: {}", path, written ? reason() : why));
  }
  // The new name lasts once its directory does.
  const std::string folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : ".";
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool lasts = directory < 0 || ::fsync(directory) == 0;
  if (directory >= 0) ::close(directory);
  if (!lasts) return base::fail(fmt::format("cannot write {}: {}", path, reason()));
  return {};
}

}  // namespace admin
