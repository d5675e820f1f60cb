// Two network namespaces of a test's own, joined by one veth pair that can be cut; they end with
// it, and nothing outside of them is touched. Where that cannot be (not root, no ip) usable() is
// false and the test says SKIPPED.
#pragma once

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace test {

class Namespaces {
 public:
  static constexpr const char* address_a = "10.99.1.1";

  enum class Side : std::uint8_t { a, b };

  Namespaces() : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (geteuid() != 0 || home_ < 0) return;
    usable_ = make(a_) && make(b_) && join();
  }
  ~Namespaces() {
    for (const int each : {a_, b_, home_}) {
      if (each >= 0) ::close(each);
    }
  }
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  bool usable() const { return usable_; }

  // The thread's new sockets and processes are there while it lives.
  class Visit {
   public:
    Visit(const Namespaces& all, Side side) : home_(all.home_) {
      ::setns(side == Side::a ? all.a_ : all.b_, CLONE_NEWNET);
    }
    ~Visit() { ::setns(home_, CLONE_NEWNET); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    const int home_;
  };

  // False: nothing that is sent between them arrives.
  bool set_link(bool up) const {
    const Visit here(*this, Side::a);
    return run(fmt::format("ip link set veth-a {}", up ? "up" : "down"));
  }

 private:
  static bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }
  bool make(int& descriptor) const {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const bool made = descriptor >= 0 && run("ip link set lo up");
    ::setns(home_, CLONE_NEWNET);
    return made;
  }
  bool join() const {
    const std::string other = fmt::format("/proc/{}/fd/{}", ::getpid(), b_);
    {
      const Visit here(*this, Side::a);
      if (!run("ip link add veth-a type veth peer name veth-b netns " + other) ||
          !run(fmt::format("ip addr add {}/24 dev veth-a && ip link set veth-a up", address_a)))
        return false;
    }
    const Visit there(*this, Side::b);
    return run("ip addr add 10.99.1.2/24 dev veth-b && ip link set veth-b up");
  }

  const int home_;
  int a_ = -1, b_ = -1;
  bool usable_ = false;
};

}  // namespace test
