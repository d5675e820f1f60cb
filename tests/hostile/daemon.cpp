#include "tests/hostile/daemon.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "tests/hostile/wire.hpp"

namespace hostile {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

}  // namespace

Daemon::Daemon()
    : portal_(setting("COPYMGR_PORTAL")), process_("/proc/" + setting("COPYMGR_PID")) {}

// A process that has ended and is not yet waited for has no executable any more.
bool Daemon::lives() const {
  std::error_code error;
  return !std::filesystem::read_symlink(process_ + "/exe", error).empty();
}

std::size_t Daemon::resident_bytes() const {
  std::size_t total_pages = 0, resident_pages = 0;
  std::ifstream(process_ + "/statm") >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t Daemon::resident_settled(std::size_t bound) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::size_t now = resident_bytes();
  while (now >= bound && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    now = resident_bytes();
  }
  return now;
}

std::size_t Daemon::descriptors() const {
  const std::filesystem::directory_iterator open(process_ + "/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

std::size_t Daemon::descriptors_settled(std::size_t count) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::size_t now = descriptors();
  while (now > count && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    now = descriptors();
  }
  return now;
}

}  // namespace hostile
