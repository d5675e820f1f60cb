// A copymgrd process of a test, on a folder that outlives the process, and sessions to it.
#pragma once

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tools/host/session.hpp"

namespace test {

inline constexpr const char* daemon_target = "iqn.2026-11.io.copymgr:live";

class Daemon {
 public:
  Daemon() = default;
  ~Daemon() {
    if (pid_ > 0) end(SIGKILL);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::string path(const std::string& name) const { return folder_.path(name); }
  const std::string& portal() const { return portal_; }
  pid_t pid() const { return pid_; }
  std::string admin_socket() const { return path("state/admin.socket"); }

  // `more`: further words of the command line.
  void start(const std::string& lun = "0=memory:1M", const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"--portal", "127.0.0.1:0", "--target",    daemon_target,
                                   "--lun",    lun,           "--log-level", "warning"};
    words.insert(words.end(), more.begin(), more.end());
    start_with(std::move(words));
  }
  // What it says must have `daemon_target`.
  void start_from_file(const std::string& file) { start_with({"--config", file}); }
  // The wait status that it ended with.
  int end(int signal) {
    int status = 0;
    ::kill(pid_, signal);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    portal_.clear();
    return status;
  }

  // A session to a unit; unit attentions are still to be told.
  std::unique_ptr<host::Session> connect(const std::string& initiator, unsigned lun = 0) const {
    const auto url =
        host::parse_url("iscsi://" + portal_ + "/" + daemon_target + "/" + std::to_string(lun));
    REQUIRE(url);
    auto session = host::Session::open(*url, {initiator, 30});
    REQUIRE(session);
    return std::move(*session);
  }
  // To a unit that is ready; its power-on unit attention has been seen.
  std::unique_ptr<host::Session> log_in(const std::string& initiator) const {
    auto session = connect(initiator);
    const auto ready =
        host::execute_patiently(*session, host::make_command(scsi::CdbLayout{"TUR", 0}));
    REQUIRE(ready.good());
    return session;
  }

 private:
  void start_with(std::vector<std::string> words) {
    const std::string ready = path("ready");
    std::filesystem::remove(ready);
    const std::string program = std::string(COPYMGR_BIN_DIR) + "/copymgrd";
    words.insert(words.begin(), program);
    words.insert(words.end(), {"--state-dir", path("state"), "--ready-file", ready});
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    REQUIRE(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments.data(), environ) ==
            0);
    for (int i = 0; i < 5000 && !std::filesystem::exists(ready); ++i)
      ::usleep(2000);
    std::ifstream(ready) >> portal_;
    REQUIRE_FALSE(portal_.empty());
  }

  TempDir folder_;
  std::string portal_;
  pid_t pid_ = -1;
};

}  // namespace test
