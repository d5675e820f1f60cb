// A well-behaved session on a target of its own that writes, reads back and compares without pause
// while the cases run.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace hostile {

class Canary {
 public:
  Canary(const std::string& portal, const std::string& target);
  ~Canary();

  // Ends it; empty, or what went wrong.
  std::string stop();
  std::size_t transfers() const { return transfers_; }
  bool ended() const { return ended_; }

 private:
  void sing(const std::string& portal, const std::string& target);

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<std::size_t> transfers_ = 0;
  std::string fault_;  // of the thread, read once it has ended
  std::thread thread_;
};

}  // namespace hostile
