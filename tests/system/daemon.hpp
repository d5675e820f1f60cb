// A copymgrd process for the system tests, that can be killed and started again.
#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tools/host/session.hpp"

namespace system_test {

// A copymgrd process on a state directory that outlives it.
class Daemon {
 public:
  // LUN 0 is `store`, where "%" stands for the folder.
  explicit Daemon(std::string store) : store_(std::move(store)) {
    if (const auto at = store_.find('%'); at != std::string::npos) {
      store_.replace(at, 1, folder_.path());
    }
  }
  ~Daemon() {
    if (pid_ > 0) end(SIGKILL);
  }

  void start() {
    const std::string ready = folder_.path("ready"), state = folder_.path("state");
    std::filesystem::remove(ready);
    const std::string program = std::string(COPYMGR_BIN_DIR) + "/copymgrd";
    std::vector<std::string> words{program,     "--portal",     "127.0.0.1:0", "--target",
                                   target_name, "--lun",        "0=" + store_, "--state-dir",
                                   state,       "--ready-file", ready,         "--log-level",
                                   "warning"};
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
  // The wait status that it ended with.
  int end(int signal) {
    int status = 0;
    ::kill(pid_, signal);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    portal_.clear();
    return status;
  }

  std::string path(const std::string& name) const { return folder_.path(name); }

  // Unit attentions are still to be told.
  std::unique_ptr<host::Session> connect(const std::string& initiator) const {
    const auto url = host::parse_url("iscsi://" + portal_ + "/" + target_name + "/0");
    REQUIRE(url);
    auto session = host::Session::open(*url, {initiator, 10});
    REQUIRE(session);
    return std::move(*session);
  }
  // To a unit that is ready.
  std::unique_ptr<host::Session> log_in(const std::string& initiator) const {
    auto session = connect(initiator);
    const auto ready =
        host::execute_patiently(*session, host::make_command(scsi::CdbLayout{"TUR", 0}));
    REQUIRE(ready.good());
    return session;
  }

 private:
  static constexpr const char* target_name = "iqn.2026-11.io.copymgr:system";
  const test::TempDir folder_;
  std::string store_, portal_;
  pid_t pid_ = -1;
};

}  // namespace system_test
