// What a service manager hears, by a path and by an abstract name.
#include "target/admin/service_manager.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace {

class Manager {
 public:
  explicit Manager(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), bytes) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    close(descriptor_);
  }
  // Empty: nothing came.
  std::string heard() const {
    std::array<char, 64> bytes{};
    const ssize_t length = recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return length < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(length));
  }

 private:
  const int descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

}  // namespace

TEST_CASE("a service manager hears what it is told, on either kind of socket") {
  const test::TempDir dir;
  for (const std::string& name :
       {dir.path("notify"), "@copymgr-test-" + std::to_string(getpid())}) {
    const Manager manager(name);
    admin::tell_service_manager("READY=1");
    CHECK(manager.heard() == "READY=1");
    CHECK(manager.heard().empty());
    admin::tell_service_manager("STOPPING=1");
    CHECK(manager.heard() == "STOPPING=1");
  }
}

TEST_CASE("without a service manager, or with one that is not there, nothing happens") {
  unsetenv("NOTIFY_SOCKET");
  admin::tell_service_manager("READY=1");
  for (const std::string& name : {std::string("/nowhere/notify"), std::string("relative"),
                                  std::string(), std::string(500, '/')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    admin::tell_service_manager("READY=1");
  }
  unsetenv("NOTIFY_SOCKET");
}
